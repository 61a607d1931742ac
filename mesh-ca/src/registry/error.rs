//! Why the registry refuses.

use std::fmt;

use crate::status::{Status, StatusCode};

use super::entry::EntryId;

/// Why the registry refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// Another entry has the same parent, identity and selectors.
    Duplicate {
        /// That entry.
        of: EntryId,
    },
    /// The number of the entry is taken.
    DuplicateId,
    /// The parent or the identity belongs to another trust domain.
    ForeignTrustDomain,
    /// The hint is longer than 1,024 bytes.
    HintTooLong,
    /// The entry has no selectors.
    NoSelectors,
    /// There is no such entry, or the agent may not have it. One error for both, so that it tells nothing about entries of
    /// others (C-REG-5).
    NotFoundOrNotAuthorised,
    /// The identity has no path: it is that of the trust domain.
    NotAWorkload,
    /// The identity is reserved.
    Reserved,
}

impl RegistryError {
    /// A name that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "registry.duplicate",
            Self::DuplicateId => "registry.duplicate_id",
            Self::ForeignTrustDomain => "registry.foreign_trust_domain",
            Self::HintTooLong => "registry.hint_too_long",
            Self::NoSelectors => "registry.no_selectors",
            Self::NotFoundOrNotAuthorised => "registry.not_found_or_not_authorised",
            Self::NotAWorkload => "registry.not_a_workload",
            Self::Reserved => "registry.reserved",
        }
    }

    /// What goes back to a peer.
    pub fn status(&self) -> Status {
        match self {
            Self::NotFoundOrNotAuthorised => Status::new(StatusCode::PermissionDenied, "no identity issued"),
            _ => Status::new(StatusCode::InvalidArgument, "entry refused"),
        }
    }

    /// Whether the same request may succeed later: an entry may be registered, and a number become free.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Duplicate { .. } | Self::DuplicateId | Self::NotFoundOrNotAuthorised
        )
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { of } => write!(f, "entry `{of}` has the same parent, identity and selectors"),
            Self::DuplicateId => f.write_str("the number of the entry is taken"),
            Self::ForeignTrustDomain => {
                f.write_str("the parent or the identity belongs to another trust domain")
            }
            Self::HintTooLong => f.write_str("the hint is longer than 1024 bytes"),
            Self::NoSelectors => f.write_str("an entry needs at least one selector"),
            Self::NotFoundOrNotAuthorised => {
                f.write_str("there is no such entry, or the agent may not have it")
            }
            Self::NotAWorkload => f.write_str("the identity has no path"),
            Self::Reserved => f.write_str("the identity is reserved"),
        }
    }
}

impl std::error::Error for RegistryError {}
