//! Which path is taken and what is asked of it as a whole: anchors, trust domains, constraints, budgets.

use mesh_ca::{
    Budget, Budgets, BundleSet, IdMatcher, Profile, SignatureCache, UnixTime, VerifyError, VerifyOptions,
};
use testkit::pki::{Authority, Extension, NOW, Template, YEAR, der, extension};

use super::{WEB, bundle, bundle_of, code, leaf_code, options, root_code, unknown, verify};

#[test]
fn a_good_chain_is_accepted_by_every_profile() {
    let root = Authority::root("root");
    let middle = root.intermediate("middle");
    let chain = [middle.leaf(WEB), middle.certificate.clone()];
    for profile in [Profile::MESH, Profile::STRICT_SPIFFE, Profile::ISTIO_COMPAT] {
        let options = options().with_profile(profile);
        let peer = bundle(&[&root]).verify(&chain, &options).unwrap();
        assert_eq!(peer.spiffe_id().as_str(), WEB);
        assert_eq!(peer.root(), root.certificate);
        assert_eq!(peer.path().len(), 3);
        assert_eq!(peer.not_after(), UnixTime::from_secs(NOW + YEAR));
        assert_eq!(peer.diagnostics(), []);
    }
}

/// Scenario 50, C-VFY-1: the trust domain of the leaf chooses the bundle, and bundles are never pooled.
#[test]
fn bundles_are_not_pooled() {
    let (ours, theirs) = (Authority::root("ours"), Authority::root("theirs"));
    let mut set = BundleSet::new(bundle_of("td", &[&ours.certificate]))
        .with_aliases(["alias".parse().unwrap()])
        .unwrap();
    set.insert(bundle_of("partner", &[&theirs.certificate])).unwrap();
    fn check(set: &BundleSet, authority: &Authority, id: &str) -> &'static str {
        code(set.verify(&[authority.leaf(id)], &options()))
    }
    assert_eq!(check(&set, &ours, WEB), "ok");
    assert_eq!(check(&set, &theirs, "spiffe://partner/web"), "ok");
    // C-IST-6: an alias is vouched for by the local roots.
    assert_eq!(check(&set, &ours, "spiffe://alias/web"), "ok");
    assert_eq!(
        check(&set, &theirs, "spiffe://alias/web"),
        "verify.unknown_issuer"
    );
    assert_eq!(
        check(&set, &ours, "spiffe://partner/web"),
        "verify.unknown_issuer"
    );
    assert_eq!(check(&set, &theirs, WEB), "verify.unknown_issuer");
    assert_eq!(
        check(&set, &ours, "spiffe://stranger/web"),
        "verify.untrusted_domain"
    );
    // C-BND-7: an empty bundle trusts nobody.
    set.insert(bundle_of("partner", &[])).unwrap();
    assert_eq!(
        check(&set, &theirs, "spiffe://partner/web"),
        "verify.untrusted_domain"
    );
    assert!(set.insert(bundle_of("alias", &[])).is_err());
}

/// Scenario 51, C-VFY-8: path lengths; self-issued certificates are not counted.
#[test]
fn path_lengths() {
    let set = |limit: u64| {
        move |template: &mut Template| {
            template.set(extension::basic_constraints(true, Some(limit)));
        }
    };
    let root = Authority::root_with("root", set(1));
    let first = root.intermediate_with("first", set(0));
    let second = first.intermediate("second");
    let chain = [first.leaf(WEB), first.certificate.clone()];
    assert_eq!(code(verify(&chain, &[&root])), "ok");
    let chain = [
        second.leaf(WEB),
        second.certificate.clone(),
        first.certificate.clone(),
    ];
    assert_eq!(verify(&chain, &[&root]), Err(VerifyError::PathLen { depth: 2 }));
    // The same name with another key, issued by itself.
    let mut renewed =
        first.intermediate_with("renewed", |template| template.subject = template.issuer.clone());
    renewed.name = first.name.clone();
    let chain = [
        renewed.leaf(WEB),
        renewed.certificate.clone(),
        first.certificate.clone(),
    ];
    assert_eq!(code(verify(&chain, &[&root])), "ok");
    let strict = options().with_max_path_len(0);
    assert_eq!(code(bundle(&[&root]).verify(&chain, &strict)), "verify.path_len");
    // pathLen of a leaf is ignored.
    let result = leaf_code(Profile::MESH, |template| {
        template.set(extension::basic_constraints(false, Some(0)));
    });
    assert_eq!(result, "ok");
}

