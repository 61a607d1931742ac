//! Who asks: what the transport has proved.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::xfcc;
use crate::{SpiffeId, Status, StatusCode, TrustDomain};

/// How a caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallerSource {
    /// By attestation of the workload or node.
    Attested,
    /// By a client certificate, whose chain was verified.
    ClientCertificate,
    /// By a token, which was verified.
    IdToken,
    /// By the header `x-forwarded-client-cert` of a trusted proxy.
    Xfcc,
}

/// One identity of a caller, typed: a DNS name never equals an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallerId {
    /// A common name.
    CommonName(String),
    /// A DNS name.
    Dns(String),
    /// A SPIFFE id.
    Spiffe(SpiffeId),
    /// A URI that is no SPIFFE id.
    Uri(String),
}

impl CallerId {
    fn of_uri(text: &str) -> Self {
        match text.parse() {
            Ok(id) => Self::Spiffe(id),
            Err(_) => Self::Uri(text.to_owned()),
        }
    }
}

impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommonName(text) | Self::Dns(text) | Self::Uri(text) => f.write_str(text),
            Self::Spiffe(id) => write!(f, "{id}"),
        }
    }
}

/// What Kubernetes says of a caller that is a pod, in its token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesCaller {
    /// The name of the pod.
    pub pod_name: String,
    /// Its namespace.
    pub pod_namespace: String,
    /// Its uid.
    pub pod_uid: String,
    /// Its service account.
    pub pod_service_account: String,
}

/// Who asks. Authenticating the transport is the embedder's work; this is its result.
///
/// ```
/// use mesh_ca::{Caller, SpiffeId};
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// assert_eq!(Caller::from(&id).only_spiffe_id(), Some(&id));
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: ca.md C-AUTH-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    source: CallerSource,
    identities: Vec<CallerId>,
    kubernetes: Option<KubernetesCaller>,
    cluster_id: String,
    downstream: bool,
}

impl Caller {
    /// A caller with these identities.
    pub fn new(source: CallerSource, identities: impl IntoIterator<Item = CallerId>) -> Self {
        Self {
            source,
            identities: identities.into_iter().collect(),
            kubernetes: None,
            cluster_id: String::new(),
            downstream: false,
        }
    }

    /// A caller with the token of a Kubernetes service account, which the embedder has verified: `subject` is its `sub`,
    /// `audiences` its `aud`.
    ///
    /// ```
    /// use mesh_ca::{Caller, CallerError, TrustDomain};
    ///
    /// let domain = TrustDomain::istio_default();
    /// let caller = Caller::from_token("system:serviceaccount:shop:reviews", &["istio-ca"], &domain, "istio-ca")?;
    /// let id = caller.only_spiffe_id().expect("a token has one identity");
    /// assert_eq!(id.as_str(), "spiffe://cluster.local/ns/shop/sa/reviews");
    /// let error = Caller::from_token("system:serviceaccount:shop:", &["istio-ca"], &domain, "istio-ca").unwrap_err();
    /// assert_eq!(error, CallerError::Subject);
    /// # Ok::<(), CallerError>(())
    /// ```
    ///
    /// # Errors
    /// [`CallerError::Audience`] if the token is for somebody else, [`CallerError::Subject`] if it is not the token of a
    /// service account with a namespace.
    ///
    /// Source: ca.md C-AUTH-2; Istio kube_jwt.go.
    pub fn from_token<S: AsRef<str>>(
        subject: &str,
        audiences: &[S],
        trust_domain: &TrustDomain,
        required_audience: &str,
    ) -> Result<Self, CallerError> {
        if !check_audience(audiences, &[required_audience]) {
            return Err(CallerError::Audience);
        }
        let id = service_account_id(subject, trust_domain)?;
        Ok(Self::new(CallerSource::IdToken, [CallerId::Spiffe(id)]))
    }

    /// A caller behind a proxy, from the header `x-forwarded-client-cert`: the URIs, DNS names and common name of every
    /// element, as Istio collects them. A forged further element makes the caller ambiguous, and never another one. The
    /// proxy has to overwrite the header of its clients, not forward it.
    ///
    /// ```
    /// use mesh_ca::{Caller, CallerError, TrustedProxies};
    ///
    /// let header = r#"Hash=1;Subject="";URI=spiffe://td/ns/a/sa/b"#;
    /// let proxies = TrustedProxies::parse("10.0.0.0/8")?;
    /// let caller = Caller::from_xfcc(header, "10.1.2.3".parse()?, &proxies)?;
    /// assert_eq!(caller.only_spiffe_id().map(|id| id.as_str()), Some("spiffe://td/ns/a/sa/b"));
    /// let error = Caller::from_xfcc(header, "192.0.2.1".parse()?, &proxies).unwrap_err();
    /// assert_eq!(error, CallerError::UntrustedProxy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the peer is no trusted proxy, or the header is missing (empty) or malformed.
    ///
    /// Source: ca.md C-AUTH-2; Envoy `x-forwarded-client-cert`; Istio xfcc_authenticator.go.
    pub fn from_xfcc(header: &str, peer: IpAddr, proxies: &TrustedProxies) -> Result<Self, CallerError> {
        Self::from_xfcc_elements(header, peer, proxies, |elements| elements)
    }

