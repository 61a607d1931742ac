//! What mesh-ca issues, before judges that share no code with it: OpenSSL's command line, where it is there.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    Authority, CaProfile, Caller, CsrBuilder, CsrPolicy, CsrProfile, InsecureSeededEntropy, IssuePolicy,
    KeyAlgorithm, KeyFormat, KeyPair, LeafProfile, SpiffeId, TrustDomain, UnixTime,
};
use testkit::openssl::is_there;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const KINDS: [KeyAlgorithm; 3] = [
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::Ed25519,
];

/// A folder for the files of one test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mesh-ca-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs OpenSSL; what it prints, or what it complains about.
fn openssl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("openssl runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout) + &text(&output.stderr))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

fn id() -> SpiffeId {
    "spiffe://td/ns/shop/sa/reviews".parse().expect("an id")
}

/// C-CSR-1: OpenSSL verifies our requests, and reads in them what was asked for.
#[test]
fn openssl_accepts_our_requests() {
    if !is_there() {
        return;
    }
    let folder = Folder::new("requests");
    let mut compared = 0;
    for kind in KINDS {
        for profile in [CsrProfile::Spiffe, CsrProfile::IstioAgent] {
            let key = KeyPair::generate_for(kind, &mut InsecureSeededEntropy::new(3)).expect("a key");
            let csr = CsrBuilder::new(&id())
                .with_profile(profile)
                .with_dns_name("reviews.shop.svc")
                .build(&key)
                .expect("a request");
            let file = folder.write("request.pem", csr.to_pem());
            let text = openssl(&["req", "-in", &file, "-verify", "-noout", "-text"]).expect("accepted");
            assert!(
                text.contains("URI:spiffe://td/ns/shop/sa/reviews, DNS:reviews.shop.svc"),
                "{text}"
            );
            assert!(
                text.contains("X509v3 Subject Alternative Name: critical"),
                "{text}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

/// C-KEY-7: OpenSSL reads our keys, and finds their parts consistent.
#[test]
fn openssl_reads_our_keys() {
    if !is_there() {
        return;
    }
    let folder = Folder::new("keys");
    for kind in KINDS {
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let key = KeyPair::generate_for(kind, &mut InsecureSeededEntropy::new(4)).expect("a key");
            let file = folder.write("key.pem", key.to_pem(format).expose());
            let public = openssl(&["pkey", "-in", &file, "-pubout"]).expect("accepted");
            assert_eq!(public, pem::encode(PemLabel::PublicKey, key.public_key().der()));
        }
    }
}

/// C-SIGN-14: OpenSSL verifies our chains in their time, and not outside.
#[test]
fn openssl_verifies_our_chains() {
    if !is_there() {
        return;
    }
    let folder = Folder::new("chains");
    let domain: TrustDomain = "td".parse().expect("a trust domain");
    let mut accepted = 0;
    for (number, kind) in (0_u64..).zip(KINDS) {
        for constrained in [false, true] {
            for profile in [LeafProfile::Rfc, LeafProfile::IstioCompat] {
                let mut entropy = InsecureSeededEntropy::new(number);
                let mut key = |kind| Arc::new(KeyPair::generate_for(kind, &mut entropy).expect("a key"));
                let (root_key, intermediate_key, leaf_key) =
                    (key(kind), key(kind), key(KeyAlgorithm::EcdsaP256));
                let mut root = CaProfile::root(domain.clone())
                    .self_sign(root_key, NOW, &mut entropy)
                    .expect("a root");
                let csr =
                    CsrBuilder::for_intermediate(&domain).map(|builder| builder.build(&intermediate_key));
                let csr = csr.expect("an id").expect("a request");
                let server: SpiffeId = "spiffe://td/server".parse().expect("an id");
                let grant = CsrPolicy::istio()
                    .check_ca(csr.der())
                    .expect("a valid request")
                    .authorize(&Caller::from(&server).with_downstream(true))
                    .expect("a grant");
                let mut shape = CaProfile::intermediate(domain.clone());
                if constrained {
                    shape = shape.with_name_constraints([domain.clone()]);
                }
                let issued = root
                    .issue_intermediate(&grant, &shape, NOW, &mut entropy)
                    .expect("an intermediate");
                let mut ca: Authority = root
                    .intermediate(&issued, intermediate_key)
                    .expect("an authority")
                    .with_policy(IssuePolicy {
                        profile,
                        ..IssuePolicy::default()
                    });
                let csr = CsrBuilder::new(&id()).build(&leaf_key).expect("a request");
                let grant = CsrPolicy::istio()
                    .check(csr.der())
                    .expect("a valid request")
                    .authorize(&Caller::from(&id()))
                    .expect("a grant");
                let svid = ca.issue(&grant, NOW, &mut entropy).expect("an SVID");
                let files = [
                    folder.write("root.pem", root.trust_bundle().to_pem()),
                    folder.write("intermediate.pem", issued.to_pem()),
                    folder.write("leaf.pem", pem::encode(PemLabel::Certificate, svid.leaf())),
                ];
                let verify = |time: UnixTime| {
                    let [root, intermediate, leaf] = &files;
                    openssl(&[
                        "verify",
                        "-x509_strict",
                        "-attime",
                        &time.as_secs().to_string(),
                        "-purpose",
                        "sslserver",
                        "-CAfile",
                        root,
                        "-untrusted",
                        intermediate,
                        leaf,
                    ])
                };
                verify(NOW).expect("accepted");
                verify(svid.record().not_before).expect("accepted in the first second");
                assert!(verify(svid.record().not_after + Duration::from_secs(2)).is_err());
                assert!(verify(svid.record().not_before - Duration::from_secs(2)).is_err());
                let text = openssl(&["x509", "-in", &files[2], "-noout", "-text"]).expect("readable");
                assert!(
                    text.contains("X509v3 Subject Alternative Name: critical"),
                    "{text}"
                );
                assert!(text.contains("URI:spiffe://td/ns/shop/sa/reviews"), "{text}");
                assert!(text.contains("CA:FALSE"), "{text}");
                accepted += 1;
            }
        }
    }
    assert_eq!(accepted, 12);
}
