//! What mesh-ca issues, before the `spiffe` crate, which shares no code with it: leaves with their keys, bundles, and
//! JWT-SVIDs. Both read ids alike.
//!
//! The crate checks the form of leaves, intermediates and keys; it looks neither whether they belong together nor for a path to
//! a bundle. It takes the time of JWT-SVIDs from the clock, so that the tokens here are made for the present.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mesh_ca::jwt::{JwtMinter, JwtRequest};
use mesh_ca::{
    Authority, CaProfile, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyAlgorithm, KeyFormat,
    KeyPair, SpiffeId, TrustBundle, TrustDomain, UnixTime,
};
use proptest::prelude::*;

const KINDS: [KeyAlgorithm; 2] = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384];

fn now() -> UnixTime {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a time after 1970");
    UnixTime::from_secs(i64::try_from(since.as_secs()).expect("a time of this era"))
}

fn domain() -> TrustDomain {
    "example.org".parse().expect("a trust domain")
}

fn id() -> SpiffeId {
    "spiffe://example.org/ns/shop/sa/reviews".parse().expect("an id")
}

/// A root, and an intermediate below it.
fn authorities(entropy: &mut InsecureSeededEntropy) -> [Authority; 2] {
    let mut root = Authority::self_signed(domain(), now(), entropy).expect("a root");
    let key = KeyPair::generate(entropy).expect("a key");
    let csr = CsrBuilder::for_intermediate(&domain())
        .expect("a request")
        .build(&key)
        .expect("a request");
    let grant = CsrPolicy::istio()
        .check_ca(csr.der())
        .expect("a valid request")
        .authorize(&Caller::from(&id()).with_downstream(true))
        .expect("it may have one");
    let issued = root
        .issue_intermediate(&grant, &CaProfile::intermediate(domain()), now(), entropy)
        .expect("an intermediate");
    let below = root.intermediate(&issued, Arc::new(key)).expect("its authority");
    [root, below]
}

/// C-SIGN-7..10, C-SIGN-15: leaves of roots and of intermediates are taken, with the key in PKCS#8, and the id is the same.
#[test]
fn leaves_are_accepted() {
    let mut entropy = InsecureSeededEntropy::new(1);
    for mut ca in authorities(&mut entropy) {
        for kind in KINDS {
            let key = KeyPair::generate_for(kind, &mut entropy).expect("a key");
            let csr = CsrBuilder::new(&id()).build(&key).expect("a request");
            let csr = CsrPolicy::istio().check(csr.der()).expect("a valid request");
            let grant = csr.authorize(&Caller::from(&id())).expect("its own id");
            let svid = ca.issue(&grant, now(), &mut entropy).expect("an SVID");
            let chain: Vec<u8> = svid.chain().iter().flat_map(|der| der.to_vec()).collect();
            let secret = key.to_der(KeyFormat::Pkcs8);
            let read = spiffe::X509Svid::parse_from_der(&chain, secret.expose()).expect("an X509-SVID");
            assert_eq!(read.spiffe_id().to_string(), id().as_str());
            assert_eq!(read.cert_chain().len(), svid.chain().len());
            assert_eq!(read.leaf().as_bytes(), svid.leaf());
            let cut = &secret.expose()[..secret.expose().len() - 1];
            assert!(spiffe::X509Svid::parse_from_der(&chain, cut).is_err());
            let lonely = &chain[..svid.leaf().len() - 1];
            assert!(spiffe::X509Svid::parse_from_der(lonely, secret.expose()).is_err());
        }
    }
}

