//! EnvoyFilter: changes to the configuration that Istio makes for Envoy.
//!
//! Source: Istio API `networking/v1alpha3/envoy_filter.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::WorkloadSelector;
use crate::scalar::wire_enum;
use crate::type_::PolicyTargetReference;
use crate::wire::{is_default, oneofs};

/// Patches of the configuration of some proxies. In the root namespace it is for proxies of all namespaces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyFilter {
    /// Workloads of the object's namespace. Absent means all of them. Excludes `target_refs`.
    #[serde(skip_serializing_if = "is_default")]
    pub workload_selector: Option<WorkloadSelector>,
    /// Gateways and services whose proxies are meant: Gateway API Gateways, and Services for waypoints. At most 16. Default
    /// none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_refs: Vec<PolicyTargetReference>,
    /// The patches, in order. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub config_patches: Vec<EnvoyConfigObjectPatch>,
    /// Objects of lower priority are applied first. Zero is the default, negative ones come before it.
    #[serde(skip_serializing_if = "is_default")]
    pub priority: i32,
}

/// One patch: where, which objects, what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyConfigObjectPatch {
    /// What kind of Envoy object is patched. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub apply_to: ApplyTo,
    /// Which ones. Absent means all of that kind.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Option<Box<EnvoyConfigObjectMatch>>,
    /// What is done to them. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub patch: Option<Patch>,
}

wire_enum! {
    /// The kind of Envoy object that a patch is for.
    pub enum ApplyTo {
        /// None: refused (A-EF-6).
        Invalid = 0 => "INVALID",
        /// A listener.
        Listener = 1 => "LISTENER",
        /// A filter chain of a listener.
        FilterChain = 2 => "FILTER_CHAIN",
        /// A network filter of a filter chain.
        NetworkFilter = 3 => "NETWORK_FILTER",
        /// An HTTP filter of a connection manager.
        HttpFilter = 4 => "HTTP_FILTER",
        /// A route configuration.
        RouteConfiguration = 5 => "ROUTE_CONFIGURATION",
        /// A virtual host of a route configuration.
        VirtualHost = 6 => "VIRTUAL_HOST",
        /// A route of a virtual host.
        HttpRoute = 7 => "HTTP_ROUTE",
        /// A cluster.
        Cluster = 8 => "CLUSTER",
        /// An extension's configuration, which is served by itself.
        ExtensionConfig = 9 => "EXTENSION_CONFIG",
        /// The bootstrap configuration.
        Bootstrap = 10 => "BOOTSTRAP",
        /// A listener filter of a listener.
        ListenerFilter = 11 => "LISTENER_FILTER",
    }
}

wire_enum! {
    /// The traffic that an Envoy object serves.
    pub enum PatchContext {
        /// Any.
        Any = 0 => "ANY",
        /// Into a sidecar's workload.
        SidecarInbound = 1 => "SIDECAR_INBOUND",
        /// Out of a sidecar's workload.
        SidecarOutbound = 2 => "SIDECAR_OUTBOUND",
        /// Through a gateway.
        Gateway = 3 => "GATEWAY",
        /// Through a waypoint.
        Waypoint = 4 => "WAYPOINT",
    }
}

/// Which Envoy objects a patch is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "EnvoyConfigObjectMatchWire", into = "EnvoyConfigObjectMatchWire")]
pub struct EnvoyConfigObjectMatch {
    /// The traffic that they serve. Default ANY.
    pub context: PatchContext,
    /// The proxies. Absent means all.
    pub proxy: Option<ProxyMatch>,
    /// The objects; must fit what the patch applies to (A-EF-12, -19, -20). Absent means all.
    pub object_types: Option<ObjectTypes>,
}

/// The objects of one kind that are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectTypes {
    /// Listeners, and what is in them.
    Listener(ListenerMatch),
    /// Route configurations, and what is in them.
    RouteConfiguration(RouteConfigurationMatch),
    /// Clusters.
    Cluster(ClusterMatch),
    /// What a waypoint makes for a service. Only with [`PatchContext::Waypoint`].
    Waypoint(WaypointMatch),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "EnvoyConfigObjectMatch(listener|routeConfiguration|cluster|waypoint)")]
struct EnvoyConfigObjectMatchWire {
    #[serde(skip_serializing_if = "is_default")]
    context: PatchContext,
    #[serde(skip_serializing_if = "is_default")]
    proxy: Option<ProxyMatch>,
    #[serde(skip_serializing_if = "is_default")]
    listener: Option<ListenerMatch>,
    #[serde(skip_serializing_if = "is_default")]
    route_configuration: Option<RouteConfigurationMatch>,
    #[serde(skip_serializing_if = "is_default")]
    cluster: Option<ClusterMatch>,
    #[serde(skip_serializing_if = "is_default")]
    waypoint: Option<WaypointMatch>,
}

oneofs! {
    EnvoyConfigObjectMatch as EnvoyConfigObjectMatchWire { context, proxy }
    object_types: ObjectTypes {
        listener => Listener, route_configuration => RouteConfiguration, cluster => Cluster, waypoint => Waypoint,
    }
}

