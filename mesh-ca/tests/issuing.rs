//! Rules on issuing and revoking, each proved with what an embedder sees.

mod pki;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mesh_ca::jwt::{JwtMinter, JwtRequest};
use mesh_ca::{
    Authority, CaGrant, CaProfile, Caller, Certificate, Crl, CrlSet, CsrBuilder, CsrPolicy,
    InsecureSeededEntropy, KeyAlgorithm, KeyPair, KeyProvider, KeyUsage, Limits, Revocation,
    RevocationPolicy, RevocationStore, SerialNumber, SignError, SignatureAlgorithm, Signer, SpiffeId,
    TrustDomain, UnixTime, VerifyOptions,
};

use pki::{NOW, below, issue};

fn domain() -> TrustDomain {
    "example.org".parse().unwrap()
}

fn web() -> SpiffeId {
    "spiffe://example.org/web".parse().unwrap()
}

/// What [`web`] may have for its key: an authority below another one.
fn intermediate_grant(key: &KeyPair) -> CaGrant {
    let csr = CsrBuilder::for_intermediate(&domain())
        .unwrap()
        .build(key)
        .unwrap();
    let caller = Caller::from(&web()).with_downstream(true);
    CsrPolicy::istio()
        .check_ca(csr.der())
        .unwrap()
        .authorize(&caller)
        .unwrap()
}

/// C-CA-2: an intermediate has no authority below it, ends with its parent, may have the name of the trust domain and name
/// constraints, and says nothing of purposes.
#[test]
fn intermediates_are_bounded_by_their_parents() {
    let mut parent = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(1)).unwrap();
    let decade = Duration::from_secs(20 * 365 * 86_400);
    let profile = CaProfile::intermediate(domain()).with_ttl(decade);
    let constrained = profile.clone().with_name_constraints([domain()]);
    for (profile, is_constrained) in [(profile, false), (constrained, true)] {
        let mut ca = below(&mut parent, &domain(), &profile, 2);
        let der = ca.certificate_der().to_vec();
        let certificate = Certificate::parse(&der).unwrap();
        let constraints = certificate.basic_constraints().unwrap();
        assert_eq!((constraints.ca, constraints.path_len), (true, Some(0)));
        assert_eq!(
            certificate.key_usage(),
            Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN)
        );
        assert!(!certificate.has_extended_key_usage());
        let uris: Vec<&[u8]> = certificate.uris().collect();
        assert_eq!(uris, [b"spiffe://example.org"]);
        assert_eq!(certificate.not_after(), parent.not_after());
        // The object identifier of nameConstraints.
        let has_constraints = der.windows(5).any(|window| window == [6, 3, 0x55, 0x1d, 0x1e]);
        assert_eq!(has_constraints, is_constrained);
        // What it issues ends no later, and verifies to the last second.
        let svid = issue(&mut ca, &web(), 3);
        assert!(svid.record().not_after <= certificate.not_after());
        let options = VerifyOptions::at(svid.record().not_after);
        assert!(parent.trust_bundle().verify(svid.chain(), &options).is_ok());
        // No authority below it: the path length is used up.
        let key = KeyPair::generate(&mut InsecureSeededEntropy::new(4)).unwrap();
        let grant = intermediate_grant(&key);
        let error = ca
            .issue_intermediate(
                &grant,
                &CaProfile::intermediate(domain()),
                NOW,
                &mut InsecureSeededEntropy::new(5),
            )
            .unwrap_err();
        assert_eq!(error.code(), "ca.path_length");
    }
}

/// An authority that signs CRLs itself, with its key.
fn crl_signer(seed: u64) -> (Authority, Arc<KeyPair>) {
    let mut entropy = InsecureSeededEntropy::new(seed);
    let key = Arc::new(KeyPair::generate(&mut entropy).unwrap());
    let root = CaProfile::root(domain());
    let ca = root
        .self_sign(Arc::<KeyPair>::clone(&key), NOW, &mut entropy)
        .unwrap();
    (ca, key)
}

