//! From a signing request to an SVID, against the bare cryptography that it cannot do without; and parsing of SPIFFE ids.

use std::hint::black_box;

use benches::{allocations_of, medians, ratio};
use mesh_ca::{
    Authority, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, IssuePolicy, KeyPair, PublicKeyInfo,
    SelfCheck, Signer, SpiffeId, SpiffeIdRef, TrustDomain, UnixTime, default_verifier,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

pub(crate) fn run(full: bool) {
    svids(full);
    ids(full);
}

/// What one workload brings.
struct Workload {
    csr: Vec<u8>,
    caller: Caller,
    spki: Vec<u8>,
    /// What it signed, and the signature: the size of the signed part of a request.
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn svids(full: bool) {
    let (count, passes) = if full { (500, 15) } else { (3, 1) };
    let mut entropy = InsecureSeededEntropy::new(1);
    let domain = TrustDomain::istio_default();
    let ca_key = KeyPair::generate(&mut entropy).expect("a key");
    let mut ca = Authority::self_signed(domain.clone(), NOW, &mut entropy).expect("a root");
    let workloads: Vec<Workload> = (0..count)
        .map(|number| {
            let id = SpiffeId::istio(&domain, "shop", &format!("workload-{number}")).expect("an id");
            let key = KeyPair::generate(&mut entropy).expect("a key");
            let csr = CsrBuilder::new(&id)
                .build(&key)
                .expect("a request")
                .der()
                .to_vec();
            let message = csr.iter().copied().cycle().take(250).collect::<Vec<u8>>();
            Workload {
                signature: key.sign(&message).expect("a signature"),
                spki: key.spki_der().to_vec(),
                message,
                caller: Caller::from(&id),
                csr,
            }
        })
        .collect();
    let keys: Vec<PublicKeyInfo<'_>> = workloads
        .iter()
        .map(|workload| PublicKeyInfo::parse(&workload.spki).expect("a key"))
        .collect();
    let verifier = default_verifier();
    let verify = |workload: &Workload, key: &PublicKeyInfo<'_>| {
        let algorithm = mesh_ca::SignatureAlgorithm::EcdsaSha256;
        let verdict = verifier.verify(algorithm, key, &workload.message, &workload.signature);
        assert!(verdict.is_ok());
    };
    // The signed part of a leaf has about 400 bytes.
    let to_sign = vec![7_u8; 400];
    let policy = CsrPolicy::istio();
    let issue = |ca: &mut Authority, entropy: &mut InsecureSeededEntropy| {
        for workload in &workloads {
            let csr = policy.check(&workload.csr).expect("a valid request");
            let grant = csr.authorize(&workload.caller).expect("its own id");
            black_box(ca.issue(&grant, NOW, entropy).expect("an SVID"));
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
                    verify(workload, key);
                    black_box(ca_key.sign(&to_sign).expect("a signature"));
                }
            },
            &mut || issue(&mut unchecked, &mut more),
            &mut || {
                for (workload, key) in workloads.iter().zip(&keys) {
                    verify(workload, key);
                    black_box(ca_key.sign(&to_sign).expect("a signature"));
                    verify(workload, key);
                }
            },
            &mut || issue(&mut ca, &mut entropy),
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
