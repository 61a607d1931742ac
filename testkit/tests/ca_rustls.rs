//! Handshakes between two rustls connections in memory, with verifiers and resolvers of mesh-ca on both sides.

use std::sync::Arc;
use std::time::Duration;

use mesh_ca::rustls::{PeerTrust, PeerVerifier, SvidResolver, peer_id};
use mesh_ca::{BundleSet, Crl, CrlSet, IdMatcher, KeyFormat, Limits, TrustBundle};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection,
};
use testkit::pki::{Authority, NOW, leaf_key, serial};

const CLIENT: &str = "spiffe://td/client";
const SERVER: &str = "spiffe://td/server";

/// The clock of both sides.
#[derive(Debug)]
struct At(i64);

impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0 as u64)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn trust(root: &Authority) -> PeerTrust {
    let mut bundle = TrustBundle::new("td".parse().unwrap());
    bundle.insert_x509(&root.certificate).unwrap();
    PeerTrust::new(BundleSet::new(bundle))
}

fn svid(issuer: &Authority, id: &str) -> SvidResolver {
    let chain = vec![issuer.leaf(id), issuer.certificate.clone()];
    let key = leaf_key(id).to_der(KeyFormat::Pkcs8);
    SvidResolver::new(chain, key.expose(), &provider()).unwrap()
}

/// Both ends of a connection.
struct Pair {
    client: ClientConnection,
    server: ServerConnection,
}

impl Pair {
    fn new(client: (PeerVerifier, SvidResolver), server: (PeerVerifier, SvidResolver), at: i64) -> Self {
        let client = ClientConfig::builder_with_details(provider(), Arc::new(At(at)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(client.0))
            .with_client_cert_resolver(Arc::new(client.1));
        let server = ServerConfig::builder_with_details(provider(), Arc::new(At(at)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(server.0))
            .with_cert_resolver(Arc::new(server.1));
        // The name is sent and not compared.
        let name = ServerName::try_from("server.example").unwrap();
        Self {
            client: ClientConnection::new(Arc::new(client), name).unwrap(),
            server: ServerConnection::new(Arc::new(server)).unwrap(),
        }
    }

    fn shake_hands(&mut self) -> Result<(), Error> {
        for _ in 0..10 {
            let mut wire = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut wire).unwrap();
            }
            let mut rest = &wire[..];
            while !rest.is_empty() {
                self.server.read_tls(&mut rest).unwrap();
                self.server.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut wire).unwrap();
            }
            let mut rest = &wire[..];
            while !rest.is_empty() {
                self.client.read_tls(&mut rest).unwrap();
                self.client.process_new_packets()?;
            }
        }
        assert!(!self.client.is_handshaking() && !self.server.is_handshaking());
        Ok(())
    }
}

#[test]
fn both_sides_know_each_other() {
    let root = Authority::root("root");
    let middle = root.intermediate("middle");
    let peers = PeerVerifier::new(trust(&root), &provider());
    let mut pair = Pair::new(
        (peers.clone(), svid(&middle, CLIENT)),
        (peers, svid(&middle, SERVER)),
        NOW,
    );
    pair.shake_hands().unwrap();
    assert_eq!(peer_id(pair.server.peer_certificates()).unwrap().as_str(), CLIENT);
    assert_eq!(peer_id(pair.client.peer_certificates()).unwrap().as_str(), SERVER);
}

#[test]
fn strangers_and_late_comers_are_refused() {
    let (root, stranger) = (Authority::root("root"), Authority::root("stranger"));
    let (ours, theirs) = (root.intermediate("middle"), stranger.intermediate("their middle"));
    let peers = || PeerVerifier::new(trust(&root), &provider());
    let mut pair = Pair::new(
        (peers(), svid(&ours, CLIENT)),
        (peers(), svid(&theirs, SERVER)),
        NOW,
    );
    assert_eq!(
        pair.shake_hands(),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    );
    let mut pair = Pair::new(
        (peers(), svid(&theirs, CLIENT)),
        (peers(), svid(&ours, SERVER)),
        NOW,
    );
    assert_eq!(
        pair.shake_hands(),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    );
    let mut pair = Pair::new(
        (peers(), svid(&ours, CLIENT)),
        (peers(), svid(&ours, SERVER)),
        NOW + 3 * 365 * 86_400,
    );
    assert_eq!(
        pair.shake_hands(),
        Err(Error::InvalidCertificate(CertificateError::Expired))
    );
    let only = IdMatcher::Exact("spiffe://td/other".parse().unwrap());
    let picky = PeerVerifier::new(trust(&root).with_expected(only), &provider());
    let mut pair = Pair::new((picky, svid(&ours, CLIENT)), (peers(), svid(&ours, SERVER)), NOW);
    let refused = CertificateError::ApplicationVerificationFailure;
    assert_eq!(pair.shake_hands(), Err(Error::InvalidCertificate(refused)));
}

/// Trust and certificates are replaced under running configurations.
#[test]
fn trust_and_svids_are_replaced() {
    let (old, new) = (Authority::root("old"), Authority::root("new"));
    let (old_middle, new_middle) = (old.intermediate("middle"), new.intermediate("new middle"));
    let peers = PeerVerifier::new(trust(&old), &provider());
    let server = svid(&old_middle, SERVER);
    let shake_hands = || {
        let client = svid(&old_middle, CLIENT);
        let mut pair = Pair::new(
            (peers.clone(), client),
            (PeerVerifier::new(trust(&old), &provider()), server.clone()),
            NOW,
        );
        pair.shake_hands()
    };
    shake_hands().unwrap();
    let key = leaf_key(SERVER).to_der(KeyFormat::Pkcs8);
    let chain = vec![new_middle.leaf(SERVER), new_middle.certificate.clone()];
    server.replace(chain, key.expose(), &provider()).unwrap();
    assert!(shake_hands().is_err(), "the client knows the old root only");
    peers.replace(trust(&new));
    shake_hands().unwrap();
    let crl = new_middle.crl().revoke(&serial(SERVER)).sign(&new_middle.key);
    let root_crl = new.crl().sign(&new.key);
    let mut crls = CrlSet::new();
    crls.update([crl, root_crl].map(|crl| Crl::parse(&crl, &Limits::default()).unwrap()))
        .unwrap();
    peers.replace(PeerTrust { crls, ..trust(&new) });
    assert_eq!(
        shake_hands(),
        Err(Error::InvalidCertificate(CertificateError::Revoked))
    );
}

/// A client without certificate is refused, unless that is allowed.
#[test]
fn clients_without_certificates() {
    let root = Authority::root("root");
    let middle = root.intermediate("middle");
    let check = |server: PeerVerifier| {
        let mut pair = Pair::new(
            (
                PeerVerifier::new(trust(&root), &provider()),
                svid(&middle, CLIENT),
            ),
            (server, svid(&middle, SERVER)),
            NOW,
        );
        let client = ClientConfig::builder_with_details(provider(), Arc::new(At(NOW)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PeerVerifier::new(trust(&root), &provider())))
            .with_no_client_auth();
        let name = ServerName::try_from("server.example").unwrap();
        pair.client = ClientConnection::new(Arc::new(client), name).unwrap();
        pair.shake_hands()
    };
    let verifier = || PeerVerifier::new(trust(&root), &provider());
    check(verifier().with_optional_clients()).unwrap();
    let error = check(verifier()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::NoCertificatesPresented | Error::AlertReceived(AlertDescription::CertificateRequired)
        ),
        "{error}"
    );
}
