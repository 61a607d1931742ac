//! What a change of a bundle costs (C-BND-11), and bundles in saved state (C-API-2).

mod pki;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use mesh_ca::jwt::JsonWebKey;
use mesh_ca::{
    Authority, BundleSet, CaProfile, Certificate, DocumentMode, InsecureSeededEntropy, IssuanceRecord,
    KeyPair, Limits, SpiffeId, TrustBundle, TrustDomain, UnixTime, VerifyOptions,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use pki::{NOW, below, issue};

const HOUR: Duration = Duration::from_secs(3_600);

fn domain(name: &str) -> TrustDomain {
    name.parse().unwrap()
}

fn key(seed: u64) -> KeyPair {
    KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap()
}

/// Roots with intermediates and leaves of all of them.
struct Pki {
    /// Two roots, the first one renewed with its key, and a third that nobody renewed.
    roots: Vec<Vec<u8>>,
    /// One intermediate of each of the first two roots, and the third root certified by the first one.
    intermediates: Vec<Vec<u8>>,
    /// Leaves of the first root, before and after it was renewed, of the intermediates, and of the third root.
    leaves: Vec<(Vec<u8>, IssuanceRecord)>,
}

static PKI: LazyLock<Pki> = LazyLock::new(Pki::build);

impl Pki {
    fn build() -> Self {
        let mut entropy = InsecureSeededEntropy::new(1);
        let profile = |name: &str, hours: u32| {
            CaProfile::root(domain("td"))
                .with_organization(name)
                .with_ttl(HOUR * hours)
        };
        let mut root = |name: &str, hours: u32, seed: u64| {
            profile(name, hours)
                .self_sign(Arc::new(key(seed)), NOW, &mut entropy)
                .unwrap()
        };
        let (mut one, mut two, mut three) = (root("one", 6, 1), root("two", 50, 2), root("three", 40, 3));
        let mut renewed = one
            .renew(&profile("one", 100), NOW, &mut entropy)
            .unwrap()
            .authority;
        let below_one = intermediate(&mut one, "one", 4);
        let below_two = intermediate(&mut two, "two", 5);
        let third = three.certificate_der().to_vec();
        let cross = one
            .cross_sign(&Certificate::parse(&third).unwrap(), NOW, &mut entropy)
            .unwrap();
        let roots = [&one, &renewed, &two, &three]
            .map(|root| root.certificate_der().to_vec())
            .to_vec();
        let mut intermediates = [&below_one, &below_two]
            .map(|ca| ca.certificate_der().to_vec())
            .to_vec();
        intermediates.push(cross.der().to_vec());
        let mut issuers = [one.clone(), below_one, below_two];
        let issuers = issuers
            .iter_mut()
            .chain([&mut one, &mut renewed, &mut two, &mut three]);
        let leaves = issuers.enumerate().map(|(number, ca)| leaf(ca, number)).collect();
        Self {
            roots,
            intermediates,
            leaves,
        }
    }

    fn bundle(&self, chosen: &[bool]) -> TrustBundle {
        let mut bundle = TrustBundle::new(domain("td"));
        for (root, _) in self.roots.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
            bundle.insert_x509(root).unwrap();
        }
        bundle
    }

    /// Every moment at which a verdict can change: the last second of each certificate, the one after it, and now.
    fn moments(&self) -> Vec<UnixTime> {
        let all = self
            .roots
            .iter()
            .chain(&self.intermediates)
            .chain(self.leaves.iter().map(|(leaf, _)| leaf));
        let ends = all.map(|der| Certificate::parse(der).unwrap().not_after());
        let mut moments: Vec<_> = ends
            .flat_map(|end| [end, end + Duration::from_secs(1)])
            .chain([NOW])
            .collect();
        moments.sort();
        moments
    }

    /// The last moment at which the verifier accepts a leaf, from now on without a gap.
    fn accepted_until(&self, bundle: &TrustBundle, leaf: &[u8]) -> Option<UnixTime> {
        let accepts = |now: &UnixTime| {
            let options = VerifyOptions::at(*now).with_intermediates(&self.intermediates);
            bundle.verify(&[leaf], &options).is_ok()
        };
        self.moments().into_iter().take_while(accepts).last()
    }
}

