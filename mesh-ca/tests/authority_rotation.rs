//! Rotation of authorities: the rules C-ROT, and the scenarios that name them. The simulation over years is in
//! `rotation_simulation.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_ca::rotation::{
    AuthorityAlarm, AuthorityAnswerError, AuthorityCertificate, AuthorityCommandError, AuthorityId,
    AuthorityOutput, AuthorityRotationConfig, AuthorityRotator, AuthorityState, AuthorityStatus,
    AuthorityStep, CommandError, Issuing, IssuingError, KeySlot, Retirement, RotationFindingCode,
    RotationStrategy,
};
use mesh_ca::{InsecureSeededEntropy, KeyId, MonotonicTime, Now, Ppm, UnixTime};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn hours(hours: u32) -> Duration {
    HOUR * hours
}

/// Authorities of a day with leaves of three hours, as SPIRE has them.
fn a_day() -> AuthorityRotationConfig {
    AuthorityRotationConfig {
        lifetime: DAY,
        leaf_max: hours(3),
        ..AuthorityRotationConfig::default()
    }
}

/// An embedder that does what it is asked, at once, unless told otherwise.
struct Host {
    rotator: AuthorityRotator,
    entropy: InsecureSeededEntropy,
    start: Now,
    now: Now,
    keys: BTreeMap<AuthorityId, KeyId>,
    stored: AuthorityState,
    published: Vec<(u64, Vec<KeyId>)>,
    alarms: Vec<AuthorityAlarm>,
    others: Vec<AuthorityOutput>,
    issuing: Option<Issuing>,
    publishing_works: bool,
    persisting_works: bool,
}

impl Host {
    fn new(config: AuthorityRotationConfig) -> Self {
        Self::with(AuthorityRotator::new(config).expect("sound times"))
    }

    fn with(rotator: AuthorityRotator) -> Self {
        let start = Now::new(
            UnixTime::from_secs(1_800_000_000),
            MonotonicTime::from_origin(HOUR),
        );
        Self {
            rotator,
            entropy: InsecureSeededEntropy::new(5),
            start,
            now: start,
            keys: BTreeMap::new(),
            stored: AuthorityState::default(),
            published: Vec::new(),
            alarms: Vec::new(),
            others: Vec::new(),
            issuing: None,
            publishing_works: true,
            persisting_works: true,
        }
    }

    /// One that has made its first authority.
    fn begun(config: AuthorityRotationConfig) -> Self {
        let mut host = Self::new(config);
        host.tick();
        assert!(host.rotator.issuing(host.now).is_ok());
        host
    }

    fn key_of(&mut self, authority: AuthorityId) -> KeyId {
        let next = u16::try_from(self.keys.len()).unwrap();
        self.keys
            .entry(authority)
            .or_insert_with(|| KeyId::from(next.to_be_bytes()))
            .clone()
    }

    fn tick(&mut self) {
        self.rotator.handle_timeout(self.now, &mut self.entropy).unwrap();
        self.serve();
    }

    /// Does what it is asked until there is nothing more.
    fn serve(&mut self) {
        let now = self.now;
        while let Some(output) = self.rotator.poll_output() {
            match output {
                AuthorityOutput::GenerateKey { authority, .. } => {
                    let key_id = self.key_of(authority);
                    self.rotator.handle_key(now, authority, key_id);
                }
                AuthorityOutput::Certify(request) => {
                    let key_id = match &request.renews {
                        Some(renewed) => renewed.key_id.clone(),
                        None => self.key_of(request.authority),
                    };
                    let made = certificate(key_id, request.not_before, request.not_after);
                    self.rotator.handle_certified(now, request.authority, made);
                }
                AuthorityOutput::CrossSign(request) => {
                    assert!(request.not_after <= request.issuer_certificate.not_after);
                    assert!(request.not_after <= request.subject_certificate.not_after);
                    let key_id = request.subject_certificate.key_id.clone();
                    let made = certificate(key_id, request.not_before, request.not_after);
                    self.rotator
                        .handle_cross_signed(now, request.subject, request.issuer, made);
                }
                AuthorityOutput::PersistState { base_version, state } => {
                    if !self.persisting_works {
                        self.rotator.handle_persist_failed(now);
                    } else if base_version == self.stored.version {
                        self.stored = (*state).clone();
                        self.rotator.handle_persisted(now, state.version);
                    } else {
                        self.rotator.handle_persist_conflict(now, self.stored.clone());
                    }
                }
                AuthorityOutput::PublishBundle {
                    sequence,
                    certificates,
                } => {
                    if self.publishing_works {
                        let keys = certificates.iter().map(|one| one.key_id.clone()).collect();
                        self.published.push((sequence, keys));
                        self.rotator.handle_published(now, sequence);
                    } else {
                        self.rotator.handle_publish_failed(now, sequence);
                    }
                }
                AuthorityOutput::Alarm(alarm) => self.alarms.push(alarm),
                AuthorityOutput::IssueWith(issuing) => self.issuing = Some(issuing),
                other => self.others.push(other),
            }
        }
    }

