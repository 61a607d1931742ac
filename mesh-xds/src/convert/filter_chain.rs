//! Filter chains and the TCP ends of them (X-LDS-17 to X-LDS-19, X-IL-7, X-GW-7).

use std::time::Duration;

use ipnet::IpNet;
use mesh_api::names::Text;
use mesh_route::plan::{
    ChainClass, ChainMatch, DownstreamTls, FilterChain, ListenerRole, Origin, Split, StatName, TcpCodec,
    TcpProxy, Terminal, Transport, TransportProtocol, Tunnel, WeightedDestination,
};
use prost::Name;
use prost_types::Any;

use super::common::{
    ISTIO, bool_value, config_path, duration, metadata, object, text_value, typed_struct, virtual_service,
};
use super::report::{Notes, Part, Problem};
use super::{Profile, downstream_tls, http_connection};
use crate::pb::envoy::config::core::v3::CidrRange;
use crate::pb::envoy::config::listener::v3::filter::ConfigType;
use crate::pb::envoy::config::listener::v3::{self as pb, Filter, FilterChainMatch};
use crate::pb::envoy::extensions::filters::network::mongo_proxy::v3::MongoProxy;
use crate::pb::envoy::extensions::filters::network::redis_proxy::v3::RedisProxy;
use crate::pb::envoy::extensions::filters::network::redis_proxy::v3::redis_proxy::{
    ConnPoolSettings, PrefixRoutes, prefix_routes,
};
use crate::pb::envoy::extensions::filters::network::tcp_proxy::v3 as tcp;
use crate::pb::envoy::extensions::filters::network::tcp_proxy::v3::tcp_proxy::{
    ClusterSpecifier, TunnelingConfig, WeightedCluster, weighted_cluster::ClusterWeight,
};
use crate::pb::envoy::r#type::v3::HashPolicy;
use crate::pb::envoy::r#type::v3::hash_policy::{PolicySpecifier, SourceIp};
use crate::pb::pack;

/// Until when a client must have finished its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// How long a Redis command may take.
const REDIS_TIMEOUT: Duration = Duration::from_secs(5);

/// What chains take from their listener.
pub(super) struct ChainView {
    pub(super) role: ListenerRole,
    pub(super) transport: Transport,
    pub(super) profile: Profile,
}

/// A chain; `None` when Envoy would refuse it.
pub(super) fn filter_chain(
    chain: &FilterChain,
    view: &ChainView,
    notes: &mut Notes,
) -> Option<pb::FilterChain> {
    let FilterChain {
        name,
        class,
        matching,
        tls,
        terminal,
        origin,
    } = chain;
    let is_tcp = matches!(terminal, Terminal::Tcp(_));
    // X-IL-7, X-IL-8, X-GW-13
    let exchanges = view.profile.metadata_exchange() && has_metadata_exchange(*class, is_tcp, tls);
    let mut filters = Vec::new();
    filters.extend(exchanges.then(metadata_exchange));
    match terminal {
        Terminal::Http(connection) => {
            filters.push(http_connection::filter(connection, *class, view, notes));
        }
        Terminal::Tcp(proxy) => filters.extend(tcp_filters(proxy, origin, notes)?),
        Terminal::Foreign(foreign) => {
            let _ = notes.foreign(origin, foreign);
            return None;
        }
    }
    let socket = downstream_tls::transport_socket(tls, is_tcp, view, origin, notes);
    if view.transport == Transport::Quic && socket.is_none() {
        notes.warn(Some(origin), Problem::QuicWithoutTls);
        return None;
    }
    let path = virtual_service(origin).and_then(config_path);
    let is_any = matching.is_any();
    let matched = chain_match(matching, origin, notes)?;
    Some(pb::FilterChain {
        name: name.to_string(),
        filter_chain_match: (!is_any).then_some(matched),
        filters,
        metadata: metadata(ISTIO, object(path.map(|path| ("config", text_value(path))))),
        transport_socket: socket,
        transport_socket_connect_timeout: has_handshake_limit(view.role).then(|| duration(HANDSHAKE)),
        ..Default::default()
    })
}

fn has_handshake_limit(role: ListenerRole) -> bool {
    match role {
        ListenerRole::Outbound
        | ListenerRole::VirtualOutbound
        | ListenerRole::HttpProxy
        | ListenerRole::Gateway => true,
        ListenerRole::VirtualInbound | ListenerRole::InboundPort => false,
    }
}

fn has_metadata_exchange(class: ChainClass, is_tcp: bool, tls: &DownstreamTls) -> bool {
    match class {
        ChainClass::Inbound | ChainClass::InboundPassthrough => true,
        ChainClass::Gateway => is_tcp && matches!(tls, DownstreamTls::Mesh(_)),
        ChainClass::Outbound
        | ChainClass::GatewayAutoPassthrough
        | ChainClass::BlackHole
        | ChainClass::Passthrough => false,
    }
}

