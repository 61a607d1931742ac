//! CRLs, and connections that a revocation ends.

use mesh_ca::{
    Crl, CrlError, CrlSet, ExpiredCrl, Limits, RevocationPolicy, UnixTime, UnknownStatus, Verified,
    VerifyError,
};
use testkit::pki::{Authority, Extension, NOW, YEAR, der, extension, now, serial};

use super::{WEB, bundle, bundle_of, code, options, other_algorithm_outside, replaced_first, unknown};

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

/// C-CRL-5, C-CRL-8: a CRL of another key in the name of an issuer, without a key identifier, hides no other CRL and is none
/// of the issuer, whatever its number.
#[test]
fn crls_of_namesakes() {
    let it = Revocable::new();
    let stranger = Authority::root("stranger");
    let root = it.root.crl().sign(&it.root.key);
    let list = |signer: &Authority, number: u64, is_revoked: bool| {
        let mut crl = it.middle.crl().number(number);
        crl.extensions.remove(0);
        let crl = if is_revoked { crl.revoke(&serial(WEB)) } else { crl };
        crl.sign(&signer.key)
    };
    let forged = list(&stranger, 9, false);
    assert_eq!(
        it.code(&[root.clone(), forged.clone()]),
        "verify.revocation_unknown"
    );
    assert_eq!(
        it.code(&[root.clone(), list(&stranger, 9, true)]),
        "verify.revocation_unknown"
    );
    for number in [8, 10] {
        for is_revoked in [false, true] {
            let mut own = it.middle.crl().number(number);
            if is_revoked {
                own = own.revoke(&serial(WEB));
            }
            let expected = if is_revoked { "verify.revoked" } else { "ok" };
            let lists = [root.clone(), own.sign(&it.middle.key), forged.clone()];
            assert_eq!(it.code(&lists), expected, "{number}");
        }
    }
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
