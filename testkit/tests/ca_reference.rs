//! The verification of paths against a reference that tries every sequence of certificates (P4, C-VFY-16).

use mesh_ca::{KeyPurpose, TrustBundle, VerifyError, VerifyOptions};
use testkit::pki::now;
use testkit::pki::reference::{self, Random};

/// How many random PKIs are compared.
const CASES: u64 = 3_000;

#[test]
fn the_verdict_is_that_of_the_reference_in_any_order() {
    let keys = reference::keys();
    let mut random = Random(2026);
    let (mut accepted, mut refused, mut long) = (0, 0, 0);
    for case in 0..CASES {
        let pki = reference::random(&mut random);
        let mut chain = pki.chain(&keys);
        let mut anchors = pki.bundle(&keys);
        let verify = |chain: &[Vec<u8>], anchors: &[Vec<u8>]| {
            let mut bundle = TrustBundle::new(pki.domain.parse().unwrap());
            for anchor in anchors {
                bundle.insert_x509(anchor).unwrap();
            }
            bundle.verify(
                chain,
                &VerifyOptions::at(now()).with_purpose(KeyPurpose::ServerAuth),
            )
        };
        let verdict = verify(&chain, &anchors);
        assert!(
            !matches!(verdict, Err(VerifyError::BudgetExceeded(_))),
            "case {case}: {verdict:?}"
        );
        assert_eq!(
            verdict.is_ok(),
            pki.is_accepted(),
            "case {case}: {verdict:?}\n{pki:#?}"
        );
        match &verdict {
            Ok(peer) => {
                accepted += 1;
                long += usize::from(peer.path().len() > 3);
            }
            Err(_) => refused += 1,
        }
        random.shuffle(&mut chain[1..]);
        random.shuffle(&mut anchors);
        assert_eq!(verify(&chain, &anchors), verdict, "case {case} in another order");
    }
    println!(
        "{accepted} accepted, {refused} refused, {long} of the accepted with more than one intermediate"
    );
    assert!(
        accepted > CASES / 4 && refused > CASES / 4 && long > 100,
        "{accepted} {refused} {long}"
    );
}