/// The match; `None` if part of it is not understood.
fn chain_match(matching: &ChainMatch, origin: &Origin, notes: &mut Notes) -> Option<FilterChainMatch> {
    let ChainMatch {
        port,
        destinations,
        server_names,
        transport,
        alpn,
        sources,
        source_ports,
        foreign,
    } = matching;
    if !notes.foreign(origin, foreign) {
        return None;
    }
    let texts = |list: &[Text]| list.iter().map(Text::to_string).collect();
    Some(FilterChainMatch {
        destination_port: port.map(u32::from),
        prefix_ranges: destinations.iter().map(range).collect(),
        server_names: texts(server_names),
        transport_protocol: transport
            .map(TransportProtocol::as_str)
            .unwrap_or_default()
            .to_owned(),
        application_protocols: texts(alpn),
        source_prefix_ranges: sources.iter().map(range).collect(),
        source_ports: source_ports.iter().copied().map(u32::from).collect(),
        ..Default::default()
    })
}

fn range(net: &IpNet) -> CidrRange {
    CidrRange {
        address_prefix: net.addr().to_string(),
        prefix_len: Some(net.prefix_len().into()),
    }
}

/// A network filter.
pub(super) fn network_filter<M: Name>(name: &str, message: &M) -> Filter {
    any_filter(name, pack(message))
}

fn any_filter(name: &str, config: Any) -> Filter {
    Filter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
    }
}

fn metadata_exchange() -> Filter {
    let fields = [
        ("protocol", text_value("istio-peer-exchange")),
        ("enable_discovery", bool_value(true)),
    ];
    let name = "envoy.tcp.metadataexchange.config.MetadataExchange";
    any_filter("istio.metadata_exchange", typed_struct(name, object(fields)))
}

/// The filters at which a TCP connection ends; `None` when there is no cluster to choose.
fn tcp_filters(proxy: &TcpProxy, origin: &Origin, notes: &mut Notes) -> Option<Vec<Filter>> {
    let TcpProxy {
        split,
        stat,
        idle,
        max_connection,
        hash_source_ip,
        tunnel,
        codec,
    } = proxy;
    let stat_prefix = match (stat, split.clusters().next()) {
        (StatName::Named(text), _) => text.to_string(),
        (StatName::Cluster, Some(cluster)) => cluster.to_string(),
        (StatName::Cluster, None) => "tcp".to_owned(),
    };
    if let (Some(TcpCodec::Redis), Split::One(cluster)) = (codec, split) {
        let redis = redis(&stat_prefix, cluster.to_string());
        return Some(vec![network_filter("envoy.filters.network.redis_proxy", &redis)]);
    }
    let mut filters = Vec::new();
    match codec {
        None => {}
        Some(TcpCodec::Mongo) => {
            let mongo = MongoProxy {
                stat_prefix: stat_prefix.clone(),
                ..Default::default()
            };
            filters.push(network_filter("envoy.filters.network.mongo_proxy", &mongo));
        }
        Some(TcpCodec::Mysql) => notes.not_expressed(origin, Part::Codec("mysql")),
        Some(TcpCodec::Redis) => notes.not_expressed(origin, Part::Codec("redis")),
    }
    let message = tcp::TcpProxy {
        stat_prefix,
        cluster_specifier: Some(cluster_specifier(split, origin, notes)?),
        idle_timeout: idle.map(duration),
        max_downstream_connection_duration: max_connection.map(duration),
        hash_policy: hash_source_ip.then(by_source_ip).into_iter().collect(),
        tunneling_config: tunnel.as_deref().map(|Tunnel { post, target }| TunnelingConfig {
            hostname: target.to_string(),
            use_post: *post,
            ..Default::default()
        }),
        ..Default::default()
    };
    filters.push(network_filter("envoy.filters.network.tcp_proxy", &message));
    Some(filters)
}

fn by_source_ip() -> HashPolicy {
    HashPolicy {
        policy_specifier: Some(PolicySpecifier::SourceIp(SourceIp {})),
    }
}

fn cluster_specifier(split: &Split, origin: &Origin, notes: &mut Notes) -> Option<ClusterSpecifier> {
    match split {
        Split::One(cluster) => Some(ClusterSpecifier::Cluster(cluster.to_string())),
        Split::ByHeader(name) => {
            notes.not_expressed(origin, Part::ClusterByHeader(name.clone()));
            None
        }
        Split::Weighted(destinations) => {
            let weights = destinations.iter().map(|destination| destination.weight);
            let sum: u64 = weights.map(u64::from).sum();
            if sum == 0 || sum > u64::from(u32::MAX) {
                notes.warn(Some(origin), Problem::BadWeights);
                return None;
            }
            let clusters = destinations.iter().map(|destination| {
                let WeightedDestination {
                    cluster,
                    weight,
                    headers: _, // there are none in TCP
                    host: _,
                    origin: _,
                } = destination;
                ClusterWeight {
                    name: cluster.to_string(),
                    weight: *weight,
                    ..Default::default()
                }
            });
            Some(ClusterSpecifier::WeightedClusters(WeightedCluster {
                clusters: clusters.collect(),
            }))
        }
    }
}

/// In place of the TCP proxy: commands are understood and sent one by one.
fn redis(stat_prefix: &str, cluster: String) -> RedisProxy {
    RedisProxy {
        stat_prefix: stat_prefix.to_owned(),
        latency_in_micros: true,
        settings: Some(ConnPoolSettings {
            op_timeout: Some(duration(REDIS_TIMEOUT)),
            ..Default::default()
        }),
        prefix_routes: Some(PrefixRoutes {
            catch_all_route: Some(prefix_routes::Route {
                cluster,
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
