//! Verification of peers: the scenarios of the specification by number, and the attacks on chains.

use mesh_ca::{
    Budget, Budgets, BundleSet, Crl, CrlError, CrlSet, ExpiredCrl, IdMatcher, KeyAlgorithm, KeyPurpose,
    Limits, Profile, RevocationPolicy, Rule, Severity, SignatureCache, TrustBundle, UnixTime, UnknownStatus,
    Verified, VerifyError, VerifyOptions,
};
use testkit::pki::{Authority, Extension, NOW, Template, YEAR, der, extension, now, serial};

const WEB: &str = "spiffe://td/web";

fn bundle_of(domain: &str, roots: &[&[u8]]) -> TrustBundle {
    let mut bundle = TrustBundle::new(domain.parse().unwrap());
    for root in roots {
        bundle.insert_x509(root).unwrap();
    }
    bundle
}

fn bundle(roots: &[&Authority]) -> TrustBundle {
    let roots: Vec<&[u8]> = roots.iter().map(|root| &root.certificate[..]).collect();
    bundle_of("td", &roots)
}

fn options() -> VerifyOptions<'static> {
    VerifyOptions::at(now()).with_purpose(KeyPurpose::ServerAuth)
}

/// Verifies with the profile of a mesh.
fn verify(chain: &[Vec<u8>], roots: &[&Authority]) -> Result<Verified, VerifyError> {
    bundle(roots).verify(chain, &options())
}

fn code(result: Result<Verified, VerifyError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

/// What becomes of a leaf that is changed before it is signed.
fn leaf_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root("root");
    let leaf = root.leaf_with(WEB, change);
    code(bundle(&[&root]).verify(&[leaf], &options().with_profile(profile)))
}

/// What becomes of an intermediate that is changed before it is signed.
fn intermediate_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root("root");
    let middle = root.intermediate_with("middle", change);
    let chain = [middle.leaf(WEB), middle.certificate.clone()];
    code(bundle(&[&root]).verify(&chain, &options().with_profile(profile)))
}

/// What becomes of a root that is changed before it is signed.
fn root_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root_with("root", change);
    let chain = [root.leaf(WEB)];
    code(bundle(&[&root]).verify(&chain, &options().with_profile(profile)))
}

fn unknown(critical: bool) -> Extension {
    Extension {
        oid: "1.2.3.4",
        critical,
        value: vec![5, 0],
    }
}

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