/// Scenario 52, C-VFY-10: URI constraints apply to the trust domain.
#[test]
fn uri_constraints() {
    let check = |permitted: &[&str], excluded: &[&str], domain: &str| {
        let bases = |list: &[&str]| list.iter().map(|base| extension::uri(base)).collect::<Vec<_>>();
        let constraints = extension::name_constraints(&bases(permitted), &bases(excluded));
        let root = Authority::root_with("root", |template| {
            template.set(constraints);
        });
        let leaf = root.leaf(&format!("spiffe://{domain}/web"));
        code(bundle_of(domain, &[&root.certificate]).verify(&[leaf], &options()))
    };
    let (refused, malformed) = ("verify.name_constraint", "verify.malformed_name_constraints");
    for (permitted, excluded, domain, expected) in [
        (&["td"][..], &[][..], "td", "ok"),
        (&["TD"], &[], "td", "ok"),
        (&["td"], &[], "sub.td", refused),
        (&[".td"], &[], "sub.td", "ok"),
        (&[".td"], &[], "a_b.td", "ok"),
        (&[".td"], &[], "td", refused),
        (&["other", "td"], &[], "td", "ok"),
        (&["td"], &["td"], "td", refused),
        (&[], &["td"], "td", refused),
        (&[], &["other"], "td", "ok"),
        (&["10.0.0.1"], &[], "10.0.0.1", "ok"),
        (&["spiffe://td"], &[], "td", malformed),
        (&["td:443"], &[], "td", malformed),
        (&["td/path"], &[], "td", malformed),
        (&[""], &[], "td", malformed),
        (&["."], &[], "td", malformed),
        (&[], &["user@td"], "td", malformed),
    ] {
        assert_eq!(
            check(permitted, excluded, domain),
            expected,
            "{permitted:?} {excluded:?} {domain}"
        );
    }
}

/// RFC 5280 §4.2.1.10: constraints have at least one list, lists at least one subtree, and subtrees no bounds. That is asked
/// whether or not a name is constrained.
#[test]
fn constraints_have_their_form() {
    let uri = extension::uri("td");
    let subtree = |rest: &[&[u8]]| der::sequence([&[&uri[..]], rest].concat());
    let permitted = |subtrees: &[&[u8]]| der::value(0xa0, &der::joined(subtrees));
    let excluded_other = der::value(0xa1, &der::sequence([extension::uri("other")]));
    let plain = subtree(&[]);
    let cases: [(Vec<Vec<u8>>, &str); 12] = [
        (vec![permitted(&[&plain])], "ok"),
        (vec![permitted(&[&plain]), excluded_other.clone()], "ok"),
        (vec![], "malformed"),
        (vec![permitted(&[])], "malformed"),
        (vec![permitted(&[&plain]), der::value(0xa1, &[])], "malformed"),
        (vec![excluded_other.clone(), permitted(&[&plain])], "malformed"),
        (vec![permitted(&[&plain]), permitted(&[&plain])], "malformed"),
        (vec![permitted(&[&plain]), der::value(0xa2, &[])], "malformed"),
        // A minimum that is not the default, the default written out, a maximum.
        (vec![permitted(&[&subtree(&[&[0x80, 1, 1]])])], "malformed"),
        (vec![permitted(&[&subtree(&[&[0x80, 1, 0]])])], "malformed"),
        (vec![permitted(&[&subtree(&[&[0x81, 1, 9]])])], "malformed"),
        (vec![permitted(&[&der::sequence([[]; 0])])], "malformed"),
    ];
    for (lists, expected) in cases {
        let constraints = Extension {
            oid: extension::NAME_CONSTRAINTS,
            critical: true,
            value: der::sequence(&lists),
        };
        let found = root_code(Profile::MESH, |it| _ = it.set(constraints));
        let found = found.strip_prefix("verify.").unwrap_or(found);
        assert_eq!(
            found.strip_suffix("_name_constraints").unwrap_or(found),
            expected,
            "{lists:x?}"
        );
    }
}