fn intermediate(above: &mut Authority, name: &str, seed: u64) -> Authority {
    let profile = CaProfile::intermediate(domain("td"))
        .with_organization(format!("below {name}"))
        .with_ttl(HOUR * 30);
    below(above, &domain("td"), &profile, seed)
}

fn leaf(ca: &mut Authority, number: usize) -> (Vec<u8>, IssuanceRecord) {
    let id: SpiffeId = format!("spiffe://td/workload/{number}").parse().unwrap();
    let svid = issue(ca, &id, 100 + number as u64);
    (svid.leaf().to_vec(), svid.record().clone())
}

/// C-BND-11, every pair of bundles of four roots: what loses trust by the log is what the verifier stops to accept.
#[test]
fn the_effect_of_a_change_is_what_the_verifier_sees() {
    let pki = &*PKI;
    let choices: Vec<[bool; 4]> = (0..16)
        .map(|bits| [0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1))
        .collect();
    let bundles: Vec<TrustBundle> = choices.iter().map(|chosen| pki.bundle(chosen)).collect();
    let verdicts: Vec<Vec<Option<UnixTime>>> = bundles
        .iter()
        .map(|bundle| {
            pki.leaves
                .iter()
                .map(|(leaf, _)| pki.accepted_until(bundle, leaf))
                .collect()
        })
        .collect();
    let log = || pki.leaves.iter().map(|(_, record)| record);
    let (mut at_once, mut later, mut kept) = (0, 0, 0);
    for (old, before) in bundles.iter().zip(&verdicts) {
        for (new, after) in bundles.iter().zip(&verdicts) {
            let lost = old.diff(new).effect(log(), &pki.intermediates, NOW);
            let found: Vec<_> = lost.iter().map(|lost| (lost.record.serial, lost.until)).collect();
            let mut expected = Vec::new();
            for ((record, before), after) in log().zip(before).zip(after) {
                match before.is_some() && after < before {
                    true => expected.push((record.serial, *after)),
                    false => kept += 1,
                }
            }
            assert_eq!(found, expected);
            at_once += expected.iter().filter(|(_, until)| until.is_none()).count();
            later += expected.iter().filter(|(_, until)| until.is_some()).count();
        }
    }
    assert!(
        at_once > 200 && later > 20 && kept > 500,
        "{at_once} {later} {kept}"
    );
}

/// C-BND-11: without the intermediates, only what the roots themselves have issued is found; what has ended loses nothing.
#[test]
fn the_effect_knows_what_the_logs_say() {
    let pki = &*PKI;
    let log = || pki.leaves.iter().map(|(_, record)| record);
    let diff = pki.bundle(&[true; 4]).diff(&pki.bundle(&[false; 4]));
    assert_eq!(
        diff.effect(log(), &pki.intermediates, NOW).len(),
        pki.leaves.len()
    );
    assert_eq!(diff.effect(log(), &[], NOW).len(), pki.leaves.len() - 2);
    assert!(
        diff.effect(log(), &pki.intermediates, NOW + HOUR * 1_000)
            .is_empty()
    );
    assert!(diff.effect(log(), &[vec![0x30, 0x00]], NOW).len() == pki.leaves.len() - 2);
}