/// Scenarios 54, 55, 58, 64 and the other rules of C-VFY-2.
#[test]
fn leaves() {
    let mesh = |change: &dyn Fn(&mut Template)| leaf_code(Profile::MESH, change);
    let names = |list: &[Vec<u8>]| extension::subject_alt_name(list);
    let web = extension::uri(WEB);
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::basic_constraints(true, None))),
        "verify.leaf_is_no_ca"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(names(&[extension::uri("spiffe://td")]))),
        "verify.leaf_is_trust_domain_id"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::extended_key_usage(&[extension::EMAIL_PROTECTION]))),
        "verify.purpose"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::extended_key_usage(&[extension::CLIENT_AUTH]))),
        "verify.purpose"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::extended_key_usage(&["2.5.29.37.0"]))),
        "ok"
    );
    assert_eq!(mesh(&|leaf| _ = leaf.remove(extension::EXTENDED_KEY_USAGE)), "ok");
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(names(&[web.clone(), extension::dns("web.td")]))),
        "ok"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.remove(extension::SUBJECT_ALT_NAME)),
        "verify.no_uri_san"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(names(&[extension::dns("web.td")]))),
        "verify.no_uri_san"
    );
    for second in [WEB, "spiffe://td/other", "https://td/"] {
        let change = |leaf: &mut Template| _ = leaf.set(names(&[web.clone(), extension::uri(second)]));
        assert_eq!(mesh(&change), "verify.multiple_uri_sans");
    }
    for wrong in [
        "https://td/web",
        "spiffe://TD/web",
        "SPIFFE://td/web",
        "spiffe://td/web\0",
        "spiffe://td/web/",
    ] {
        let change = |leaf: &mut Template| _ = leaf.set(names(&[extension::uri(wrong)]));
        assert_eq!(mesh(&change), "verify.invalid_spiffe_id", "{wrong:?}");
    }
    assert_eq!(
        mesh(&|leaf| _ = leaf.remove(extension::KEY_USAGE)),
        "verify.leaf_has_key_usage"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::key_usage(&[6, 0x40]))),
        "verify.leaf_may_sign"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::key_usage(&[2, 0x84]))),
        "verify.cert_sign_without_ca"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::key_usage(&[1, 0x82]))),
        "verify.leaf_is_no_ca"
    );
    assert_eq!(mesh(&|leaf| leaf.version = 1), "verify.malformed");
    assert_eq!(
        mesh(&|leaf| leaf.issuer = testkit::pki::name("")),
        "verify.empty_name"
    );
    assert_eq!(
        mesh(&|leaf| _ = leaf.set(extension::name_constraints(&[extension::uri("td")], &[]))),
        "verify.name_constraints_in_leaf"
    );
    assert_eq!(
        mesh(&|leaf| leaf.public_key =
            der::sequence([der::sequence([der::oid("1.3.101.113")]), der::bits(&[0; 57])])),
        "verify.public_key"
    );
    // C-KEY-4: a point beside the curve. The authority that signed such a leaf has not looked.
    for kind in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let point = |change: u8| {
            let mut spki = testkit::pki::key(kind, 5).public_key().der().to_vec();
            *spki.last_mut().expect("a key") ^= change;
            leaf_code(Profile::MESH, |leaf| leaf.public_key = spki)
        };
        assert_eq!((point(0), point(1)), ("ok", "verify.public_key"));
    }
}

/// Scenarios 59 and 60, and the other rules of C-VFY-3, 11, 12, 13, 18 for intermediates and leaves.
#[test]
fn extensions_and_fields() {
    let both = |change: &dyn Fn(&mut Template), expected: &str| {
        assert_eq!(leaf_code(Profile::MESH, change), expected, "leaf");
        assert_eq!(intermediate_code(Profile::MESH, change), expected, "intermediate");
    };
    both(
        &|it| _ = it.set(unknown(true)),
        "verify.unknown_critical_extension",
    );
    both(&|it| _ = it.set(unknown(false)), "ok");
    both(&|it| it.serial = vec![0], "verify.serial_number");
    both(&|it| it.serial = vec![0x80], "verify.serial_number");
    both(&|it| it.serial = vec![1; 21], "verify.serial_number");
    both(&|it| it.serial = vec![1; 20], "ok");
    both(
        &|it| _ = it.critical(extension::AUTHORITY_KEY_ID, true),
        "verify.key_id_critical",
    );
    both(&|it| it.not_after = NOW - 1, "verify.expired");
    both(&|it| it.not_after = NOW, "ok");
    both(&|it| it.not_before = NOW + 1, "verify.not_yet_valid");
    both(&|it| it.not_before = NOW, "ok");
    for oid in ["2.5.29.33", "2.5.29.36", "2.5.29.54"] {
        for critical in [false, true] {
            let rule = Extension {
                oid,
                critical,
                value: vec![0x30, 0],
            };
            both(&|it| _ = it.set(rule.clone()), "verify.policy_rules");
        }
    }
    let mesh = |change: &dyn Fn(&mut Template)| intermediate_code(Profile::MESH, change);
    assert_eq!(
        mesh(&|it| _ = it.set(extension::key_usage(&[1, 0x02]))),
        "verify.key_usage"
    );
    assert_eq!(
        mesh(&|it| _ = it.remove(extension::KEY_USAGE)),
        "verify.key_usage"
    );
    assert_eq!(
        mesh(&|it| _ = it.remove(extension::BASIC_CONSTRAINTS)),
        "verify.not_ca"
    );
    assert_eq!(
        mesh(&|it| _ = it.set(extension::basic_constraints(false, None))),
        "verify.not_ca"
    );
    assert_eq!(
        mesh(&|it| _ = it.set(extension::extended_key_usage(&[extension::CLIENT_AUTH]))),
        "verify.purpose"
    );
    assert_eq!(
        mesh(&|it| _ = it.set(extension::extended_key_usage(&["2.5.29.37.0"]))),
        "ok"
    );
    assert_eq!(
        mesh(&|it| _ = it.critical(extension::SUBJECT_KEY_ID, true)),
        "verify.key_id_critical"
    );
    // An extension that is there twice.
    let twice = mesh(&|it| {
        let again = it.extensions[0].clone();
        it.extensions.push(again);
    });
    assert_eq!(twice, "verify.malformed");
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

/// C-VFY-7, C-KEY-3: signatures are checked, with the algorithm that fits the key.
#[test]
fn signatures_are_checked() {
    let (root, impostor) = (Authority::root("root"), Authority::root("impostor"));
    let mut forged = impostor.leaf_template(WEB);
    forged.issuer = root.name.clone();
    let result = verify(&[forged.sign(&impostor.key)], &[&root]);
    assert!(
        matches!(result, Err(VerifyError::Signature { depth: 0, .. })),
        "{result:?}"
    );
    let good = root.leaf(WEB);
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        assert!(verify(&[changed], &[&root]).is_err(), "byte {at}");
    }
}

