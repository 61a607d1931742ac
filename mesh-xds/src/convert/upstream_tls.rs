//! TLS towards endpoints, and PROXY protocol around it (X-CDS-38 to X-CDS-48).

use mesh_api::names::Text;
use mesh_route::plan::{
    CaRef, CertificateRef, ClientSni, ClientTls, Cluster as PlanCluster, Discovery, MeshTls, ProxyProtocol,
    UpstreamProtocol, UpstreamTls,
};
use prost_types::Struct;

use super::Profile;
use super::common::{exact, object, text_value};
use super::secret;
use super::traffic_policy::HttpOptions;
use crate::pb::envoy::config::cluster::v3::Cluster;
use crate::pb::envoy::config::cluster::v3::cluster::TransportSocketMatch;
use crate::pb::envoy::config::core::v3::data_source::Specifier;
use crate::pb::envoy::config::core::v3::proxy_protocol_config::Version;
use crate::pb::envoy::config::core::v3::transport_socket::ConfigType;
use crate::pb::envoy::config::core::v3::{
    DataSource, ProxyProtocolConfig, TransportSocket, UpstreamHttpProtocolOptions,
};
use crate::pb::envoy::extensions::transport_sockets::proxy_protocol::v3::ProxyProtocolUpstreamTransport;
use crate::pb::envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::{
    CombinedCertificateValidationContext, ValidationContextType,
};
use crate::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, TlsParameters, UpstreamTlsContext,
};
use crate::pb::pack;

/// The label of endpoints by which a transport socket is chosen, and its value for mesh TLS.
pub(super) const TLS_MODE: &str = "tlsMode";
pub(super) const TLS_MODE_ISTIO: &str = "istio";

/// Applies the TLS of a cluster to its message and HTTP options.
pub(super) fn apply(
    tls: &UpstreamTls,
    cluster: &PlanCluster,
    profile: Profile,
    message: &mut Cluster,
    options: &mut HttpOptions,
) {
    let is_http2 = cluster.upstream == UpstreamProtocol::Http2;
    let socket = match tls {
        UpstreamTls::Plain => None,
        UpstreamTls::Auto(tls) | UpstreamTls::Mesh(tls) => {
            let default_sni = || cluster.name.sni();
            Some(mesh_context(tls, default_sni, is_http2, profile))
        }
        UpstreamTls::Simple(tls) | UpstreamTls::Mutual(tls) => {
            options.upstream = automatic(tls);
            Some(client_context(tls, is_http2))
        }
    };
    let socket = socket.map(|context| TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack(&context))),
    });
    let proxy_protocol = cluster
        .policy
        .proxy_protocol
        .as_ref()
        .map(|version| version.value);
    let wrap = |socket: TransportSocket| match proxy_protocol {
        Some(version) => with_proxy_protocol(version, socket),
        None => socket,
    };
    // X-CDS-41: which endpoints can is known by their label, except where the client picks the address.
    let by_endpoint = matches!(tls, UpstreamTls::Auto(_))
        && !matches!(cluster.discovery, Discovery::OriginalDestination { .. });
    match socket {
        Some(socket) if by_endpoint => {
            message.transport_socket_matches = vec![
                socket_match(
                    "tlsMode-istio",
                    object([(TLS_MODE, text_value(TLS_MODE_ISTIO))]),
                    wrap(socket),
                ),
                socket_match("tlsMode-disabled", Struct::default(), wrap(raw_buffer())),
            ];
        }
        Some(socket) => message.transport_socket = Some(wrap(socket)),
        None => message.transport_socket = proxy_protocol.is_some().then(|| wrap(raw_buffer())),
    }
}

fn socket_match(name: &str, labels: Struct, socket: TransportSocket) -> TransportSocketMatch {
    TransportSocketMatch {
        name: name.to_owned(),
        r#match: Some(labels),
        transport_socket: Some(socket),
    }
}

fn raw_buffer() -> TransportSocket {
    TransportSocket {
        name: "envoy.transport_sockets.raw_buffer".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack(&RawBuffer {}))),
    }
}

