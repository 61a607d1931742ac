//! Rotation of authorities and of SVIDs, without a moment at which two honest workloads cannot verify each other.
//!
//! Three machines, none of which does I/O or holds a key:
//!
//! | machine | what it keeps fresh | rules |
//! |---|---|---|
//! | [`AuthorityRotator`] | the authority of a trust domain: its root, with a new key or with the same one | C-ROT |
//! | [`UpstreamCa`] | an intermediate authority below somebody else's root | C-CA-8 |
//! | [`SvidRotator`] | the SVIDs of up to a million workloads | C-WR |
//!
//! # Why there is no gap
//!
//! A verifier accepts a leaf when it holds the root of the authority that signed it, and when its own clock says that both
//! are valid. Three things stand against that: verifiers get a new bundle late (at most `dist` after its publication), clocks
//! differ (by at most `skew`), and leaves live on after their authority was replaced (for at most `leaf_max`). So a root has
//! to be with every verifier *before* the first leaf that needs it, and has to stay *until* the last one has ended.
//!
//! ```text
//!  root A  ──issued──────────────────────────────── active ──────────┐─ old ────────────┐ leaves the bundle
//!                                                                    │ leaves of A live │
//!  root B                  prepared ─ published ─┬─ dist + skew ─┬───┴─ active ─────────┴───────────────
//!                              │                 │               │   │
//!                          prepare_at        confirmed      guard met  activate_at
//! ```
//!
//! *Before the activation* every verifier holds A: it has been in each bundle since its own preparation. *At the activation*
//! B has been public for `dist` and `skew`, counted from the moment at which the publication was **confirmed**: so every
//! verifier holds a bundle with B, by its own clock too. *After it* the last leaf of A ends `leaf_max` later at the latest,
//! and only then, with `skew` on top, does A leave the bundle. At each moment, then, each bundle that any verifier may hold
//! has the root of each leaf that is not over.
//!
//! What could still go wrong, and what stands against it:
//!
//! - **Too little time.** Publication may fail for a while, and the embedder may call late. The inequalities of
//!   [`AuthorityRotationConfig::check`] say how long the lifetime must be, so that the guard is met before `activate_at`
//!   all the same, and no leaf is cut short by the end of its root. Each has a name, and `new` refuses what breaks one.
//! - **Longer outages than planned.** At `activate_at` the machine waits, and says so. At `force_at` waiting would cost more
//!   than going on: B is activated, and its leaves carry B's key *certified by A*, so that verifiers that hold only A accept
//!   them until A ends.
//! - **Crashes.** A state takes effect only after it was stored, by compare-and-swap; a bundle is published only after its
//!   state was stored; an authority issues only after the publication was confirmed. A crash in between loses a
//!   confirmation, which delays, and nothing else. The bounds for retirement are stored too, not counted from what this
//!   process has issued.
//! - **Replicas.** Two that prepare at once meet at the compare-and-swap: one root is published, the other is thrown away.
//!   One that has not looked at the store for `sync` issues on only until the switch is due.
//! - **Clocks.** A wall clock that jumps forward could make everything look over: nothing is removed until the jump has
//!   proved real. One that is set back postpones no renewal, since the monotonic clock counts as well.
//! - **Stolen keys.** [`AuthorityRotator::emergency_rotate`] does not wait for verifiers. The cross-signed certificate
//!   bridges the time until they have the new root, and the report says what that cannot bridge.
//!
//! The numbers for roots of a day, leaves of three hours, `dist` of one hour, `skew` of two minutes (hours from the first
//! root's issue): the next root is prepared at 12:00, may be used from 13:02, is used from 20:00; the last old leaf ends at
//! 23:00, and the old root leaves the bundle after 23:02. Publication can fail for more than six hours unnoticed.
//!
//! For workloads the argument is shorter: the old SVID is served until the new one is there, renewal begins when half of the
//! life is left, and an outage of the CA for less than [`SvidRotationConfig::tolerated_outage`] is over before the end.
//!
//! The tests of this crate run random schedules of rotations, outages, crashes, replicas, emergencies and clocks that are
//! off, over hundreds of simulated years, and look at each bundle that a verifier may hold.

mod anchors;
mod authority;
mod upstream;
mod workload;

pub use anchors::{AnchorError, AnchorSet, AnchorSource};
pub use authority::{
    AuthorityAlarm, AuthorityAnswerError, AuthorityCertificate, AuthorityCommandError, AuthorityId,
    AuthorityOutput, AuthorityRecord, AuthorityRotationConfig, AuthorityRotator, AuthorityRotatorSnapshot,
    AuthorityState, AuthorityStatus, AuthorityStep, AuthorityTimes, CertifyRequest, CommandError,
    CrossSignRequest, EmergencyReport, Issuing, IssuingError, KeySlot, Retirement, RotationFinding,
    RotationFindingCode, RotationStrategy,
};
pub use upstream::{UpstreamAnswer, UpstreamAnswerError, UpstreamCa, UpstreamCaConfig, UpstreamOutput};
pub use workload::{
    RenewalBasis, RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidRotationConfig,
    SvidRotator, SvidRotatorError, SvidRotatorSnapshot, SvidSnapshotError, SvidState,
};