/// C-CRL-4: an expired certificate stays listed until one CRL was made after its end, however many are made before.
#[test]
fn an_expired_certificate_is_listed_once_more() {
    let (ca, key) = crl_signer(1);
    let certificate = Certificate::parse(ca.certificate_der()).unwrap();
    let serial = SerialNumber::from_bytes(&[0x0a]).unwrap();
    let end = NOW + Duration::from_secs(100);
    let mut store = RevocationStore::new();
    store
        .revoke(ca.key_id(), Revocation::new(serial, NOW, end))
        .unwrap();
    let mut is_listed = |at: UnixTime| {
        let crl = store
            .issue_crl(&certificate, &*key, at, Duration::from_secs(3_600))
            .unwrap();
        let crl = Crl::parse(crl.der(), &Limits::default()).unwrap();
        crl.entry(&serial).is_some()
    };
    let second = Duration::from_secs(1);
    // At its last second it is still valid, and so is a fraction of it.
    for at in [NOW, end - second, end, end + Duration::from_millis(999)] {
        assert!(is_listed(at), "{at}");
    }
    assert!(is_listed(end + second), "the one CRL after its end");
    assert!(!is_listed(end + 2 * second));
}

/// C-CRL-9: serial numbers are compared as numbers, for the issuer of this name and this key; equal ones of others count not.
#[test]
fn serial_numbers_are_those_of_one_issuer() {
    let (mut ours, our_key) = crl_signer(1);
    // Of the same name, with another key; and of another name.
    let (theirs, their_key) = crl_signer(2);
    let stranger_key = Arc::new(KeyPair::generate(&mut InsecureSeededEntropy::new(3)).unwrap());
    let stranger = CaProfile::root(domain()).with_organization("stranger");
    let stranger = stranger
        .self_sign(
            Arc::<KeyPair>::clone(&stranger_key),
            NOW,
            &mut InsecureSeededEntropy::new(3),
        )
        .unwrap();
    let svid = issue(&mut ours, &web(), 9);
    let serial = svid.record().serial;
    let crl_of = |ca: &Authority, key: &KeyPair, serial: SerialNumber| {
        let mut store = RevocationStore::new();
        let end = NOW + Duration::from_secs(86_400);
        store
            .revoke(ca.key_id(), Revocation::new(serial, NOW, end))
            .unwrap();
        let certificate = Certificate::parse(ca.certificate_der()).unwrap();
        let crl = store
            .issue_crl(&certificate, key, NOW, Duration::from_secs(3_600))
            .unwrap();
        Crl::parse(crl.der(), &Limits::default()).unwrap()
    };
    let verify = |crls: Vec<Crl>| {
        let mut set = CrlSet::new();
        set.update(crls).unwrap();
        let policy = RevocationPolicy::default();
        let options = VerifyOptions::at(NOW).with_crls(&set, policy);
        let result = ours.trust_bundle().verify(svid.chain(), &options);
        result.map(|_| ()).map_err(|error| error.code())
    };
    let another = SerialNumber::from_bytes(&[7]).unwrap();
    let ours_clean = || crl_of(&ours, &our_key, another);
    assert_eq!(verify(vec![ours_clean()]), Ok(()));
    assert_eq!(
        verify(vec![crl_of(&theirs, &their_key, serial), ours_clean()]),
        Ok(())
    );
    assert_eq!(
        verify(vec![crl_of(&stranger, &stranger_key, serial), ours_clean()]),
        Ok(())
    );
    assert_eq!(
        verify(vec![crl_of(&ours, &our_key, serial)]),
        Err("verify.revoked")
    );
    let all = vec![
        crl_of(&theirs, &their_key, another),
        crl_of(&stranger, &stranger_key, another),
        crl_of(&ours, &our_key, serial),
    ];
    assert_eq!(verify(all), Err("verify.revoked"));
    // As a number: octets of zero before it are the encoding's.
    let crl = crl_of(&ours, &our_key, SerialNumber::from_bytes(&[0x80]).unwrap());
    for same in [&[0x80][..], &[0, 0x80], &[0, 0, 0x80]] {
        assert!(crl.entry(&SerialNumber::from_bytes(same).unwrap()).is_some());
    }
    assert!(
        crl.entry(&SerialNumber::from_bytes(&[0x80, 0]).unwrap())
            .is_none()
    );
}