    /// As [`from_xfcc`](Self::from_xfcc), from the last element alone: the one that the proxy itself has added.
    ///
    /// # Errors
    /// As [`from_xfcc`](Self::from_xfcc).
    pub fn from_last_xfcc(header: &str, peer: IpAddr, proxies: &TrustedProxies) -> Result<Self, CallerError> {
        Self::from_xfcc_elements(header, peer, proxies, |elements| {
            elements
                .get(elements.len().saturating_sub(1)..)
                .unwrap_or_default()
        })
    }

    fn from_xfcc_elements(
        header: &str,
        peer: IpAddr,
        proxies: &TrustedProxies,
        choose: impl FnOnce(&[xfcc::Element]) -> &[xfcc::Element],
    ) -> Result<Self, CallerError> {
        if !proxies.contains(peer) {
            return Err(CallerError::UntrustedProxy);
        }
        if header.is_empty() {
            return Err(CallerError::XfccMissing);
        }
        let elements = xfcc::parse(header).ok_or(CallerError::XfccMalformed)?;
        let mut identities = Vec::new();
        for element in choose(&elements) {
            identities.extend(element.uris.iter().map(|uri| CallerId::of_uri(uri)));
            identities.extend(element.dns.iter().cloned().map(CallerId::Dns));
            identities.extend(element.common_name.clone().map(CallerId::CommonName));
        }
        Ok(Self::new(CallerSource::Xfcc, identities))
    }

    /// With what Kubernetes says of the pod.
    pub fn with_kubernetes(mut self, pod: KubernetesCaller) -> Self {
        self.kubernetes = Some(pod);
        self
    }

    /// With the id of the cluster that the caller is in.
    pub fn with_cluster_id(mut self, cluster_id: impl Into<String>) -> Self {
        self.cluster_id = cluster_id.into();
        self
    }

    /// Whether the registration entry of the caller allows it to have an intermediate authority. Default no.
    pub fn with_downstream(mut self, allowed: bool) -> Self {
        self.downstream = allowed;
        self
    }

    /// How it proved who it is.
    pub fn source(&self) -> CallerSource {
        self.source
    }

    /// Its identities.
    pub fn identities(&self) -> &[CallerId] {
        &self.identities
    }

    /// Its SPIFFE id, if it has exactly one. The same id twice is one.
    pub fn only_spiffe_id(&self) -> Option<&SpiffeId> {
        let mut ids = self.identities.iter().filter_map(|identity| match identity {
            CallerId::Spiffe(id) => Some(id),
            _ => None,
        });
        let first = ids.next()?;
        ids.all(|id| id == first).then_some(first)
    }

    /// What Kubernetes says of it.
    pub fn kubernetes(&self) -> Option<&KubernetesCaller> {
        self.kubernetes.as_ref()
    }

    /// The cluster that it is in.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Whether it may have an intermediate authority.
    pub fn is_downstream(&self) -> bool {
        self.downstream
    }
}

impl From<&SpiffeId> for Caller {
    fn from(id: &SpiffeId) -> Self {
        Self::new(CallerSource::Attested, [CallerId::Spiffe(id.clone())])
    }
}

/// The id of a Kubernetes service account, from the `sub` of its token: `system:serviceaccount:NAMESPACE:NAME`.
///
/// # Errors
/// [`CallerError::Subject`] for any other text.
///
/// Source: ca.md C-AUTH-2.
pub fn service_account_id(subject: &str, trust_domain: &TrustDomain) -> Result<SpiffeId, CallerError> {
    let mut parts = subject.split(':');
    let parts = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    );
    let (Some("system"), Some("serviceaccount"), Some(namespace), Some(name), None) = parts else {
        return Err(CallerError::Subject);
    };
    SpiffeId::istio(trust_domain, namespace, name).map_err(|_| CallerError::Subject)
}

