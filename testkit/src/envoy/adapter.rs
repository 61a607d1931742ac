use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use mesh_xds::ResourceSet;
use mesh_xds::json::{self, JsonError};
use mesh_xds::pb::Kind;
use serde_json::{Map, Value, json};

use super::echo::EchoPool;

/// The Envoy resources of one proxy as JSON, in either spelling of field names, as conversion gave them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// What tells this proxy from others in the same Envoy. No `/`.
    pub name: String,
    /// Listeners.
    pub listeners: Vec<Value>,
    /// Route configurations, which the listeners name.
    pub route_configurations: Vec<Value>,
    /// Clusters.
    pub clusters: Vec<Value>,
    /// ClusterLoadAssignments of the clusters that discover their endpoints.
    pub assignments: Vec<Value>,
}

impl Converted {
    /// The resources of a proxy, by kind.
    ///
    /// # Errors
    /// When the bytes of a resource are no message of its kind.
    pub fn of(name: &str, resources: &ResourceSet) -> Result<Self, JsonError> {
        let all = |kind| {
            resources
                .of(kind)
                .map(json::resource_to_json)
                .collect::<Result<Vec<Value>, JsonError>>()
        };
        Ok(Self {
            name: name.to_owned(),
            listeners: all(Kind::Listener)?,
            route_configurations: all(Kind::Route)?,
            clusters: all(Kind::Cluster)?,
            assignments: all(Kind::Endpoint)?,
        })
    }

    /// The resources as they are, in a static bootstrap that a validating Envoy takes: route configurations stand where
    /// listeners ask for them, assignments in clusters of their own, and the streams that resources name lead nowhere.
    ///
    /// # Errors
    /// When a listener asks for a route configuration that is not there.
    pub fn bootstrap(&self) -> Result<Value, AdaptError> {
        let Self {
            name: _,
            listeners,
            route_configurations,
            clusters,
            assignments,
        } = self;
        let routes = by_name(route_configurations, &["name"])?;
        let mut listeners = listeners.clone();
        for listener in &mut listeners {
            let name = text(object(listener)?, &["name"])?.to_owned();
            let default = find_in(listener, &["defaultFilterChain", "default_filter_chain"]);
            default.map_or(Ok(()), |chain| inline_routes(&name, chain, &routes))?;
            for chain in items_mut(listener, &["filterChains", "filter_chains"]) {
                inline_routes(&name, chain, &routes)?;
            }
        }
        let mut clusters = clusters.clone();
        for (number, assignment) in assignments.iter().enumerate() {
            let mut assignment = assignment.clone();
            let name = format!("assignment-{number}");
            assignment["clusterName"] = name.clone().into();
            clusters.push(json!({ "name": name, "type": "STATIC", "loadAssignment": assignment }));
        }
        for name in ["xds-grpc", "sds-grpc"] {
            clusters.push(json!({ "name": name, "type": "STATIC" }));
        }
        let stream = json!({
            "api_type": "GRPC", "transport_api_version": "V3",
            "grpc_services": [{ "envoy_grpc": { "cluster_name": "xds-grpc" } }],
        });
        Ok(json!({
            "dynamic_resources": { "ads_config": stream },
            "static_resources": { "listeners": listeners, "clusters": clusters },
        }))
    }
}

/// Makes the resources of many proxies into one static bootstrap for loopback. Source: X-REAL-9.
///
/// * Listeners bind to a port of 127.0.0.1 that Envoy chooses; what needs redirected traffic (`original_dst`) goes.
/// * Route configurations are put in place of the RDS sources that name them.
/// * Clusters become STATIC with the endpoints of their assignment; each endpoint's address becomes that of the echo upstream
///   of its cluster. A cluster without endpoints stays without. One that goes to the original destination gets one endpoint.
/// * TLS goes, on both sides. Upstreams speak HTTP/1.1, so a cluster that demands HTTP/2 is told to speak HTTP/1.1.
/// * Names of listeners and clusters get the proxy's name and `/` in front, in routes too.
///
/// All else is left as it came.
pub struct Loopback<'a> {
    echo: &'a mut EchoPool,
    listeners: Vec<Value>,
    clusters: Vec<Value>,
    names: BTreeSet<String>,
}