/// C-VFY-19: what sets the profiles apart.
#[test]
fn profiles_differ() {
    let all = [Profile::STRICT_SPIFFE, Profile::MESH, Profile::ISTIO_COMPAT];
    let leaves = |change: &dyn Fn(&mut Template)| all.clone().map(|profile| leaf_code(profile, change));
    let middles =
        |change: &dyn Fn(&mut Template)| all.clone().map(|profile| intermediate_code(profile, change));
    assert_eq!(
        leaves(&|it| _ = it.critical(extension::KEY_USAGE, false)),
        ["verify.leaf_key_usage_critical", "ok", "ok"]
    );
    assert_eq!(
        leaves(&|it| _ = it.remove(extension::KEY_USAGE)),
        ["verify.leaf_has_key_usage", "verify.leaf_has_key_usage", "ok"]
    );
    assert_eq!(
        leaves(&|it| _ = it.set(extension::extended_key_usage(&[extension::SERVER_AUTH]))),
        ["verify.leaf_has_both_purposes", "ok", "ok"]
    );
    assert_eq!(
        leaves(&|it| _ = it.remove(extension::BASIC_CONSTRAINTS)),
        ["verify.leaf_has_basic_constraints", "ok", "ok"]
    );
    assert_eq!(
        leaves(&|it| it.subject = testkit::pki::name("")),
        [
            "verify.empty_subject_has_critical_names",
            "verify.empty_subject_has_critical_names",
            "ok"
        ]
    );
    assert_eq!(
        leaves(&|it| {
            it.subject = testkit::pki::name("");
            it.critical(extension::SUBJECT_ALT_NAME, true);
        }),
        ["ok"; 3]
    );
    assert_eq!(
        leaves(&|it| _ = it.critical(extension::SUBJECT_ALT_NAME, true)),
        ["ok"; 3]
    );
    assert_eq!(
        leaves(&|it| _ = it.remove(extension::AUTHORITY_KEY_ID)),
        ["verify.key_ids", "ok", "ok"]
    );
    assert_eq!(
        middles(&|it| _ = it.critical(extension::BASIC_CONSTRAINTS, false)),
        ["verify.ca_basic_constraints_critical", "ok", "ok"]
    );
    assert_eq!(
        middles(&|it| _ = it.remove(extension::SUBJECT_KEY_ID)),
        ["verify.key_ids", "ok", "ok"]
    );
    let uri = |uri: &'static str| {
        move |it: &mut Template| _ = it.set(extension::subject_alt_name(&[extension::uri(uri)]))
    };
    assert_eq!(middles(&uri("spiffe://td")), ["ok"; 3]);
    for wrong in ["spiffe://other", "spiffe://td/", "spiffe://td/ca"] {
        assert_eq!(
            middles(&uri(wrong)),
            ["verify.signing_uri", "ok", "ok"],
            "{wrong}"
        );
    }
    let constraints = |it: &mut Template| {
        it.set(extension::name_constraints(&[extension::uri("td")], &[]));
        it.critical(extension::NAME_CONSTRAINTS, false);
    };
    assert_eq!(
        middles(&constraints),
        ["verify.name_constraints_critical", "ok", "ok"]
    );
    // What a profile lets pass with a note is noted.
    let root = Authority::root("root");
    let leaf = root.leaf_with(WEB, |it| _ = it.critical(extension::KEY_USAGE, false));
    let peer = verify(&[leaf], &[&root]).unwrap();
    let notes: Vec<(usize, Rule)> = peer
        .diagnostics()
        .iter()
        .map(|note| (note.depth, note.rule))
        .collect();
    assert_eq!(notes, [(0, Rule::LeafKeyUsageCritical)]);
    let own = Profile {
        leaf_may_sign: Severity::Allow,
        ..Profile::MESH
    };
    assert_eq!(
        leaf_code(own, |it| _ = it.set(extension::key_usage(&[6, 0x40]))),
        "ok"
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

fn crls(lists: &[Vec<u8>]) -> CrlSet {
    let mut set = CrlSet::new();
    set.update(
        lists
            .iter()
            .map(|crl| Crl::parse(crl, &Limits::default()).unwrap()),
    )
    .unwrap();
    set
}

/// A root, an intermediate below it, and a chain of both.
struct Revocable {
    root: Authority,
    middle: Authority,
    chain: [Vec<u8>; 2],
}

impl Revocable {
    fn new() -> Self {
        let root = Authority::root("root");
        let middle = root.intermediate("middle");
        let chain = [middle.leaf(WEB), middle.certificate.clone()];
        Self { root, middle, chain }
    }

    fn check(&self, lists: &[Vec<u8>], policy: RevocationPolicy) -> Result<Verified, VerifyError> {
        let crls = crls(lists);
        bundle(&[&self.root]).verify(&self.chain, &options().with_crls(&crls, policy))
    }

    fn code(&self, lists: &[Vec<u8>]) -> &'static str {
        code(self.check(lists, RevocationPolicy::default()))
    }
}