/// Scenario 53: an expired intermediate does not hide a cross-signed one.
#[test]
fn an_alternative_is_found() {
    let (old, new) = (Authority::root("old"), Authority::root("new"));
    let expired = old.intermediate_with("middle", |template| template.not_after = NOW - 1);
    let crossed = new.intermediate("middle");
    let leaf = crossed.leaf(WEB);
    for order in [[&expired, &crossed], [&crossed, &expired]] {
        let chain = [
            leaf.clone(),
            order[0].certificate.clone(),
            order[1].certificate.clone(),
        ];
        assert_eq!(verify(&chain, &[&old, &new]).unwrap().root(), new.certificate);
    }
    let chain = [leaf, expired.certificate];
    assert_eq!(code(verify(&chain, &[&old, &new])), "verify.expired");
}

/// C-VFY-14: peers are of the local trust domains or of federated ones; ztunnel takes those of its own trust domain alone.
#[test]
fn peers_are_local_or_federated_or_of_the_own_domain() {
    let (ours, theirs) = (Authority::root("ours"), Authority::root("theirs"));
    let mut set = BundleSet::new(bundle_of("td", &[&ours.certificate]))
        .with_aliases(["alias".parse().unwrap()])
        .unwrap();
    set.insert(bundle_of("partner", &[&theirs.certificate])).unwrap();
    let ztunnel = IdMatcher::MemberOf("td".parse().unwrap());
    let expected = [
        (&ours, "spiffe://td/web", "ok", "ok"),
        (&ours, "spiffe://alias/web", "ok", "verify.not_expected"),
        (&theirs, "spiffe://partner/web", "ok", "verify.not_expected"),
        (
            &ours,
            "spiffe://stranger/web",
            "verify.untrusted_domain",
            "verify.untrusted_domain",
        ),
        (
            &theirs,
            "spiffe://td/web",
            "verify.unknown_issuer",
            "verify.unknown_issuer",
        ),
        (
            &ours,
            "spiffe://td.example/web",
            "verify.untrusted_domain",
            "verify.untrusted_domain",
        ),
    ];
    for (authority, id, mesh, inbound) in expected {
        let chain = [authority.leaf(id)];
        assert_eq!(code(set.verify(&chain, &options())), mesh, "{id}");
        let options = options().with_expected(&ztunnel);
        assert_eq!(code(set.verify(&chain, &options)), inbound, "{id}");
    }
}

/// C-VFY-5, C-VFY-13: what is asked of anchors, and only of those that a path ends at.
#[test]
fn anchors() {
    let mesh = |change: &dyn Fn(&mut Template)| root_code(Profile::MESH, change);
    assert_eq!(mesh(&|it| it.not_after = NOW - 1), "verify.expired");
    assert_eq!(
        mesh(&|it| _ = it.set(unknown(true))),
        "verify.unknown_critical_extension"
    );
    assert_eq!(mesh(&|it| _ = it.remove(extension::KEY_USAGE)), "ok");
    assert_eq!(
        mesh(&|it| _ = it.set(extension::key_usage(&[1, 0x02]))),
        "verify.key_usage"
    );
    assert_eq!(
        mesh(&|it| _ = it.remove(extension::BASIC_CONSTRAINTS)),
        "verify.anchor_has_basic_constraints"
    );
    assert_eq!(mesh(&|it| it.serial = vec![0]), "ok");
    let bare = |it: &mut Template| {
        it.version = 1;
        it.extensions.clear();
    };
    assert_eq!(mesh(&bare), "verify.anchor_is_version_3");
    assert_eq!(root_code(Profile::ISTIO_COMPAT, bare), "ok");
    let root = Authority::root_with("root", |it| it.not_after = NOW - 1);
    let lenient = options().with_anchor_validity(false);
    assert_eq!(code(bundle(&[&root]).verify(&[root.leaf(WEB)], &lenient)), "ok");
    // An anchor that nobody needs does no harm.
    let (good, strange) = (
        Authority::root("good"),
        Authority::root_with("strange", |it| _ = it.set(unknown(true))),
    );
    assert_eq!(code(verify(&[good.leaf(WEB)], &[&strange, &good])), "ok");
    // A leaf that is an anchor itself.
    let result = bundle_of("td", &[&good.leaf(WEB)]).verify(&[good.leaf(WEB)], &options());
    assert!(result.is_err());
}

