//! P5: over years of simulated time, with outages, crashes, replicas, emergencies and clocks that are off, there is no
//! moment at which an honest verifier refuses a leaf that has not ended and whose authority was not revoked. P10: the
//! machines are saved and restored on the way.
//!
//! The checks are made with plain sets: which certificates a verifier holds, and which of them has the key that signed.

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_ca::rotation::{
    AuthorityAlarm, AuthorityCertificate, AuthorityOutput, AuthorityRotationConfig, AuthorityRotator,
    AuthorityRotatorSnapshot, AuthorityState, AuthorityStatus, KeyId, Retirement, RotationStrategy,
};
use mesh_ca::{InsecureSeededEntropy, MonotonicTime, Now, Ppm, UnixTime};

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
        self.roll() % count == 0
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
    counts: Counts,
}

/// What really happened: a simulation in which nothing does proves nothing.
#[derive(Debug, Default)]
struct Counts {
    checks: u64,
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
                        rotator.handle_key(now, authority, key_id.clone())
                    });
                }
                AuthorityOutput::Certify(request) => {
                    let key_id = match &request.renews {
                        Some(renewed) => renewed.key_id.clone(),
                        None => KeyId::from(self.next_key.to_be_bytes()),
                    };
                    let made = certificate(&key_id, &key_id, request.not_before, request.not_after);
                    self.call(at, |rotator, now, _| {
                        rotator.handle_certified(now, request.authority, made.clone())
                    });
                }
                AuthorityOutput::CrossSign(request) => {
                    let (key_id, issuer) = (
                        &request.subject_certificate.key_id,
                        &request.issuer_certificate.key_id,
                    );
                    let made = certificate(key_id, issuer, request.not_before, request.not_after);
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
                        self.counts.revocations +=
                            (state.revoked_keys.len() - self.store.revoked_keys.len()) as u64;
                        self.store = (*state).clone();
                        self.answer(at, Answer::Persisted(state.version));
                    } else {
                        self.counts.conflicts += 1;
                        let stored = self.store.clone();
                        self.call(at, |rotator, now, _| {
                            rotator.handle_persist_conflict(now, stored.clone())
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
                AuthorityOutput::Alarm(AuthorityAlarm::RotationForced { .. }) => self.counts.forced += 1,
                _ => {}
            }
        }
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
                self.call(at, |rotator, now, _| rotator.handle_persisted(now, version))
            }
            Answer::Published(sequence) => {
                self.call(at, |rotator, now, _| rotator.handle_published(now, sequence))
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
                    rotator.handle_timeout(now, entropy).unwrap()
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
    let (mut run, mut refused) = (0, 0);
    let mut all = Counts::default();
    for seed in 0.. {
        if run == 2_000 {
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
        let counts = &world.counts;
        all.checks += counts.checks;
        all.leaves += counts.leaves;
        all.activations += counts.activations;
        all.crashes += counts.crashes;
        all.conflicts += counts.conflicts;
        all.failures += counts.failures;
        all.emergencies += counts.emergencies;
        all.revocations += counts.revocations;
        all.restores += counts.restores;
        all.forced += counts.forced;
        all.years += world.time.as_secs_f64() / (365.25 * 86_400.0);
    }
    println!("{run} schedules run, {refused} refused: {all:#?}");
    assert!(refused > 500 && all.years > 100.0);
    assert!(all.checks > 5_000_000 && all.activations > 8_000 && all.crashes > 1_000 && all.conflicts > 500);
    assert!(all.failures > 1_000 && all.emergencies > 300 && all.revocations > 300 && all.restores > 10_000);
}