    /// Lets time pass, calling the machine when it wants to be called.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(wake) = self.rotator.poll_timeout().filter(|wake| *wake <= end.mono) {
            assert!(wake > self.now.mono, "nothing stays due: {wake:?}");
            self.now = self.now + wake.saturating_since(self.now.mono);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn pass_until(&mut self, since_start: Duration) {
        let passed = self.now.mono.saturating_since(self.start.mono);
        self.pass(since_start.checked_sub(passed).expect("a later time"));
    }

    fn statuses(&self) -> Vec<AuthorityStatus> {
        self.stored
            .authorities
            .iter()
            .map(|authority| authority.status)
            .collect()
    }

    fn active(&self) -> AuthorityId {
        self.stored.active().expect("one is active").id
    }

    fn bundle_size(&self) -> usize {
        self.published.last().map_or(0, |(_, keys)| keys.len())
    }
}

fn certificate(key_id: KeyId, not_before: UnixTime, not_after: UnixTime) -> AuthorityCertificate {
    AuthorityCertificate {
        der: key_id.as_bytes().into(),
        key_id,
        not_before,
        not_after,
    }
}

use AuthorityStatus::{Active, Old, Prepared, Requested};

/// Scenario 68, and the example of C-ROT-7, hour by hour.
#[test]
fn the_timeline_of_a_day() {
    let mut host = Host::begun(a_day());
    let first = host.active();
    assert_eq!((host.statuses(), host.bundle_size()), (vec![Active], 1));
    host.pass_until(hours(12) - MINUTE);
    assert_eq!(host.statuses(), [Active]);
    host.pass_until(hours(12));
    assert_eq!((host.statuses(), host.bundle_size()), (vec![Active, Prepared], 2));
    host.pass_until(hours(20) - MINUTE);
    assert_eq!(host.statuses(), [Active, Prepared]);
    host.pass_until(hours(20));
    assert_eq!((host.statuses(), host.bundle_size()), (vec![Old, Active], 2));
    assert_ne!(host.active(), first);
    let issuing = host.issuing.clone().unwrap();
    assert_eq!(
        (issuing.authority, issuing.appended.len()),
        (host.active(), 1),
        "with the cross-signed certificate"
    );
    host.pass_until(hours(21));
    assert_eq!(host.issuing.clone().unwrap().appended.len(), 1);
    host.pass_until(hours(21) + MINUTE);
    assert_eq!(
        host.issuing.clone().unwrap().appended.len(),
        0,
        "no longer than `dist`"
    );
    // The last leaf ends at 23:00, plus the skew.
    host.pass_until(hours(23) + 2 * MINUTE);
    assert_eq!(host.statuses(), [Old, Active]);
    host.pass_until(hours(23) + 3 * MINUTE);
    assert_eq!((host.statuses(), host.bundle_size()), (vec![Active], 1));
    let [
        AuthorityOutput::Retired {
            authority,
            revoked: false,
            slot: KeySlot(0),
            crl_until,
            ..
        },
    ] = host.others[..]
    else {
        panic!("{:?}", host.others)
    };
    assert_eq!(authority, first);
    // C-ROT-17: the last CRL covers whoever still has the bundle with this authority.
    assert!(crl_until >= host.now.wall + host.rotator.config().dist - MINUTE);
    host.pass_until(hours(24));
    assert_eq!(host.statuses(), [Active, Prepared]);
    host.pass_until(hours(32));
    assert_eq!(host.statuses(), [Old, Active]);
    assert_eq!(host.alarms, []);
    // Each content has a number of its own, one after the other (C-ROT-13).
    let sequences: Vec<u64> = host.published.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
}

/// Scenario 68: SPIRE keeps its own roots until 24 h after their end.
#[test]
fn retirement_after_expiry() {
    let mut host = Host::begun(AuthorityRotationConfig {
        retirement: Retirement::AfterExpiry,
        ..a_day()
    });
    let first = host.active();
    host.pass_until(hours(48));
    assert!(host.stored.find(first).is_some());
    host.pass_until(hours(48) + MINUTE);
    assert!(host.stored.find(first).is_none());
}