/// C-BND-11: authorities, keys for tokens, and numbers.
#[test]
fn a_difference_names_what_changed() {
    let public = |seed: u64| JsonWebKey::from_spki(key(seed).public_key().der()).unwrap();
    let mut old = PKI.bundle(&[true, false, true, false]).with_sequence(Some(4));
    let mut new = PKI.bundle(&[false, false, true, true]);
    for (name, seed) in [("gone", 1), ("kept", 2), ("changed", 3)] {
        old.jwt_mut().insert(name, public(seed));
    }
    for (name, seed) in [("kept", 2), ("changed", 4), ("new", 5)] {
        new.jwt_mut().insert(name, public(seed));
    }
    let diff = old.diff(&new);
    let ders = |list: &[mesh_ca::X509Authority]| -> Vec<Vec<u8>> {
        list.iter().map(|one| one.der().to_vec()).collect()
    };
    assert_eq!(ders(&diff.added), [PKI.roots[3].clone()]);
    assert_eq!(ders(&diff.kept), [PKI.roots[2].clone()]);
    assert_eq!(ders(&diff.removed), [PKI.roots[0].clone()]);
    assert_eq!(diff.added_keys, ["changed", "new"]);
    assert_eq!(diff.removed_keys, ["changed", "gone"]);
    assert_eq!((diff.sequence.from, diff.sequence.to), (Some(4), None));
    assert!(!diff.is_empty());

    let numbered = old.clone().with_sequence(Some(5));
    assert!(old.diff(&numbered).is_empty(), "the number is no content");
    let mut other_key = old.clone();
    other_key.jwt_mut().remove("gone");
    assert!(!old.diff(&other_key).is_empty(), "a key for tokens is");
    let saved = serde_json::to_string(&diff).unwrap();
    assert_eq!(serde_json::from_str::<mesh_ca::BundleDiff>(&saved).unwrap(), diff);
}

/// A bundle with all that one can have: authorities, keys for tokens, keys that are carried along, numbers.
fn any_bundle(name: &'static str) -> impl Strategy<Value = TrustBundle> {
    let wit = "[a-z]{1,6}"
        .prop_map(|kid| json!({"use": "wit-svid", "kty": "EC", "kid": kid, "x": {"y": [1.5, null]}}));
    let parts = (
        Just((0..4).collect::<Vec<usize>>()).prop_shuffle(),
        0usize..=4,
        prop::collection::btree_map("\\PC{0,8}", 0u64..4, 0..5),
        prop::collection::vec(wit, 0..3),
        any::<Option<u64>>(),
        prop::option::of(0u64..100_000),
    );
    parts.prop_map(move |(order, count, keys, wit, sequence, hint)| {
        let document = json!({ "keys": wit }).to_string();
        let document = TrustBundle::from_spiffe_json(
            domain(name),
            document.as_bytes(),
            DocumentMode::Standard,
            &Limits::default(),
        );
        let mut bundle = document.unwrap().bundle;
        for index in order.into_iter().take(count) {
            bundle.insert_x509(&PKI.roots[index]).unwrap();
        }
        for (name, seed) in keys {
            bundle
                .jwt_mut()
                .insert(name, JsonWebKey::from_spki(key(seed).public_key().der()).unwrap());
        }
        bundle
            .with_sequence(sequence)
            .with_refresh_hint(hint.map(Duration::from_secs))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// C-API-2, P7: a bundle that was saved and read back is the same, in its answers too.
    #[test]
    fn bundles_survive_being_saved(bundle in any_bundle("td")) {
        let text = serde_json::to_string(&bundle).unwrap();
        let read: TrustBundle = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &bundle);
        prop_assert_eq!(read.to_spiffe_json(), bundle.to_spiffe_json());
        prop_assert_eq!(read.refresh_hint(), bundle.refresh_hint());
        for (leaf, _) in &PKI.leaves {
            let options = VerifyOptions::at(NOW).with_intermediates(&PKI.intermediates);
            prop_assert_eq!(read.verify(&[leaf], &options), bundle.verify(&[leaf], &options));
        }
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text, "the same bytes");
    }

    /// C-API-2, C-IST-6: so is a set of them.
    #[test]
    fn sets_survive_being_saved(
        local in any_bundle("td"),
        one in prop::option::of(any_bundle("one")),
        two in prop::option::of(any_bundle("two")),
        with_alias in any::<bool>(),
    ) {
        let mut set = BundleSet::new(local).with_aliases(with_alias.then(|| domain("alias"))).unwrap();
        for bundle in [one, two].into_iter().flatten() {
            set.insert(bundle).unwrap();
        }
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<BundleSet>(&text).unwrap(), set);
    }

    /// C-GEN-10: whatever stands in a saved bundle, reading it does not panic, and what is taken can be written.
    #[test]
    fn no_saved_text_panics(x509 in ".{0,20}", wit in "[\\[\\]{}\":,a-z0-9 -]{0,40}", hint in any::<u64>()) {
        let saved = json!({
            "trust_domain": "td", "x509_authorities": [], "wit_authorities": [wit], "refresh_hint": hint,
        });
        if let Ok(bundle) = serde_json::from_value::<TrustBundle>(saved) {
            serde_json::to_string(&bundle).unwrap();
        }
        prop_assert!(serde_json::from_value::<mesh_ca::X509Authority>(json!(x509)).is_err());
    }
}

