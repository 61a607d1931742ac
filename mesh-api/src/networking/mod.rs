//! Traffic kinds of the group `networking.istio.io`, one module per kind, data only.
//!
//! The structs hold what users write, defaults not filled in: an absent field stays absent, names stay strings as written. A
//! field whose presence means something is an `Option`; zero values are left out on write (A-WIRE-15). Field names are the
//! snake_case form of the JSON names, `match` being `matches` where it is a list. True oneofs are enums.
//!
//! Upstream adds fields with each release; a field added here is not a breaking change. Build values with
//! `..Default::default()`.

mod destination_rule;
pub mod envoy_filter;
mod gateway;
mod proxy_config;
mod service_entry;
mod sidecar;
mod virtual_service;
mod workload_entry;
mod workload_group;

pub use destination_rule::{
    BackendUtilization, ClientTlsMode, ClientTlsSettings, ConnectionKeepalive, ConnectionPoolSettings,
    ConsistentHashLb, DestinationRule, Distribute, Failover, H2UpgradePolicy, HashAlgorithm, HashKey,
    HttpCookie, HttpCookieAttribute, HttpSettings, LbPolicy, LoadBalancerSettings,
    LocalityLoadBalancerSetting, MagLev, OutlierDetection, PortTrafficPolicy, ProxyProtocol,
    ProxyProtocolVersion, RetryBudget, RingHash, SimpleLb, Subset, TcpKeepalive, TcpSettings, TrafficPolicy,
    TunnelSettings, WarmupConfiguration, ZoneAwareLoadBalancerSetting,
};
pub use envoy_filter::EnvoyFilter;
pub use gateway::{Gateway, Port, Server, ServerTlsMode, ServerTlsSettings, TlsCertificate, TlsProtocol};
pub use proxy_config::{ProxyConfig, ProxyImage};
pub use service_entry::{Location, Resolution, ServiceEntry, ServicePort};
pub use sidecar::{
    CaptureMode, IstioEgressListener, IstioIngressListener, OutboundTrafficPolicy, OutboundTrafficPolicyMode,
    Sidecar, SidecarPort, WorkloadSelector,
};
pub use virtual_service::{
    Abort, AbortErrorType, CorsPolicy, Delay, Delegate, Destination, GRPC_STATUSES, HeaderOperations,
    Headers, HttpBody, HttpDelayType, HttpDirectResponse, HttpFaultInjection, HttpMatchRequest,
    HttpMirrorPolicy, HttpRedirect, HttpRetry, HttpRewrite, HttpRoute, HttpRouteDestination,
    L4MatchAttributes, Percent, PortSelector, RedirectPort, RedirectPortSelection, RegexRewrite,
    RouteDestination, StringMatch, TcpRoute, TlsMatchAttributes, TlsRoute, UnmatchedPreflights,
    VirtualService,
};
pub use workload_entry::WorkloadEntry;
pub use workload_group::{
    ExecHealthCheckConfig, GrpcHealthCheckConfig, HealthCheckMethod, HttpHeader, HttpHealthCheckConfig,
    ReadinessProbe, TcpHealthCheckConfig, WorkloadGroup, WorkloadGroupMetadata,
};