/// C-BND-1, C-BND-2: the authorities of a bundle are taken, and the keys of its document.
#[test]
fn bundles_are_accepted() {
    let mut entropy = InsecureSeededEntropy::new(2);
    let theirs = spiffe::TrustDomain::new("example.org").expect("a trust domain");
    let mut bundle = TrustBundle::new(domain());
    for _ in 0..3 {
        let root = Authority::self_signed(domain(), now(), &mut entropy).expect("a root");
        bundle.insert_x509(root.certificate_der()).expect("a root");
    }
    let all: Vec<u8> = bundle
        .x509_authorities()
        .iter()
        .flat_map(|authority| authority.der().to_vec())
        .collect();
    let read = spiffe::X509Bundle::parse_from_der(theirs.clone(), &all).expect("a bundle");
    let ours: Vec<&[u8]> = bundle
        .x509_authorities()
        .iter()
        .map(|authority| authority.der())
        .collect();
    let read: Vec<&[u8]> = read.authorities().iter().map(|root| root.as_bytes()).collect();
    assert_eq!(read, ours);

    let minter = minter(KeyAlgorithm::EcdsaP256, &mut entropy);
    bundle
        .jwt_mut()
        .insert(minter.key_id(), minter.public_key().clone());
    // That crate reads the keys of tokens alone, so that the document is written without the others.
    let tokens_only = TrustBundle::new(domain()).with_jwt(bundle.jwt().clone());
    let document = tokens_only.to_spiffe_json();
    let read = spiffe::JwtBundle::from_jwt_authorities(theirs, document.as_bytes()).expect("a document");
    assert!(read.find_jwt_authority(minter.key_id()).is_some());
    assert_eq!(read.jwt_authorities().count(), 1);
}

fn minter(kind: KeyAlgorithm, entropy: &mut InsecureSeededEntropy) -> JwtMinter<KeyPair> {
    JwtMinter::new(KeyPair::generate_for(kind, entropy).expect("a key")).expect("a minter")
}

/// C-JWT-9, C-BND-2: tokens are verified with the keys of our bundle document; edited ones, expired ones and those for
/// others are not.
#[test]
fn tokens_are_accepted() {
    let mut entropy = InsecureSeededEntropy::new(3);
    for kind in KINDS {
        let minter = minter(kind, &mut entropy).with_jti(true);
        let mut bundle = TrustBundle::new(domain());
        bundle
            .jwt_mut()
            .insert(minter.key_id(), minter.public_key().clone());
        let theirs = spiffe::TrustDomain::new("example.org").expect("a trust domain");
        let document = bundle.to_spiffe_json();
        let mut set = spiffe::JwtBundleSet::new();
        set.add_bundle(
            spiffe::JwtBundle::from_jwt_authorities(theirs, document.as_bytes()).expect("a document"),
        );
        let request = JwtRequest::new(id(), ["ratings", "details"])
            .with_claim("tier", &"gold")
            .expect("a claim");
        let token = minter.mint(&request, now(), &mut entropy).expect("a token");
        let verify =
            |token: &str, audience: &str| spiffe::JwtSvid::parse_and_validate(token, &set, &[audience]);
        let read = verify(&token, "details").unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(read.spiffe_id().to_string(), id().as_str());
        assert_eq!(read.audience(), ["ratings", "details"]);
        assert_eq!(read.key_id(), minter.key_id());

        assert!(verify(&token, "others").is_err());
        let before = now() - Duration::from_secs(3_600);
        let old = minter.mint(&request, before, &mut entropy).expect("a token");
        assert!(
            verify(&old, "details").is_err(),
            "the oracle does not look at the time"
        );
        let edited = token.replacen(&token[..1], "f", 1);
        assert!(verify(&edited, "details").is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// C-ID-1..8: what both read is the same id. That crate folds case and has no limit of 2048 bytes for texts, as
    /// [`SpiffeId::parse_normalized`] does and does not.
    #[test]
    fn ids_are_read_alike(text in "(spiffe|SPIFFE|https)(://|:/)([a-zA-Z0-9._-]|%|@|:80|é){0,12}(/[a-zA-Z0-9._-]{0,4}|/%41|\\?q|#f){0,4}") {
        let ours = SpiffeId::parse_normalized(&text).map(|id| id.to_string());
        let theirs = spiffe::SpiffeId::new(&text).map(|id| id.to_string());
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours, theirs);
        }
    }
}