/// Scenarios 56, 57, 65 and 82, C-CRL-5..9, C-CRL-11.
#[test]
fn revocation() {
    let it = Revocable::new();
    let (root, middle) = (it.root.crl().sign(&it.root.key), it.middle.crl());
    let middle_serial = mesh_ca::Certificate::parse(&it.middle.certificate)
        .unwrap()
        .serial_bytes()
        .to_vec();
    assert_eq!(it.code(&[]), "ok", "no CRL at all");
    assert_eq!(it.code(&[root.clone(), middle.sign(&it.middle.key)]), "ok");
    let revoked = middle.clone().revoke(&serial(WEB)).sign(&it.middle.key);
    assert_eq!(it.code(&[root.clone(), revoked]), "verify.revoked");
    let revoked = it.root.crl().revoke(&middle_serial).sign(&it.root.key);
    assert_eq!(
        it.code(&[revoked.clone(), middle.sign(&it.middle.key)]),
        "verify.revoked"
    );
    // The same serial number in the CRL of another issuer, of another name or of another key.
    let stranger = Authority::root("stranger");
    let foreign = stranger.crl().revoke(&serial(WEB)).sign(&stranger.key);
    assert_eq!(
        it.code(&[root.clone(), middle.sign(&it.middle.key), foreign]),
        "ok"
    );
    let mut same_name = stranger.crl().revoke(&serial(WEB));
    same_name.issuer = it.middle.name.clone();
    assert_eq!(
        it.code(&[
            root.clone(),
            middle.sign(&it.middle.key),
            same_name.sign(&stranger.key)
        ]),
        "ok"
    );
    // C-CRL-7: once one authority has a CRL, all need one.
    assert_eq!(it.code(std::slice::from_ref(&root)), "verify.revocation_unknown");
    let allow = RevocationPolicy {
        unknown: UnknownStatus::Allow,
        ..RevocationPolicy::default()
    };
    assert_eq!(code(it.check(std::slice::from_ref(&root), allow)), "ok");
    let fail = RevocationPolicy {
        unknown: UnknownStatus::Fail,
        ..RevocationPolicy::default()
    };
    assert_eq!(code(it.check(&[], fail)), "verify.revocation_unknown");
    let leaf_only = RevocationPolicy {
        depth: mesh_ca::CheckDepth::Leaf,
        ..RevocationPolicy::default()
    };
    assert_eq!(
        code(it.check(&[revoked, middle.sign(&it.middle.key)], leaf_only)),
        "ok"
    );
}

