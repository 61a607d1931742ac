//! What is asked of each certificate of a path, and how profiles differ.

use mesh_ca::{KeyAlgorithm, Profile, Rule, Severity, VerifyError};
use testkit::pki::{Authority, Extension, NOW, Template, der, extension};

use super::{
    WEB, code, intermediate_code, leaf_code, options, other_algorithm_outside, replaced_first, root_code,
    unknown, verify,
};

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

/// C-VFY-11: what a certificate calls critical and nobody here knows is refused in every certificate of a path, and no policy
/// tree is ever built: policies are passed over, rules on them refused.
#[test]
fn policies_are_passed_over_and_their_rules_refused() {
    let policies = |critical, value: Vec<u8>| Extension {
        oid: "2.5.29.32",
        critical,
        value,
    };
    let any_policy = der::sequence([der::sequence([der::oid("2.5.29.32.0")])]);
    let everywhere = |change: &dyn Fn(&mut Template)| {
        let profiles = [
            Profile::MESH,
            Profile::STRICT_SPIFFE,
            Profile::ISTIO_COMPAT,
            Profile::RFC5280,
        ];
        let codes = profiles.into_iter().flat_map(|profile| {
            [
                leaf_code(profile.clone(), change),
                intermediate_code(profile.clone(), change),
                root_code(profile, change),
            ]
        });
        codes.collect::<Vec<_>>()
    };
    for critical in [false, true] {
        let good = policies(critical, any_policy.clone());
        assert_eq!(
            everywhere(&|it| _ = it.set(good.clone())),
            ["ok"; 12],
            "{critical}"
        );
        // policyMappings, policyConstraints, inhibitAnyPolicy.
        for oid in ["2.5.29.33", "2.5.29.36", "2.5.29.54"] {
            let rule = Extension {
                oid,
                critical,
                value: der::sequence([der::value(0x80, &[0])]),
            };
            let codes = everywhere(&|it| _ = it.set(rule.clone()));
            assert_eq!(codes, ["verify.policy_rules"; 12], "{oid} {critical}");
        }
    }
    let codes = everywhere(&|it| _ = it.set(unknown(true)));
    assert_eq!(codes, ["verify.unknown_critical_extension"; 12]);
    assert_eq!(everywhere(&|it| _ = it.set(unknown(false))), ["ok"; 12]);

    // A certificate that no path needs may say what it likes.
    let (root, other) = (Authority::root("root"), Authority::root("other"));
    let stray = other.intermediate_with("stray", |it| _ = it.set(unknown(true)));
    let chain = [root.leaf(WEB), stray.certificate];
    assert_eq!(code(verify(&chain, &[&root])), "ok");
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

/// RFC 5280 §4.1.2.1: fields come with the versions that have them, and the default version is not written.
#[test]
fn versions_have_their_fields() {
    let root = Authority::root("root");
    let found = |chain: Vec<u8>| match verify(&[chain], &[&root]) {
        Err(VerifyError::Malformed { error, .. }) => error.code(),
        other => code(other),
    };
    let of_version = |version| found(root.leaf_with(WEB, |it| it.version = version));
    assert_eq!(
        [1, 2, 3, 4].map(of_version),
        [
            "certificate.version",
            "certificate.version",
            "ok",
            "certificate.version"
        ]
    );
    let bare = |version| {
        found(root.leaf_with(WEB, |it| {
            it.version = version;
            it.extensions.clear();
        }))
    };
    assert_eq!(
        [1, 2, 3, 4].map(bare),
        [
            "verify.no_uri_san",
            "verify.no_uri_san",
            "verify.no_uri_san",
            "certificate.version"
        ]
    );

    let first_version_written = root.leaf_with(WEB, |it| {
        it.version = 2;
        it.extensions.clear();
    });
    let written = replaced_first(&first_version_written, &[0xa0, 3, 2, 1, 1], &[0xa0, 3, 2, 1, 0]);
    assert_eq!(found(written), "der.default_encoded");
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