/// Whether one of the audiences of a token is accepted, byte for byte.
pub fn check_audience<F: AsRef<str>, A: AsRef<str>>(found: &[F], accepted: &[A]) -> bool {
    let is_accepted = |audience: &F| accepted.iter().any(|other| other.as_ref() == audience.as_ref());
    found.iter().any(is_accepted)
}

/// The token among the values of the header `authorization`: the first one of the scheme `Bearer`.
///
/// ```
/// use mesh_ca::{CallerError, bearer_token};
///
/// assert_eq!(bearer_token(["Basic abc", "Bearer token"]), Ok("token"));
/// assert_eq!(bearer_token([]), Err(CallerError::NoToken));
/// ```
///
/// # Errors
/// [`CallerError::NoToken`].
///
/// Source: Istio authenticate.go ExtractBearerToken.
pub fn bearer_token<'h>(values: impl IntoIterator<Item = &'h str>) -> Result<&'h str, CallerError> {
    values
        .into_iter()
        .find_map(|value| value.strip_prefix("Bearer "))
        .ok_or(CallerError::NoToken)
}

/// The proxies whose `x-forwarded-client-cert` is believed. Loopback addresses always are.
///
/// Saved, it is the text that [`parse`](Self::parse) takes.
///
/// Source: Istio `TRUSTED_GATEWAY_CIDR`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustedProxies {
    networks: Vec<(IpAddr, u8)>,
}

impl TrustedProxies {
    /// Networks in CIDR notation, separated by commas. An empty text has none.
    ///
    /// # Errors
    /// [`CallerError::Network`] for a part that is no network.
    pub fn parse(text: &str) -> Result<Self, CallerError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let (address, length) = part.split_once('/')?;
            let address: IpAddr = address.parse().ok()?;
            let length: u8 = length.parse().ok()?;
            (length <= bits(address)).then_some((address, length))
        });
        let networks: Option<Vec<_>> = networks.collect();
        networks
            .map(|networks| Self { networks })
            .ok_or(CallerError::Network)
    }

    /// Whether the proxy at this address is trusted.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let is_in = |(network, length): &(IpAddr, u8)| {
            bits(*network) == bits(peer) && prefix(*network, *length) == prefix(peer, *length)
        };
        peer.is_loopback() || self.networks.iter().any(is_in)
    }
}

impl fmt::Display for TrustedProxies {
    /// The networks in CIDR notation, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (address, length) in &self.networks {
            write!(f, "{separator}{address}/{length}")?;
            separator = ",";
        }
        Ok(())
    }
}

impl From<TrustedProxies> for String {
    fn from(proxies: TrustedProxies) -> Self {
        proxies.to_string()
    }
}

impl TryFrom<String> for TrustedProxies {
    type Error = CallerError;

    fn try_from(text: String) -> Result<Self, CallerError> {
        Self::parse(&text)
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first bits of an address.
fn prefix(address: IpAddr, length: u8) -> u128 {
    let number = match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let rest = bits(address).saturating_sub(length);
    number.checked_shr(u32::from(rest)).unwrap_or(0)
}

/// Why it is not known who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallerError {
    /// The token is for another audience.
    #[error("the token is for another audience")]
    Audience,
    /// A text is no network in CIDR notation.
    #[error("a text is no network in CIDR notation")]
    Network,
    /// There is no bearer token.
    #[error("there is no bearer token")]
    NoToken,
    /// The subject of the token is no service account with a namespace.
    #[error("the subject of the token is no service account")]
    Subject,
    /// The peer is no proxy that may speak for others.
    #[error("the peer is no trusted proxy")]
    UntrustedProxy,
    /// The header `x-forwarded-client-cert` is malformed.
    #[error("the header x-forwarded-client-cert is malformed")]
    XfccMalformed,
    /// There is no header `x-forwarded-client-cert`.
    #[error("there is no header x-forwarded-client-cert")]
    XfccMissing,
}

impl CallerError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Audience => "caller.audience",
            Self::Network => "caller.network",
            Self::NoToken => "caller.no_token",
            Self::Subject => "caller.subject",
            Self::UntrustedProxy => "caller.untrusted_proxy",
            Self::XfccMalformed => "caller.xfcc_malformed",
            Self::XfccMissing => "caller.xfcc_missing",
        }
    }

    /// What the caller is told: the same for every reason.
    ///
    /// Source: ca.md C-AUTH-8, C-ERR-2.
    pub fn status(&self) -> Status {
        Status::new(StatusCode::Unauthenticated, "request authenticate failure")
    }

    /// Whether the same request may succeed later: not with these credentials.
    pub fn is_retryable(&self) -> bool {
        false
    }
}
