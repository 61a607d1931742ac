//! Peers of TLS connections: verifiers and certificate resolvers for rustls. Needs the feature `rustls`.
//!
//! ```
//! use std::sync::Arc;
//! use mesh_ca::rustls::{PeerTrust, PeerVerifier, SvidResolver};
//!
//! fn server(
//!     trust: PeerTrust,
//!     chain: Vec<Vec<u8>>,
//!     pkcs8: &[u8],
//!     provider: Arc<rustls::crypto::CryptoProvider>,
//! ) -> Result<rustls::ServerConfig, rustls::Error> {
//!     let peers = PeerVerifier::new(trust, &provider); // keep a clone, to replace what is trusted
//!     let svid = SvidResolver::new(chain, pkcs8, &provider)?; // and of this, to rotate the certificate
//!     Ok(rustls::ServerConfig::builder_with_provider(provider)
//!         .with_safe_default_protocol_versions()?
//!         .with_client_cert_verifier(Arc::new(peers))
//!         .with_cert_resolver(Arc::new(svid)))
//! }
//! ```
//!
//! Names of hosts are not looked at: who a SPIFFE peer is, its certificate says (C-VFY-15).

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use ::rustls::client::ResolvesClientCert;
use ::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use ::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use ::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime as TlsTime,
};
use ::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use ::rustls::server::{ClientHello, ResolvesServerCert};
use ::rustls::sign::CertifiedKey;
use ::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use crate::{
    BundleSet, Certificate, CrlSet, IdMatcher, KeyPurpose, Profile, RevocationPolicy, SignatureCache,
    SpiffeId, UnixTime, VerifyError, VerifyOptions,
};

/// How many signatures of intermediate certificates a verifier remembers.
const REMEMBERED_SIGNATURES: usize = 1_024;

/// What peers are verified with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerTrust {
    /// The bundles, by trust domain.
    pub bundles: BundleSet,
    /// The CRLs to ask; none by default.
    pub crls: CrlSet,
    /// How they are asked.
    pub revocation: RevocationPolicy,
    /// How strict to be; [`Profile::MESH`] by default.
    pub profile: Profile,
    /// Who may be a peer; anyone of the trusted domains by default.
    pub expected: IdMatcher,
}

impl PeerTrust {
    /// Anyone whose chain ends in these bundles.
    pub fn new(bundles: BundleSet) -> Self {
        Self {
            bundles,
            crls: CrlSet::new(),
            revocation: RevocationPolicy::default(),
            profile: Profile::MESH,
            expected: IdMatcher::Any,
        }
    }

    /// Only these peers.
    pub fn with_expected(mut self, expected: IdMatcher) -> Self {
        self.expected = expected;
        self
    }
}

/// Verifies the peers of TLS connections, both clients and servers, as SPIFFE workloads. Clones share what they trust, so
/// that it can be replaced while connections are made.
#[derive(Debug, Clone)]
pub struct PeerVerifier {
    trust: Arc<RwLock<Arc<PeerTrust>>>,
    signatures: Arc<Mutex<SignatureCache>>,
    algorithms: WebPkiSupportedAlgorithms,
    is_client_optional: bool,
}

impl PeerVerifier {
    /// Verifies with this trust. The provider checks the signatures of handshakes; those of certificates are checked by
    /// the [default provider](crate::default_verifier) of this crate.
    pub fn new(trust: PeerTrust, provider: &CryptoProvider) -> Self {
        Self {
            trust: Arc::new(RwLock::new(Arc::new(trust))),
            signatures: Arc::new(Mutex::new(SignatureCache::new(REMEMBERED_SIGNATURES))),
            algorithms: provider.signature_verification_algorithms,
            is_client_optional: false,
        }
    }

    /// Takes clients without a certificate too: then only those that send one are verified.
    pub fn with_optional_clients(mut self) -> Self {
        self.is_client_optional = true;
        self
    }