/// Scenario 67, C-ROT-1: a root of ten years in Istio's way is renewed at eight years, with the same key, and both are
/// published until the old one ends.
#[test]
fn the_timeline_of_an_istio_root() {
    let config = AuthorityRotationConfig {
        strategy: RotationStrategy::istio(),
        ..AuthorityRotationConfig::default()
    };
    let mut host = Host::begun(config);
    let key = host.issuing.clone().unwrap().certificate.key_id;
    host.pass_until(DAY * 2_920 - HOUR);
    assert_eq!(host.statuses(), [Active]);
    // The first look comes after a jitter, then once an hour.
    host.pass_until(DAY * 2_920 + HOUR);
    assert_eq!(host.statuses(), [Old, Active]);
    assert_eq!(host.issuing.clone().unwrap().certificate.key_id, key);
    assert_eq!(host.bundle_size(), 2);
    assert_eq!(host.keys.len(), 1, "no new key");
    host.pass_until(DAY * 3_650 - HOUR);
    assert_eq!(host.bundle_size(), 2);
    host.pass_until(DAY * 3_650 + HOUR);
    assert_eq!(host.bundle_size(), 1);
    assert_eq!(host.alarms, []);
}

/// C-ROT-3: the first look at an Istio root comes after a jitter of whole seconds within one interval.
#[test]
fn the_first_check_is_jittered() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let config = AuthorityRotationConfig {
            strategy: RotationStrategy::istio(),
            ..AuthorityRotationConfig::default()
        };
        let mut host = Host::new(config);
        host.entropy = InsecureSeededEntropy::new(seed);
        host.tick();
        host.tick();
        let first = host
            .rotator
            .poll_timeout()
            .unwrap()
            .saturating_since(host.now.mono);
        assert!(first < HOUR && first.subsec_nanos() == 0, "{first:?}");
        seen.insert(first.as_secs() / 600);
    }
    assert_eq!(seen.len(), 6, "evenly over the hour");
}

/// Scenario 72: a new key does not take over before its bundle is confirmed for `dist` and `skew`.
#[test]
fn the_guard_counts_from_the_confirmation() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(11));
    host.publishing_works = false;
    host.pass_until(hours(19) + 30 * MINUTE);
    assert_eq!(host.statuses(), [Active, Requested]);
    assert!(host.alarms.contains(&AuthorityAlarm::Failing {
        step: AuthorityStep::Publish,
        failures: 3
    }));
    host.publishing_works = true;
    // Published at 19:30 and at most 5 minutes later, when it is tried again; the guard is met an hour and two minutes on.
    host.pass_until(hours(20) + MINUTE);
    assert_eq!(host.statuses(), [Active, Prepared]);
    assert!(matches!(
        host.alarms.last(),
        Some(AuthorityAlarm::RotationLate { .. })
    ));
    let late = host.alarms.len();
    let published_at = host.stored.prepared().unwrap().published_at.unwrap();
    let met = published_at.saturating_since(host.start.wall) + HOUR + 2 * MINUTE;
    host.pass_until(met - Duration::from_secs(1));
    assert_eq!(host.statuses(), [Active, Prepared]);
    host.pass_until(met);
    assert_eq!(host.statuses(), [Old, Active]);
    assert_eq!(host.alarms.len(), late, "reported once, and not forced");
}

/// C-ROT-4, C-ROT-7: after a long outage the authority is forced, and says so.
#[test]
fn a_late_rotation_is_forced() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(11));
    host.publishing_works = false;
    host.pass_until(hours(22));
    host.publishing_works = true;
    host.pass_until(hours(22) + 29 * MINUTE);
    assert_eq!(host.statuses(), [Active, Prepared]);
    // force_at: half of a leaf's life before the end.
    host.pass_until(hours(22) + 30 * MINUTE);
    assert_eq!(host.statuses(), [Old, Active]);
    assert_eq!(
        host.alarms.last(),
        Some(&AuthorityAlarm::RotationForced { cross_signed: true })
    );
    assert_eq!(host.issuing.clone().unwrap().appended.len(), 1);
}

/// C-ROT-4: members that confirm open the guard; nobody's confirmation never does, nor that of some.
#[test]
fn members_open_the_guard() {
    for (members, acks, federated, opened) in [
        (&[][..], &[][..], false, false),
        (&["a", "b"], &["a"], false, false),
        (&["a", "b"], &["a", "b"], false, true),
        (&["a"], &["a", "stranger"], false, true),
        (&["a", "b"], &["a", "b"], true, false),
    ] {
        let mut host = Host::begun(AuthorityRotationConfig { federated, ..a_day() });
        host.rotator
            .set_members(host.now, members.iter().map(|member| (*member).to_owned()));
        host.pass_until(hours(12));
        let next = host.stored.prepared().unwrap().id;
        assert_eq!(
            host.rotator.activate(host.now, next, false),
            Err(AuthorityCommandError::GuardNotMet)
        );
        for member in acks {
            host.rotator.handle_ack(host.now, member, host.stored.sequence);
        }
        assert_eq!(
            host.rotator.activate(host.now, next, false).is_ok(),
            opened,
            "{members:?} {acks:?}"
        );
        host.serve();
        assert_eq!(host.active() == next, opened);
        assert_eq!(host.alarms, []);
    }
    // A member that joins late has confirmed nothing.
    let mut host = Host::begun(a_day());
    host.rotator.set_members(host.now, ["a".to_owned()]);
    host.pass_until(hours(12));
    host.rotator.handle_ack(host.now, "a", host.stored.sequence);
    host.rotator
        .set_members(host.now, ["a".to_owned(), "b".to_owned()]);
    let next = host.stored.prepared().unwrap().id;
    assert_eq!(
        host.rotator.activate(host.now, next, false),
        Err(AuthorityCommandError::GuardNotMet)
    );
}

