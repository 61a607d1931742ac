//! TLS towards endpoints (R-TP-9, R-PA-6, X-CDS-38 to -45).

use std::sync::Arc;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::Text;
use mesh_api::networking::{ClientTlsMode, ClientTlsSettings};
use mesh_api::security::MutualTlsMode;

use super::traffic_policy::Blocks;
use crate::plan::{
    CaRef, CertificateRef, ClientSni, ClientTls, Level, MeshTls, RuleId, Sourced, UpstreamTls,
};
use crate::snapshot::Indexes;
use crate::snapshot::service::Service;

/// What the TLS of a cluster is decided from, beside its policy.
#[derive(Clone, Copy)]
pub(super) struct TlsView<'a> {
    /// The snapshot, for PeerAuthentication.
    pub(super) indexes: &'a Indexes,
    /// Mesh configuration.
    pub(super) mesh: &'a MeshConfig,
    /// The service.
    pub(super) service: &'a Service,
    /// Identities of the service's endpoints.
    pub(super) identities: &'a Arc<[Text]>,
    /// Whether clients connect to endpoints one by one, so that all must be able to speak TLS (R-PA-6).
    pub(super) passthrough: bool,
    /// Whether the proxy is a sidecar, which cannot fetch credentials (X-CDS-44).
    pub(super) sidecar: bool,
    /// Whether the rule has a workload selector.
    pub(super) selected: bool,
}

/// Decides the TLS of a cluster.
pub(super) fn upstream_tls(blocks: &Blocks<'_>, view: TlsView<'_>) -> Sourced<UpstreamTls> {
    match blocks.tls {
        Some((settings, level)) => Sourced::new(explicit(settings, view), level),
        None => automatic(view),
    }
}

fn automatic(view: TlsView<'_>) -> Sourced<UpstreamTls> {
    let level = Level::Default(RuleId::AutoMtls);
    if view.service.external || !view.mesh.enable_auto_mtls {
        return Sourced::new(UpstreamTls::Plain, level);
    }
    let (mode, _) = view.indexes.peer_authentication.inferred(&view.service.namespace);
    let capable = |service: &Service| {
        let mut endpoints = service.endpoints.iter().peekable();
        endpoints.peek().is_some() && endpoints.all(|e| e.tls == crate::plan::TlsCapability::Istio)
    };
    if mode == MutualTlsMode::Disable || (view.passthrough && !capable(view.service)) {
        return Sourced::new(UpstreamTls::Plain, level);
    }
    let tls = MeshTls {
        sni: None,
        sans: Arc::clone(view.identities),
    };
    Sourced::new(UpstreamTls::Auto(tls), level)
}

fn explicit(settings: &ClientTlsSettings, view: TlsView<'_>) -> UpstreamTls {
    let ClientTlsSettings {
        mode,
        client_certificate,
        private_key,
        ca_certificates,
        credential_name,
        subject_alt_names,
        sni,
        insecure_skip_verify,
        ca_crl,
    } = settings;
    let text = |value: &String| (!value.is_empty()).then(|| Text::new(value));
    if *mode == ClientTlsMode::IstioMutual {
        let sans = match subject_alt_names.as_slice() {
            [] => Arc::clone(view.identities),
            names => names.iter().map(Text::from).collect(),
        };
        return UpstreamTls::Mesh(MeshTls { sni: text(sni), sans });
    }
    if !matches!(mode, ClientTlsMode::Simple | ClientTlsMode::Mutual) {
        return UpstreamTls::Plain;
    }
    let is_remote = !credential_name.is_empty() && !credential_name.starts_with("configmap://");
    // quirk X-CDS-44: a sidecar without a selected rule ignores the whole block.
    if view.sidecar && is_remote && !view.selected {
        return UpstreamTls::Plain;
    }
    let verify = !insecure_skip_verify.unwrap_or(false);
    let certificate = match (mode, credential_name.as_str()) {
        (ClientTlsMode::Mutual, "") => {
            // X-CDS-45: without certificate and key the block cannot be applied.
            if client_certificate.is_empty() || private_key.is_empty() {
                return UpstreamTls::Plain;
            }
            let files = CertificateRef::Files {
                certificate: Text::new(client_certificate),
                key: Text::new(private_key),
            };
            Some(files)
        }
        (ClientTlsMode::Mutual, name) => Some(CertificateRef::Credential(Text::new(name))),
        _ => None,
    };
    let ca = match (credential_name.as_str(), ca_certificates.as_str()) {
        ("", "") => CaRef::System,
        ("", file) => CaRef::File(Text::new(file)),
        (name, _) => CaRef::Credential(Text::from(format!("{name}-cacert"))), // X-CDS-44
    };
    let own_sans = subject_alt_names.iter().map(Text::from);
    let sans: Box<[Text]> = match subject_alt_names.as_slice() {
        [] => view.service.subject_alt_names.iter().cloned().collect(),
        _ => own_sans.collect(),
    };
    let tls = ClientTls {
        sni: text(sni).map_or(ClientSni::FromHost, ClientSni::Named),
        check_host: sni.is_empty() && subject_alt_names.is_empty() && verify,
        sans,
        verify,
        certificate,
        ca,
        crl: text(ca_crl),
    };
    if *mode == ClientTlsMode::Mutual {
        UpstreamTls::Mutual(Box::new(tls))
    } else {
        UpstreamTls::Simple(Box::new(tls))
    }
}

/// Identities that the servers of a service may have: those of its endpoints, sorted; for a ServiceEntry the listed
/// names (X-CDS-43).
pub(super) fn identities(service: &Service, trust_domain_aliases: &[String]) -> Arc<[Text]> {
    if !service.subject_alt_names.is_empty() {
        return service.subject_alt_names.iter().cloned().collect();
    }
    let mut names = std::collections::BTreeSet::new();
    for identity in service
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.identity.as_ref())
    {
        names.insert(Text::from(identity.to_string()));
        for alias in trust_domain_aliases {
            names.insert(Text::from(format!("spiffe://{alias}{}", identity.path())));
        }
    }
    names.into_iter().collect()
}
