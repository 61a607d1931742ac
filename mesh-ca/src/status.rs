//! What a peer is told.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A status of gRPC, as far as this crate gives or reads it.
///
/// Source: gRPC status codes; ca.md C-AUTH-8, C-WR-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StatusCode {
    /// 10: given up because of a conflict.
    Aborted,
    /// 1: given up by the caller.
    Cancelled,
    /// 4: not finished in time.
    DeadlineExceeded,
    /// 13: our own fault.
    Internal,
    /// 3: the request is wrong.
    InvalidArgument,
    /// 5: what was asked for is not there.
    NotFound,
    /// 7: the caller may not do this.
    PermissionDenied,
    /// 8: too many requests.
    ResourceExhausted,
    /// 16: the caller could not prove who it is.
    Unauthenticated,
    /// 14: not reachable now.
    Unavailable,
    /// 12: not offered.
    Unimplemented,
    /// 2: anything else.
    Unknown,
}

impl StatusCode {
    /// The number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            Self::Aborted => 10,
            Self::Cancelled => 1,
            Self::DeadlineExceeded => 4,
            Self::Internal => 13,
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::Unauthenticated => 16,
            Self::Unavailable => 14,
            Self::Unimplemented => 12,
            Self::Unknown => 2,
        }
    }

    /// The status of a number on the wire; numbers without a place here are [`Unknown`](Self::Unknown), 0 (OK) is `None`.
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => return None,
            1 => Self::Cancelled,
            3 => Self::InvalidArgument,
            4 => Self::DeadlineExceeded,
            5 => Self::NotFound,
            7 => Self::PermissionDenied,
            8 => Self::ResourceExhausted,
            10 => Self::Aborted,
            12 => Self::Unimplemented,
            13 => Self::Internal,
            14 => Self::Unavailable,
            16 => Self::Unauthenticated,
            _ => Self::Unknown,
        })
    }

    /// The name in capitals, for example `INVALID_ARGUMENT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "ABORTED",
            Self::Cancelled => "CANCELLED",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Internal => "INTERNAL",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What goes back to a peer instead of an answer: a code, and a text that is constant for each kind of failure, so that
/// it tells nothing about others (C-AUTH-8, C-ERR-2).
///
/// ```
/// use mesh_ca::{Status, StatusCode};
///
/// let status = Status::new(StatusCode::Unauthenticated, "request authenticate failure");
/// assert_eq!(status.to_string(), "UNAUTHENTICATED: request authenticate failure");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    code: StatusCode,
    message: Cow<'static, str>,
}

impl Status {
    /// A status with its constant text.
    pub const fn new(code: StatusCode, message: &'static str) -> Self {
        Self {
            code,
            message: Cow::Borrowed(message),
        }
    }

    /// The code.
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// The text for the peer.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Status {}