/// Scenario 73: inequalities that do not hold have names.
#[test]
fn unsound_times_are_refused() {
    use RotationFindingCode as Code;
    let codes = |config: AuthorityRotationConfig| -> Vec<Code> {
        let findings = AuthorityRotator::new(config).err().unwrap_or_default();
        findings.iter().map(|finding| finding.code).collect()
    };
    let none: [Code; 0] = [];
    assert_eq!(
        codes(AuthorityRotationConfig {
            leaf_max: hours(4),
            ..a_day()
        }),
        [Code::LeafTtlWouldBeCut]
    );
    assert_eq!(
        codes(AuthorityRotationConfig {
            leaf_max: hours(3) + 50 * MINUTE,
            ..a_day()
        }),
        none
    );
    let short = AuthorityRotationConfig {
        lifetime: hours(3),
        leaf_max: 20 * MINUTE,
        ..a_day()
    };
    assert_eq!(codes(short), [Code::RotationWindowTooSmall]);
    // "With the defaults L >= 4 h 6 min": a third of it is one hour, two gaps and the skew.
    let least = AuthorityRotationConfig {
        lifetime: 246 * MINUTE,
        leaf_max: 30 * MINUTE,
        ..a_day()
    };
    assert_eq!(codes(least.clone()), none);
    let less = AuthorityRotationConfig {
        lifetime: 246 * MINUTE - Duration::from_secs(1),
        ..least
    };
    assert_eq!(codes(less), [Code::RotationWindowTooSmall]);
    let backdate = Duration::from_secs(10);
    assert_eq!(
        codes(AuthorityRotationConfig { backdate, ..a_day() }),
        [Code::BackdateTooSmall]
    );
    let outage = hours(6) + 38 * MINUTE;
    assert_eq!(codes(AuthorityRotationConfig { outage, ..a_day() }), none);
    let outage = outage + Duration::from_secs(1);
    assert_eq!(
        codes(AuthorityRotationConfig { outage, ..a_day() }),
        [Code::RotationWindowTooSmall]
    );
    let strategy = RotationStrategy::Renew {
        grace: Ppm(90_000),
        check_interval: HOUR,
    };
    assert_eq!(
        codes(AuthorityRotationConfig { strategy, ..a_day() }),
        [Code::GraceTooSmall]
    );
    let strategy = RotationStrategy::Renew {
        grace: Ppm(100_000),
        check_interval: HOUR,
    };
    assert_eq!(codes(AuthorityRotationConfig { strategy, ..a_day() }), none);
    // Taken all the same, it says so.
    let mut host = Host::with(AuthorityRotator::permissive(AuthorityRotationConfig {
        leaf_max: hours(4),
        ..a_day()
    }));
    host.tick();
    let [AuthorityAlarm::Configuration(finding)] = &host.alarms[..] else {
        panic!("{:?}", host.alarms)
    };
    assert_eq!(
        finding.to_string(),
        "LeafTtlWouldBeCut: the time between activation of the next authority and the end of this one needs 15000 s, has 14400 s"
    );
}

/// Scenario 74: commands that do not fit the state.
#[test]
fn commands_that_do_not_fit_are_refused() {
    use AuthorityCommandError as Error;
    let mut host = Host::begun(a_day());
    let (first, now) = (host.active(), host.now);
    assert_eq!(host.rotator.activate(now, first, true), Err(Error::NotPrepared));
    assert_eq!(host.rotator.taint(now, first), Err(Error::NotOld));
    assert_eq!(host.rotator.revoke(now, AuthorityId(1)), Err(Error::NotFound));
    host.pass_until(hours(20));
    let now = host.now;
    assert_eq!(host.rotator.revoke(now, first), Err(Error::NotTainted));
    assert_eq!(host.rotator.taint(now, first), Ok(()));
    host.serve();
    let key_id = host.keys[&first].clone();
    assert!(host.stored.find(first).unwrap().tainted);
    let spread = host.rotator.config().spread;
    assert_eq!(
        host.others,
        [AuthorityOutput::NotifyRotate {
            issuer: key_id.clone(),
            spread
        }]
    );
    assert_eq!(host.bundle_size(), 2, "until it is revoked");
    assert_eq!(host.rotator.revoke(now, first), Ok(()));
    host.serve();
    assert_eq!(host.bundle_size(), 1);
    assert!(host.stored.revoked_keys.contains(&key_id));
    assert!(
        matches!(host.others[2], AuthorityOutput::Retired { authority, revoked: true, .. } if authority == first)
    );
    // The next one can be made by hand, once.
    assert_eq!(host.rotator.prepare(host.now, &mut host.entropy), Ok(()));
    host.serve();
    assert_eq!(host.statuses(), [Active, Prepared]);
    let again = host.rotator.prepare(host.now, &mut host.entropy);
    assert_eq!(again, Err(CommandError::Refused(Error::AlreadyPrepared)));
}

