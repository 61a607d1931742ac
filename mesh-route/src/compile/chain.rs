//! Chains and listeners in general: their ends, their HTTP settings, what must be read of connections.

use std::sync::Arc;

use mesh_api::mesh::{MeshConfig, NormalizationType};
use mesh_api::names::Text;

use super::l4::detection_timeout;
use super::share;
use crate::plan::{
    ChainClass, ChainMatch, ChainName, ClusterName, DownstreamTls, FilterChain, ForwardClientCertificate,
    HttpConnection, HttpSettings, Inspect, Listener, ListenerName, Origin, PathNormalization, RouteSource,
    ServerHeader, Split, StatName, TcpProxy, Terminal, TrafficPlan,
};
use crate::table::Table;

/// A chain that ends in a cluster.
pub(super) fn tcp_chain(
    name: ChainName,
    class: ChainClass,
    matching: ChainMatch,
    cluster: ClusterName,
    origin: Origin,
) -> FilterChain {
    let proxy = TcpProxy {
        split: Split::One(cluster),
        stat: StatName::Cluster,
        idle: None,
        max_connection: None,
        hash_source_ip: false,
        tunnel: None,
        codec: None,
    };
    FilterChain {
        name,
        class,
        matching,
        tls: DownstreamTls::Plain,
        terminal: Terminal::Tcp(proxy),
        origin,
    }
}

/// A chain that routes requests.
pub(super) fn http_chain(
    routes: RouteSource,
    settings: &Arc<HttpSettings>,
    stat: &Text,
    origin: Origin,
) -> FilterChain {
    let connection = HttpConnection {
        routes,
        settings: Arc::clone(settings),
        stat: stat.clone(),
    };
    FilterChain {
        name: ChainName::Unnamed,
        class: ChainClass::Outbound,
        matching: ChainMatch::default(),
        tls: DownstreamTls::Plain,
        terminal: Terminal::Http(Arc::new(connection)),
        origin,
    }
}

/// How requests are read: at a sidecar, or at the edge (X-HCM-1 to -3, X-GW-11).
pub(super) fn http_settings(mesh: &MeshConfig, sidecar: bool) -> HttpSettings {
    let path = match mesh.path_normalization.as_ref().map(|path| path.normalization) {
        Some(NormalizationType::None) => PathNormalization::None,
        Some(NormalizationType::MergeSlashes) => PathNormalization::MergeSlashes,
        Some(NormalizationType::DecodeAndMergeSlashes) => PathNormalization::DecodeAndMergeSlashes,
        _ => PathNormalization::Base,
    };
    HttpSettings {
        path,
        use_remote_address: !sidecar,
        trusted_hops: 0,
        server: if sidecar {
            ServerHeader::Default
        } else {
            ServerHeader::Named(Text::new("istio-envoy"))
        },
        client_certificate: if sidecar {
            ForwardClientCertificate::Sanitize
        } else {
            ForwardClientCertificate::SanitizeSet
        },
        request_id: true,
        port_header: false,
        preserve_case: false,
        allow_absolute_url: false,
        idle: None,
        hide_envoy_headers: false,
    }
}

/// What must be read of connections so that the chains can be told apart (X-LDS-16).
pub(super) fn inspect(chains: &[FilterChain], mesh: &MeshConfig) -> Inspect {
    let tls = chains
        .iter()
        .any(|chain| !chain.matching.server_names.is_empty() || !matches!(chain.tls, DownstreamTls::Plain));
    let http = chains.iter().any(|chain| !chain.matching.alpn.is_empty());
    let timeout = if http { detection_timeout(mesh) } else { None };
    Inspect {
        tls,
        http,
        proxy_protocol: false,
        timeout,
    }
}

/// A table of listeners that shares what is equal with the previous plan.
pub(super) fn keep_shared(
    listeners: Vec<Listener>,
    previous: Option<&TrafficPlan>,
) -> Table<ListenerName, Listener> {
    let empty = Table::new();
    let old = previous.map_or(&empty, |plan| &plan.listeners);
    let mut entries: Vec<_> = listeners
        .into_iter()
        .map(|listener| (listener.name.clone(), share(old.get(&listener.name), listener)))
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.dedup_by(|later, earlier| later.0 == earlier.0);
    Table::rebuild_sharing(old, entries)
}
