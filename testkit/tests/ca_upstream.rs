//! What an upstream authority may answer (C-CA-8, C-CA-3): an intermediate that was asked for, and no other.

use mesh_ca::TrustDomain;
use mesh_ca::rotation::{UpstreamAnswer, UpstreamAnswerError};
use testkit::pki::{Authority, NOW, Template, YEAR, extension, now};

/// What is made of an answer to `asked`, with its chain and roots.
fn check(
    asked: &Authority,
    chain: &[&Authority],
    roots: &[&Authority],
) -> Result<UpstreamAnswer, &'static str> {
    let list = |all: &[&Authority]| all.iter().map(|one| one.certificate.clone()).collect::<Vec<_>>();
    let key = asked.key.public_key();
    let domain = TrustDomain::istio_default();
    UpstreamAnswer::check(
        &asked.certificate,
        &list(chain),
        &list(roots),
        key.der(),
        &domain,
        now(),
    )
    .map_err(|error: UpstreamAnswerError| error.code())
}

/// What becomes of root, middle and asked, one of which is changed before it is signed.
fn changed(level: usize, change: impl Fn(&mut Template)) -> Result<(), &'static str> {
    let at = |own: usize, template: &mut Template| {
        if own == level {
            change(template);
        }
    };
    let root = Authority::root_with("root", |it| at(2, it));
    let middle = root.intermediate_with("middle", |it| at(1, it));
    let asked = middle.intermediate_with("asked", |it| at(0, it));
    check(&asked, &[&middle], &[&root]).map(|_| ())
}

/// C-CA-8: what fits is taken: with its chain in order, and the root that it hangs on by its place.
#[test]
fn a_good_answer_is_taken() {
    let (root, other) = (Authority::root("root"), Authority::root("other"));
    let middle = root.intermediate("middle");
    let asked = middle.intermediate("asked");
    let answer = check(&asked, &[&middle], &[&other, &root]).unwrap();
    assert_eq!(answer.root, 1);
    assert_eq!(*answer.certificate.der, asked.certificate[..]);
    assert_eq!(answer.chain.len(), 1);
    assert_eq!(*answer.chain[0].der, middle.certificate[..]);
    assert_eq!(answer.roots.len(), 2);

    // C-CA-3: doubles and roots are left out of the chain.
    let same = check(&asked, &[&asked, &middle, &middle, &root], &[&other, &root]);
    assert_eq!(same, Ok(answer));
    let below_root = root.intermediate("below");
    assert_eq!(check(&below_root, &[], &[&root]).unwrap().chain, []);
}

/// C-CA-8: the key is the one asked for, keyUsage within what authorities need, and the name absent or the own one.
#[test]
fn the_certificate_is_what_was_asked_for() {
    let root = Authority::root("root");
    let asked = root.intermediate("asked");
    let other_key = Authority {
        key: root.key.clone(),
        ..asked.clone()
    };
    assert_eq!(check(&other_key, &[], &[&root]), Err("upstream.other_key"));
    let cut = Authority {
        certificate: asked.certificate[1..].to_vec(),
        ..asked
    };
    assert_eq!(check(&cut, &[], &[&root]), Err("upstream.malformed"));

    let usage = |content: &[u8]| {
        let content = content.to_vec();
        changed(0, move |it| _ = it.set(extension::key_usage(&content)))
    };
    // keyCertSign; with cRLSign; with digitalSignature too.
    for fine in [&[2, 0x04][..], &[1, 0x06], &[1, 0x86]] {
        assert_eq!(usage(fine), Ok(()), "{fine:x?}");
    }
    // Without keyCertSign; with keyEncipherment; with decipherOnly.
    for wrong in [&[1, 0x02][..], &[7, 0x80], &[1, 0x26], &[7, 0x06, 0x80]] {
        assert_eq!(usage(wrong), Err("upstream.not_an_authority"), "{wrong:x?}");
    }
    assert_eq!(changed(0, |it| _ = it.remove(extension::KEY_USAGE)), Ok(()));

    let named = |uris: &[&str]| {
        let names: Vec<_> = uris.iter().map(|uri| extension::uri(uri)).collect();
        changed(0, move |it| _ = it.set(extension::subject_alt_name(&names)))
    };
    assert_eq!(named(&["spiffe://cluster.local"]), Ok(()));
    for other in [
        "spiffe://other",
        "spiffe://cluster.local/",
        "spiffe://cluster.local/ns/a/sa/b",
    ] {
        assert_eq!(named(&[other]), Err("upstream.other_trust_domain"), "{other}");
        assert_eq!(
            named(&["spiffe://cluster.local", other]),
            Err("upstream.other_trust_domain")
        );
    }
}