/// C-ROT-1: a renewed authority cannot be tainted while its key signs on.
#[test]
fn a_key_in_use_cannot_be_tainted() {
    let config = AuthorityRotationConfig {
        strategy: RotationStrategy::istio(),
        ..AuthorityRotationConfig::default()
    };
    let mut host = Host::begun(config);
    let first = host.active();
    host.pass_until(DAY * 2_921);
    assert_eq!(
        host.rotator.taint(host.now, first),
        Err(AuthorityCommandError::KeyInUse)
    );
    // An emergency makes a new key, whatever the strategy, and taints every certificate of the old one.
    let report = host
        .rotator
        .emergency_rotate(host.now, Some(HOUR * 2), &mut host.entropy)
        .unwrap();
    assert!(report.cross_signed && report.unconfirmed.is_empty());
    host.serve();
    assert_eq!(host.statuses(), [Old, Old, Active]);
    assert_eq!(host.keys.len(), 2);
    assert!(
        host.stored
            .authorities
            .iter()
            .all(|one| one.tainted == (one.status == Old))
    );
    host.pass(HOUR * 2);
    assert_eq!(host.statuses(), [Active]);
}

/// Scenario 74a, C-ROT-15: a crash right after the activation loses nothing.
#[test]
fn a_crash_after_activation_keeps_the_old_root() {
    let mut host = Host::begun(a_day());
    let first = host.active();
    host.pass_until(hours(20));
    let stored: AuthorityState = serde_json::from_str(&serde_json::to_string(&host.stored).unwrap()).unwrap();
    assert_eq!(stored, host.stored);
    host.now = Now::new(host.now.wall, MonotonicTime::ORIGIN);
    host.start.mono = MonotonicTime::ORIGIN;
    host.start.wall = host.now.wall;
    host.rotator = AuthorityRotator::from_state(a_day(), stored, host.now).unwrap();
    host.pass(hours(3) + 2 * MINUTE);
    assert!(host.stored.find(first).is_some());
    host.pass(MINUTE);
    assert!(host.stored.find(first).is_none());
    assert_eq!(host.alarms, []);
}

/// Scenario 74b, C-ROT-9, C-ROT-10: an emergency waits for nobody, and takes a third slot.
#[test]
fn an_emergency_takes_a_third_slot() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(20));
    let compromised = host.active();
    host.rotator.set_members(host.now, ["a".to_owned()]);
    let after = host.rotator.config().default_revoke_after();
    let report = host
        .rotator
        .emergency_rotate(host.now, Some(after), &mut host.entropy)
        .unwrap();
    assert_eq!(report.unconfirmed, ["a"]);
    assert_eq!(report.revoked_after, Some(after));
    host.serve();
    assert_eq!(host.statuses(), [Old, Old, Active]);
    assert_eq!(host.stored.active().unwrap().slot, KeySlot(2));
    assert_eq!(
        host.alarms,
        [AuthorityAlarm::RotationForced { cross_signed: true }]
    );
    assert!(host.stored.find(compromised).unwrap().tainted);
    // The scheduled rotation at hour 20 is not `dist` old either: both cross-signs are needed (C-ROT-6).
    assert_eq!(host.issuing.clone().unwrap().appended.len(), 2);
    host.pass(after - Duration::from_secs(1));
    assert!(host.stored.find(compromised).is_some());
    host.pass(Duration::from_secs(1));
    assert!(host.stored.find(compromised).is_none());
    // Its key never comes back.
    host.pass(hours(11));
    host.keys.clear();
    assert!(host.stored.revoked_keys.len() == 1);
}

