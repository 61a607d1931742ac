//! C-PERF-1: from a signing request to an SVID, against the bare cryptography that it cannot do without; and parsing of SPIFFE ids.
//!
//! The bare cryptography is done by the same provider with the same keys on the same bytes: the signature of each
//! workload's own request is checked over what it signed, what is signed is the signed part of that workload's leaf, and the
//! self-check's share is checking the authority's signature on that leaf. Keys are parsed and the bytes are at hand. The other
//! side begins with the DER of the request, and ends with the chain in DER: validation, authorisation with its audit record,
//! template, signature, and reading the result again are in it.

use std::hint::black_box;
use std::sync::Arc;

use benches::{allocations_of, medians, ratio};
use mesh_ca::{
    Authority, CaProfile, Caller, Certificate, CsrBuilder, CsrPolicy, InsecureSeededEntropy, IssuePolicy,
    IssuedSvid, KeyPair, PublicKeyInfo, SelfCheck, SignatureAlgorithm, Signer, SpiffeId, SpiffeIdRef,
    TrustDomain, UnixTime, default_verifier,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

pub(crate) fn run(full: bool) {
    svids(full);
    ids(full);
}

/// What one workload brings, and what is signed for it.
struct Workload {
    csr: Vec<u8>,
    caller: Caller,
    spki: Vec<u8>,
    /// The signed part of the request, and its signature.
    request: Signed,
    /// The same of a leaf that the authority issued for the request.
    leaf: Signed,
}

struct Signed {
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Workload {
    fn new(ca: &mut Authority, number: usize, entropy: &mut InsecureSeededEntropy) -> Self {
        let domain = TrustDomain::istio_default();
        let id = SpiffeId::istio(&domain, "shop", &format!("workload-{number}")).expect("an id");
        let key = KeyPair::generate(entropy).expect("a key");
        let csr = CsrBuilder::new(&id)
            .build(&key)
            .expect("a request")
            .der()
            .to_vec();
        let caller = Caller::from(&id);
        let svid = issue(ca, &CsrPolicy::istio(), &csr, &caller, entropy);
        let leaf = Certificate::parse(svid.leaf()).expect("a certificate");
        Self {
            request: signed_part_of(&csr),
            leaf: Signed {
                message: leaf.tbs_der().to_vec(),
                signature: leaf.signature().to_vec(),
            },
            spki: key.spki_der().to_vec(),
            caller,
            csr,
        }
    }
}

/// The first of the three parts of a signed object, and the last without its header. All have lengths of one or two bytes
/// here.
fn signed_part_of(der: &[u8]) -> Signed {
    let header_and_length = |der: &[u8]| match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    };
    let whole = |der: &[u8]| {
        let (header, length) = header_and_length(der);
        header + length
    };
    let inside = &der[header_and_length(der).0..];
    let (message, rest) = inside.split_at(whole(inside));
    let (_algorithm, bits) = rest.split_at(whole(rest));
    Signed {
        message: message.to_vec(),
        // Header, and the count of unused bits.
        signature: bits[header_and_length(bits).0 + 1..].to_vec(),
    }
}

fn issue(
    ca: &mut Authority,
    policy: &CsrPolicy,
    csr: &[u8],
    caller: &Caller,
    entropy: &mut InsecureSeededEntropy,
) -> IssuedSvid {
    let csr = policy.check(csr).expect("a valid request");
    let grant = csr.authorize(caller).expect("its own id");
    ca.issue(&grant, NOW, entropy).expect("an SVID")
}

fn svids(full: bool) {
    let (count, passes) = if full { (200, 100) } else { (3, 1) };
    let mut entropy = InsecureSeededEntropy::new(1);
    let ca_key = Arc::new(KeyPair::generate(&mut entropy).expect("a key"));
    let profile = CaProfile::root(TrustDomain::istio_default());
    let mut ca = profile
        .self_sign(Arc::clone(&ca_key) as Arc<dyn Signer>, NOW, &mut entropy)
        .expect("a root");
    let workloads: Vec<Workload> = (0..count)
        .map(|number| Workload::new(&mut ca, number, &mut entropy))
        .collect();
    let keys: Vec<PublicKeyInfo<'_>> = workloads
        .iter()
        .map(|workload| PublicKeyInfo::parse(&workload.spki).expect("a key"))
        .collect();
    let verifier = default_verifier();
    let verify = |signed: &Signed, key: &PublicKeyInfo<'_>| {
        let verdict = verifier.verify(
            SignatureAlgorithm::EcdsaSha256,
            key,
            &signed.message,
            &signed.signature,
        );
        assert!(verdict.is_ok());
    };
    let policy = CsrPolicy::istio();
    let issue_all = |ca: &mut Authority, entropy: &mut InsecureSeededEntropy| {
        for workload in &workloads {
            black_box(issue(ca, &policy, &workload.csr, &workload.caller, entropy));
        }
    };
    let mut unchecked = ca.clone().with_policy(IssuePolicy {
        self_check: SelfCheck::ContentOnly,
        ..IssuePolicy::default()
    });
    let mut more = InsecureSeededEntropy::new(2);
    let [twice, issued, raw_checked, checked] = medians(
        passes,
        count,
        [
            &mut || {
                for (workload, key) in workloads.iter().zip(&keys) {
                    verify(&workload.request, key);
                    black_box(ca_key.sign(&workload.leaf.message).expect("a signature"));
                }
            },
            &mut || issue_all(&mut unchecked, &mut more),
            &mut || {
                for (workload, key) in workloads.iter().zip(&keys) {
                    verify(&workload.request, key);
                    black_box(ca_key.sign(&workload.leaf.message).expect("a signature"));
                    verify(&workload.leaf, &ca_key.public_key());
                }
            },
            &mut || issue_all(&mut ca, &mut entropy),
        ],
    );
    println!(
        "issue: {count} requests, each with its own key and id, ECDSA P-256 by ring, median of {passes} passes"
    );
    println!("  verify + sign {twice:.0} ns, request to SVID {issued:.0} ns");
    println!("  verify + sign + verify {raw_checked:.0} ns, request to SVID with self-check {checked:.0} ns");
    ratio(
        "ca/issue/unchecked",
        twice / issued,
        ">=0.95",
        "verify + sign of the same provider",
    );
    ratio(
        "ca/issue/self_check",
        raw_checked / checked,
        ">=0.95",
        "verify + sign + verify of the same provider",
    );
}

fn ids(full: bool) {
    let count = if full { 100_000 } else { 100 };
    // 50 bytes each, distinct.
    let texts: Vec<String> = (0..count)
        .map(|number| {
            format!(
                "spiffe://cluster.local/ns/shop-{number:06}/sa/reviews-{:02}",
                number % 90
            )
        })
        .collect();
    assert!(texts.iter().all(|text| (48..=52).contains(&text.len())));
    let parse = || {
        for text in &texts {
            black_box(SpiffeIdRef::parse(text).expect("an id"));
        }
    };
    let (allocations, ()) = allocations_of(parse);
    let [each] = medians(if full { 15 } else { 1 }, count, [&mut || parse()]);
    println!(
        "spiffe_id: {each:.1} ns to parse one of {count} ids of about 50 bytes, {allocations} allocations"
    );
    ratio(
        "ca/spiffe_id/parse_ns",
        each,
        "<=70",
        "nanoseconds, borrowed form, distinct ids of about 50 bytes",
    );
    ratio(
        "ca/spiffe_id/allocations",
        allocations as f64,
        "<=0",
        "allocations in all of them",
    );
}