impl<'a> Loopback<'a> {
    /// An empty configuration over the upstreams of `echo`.
    pub fn new(echo: &'a mut EchoPool) -> Self {
        Self {
            echo,
            listeners: Vec::new(),
            clusters: Vec::new(),
            names: BTreeSet::new(),
        }
    }

    /// Adds a proxy.
    ///
    /// # Errors
    /// When the resources do not fit together: a name in use, a route configuration or an endpoint of the wrong shape.
    pub fn add(&mut self, converted: &Converted) -> Result<(), AdaptError> {
        let Converted {
            name,
            listeners,
            route_configurations,
            clusters,
            assignments,
        } = converted;
        if name.contains('/') || !self.names.insert(name.clone()) {
            return Err(AdaptError::new(name, "not a name, or in use already"));
        }
        let routes = by_name(route_configurations, &["name"])?;
        let assignments = by_name(assignments, &["cluster_name", "clusterName"])?;
        for listener in listeners {
            self.listeners.push(adapt_listener(name, listener, &routes)?);
        }
        for cluster in clusters {
            let cluster = self.adapt_cluster(name, cluster, &assignments)?;
            self.clusters.push(cluster);
        }
        Ok(())
    }

    /// The bootstrap, without `node` and `admin`. It has the runtime values of Istio's bootstrap that routing depends on
    /// (X-BOOT-3).
    pub fn bootstrap(self) -> Value {
        let runtime = json!({ "envoy.reloadable_features.http_reject_path_with_fragment": false });
        json!({
            "layered_runtime": { "layers": [{ "name": "istio", "static_layer": runtime }] },
            "static_resources": { "listeners": self.listeners, "clusters": self.clusters },
        })
    }

    /// The name that a listener of a proxy has in the bootstrap.
    pub fn listener_name(proxy: &str, listener: &str) -> String {
        format!("{proxy}/{listener}")
    }

    /// The name of the echo upstream of a cluster of a proxy.
    pub fn upstream_name(proxy: &str, cluster: &str) -> String {
        format!("{proxy}/{cluster}")
    }

    fn adapt_cluster(
        &mut self,
        proxy: &str,
        cluster: &Value,
        assignments: &BTreeMap<&str, &Value>,
    ) -> Result<Value, AdaptError> {
        let mut cluster = object(cluster)?.clone();
        let name = text(&cluster, &["name"])?.to_owned();
        let kind = take(&mut cluster, &["type"]).unwrap_or_else(|| "STATIC".into());
        let eds = take(&mut cluster, &["eds_cluster_config", "edsClusterConfig"]);
        let service = eds
            .as_ref()
            .and_then(|eds| find(eds, &["service_name", "serviceName"])?.as_str());
        let inline = take(&mut cluster, &["load_assignment", "loadAssignment"]);
        let upstream = Self::upstream_name(proxy, &name);

        let mut assignment = match kind.as_str() {
            Some("EDS") => assignments
                .get(service.unwrap_or(&name))
                .map(|found| (*found).clone()),
            Some("ORIGINAL_DST") => {
                // CLUSTER_PROVIDED is refused on any other type.
                take(&mut cluster, &["lb_policy", "lbPolicy"]);
                Some(one_endpoint())
            }
            _ => inline,
        }
        .unwrap_or_else(|| json!({}));
        let addresses = self.point_endpoints(&mut assignment, &upstream);
        addresses.map_err(|why| AdaptError::new(&upstream, why))?;
        remove(&mut assignment, &["cluster_name", "clusterName"]);
        assignment["cluster_name"] = upstream.clone().into();

        for key in [
            ["transport_socket", "transportSocket"],
            ["transport_socket_matches", "transportSocketMatches"],
            ["dns_lookup_family", "dnsLookupFamily"],
            ["dns_refresh_rate", "dnsRefreshRate"],
            ["respect_dns_ttl", "respectDnsTtl"],
            ["upstream_bind_config", "upstreamBindConfig"],
            ["original_dst_lb_config", "originalDstLbConfig"],
        ] {
            take(&mut cluster, &key);
        }
        speak_http1(&mut cluster);
        cluster.insert("name".into(), upstream.into());
        cluster.insert("type".into(), "STATIC".into());
        cluster.insert("load_assignment".into(), assignment);
        Ok(Value::Object(cluster))
    }