/// C-ROT-8: a revoked key is refused, from wherever it comes.
#[test]
fn a_revoked_key_never_comes_back() {
    let mut host = Host::begun(a_day());
    let first = host.active();
    let key_id = host.keys[&first].clone();
    host.pass_until(hours(20));
    let before = host.stored.clone();
    host.rotator.taint(host.now, first).unwrap();
    // What is being stored counts already.
    host.rotator.revoke(host.now, first).unwrap();
    host.serve();
    // An older state with the key, stored under a newer version by a confused replica.
    let confused = AuthorityState {
        version: host.stored.version + 5,
        ..before
    };
    host.stored = confused.clone();
    host.rotator.observe(host.now, confused);
    host.serve();
    assert!(host.stored.find(first).is_none() && host.stored.revoked_keys.contains(&key_id));
    assert!(host.alarms.contains(&AuthorityAlarm::AuthorityRevoked {
        key_id: key_id.clone()
    }));
    // A key store that makes the same key again.
    host.rotator.prepare(host.now, &mut host.entropy).unwrap();
    let Some(AuthorityOutput::GenerateKey { authority, .. }) = host.rotator.poll_output() else {
        panic!()
    };
    host.rotator.handle_key(host.now, authority, key_id);
    host.serve();
    assert!(host.alarms.contains(&AuthorityAlarm::Refused {
        why: AuthorityAnswerError::KeyTaken
    }));
    host.pass(MINUTE);
    assert_eq!(host.statuses(), [Active, Prepared]);
}

/// Scenario 74c, C-ROT-13: after an older state was restored, numbers go on above the published one, and what was
/// prepared is distributed anew.
#[test]
fn sequences_go_on_above_the_published_one() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(12));
    let older = host.stored.clone();
    host.pass_until(hours(33));
    let published = host.published.last().unwrap().0;
    assert!(published > older.sequence);
    host.now.wall = host.start.wall + hours(13);
    host.stored = older.clone();
    host.rotator = AuthorityRotator::from_state(a_day(), older, host.now).unwrap();
    host.rotator.observe_published(host.now, published);
    host.serve();
    assert_eq!(host.published.last().unwrap().0, published + 1);
    let prepared = host.stored.prepared().unwrap();
    assert_eq!(prepared.since_sequence, published + 1);
    assert_eq!(prepared.published_at, Some(host.now.wall));
}

/// Scenario 74d, C-ROT-6: the old root certified by the new one, and its revocation.
#[test]
fn old_by_new_is_revoked_with_the_old_root() {
    let mut host = Host::begun(AuthorityRotationConfig {
        old_by_new: true,
        ..a_day()
    });
    let first = host.active();
    host.pass_until(hours(20));
    let cross = host
        .stored
        .find(first)
        .unwrap()
        .old_by_new
        .clone()
        .expect("it was made");
    let last_leaf = host.start.wall + hours(23) + 2 * MINUTE;
    assert_eq!(cross.not_after, last_leaf);
    host.rotator.taint(host.now, first).unwrap();
    host.serve();
    let (issuer, certificate) = (host.active(), cross.clone());
    assert!(
        host.others
            .contains(&AuthorityOutput::RevokeCrossSign { issuer, certificate })
    );
    // Never for a tainted one.
    let mut host = Host::begun(AuthorityRotationConfig {
        old_by_new: true,
        ..a_day()
    });
    let first = host.active();
    host.rotator
        .emergency_rotate(host.now, None, &mut host.entropy)
        .unwrap();
    host.serve();
    assert_eq!(host.stored.find(first).unwrap().old_by_new, None);
}

/// C-ROT-6: where no cross-signed certificate can be made, the rotation goes on and says so.
#[test]
fn a_rotation_goes_on_without_cross_signing() {
    let mut host = Host::begun(a_day());
    host.now = host.now + hours(12);
    host.rotator.handle_timeout(host.now, &mut host.entropy).unwrap();
    while let Some(output) = host.rotator.poll_output() {
        match output {
            AuthorityOutput::GenerateKey { authority, .. } => {
                host.rotator.handle_key(host.now, authority, KeyId::from([9]));
            }
            AuthorityOutput::Certify(request) => {
                let made = certificate(KeyId::from([9]), request.not_before, request.not_after);
                host.rotator.handle_certified(host.now, request.authority, made);
            }
            AuthorityOutput::CrossSign(request) => {
                let (subject, issuer) = (request.subject, request.issuer);
                host.rotator
                    .handle_cross_sign_impossible(host.now, subject, issuer, "path length");
                break;
            }
            _ => {}
        }
    }
    host.serve();
    assert!(matches!(
        host.alarms[..],
        [AuthorityAlarm::CrossSignImpossible { .. }]
    ));
    assert_eq!(host.statuses(), [Active, Prepared]);
}