fn saved() -> Value {
    let mut bundle = PKI.bundle(&[true, false, true, false]).with_sequence(Some(1));
    bundle
        .jwt_mut()
        .insert("key", JsonWebKey::from_spki(key(1).public_key().der()).unwrap());
    serde_json::to_value(bundle).unwrap()
}

/// C-API-2: what the constructors refuse is refused, and what they pass over is passed over.
#[test]
fn what_cannot_be_built_cannot_be_read() {
    let read = |change: &dyn Fn(&mut Value)| {
        let mut value = saved();
        change(&mut value);
        serde_json::from_value::<TrustBundle>(value).map_err(|error| error.to_string())
    };
    assert_eq!(read(&|_| ()).unwrap().x509_authorities().len(), 2);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let refused: [(&str, Change<'_>); 9] = [
        ("trust domain", &|bundle| bundle["trust_domain"] = json!("TD")),
        ("no base64", &|bundle| bundle["x509_authorities"][0] = json!("?")),
        ("no certificate", &|bundle| {
            bundle["x509_authorities"][0] = json!("MAA=");
        }),
        ("a key that is none", &|bundle| {
            bundle["jwt_authorities"]["key"]["spki"] = json!([48, 0]);
        }),
        ("a number", &|bundle| bundle["sequence"] = json!(-1)),
        ("a private key", &|bundle| {
            bundle["wit_authorities"] = json!([r#"{"use":"wit-svid","kty":"EC","d":"AA"}"#]);
        }),
        ("another use", &|bundle| {
            bundle["wit_authorities"] = json!([r#"{"use":"jwt-svid","kty":"EC"}"#]);
        }),
        ("two entries in one", &|bundle| {
            bundle["wit_authorities"] =
                json!([r#"{"use":"wit-svid","kty":"EC"},{"use":"wit-svid","kty":"EC"}"#]);
        }),
        ("two lists in one", &|bundle| {
            bundle["wit_authorities"] =
                json!([r#"{"use":"wit-svid","kty":"EC"}],[{"use":"wit-svid","kty":"EC"}"#]);
        }),
    ];
    for (what, change) in refused {
        assert!(read(change).is_err(), "{what}");
    }
    let twice = read(&|bundle| {
        let first = bundle["x509_authorities"][0].clone();
        bundle["x509_authorities"].as_array_mut().unwrap().push(first);
    });
    assert_eq!(
        twice.unwrap().x509_authorities().len(),
        2,
        "no authority is there twice"
    );
    let zero = read(&|bundle| bundle["refresh_hint"] = json!(0)).unwrap();
    assert_eq!(zero.refresh_hint(), TrustBundle::DEFAULT_REFRESH_HINT);

    let of = |name: &str| serde_json::to_value(TrustBundle::new(domain(name))).unwrap();
    let sets = [
        json!({ "local": of("td"), "federated": [of("td")] }),
        json!({ "local": of("td"), "federated": [of("one"), of("one")] }),
        json!({ "local": of("td"), "aliases": ["one"], "federated": [of("one")] }),
    ];
    for set in sets {
        assert!(serde_json::from_value::<BundleSet>(set.clone()).is_err(), "{set}");
    }
    let plain = serde_json::from_value::<BundleSet>(json!({ "local": of("td") })).unwrap();
    assert_eq!(plain, BundleSet::from(TrustBundle::new(domain("td"))));
}
