//! VirtualService: how requests to a host are routed.
//!
//! Source: Istio API `networking/v1alpha3/virtual_service.proto`.

mod http;
mod http_policy;
mod l4;

pub use http::{
    Delegate, HttpBody, HttpDirectResponse, HttpMatchRequest, HttpRedirect, HttpRewrite, HttpRoute,
    HttpRouteDestination, RedirectPort, RedirectPortSelection, RegexRewrite, StringMatch,
};
pub use http_policy::{
    Abort, AbortErrorType, CorsPolicy, Delay, GRPC_STATUSES, HeaderOperations, Headers, HttpDelayType,
    HttpFaultInjection, HttpMirrorPolicy, HttpRetry, Percent, UnmatchedPreflights,
};
pub use l4::{L4MatchAttributes, RouteDestination, TcpRoute, TlsMatchAttributes, TlsRoute};

use serde::{Deserialize, Serialize};

use crate::wire::is_default;

/// Routing rules for the traffic addressed to a set of hosts.
///
/// A virtual service without `hosts` is a *delegate*: it takes effect only through the [`HttpRoute::delegate`] of another
/// one, and may then hold neither `gateways` nor `tls` nor `tcp` (A-VS-1..3).
///
/// ```
/// use mesh_api::networking::{HttpRoute, HttpRouteDestination, VirtualService};
///
/// let canary = VirtualService {
///     hosts: vec!["reviews".into()],
///     http: vec![HttpRoute {
///         route: vec![
///             HttpRouteDestination::new("reviews").with_subset("v1").with_weight(90),
///             HttpRouteDestination::new("reviews").with_subset("v2").with_weight(10),
///         ],
///         ..HttpRoute::default()
///     }],
///     ..VirtualService::default()
/// };
/// let json = serde_json::to_value(&canary)?;
/// assert_eq!(json["http"][0]["route"][1]["destination"]["subset"], "v2");
/// assert_eq!(serde_json::from_value::<VirtualService>(json)?, canary);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualService {
    /// Hosts whose traffic the rules govern: a DNS name, a name with a wildcard first label, or an IP address.
    ///
    /// Short names resolve in the namespace of the object. `*` alone needs a gateway (A-VS-8). Empty makes the object a
    /// delegate.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
    /// Where the rules apply: `namespace/name` or `name` of gateways, and the reserved word `mesh` for all sidecars.
    ///
    /// Empty means `mesh` alone; a list without `mesh` leaves the sidecars out.
    #[serde(skip_serializing_if = "is_default")]
    pub gateways: Vec<String>,
    /// HTTP routes, first match wins. They serve ports named or typed HTTP, HTTP2, gRPC, and TLS that a gateway terminates.
    /// Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub http: Vec<HttpRoute>,
    /// Routes for TLS traffic that is passed through, chosen by SNI; first match wins. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Vec<TlsRoute>,
    /// Routes for opaque TCP traffic, first match wins. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp: Vec<TcpRoute>,
    /// Namespaces to which the object is visible: `.` its own, `*` all, or a name.
    ///
    /// Empty means `defaultVirtualServiceExportTo` of the mesh, whose default is `*` (R-VIS-2).
    #[serde(skip_serializing_if = "is_default")]
    pub export_to: Vec<String>,
}

/// The service, and optionally its subset and port, that traffic is sent to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Destination {
    /// Name of a service of the registry. Required.
    ///
    /// Short names resolve in the namespace of the object that holds the destination, not in that of the client.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Name of a subset that a DestinationRule of the host defines. Empty means all endpoints of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub subset: String,
    /// Port of the service. Not needed where the service has a single port; otherwise the port of the request is kept.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<PortSelector>,
}

impl Destination {
    /// The whole service `host`, on the port that the request came for.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            ..Self::default()
        }
    }

    /// The same destination, limited to a subset.
    #[must_use]
    pub fn with_subset(mut self, subset: impl Into<String>) -> Self {
        self.subset = subset.into();
        self
    }

    /// The same destination on a fixed port.
    #[must_use]
    pub fn with_port(mut self, number: u32) -> Self {
        self.port = Some(PortSelector { number });
        self
    }
}

/// A port of a service, by number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortSelector {
    /// Port number, 1..65535. Zero is the wire form of "not set" and refused where a port is needed.
    #[serde(skip_serializing_if = "is_default")]
    pub number: u32,
}