/// C-CA-3: every certificate of the path is an authority, valid now, with room for those below, and signed by the next.
#[test]
fn the_path_holds() {
    for level in 0..3 {
        let fails = |expected: &'static str, change: &dyn Fn(&mut Template)| {
            assert_eq!(changed(level, change), Err(expected), "level {level}");
        };
        fails("upstream.not_an_authority", &|it| {
            _ = it.set(extension::basic_constraints(false, None));
        });
        fails("upstream.not_an_authority", &|it| {
            _ = it.remove(extension::BASIC_CONSTRAINTS);
        });
        fails("upstream.not_an_authority", &|it| {
            _ = it.set(extension::key_usage(extension::DIGITAL_SIGNATURE));
        });
        fails("upstream.not_valid", &|it| it.not_after = NOW - 1);
        fails("upstream.not_valid", &|it| it.not_before = NOW + 1);
        // The first and the last second are good ones.
        assert_eq!(changed(level, |it| it.not_after = NOW), Ok(()));
        assert_eq!(changed(level, |it| it.not_before = NOW), Ok(()));
        // As many authorities as are below fit, and no fewer.
        let room = |path_len| {
            changed(level, move |it| {
                _ = it.set(extension::basic_constraints(true, Some(path_len)));
            })
        };
        assert_eq!(room(level as u64), Ok(()));
        if let Some(too_small) = (level as u64).checked_sub(1) {
            assert_eq!(room(too_small), Err("upstream.path_length"), "level {level}");
        }
    }
    // A root of version 1 has no extensions; it must be valid all the same.
    let old = |not_after| {
        changed(2, move |it| {
            (it.version, it.not_after) = (1, not_after);
            it.extensions.clear();
        })
    };
    assert_eq!(old(NOW + YEAR), Ok(()));
    assert_eq!(old(NOW - 1), Err("upstream.not_valid"));
}

/// C-CA-3: no gaps, no other order, no other root, and not without end.
#[test]
fn the_chain_leads_to_a_root() {
    let (root, other) = (Authority::root("root"), Authority::root("other"));
    let upper = root.intermediate("upper");
    let lower = upper.intermediate("lower");
    let asked = lower.intermediate("asked");
    assert!(check(&asked, &[&lower, &upper], &[&root]).is_ok());
    let gaps: [(&[&Authority], &[&Authority]); 6] = [
        (&[&upper, &lower], &[&root]),
        (&[&upper], &[&root]),
        (&[&lower], &[&root]),
        (&[], &[&root]),
        (&[&lower, &upper], &[&other]),
        (&[&lower, &upper], &[]),
    ];
    for (chain, roots) in gaps {
        assert_eq!(check(&asked, chain, roots), Err("upstream.no_path"));
    }
    // The name alone is no proof.
    let namesake = Authority {
        name: root.name.clone(),
        ..other.clone()
    };
    let forged = namesake.intermediate("forged");
    assert_eq!(check(&forged, &[], &[&root]), Err("upstream.no_path"));

    let mut line = vec![root.intermediate("0")];
    for number in 1..40 {
        let next = line[number - 1].intermediate(&number.to_string());
        line.push(next);
    }
    let (asked, above) = line.split_last().unwrap();
    let above: Vec<&Authority> = above.iter().rev().collect();
    assert_eq!(check(asked, &above, &[&root]), Err("upstream.chain_too_long"));
}
