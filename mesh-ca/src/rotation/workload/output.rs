//! What the machine is told, and what it asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::spiffe_id::SpiffeId;
use crate::status::StatusCode;
use crate::time::UnixTime;

/// How urgent an SVID is. Of two identities that wait for a free place, the more urgent one is asked for first (C-WR-8).
///
/// ```
/// use mesh_ca::rotation::SvidPriority;
///
/// assert!(SvidPriority::RealTime > SvidPriority::Warmup && SvidPriority::Warmup > SvidPriority::Background);
/// ```
///
/// Source: ztunnel identity/manager.rs `Priority`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SvidPriority {
    /// Renewal of what is held.
    #[default]
    Background,
    /// Wanted soon.
    Warmup,
    /// A connection waits for it.
    RealTime,
}

/// The number of one request to the CA. Numbers are never used twice by one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub(super) u64);

/// What the rotation needs to know of an SVID that has passed the checks of C-WR-7.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SvidFacts {
    /// The leaf's `notBefore`; whole seconds.
    pub not_before: UnixTime,
    /// The leaf's `notAfter`, inclusive; whole seconds.
    pub not_after: UnixTime,
    /// The key id of the authority that signed the leaf (its authority key identifier), where one is given. By it,
    /// [`rotate_issued_by`](super::SvidRotator::rotate_issued_by) finds what a tainted authority has signed.
    pub issuer: Option<KeyId>,
}

/// Why a request brought no SVID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SvidFailure {
    /// An answer came, and it is not what was asked for: another key or id, no path to a trusted root, too short a life, or
    /// revoked (C-WR-7). The text says which.
    BadResponse(String),
    /// The CA, or the way to it, answered with a status.
    Status {
        /// The status.
        code: StatusCode,
        /// How long the CA asked to wait, if it did; counted with [`StatusCode::ResourceExhausted`] only.
        retry_after: Option<Duration>,
    },
}

impl SvidFailure {
    /// A status without a time to wait.
    pub const fn status(code: StatusCode) -> Self {
        Self::Status {
            code,
            retry_after: None,
        }
    }

    /// Whether asking again soon may help. `false` for what asks for a change by people: the next attempts keep the
    /// longest distance, and an alarm is given.
    ///
    /// ```
    /// use mesh_ca::{StatusCode, rotation::SvidFailure};
    ///
    /// // Tokens rotate, so an unauthenticated caller may be authenticated the next time.
    /// assert!(SvidFailure::status(StatusCode::Unauthenticated).is_retryable());
    /// assert!(!SvidFailure::status(StatusCode::PermissionDenied).is_retryable());
    /// ```
    ///
    /// Source: ca.md C-WR-5, which names ten statuses. Of the other two, `NOT_FOUND` (the CA knows no such entry) counts as
    /// permanent, and `UNKNOWN` as retryable.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::BadResponse(_) => true,
            Self::Status { code, .. } => match code {
                StatusCode::Aborted
                | StatusCode::Cancelled
                | StatusCode::DeadlineExceeded
                | StatusCode::Internal
                | StatusCode::ResourceExhausted
                | StatusCode::Unauthenticated
                | StatusCode::Unavailable
                | StatusCode::Unknown => true,
                StatusCode::InvalidArgument
                | StatusCode::NotFound
                | StatusCode::PermissionDenied
                | StatusCode::Unimplemented => false,
            },
        }
    }
}

/// Where an identity stands (C-WR-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SvidState {
    /// No SVID yet; `attempt` counts from 1.
    Pending {
        /// The attempt that is queued, under way or waited for.
        attempt: u32,
    },
    /// Held, and not due.
    Valid {
        /// When its renewal begins on the wall clock; it may begin earlier by the monotonic one, or when forced.
        renew_at: UnixTime,
        /// Its end.
        not_after: UnixTime,
    },
    /// Held and served, while a new one is asked for.
    Renewing {
        /// The attempt that is queued, under way or waited for.
        attempt: u32,
        /// The end of the held one.
        not_after: UnixTime,
    },
    /// What was held has ended, and no new one is there yet; attempts go on.
    Expired {
        /// The attempt that is queued, under way or waited for.
        attempt: u32,
        /// The end of the last one.
        not_after: UnixTime,
    },
}

/// What the embedder has to do, or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum SvidOutput {
    /// An SVID is there. Serve it from now on, in place of the one before.
    Accepted {
        /// The identity.
        id: SpiffeId,
        /// The request that brought it.
        request: RequestId,
        /// When its renewal begins.
        renew_at: UnixTime,
        /// It ends earlier than the one before: allowed, since lifetimes get lowered on purpose, and worth a log line
        /// (`LifetimeShortened`).
        lifetime_shortened: bool,
    },
    /// Somebody should look.
    Alarm {
        /// The identity.
        id: SpiffeId,
        /// What is wrong.
        alarm: SvidAlarm,
    },
    /// A request failed; whoever waits for the first SVID of this identity can be told so. The machine goes on by itself.
    Failed {
        /// The identity.
        id: SpiffeId,
        /// The request.
        request: RequestId,
        /// Why.
        failure: SvidFailure,
        /// How long the machine waits before the next attempt.
        retry_in: Duration,
        /// An unexpired SVID is held, and stays served.
        held: bool,
    },
    /// Make a fresh key and a signing request, send it to the CA, check what comes back (C-WR-7), and answer with
    /// [`handle_signed`](super::SvidRotator::handle_signed) or [`handle_failed`](super::SvidRotator::handle_failed).
    Request {
        /// The identity.
        id: SpiffeId,
        /// The number to answer with.
        request: RequestId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// Stop serving the SVID of this identity: it has ended. Only with
    /// [`withdraw_expired`](super::SvidRotationConfig::withdraw_expired).
    Withdraw {
        /// The identity.
        id: SpiffeId,
    },
}

/// What somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SvidAlarm {
    /// The held SVID has ended, and there is no new one.
    Expired {
        /// When it ended.
        not_after: UnixTime,
    },
    /// The held SVID is not valid yet by the clock of this host: one of the two clocks is wrong.
    NotYetValid {
        /// When it begins to be valid.
        not_before: UnixTime,
    },
    /// The CA refuses for a reason that retries do not cure.
    Refused {
        /// Its status.
        code: StatusCode,
    },
}