/// Signs as its key does, and writes down that it was asked.
#[derive(Debug)]
struct Witness {
    key: KeyPair,
    asked: AtomicUsize,
    /// Changes what it hands out.
    broken: bool,
    /// What it does while it signs, with a clone of the authority that waits for it.
    authority: OnceLock<Authority>,
}

impl Witness {
    fn new(seed: u64, broken: bool) -> Arc<Self> {
        let key = KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap();
        Arc::new(Self {
            key,
            asked: AtomicUsize::new(0),
            broken,
            authority: OnceLock::new(),
        })
    }
}

impl Signer for Witness {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // C-SGN-9: whatever it asks of the authority meanwhile is answered; only one level deep.
        if self.asked.fetch_add(1, Ordering::SeqCst) == 1
            && let Some(authority) = self.authority.get()
        {
            issue(&mut authority.clone(), &web(), 77);
        }
        let mut signature = self.key.sign(message)?;
        if self.broken {
            *signature.last_mut().unwrap() ^= 1;
        }
        Ok(signature)
    }
}

/// C-SGN-1, C-SGN-9: a key of the embedder signs what an authority issues; signers are used from several threads, and no lock
/// is held while one signs.
#[test]
fn the_embedder_can_bring_a_key() {
    fn is_shared<T: Send + Sync + ?Sized>() {}
    is_shared::<dyn Signer>();
    is_shared::<Authority>();
    is_shared::<KeyPair>();
    let witness = Witness::new(1, false);
    let root = CaProfile::root(domain());
    let signer: Arc<dyn Signer> = Arc::<Witness>::clone(&witness);
    let ca = root
        .self_sign(signer, NOW, &mut InsecureSeededEntropy::new(2))
        .unwrap();
    assert_eq!(witness.asked.load(Ordering::SeqCst), 1, "for the root");
    witness.authority.set(ca.clone()).unwrap();
    let svid = issue(&mut ca.clone(), &web(), 9);
    assert_eq!(
        witness.asked.load(Ordering::SeqCst),
        3,
        "for a leaf, and for another one meanwhile"
    );
    ca.trust_bundle()
        .verify(svid.chain(), &VerifyOptions::at(NOW))
        .unwrap();
}

/// C-SIGN-1: validated, authorised, signed, checked, in this order: what an earlier step refuses never reaches the key, and
/// what the last one refuses never leaves.
#[test]
fn no_step_of_issuing_is_left_out() {
    let issue_with = |ca: &mut Authority, id: &str, caller: &SpiffeId| -> Result<(), &'static str> {
        let id: SpiffeId = id.parse().unwrap();
        let mut entropy = InsecureSeededEntropy::new(9);
        let csr = CsrBuilder::new(&id)
            .build(&KeyPair::generate(&mut entropy).unwrap())
            .unwrap();
        let valid = CsrPolicy::istio()
            .check(csr.der())
            .map_err(|error| error.code())?;
        let grant = valid
            .authorize(&Caller::from(caller))
            .map_err(|error| error.code())?;
        let svid = ca
            .issue(&grant, NOW, &mut entropy)
            .map_err(|error| error.code())?;
        // C-AUTH-10, C-SIGN-16: what was issued is on record.
        let audit = grant.audit().issued(svid.record());
        assert_eq!(
            (audit.issued, audit.serial),
            (Some(id), Some(svid.record().serial))
        );
        Ok(())
    };
    let witness = Witness::new(1, false);
    let signer: Arc<dyn Signer> = Arc::<Witness>::clone(&witness);
    let mut ca = CaProfile::root(domain())
        .self_sign(signer, NOW, &mut InsecureSeededEntropy::new(2))
        .unwrap();
    let foreign: SpiffeId = "spiffe://other/web".parse().unwrap();
    let name = web();
    assert_eq!(
        issue_with(&mut ca, "spiffe://example.org/api", &name),
        Err("auth.mismatch")
    );
    assert_eq!(
        issue_with(&mut ca, "spiffe://other/web", &foreign),
        Err("ca.not_authoritative")
    );
    assert_eq!(witness.asked.load(Ordering::SeqCst), 1, "for the root alone");
    assert_eq!(issue_with(&mut ca, name.as_str(), &name), Ok(()));
    assert_eq!(witness.asked.load(Ordering::SeqCst), 2);

    // The key of the same root misbehaves later.
    let broken: Arc<dyn Signer> = Witness::new(1, true);
    let error = CaProfile::root(domain())
        .self_sign(Arc::clone(&broken), NOW, &mut InsecureSeededEntropy::new(2))
        .unwrap_err();
    assert_eq!(error.code(), "ca.signer_misbehaved");
    let mut ca = CaProfile::root(domain())
        .remote_root(ca.certificate_der(), "far", SignatureAlgorithm::EcdsaSha256)
        .unwrap();
    assert_eq!(issue_with(&mut ca, name.as_str(), &name), Err("ca.remote_key"));
}