/// Scenario 61, 61a: self-signed leaves, and copies of anchors that the peer sends.
#[test]
fn peers_bring_no_anchors() {
    let root = Authority::root("root");
    let stranger = Authority::root("stranger");
    let leaf = stranger.leaf_with(WEB, |leaf| leaf.issuer = leaf.subject.clone());
    assert_eq!(code(verify(&[leaf], &[&root])), "verify.unknown_issuer");
    let chain = [stranger.leaf(WEB), stranger.certificate.clone()];
    assert_eq!(code(verify(&chain, &[&root])), "verify.unknown_issuer");
    let expired = Authority::root_with("root", |it| it.not_after = NOW - 1);
    let constrained = Authority::root_with("root", |it| {
        it.set(extension::name_constraints(&[extension::uri("other")], &[]));
    });
    let chain = [root.leaf(WEB), root.certificate.clone()];
    assert_eq!(code(verify(&chain, &[&expired])), "verify.expired");
    assert_eq!(code(verify(&chain, &[&constrained])), "verify.name_constraint");
    // C-ROT-1: several certificates of one name and key are anchors each by itself.
    assert_eq!(code(verify(&chain, &[&expired, &constrained, &root])), "ok");
}

/// Scenario 62, C-VFY-4: the order of the chain does not matter, and neither do certificates that do not belong.
#[test]
fn order_does_not_matter() {
    let root = Authority::root("root");
    let first = root.intermediate("first");
    let second = first.intermediate("second");
    let other = Authority::root("other").intermediate("other middle");
    let leaf = second.leaf(WEB);
    let mut rest = [
        &first.certificate,
        &second.certificate,
        &other.certificate,
        &first.certificate,
    ];
    for _ in 0..4 {
        rest.rotate_left(1);
        let chain: Vec<Vec<u8>> = std::iter::once(&leaf)
            .chain(rest.iter().copied())
            .cloned()
            .collect();
        assert_eq!(code(verify(&chain, &[&root])), "ok");
    }
    let chain = [
        leaf.clone(),
        second.certificate.clone(),
        vec![0x30, 0],
        first.certificate.clone(),
    ];
    assert_eq!(code(verify(&chain, &[&root])), "ok");
    let chain = [leaf, second.certificate.clone(), vec![0x30, 0]];
    assert!(matches!(
        verify(&chain, &[&root]),
        Err(VerifyError::Malformed { depth: 2, .. })
    ));
    assert_eq!(code(verify(&[], &[&root])), "verify.empty_chain");
}

/// Scenario 63, C-VFY-4, C-GEN-8: budgets and limits.
#[test]
fn budgets_end_the_search() {
    let root = Authority::root("root");
    let mut authorities = vec![root.clone()];
    for number in 0..9 {
        let next = authorities[number].intermediate(&format!("authority {number}"));
        authorities.push(next);
    }
    let chain = |length: usize| {
        let mut chain = vec![authorities[length].leaf(WEB)];
        chain.extend(
            authorities[1..=length]
                .iter()
                .map(|authority| authority.certificate.clone()),
        );
        chain
    };
    assert_eq!(code(verify(&chain(8), &[&root])), "ok");
    let error = verify(&chain(9), &[&root]).unwrap_err();
    assert_eq!(error, VerifyError::BudgetExceeded(Budget::Intermediates));
    let mut long = chain(9);
    long.push(root.certificate.clone());
    assert_eq!(verify(&long, &[&root]), Err(VerifyError::ChainTooLong));
    for (budgets, budget) in [
        (
            Budgets {
                signatures: 2,
                ..Budgets::default()
            },
            Budget::Signatures,
        ),
        (
            Budgets {
                visits: 2,
                ..Budgets::default()
            },
            Budget::Visits,
        ),
    ] {
        let result = bundle(&[&root]).verify(&chain(3), &options().with_budgets(budgets));
        assert_eq!(result, Err(VerifyError::BudgetExceeded(budget)));
    }
    let names: Vec<Vec<u8>> = (0..40)
        .map(|number| extension::dns(&format!("n{number}.td")))
        .collect();
    let excluded: Vec<Vec<u8>> = (0..100)
        .map(|number| extension::dns(&format!("x{number}.td")))
        .collect();
    let constrained = Authority::root_with("constrained", |it| {
        _ = it.set(extension::name_constraints(&[], &excluded));
    });
    let leaf = constrained.leaf_with(WEB, |leaf| {
        let names: Vec<Vec<u8>> = names.iter().cloned().chain([extension::uri(WEB)]).collect();
        leaf.set(extension::subject_alt_name(&names));
    });
    let check = |name_comparisons: usize| {
        let budgets = Budgets {
            name_comparisons,
            ..Budgets::default()
        };
        bundle(&[&constrained]).verify(std::slice::from_ref(&leaf), &options().with_budgets(budgets))
    };
    assert_eq!(code(check(4_000)), "ok");
    assert_eq!(
        check(3_999),
        Err(VerifyError::BudgetExceeded(Budget::NameComparisons))
    );
}