/// X-CDS-47
fn with_proxy_protocol(version: ProxyProtocol, socket: TransportSocket) -> TransportSocket {
    let version = match version {
        ProxyProtocol::V1 => Version::V1,
        ProxyProtocol::V2 => Version::V2,
    };
    let message = ProxyProtocolUpstreamTransport {
        config: Some(ProxyProtocolConfig {
            version: version.into(),
            ..Default::default()
        }),
        transport_socket: Some(socket),
        ..Default::default()
    };
    TransportSocket {
        name: "envoy.transport_sockets.upstream_proxy_protocol".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack(&message))),
    }
}

fn versions() -> TlsParameters {
    TlsParameters {
        tls_minimum_protocol_version: TlsProtocol::TlSv12.into(),
        tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
        ..Default::default()
    }
}

/// X-CDS-40
fn mesh_context(
    tls: &MeshTls,
    default_sni: impl FnOnce() -> String,
    is_http2: bool,
    profile: Profile,
) -> UpstreamTlsContext {
    let MeshTls { sni, sans } = tls;
    let exchange = profile.metadata_exchange().then_some("istio-peer-exchange");
    let alpn = exchange
        .into_iter()
        .chain(["istio"])
        .chain(is_http2.then_some("h2"));
    UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(versions()),
            alpn_protocols: alpn.map(str::to_owned).collect(),
            tls_certificate_sds_secret_configs: vec![secret::certificate(&CertificateRef::Workload)],
            validation_context_type: Some(combined(with_names(sans), &CaRef::Mesh)),
            ..Default::default()
        }),
        sni: sni.as_ref().map_or_else(default_sni, Text::to_string),
        ..Default::default()
    }
}

/// X-CDS-42, X-CDS-44, X-CDS-45
fn client_context(tls: &ClientTls, is_http2: bool) -> UpstreamTlsContext {
    let ClientTls {
        sni,
        sans,
        check_host: _, // with the HTTP options
        verify,
        certificate,
        ca,
        crl,
    } = tls;
    let validation = match (verify, ca) {
        (false, CaRef::Credential(_)) => None,
        (false, _) => Some(ValidationContextType::ValidationContext(
            CertificateValidationContext::default(),
        )),
        (true, ca) => {
            let mut names = with_names(sans);
            names.crl = crl.as_ref().map(|path| file(path));
            Some(combined(names, ca))
        }
    };
    UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(versions()),
            alpn_protocols: is_http2.then(|| "h2".to_owned()).into_iter().collect(),
            tls_certificate_sds_secret_configs: certificate.iter().map(secret::certificate).collect(),
            validation_context_type: validation,
            ..Default::default()
        }),
        sni: match sni {
            ClientSni::Named(name) => name.to_string(),
            ClientSni::FromHost => String::new(),
        },
        ..Default::default()
    }
}

/// What TLS takes from each request: the server name, and the name that its certificate must have.
fn automatic(tls: &ClientTls) -> Option<UpstreamHttpProtocolOptions> {
    (tls.sni == ClientSni::FromHost).then(|| UpstreamHttpProtocolOptions {
        auto_sni: true,
        auto_san_validation: tls.check_host,
        ..Default::default()
    })
}

/// A validation by names and by authorities that are delivered.
pub(super) fn combined(names: CertificateValidationContext, ca: &CaRef) -> ValidationContextType {
    ValidationContextType::CombinedValidationContext(CombinedCertificateValidationContext {
        default_validation_context: Some(names),
        validation_context_sds_secret_config: Some(secret::authorities(ca)),
        ..Default::default()
    })
}

/// Names of which a certificate must have one.
#[expect(deprecated, reason = "X-CDS-40: Istio still names them by this field")]
pub(super) fn with_names(names: &[Text]) -> CertificateValidationContext {
    CertificateValidationContext {
        match_subject_alt_names: names.iter().map(|name| exact(name)).collect(),
        ..Default::default()
    }
}

/// A file at the proxy.
pub(super) fn file(path: &str) -> DataSource {
    DataSource {
        specifier: Some(Specifier::Filename(path.to_owned())),
        ..Default::default()
    }
}
