//! TLS from clients (X-IL-6, X-GW-9).

use mesh_api::names::Text;
use mesh_route::plan::{
    CaRef, CertificateRef, ClientAuth, DownstreamTls, MeshServerTls, Origin, ServerTls, TlsVersion, Transport,
};

use super::filter_chain::ChainView;
use super::report::{Notes, Problem};
use super::secret;
use super::upstream_tls::{combined, file, with_names};
use crate::pb::envoy::config::core::v3::TransportSocket;
use crate::pb::envoy::config::core::v3::transport_socket::ConfigType;
use crate::pb::envoy::extensions::transport_sockets::quic::v3::QuicDownstreamTransport;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::certificate_validation_context::TrustChainVerification;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::common_tls_context::ValidationContextType;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::tls_parameters::TlsProtocol;
use crate::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, DownstreamTlsContext, TlsParameters,
};
use crate::pb::envoy::r#type::matcher::v3::StringMatcher;
use crate::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use crate::pb::pack;

/// The protocol by which sidecars tell each other who they are over TCP.
const PEER_EXCHANGE: &str = "istio-peer-exchange";

/// Cipher suites up to TLS 1.2 that Envoy knows; it refuses a chain that names any other.
const CIPHERS: [&str; 14] = [
    "AES128-GCM-SHA256",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-CHACHA20-POLY1305",
];

/// The transport socket of a chain; none for plaintext, or TLS that is not looked into.
pub(super) fn transport_socket(
    tls: &DownstreamTls,
    is_tcp: bool,
    view: &ChainView,
    origin: &Origin,
    notes: &mut Notes,
) -> Option<TransportSocket> {
    let context = match tls {
        DownstreamTls::Plain => return None,
        DownstreamTls::Mesh(tls) => {
            let exchanges = is_tcp && view.profile.metadata_exchange();
            mesh_context(tls, exchanges, origin, notes)
        }
        DownstreamTls::Server(tls) => server_context(tls, notes),
    };
    let (name, config) = match view.transport {
        Transport::Tcp => ("envoy.transport_sockets.tls", pack(&context)),
        Transport::Quic => {
            let quic = QuicDownstreamTransport {
                downstream_tls_context: Some(DownstreamTlsContext {
                    require_client_certificate: Some(false), // X-GW-9
                    ..context
                }),
                ..Default::default()
            };
            ("envoy.transport_sockets.quic", pack(&quic))
        }
    };
    Some(TransportSocket {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
    })
}

fn mesh_context(
    tls: &MeshServerTls,
    exchanges: bool,
    origin: &Origin,
    notes: &mut Notes,
) -> DownstreamTlsContext {
    let MeshServerTls {
        trust_domains,
        alpn,
        require_tls13,
        ciphers,
    } = tls;
    let minimum = if *require_tls13 {
        TlsVersion::V1_3
    } else {
        TlsVersion::V1_2
    };
    let exchange = exchanges.then(|| PEER_EXCHANGE.to_owned());
    let offered = exchange.into_iter().chain(alpn.iter().map(Text::to_string));
    DownstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(TlsParameters {
                tls_minimum_protocol_version: version(minimum).into(),
                tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
                cipher_suites: known_ciphers(ciphers, origin, notes),
                ..Default::default()
            }),
            alpn_protocols: offered.collect(),
            tls_certificate_sds_secret_configs: vec![secret::certificate(&CertificateRef::Workload)],
            validation_context_type: Some(combined(of_trust_domains(trust_domains), &CaRef::Mesh)),
            ..Default::default()
        }),
        require_client_certificate: Some(true),
        ..Default::default()
    }
}

fn server_context(tls: &ServerTls, notes: &mut Notes) -> DownstreamTlsContext {
    let ServerTls {
        certificates,
        client,
        ca,
        sans,
        spki,
        hashes,
        min_version,
        max_version,
        ciphers,
        alpn,
        crl,
        accept_untrusted,
        origin,
    } = tls;
    let texts = |list: &[Text]| -> Vec<String> { list.iter().map(Text::to_string).collect() };
    let trust = if *accept_untrusted {
        TrustChainVerification::AcceptUntrusted
    } else {
        TrustChainVerification::VerifyTrustChain
    };
    let names = CertificateValidationContext {
        verify_certificate_spki: texts(spki),
        verify_certificate_hash: texts(hashes),
        crl: crl.as_ref().map(|path| file(path)),
        trust_chain_verification: trust.into(),
        ..with_names(sans)
    };
    let validation = match (client, ca) {
        (ClientAuth::None, _) => None,
        (ClientAuth::Request | ClientAuth::Require, Some(ca)) => Some(combined(names, ca)),
        (ClientAuth::Request | ClientAuth::Require, None) => {
            Some(ValidationContextType::ValidationContext(names))
        }
    };
    let maximum = max_version.map_or(TlsProtocol::TlsAuto, version);
    DownstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(TlsParameters {
                tls_minimum_protocol_version: min_version.map_or(TlsProtocol::TlSv12, version).into(),
                tls_maximum_protocol_version: maximum.into(),
                cipher_suites: known_ciphers(ciphers, origin, notes),
                ..Default::default()
            }),
            alpn_protocols: texts(alpn),
            tls_certificate_sds_secret_configs: certificates.iter().map(secret::certificate).collect(),
            validation_context_type: validation,
            ..Default::default()
        }),
        require_client_certificate: Some(*client == ClientAuth::Require),
        ..Default::default()
    }
}

fn version(version: TlsVersion) -> TlsProtocol {
    match version {
        TlsVersion::V1_0 => TlsProtocol::TlSv10,
        TlsVersion::V1_1 => TlsProtocol::TlSv11,
        TlsVersion::V1_2 => TlsProtocol::TlSv12,
        TlsVersion::V1_3 => TlsProtocol::TlSv13,
    }
}

/// Clients of these trust domains.
#[expect(deprecated, reason = "X-IL-6: Istio still names them by this field")]
fn of_trust_domains(domains: &[Text]) -> CertificateValidationContext {
    let prefix = |domain: &Text| StringMatcher {
        match_pattern: Some(MatchPattern::Prefix(format!("spiffe://{domain}/"))),
        ..Default::default()
    };
    CertificateValidationContext {
        match_subject_alt_names: domains.iter().map(prefix).collect(),
        ..Default::default()
    }
}

fn known_ciphers(ciphers: &[Text], origin: &Origin, notes: &mut Notes) -> Vec<String> {
    let mut known = Vec::with_capacity(ciphers.len());
    for cipher in ciphers {
        if CIPHERS.contains(&cipher.as_str()) {
            known.push(cipher.to_string());
        } else {
            notes.warn(Some(origin), Problem::UnknownCipher(cipher.clone()));
        }
    }
    known
}
