//! HTTP routes: conditions and actions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CorsPolicy, Destination, Headers, HttpFaultInjection, HttpMirrorPolicy, HttpRetry, Percent};
use crate::scalar::{Bytes, Duration, wire_enum};
use crate::wire::is_default;

/// One HTTP rule: alternatives of conditions, an action, and what is done to requests on the way.
///
/// `redirect`, `direct_response`, `delegate` and `route` exclude one another (A-VS-13..23). They are separate fields and no
/// enum because upstream decodes objects that set several, and the rules must see them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRoute {
    /// Name for logs and metrics. A delegated route is called `root-delegate`. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Alternatives: the rule applies if any of them matches. Empty matches every request.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Vec<HttpMatchRequest>,
    /// Where matching requests go, weighted. Excludes `redirect`, `direct_response` and `delegate`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub route: Vec<HttpRouteDestination>,
    /// Answer with a redirect. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub redirect: Option<Box<HttpRedirect>>,
    /// Answer with a fixed response. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub direct_response: Option<Box<HttpDirectResponse>>,
    /// Continue with the routes of another VirtualService, one level deep (A-VS-15). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub delegate: Option<Box<Delegate>>,
    /// Change path or authority before forwarding. Not allowed with `redirect`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub rewrite: Option<Box<HttpRewrite>>,
    /// Time a request may take in all, retries included; whole milliseconds, at least 1 ms. Absent means no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Retry policy. Absent means the mesh default: 2 attempts.
    #[serde(skip_serializing_if = "is_default")]
    pub retries: Option<Box<HttpRetry>>,
    /// Delays and aborts to inject. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub fault: Option<Box<HttpFaultInjection>>,
    /// A second destination that gets a copy of the traffic; its answers are dropped. Excludes `mirrors`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub mirror: Option<Box<Destination>>,
    /// Several mirrors, each with its own share. Excludes `mirror`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub mirrors: Vec<HttpMirrorPolicy>,
    /// Share of traffic for `mirror` in whole percent, 0..100. Deprecated and undocumented: use `mirror_percentage`.
    #[serde(skip_serializing_if = "is_default")]
    pub mirror_percent: Option<u32>,
    /// Share of traffic for `mirror`. Absent means 100 %.
    #[serde(skip_serializing_if = "is_default")]
    pub mirror_percentage: Option<Percent>,
    /// Cross-origin policy, applied before the action. Default: none.
    #[serde(skip_serializing_if = "is_default")]
    pub cors_policy: Option<Box<CorsPolicy>>,
    /// Header changes for every destination of the route. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Option<Box<Headers>>,
}

/// The VirtualService that a root route hands requests over to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Delegate {
    /// Name of the delegate. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Its namespace. Empty means that of the root.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMatchRequest {
    /// Name for logs: appended to the route's name. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Path of the request, without the query. Case-sensitive unless `ignore_uri_case`.
    #[serde(skip_serializing_if = "is_default")]
    pub uri: Option<StringMatch>,
    /// Scheme, `http` or `https`; case-sensitive. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub scheme: Option<StringMatch>,
    /// Method; case-sensitive. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub method: Option<StringMatch>,
    /// Authority (Host header); case-sensitive. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub authority: Option<StringMatch>,
    /// Headers by lower-case name, all of which must match. A [`StringMatch::Unset`] value asks for presence only.
    ///
    /// Names of the form `@request.auth.claims.x` match claims of a verified token, on gateways only (A-VS-5).
    #[serde(skip_serializing_if = "is_default")]
    pub headers: BTreeMap<String, StringMatch>,
    /// Port on which the request was addressed, 1..65535. Zero means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Labels that the client workload must have. Ignored on gateways. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub source_labels: BTreeMap<String, String>,
    /// Gateways for which the condition holds; overrides the list at the top of the object. Empty inherits that list.
    #[serde(skip_serializing_if = "is_default")]
    pub gateways: Vec<String>,
    /// Query parameters by name, all of which must match. A [`StringMatch::Unset`] value asks for presence only.
    #[serde(skip_serializing_if = "is_default")]
    pub query_params: BTreeMap<String, StringMatch>,
    /// Compare `uri` without regard to case; exact and prefix only.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_uri_case: bool,
    /// Conditions of which none may hold, by header name. [`StringMatch::Unset`] asks for absence.
    #[serde(skip_serializing_if = "is_default")]
    pub without_headers: BTreeMap<String, StringMatch>,
    /// Namespace of the client workload. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespace: String,
    /// Prefix for the statistics of this route. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub stat_prefix: String,
}

