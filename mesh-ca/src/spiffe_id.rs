//! SPIFFE ids.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{IdError, IdErrorKind};
use crate::id_syntax::{check_id, check_segment};
use crate::trust_domain::{TrustDomain, TrustDomainRef};

pub(crate) const SCHEME: &str = "spiffe://";

/// The name of a workload, such as `spiffe://cluster.local/ns/shop/sa/reviews`, or of a trust domain itself.
///
/// Parsing is strict: the scheme and the trust domain must be in lower case, nothing is decoded or normalised, and at
/// most [`SpiffeId::MAX_LENGTH`] bytes are taken. The path keeps its case, byte for byte. Comparison, order and hash
/// are those of the text, and `Display` gives that text. Cloning is cheap (the text is shared).
///
/// ```
/// use mesh_ca::SpiffeId;
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// assert_eq!(id.trust_domain().as_str(), "cluster.local");
/// assert_eq!(id.path(), "/ns/shop/sa/reviews");
/// let istio = id.istio_identity().expect("it has Istio's form");
/// assert_eq!((istio.namespace, istio.service_account), ("shop", "reviews"));
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: SPIFFE-ID standard, section 2; ca.md C-ID-1..12.
#[derive(Clone)]
pub struct SpiffeId {
    text: Arc<str>,
    // INVARIANT: at most MAX_LENGTH, and where the path begins (the length of the text when there is none).
    path_at: u16,
}

impl SpiffeId {
    /// The longest id, in bytes.
    pub const MAX_LENGTH: usize = 2048;

    /// The paths that SPIRE keeps for itself, for [`SpiffeId::is_reserved`].
    pub const RESERVED_PREFIX: &'static str = "/spire";

    /// The id that Istio gives to a workload: `spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.
    ///
    /// ```
    /// use mesh_ca::{SpiffeId, TrustDomain};
    ///
    /// let id = SpiffeId::istio(&TrustDomain::istio_default(), "shop", "reviews")?;
    /// assert_eq!(id.as_str(), "spiffe://cluster.local/ns/shop/sa/reviews");
    /// assert!(SpiffeId::istio(&TrustDomain::istio_default(), "shop", "").is_err());
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// When a name is empty, is `.` or `..`, or holds a byte that a path segment cannot, as in [`from_segments`].
    ///
    /// Source: ca.md C-IST-1.
    ///
    /// [`from_segments`]: SpiffeId::from_segments
    pub fn istio(
        trust_domain: &TrustDomain,
        namespace: &str,
        service_account: &str,
    ) -> Result<Self, IdError> {
        Self::from_segments(trust_domain, ["ns", namespace, "sa", service_account])
    }

    /// Builds an id from path segments; no segments give the id of the trust domain.
    ///
    /// ```
    /// use mesh_ca::{SpiffeId, TrustDomain};
    ///
    /// let domain: TrustDomain = "example.org".parse()?;
    /// assert_eq!(SpiffeId::from_segments(&domain, ["a", "b"])?.as_str(), "spiffe://example.org/a/b");
    /// assert!(SpiffeId::from_segments(&domain, ["a/b"]).is_err());
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// [`EmptySegment`](IdErrorKind::EmptySegment), [`DotSegment`](IdErrorKind::DotSegment),
    /// [`PathChar`](IdErrorKind::PathChar) (a `/` within a segment too), or [`TooLong`](IdErrorKind::TooLong).
    ///
    /// Source: ca.md C-ID-11.
    pub fn from_segments<S: AsRef<str>>(
        trust_domain: &TrustDomain,
        segments: impl IntoIterator<Item = S>,
    ) -> Result<Self, IdError> {
        Self::join(format!("{SCHEME}{trust_domain}"), segments)
    }

    /// Builds an id from a path, which is empty or begins with `/`.
    ///
    /// ```
    /// use mesh_ca::{SpiffeId, TrustDomain};
    ///
    /// let domain: TrustDomain = "example.org".parse()?;
    /// assert_eq!(SpiffeId::from_path(&domain, "/a/b")?.as_str(), "spiffe://example.org/a/b");
    /// assert!(SpiffeId::from_path(&domain, "")?.is_trust_domain_id());
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// [`PathWithoutSlash`](IdErrorKind::PathWithoutSlash), or what parsing the whole id reports.
    ///
    /// Source: ca.md C-ID-11.
    pub fn from_path(trust_domain: &TrustDomain, path: &str) -> Result<Self, IdError> {
        let head = SCHEME.len().saturating_add(trust_domain.as_str().len());
        if !path.is_empty() && !path.starts_with('/') {
            return Err(IdError::new(IdErrorKind::PathWithoutSlash, head));
        }
        format!("{SCHEME}{trust_domain}{path}").parse()
    }

    /// The same id with further segments after its path.
    ///
    /// # Errors
    /// As [`SpiffeId::from_segments`].
    pub fn append_segments<S: AsRef<str>>(
        &self,
        segments: impl IntoIterator<Item = S>,
    ) -> Result<Self, IdError> {
        Self::join(self.as_str().to_owned(), segments)
    }

