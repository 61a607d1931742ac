//! SPIFFE ids.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{IdError, IdErrorKind};
use crate::trust_domain::{TrustDomain, TrustDomainRef, check_name};

const SCHEME: &str = "spiffe://";

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

/// Checks an id and returns where its path begins.
fn check_id(text: &[u8]) -> Result<usize, IdError> {
    match path_of_plain(text) {
        Some(path_at) => Ok(path_at),
        None => check_by_rules(text),
    }
}

/// What a byte is in an id: one bit, so that several can be barred at once.
mod kind {
    /// In trust domains and in paths, anywhere.
    pub(super) const COMMON: u8 = 1;
    pub(super) const UPPER: u8 = 1 << 1;
    pub(super) const DOT: u8 = 1 << 2;
    pub(super) const SLASH: u8 = 1 << 3;
    pub(super) const OTHER: u8 = 1 << 4;
}

const KINDS: [u8; 256] = {
    let mut kinds = [kind::OTHER; 256];
    let mut byte = 0_u8;
    let mut places: &mut [u8] = &mut kinds;
    while let [place, rest @ ..] = places {
        *place = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => kind::COMMON,
            b'A'..=b'Z' => kind::UPPER,
            b'.' => kind::DOT,
            b'/' => kind::SLASH,
            _ => kind::OTHER,
        };
        byte = byte.wrapping_add(1);
        places = rest;
    }
    kinds
};

/// Where the path begins, if the id is surely valid: each byte is looked at once. Of valid ids only those with a segment that
/// begins with a dot are not found here; which rule the others break is not asked.
fn path_of_plain(text: &[u8]) -> Option<usize> {
    const NOT_IN_NAMES: u8 = kind::OTHER | kind::UPPER | kind::SLASH;
    const NOT_AFTER_SLASH: u8 = kind::OTHER | kind::SLASH | kind::DOT;
    let kind_of = |byte: &u8| KINDS.get(usize::from(*byte)).copied().unwrap_or(kind::OTHER);
    let rest = text.strip_prefix(SCHEME.as_bytes())?;
    let is_end_of_name = |byte| kind_of(byte) & NOT_IN_NAMES != 0;
    let name_length = rest.iter().position(is_end_of_name).unwrap_or(rest.len());
    if !(1..=TrustDomain::MAX_LENGTH).contains(&name_length) || text.len() > SpiffeId::MAX_LENGTH {
        return None;
    }
    let mut barred = !kind::SLASH;
    for byte in rest.get(name_length..).unwrap_or_default() {
        let kind = kind_of(byte);
        if kind & barred != 0 {
            return None;
        }
        barred = if kind == kind::SLASH {
            NOT_AFTER_SLASH
        } else {
            kind::OTHER
        };
    }
    (barred != NOT_AFTER_SLASH).then_some(SCHEME.len().saturating_add(name_length))
}

/// Checks an id in the order of C-ID-7 and returns where its path begins.
fn check_by_rules(text: &[u8]) -> Result<usize, IdError> {
    if text.is_empty() {
        return Err(IdError::new(IdErrorKind::Empty, 0));
    }
    let Some(rest) = text.strip_prefix(SCHEME.as_bytes()) else {
        let agreeing = text
            .iter()
            .zip(SCHEME.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        return Err(IdError::new(IdErrorKind::SchemeInvalid, agreeing));
    };
    if text.len() > SpiffeId::MAX_LENGTH {
        return Err(IdError::new(IdErrorKind::TooLong, SpiffeId::MAX_LENGTH));
    }
    let name_length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    let (name, path) = rest.split_at_checked(name_length).unwrap_or((rest, &[]));
    check_name(name).map_err(|error| error.shifted(SCHEME.len()))?;
    let path_at = SCHEME.len().saturating_add(name_length);
    check_path(path).map_err(|error| error.shifted(path_at))?;
    Ok(path_at)
}

/// Checks a path that is empty or begins with `/`; offsets count from its first byte.
fn check_path(path: &[u8]) -> Result<(), IdError> {
    let mut at = 0_usize;
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        at = at.saturating_add(1);
        if segment.is_empty() && segments.peek().is_none() {
            return Err(IdError::new(IdErrorKind::TrailingSlash, at.saturating_sub(1)));
        }
        check_segment(segment).map_err(|error| error.shifted(at))?;
        at = at.saturating_add(segment.len());
    }
    Ok(())
}

/// Checks one segment; offsets count from its first byte.
fn check_segment(segment: &[u8]) -> Result<(), IdError> {
    match segment {
        b"" => return Err(IdError::new(IdErrorKind::EmptySegment, 0)),
        b"." | b".." => return Err(IdError::new(IdErrorKind::DotSegment, 0)),
        _ => {}
    }
    match segment.iter().position(|byte| !is_segment_byte(*byte)) {
        Some(at) => Err(IdError::new(IdErrorKind::PathChar, at)),
        None => Ok(()),
    }
}

fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// C-ID-7: what is found by one look at each byte is what the rules find; and only dots after a slash need the rules.
        #[test]
        fn plain_ids_are_those_of_the_rules(rest in "(\\PC{0,6}|[a-z0-9._/-]{0,12}|([a-zA-Z]?[.]{0,3}/?){0,6}|[a-z]{250,260})") {
            let text = format!("{SCHEME}{rest}");
            let by_rules = check_by_rules(text.as_bytes());
            let expected = by_rules.ok().filter(|_| !rest.contains("/."));
            prop_assert_eq!(path_of_plain(text.as_bytes()), expected);
        }
    }

    /// C-ID-7: so with every byte in every place, and at the limits of length.
    #[test]
    fn every_byte_is_of_its_kind() {
        let alike = |text: &[u8]| {
            let by_rules = check_by_rules(text).ok();
            assert_eq!(path_of_plain(text), by_rules, "{text:?}");
            by_rules.is_some()
        };
        let mut valid = 0;
        for byte in 0..=255 {
            for (before, after) in [
                ("spiffe://t", "d/a"),
                ("spiffe://td/a", "b"),
                ("spiffe://td/a", ""),
            ] {
                valid += usize::from(alike(&[before.as_bytes(), &[byte], after.as_bytes()].concat()));
            }
        }
        // Lower case, digits, and four signs (the slash is one) in names; upper case too within paths, and no slash at the end.
        assert_eq!(valid, (26 + 10 + 4) + (26 + 26 + 10 + 4) + (26 + 26 + 10 + 3));
        for length in [SpiffeId::MAX_LENGTH, SpiffeId::MAX_LENGTH + 1] {
            let id = format!("spiffe://td/{}", "a".repeat(length - "spiffe://td/".len()));
            assert_eq!(alike(id.as_bytes()), length == SpiffeId::MAX_LENGTH);
        }
    }
}