    /// Gives every endpoint the address of the upstream.
    fn point_endpoints(&mut self, assignment: &mut Value, upstream: &str) -> io::Result<()> {
        for locality in items_mut(assignment, &["endpoints"]) {
            for endpoint in items_mut(locality, &["lb_endpoints", "lbEndpoints"]) {
                let address = self.echo.upstream(upstream)?;
                let socket = json!({ "address": address.ip().to_string(), "port_value": address.port() });
                if let Some(endpoint) = endpoint.get_mut("endpoint").and_then(Value::as_object_mut) {
                    take(endpoint, &["additional_addresses", "additionalAddresses"]);
                    endpoint.insert("address".into(), json!({ "socket_address": socket }));
                } else {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "an endpoint that is named only",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Why resources cannot be put on loopback.
#[derive(Debug)]
pub struct AdaptError {
    place: String,
    why: String,
}

impl AdaptError {
    fn new(place: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self {
            place: place.to_string(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for AdaptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for AdaptError {}

fn adapt_listener(
    proxy: &str,
    listener: &Value,
    routes: &BTreeMap<&str, &Value>,
) -> Result<Value, AdaptError> {
    let mut listener = object(listener)?.clone();
    let name = Loopback::listener_name(proxy, text(&listener, &["name"])?);
    for key in [
        ["use_original_dst", "useOriginalDst"],
        ["additional_addresses", "additionalAddresses"],
        ["bind_to_port", "bindToPort"],
        ["transparent", "transparent"],
        ["reuse_port", "reusePort"],
    ] {
        take(&mut listener, &key);
    }
    listener.insert("name".into(), name.clone().into());
    listener.insert("bind_to_port".into(), true.into());
    listener.insert(
        "address".into(),
        json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } }),
    );
    if let Some(Value::Array(filters)) = find_mut(&mut listener, &["listener_filters", "listenerFilters"]) {
        filters.retain(|filter| filter["name"] != "envoy.filters.listener.original_dst");
    }
    let chains = [
        find_mut(&mut listener, &["filter_chains", "filterChains"]).map(Value::take),
        find_mut(&mut listener, &["default_filter_chain", "defaultFilterChain"]).map(Value::take),
    ];
    let [chains, default] = chains;
    if let Some(Value::Array(mut chains)) = chains {
        for chain in &mut chains {
            adapt_chain(proxy, &name, chain, routes)?;
        }
        take(&mut listener, &["filter_chains", "filterChains"]);
        listener.insert("filter_chains".into(), chains.into());
    }
    if let Some(mut default) = default {
        adapt_chain(proxy, &name, &mut default, routes)?;
        take(&mut listener, &["default_filter_chain", "defaultFilterChain"]);
        listener.insert("default_filter_chain".into(), default);
    }
    Ok(Value::Object(listener))
}

fn adapt_chain(
    proxy: &str,
    listener: &str,
    chain: &mut Value,
    routes: &BTreeMap<&str, &Value>,
) -> Result<(), AdaptError> {
    remove(chain, &["transport_socket", "transportSocket"]);
    inline_routes(listener, chain, routes)?;
    for filter in items_mut(chain, &["filters"]) {
        let Some(config) = find_in(filter, &["typed_config", "typedConfig"]).and_then(Value::as_object_mut)
        else {
            continue;
        };
        for value in config.values_mut() {
            prefix_clusters(proxy, value);
        }
        if let Some(cluster) = config.get_mut("cluster") {
            prefix(proxy, cluster);
        }
        prefix_weighted(proxy, config);
    }
    Ok(())
}

/// Puts route configurations in place of the RDS sources that name them.
fn inline_routes(
    listener: &str,
    chain: &mut Value,
    routes: &BTreeMap<&str, &Value>,
) -> Result<(), AdaptError> {
    for filter in items_mut(chain, &["filters"]) {
        let config = find_in(filter, &["typed_config", "typedConfig"]).and_then(Value::as_object_mut);
        let Some((config, rds)) = config.and_then(|config| {
            let rds = take(config, &["rds"])?;
            Some((config, rds))
        }) else {
            continue;
        };
        let table = find(&rds, &["route_config_name", "routeConfigName"])
            .and_then(Value::as_str)
            .unwrap_or_default();
        let missing = || AdaptError::new(listener, format!("no route configuration `{table}`"));
        let table = (*routes.get(table).ok_or_else(missing)?).clone();
        config.insert("route_config".into(), table);
    }
    Ok(())
}

/// Puts the proxy's name before every cluster name in routes: `cluster`, the members of weighted clusters, and those of
/// mirrors. Metadata is free text and left alone.
fn prefix_clusters(proxy: &str, value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prefix_clusters(proxy, item)),
        Value::Object(fields) => {
            prefix_weighted(proxy, fields);
            for (key, field) in fields {
                match key.as_str() {
                    "metadata" => {}
                    "cluster" if field.is_string() => prefix(proxy, field),
                    _ => prefix_clusters(proxy, field),
                }
            }
        }
        _ => {}
    }
}

fn prefix_weighted(proxy: &str, fields: &mut Map<String, Value>) {
    if let Some(weighted) = find_mut(fields, &["weighted_clusters", "weightedClusters"]) {
        for member in items_mut(weighted, &["clusters"]) {
            if let Some(name) = member.get_mut("name") {
                prefix(proxy, name);
            }
        }
    }
}

fn prefix(proxy: &str, name: &mut Value) {
    if let Some(text) = name.as_str() {
        *name = Loopback::upstream_name(proxy, text).into();
    }
}

/// Echo upstreams know HTTP/1.1 only.
fn speak_http1(cluster: &mut Map<String, Value>) {
    take(cluster, &["http2_protocol_options", "http2ProtocolOptions"]);
    let options = find_mut(
        cluster,
        &[
            "typed_extension_protocol_options",
            "typedExtensionProtocolOptions",
        ],
    );
    let Some(Value::Object(options)) = options else {
        return;
    };
    for option in options.values_mut().filter_map(Value::as_object_mut) {
        if let Some(Value::Object(explicit)) =
            find_mut(option, &["explicit_http_config", "explicitHttpConfig"])
            && take(explicit, &["http2_protocol_options", "http2ProtocolOptions"]).is_some()
        {
            explicit.insert("http_protocol_options".into(), json!({}));
        }
    }
}

fn one_endpoint() -> Value {
    json!({ "endpoints": [{ "lb_endpoints": [{ "endpoint": {} }] }] })
}

fn by_name<'v>(values: &'v [Value], keys: &[&str]) -> Result<BTreeMap<&'v str, &'v Value>, AdaptError> {
    values
        .iter()
        .map(|value| Ok((text(object(value)?, keys)?, value)))
        .collect()
}

fn object(value: &Value) -> Result<&Map<String, Value>, AdaptError> {
    value
        .as_object()
        .ok_or_else(|| AdaptError::new(value, "not an object"))
}

fn text<'v>(fields: &'v Map<String, Value>, keys: &[&str]) -> Result<&'v str, AdaptError> {
    let found = keys.iter().find_map(|key| fields.get(*key)?.as_str());
    found.ok_or_else(|| AdaptError::new(Value::Object(fields.clone()), format!("no `{}`", keys[0])))
}

fn find<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v Value> {
    keys.iter().find_map(|key| value.get(*key))
}

fn find_mut<'v>(fields: &'v mut Map<String, Value>, keys: &[&str]) -> Option<&'v mut Value> {
    let key = keys.iter().find(|key| fields.contains_key(**key))?;
    fields.get_mut(*key)
}

fn find_in<'v>(value: &'v mut Value, keys: &[&str]) -> Option<&'v mut Value> {
    find_mut(value.as_object_mut()?, keys)
}

fn items_mut<'v>(value: &'v mut Value, keys: &[&str]) -> impl Iterator<Item = &'v mut Value> {
    find_in(value, keys)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// Takes a field away under each of its spellings and returns it.
fn take(fields: &mut Map<String, Value>, keys: &[&str]) -> Option<Value> {
    keys.iter().fold(None, |found, key| found.or(fields.remove(*key)))
}

fn remove(value: &mut Value, keys: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        take(fields, keys);
    }
}