/// How a text is compared.
///
/// On the wire it is a message with at most one of the keys `exact`, `prefix` and `regex`; where several are given, the last
/// in this order wins (A-WIRE-13), and where none is, the value is [`StringMatch::Unset`].
///
/// ```
/// use mesh_api::networking::StringMatch;
///
/// let json = serde_json::to_string(&StringMatch::prefix("/api"))?;
/// assert_eq!(json, r#"{"prefix":"/api"}"#);
/// assert_eq!(serde_json::from_str::<StringMatch>("{}")?, StringMatch::Unset);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "StringMatchWire", into = "StringMatchWire")]
pub enum StringMatch {
    /// The message is there and says nothing: for headers and query parameters a test for presence.
    #[default]
    Unset,
    /// Equal to the text.
    Exact(String),
    /// Begins with the text.
    Prefix(String),
    /// Matches the expression as a whole. RE2 syntax, at most 1024 bytes (A-X-20).
    Regex(String),
}

impl StringMatch {
    /// Equal to `text`.
    pub fn exact(text: impl Into<String>) -> Self {
        Self::Exact(text.into())
    }

    /// Begins with `text`.
    pub fn prefix(text: impl Into<String>) -> Self {
        Self::Prefix(text.into())
    }

    /// Matches the RE2 expression `pattern` as a whole.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self::Regex(pattern.into())
    }

    /// The text to compare with, whatever the kind of comparison; `None` for [`StringMatch::Unset`].
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Unset => None,
            Self::Exact(text) | Self::Prefix(text) | Self::Regex(text) => Some(text),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "StringMatch(exact|prefix|regex)")]
struct StringMatchWire {
    #[serde(skip_serializing_if = "is_default")]
    exact: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    regex: Option<String>,
}

impl From<StringMatchWire> for StringMatch {
    fn from(wire: StringMatchWire) -> Self {
        // Last member in declaration order wins (A-WIRE-13).
        match wire {
            StringMatchWire {
                regex: Some(pattern), ..
            } => Self::Regex(pattern),
            StringMatchWire {
                prefix: Some(text), ..
            } => Self::Prefix(text),
            StringMatchWire {
                exact: Some(text), ..
            } => Self::Exact(text),
            StringMatchWire {
                exact: None,
                prefix: None,
                regex: None,
            } => Self::Unset,
        }
    }
}

impl From<StringMatch> for StringMatchWire {
    fn from(value: StringMatch) -> Self {
        let mut wire = Self::default();
        match value {
            StringMatch::Unset => {}
            StringMatch::Exact(text) => wire.exact = Some(text),
            StringMatch::Prefix(text) => wire.prefix = Some(text),
            StringMatch::Regex(pattern) => wire.regex = Some(pattern),
        }
        wire
    }
}

/// A destination of an HTTP route with its share of the traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRouteDestination {
    /// The service to forward to. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub destination: Option<Destination>,
    /// Share relative to the sum of all weights of the route. Zero on a single destination means everything.
    ///
    /// Not negative, and with several destinations the sum must be positive (A-VS-82, A-VS-83).
    #[serde(skip_serializing_if = "is_default")]
    pub weight: i32,
    /// Header changes for this destination, after those of the route. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Option<Box<Headers>>,
}

impl HttpRouteDestination {
    /// Everything to the service `host`.
    pub fn new(host: impl Into<String>) -> Self {
        Self::from(Destination::new(host))
    }

    /// The same, limited to a subset.
    #[must_use]
    pub fn with_subset(mut self, subset: impl Into<String>) -> Self {
        self.destination = Some(self.destination.unwrap_or_default().with_subset(subset));
        self
    }

    /// The same on a fixed port of the service.
    #[must_use]
    pub fn with_port(mut self, number: u32) -> Self {
        self.destination = Some(self.destination.unwrap_or_default().with_port(number));
        self
    }

    /// The same with a share of the traffic.
    #[must_use]
    pub fn with_weight(mut self, weight: i32) -> Self {
        self.weight = weight;
        self
    }
}

impl From<Destination> for HttpRouteDestination {
    fn from(destination: Destination) -> Self {
        Self {
            destination: Some(destination),
            ..Self::default()
        }
    }
}

/// Answers a request with a redirect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "HttpRedirectWire", into = "HttpRedirectWire")]
pub struct HttpRedirect {
    /// New path and query; replaces the whole path also where the match was a prefix. Empty keeps the path.
    pub uri: String,
    /// New host. Empty keeps it.
    pub authority: String,
    /// New port. Absent drops the port of the request.
    pub redirect_port: Option<RedirectPort>,
    /// New scheme, `http` or `https`. Empty keeps it.
    pub scheme: String,
    /// Status, 300..399. Zero means 301.
    pub redirect_code: u32,
    /// Replaces the matched prefix of the path; the conditions must then all be prefix matches (A-VS-64). Excludes `uri`.
    /// Default empty.
    pub prefix_rewrite: String,
}

/// The port of a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectPort {
    /// This port, 1..65535; zero counts as "not set" except that the redirect is then no longer empty (A-VS-65).
    Port(u32),
    /// A rule to derive it.
    DerivePort(RedirectPortSelection),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "HttpRedirect(port|derivePort)")]