    /// The same id with a path after its own.
    ///
    /// # Errors
    /// As [`SpiffeId::from_path`].
    pub fn append_path(&self, path: &str) -> Result<Self, IdError> {
        if !path.is_empty() && !path.starts_with('/') {
            return Err(IdError::new(IdErrorKind::PathWithoutSlash, self.text.len()));
        }
        format!("{self}{path}").parse()
    }

    /// The id of the same trust domain with other path segments; no segments give the id of the trust domain.
    ///
    /// # Errors
    /// As [`SpiffeId::from_segments`].
    pub fn replace_segments<S: AsRef<str>>(
        &self,
        segments: impl IntoIterator<Item = S>,
    ) -> Result<Self, IdError> {
        Self::from_segments(&self.trust_domain().to_owned(), segments)
    }

    /// The id of the same trust domain with another path.
    ///
    /// # Errors
    /// As [`SpiffeId::from_path`].
    pub fn replace_path(&self, path: &str) -> Result<Self, IdError> {
        Self::from_path(&self.trust_domain().to_owned(), path)
    }

    /// Parses text that a person wrote into configuration: the scheme and the trust domain may be in upper case and
    /// are folded. Never for URI names of certificates or subjects of tokens, where the strict form is required.
    ///
    /// ```
    /// use mesh_ca::SpiffeId;
    ///
    /// assert_eq!(SpiffeId::parse_normalized("SPIFFE://Example.Org/Web")?.as_str(), "spiffe://example.org/Web");
    /// assert!("SPIFFE://Example.Org/Web".parse::<SpiffeId>().is_err());
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// As [`SpiffeIdRef::parse`], case apart.
    ///
    /// Source: ca.md C-ID-3.
    pub fn parse_normalized(text: &str) -> Result<Self, IdError> {
        let slash_after_name = text
            .bytes()
            .enumerate()
            .skip(SCHEME.len())
            .find(|(_, byte)| *byte == b'/');
        let path_at = slash_after_name.map_or(text.len(), |(at, _)| at);
        let (head, path) = text.split_at_checked(path_at).unwrap_or((text, ""));
        format!("{}{path}", head.to_ascii_lowercase()).parse()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same id, borrowed.
    pub fn as_id_ref(&self) -> SpiffeIdRef<'_> {
        SpiffeIdRef {
            text: &self.text,
            path_at: usize::from(self.path_at),
        }
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> TrustDomainRef<'_> {
        self.as_id_ref().trust_domain()
    }

    /// The path: empty, or `/` and segments.
    pub fn path(&self) -> &str {
        self.as_id_ref().path()
    }

    /// The id without `spiffe://`, as principals of authorization policies are written. Source: ca.md C-IST-7.
    ///
    /// ```
    /// let id: mesh_ca::SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
    /// assert_eq!(id.principal(), "cluster.local/ns/shop/sa/reviews");
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    pub fn principal(&self) -> &str {
        self.as_id_ref().principal()
    }

    /// Namespace and service account, when the path is exactly `/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.
    pub fn istio_identity(&self) -> Option<IstioIdentity<'_>> {
        self.as_id_ref().istio_identity()
    }

    /// Whether the id names the trust domain itself: it has no path.
    pub fn is_trust_domain_id(&self) -> bool {
        self.path().is_empty()
    }

    /// Whether the id names a workload: it has a path.
    pub fn is_workload_id(&self) -> bool {
        !self.is_trust_domain_id()
    }

    /// Whether the id belongs to `trust_domain`.
    pub fn is_member_of(&self, trust_domain: &TrustDomain) -> bool {
        self.trust_domain() == *trust_domain
    }

    /// Whether the path is `prefix` or lies below it, compared by whole segments; see
    /// [`SpiffeId::RESERVED_PREFIX`].
    ///
    /// ```
    /// use mesh_ca::SpiffeId;
    ///
    /// let agent: SpiffeId = "spiffe://example.org/spire/agent/1".parse()?;
    /// assert!(agent.is_reserved(SpiffeId::RESERVED_PREFIX));
    /// let other: SpiffeId = "spiffe://example.org/spirebird".parse()?;
    /// assert!(!other.is_reserved(SpiffeId::RESERVED_PREFIX));
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    pub fn is_reserved(&self, prefix: &str) -> bool {
        self.path()
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// `head` is a valid id; the segments are checked one by one, since a `/` in a segment must not split it.
    fn join<S: AsRef<str>>(head: String, segments: impl IntoIterator<Item = S>) -> Result<Self, IdError> {
        let mut text = head;
        for segment in segments {
            let segment = segment.as_ref();
            text.push('/');
            check_segment(segment.as_bytes()).map_err(|error| error.shifted(text.len()))?;
            text.push_str(segment);
            if text.len() > Self::MAX_LENGTH {
                return Err(IdError::new(IdErrorKind::TooLong, Self::MAX_LENGTH));
            }
        }
        text.parse()
    }
}