/// Scenario 57, C-CRL-6: the times of CRLs.
#[test]
fn crl_times() {
    let it = Revocable::new();
    let root = it.root.crl().sign(&it.root.key);
    let check = |this_update: i64, next_update: i64, policy: RevocationPolicy| {
        let mut crl = it.middle.crl();
        (crl.this_update, crl.next_update) = (this_update, Some(next_update));
        match it.check(&[root.clone(), crl.sign(&it.middle.key)], policy) {
            Ok(_) => "ok",
            Err(VerifyError::Crl { depth: 0, error }) => error.code(),
            Err(error) => error.code(),
        }
    };
    let default = RevocationPolicy::default;
    assert_eq!(check(NOW, NOW, default()), "ok");
    assert_eq!(check(NOW - 10, NOW - 1, default()), "crl.outdated");
    assert_eq!(check(NOW + 1, NOW + 10, default()), "crl.not_yet_valid");
    let minute = std::time::Duration::from_secs(60);
    assert_eq!(
        check(
            NOW + 60,
            NOW + 100,
            RevocationPolicy {
                skew: minute,
                ..default()
            }
        ),
        "ok"
    );
    assert_eq!(
        check(
            NOW - 100,
            NOW - 60,
            RevocationPolicy {
                grace: minute,
                ..default()
            }
        ),
        "ok"
    );
    assert_eq!(
        check(
            NOW - 100,
            NOW - 61,
            RevocationPolicy {
                grace: minute,
                ..default()
            }
        ),
        "crl.outdated"
    );
    assert_eq!(
        check(
            NOW - 100,
            NOW - 61,
            RevocationPolicy {
                expired_crl: ExpiredCrl::Use,
                ..default()
            }
        ),
        "ok"
    );
}

