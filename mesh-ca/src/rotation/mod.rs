//! Rotation of authorities and of SVIDs, without a moment at which two honest workloads cannot verify each other.

mod key_id;
mod workload;

pub use key_id::{KeyId, KeyIdError};
pub use workload::{
    RenewalBasis, RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidRotationConfig,
    SvidRotator, SvidRotatorError, SvidRotatorSnapshot, SvidSnapshotError, SvidState,
};
