//! Endpoints (X-EDS-6 to X-EDS-11).

use mesh_api::names::Labels;
use mesh_route::plan::{Address, Assignment, Endpoint, Health, Locality, LocalityGroup, WeightedEndpoint};
use prost_types::Struct;

use super::common::{ISTIO, object, text_value};
use super::report::{Notes, Problem};
use super::upstream_tls::{TLS_MODE, TLS_MODE_ISTIO};
use crate::pb::envoy::config::core::v3::address::Address as AddressKind;
use crate::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use crate::pb::envoy::config::core::v3::{self as core, HealthStatus, Metadata, Pipe, SocketAddress};
use crate::pb::envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use crate::pb::envoy::config::endpoint::v3::{
    self as pb, ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints,
};

/// The metadata by which a transport socket is chosen.
const SOCKET_MATCH: &str = "envoy.transport_socket_match";

/// The endpoints of a cluster; an empty assignment where there are none (X-EDS-11).
pub(super) fn assignment(
    cluster: &str,
    assignment: Option<&Assignment>,
    notes: &mut Notes,
) -> ClusterLoadAssignment {
    let groups = assignment
        .map(|Assignment { groups }| &**groups)
        .unwrap_or_default();
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: groups.iter().map(|item| group(item, notes)).collect(),
        ..Default::default()
    }
}

fn group(group: &LocalityGroup, notes: &mut Notes) -> LocalityLbEndpoints {
    let LocalityGroup {
        locality: Locality {
            region,
            zone,
            subzone,
        },
        priority,
        weight,
        endpoints,
    } = group;
    LocalityLbEndpoints {
        locality: Some(core::Locality {
            region: region.to_string(),
            zone: zone.to_string(),
            sub_zone: subzone.to_string(),
        }),
        lb_endpoints: endpoints
            .iter()
            .filter_map(|item| endpoint(item, notes))
            .collect(),
        load_balancing_weight: positive(*weight),
        priority: *priority,
        ..Default::default()
    }
}

fn endpoint(weighted: &WeightedEndpoint, notes: &mut Notes) -> Option<LbEndpoint> {
    let WeightedEndpoint {
        endpoint,
        weight,
        mtls,
    } = weighted;
    let Endpoint {
        addresses,
        port,
        port_name: _,
        health,
        tls: _,
        identity: _,
        network: _,
        cluster_id,
        locality: _,
        node: _,
        weight: _,
        workload,
        namespace,
        labels,
    } = &**endpoint;
    let Some(first) = addresses.first() else {
        notes.warn(None, Problem::NoAddress);
        return None;
    };
    let status = match health {
        Health::Healthy => HealthStatus::Healthy,
        Health::Unhealthy => HealthStatus::Unhealthy,
        Health::Draining | Health::Terminating => HealthStatus::Draining,
    };
    let name = canonical_name(labels).unwrap_or(workload);
    let revision = canonical_revision(labels).unwrap_or_default();
    let workload = format!("{workload};{namespace};{name};{revision};{cluster_id}");
    let mut metadata = vec![(ISTIO, object([("workload", text_value(workload))]))];
    if *mtls {
        metadata.push((SOCKET_MATCH, object([(TLS_MODE, text_value(TLS_MODE_ISTIO))])));
    }
    Some(LbEndpoint {
        health_status: status.into(),
        metadata: Some(filter_metadata(metadata)),
        load_balancing_weight: positive(*weight),
        host_identifier: Some(HostIdentifier::Endpoint(pb::Endpoint {
            address: Some(address(first, *port)),
            ..Default::default()
        })),
    })
}

fn filter_metadata(fields: Vec<(&str, Struct)>) -> Metadata {
    Metadata {
        filter_metadata: fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
        ..Default::default()
    }
}

/// Envoy refuses a weight of 0.
fn positive(weight: u32) -> Option<u32> {
    (weight > 0).then_some(weight)
}

/// The service that a workload counts as in telemetry (X-EDS-9).
fn canonical_name(labels: &Labels) -> Option<&str> {
    let keys = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
    keys.into_iter().find_map(|key| labels.get(key))
}

/// Its revision; the default one, `latest`, is not written.
fn canonical_revision(labels: &Labels) -> Option<&str> {
    let keys = [
        "service.istio.io/canonical-revision",
        "app.kubernetes.io/version",
        "version",
    ];
    let revision = keys.into_iter().find_map(|key| labels.get(key))?;
    (revision != "latest").then_some(revision)
}

/// A socket address, or a pipe.
pub(super) fn address(address: &Address, port: u16) -> core::Address {
    match address {
        Address::Ip(ip) => socket(ip.to_string(), port),
        Address::Name(name) => socket(name.to_string(), port),
        Address::Unix(path) => pipe(path),
    }
}

pub(super) fn socket(address: String, port: u16) -> core::Address {
    core::Address {
        address: Some(AddressKind::SocketAddress(SocketAddress {
            address,
            port_specifier: Some(PortSpecifier::PortValue(port.into())),
            ..Default::default()
        })),
    }
}

pub(super) fn pipe(path: &str) -> core::Address {
    core::Address {
        address: Some(AddressKind::Pipe(Pipe {
            path: path.to_owned(),
            ..Default::default()
        })),
    }
}