/// C-VFY-4: certificates that all could be issuers of one another end quickly.
#[test]
fn tangles_end() {
    let root = Authority::root("root");
    let tangle: Vec<Authority> = (0..9)
        .map(|number| {
            let mut authority = Authority::root(&format!("key {number}"));
            authority.name = testkit::pki::name("tangle");
            authority
        })
        .collect();
    let mut chain = vec![tangle[0].leaf(WEB)];
    for (number, authority) in tangle.iter().enumerate() {
        let issuer = &tangle[(number + 1) % tangle.len()];
        let mut template = issuer.leaf_template(WEB);
        template
            .remove(extension::SUBJECT_ALT_NAME)
            .remove(extension::EXTENDED_KEY_USAGE);
        template
            .set(extension::basic_constraints(true, None))
            .set(extension::key_usage(extension::SIGNS));
        template.subject = authority.name.clone();
        template.public_key = authority.key.public_key().der().to_vec();
        chain.push(template.sign(&issuer.key));
    }
    let error = verify(&chain, &[&root]).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::BudgetExceeded(_)
                | VerifyError::UnknownIssuer { .. }
                | VerifyError::Signature { .. }
        ),
        "{error}"
    );
}

/// C-VFY-15: the id must be one of those expected.
#[test]
fn expected_ids() {
    let root = Authority::root("root");
    let chain = [root.leaf(WEB)];
    let web = IdMatcher::Exact(WEB.parse().unwrap());
    let other = IdMatcher::one_of(["spiffe://td/other".parse().unwrap()]);
    let bundle = bundle(&[&root]);
    assert_eq!(code(bundle.verify(&chain, &options().with_expected(&web))), "ok");
    assert_eq!(
        code(bundle.verify(&chain, &options().with_expected(&other))),
        "verify.not_expected"
    );
}

/// C-PERF-2: the cache holds signature checks and nothing else.
#[test]
fn the_cache_remembers_signatures_only() {
    let root = Authority::root("root");
    let middle = root.intermediate_with("middle", |it| it.not_after = NOW + 10);
    let chain = [middle.leaf(WEB), middle.certificate.clone()];
    let bundle = bundle(&[&root]);
    let mut cache = SignatureCache::new(10);
    for _ in 0..2 {
        assert_eq!(code(bundle.verify_cached(&chain, &options(), &mut cache)), "ok");
        assert_eq!(cache.len(), 1);
    }
    let later = VerifyOptions::at(UnixTime::from_secs(NOW + 11));
    assert_eq!(
        code(bundle.verify_cached(&chain, &later, &mut cache)),
        "verify.expired"
    );
    let mut forged = chain.clone();
    let last = forged[1].len() - 1;
    forged[1][last] ^= 1;
    assert_eq!(
        code(bundle.verify_cached(&forged, &options(), &mut cache)),
        "verify.signature"
    );
    assert_eq!(cache.len(), 1);
    let other = bundle_of("td", &[&Authority::root("other").certificate]);
    assert_eq!(
        code(other.verify_cached(&chain, &options(), &mut cache)),
        "verify.unknown_issuer"
    );
}

/// C-VFY-17: the failure of the path that got furthest, and among equals the preferred one.
#[test]
fn failures_are_preferred() {
    let (first, second) = (Authority::root("first"), Authority::root("second"));
    let expired = first.intermediate_with("middle", |it| it.not_after = NOW - 1);
    let early = second.intermediate_with("middle", |it| it.not_before = NOW + 1);
    let chain = [
        expired.leaf(WEB),
        early.certificate.clone(),
        expired.certificate.clone(),
    ];
    assert_eq!(code(verify(&chain, &[&first, &second])), "verify.expired");
    let constrained = second.intermediate_with("middle", |it| {
        it.set(extension::name_constraints(&[extension::uri("other")], &[]));
    });
    let chain = [expired.leaf(WEB), constrained.certificate, expired.certificate];
    assert_eq!(code(verify(&chain, &[&first, &second])), "verify.name_constraint");
}