/// Scenario 65, C-CRL-5, C-CRL-6: who may sign, and what makes a CRL unusable.
#[test]
fn unusable_crls() {
    let root = Authority::root("root");
    let middle = root.intermediate_with("middle", |it| {
        it.set(extension::key_usage(extension::SIGNS_CERTIFICATES));
    });
    let lists = crls(&[root.crl().sign(&root.key), middle.crl().sign(&middle.key)]);
    let chain = [middle.leaf(WEB), middle.certificate.clone()];
    let options = options().with_crls(&lists, RevocationPolicy::default());
    let error = bundle(&[&root]).verify(&chain, &options).unwrap_err();
    assert_eq!(
        error,
        VerifyError::Crl {
            depth: 0,
            error: CrlError::NotCrlSigner
        }
    );
    // Signed by someone else, in the name of the issuer and with its key identifier.
    let it = Revocable::new();
    let forged = it.middle.crl().sign(&Authority::root("stranger").key);
    assert_eq!(it.code(&[it.root.crl().sign(&it.root.key), forged]), "verify.crl");
    let parse = |change: &dyn Fn(&mut testkit::pki::CrlTemplate)| {
        let mut crl = it.middle.crl().revoke(&[1]);
        change(&mut crl);
        Crl::parse(&crl.sign(&it.middle.key), &Limits::default()).map_or_else(|error| error.code(), |_| "ok")
    };
    let distribution = |flag: u8| Extension {
        oid: "2.5.29.28",
        critical: true,
        value: der::sequence([der::value(0x80 | flag, &[0xff])]),
    };
    assert_eq!(parse(&|_| ()), "ok");
    assert_eq!(parse(&|crl| crl.next_update = None), "crl.next_update_missing");
    assert_eq!(parse(&|crl| crl.extensions.truncate(1)), "crl.number_missing");
    assert_eq!(parse(&|crl| crl.extensions.clear()), "crl.number_missing");
    assert_eq!(
        parse(&|crl| crl.extensions[1].critical = true),
        "crl.number_invalid"
    );
    assert_eq!(
        parse(&|crl| crl.extensions.push(unknown(true))),
        "crl.unknown_critical_extension"
    );
    assert_eq!(parse(&|crl| crl.extensions.push(unknown(false))), "ok");
    assert_eq!(
        parse(&|crl| crl.extensions.push(testkit::pki::crl_number(9))),
        "crl.duplicate_extension"
    );
    assert_eq!(parse(&|crl| crl.extensions.push(distribution(1))), "ok");
    assert_eq!(parse(&|crl| crl.extensions.push(distribution(4))), "crl.scope");
    assert_eq!(
        parse(&|crl| crl.entries[0].2.push(unknown(true))),
        "crl.unknown_critical_extension"
    );
    let reason = |number: u8| Extension {
        oid: "2.5.29.21",
        critical: false,
        value: vec![0x0a, 1, number],
    };
    assert_eq!(parse(&|crl| crl.entries[0].2.push(reason(6))), "ok");
    let invalidity = Extension {
        oid: "2.5.29.24",
        critical: false,
        value: der::value(0x18, b"20260101000000Z"),
    };
    for once in [reason(6), invalidity] {
        assert_eq!(parse(&|crl| crl.entries[0].2.push(once.clone())), "ok");
        let twice = parse(&|crl| crl.entries[0].2.extend([once.clone(), once.clone()]));
        assert_eq!(twice, "crl.duplicate_extension");
    }
    assert_eq!(parse(&|crl| crl.entries[0].2.push(reason(7))), "crl.reason");
    assert_eq!(parse(&|crl| crl.entries[0].2.push(reason(8))), "crl.reason");
    // onlyContainsCACerts says nothing about leaves, onlyContainsUserCerts does.
    let scoped = |flag: u8| {
        let mut crl = it.middle.crl().revoke(&serial(WEB));
        crl.extensions.push(distribution(flag));
        it.code(&[it.root.crl().sign(&it.root.key), crl.sign(&it.middle.key)])
    };
    assert_eq!(scoped(1), "verify.revoked");
    assert_eq!(scoped(2), "verify.revocation_unknown");
}

/// C-CRL-3, C-CRL-6, C-GEN-8: the version, both algorithms, and limits.
#[test]
fn crls_have_their_form() {
    let root = Authority::root("root");
    let crl = root.crl().revoke(&[1]).revoke(&[2]).sign(&root.key);
    let code =
        |der: &[u8], limits: &Limits| Crl::parse(der, limits).map_or_else(|error| error.code(), |_| "ok");
    let limits = Limits::default();
    assert_eq!(code(&crl, &limits), "ok");
    assert_eq!(
        code(&replaced_first(&crl, &[2, 1, 1], &[2, 1, 0]), &limits),
        "crl.version"
    );
    assert_eq!(
        code(&other_algorithm_outside(&crl), &limits),
        "crl.algorithm_mismatch"
    );
    let small = |crl, crl_entries| Limits {
        crl,
        crl_entries,
        ..Limits::default()
    };
    assert_eq!(code(&crl, &small(crl.len(), 2)), "ok");
    assert_eq!(code(&crl, &small(crl.len() - 1, 2)), "crl.too_large");
    assert_eq!(code(&crl, &small(crl.len(), 1)), "crl.too_many_entries");
}

