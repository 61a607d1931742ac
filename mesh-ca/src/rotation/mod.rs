//! Rotation of authorities and of SVIDs, without a moment at which two honest workloads cannot verify each other.

mod authority;
mod key_id;
mod workload;

pub use authority::{
    AuthorityAlarm, AuthorityAnswerError, AuthorityCertificate, AuthorityCommandError, AuthorityId,
    AuthorityOutput, AuthorityRecord, AuthorityRotationConfig, AuthorityRotator, AuthorityRotatorSnapshot,
    AuthorityState, AuthorityStatus, AuthorityStep, AuthorityTimes, CertifyRequest, CommandError,
    CrossSignRequest, EmergencyReport, Issuing, IssuingError, KeySlot, Retirement, RotationFinding,
    RotationFindingCode, RotationStrategy,
};
pub use key_id::{KeyId, KeyIdError};
pub use workload::{
    RenewalBasis, RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidRotationConfig,
    SvidRotator, SvidRotatorError, SvidRotatorSnapshot, SvidSnapshotError, SvidState,
};