/// Proxies by properties.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyMatch {
    /// Regular expression for the proxy's Istio version; at most 1024 bytes. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub proxy_version: String,
    /// Entries that the proxy's node metadata must have. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: BTreeMap<String, String>,
}

/// Clusters by properties; what is empty or zero is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterMatch {
    /// Port of the service. Zero, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port_number: u32,
    /// Fully qualified host name of the service. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Subset. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub subset: String,
    /// Name of the cluster; if it is there, nothing else is asked. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// Route configurations by properties; what is empty or zero is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteConfigurationMatch {
    /// Port of the service or of the gateway's server. Zero, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port_number: u32,
    /// Name of the gateway server's port. Only for gateways. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port_name: String,
    /// Gateway object as `namespace/name`. Only for gateways. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub gateway: String,
    /// Virtual host in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub vhost: Option<VirtualHostMatch>,
    /// Name of the route configuration. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// Virtual hosts by properties; what is empty is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualHostMatch {
    /// Name, as `host:port`. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// One of its domains. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub domain_name: String,
    /// Route in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub route: Option<RouteMatch>,
}

/// Routes by properties; what is empty is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteMatch {
    /// Name of the route, that of the VirtualService's HTTP route. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// What the route does. Default ANY.
    #[serde(skip_serializing_if = "is_default")]
    pub action: RouteMatchAction,
}

wire_enum! {
    /// What a route does.
    pub enum RouteMatchAction {
        /// Anything.
        Any = 0 => "ANY",
        /// It sends to a cluster.
        Route = 1 => "ROUTE",
        /// It redirects.
        Redirect = 2 => "REDIRECT",
        /// It answers by itself.
        DirectResponse = 3 => "DIRECT_RESPONSE",
    }
}

/// Listeners by properties; what is empty or zero is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListenerMatch {
    /// Port that is listened on; of inbound listeners the port of the workload. Zero, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port_number: u32,
    /// Without effect. Undocumented. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub port_name: String,
    /// Filter chain in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_chain: Option<FilterChainMatch>,
    /// Name of a listener filter in it. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub listener_filter: String,
    /// Name of the listener. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// Filter chains by properties; what is empty or zero is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilterChainMatch {
    /// Name. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Server name that the chain is for. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub sni: String,
    /// Transport protocol that the chain is for: `raw_buffer` or `tls`. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub transport_protocol: String,
    /// Application protocols that the chain is for, separated by commas. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub application_protocols: String,
    /// Network filter in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub filter: Option<FilterMatch>,
    /// Port that the chain is for. Zero, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_port: u32,
    /// Name of its transport socket. New in Istio 1.32. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub transport_socket: String,
}

/// A network filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilterMatch {
    /// Name. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// HTTP filter in it. Only for the connection manager (A-EF-15, -16). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub sub_filter: Option<SubFilterMatch>,
}

/// An HTTP filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubFilterMatch {
    /// Name. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// What a waypoint makes for a service; what is empty or zero is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaypointMatch {
    /// Port of the service, 1..65535. Zero, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port_number: u32,
    /// Route in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub route: Option<WaypointRouteMatch>,
    /// Network filter in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub filter: Option<WaypointFilterMatch>,
}

/// A route of a waypoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaypointRouteMatch {
    /// Name. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// A network filter of a waypoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaypointFilterMatch {
    /// Name. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// HTTP filter in it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub sub_filter: Option<WaypointSubFilterMatch>,
}

/// An HTTP filter of a waypoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WaypointSubFilterMatch {
    /// Name. Empty, the default, means any.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// What is done to the objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Patch {
    /// How. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: PatchOperation,
    /// JSON form of the Envoy message; needed by all operations but REMOVE. Its meaning is Envoy's. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub value: Option<Map<String, Value>>,
    /// Where an HTTP or network filter that is added goes: ADD only.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_class: FilterClass,
}

wire_enum! {
    /// How objects are changed.
    pub enum PatchOperation {
        /// Not said: refused (A-EF-8).
        Invalid = 0 => "INVALID",
        /// The value is merged in by the rules of protobuf: lists grow.
        Merge = 1 => "MERGE",
        /// The value is added. Without effect on route configurations and routes.
        Add = 2 => "ADD",
        /// The objects are removed.
        Remove = 3 => "REMOVE",
        /// The value is put in before the objects.
        InsertBefore = 4 => "INSERT_BEFORE",
        /// The value is put in after the objects.
        InsertAfter = 5 => "INSERT_AFTER",
        /// The value is put in before all others.
        InsertFirst = 6 => "INSERT_FIRST",
        /// The value takes the place of the objects.
        Replace = 7 => "REPLACE",
        /// As MERGE, but lists are replaced.
        MergeAndReplaceList = 8 => "MERGE_AND_REPLACE_LIST",
    }
}

wire_enum! {
    /// Where an added filter goes among Istio's own.
    pub enum FilterClass {
        /// The control plane decides.
        Unspecified = 0 => "UNSPECIFIED",
        /// After Istio's authentication filters.
        Authn = 1 => "AUTHN",
        /// After Istio's authorization filters.
        Authz = 2 => "AUTHZ",
        /// Before Istio's statistics filters.
        Stats = 3 => "STATS",
    }
}