/// C-VFY-7, C-VFY-13: another algorithm outside than inside, and unique identifiers.
#[test]
fn fields_that_certificates_must_not_have() {
    let root = Authority::root("root");
    let leaf = root.leaf(WEB);
    let error = verify(&[other_algorithm_outside(&leaf)], &[&root]).unwrap_err();
    let VerifyError::Malformed { error, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(error.code(), "certificate.algorithm_mismatch");

    let key = root.leaf_template(WEB).public_key;
    for tag in [0x81, 0x82] {
        let id = der::value(tag, &[0, 1]);
        let tbs = mesh_ca::Certificate::parse(&leaf).unwrap().tbs_der().to_vec();
        let tbs = replaced_first(&tbs, &key, &[&key[..], &id].concat());
        let tbs = der::value(0x30, &tbs[4..]);
        let signature = mesh_ca::Signer::sign(&*root.key, &tbs).unwrap();
        let algorithm = der::sequence([der::oid("1.3.101.112")]);
        let leaf = der::sequence([tbs, algorithm, der::bits(&signature)]);
        assert_eq!(code(verify(&[leaf], &[&root])), "verify.unique_ids");
    }
}

/// C-VFY-2: what an agent is given is checked in the same way as far as that goes.
#[test]
fn what_is_served_is_an_svid() {
    let root = Authority::root("root");
    let check = |uri: &str| mesh_ca::check_svid(&[root.leaf(uri)], &options()).map_err(|error| error.code());
    assert_eq!(check(WEB).map(|id| id.to_string()).as_deref(), Ok(WEB));
    assert_eq!(check("spiffe://td"), Err("verify.leaf_is_trust_domain_id"));
    assert_eq!(check("https://td/web"), Err("verify.invalid_spiffe_id"));
}

/// Ed25519 inside, and the next algorithm outside.
fn other_algorithm_outside(signed: &[u8]) -> Vec<u8> {
    let identifier = der::sequence([der::oid("1.3.101.112")]);
    let at = signed
        .windows(identifier.len())
        .rposition(|part| part == identifier);
    let mut other = signed.to_vec();
    other[at.unwrap() + identifier.len() - 1] += 1;
    other
}

fn replaced_first(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|part| part == old).unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// C-CRL-8, C-CRL-11: the highest number wins, nothing older comes back, and a bad update changes nothing.
#[test]
fn crl_sets() {
    let it = Revocable::new();
    let list = |number: u64, revoke: bool| {
        let crl = it.middle.crl().number(number);
        let crl = if revoke { crl.revoke(&serial(WEB)) } else { crl };
        Crl::parse(&crl.sign(&it.middle.key), &Limits::default()).unwrap()
    };
    let root = Crl::parse(&it.root.crl().sign(&it.root.key), &Limits::default()).unwrap();
    let mut set = CrlSet::new();
    let check = |set: &CrlSet| {
        let options = options().with_crls(set, RevocationPolicy::default());
        code(bundle(&[&it.root]).verify(&it.chain, &options))
    };
    let change = set
        .update([root.clone(), list(5, true), list(7, false), list(6, true)])
        .unwrap();
    assert_eq!(change.issuers.len(), 2);
    assert_eq!(check(&set), "ok", "number 7 counts");
    let error = set.update([root.clone(), list(6, true)]).unwrap_err();
    assert!(matches!(error, CrlError::Rollback { .. }));
    assert_eq!(check(&set), "ok", "a bad update changes nothing");
    let change = set.update([root.clone(), list(8, true)]).unwrap();
    assert_eq!(
        change.issuers.into_iter().collect::<Vec<_>>(),
        std::slice::from_ref(&it.middle.name)
    );
    assert_eq!(check(&set), "verify.revoked");
    let certificates =
        [&it.root.certificate, &it.middle.certificate].map(|der| mesh_ca::Certificate::parse(der).unwrap());
    assert_eq!(set.authenticate(&certificates, mesh_ca::default_verifier()), 2);
    assert_eq!(check(&set), "verify.revoked");
    // Scenario 82: an empty file is "no revocations".
    set.update_from_pem(b"", &Limits::default()).unwrap();
    assert_eq!(check(&set), "ok");
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

/// Scenario 81, C-CRL-10: a live connection is closed by a CRL that is later than it, and not by time.
#[test]
fn live_connections() {
    use mesh_ca::{ConnectionEvent, ConnectionIndex, RevocationCheck, RevocationReason};

    let it = Revocable::new();
    let trust = bundle(&[&it.root]);
    let peer = trust.verify(&it.chain, &options()).unwrap();
    let other = it.root.leaf("spiffe://td/other");
    let other = trust.verify(&[other], &options()).unwrap();
    let policy = RevocationPolicy {
        unknown: UnknownStatus::Allow,
        ..RevocationPolicy::default()
    };
    let verifier = mesh_ca::default_verifier();
    let mut crls = CrlSet::new();
    let mut index = ConnectionIndex::new();
    let before = index.generation();
    let check = RevocationCheck {
        crls: &CrlSet::new(),
        policy: &policy,
        verifier,
    };
    assert_eq!(index.register(1, &peer, before, check, now()), None);
    assert_eq!(index.register(2, &other, before, check, now()), None);
    // Long after the certificates have expired, a CRL revokes the leaf of the first connection.
    let late = NOW + 3 * YEAR;
    let list = |number: u64, revoke: bool, until: i64| {
        let mut crl = it.middle.crl().number(number);
        (crl.this_update, crl.next_update) = (late, Some(until));
        let crl = if revoke { crl.revoke(&serial(WEB)) } else { crl };
        Crl::parse(&crl.sign(&it.middle.key), &Limits::default()).unwrap()
    };
    let at = |seconds: i64| UnixTime::from_secs(late + seconds);
    let change = crls.update([list(2, false, late + 10)]).unwrap();
    let check = RevocationCheck {
        crls: &crls,
        policy: &policy,
        verifier,
    };
    assert_eq!(
        index.crls_changed(&change, check, at(0)),
        [],
        "expiry closes nothing"
    );
    let events = index.crls_changed(&change, check, at(11));
    assert!(
        matches!(&events[..], [ConnectionEvent::Alarm { connection: 1, .. }]),
        "{events:?}"
    );
    let change = crls.update([list(3, true, late + 10)]).unwrap();
    let check = RevocationCheck {
        crls: &crls,
        policy: &policy,
        verifier,
    };
    let expected_serial = mesh_ca::SerialNumber::from_bytes(&serial(WEB)).unwrap();
    let revoked = ConnectionEvent::Revoked {
        connection: 1,
        depth: 0,
        serial: expected_serial,
        reason: RevocationReason::Unspecified,
    };
    assert_eq!(
        index.crls_changed(&change, check, at(1)),
        std::slice::from_ref(&revoked)
    );
    // A handshake that began before the change learns of it when it is registered.
    assert!(index.remove(&1) && !index.remove(&1));
    assert_eq!(index.register(1, &peer, before, check, at(1)), Some(revoked));
    let current = index.generation();
    assert_eq!(index.register(1, &peer, current, check, at(1)), None);
    // The anchor goes.
    let gone = trust.diff(&bundle_of("td", &[]));
    let events = index.bundle_changed(&gone);
    assert_eq!(
        events,
        [1, 2].map(|connection| ConnectionEvent::AnchorRemoved { connection })
    );
    assert!(index.remove(&1) && index.remove(&2) && index.is_empty());
    assert_eq!(index.bundle_changed(&gone), []);
}
