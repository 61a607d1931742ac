//! P5: over years of simulated time, with outages, crashes, replicas, emergencies and clocks that are off, there is no
//! moment at which an honest verifier refuses a leaf that has not ended and whose authority was not revoked, and none at which
//! it takes a leaf of a revoked one after the bound. P10: the machines are saved and restored on the way.
//!
//! The checks are made with plain sets: which certificates a verifier holds, and which of them has the key that signed.

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_ca::rotation::{
    AuthorityAlarm, AuthorityCertificate, AuthorityOutput, AuthorityRotationConfig, AuthorityRotator,
    AuthorityRotatorSnapshot, AuthorityState, AuthorityStatus, Issuing, Retirement, RotationStrategy,
};
use mesh_ca::{InsecureSeededEntropy, KeyId, MonotonicTime, Now, Ppm, UnixTime};

/// Numbers that a seed determines (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both inclusive.
    fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll() % (high.saturating_sub(low) + 1)
    }

    fn secs(&mut self, low: Duration, high: Duration) -> Duration {
        Duration::from_secs(self.range(low.as_secs(), high.as_secs()))
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.roll().is_multiple_of(count)
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Times that may or may not fit together; about half do.
fn config(dice: &mut Dice) -> AuthorityRotationConfig {
    let life = Duration::from_secs(dice.range(5 * 3_600, 90 * 86_400));
    let gap = dice.secs(life / 400, life / 60).max(SECOND);
    let skew = dice.secs(Duration::ZERO, life / 200);
    let dist = dice.secs(life / 50, life / 8);
    let after = (life / 6).min(Duration::from_secs(7 * 86_400));
    let strategy = if dice.one_in(4) {
        let grace = Ppm(u32::try_from(dice.range(50_000, 400_000)).unwrap());
        let check_interval = dice.secs(SECOND, life / 50);
        RotationStrategy::Renew {
            grace,
            check_interval,
        }
    } else {
        RotationStrategy::Rekey
    };
    AuthorityRotationConfig {
        strategy,
        lifetime: life,
        dist,
        skew,
        leaf_max: dice.secs(after / 4, after),
        gap,
        sync: if dice.one_in(2) { Duration::ZERO } else { gap * 2 },
        outage: dice.secs(Duration::ZERO, life / 10),
        backdate: skew + dice.secs(Duration::ZERO, skew)
            - if dice.one_in(10) { skew / 2 } else { Duration::ZERO },
        min_ttl: Duration::from_secs(60).min(gap),
        cross_sign: !dice.one_in(3),
        old_by_new: dice.one_in(3),
        retirement: if dice.one_in(4) {
            Retirement::AfterExpiry
        } else {
            Retirement::WhenUnused
        },
        spread: dice.secs(SECOND, gap * 3),
        ..AuthorityRotationConfig::default()
    }
}

struct Leaf {
    issuer: KeyId,
    not_before: UnixTime,
    not_after: UnixTime,
    /// Cross-signed certificates of the chain: subject key, issuer key, certificate.
    appended: Vec<AuthorityCertificate>,
}

struct Replica {
    rotator: AuthorityRotator,
    entropy: InsecureSeededEntropy,
    /// When its embedder calls it next.
    tick_at: Duration,
    outputs: Vec<AuthorityOutput>,
}

enum Answer {
    Persisted(u64),
    Published(u64),
}

struct World {
    dice: Dice,
    config: AuthorityRotationConfig,
    time: Duration,
    replicas: Vec<Replica>,
    store: AuthorityState,
    published: Vec<(Duration, u64, Vec<AuthorityCertificate>)>,
    leaves: Vec<Leaf>,
    /// Answers under way: when, to whom, what.
    answers: Vec<(Duration, usize, Answer)>,
    outage: (Duration, Duration),
    next_key: u64,
    /// Cross-signed certificates that were ever made: a thief has them all.
    crosses: Vec<AuthorityCertificate>,
    /// Those that are on a CRL, by subject and issuer.
    listed: BTreeSet<(KeyId, Vec<u8>)>,
    /// Keys that were revoked: when, and the first bundle without them.
    revoked: Vec<(KeyId, Duration, u64)>,
    counts: Counts,
}

/// What really happened: a simulation in which nothing does proves nothing.
#[derive(Debug, Default)]
struct Counts {
    checks: u64,
    thefts: u64,
    leaves: u64,
    activations: u64,
    crashes: u64,
    conflicts: u64,
    failures: u64,
    emergencies: u64,
    revocations: u64,
    restores: u64,
    forced: u64,
    years: f64,
}

impl Counts {
    fn add(&mut self, world: &World) {
        let Self {
            checks,
            thefts,
            leaves,
            activations,
            crashes,
            conflicts,
            failures,
            emergencies,
            revocations,
            restores,
            forced,
            years: _,
        } = &world.counts;
        self.checks += checks;
        self.thefts += thefts;
        self.leaves += leaves;
        self.activations += activations;
        self.crashes += crashes;
        self.conflicts += conflicts;
        self.failures += failures;
        self.emergencies += emergencies;
        self.revocations += revocations;
        self.restores += restores;
        self.forced += forced;
        self.years += world.time.as_secs_f64() / (365.25 * 86_400.0);
    }
}

/// The content of a certificate here: the key, and the key that signed.
fn certificate(
    key_id: &KeyId,
    issuer: &KeyId,
    not_before: UnixTime,
    not_after: UnixTime,
) -> AuthorityCertificate {
    AuthorityCertificate {
        der: issuer.as_bytes().into(),
        key_id: key_id.clone(),
        not_before,
        not_after,
    }
}

impl World {
    fn new(seed: u64, config: AuthorityRotationConfig) -> Self {
        let mut dice = Dice(seed);
        let replicas = if config.sync.is_zero() { 1 } else { 2 };
        let replicas = (0..replicas).map(|number| Replica {
            rotator: AuthorityRotator::new(config.clone()).unwrap(),
            entropy: InsecureSeededEntropy::new(seed ^ number),
            tick_at: Duration::ZERO,
            outputs: Vec::new(),
        });
        let first_outage = dice.secs(Duration::ZERO, config.lifetime);
        Self {
            replicas: replicas.collect(),
            outage: (first_outage, first_outage + config.outage),
            dice,
            config,
            time: Duration::ZERO,
            store: AuthorityState::default(),
            published: Vec::new(),
            leaves: Vec::new(),
            answers: Vec::new(),
            next_key: 0,
            crosses: Vec::new(),
            listed: BTreeSet::new(),
            revoked: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn now(&self) -> Now {
        Now::new(
            UnixTime::from_secs(1_800_000_000) + self.time,
            MonotonicTime::from_origin(self.time),
        )
    }

    fn is_out(&mut self) -> bool {
        let (from, until) = self.outage;
        if self.time > until + self.config.lifetime / 2 {
            let from = self.time + self.dice.secs(SECOND, self.config.lifetime);
            let long = self.dice.secs(Duration::ZERO, self.config.outage);
            self.outage = (from, from + long);
        }
        from <= self.time && self.time < until
    }

    /// Calls a machine; now and then a restored copy of it has to do the same (P10).
    fn call(&mut self, at: usize, call: impl Fn(&mut AuthorityRotator, Now, &mut InsecureSeededEntropy)) {
        let now = self.now();
        let compare = self.dice.one_in(40);
        let replica = &mut self.replicas[at];
        let mut twin = None;
        if compare {
            let saved = serde_json::to_string(&replica.rotator.snapshot()).unwrap();
            let saved: AuthorityRotatorSnapshot = serde_json::from_str(&saved).unwrap();
            twin = Some((
                AuthorityRotator::restore(replica.rotator.config().clone(), saved),
                replica.entropy.clone(),
            ));
            self.counts.restores += 1;
        }
        call(&mut replica.rotator, now, &mut replica.entropy);
        if let Some((mut twin, mut entropy)) = twin {
            call(&mut twin, now, &mut entropy);
            assert_eq!(twin.snapshot(), replica.rotator.snapshot(), "P10");
        }
        replica
            .outputs
            .extend(std::iter::from_fn(|| replica.rotator.poll_output()));
        self.serve(at);
    }

    /// The embedder of a machine.
    fn serve(&mut self, at: usize) {
        while !self.replicas[at].outputs.is_empty() {
            let output = self.replicas[at].outputs.remove(0);
            match output {
                AuthorityOutput::GenerateKey { authority, .. } => {
                    self.next_key += 1;
                    let key_id = KeyId::from(self.next_key.to_be_bytes());
                    self.call(at, |rotator, now, _| {
                        rotator.handle_key(now, authority, key_id.clone());
                    });
                }
                AuthorityOutput::Certify(request) => {
                    let key_id = match &request.renews {
                        Some(renewed) => renewed.key_id.clone(),
                        None => KeyId::from(self.next_key.to_be_bytes()),
                    };
                    let made = certificate(&key_id, &key_id, request.not_before, request.not_after);
                    self.call(at, |rotator, now, _| {
                        rotator.handle_certified(now, request.authority, made.clone());
                    });
                }
                AuthorityOutput::CrossSign(request) => {
                    let (key_id, issuer) = (
                        &request.subject_certificate.key_id,
                        &request.issuer_certificate.key_id,
                    );
                    let made = certificate(key_id, issuer, request.not_before, request.not_after);
                    self.crosses.push(made.clone());
                    self.call(at, |rotator, now, _| {
                        rotator.handle_cross_signed(now, request.subject, request.issuer, made.clone());
                    });
                }
                AuthorityOutput::PersistState { base_version, state } => {
                    if self.is_out() {
                        self.counts.failures += 1;
                        self.call(at, |rotator, now, _| rotator.handle_persist_failed(now));
                    } else if base_version == self.store.version {
                        let activated =
                            self.store.active().map(|one| one.id) != state.active().map(|one| one.id);
                        self.counts.activations += u64::from(activated);
                        for key_id in state.revoked_keys.difference(&self.store.revoked_keys) {
                            self.counts.revocations += 1;
                            self.revoked.push((key_id.clone(), self.time, state.sequence));
                        }
                        self.store = (*state).clone();
                        self.answer(at, Answer::Persisted(state.version));
                    } else {
                        self.counts.conflicts += 1;
                        let stored = self.store.clone();
                        self.call(at, |rotator, now, _| {
                            rotator.handle_persist_conflict(now, stored.clone());
                        });
                    }
                }
                AuthorityOutput::PublishBundle {
                    sequence,
                    certificates,
                } => {
                    if self.is_out() {
                        // Some get out all the same, without a confirmation.
                        if self.dice.one_in(4) {
                            self.published.push((self.time, sequence, certificates));
                        }
                        self.counts.failures += 1;
                        self.call(at, |rotator, now, _| rotator.handle_publish_failed(now, sequence));
                    } else {
                        self.published.push((self.time, sequence, certificates));
                        self.answer(at, Answer::Published(sequence));
                    }
                }
                AuthorityOutput::RevokeCrossSign { certificate, .. } => {
                    self.list(&certificate);
                }
                AuthorityOutput::Alarm(AuthorityAlarm::RotationForced { .. }) => self.counts.forced += 1,
                _ => {}
            }
        }
    }

    fn list(&mut self, cross: &AuthorityCertificate) {
        self.listed.insert((cross.key_id.clone(), cross.der.to_vec()));
    }

    /// Answers come at once, or a little later.
    fn answer(&mut self, at: usize, answer: Answer) {
        if self.dice.one_in(3) {
            let delay = self.dice.secs(Duration::ZERO, self.config.gap / 10);
            self.answers.push((self.time + delay, at, answer));
        } else {
            self.deliver(at, &answer);
        }
    }

    fn deliver(&mut self, at: usize, answer: &Answer) {
        match *answer {
            Answer::Persisted(version) => {
                self.call(at, |rotator, now, _| rotator.handle_persisted(now, version));
            }
            Answer::Published(sequence) => {
                self.call(at, |rotator, now, _| rotator.handle_published(now, sequence));
            }
        }
    }

    /// Goes to the next thing that happens.
    fn step(&mut self) {
        let pause = self.config.lifetime / 40;
        let next = self.time + self.dice.secs(SECOND, pause);
        let ticks = self.replicas.iter().map(|replica| replica.tick_at);
        let answers = self.answers.iter().map(|(at, _, _)| *at);
        self.time = ticks
            .chain(answers)
            .chain([next])
            .min()
            .unwrap_or(next)
            .max(self.time);

        while let Some(due) = self.answers.iter().position(|(at, _, _)| *at <= self.time) {
            let (_, at, answer) = self.answers.remove(due);
            self.deliver(at, &answer);
        }
        for at in 0..self.replicas.len() {
            if self.replicas[at].tick_at <= self.time {
                self.call(at, |rotator, now, entropy| {
                    rotator.handle_timeout(now, entropy).unwrap();
                });
            }
            // Called again within `gap` of when it wants to be.
            let wake = self.replicas[at]
                .rotator
                .poll_timeout()
                .map_or(Duration::MAX, |at| at.since_origin());
            let late = self.dice.secs(Duration::ZERO, self.config.gap);
            self.replicas[at].tick_at = wake.max(self.time + SECOND).saturating_add(late);
        }
        self.disturb();
        self.issue();
        self.check();
    }

    fn disturb(&mut self) {
        let at = self.dice.range(0, self.replicas.len() as u64 - 1) as usize;
        let now = self.now();
        if self.dice.one_in(3) && self.replicas.len() > 1 {
            let stored = self.store.clone();
            self.call(at, |rotator, now, _| rotator.observe(now, stored.clone()));
        }
        if self.dice.one_in(150) {
            self.counts.crashes += 1;
            self.answers.retain(|(_, to, _)| *to != at);
            let rotator = AuthorityRotator::from_state(self.config.clone(), self.store.clone(), now).unwrap();
            self.replicas[at].rotator = rotator;
            // What the documentation of RevokeCrossSign asks of an embedder that comes back.
            for cross in self.crosses.clone() {
                if self.store.revoked_keys.contains(&cross.key_id) {
                    self.list(&cross);
                }
            }
            let highest = self
                .published
                .iter()
                .map(|(_, sequence, _)| *sequence)
                .max()
                .unwrap_or(0);
            self.call(at, |rotator, now, _| rotator.observe_published(now, highest));
        }
        let enough_left = self.store.active().is_some_and(|active| {
            active.certificate.not_after.saturating_since(now.wall) > self.config.lifetime / 2
        });
        if self.dice.one_in(300) && self.config.cross_sign && enough_left {
            let after = Some(self.config.default_revoke_after()).filter(|_| self.dice.one_in(2));
            self.counts.emergencies += 1;
            self.call(at, |rotator, now, entropy| {
                let _ = rotator.emergency_rotate(now, after, entropy);
            });
        }
        if self.dice.one_in(100) {
            // Who revokes before verifiers know the next authority cuts them off, and is told so (C-ROT-9).
            let known = self.config.dist + self.config.skew;
            let old = self.store.authorities.iter().find(|one| {
                one.status == AuthorityStatus::Old
                    && one.deactivated_at.is_some_and(|at| at + known < now.wall)
            });
            if let Some((id, tainted)) = old.map(|old| (old.id, old.tainted)) {
                self.call(at, |rotator, now, _| {
                    let _ = if tainted {
                        rotator.revoke(now, id)
                    } else {
                        rotator.taint(now, id)
                    };
                });
            }
        }
        if self.dice.one_in(100) {
            let leaf_max = self.dice.secs(self.config.leaf_max / 4, self.config.leaf_max);
            self.call(at, |rotator, now, _| rotator.set_leaf_max(now, leaf_max).unwrap());
        }
    }

    fn issue(&mut self) {
        let at = self.dice.range(0, self.replicas.len() as u64 - 1) as usize;
        let now = self.now();
        let Ok(issuing) = self.replicas[at].rotator.issuing(now) else {
            return;
        };
        if issuing.leaf_max < SECOND {
            return;
        }
        if self.must_be_told(&issuing) {
            let stored = self.store.clone();
            self.call(at, |rotator, now, _| rotator.observe(now, stored.clone()));
            return;
        }
        let ttl = if self.dice.one_in(2) {
            issuing.leaf_max
        } else {
            self.dice.secs(SECOND, issuing.leaf_max)
        };
        let issuer = &issuing.certificate;
        self.counts.leaves += 1;
        self.leaves.push(Leaf {
            issuer: issuer.key_id.clone(),
            not_before: (now.wall - self.config.backdate)
                .max(issuer.not_before)
                .floor_to_secs(),
            not_after: (now.wall + ttl).min(issuer.not_after).floor_to_secs(),
            appended: issuing.appended,
        });
    }

    /// Whether an authority was replaced more than `sync` ago, before its time. An issuer that does not know of that goes on
    /// with it, and says so in the report of the emergency: the embedder has to tell it (C-ROT-12).
    fn must_be_told(&self, issuing: &Issuing) -> bool {
        let now = self.now().wall;
        let replaced = self
            .store
            .active()
            .is_some_and(|active| active.id != issuing.authority);
        let before = (self.config.lifetime / 6).min(Duration::from_secs(7 * 86_400));
        let scheduled = now >= issuing.certificate.not_after - before;
        let old = self.store.find(issuing.authority);
        let recent = old
            .and_then(|old| old.deactivated_at)
            .is_some_and(|at| now <= at + self.config.sync);
        replaced && !scheduled && !recent
    }

    fn check(&mut self) {
        let now = self.now().wall;
        let skew = self.config.skew;
        self.leaves.retain(|leaf| leaf.not_after + skew >= now);
        let lag = self.dice.secs(Duration::ZERO, self.config.dist);
        for lag in [Duration::ZERO, lag, self.config.dist] {
            let until = self.time.saturating_sub(lag);
            let seen = self.published.iter().take_while(|(at, _, _)| *at <= until);
            // Consumers ignore numbers that are lower than what they hold. A new workload gets the first bundle.
            let Some((_, sequence, view)) = seen
                .max_by_key(|(_, sequence, _)| *sequence)
                .or(self.published.first())
            else {
                continue;
            };
            let theft = stolen(&self.revoked, &self.crosses, &self.listed, *sequence, now);
            for (leaf, since) in &theft {
                self.counts.thefts += 1;
                assert!(
                    !verifies(leaf, view, now.floor_to_secs()),
                    "at {:?}: a leaf by {}, revoked at {since:?}, verifies with bundle {sequence} {view:?}\n{:#?}",
                    self.time,
                    leaf.issuer,
                    self.config,
                );
            }
            // Persisting and publishing may fail for `outage`; retries wait 5 minutes at most, ticks come within `gap`.
            let bound = self.config.outage + self.config.gap * 4 + Duration::from_secs(600) + lag;
            for (key_id, since, without) in &self.revoked {
                assert!(
                    sequence >= without || self.time <= *since + bound,
                    "{key_id} was revoked at {since:?}, and at {:?} bundle {sequence} is held\n{:#?}",
                    self.time,
                    self.config,
                );
            }
            for clock in [now - skew, now, now + skew] {
                for leaf in &self.leaves {
                    if clock.floor_to_secs() > leaf.not_after
                        || self.store.revoked_keys.contains(&leaf.issuer)
                    {
                        continue;
                    }
                    self.counts.checks += 1;
                    assert!(
                        verifies(leaf, view, clock.floor_to_secs()),
                        "at {:?} with lag {lag:?}, clock {clock}, bundle {sequence} {view:?}: leaf of {} from {} to {}\n{:#?}\n{:#?}",
                        self.time,
                        leaf.issuer,
                        leaf.not_before,
                        leaf.not_after,
                        self.config,
                        self.store,
                    );
                }
            }
        }
    }
}

/// What a thief makes with the keys that are revoked in this bundle: a leaf of each, with every cross-signed certificate that
/// is on no CRL.
fn stolen(
    revoked: &[(KeyId, Duration, u64)],
    crosses: &[AuthorityCertificate],
    listed: &BTreeSet<(KeyId, Vec<u8>)>,
    sequence: u64,
    now: UnixTime,
) -> Vec<(Leaf, Duration)> {
    let usable = |cross: &&AuthorityCertificate| {
        now <= cross.not_after && !listed.contains(&(cross.key_id.clone(), cross.der.to_vec()))
    };
    let appended: Vec<AuthorityCertificate> = crosses.iter().filter(usable).cloned().collect();
    let known = revoked.iter().filter(|(_, _, without)| *without <= sequence);
    known
        .map(|(key_id, since, _)| {
            let leaf = Leaf {
                issuer: key_id.clone(),
                not_before: now.floor_to_secs(),
                not_after: now,
                appended: appended.clone(),
            };
            (leaf, *since)
        })
        .collect()
}

/// The verifier: nothing but sets.
fn verifies(leaf: &Leaf, view: &[AuthorityCertificate], clock: UnixTime) -> bool {
    let valid = |one: &AuthorityCertificate| one.not_before <= clock && clock <= one.not_after;
    let mut keys: BTreeSet<&[u8]> = view
        .iter()
        .filter(|one| valid(one))
        .map(|one| one.key_id.as_bytes())
        .collect();
    // Each cross-signed certificate of the chain may lead to the next one.
    for _ in &leaf.appended {
        let more = leaf
            .appended
            .iter()
            .filter(|cross| valid(cross) && keys.contains(&*cross.der));
        let more: Vec<&[u8]> = more.map(|cross| cross.key_id.as_bytes()).collect();
        keys.extend(more);
    }
    leaf.not_before <= clock && keys.contains(leaf.issuer.as_bytes())
}

/// P5 and P10.
#[test]
fn no_verifier_meets_a_gap() {
    simulate(0, 300);
}

/// The same for long, and for other schedules: `cargo test --release --test rotation_simulation -- --ignored`.
#[test]
#[ignore = "thousands of schedules"]
fn no_verifier_meets_a_gap_in_thousands_of_schedules() {
    simulate(1_000_000, 5_000);
}

fn simulate(first_seed: u64, schedules: u64) {
    let (mut run, mut refused) = (0, 0);
    let mut all = Counts::default();
    for seed in first_seed.. {
        if run == schedules {
            break;
        }
        let mut dice = Dice(seed);
        let config = config(&mut dice);
        if !config.check().is_empty() {
            assert!(
                AuthorityRotator::new(config).is_err(),
                "what can break is refused"
            );
            refused += 1;
            continue;
        }
        run += 1;
        let mut world = World::new(seed, config);
        for _ in 0..400 {
            world.step();
        }
        all.add(&world);
    }
    let report = format!("{run} schedules run, {refused} refused: {all:#?}");
    // Something has to happen in each, on average; about a fifth of the times do not fit together.
    assert!(
        refused > schedules / 6 && all.years > schedules as f64 / 20.0,
        "{report}"
    );
    assert!(
        all.checks > 2_500 * schedules && all.activations > 4 * schedules,
        "{report}"
    );
    assert!(
        2 * all.crashes > schedules && 4 * all.conflicts > schedules && 2 * all.failures > schedules,
        "{report}"
    );
    assert!(
        7 * all.emergencies > schedules && 7 * all.revocations > schedules,
        "{report}"
    );
    assert!(all.restores > 5 * schedules && all.thefts > schedules, "{report}");
}