    /// Replaces what is trusted, for the connections made from now on, of all clones.
    pub fn replace(&self, trust: PeerTrust) {
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: TlsTime,
        purpose: KeyPurpose,
    ) -> Result<(), Error> {
        let trust = Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner));
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let options = VerifyOptions::at(UnixTime::from_secs(now))
            .with_purpose(purpose)
            .with_profile(trust.profile.clone())
            .with_expected(&trust.expected)
            .with_crls(&trust.crls, trust.revocation.clone());
        let chain: Vec<&[u8]> = std::iter::once(leaf)
            .chain(intermediates)
            .map(AsRef::as_ref)
            .collect();
        // Whoever finds the cache in use does without it: nobody waits.
        let result = match self.signatures.try_lock() {
            Ok(mut cache) => trust.bundles.verify_cached(&chain, &options, &mut cache),
            Err(_) => trust.bundles.verify(&chain, &options),
        };
        result.map(|_| ()).map_err(|error| error_of(&error))
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: TlsTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(end_entity, intermediates, now, KeyPurpose::ServerAuth)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    /// No hints: a workload has one certificate, whoever asks.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        !self.is_client_optional
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: TlsTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(end_entity, intermediates, now, KeyPurpose::ClientAuth)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Presents the SVID of this workload, as client and as server. Clones share it, so that it can be rotated while
/// connections are made. It holds a private key, and is therefore not saved: keep the chain and the key where keys are kept,
/// and make it anew.
#[derive(Debug, Clone)]
pub struct SvidResolver {
    svid: Arc<RwLock<Arc<CertifiedKey>>>,
}

impl SvidResolver {
    /// From the chain, leaf first, and the private key in PKCS#8.
    ///
    /// # Errors
    /// When the provider cannot use the key, or it does not belong to the leaf.
    pub fn new(chain: Vec<Vec<u8>>, pkcs8: &[u8], provider: &CryptoProvider) -> Result<Self, Error> {
        let svid = certified(chain, pkcs8, provider)?;
        Ok(Self {
            svid: Arc::new(RwLock::new(Arc::new(svid))),
        })
    }

    /// Presents another SVID from now on, in all clones.
    ///
    /// # Errors
    /// As [`new`](Self::new); the one before stays then.
    pub fn replace(&self, chain: Vec<Vec<u8>>, pkcs8: &[u8], provider: &CryptoProvider) -> Result<(), Error> {
        let svid = Arc::new(certified(chain, pkcs8, provider)?);
        *self.svid.write().unwrap_or_else(PoisonError::into_inner) = svid;
        Ok(())
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.svid.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for SvidResolver {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for SvidResolver {
    fn resolve(&self, _root_hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Who the peer of an established connection is, from its `peer_certificates`. The connection must have been made with a
/// [`PeerVerifier`]; this only reads what it has verified.
pub fn peer_id(certificates: Option<&[CertificateDer<'_>]>) -> Option<SpiffeId> {
    let leaf = Certificate::parse(certificates?.first()?).ok()?;
    leaf.spiffe_id().map(SpiffeId::from)
}

fn certified(chain: Vec<Vec<u8>>, pkcs8: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec()));
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    CertifiedKey::from_der(chain, key, provider)
}

/// The error of rustls that leads to the fitting alert; the others carry ours inside.
fn error_of(error: &VerifyError) -> Error {
    Error::InvalidCertificate(match error {
        VerifyError::Expired { .. } => CertificateError::Expired,
        VerifyError::Malformed { depth: 0, .. } => CertificateError::BadEncoding,
        VerifyError::NotExpected { .. } => CertificateError::ApplicationVerificationFailure,
        VerifyError::NotYetValid { .. } => CertificateError::NotValidYet,
        VerifyError::Purpose { .. } => CertificateError::InvalidPurpose,
        VerifyError::RevocationUnknown { .. } => CertificateError::UnknownRevocationStatus,
        VerifyError::Revoked { .. } => CertificateError::Revoked,
        VerifyError::Signature { .. } => CertificateError::BadSignature,
        VerifyError::UnknownIssuer { .. } | VerifyError::UntrustedDomain { .. } => {
            CertificateError::UnknownIssuer
        }
        other => CertificateError::Other(OtherError(Arc::new(other.clone()))),
    })
}