/// C-GEN-1, P11: equal inputs give equal bytes, from keys over certificates, CRLs and tokens to bundles, with signers that are
/// deterministic; another seed gives others.
#[test]
fn equal_inputs_give_equal_outputs() {
    let story = |seed: u64| {
        let mut entropy = InsecureSeededEntropy::new(seed);
        let entropy = &mut entropy;
        let new_key = |entropy: &mut InsecureSeededEntropy| {
            let key = KeyPair::generate(entropy).unwrap();
            Arc::new(key.with_provider(KeyProvider::Soft).unwrap())
        };
        let root_key = new_key(entropy);
        let signer = Arc::<KeyPair>::clone(&root_key);
        let mut root = CaProfile::root(domain()).self_sign(signer, NOW, entropy).unwrap();
        let key = new_key(entropy);
        let grant = intermediate_grant(&key);
        let profile = CaProfile::intermediate(domain());
        let issued = root.issue_intermediate(&grant, &profile, NOW, entropy).unwrap();
        let mut ca = root.intermediate(&issued, key).unwrap();
        let workload = new_key(entropy);
        let csr = CsrBuilder::new(&web()).build(&*workload).unwrap();
        let grant = CsrPolicy::istio()
            .check(csr.der())
            .unwrap()
            .authorize(&Caller::from(&web()));
        let svid = ca.issue(&grant.unwrap(), NOW, entropy).unwrap();
        let mut store = RevocationStore::new();
        store
            .revoke(
                root.key_id(),
                Revocation::new(issued.serial(), NOW, issued.not_after()),
            )
            .unwrap();
        let certificate = Certificate::parse(root.certificate_der()).unwrap();
        let crl = store
            .issue_crl(&certificate, &*root_key, NOW, Duration::from_secs(60))
            .unwrap();
        let minter = JwtMinter::new(Arc::clone(&workload)).unwrap().with_jti(true);
        let token = minter
            .mint(&JwtRequest::new(web(), ["b", "a"]), NOW, entropy)
            .unwrap();
        [
            svid.response_chain().concat().into_bytes(),
            csr.der().to_vec(),
            crl.der().to_vec(),
            token.into_bytes(),
            root.trust_bundle().to_spiffe_json().into_bytes(),
        ]
    };
    assert_eq!(story(1), story(1));
    let (one, other) = (story(1), story(2));
    for (one, other) in one.iter().zip(&other) {
        assert_ne!(one, other);
    }
}

/// C-SGN-10: everything signs deterministically, apart from ring's ECDSA, which is the one exception.
#[test]
fn one_signer_is_not_deterministic() {
    let is_deterministic = |algorithm: KeyAlgorithm, provider: KeyProvider| {
        let key = KeyPair::generate_for(algorithm, &mut InsecureSeededEntropy::new(1)).unwrap();
        let key = key.with_provider(provider).unwrap();
        let (one, other) = (key.sign(b"message").unwrap(), key.sign(b"message").unwrap());
        let verifier = mesh_ca::default_verifier();
        for signature in [&one, &other] {
            verifier
                .verify(key.algorithm(), &key.public_key(), b"message", signature)
                .unwrap();
        }
        one == other
    };
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        assert!(is_deterministic(algorithm, KeyProvider::Soft), "{algorithm}");
        assert!(!is_deterministic(algorithm, KeyProvider::Ring), "{algorithm}");
    }
    for provider in [KeyProvider::Soft, KeyProvider::Ring] {
        assert!(is_deterministic(KeyAlgorithm::Ed25519, provider), "{provider:?}");
    }
}
