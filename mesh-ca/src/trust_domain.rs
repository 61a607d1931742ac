//! Trust domains: the authority part of a SPIFFE id.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{IdError, IdErrorKind};
use crate::spiffe_id::SpiffeIdRef;

/// The name of a trust domain, such as `cluster.local`: 1 to 255 bytes of `a-z 0-9 . - _`.
///
/// The name is opaque: a dotted quad, or a name made of dots alone, is legal. Cloning is cheap (the text is shared).
///
/// Parsing takes the bare name or any SPIFFE id of the domain (C-ID-10), and upper case is refused; text that people
/// write into configuration goes through [`TrustDomain::from_config`].
///
/// ```
/// use mesh_ca::TrustDomain;
///
/// let domain: TrustDomain = "cluster.local".parse()?;
/// assert_eq!(domain.as_str(), "cluster.local");
/// assert_eq!("spiffe://cluster.local/ns/shop/sa/reviews".parse::<TrustDomain>()?, domain);
/// assert!("Cluster.Local".parse::<TrustDomain>().is_err());
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: SPIFFE-ID standard, section 2.1; ca.md C-ID-1, C-ID-10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// The longest name, in bytes.
    pub const MAX_LENGTH: usize = 255;

    /// The trust domain that Istio uses where none is configured: `cluster.local`. Source: ca.md C-IST-2.
    pub fn istio_default() -> Self {
        Self(Arc::from("cluster.local"))
    }

    /// Parses text that a person wrote into configuration: as Istio does, every `@` becomes `.`, and upper case is
    /// folded to lower case. Never for names that come out of a certificate or a token.
    ///
    /// ```
    /// use mesh_ca::TrustDomain;
    ///
    /// assert_eq!(TrustDomain::from_config("Shop@Example.COM")?.as_str(), "shop.example.com");
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no name even so: [`IdErrorKind`] says which rule it breaks.
    ///
    /// Source: ca.md C-IST-2, C-ID-3.
    pub fn from_config(text: &str) -> Result<Self, IdError> {
        text.replace('@', ".").to_ascii_lowercase().parse()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name, borrowed.
    pub fn as_domain_ref(&self) -> TrustDomainRef<'_> {
        TrustDomainRef(&self.0)
    }
}

impl FromStr for TrustDomain {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        TrustDomainRef::parse(text).map(TrustDomainRef::to_owned)
    }
}

impl TryFrom<&str> for TrustDomain {
    type Error = IdError;

    fn try_from(text: &str) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TrustDomainRef<'_>> for TrustDomain {
    fn from(domain: TrustDomainRef<'_>) -> Self {
        domain.to_owned()
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for TrustDomain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// Eq, Ord and Hash of `TrustDomain` are those of its text.
impl Borrow<str> for TrustDomain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The name of a trust domain, borrowed from a longer text: what [`SpiffeId::trust_domain`] returns.
///
/// ```
/// use mesh_ca::{SpiffeId, TrustDomain};
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let ours: TrustDomain = "cluster.local".parse()?;
/// assert!(id.trust_domain() == ours);
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// [`SpiffeId::trust_domain`]: crate::SpiffeId::trust_domain
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomainRef<'a>(&'a str);

impl<'a> TrustDomainRef<'a> {
    /// Parses a bare name, or takes the name from a SPIFFE id, without allocating.
    ///
    /// # Errors
    /// Any text with `:/` in it is read as a SPIFFE id, so that `spiffe:/td` is reported for its scheme. Other texts
    /// are [`TrustDomainMissing`](IdErrorKind::TrustDomainMissing), [`TrustDomainChar`](IdErrorKind::TrustDomainChar)
    /// or [`TrustDomainTooLong`](IdErrorKind::TrustDomainTooLong).
    ///
    /// Source: ca.md C-ID-10.
    pub fn parse(text: &'a str) -> Result<Self, IdError> {
        if text.contains(":/") {
            return SpiffeIdRef::parse(text).map(|id| id.trust_domain());
        }
        check_name(text.as_bytes())?;
        Ok(Self(text))
    }

    /// The caller has checked the name, or cut it from an id that was checked.
    pub(crate) fn from_checked(name: &'a str) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The name in storage of its own.
    pub fn to_owned(self) -> TrustDomain {
        TrustDomain(Arc::from(self.0))
    }
}

impl<'a> From<&'a TrustDomain> for TrustDomainRef<'a> {
    fn from(domain: &'a TrustDomain) -> Self {
        domain.as_domain_ref()
    }
}

impl PartialEq<TrustDomain> for TrustDomainRef<'_> {
    fn eq(&self, other: &TrustDomain) -> bool {
        self.0 == other.as_str()
    }
}

impl PartialEq<TrustDomainRef<'_>> for TrustDomain {
    fn eq(&self, other: &TrustDomainRef<'_>) -> bool {
        self.as_str() == other.0
    }
}

impl fmt::Display for TrustDomainRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// Checks a bare name; offsets count from its first byte.
pub(crate) fn check_name(name: &[u8]) -> Result<(), IdError> {
    if name.is_empty() {
        return Err(IdError::new(IdErrorKind::TrustDomainMissing, 0));
    }
    if let Some(at) = name.iter().position(|byte| !is_name_byte(*byte)) {
        return Err(IdError::new(IdErrorKind::TrustDomainChar, at));
    }
    if name.len() > TrustDomain::MAX_LENGTH {
        return Err(IdError::new(
            IdErrorKind::TrustDomainTooLong,
            TrustDomain::MAX_LENGTH,
        ));
    }
    Ok(())
}

pub(crate) const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_')
}