/// C-ROT-11: what is not stored has not happened.
#[test]
fn nothing_happens_before_it_is_stored() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(19));
    host.persisting_works = false;
    host.pass_until(hours(20) + 5 * MINUTE);
    assert_eq!(host.statuses(), [Active, Prepared]);
    assert!(host.alarms.contains(&AuthorityAlarm::Failing {
        step: AuthorityStep::Persist,
        failures: 3
    }));
    host.persisting_works = true;
    host.pass(5 * MINUTE);
    assert_eq!(host.statuses(), [Old, Active]);
    // The old one issued until now, and is kept for what it issued.
    let old = host.stored.authorities.first().unwrap();
    assert!(old.deactivated_at.unwrap() > host.start.wall + hours(20) + 4 * MINUTE);
}

/// C-ROT-5: while a hand-over is being stored, leaves do not outlive what the new state allows for them.
#[test]
fn leaves_are_shortened_during_a_hand_over() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(20) - MINUTE);
    host.now = host.now + MINUTE;
    host.rotator.handle_timeout(host.now, &mut host.entropy).unwrap();
    assert!(matches!(
        host.rotator.poll_output(),
        Some(AuthorityOutput::PersistState { .. })
    ));
    assert_eq!(host.rotator.issuing(host.now).unwrap().leaf_max, hours(3));
    let later = host.now + 10 * MINUTE;
    assert_eq!(
        host.rotator.issuing(later).unwrap().leaf_max,
        hours(3) - 10 * MINUTE
    );
}

/// C-ROT-11: a new state that does not stand its test is taken back.
#[test]
fn a_bad_state_is_rolled_back() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(20));
    let (before, version) = (host.stored.clone(), host.stored.version);
    host.rotator.roll_back(host.now, "a chain does not verify");
    host.serve();
    assert_eq!(host.statuses()[0], Active, "{before:?}");
    assert!(host.stored.version > version);
    assert!(
        matches!(&host.alarms[..], [AuthorityAlarm::RolledBack { why }, ..] if why == "a chain does not verify")
    );
}

