//! What an agent is told at its start, and what its proxy is told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rotation::SvidRotationConfig;
use crate::spiffe_id::SpiffeId;

use super::secret::PrivateKeyProvider;

/// The name of the secret with the workload's certificate and key.
pub const DEFAULT_SECRET: &str = "default";
/// The name of the secret with the trusted authorities.
pub const ROOT_SECRET: &str = "ROOTCA";

/// How an agent gets, keeps and hands out the certificate of one workload.
///
/// ```
/// use mesh_ca::agent::SdsAgentConfig;
///
/// let config = SdsAgentConfig::new("spiffe://cluster.local/ns/shop/sa/reviews".parse()?);
/// assert_eq!((config.token_audience.as_str(), config.secret_ttl.as_secs()), ("istio-ca", 86_400));
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: Istio pkg/security `Options`; ca.md C-SDS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdsAgentConfig {
    /// The identity of the workload.
    pub id: SpiffeId,
    /// The Unix socket at which the proxy asks. Default `./var/run/secrets/workload-spiffe-uds/socket`.
    pub uds_path: String,
    /// Where the CA is. Default `istiod.istio-system.svc:15012`.
    pub ca_address: String,
    /// The name of the cluster, sent to the CA. Default `Kubernetes`.
    pub cluster_id: String,
    /// The audience of the token that is shown to the CA. Default `istio-ca`.
    pub token_audience: String,
    /// The lifetime that is asked for. Default 24 h.
    pub secret_ttl: Duration,
    /// A named signer at the CA.
    pub cert_signer: Option<String>,
    /// In shared-node mode, the identity is that of another workload, which is asked for by name.
    pub impersonate: bool,
    /// Authorities in PEM that are trusted from the start.
    pub trust_anchors: String,
    /// Whether authorities that the CA returns are trusted. Default true, as in Istio: the connection to the CA is
    /// authenticated, and vouches for them.
    pub trust_returned_roots: bool,
    /// Whether the chain that is served ends with the authorities, as Istio's agent has it. Default false.
    pub serve_roots_in_chain: bool,
    /// Files with certificate, key and authorities that take precedence over the CA, if they are there.
    pub workload_files: Option<WorkloadFiles>,
    /// Where certificate, key and authorities are written to.
    pub output_dir: Option<String>,
    /// Who does the private key's work in the proxy.
    pub private_key_provider: Option<PrivateKeyProvider>,
    /// When the certificate is renewed.
    pub rotation: SvidRotationConfig,
}

/// Files of a workload that has its certificate from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadFiles {
    /// The folder; files in it are ignored when the agent writes to the same one.
    pub dir: String,
    /// The certificate and its intermediates.
    pub certificate: String,
    /// The key.
    pub key: String,
    /// The authorities.
    pub roots: String,
}

impl WorkloadFiles {
    pub(super) fn paths(&self) -> [String; 3] {
        [self.certificate.clone(), self.key.clone(), self.roots.clone()]
    }
}

impl SdsAgentConfig {
    /// The defaults of Istio's agent for this identity.
    pub fn new(id: SpiffeId) -> Self {
        Self {
            id,
            uds_path: "./var/run/secrets/workload-spiffe-uds/socket".to_owned(),
            ca_address: "istiod.istio-system.svc:15012".to_owned(),
            cluster_id: "Kubernetes".to_owned(),
            token_audience: "istio-ca".to_owned(),
            secret_ttl: Duration::from_secs(86_400),
            cert_signer: None,
            impersonate: false,
            trust_anchors: String::new(),
            trust_returned_roots: true,
            serve_roots_in_chain: false,
            workload_files: None,
            output_dir: None,
            private_key_provider: None,
            rotation: SvidRotationConfig::default(),
        }
    }

    /// What the proxy's bootstrap has to hold (step 1 of 5).
    pub fn bootstrap(&self) -> SdsBootstrap {
        let istio = self.id.istio_identity();
        SdsBootstrap {
            uds_path: self.uds_path.clone(),
            trust_domain: self.id.trust_domain().as_str().to_owned(),
            namespace: istio.map(|istio| istio.namespace.to_owned()),
            service_account: istio.map(|istio| istio.service_account.to_owned()),
            cluster_id: self.cluster_id.clone(),
            certificate_secret: DEFAULT_SECRET.to_owned(),
            root_secret: ROOT_SECRET.to_owned(),
        }
    }

    /// The workload's files, unless the agent itself writes them.
    pub(super) fn files(&self) -> Option<&WorkloadFiles> {
        self.workload_files
            .as_ref()
            .filter(|files| self.output_dir.as_ref() != Some(&files.dir))
    }

    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let signer = self
            .cert_signer
            .iter()
            .map(|signer| ("CertSigner".to_owned(), signer.clone()));
        let impersonated = self
            .impersonate
            .then(|| ("ImpersonatedIdentity".to_owned(), self.id.to_string()));
        signer.chain(impersonated).collect()
    }
}

/// What a proxy needs to know to ask an agent for its secrets: the cluster of the socket, and the names to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdsBootstrap {
    /// The Unix socket of the agent.
    pub uds_path: String,
    /// The trust domain of the workload.
    pub trust_domain: String,
    /// Its namespace, where the identity has Istio's form.
    pub namespace: Option<String>,
    /// Its service account, where the identity has Istio's form.
    pub service_account: Option<String>,
    /// The name of the cluster.
    pub cluster_id: String,
    /// The secret with certificate and key.
    pub certificate_secret: String,
    /// The secret with the authorities.
    pub root_secret: String,
}