impl FromStr for SpiffeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        SpiffeIdRef::parse(text).map(SpiffeIdRef::to_owned)
    }
}

impl TryFrom<&str> for SpiffeId {
    type Error = IdError;

    fn try_from(text: &str) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<SpiffeIdRef<'_>> for SpiffeId {
    fn from(id: SpiffeIdRef<'_>) -> Self {
        id.to_owned()
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpiffeId").field(&&*self.text).finish()
    }
}

impl PartialEq for SpiffeId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SpiffeId {}

impl PartialOrd for SpiffeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SpiffeId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for SpiffeId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl AsRef<str> for SpiffeId {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

// Eq, Ord and Hash of `SpiffeId` are those of its text.
impl Borrow<str> for SpiffeId {
    fn borrow(&self) -> &str {
        &self.text
    }
}

/// A SPIFFE id that borrows its text: parsed without allocating, for ids that are looked at once.
///
/// ```
/// use mesh_ca::SpiffeIdRef;
///
/// let peer = SpiffeIdRef::parse_bytes(b"spiffe://cluster.local/ns/shop/sa/reviews")?;
/// assert_eq!(peer.trust_domain().as_str(), "cluster.local");
/// assert_eq!(peer.to_owned().as_str(), peer.as_str());
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeIdRef<'a> {
    text: &'a str,
    path_at: usize,
}

impl<'a> SpiffeIdRef<'a> {
    /// Parses an id strictly, without allocating.
    ///
    /// # Errors
    /// The first rule broken, in the order that [`IdError`] gives.
    ///
    /// Source: ca.md C-ID-2, C-ID-7.
    pub fn parse(text: &'a str) -> Result<Self, IdError> {
        let path_at = check_id(text.as_bytes())?;
        Ok(Self { text, path_at })
    }

    /// Parses the bytes of an id, as they stand in a certificate, strictly and without allocating.
    ///
    /// # Errors
    /// As [`SpiffeIdRef::parse`]; a byte outside ASCII is a wrong character of the part it stands in.
    ///
    /// Source: ca.md C-ID-8.
    pub fn parse_bytes(bytes: &'a [u8]) -> Result<Self, IdError> {
        let path_at = check_id(bytes)?;
        // INVARIANT: bytes that passed the check are ASCII, so this conversion succeeds.
        let text = std::str::from_utf8(bytes)
            .map_err(|error| IdError::new(IdErrorKind::PathChar, error.valid_up_to()))?;
        Ok(Self { text, path_at })
    }

    /// The whole id.
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The trust domain.
    pub fn trust_domain(self) -> TrustDomainRef<'a> {
        let (head, _) = self.split();
        TrustDomainRef::from_checked(head.strip_prefix(SCHEME).unwrap_or_default())
    }

    /// The path: empty, or `/` and segments.
    pub fn path(self) -> &'a str {
        let (_, path) = self.split();
        path
    }

    /// The id without `spiffe://`.
    pub fn principal(self) -> &'a str {
        self.text.strip_prefix(SCHEME).unwrap_or_default()
    }

    /// Namespace and service account, when the path is exactly `/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.
    ///
    /// Source: ca.md C-IST-1.
    pub fn istio_identity(self) -> Option<IstioIdentity<'a>> {
        let mut segments = self.path().split('/').skip(1);
        let parts = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        );
        let (Some("ns"), Some(namespace), Some("sa"), Some(service_account), None) = parts else {
            return None;
        };
        Some(IstioIdentity {
            trust_domain: self.trust_domain(),
            namespace,
            service_account,
        })
    }

    /// The id in storage of its own.
    pub fn to_owned(self) -> SpiffeId {
        // INVARIANT: a checked id has at most MAX_LENGTH bytes, so `path_at` fits.
        SpiffeId {
            text: Arc::from(self.text),
            path_at: u16::try_from(self.path_at).unwrap_or(u16::MAX),
        }
    }

    fn split(self) -> (&'a str, &'a str) {
        // INVARIANT: `path_at` was found by the check and lies within the text, which is ASCII.
        self.text
            .split_at_checked(self.path_at)
            .unwrap_or((self.text, ""))
    }
}

impl fmt::Display for SpiffeIdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text)
    }
}

impl<'a> From<&'a SpiffeId> for SpiffeIdRef<'a> {
    fn from(id: &'a SpiffeId) -> Self {
        id.as_id_ref()
    }
}

/// The parts of an id in Istio's form, borrowed from it; see [`SpiffeId::istio_identity`].
///
/// Namespace and service account have passed the rules of a path segment; whether they are names that Kubernetes
/// would accept is another question (C-IST-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IstioIdentity<'a> {
    /// The trust domain, such as `cluster.local`.
    pub trust_domain: TrustDomainRef<'a>,
    /// The Kubernetes namespace.
    pub namespace: &'a str,
    /// The Kubernetes service account.
    pub service_account: &'a str,
}
