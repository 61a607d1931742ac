//! Revocation: CRLs read, asked and kept.

mod check;
mod connections;
mod crl;
mod index;
mod set;
mod store;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::check::check_path;
pub use self::check::{CheckDepth, ExpiredCrl, RevocationPolicy, UnknownStatus};
pub use self::connections::{ConnectionEvent, ConnectionIndex, Generation, RevocationCheck};
pub use self::crl::{Crl, CrlError, CrlNumber, RevokedEntry};
pub use self::set::{CrlChange, CrlSet};
pub use self::store::{CrlIssueError, IssuedCrl, Revocation, RevocationError, RevocationStore, RevokeBy};

/// Why a certificate was revoked.
///
/// Spec: RFC 5280 §5.3.1; ca.md C-CRL-1. `removeFromCRL` belongs to delta CRLs, which are not taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevocationReason {
    /// 10: an attribute authority was compromised.
    AaCompromise,
    /// 3: the subject belongs elsewhere now.
    AffiliationChanged,
    /// 2: the key of the authority was compromised.
    CaCompromise,
    /// 6: on hold; the only reason that can be taken back.
    CertificateHold,
    /// 5: not needed any more.
    CessationOfOperation,
    /// 1: the key was compromised.
    KeyCompromise,
    /// 9: a privilege was withdrawn.
    PrivilegeWithdrawn,
    /// 4: there is a new one.
    Superseded,
    /// 0: none given; left out when it is written.
    #[default]
    Unspecified,
}

impl RevocationReason {
    /// The number of the standard.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// From the number of the standard. `None` for 7, which is not used, for 8, which is not taken, and above 10.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AaCompromise => "aACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CertificateHold => "certificateHold",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        })
    }
}

#[cfg(test)]
mod tests;