struct HttpRedirectWire {
    #[serde(skip_serializing_if = "is_default")]
    uri: String,
    #[serde(skip_serializing_if = "is_default")]
    authority: String,
    #[serde(skip_serializing_if = "is_default")]
    port: Option<u32>,
    #[serde(skip_serializing_if = "is_default")]
    derive_port: Option<RedirectPortSelection>,
    #[serde(skip_serializing_if = "is_default")]
    scheme: String,
    #[serde(skip_serializing_if = "is_default")]
    redirect_code: u32,
    #[serde(skip_serializing_if = "is_default")]
    prefix_rewrite: String,
}

impl From<HttpRedirectWire> for HttpRedirect {
    fn from(wire: HttpRedirectWire) -> Self {
        let HttpRedirectWire {
            uri,
            authority,
            port,
            derive_port,
            scheme,
            redirect_code,
            prefix_rewrite,
        } = wire;
        let redirect_port = derive_port
            .map(RedirectPort::DerivePort)
            .or(port.map(RedirectPort::Port));
        Self {
            uri,
            authority,
            redirect_port,
            scheme,
            redirect_code,
            prefix_rewrite,
        }
    }
}

impl From<HttpRedirect> for HttpRedirectWire {
    fn from(value: HttpRedirect) -> Self {
        let HttpRedirect {
            uri,
            authority,
            redirect_port,
            scheme,
            redirect_code,
            prefix_rewrite,
        } = value;
        let (port, derive_port) = match redirect_port {
            None => (None, None),
            Some(RedirectPort::Port(port)) => (Some(port), None),
            Some(RedirectPort::DerivePort(selection)) => (None, Some(selection)),
        };
        Self {
            uri,
            authority,
            port,
            derive_port,
            scheme,
            redirect_code,
            prefix_rewrite,
        }
    }
}

wire_enum! {
    /// How the port of a redirect follows from the request.
    pub enum RedirectPortSelection {
        /// 80 for HTTP, 443 for HTTPS.
        FromProtocolDefault = 0 => "FROM_PROTOCOL_DEFAULT",
        /// The port of the request.
        FromRequestPort = 1 => "FROM_REQUEST_PORT",
    }
}

/// Answers a request without any upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpDirectResponse {
    /// Status, 200..600. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub status: u32,
    /// Body. Absent means an empty one.
    #[serde(skip_serializing_if = "is_default")]
    pub body: Option<HttpBody>,
}

/// The body of a direct response: at most 1 MiB, and over 100 KiB with a warning (A-VS-69, A-VS-70).
///
/// On the wire a message with at most one of the keys `string` and `bytes`; `bytes` wins over `string` (A-WIRE-13).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "HttpBodyWire", into = "HttpBodyWire")]
pub enum HttpBody {
    /// The message is there and empty.
    #[default]
    Unset,
    /// Text, sent as UTF-8.
    String(String),
    /// Bytes, in base64 on the wire.
    Bytes(Bytes),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "HttpBody(string|bytes)")]
struct HttpBodyWire {
    #[serde(skip_serializing_if = "is_default")]
    string: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    bytes: Option<Bytes>,
}

impl From<HttpBodyWire> for HttpBody {
    fn from(wire: HttpBodyWire) -> Self {
        match wire {
            HttpBodyWire {
                bytes: Some(bytes), ..
            } => Self::Bytes(bytes),
            HttpBodyWire {
                string: Some(text), ..
            } => Self::String(text),
            HttpBodyWire {
                string: None,
                bytes: None,
            } => Self::Unset,
        }
    }
}

impl From<HttpBody> for HttpBodyWire {
    fn from(value: HttpBody) -> Self {
        match value {
            HttpBody::Unset => Self::default(),
            HttpBody::String(text) => Self {
                string: Some(text),
                bytes: None,
            },
            HttpBody::Bytes(bytes) => Self {
                string: None,
                bytes: Some(bytes),
            },
        }
    }
}

/// Changes a request before it is forwarded. One of the first and the third field, or the authority, must be set (A-VS-77).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRewrite {
    /// Replaces the matched prefix, or the whole path where the condition was no prefix match. Excludes `uri_regex_rewrite`.
    /// Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub uri: String,
    /// New authority (Host header). Empty keeps it.
    #[serde(skip_serializing_if = "is_default")]
    pub authority: String,
    /// Substitution in the path by a regular expression. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub uri_regex_rewrite: Option<RegexRewrite>,
}

/// A substitution by regular expression.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegexRewrite {
    /// RE2 expression to look for; every occurrence is replaced. At most 1024 bytes, not empty (A-VS-78, A-X-20).
    #[serde(skip_serializing_if = "is_default")]
    pub r#match: String,
    /// The replacement; `\1` stands for the first group. Not empty.
    #[serde(skip_serializing_if = "is_default")]
    pub rewrite: String,
}