/// C-ROT-12: of two replicas that prepare at once, one root is published.
#[test]
fn replicas_publish_one_root() {
    let config = AuthorityRotationConfig {
        sync: 10 * MINUTE,
        ..a_day()
    };
    let mut host = Host::begun(config.clone());
    let mut other = AuthorityRotator::from_state(config, host.stored.clone(), host.now).unwrap();
    let mut entropy = InsecureSeededEntropy::new(77);
    host.pass_until(hours(12));
    let now = host.now;
    other.handle_timeout(now, &mut entropy).unwrap();
    let mut conflicts = 0;
    let mut discarded = 0;
    while let Some(output) = other.poll_output() {
        match output {
            AuthorityOutput::GenerateKey { authority, .. } => {
                other.handle_key(now, authority, KeyId::from([7, 7]));
            }
            AuthorityOutput::Certify(request) => {
                let made = certificate(KeyId::from([7, 7]), request.not_before, request.not_after);
                other.handle_certified(now, request.authority, made);
            }
            AuthorityOutput::CrossSign(request) => {
                let made = certificate(KeyId::from([7, 7]), request.not_before, request.not_after);
                other.handle_cross_signed(now, request.subject, request.issuer, made);
            }
            AuthorityOutput::PersistState { base_version, .. } => {
                assert_ne!(base_version, host.stored.version);
                conflicts += 1;
                other.handle_persist_conflict(now, host.stored.clone());
            }
            AuthorityOutput::DiscardKey { .. } => discarded += 1,
            AuthorityOutput::IssueWith(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((conflicts, discarded), (1, 1));
    assert_eq!(**other.state(), host.stored);

    // The other replica does not look at the store for more than `sync`: it issues until the switch is due, not after.
    let late = host.start + hours(19);
    assert!(other.issuing(late).is_ok());
    let late = host.start + hours(20);
    assert_eq!(other.issuing(late), Err(IssuingError::StateStale));
    other.observe(late, host.stored.clone());
    assert!(other.issuing(late).is_ok());
}

/// C-ROT-16: a clock that jumps forward does not empty the bundle.
#[test]
fn a_clock_jump_removes_nothing_at_once() {
    let mut host = Host::begun(a_day());
    let first = host.active();
    host.pass_until(hours(20));
    host.now.wall += DAY * 365;
    host.tick();
    assert!(
        host.alarms
            .iter()
            .any(|alarm| matches!(alarm, AuthorityAlarm::ClockJump { .. }))
    );
    assert!(host.stored.find(first).is_some());
    host.now.wall = host.now.wall - DAY * 365;
    host.pass(hours(2));
    assert!(
        host.stored.find(first).is_some(),
        "the jump was an error, and nothing was lost"
    );
}

/// C-ROT-4, C-GEN-5: a host that slept over everything starts anew.
#[test]
fn a_long_sleep_makes_a_new_authority() {
    let mut host = Host::begun(a_day());
    host.pass_until(hours(13));
    host.now = host.now + hours(40);
    host.tick();
    host.tick();
    assert!(host.rotator.issuing(host.now).is_ok(), "{:?}", host.statuses());
    assert!(host.stored.active().unwrap().certificate.not_after > host.now.wall + hours(23));
}

/// C-ROT-10: places for authorities are bounded.
#[test]
fn authorities_are_bounded() {
    let mut host = Host::begun(AuthorityRotationConfig {
        max_authorities: 2,
        ..a_day()
    });
    host.pass_until(hours(20));
    let error = host
        .rotator
        .emergency_rotate(host.now, None, &mut host.entropy)
        .unwrap_err();
    assert_eq!(
        error,
        CommandError::Refused(AuthorityCommandError::AuthorityLimit)
    );
    host.serve();
    assert_eq!(host.alarms, [AuthorityAlarm::AuthorityLimit]);
}

/// C-ROT-5: an intermediate authority keeps the root that issued it.
#[test]
fn intermediates_keep_their_root() {
    let mut host = Host::begun(a_day());
    let first = host.active();
    host.rotator
        .note_ca_issued(host.now, first, host.start.wall + hours(24));
    host.rotator.note_crl(host.now, first, 7);
    host.serve();
    assert_eq!(host.stored.find(first).unwrap().last_crl_number, 7);
    host.pass_until(hours(24) + 2 * MINUTE);
    assert!(host.stored.find(first).is_some());
    host.pass_until(hours(24) + 3 * MINUTE);
    assert!(host.stored.find(first).is_none());
}

/// C-SIGN-16: a longer life of leaves is stored first; a shorter one never shortens what is kept.
#[test]
fn longer_leaves_are_stored_first() {
    let mut host = Host::begun(a_day());
    host.persisting_works = false;
    host.rotator
        .set_leaf_max(host.now, hours(3) + 30 * MINUTE)
        .unwrap();
    host.serve();
    assert_eq!(host.rotator.issuing(host.now).unwrap().leaf_max, hours(3));
    host.persisting_works = true;
    host.pass(MINUTE);
    assert_eq!(
        host.rotator.issuing(host.now).unwrap().leaf_max,
        hours(3) + 30 * MINUTE
    );
    host.rotator.set_leaf_max(host.now, HOUR).unwrap();
    host.serve();
    assert_eq!(host.rotator.issuing(host.now).unwrap().leaf_max, HOUR);
    assert_eq!(
        host.stored.active().unwrap().leaf_high_water,
        hours(3) + 30 * MINUTE
    );
    let findings = host.rotator.set_leaf_max(host.now, hours(5)).unwrap_err();
    assert_eq!(findings[0].code, RotationFindingCode::LeafTtlWouldBeCut);
}

/// ca.md 24: failures are spaced out and, after three, an alarm; wrong answers are refused.
#[test]
fn failing_steps_are_tried_again() {
    let mut host = Host::new(a_day());
    host.rotator.handle_timeout(host.now, &mut host.entropy).unwrap();
    let Some(AuthorityOutput::GenerateKey { authority, .. }) = host.rotator.poll_output() else {
        panic!()
    };
    for failure in 1..=3 {
        host.rotator
            .handle_step_failed(host.now, authority, AuthorityStep::GenerateKey);
        let wait = host
            .rotator
            .poll_timeout()
            .unwrap()
            .saturating_since(host.now.mono);
        assert_eq!(wait, Duration::from_secs(1 << (failure - 1)));
        host.now = host.now + wait;
        host.rotator.handle_timeout(host.now, &mut host.entropy).unwrap();
    }
    let alarm = AuthorityAlarm::Failing {
        step: AuthorityStep::GenerateKey,
        failures: 3,
    };
    let outputs: Vec<AuthorityOutput> = std::iter::from_fn(|| host.rotator.poll_output()).collect();
    assert!(outputs.contains(&AuthorityOutput::Alarm(alarm)));
    // A certificate of another key, and one that is not valid yet.
    host.rotator.handle_key(host.now, authority, KeyId::from([1]));
    let (soon, end) = (host.now.wall + MINUTE, host.now.wall + DAY);
    host.rotator.handle_certified(
        host.now,
        authority,
        certificate(KeyId::from([2]), host.now.wall, end),
    );
    host.now = host.now + MINUTE;
    host.rotator.handle_timeout(host.now, &mut host.entropy).unwrap();
    host.rotator.handle_certified(
        host.now,
        authority,
        certificate(KeyId::from([1]), soon + MINUTE, end),
    );
    let refused = std::iter::from_fn(|| host.rotator.poll_output())
        .filter(|output| matches!(output, AuthorityOutput::Alarm(AuthorityAlarm::Refused { .. })));
    assert_eq!(refused.count(), 2);
}
