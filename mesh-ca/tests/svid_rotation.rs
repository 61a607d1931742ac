//! Rotation of the SVIDs of workloads: the rules C-WR, the scenarios that name them, and a simulation (P6, P10).

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_ca::rotation::{
    RenewalBasis, RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidRotationConfig,
    SvidRotator, SvidRotatorError, SvidRotatorSnapshot, SvidState,
};
use mesh_ca::{
    Entropy, EntropyError, InsecureSeededEntropy, KeyId, MonotonicTime, Now, Ppm, SpiffeId, StatusCode,
    UnixTime,
};
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(86_400);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn start() -> Now {
    Now::new(
        UnixTime::from_secs(1_800_000_000),
        MonotonicTime::from_origin(secs(500)),
    )
}

fn id(number: u32) -> SpiffeId {
    format!("spiffe://cluster.local/ns/shop/sa/{number}")
        .parse()
        .unwrap()
}

fn facts(now: Now, life: Duration) -> SvidFacts {
    SvidFacts {
        not_before: (now.wall - secs(120)).floor_to_secs(),
        not_after: (now.wall + life).floor_to_secs(),
        issuer: Some(KeyId::from([1])),
    }
}

fn down() -> SvidFailure {
    SvidFailure::status(StatusCode::Unavailable)
}

/// A machine with its clocks and its source of random bytes.
struct Host {
    rotator: SvidRotator,
    entropy: InsecureSeededEntropy,
    now: Now,
}

impl Host {
    fn new(config: SvidRotationConfig, seed: u64) -> Self {
        Self {
            rotator: SvidRotator::new(config),
            entropy: InsecureSeededEntropy::new(seed),
            now: start(),
        }
    }

    /// One that holds an SVID of this life.
    fn holding(config: SvidRotationConfig, seed: u64, life: Duration) -> Self {
        let mut host = Self::new(config, seed);
        host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
        let request = host.request();
        host.sign(request, life);
        host.outputs();
        host
    }

    fn outputs(&mut self) -> Vec<SvidOutput> {
        std::iter::from_fn(|| self.rotator.poll_output()).collect()
    }

    /// The only request among the outputs.
    fn request(&mut self) -> RequestId {
        let outputs = self.outputs();
        let mut requests = outputs.iter().filter_map(|output| match output {
            SvidOutput::Request { request, .. } => Some(*request),
            _ => None,
        });
        let request = requests
            .next()
            .unwrap_or_else(|| panic!("no request in {outputs:?}"));
        assert_eq!(requests.next(), None);
        request
    }

    fn sign(&mut self, request: RequestId, life: Duration) {
        let facts = facts(self.now, life);
        self.rotator
            .handle_signed(self.now, request, &facts, &mut self.entropy)
            .unwrap();
    }

    fn fail(&mut self, request: RequestId, failure: SvidFailure) {
        self.rotator
            .handle_failed(self.now, request, failure, &mut self.entropy)
            .unwrap();
    }

    fn tick(&mut self) {
        self.rotator.handle_timeout(self.now, &mut self.entropy).unwrap();
    }

    /// Lets time pass until the machine wants to be called.
    fn sleep(&mut self) {
        let wake = self.rotator.poll_timeout().expect("something is planned");
        self.now = self.now + wake.saturating_since(self.now.mono);
        self.tick();
    }

    fn state(&self) -> SvidState {
        self.rotator.state(&id(1)).expect("it is tracked")
    }
}

/// C-WR-3: the states in their order. What is held is served until it ends, whatever becomes of its renewal.
#[test]
fn states_follow_one_another() {
    let mut host = Host::new(SvidRotationConfig::default(), 3);
    assert_eq!(host.rotator.state(&id(1)), None);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    assert_eq!(host.state(), SvidState::Pending { attempt: 1 });
    let request = host.request();
    host.fail(request, down());
    assert_eq!(host.state(), SvidState::Pending { attempt: 2 });
    host.sleep();
    let request = host.request();
    host.sign(request, DAY);
    let SvidState::Valid { renew_at, not_after } = host.state() else {
        panic!("{:?}", host.state());
    };
    assert!(renew_at < not_after);
    host.outputs();

    host.sleep();
    assert_eq!(
        host.state(),
        SvidState::Renewing {
            attempt: 1,
            not_after
        }
    );
    let request = host.request();
    host.fail(request, down());
    assert_eq!(
        host.state(),
        SvidState::Renewing {
            attempt: 2,
            not_after
        }
    );
    host.sleep();
    let request = host.request();
    host.sign(request, DAY);
    let SvidState::Valid { not_after: next, .. } = host.state() else {
        panic!("{:?}", host.state());
    };
    assert!(next > not_after);
    host.outputs();

    // The CA is down until the end, and beyond it: to its last second the SVID is held, then it has ended, and a success
    // brings it back.
    while host.now.wall < next {
        assert!(!matches!(
            host.state(),
            SvidState::Expired { .. } | SvidState::Pending { .. }
        ));
        host.sleep();
        for output in host.outputs() {
            if let SvidOutput::Request { request, .. } = output {
                host.fail(request, down());
            }
        }
    }
    host.now = host.now + secs(2);
    host.tick();
    assert!(matches!(host.state(), SvidState::Expired { not_after, .. } if not_after == next));
    let request = loop {
        let requests = host.outputs().into_iter().find_map(|output| match output {
            SvidOutput::Request { request, .. } => Some(request),
            _ => None,
        });
        if let Some(request) = requests {
            break request;
        }
        host.sleep();
    };
    host.sign(request, DAY);
    assert!(matches!(host.state(), SvidState::Valid { .. }));
    host.rotator.forget(host.now, &id(1));
    assert_eq!(host.rotator.state(&id(1)), None);
}

/// C-WR-1, C-WR-2: the table of ratios, with C = 0 and E = 100, and clamping.
#[test]
fn renewal_times_are_exact() {
    let at = |config: &SvidRotationConfig, jitter| {
        let zero = UnixTime::from_secs(0);
        config.renew_at(zero, zero, UnixTime::from_secs(100), jitter)
    };
    for (grace, expected) in [
        (500_000, 50),
        (250_000, 75),
        (750_000, 25),
        (1_000_000, 0),
        (0, 100),
    ] {
        let config = SvidRotationConfig {
            grace: Ppm(grace),
            ..SvidRotationConfig::istio()
        };
        assert_eq!(at(&config, 0), UnixTime::from_secs(expected), "{grace}");
    }
    let istio = SvidRotationConfig::istio();
    assert_eq!(at(&istio, 600_000), UnixTime::from_secs(0));
    assert_eq!(at(&istio, -600_000), UnixTime::from_secs(100));
    assert_eq!(at(&istio, 10_000), UnixTime::from_secs(49));
    // The margin: a quarter of the life here, since 2 × 120 s + 30 s is more.
    let never = SvidRotationConfig {
        grace: Ppm::ZERO,
        ..SvidRotationConfig::default()
    };
    assert_eq!(at(&never, 0), UnixTime::from_secs(75));
    let (zero, end) = (UnixTime::from_secs(0), UnixTime::from_secs(10_000));
    assert_eq!(
        never.renew_at(zero, zero, end, 0),
        UnixTime::from_secs(10_000 - 270)
    );
    // ztunnel counts from notBefore; never before the acceptance.
    let ztunnel = SvidRotationConfig::ztunnel();
    assert_eq!(ztunnel.basis, RenewalBasis::NotBefore);
    let early = UnixTime::from_secs(-20_000);
    assert_eq!(ztunnel.renew_at(zero, early, end, 0), zero);
    assert_eq!(
        ztunnel.renew_at(zero, UnixTime::from_secs(-1_000), end, 0),
        UnixTime::from_secs(4_500)
    );
}

/// Scenario 69: a day is renewed between 11 h 45 m 36 s and 12 h 14 m 24 s, and the draw is made once (C-WR-1).
#[test]
fn a_day_is_renewed_at_half() {
    let (mut first, mut last) = (DAY, Duration::ZERO);
    for seed in 0..2_000 {
        let mut host = Host::holding(SvidRotationConfig::default(), seed, DAY);
        let SvidState::Valid { renew_at, .. } = host.state() else {
            panic!("{:?}", host.state())
        };
        let after = renew_at.saturating_since(host.now.wall);
        (first, last) = (first.min(after), last.max(after));
        host.now = host.now + secs(3_600);
        host.tick();
        assert!(matches!(host.state(), SvidState::Valid { renew_at: again, .. } if again == renew_at));
    }
    let (least, most) = (secs(11 * 3_600 + 45 * 60 + 36), secs(12 * 3_600 + 14 * 60 + 24));
    assert!(least <= first && last <= most, "{first:?} {last:?}");
    assert!(
        first < least + secs(10) && last > most - secs(10),
        "{first:?} {last:?}"
    );
}

/// Scenario 70, C-WR-4: half an hour without the CA.
#[test]
fn an_outage_is_bridged() {
    for seed in 0..200 {
        let mut host = Host::holding(SvidRotationConfig::default(), seed, DAY);
        host.sleep();
        let began = host.now;
        let mut request = host.request();
        let mut waits = Vec::new();
        while host.now.mono.saturating_since(began.mono) < secs(1_800) {
            host.fail(request, down());
            let before = host.now.mono;
            assert!(
                matches!(host.state(), SvidState::Renewing { .. }),
                "the old one stays"
            );
            assert!(
                host.outputs()
                    .iter()
                    .any(|output| matches!(output, SvidOutput::Failed { held: true, .. }))
            );
            host.sleep();
            waits.push(host.now.mono.saturating_since(before));
            request = host.request();
        }
        assert!((17..=21).contains(&waits.len()), "{} retries", waits.len());
        for (wait, base) in waits.iter().zip([1u64, 2, 4, 8, 16, 32, 64, 128, 150, 150]) {
            let (least, most) = (
                secs(base).mul_f64(0.8).max(secs(1)),
                secs(base).mul_f64(1.2).min(secs(150)),
            );
            assert!(
                least <= *wait && *wait <= most + Duration::from_millis(1),
                "{wait:?} for {base} s"
            );
        }
        host.sign(request, DAY);
        assert!(matches!(host.state(), SvidState::Valid { .. }));
    }
}

/// Scenario 70, second half, C-WR-4: close to the end the tries come closer, and never closer than 1 s.
#[test]
fn close_to_the_end_there_is_no_storm() {
    let mut host = Host::holding(SvidRotationConfig::default(), 3, DAY);
    let end = host.now + DAY;
    host.sleep();
    let mut request = host.request();
    let mut tries = Vec::new();
    let mut late_waits = Vec::new();
    while host.now.wall < end.wall + secs(600) {
        host.fail(request, down());
        host.outputs();
        let left = end.wall.saturating_since(host.now.wall);
        let before = host.now.mono;
        loop {
            host.sleep();
            if let Some(SvidOutput::Request { request: next, .. }) = host
                .outputs()
                .into_iter()
                .find(|output| matches!(output, SvidOutput::Request { .. }))
            {
                request = next;
                break;
            }
        }
        tries.push(host.now);
        if left > secs(120) && left < DAY / 10 {
            late_waits.push((left, host.now.mono.saturating_since(before)));
        }
    }
    for (at, now) in tries.iter().enumerate() {
        let within = tries[at..]
            .iter()
            .take_while(|later| later.mono.saturating_since(now.mono) < secs(60));
        assert!(within.count() <= 61);
    }
    let last_minutes = tries
        .iter()
        .filter(|now| now.wall < end.wall && end.wall.saturating_since(now.wall) <= secs(120));
    assert!((100..=121).contains(&last_minutes.count()));
    for (left, wait) in late_waits {
        assert!(
            wait <= (left / 4).max(secs(1)) + Duration::from_millis(1),
            "{wait:?} with {left:?} left"
        );
    }
    // After the end the waits are the usual ones again.
    let after = tries.iter().filter(|now| now.wall > end.wall + secs(1));
    assert!(after.count() < 20);
}

/// Scenario 71: the host sleeps over the renewal and over the end.
#[test]
fn a_long_sleep_is_caught_up_in_one_call() {
    let mut host = Host::holding(SvidRotationConfig::default(), 1, DAY);
    host.now = host.now + DAY + secs(2);
    host.tick();
    let outputs = host.outputs();
    assert!(
        matches!(
            outputs[0],
            SvidOutput::Alarm {
                alarm: SvidAlarm::Expired { .. },
                ..
            }
        ),
        "{outputs:?}"
    );
    assert!(
        matches!(outputs[1], SvidOutput::Request { attempt: 1, .. }),
        "{outputs:?}"
    );
    assert_eq!(outputs.len(), 2, "each once");
    assert!(matches!(host.state(), SvidState::Expired { .. }));
    host.tick();
    assert_eq!(host.outputs(), []);
}

/// C-WR-10: what has ended is withdrawn only where that is configured.
#[test]
fn ended_svids_are_withdrawn_by_configuration() {
    let config = SvidRotationConfig {
        withdraw_expired: true,
        ..SvidRotationConfig::default()
    };
    let mut host = Host::holding(config, 1, DAY);
    // `notAfter` is inclusive.
    host.now = host.now + DAY;
    host.tick();
    let request = host.request();
    host.now = host.now + secs(1);
    host.tick();
    assert!(host.outputs().contains(&SvidOutput::Withdraw { id: id(1) }));
    host.sign(request, DAY);
    assert!(matches!(host.state(), SvidState::Valid { .. }));
}

/// Scenario 71, C-GEN-4: a wall clock set back by two hours postpones nothing, and one set forward makes due at once.
#[test]
fn clock_changes_postpone_nothing() {
    let mut host = Host::holding(SvidRotationConfig::default(), 5, DAY);
    let planned = host.rotator.poll_timeout().unwrap();
    host.now = host.now + secs(3_600);
    host.now.wall = host.now.wall - secs(7_200);
    host.tick();
    assert!(host.rotator.poll_timeout().unwrap() <= planned);
    host.now = host.now + planned.saturating_since(host.now.mono);
    host.tick();
    host.request();

    let mut host = Host::holding(SvidRotationConfig::default(), 5, DAY);
    host.now = host.now + secs(10);
    host.now.wall += secs(13 * 3_600);
    host.tick();
    host.request();
}

/// C-WR-10: an SVID that is not valid yet is kept, reported, and renewed with growing waits.
#[test]
fn an_svid_of_the_future_is_kept_and_renewed() {
    let mut host = Host::holding(SvidRotationConfig::default(), 9, DAY);
    host.now = host.now + secs(600);
    host.now.wall = host.now.wall - secs(30 * 86_400);
    host.tick();
    assert!(matches!(
        host.outputs()[..],
        [SvidOutput::Alarm {
            alarm: SvidAlarm::NotYetValid { .. },
            ..
        }]
    ));
    let wait = host
        .rotator
        .poll_timeout()
        .unwrap()
        .saturating_since(host.now.mono);
    assert!(wait <= secs(300), "{wait:?}");
    host.sleep();
    // The CA's clock is ahead: each answer is not valid yet.
    let mut waits = Vec::new();
    let mut request = host.request();
    for _ in 0..10 {
        let early = SvidFacts {
            not_before: host.now.wall + DAY,
            not_after: host.now.wall + 2 * DAY,
            issuer: None,
        };
        host.rotator
            .handle_signed(host.now, request, &early, &mut host.entropy)
            .unwrap();
        let outputs = host.outputs();
        assert!(
            outputs.iter().any(|o| matches!(o, SvidOutput::Accepted { .. })),
            "{outputs:?}"
        );
        let before = host.now.mono;
        host.sleep();
        waits.push(host.now.mono.saturating_since(before));
        request = host.request();
    }
    assert!(waits[0] >= secs(1) && waits[0] <= secs(2), "{waits:?}");
    assert!(waits[9] >= secs(150), "{waits:?}");
}

/// Scenario 75, C-WR-5: tokens rotate, so an unauthenticated caller tries again soon.
#[test]
fn unauthenticated_is_retried() {
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let request = host.request();
    host.fail(request, SvidFailure::status(StatusCode::Unauthenticated));
    let outputs = host.outputs();
    assert!(
        matches!(&outputs[..], [SvidOutput::Failed { retry_in, held: false, .. }] if *retry_in <= secs(2)),
        "{outputs:?}"
    );
    assert_eq!(host.state(), SvidState::Pending { attempt: 2 });
    host.sleep();
    let request = host.request();
    host.sign(request, DAY);
    assert!(matches!(
        host.outputs()[..],
        [SvidOutput::Accepted {
            lifetime_shortened: false,
            ..
        }]
    ));
}

/// Scenario 76, C-WR-5: what retries do not cure gets the longest wait, and an alarm.
#[test]
fn permanent_failures_wait_longest_and_alarm() {
    use StatusCode::*;
    for code in [InvalidArgument, PermissionDenied, Unimplemented, NotFound] {
        let mut host = Host::new(SvidRotationConfig::default(), 1);
        host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
        let request = host.request();
        host.fail(request, SvidFailure::status(code));
        let outputs = host.outputs();
        let [
            SvidOutput::Alarm { alarm, .. },
            SvidOutput::Failed { retry_in, .. },
        ] = &outputs[..]
        else {
            panic!("{outputs:?}")
        };
        assert_eq!(alarm, &SvidAlarm::Refused { code });
        assert!((secs(120)..=secs(150)).contains(retry_in), "{retry_in:?}");
    }
    for code in [
        Cancelled,
        DeadlineExceeded,
        ResourceExhausted,
        Aborted,
        Internal,
        Unavailable,
        Unauthenticated,
        Unknown,
    ] {
        assert!(SvidFailure::status(code).is_retryable(), "{code}");
    }
}

/// C-WR-5: how long a CA that is overloaded asks to wait is honoured; with other statuses it has no meaning.
#[test]
fn retry_after_is_honoured() {
    for (code, least, most) in [
        (StatusCode::ResourceExhausted, 400, 400),
        (StatusCode::Unavailable, 1, 2),
    ] {
        let mut host = Host::new(SvidRotationConfig::default(), 1);
        host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
        let request = host.request();
        host.fail(
            request,
            SvidFailure::Status {
                code,
                retry_after: Some(secs(400)),
            },
        );
        let outputs = host.outputs();
        assert!(
            matches!(&outputs[..], [SvidOutput::Failed { retry_in, .. }] if (secs(least)..=secs(most)).contains(retry_in)),
            "{outputs:?}"
        );
    }
}

/// C-WR-7: an SVID that ends within 30 s is refused, and one bad answer waits for the longest time.
#[test]
fn bad_answers_wait_longest() {
    let mut host = Host::holding(SvidRotationConfig::default(), 1, DAY);
    host.sleep();
    let request = host.request();
    host.sign(request, secs(30));
    let outputs = host.outputs();
    let [
        SvidOutput::Failed {
            failure: SvidFailure::BadResponse(_),
            retry_in,
            held: true,
            ..
        },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert!(*retry_in >= secs(120));
    host.sleep();
    let request = host.request();
    host.sign(request, secs(31));
    assert!(matches!(host.state(), SvidState::Valid { .. }));
}

/// Scenario 76a: a shorter life than before is accepted, and said.
#[test]
fn a_shortened_life_is_accepted() {
    let mut host = Host::holding(SvidRotationConfig::default(), 1, DAY);
    host.sleep();
    let request = host.request();
    host.sign(request, secs(3_600));
    assert!(matches!(
        host.outputs()[..],
        [SvidOutput::Accepted {
            lifetime_shortened: true,
            ..
        }]
    ));
}

/// Scenario 77: one identity that fails does not delay another.
#[test]
fn identities_fail_alone() {
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let request = host.request();
    for _ in 0..10 {
        host.fail(request, down());
        host.outputs();
    }
    host.fail(request, down());
    host.rotator.want(host.now, &id(2), SvidPriority::Warmup);
    let request = host.request();
    host.sign(request, DAY);
    assert!(matches!(
        host.rotator.state(&id(2)),
        Some(SvidState::Valid { .. })
    ));
    assert_eq!(
        host.state(),
        SvidState::Pending { attempt: 2 },
        "late answers count once"
    );
}

/// C-WR-8: bounded concurrency, priorities, lifting, forgetting.
#[test]
fn the_queue_is_bounded_and_ordered() {
    let mut host = Host::new(
        SvidRotationConfig {
            concurrency: 2,
            ..SvidRotationConfig::default()
        },
        1,
    );
    for number in 1..=6 {
        host.rotator.want(host.now, &id(number), SvidPriority::Background);
    }
    host.rotator.want(host.now, &id(7), SvidPriority::Warmup);
    host.rotator.want(host.now, &id(5), SvidPriority::RealTime);
    host.rotator.want(host.now, &id(5), SvidPriority::Background);
    host.rotator.forget(host.now, &id(4));
    let mut served = Vec::new();
    let mut under_way = Vec::new();
    loop {
        for output in host.outputs() {
            if let SvidOutput::Request { id, request, .. } = output {
                under_way.push(request);
                served.push(id);
            }
        }
        assert!(under_way.len() <= 2);
        let Some(request) = (!under_way.is_empty()).then(|| under_way.remove(0)) else {
            break;
        };
        host.sign(request, DAY);
    }
    assert_eq!(served, [1, 2, 5, 7, 3, 6].map(id));

    // An answer for a forgotten identity is ignored, and the identity starts afresh.
    host.rotator.want(host.now, &id(9), SvidPriority::Warmup);
    let request = host.request();
    host.rotator.forget(host.now, &id(9));
    host.sign(request, DAY);
    assert_eq!(host.rotator.state(&id(9)), None);
    assert_eq!(host.outputs(), []);
    // A number that was never given is a mistake of the caller.
    host.rotator.want(host.now, &id(9), SvidPriority::Warmup);
    let late = host.request();
    let mut other = SvidRotator::new(SvidRotationConfig::default());
    let answer = other.handle_failed(host.now, late, down(), &mut host.entropy);
    assert_eq!(answer, Err(SvidRotatorError::UnknownRequest));
}

/// A CA that does not answer counts as failed after a while, and its late answer is ignored.
#[test]
fn requests_time_out() {
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let request = host.request();
    let before = host.now.mono;
    host.sleep();
    assert_eq!(host.now.mono.saturating_since(before), secs(60));
    let outputs = host.outputs();
    assert!(
        matches!(
            &outputs[..],
            [SvidOutput::Failed {
                failure: SvidFailure::Status {
                    code: StatusCode::DeadlineExceeded,
                    ..
                },
                ..
            }]
        ),
        "{outputs:?}"
    );
    host.sign(request, DAY);
    assert_eq!(host.state(), SvidState::Pending { attempt: 2 });
}

/// C-WR-9: lives that are too short to renew in time make no hot loop.
#[test]
fn short_lives_make_no_hot_loop() {
    let mut host = Host::new(
        SvidRotationConfig {
            grace: Ppm::ONE,
            ..SvidRotationConfig::default()
        },
        1,
    );
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let began = host.now.mono;
    let mut requests = 0;
    while host.now.mono.saturating_since(began) < secs(60) {
        let request = host.request();
        requests += 1;
        host.sign(request, secs(40));
        host.outputs();
        host.sleep();
    }
    assert!((55..=61).contains(&requests), "{requests}");
}

/// C-WR-6: forced rotations of a fleet are spread evenly, those of another authority are left alone.
#[test]
fn forced_rotations_are_spread() {
    let config = SvidRotationConfig {
        concurrency: 10_000,
        ..SvidRotationConfig::default()
    };
    let mut host = Host::new(config, 7);
    for number in 0..2_000 {
        let mut facts = facts(host.now, DAY);
        facts.issuer = Some(KeyId::from([u8::try_from(number % 2).unwrap()]));
        host.rotator
            .adopt(host.now, &id(number), &facts, &mut host.entropy)
            .unwrap();
    }
    host.rotator
        .rotate_issued_by(host.now, &KeyId::from([1]), None, &mut host.entropy)
        .unwrap();
    let began = host.now.mono;
    let mut times = Vec::new();
    while times.len() < 1_000 {
        host.sleep();
        for output in host.outputs() {
            let SvidOutput::Request {
                id: asked, request, ..
            } = output
            else {
                continue;
            };
            host.sign(request, DAY);
            assert!(asked.as_str().ends_with(['1', '3', '5', '7', '9']));
            times.push(host.now.mono.saturating_since(began));
        }
    }
    // 5 minutes, since a quarter of what is left is more.
    assert!(*times.last().unwrap() <= secs(300));
    for minute in 0..5u64 {
        let within = times.iter().filter(|time| time.as_secs() / 60 == minute).count();
        assert!((140..=260).contains(&within), "{within} in minute {minute}");
    }
    assert!(host.rotator.poll_timeout().unwrap().saturating_since(began) > secs(11 * 3_600));
}

/// C-WR-6: a request that was under way when its authority was tainted is followed by another one.
#[test]
fn an_answer_of_a_tainted_authority_is_replaced() {
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let request = host.request();
    host.rotator
        .rotate_issued_by(host.now, &KeyId::from([1]), None, &mut host.entropy)
        .unwrap();
    host.sign(request, DAY);
    host.outputs();
    host.sleep();
    let request = host.request();
    host.sign(request, DAY);
    host.outputs();
    assert!(
        host.rotator
            .poll_timeout()
            .unwrap()
            .saturating_since(host.now.mono)
            > secs(3_600)
    );
}

/// C-GEN-3: a source that fails is reported, and nothing is lost.
#[test]
fn failing_entropy_changes_nothing() {
    struct Broken;
    impl Entropy for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    let request = host.request();
    let before = host.rotator.snapshot();
    let facts = facts(host.now, DAY);
    let error = Err(SvidRotatorError::Entropy(EntropyError));
    assert_eq!(
        host.rotator.handle_signed(host.now, request, &facts, &mut Broken),
        error
    );
    assert_eq!(
        host.rotator.handle_failed(host.now, request, down(), &mut Broken),
        error
    );
    assert_eq!(host.rotator.snapshot(), before);
    host.sign(request, DAY);
    assert!(matches!(host.state(), SvidState::Valid { .. }));
}

/// P6: 1,000 identities that start together are not renewed together.
#[test]
fn a_fleet_spreads_out() {
    let config = SvidRotationConfig {
        concurrency: 1_000,
        ..SvidRotationConfig::default()
    };
    let mut host = Host::new(config, 11);
    for number in 0..1_000 {
        host.rotator.want(host.now, &id(number), SvidPriority::Warmup);
    }
    for output in host.outputs() {
        let SvidOutput::Request { request, .. } = output else {
            panic!("{output:?}")
        };
        host.sign(request, DAY);
    }
    let renewals: Vec<UnixTime> = (0..1_000)
        .map(|number| match host.rotator.state(&id(number)) {
            Some(SvidState::Valid { renew_at, .. }) => renew_at,
            other => panic!("{other:?}"),
        })
        .collect();
    let (first, last) = (renewals.iter().min().unwrap(), renewals.iter().max().unwrap());
    // The draws cover 2 % of the life; the outermost of 1,000 lie close to its borders.
    assert!(last.saturating_since(*first) >= DAY.mul_f64(0.0195));
    let minutes: std::collections::BTreeSet<i64> = renewals.iter().map(|time| time.as_secs() / 60).collect();
    assert!(minutes.len() >= 28, "{} minutes", minutes.len());
}

/// What may happen in a simulation.
#[derive(Debug, Clone)]
enum Step {
    /// The CA answers all requests that are out, with lives of so many seconds.
    Sign(u64),
    Fail(StatusCode),
    /// The CA does not answer, and time passes until the machine wakes up, so many times.
    Sleep(u8),
    /// Time passes, without a call until the end of it.
    Pass(u64),
    SetWall(i64),
    Rotate(u32),
    Taint,
    Forget(u32),
    Want(u32),
    SaveAndRestore,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let status = prop_oneof![
        Just(StatusCode::Unavailable),
        Just(StatusCode::PermissionDenied),
        Just(StatusCode::Unauthenticated)
    ];
    let step = prop_oneof![
        6 => (40u64..100_000).prop_map(Step::Sign),
        4 => status.prop_map(Step::Fail),
        4 => (1u8..60).prop_map(Step::Sleep),
        3 => (0u64..50_000).prop_map(Step::Pass),
        1 => (-100_000i64..100_000).prop_map(Step::SetWall),
        1 => (0u32..6).prop_map(Step::Rotate),
        1 => Just(Step::Taint),
        1 => (0u32..6).prop_map(Step::Forget),
        4 => (0u32..6).prop_map(Step::Want),
        2 => Just(Step::SaveAndRestore),
    ];
    prop::collection::vec(step, 1..60)
}

/// A host that counts what the rules promise.
struct Simulation {
    host: Host,
    out: Vec<(RequestId, SpiffeId)>,
    asked: BTreeMap<SpiffeId, Vec<MonotonicTime>>,
    held: BTreeMap<SpiffeId, UnixTime>,
    /// A second machine that is saved and restored before every single call.
    restored: SvidRotator,
    restored_entropy: InsecureSeededEntropy,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let config = SvidRotationConfig {
            concurrency: 3,
            ..SvidRotationConfig::default()
        };
        Self {
            host: Host::new(config.clone(), seed),
            out: Vec::new(),
            asked: BTreeMap::new(),
            held: BTreeMap::new(),
            restored: SvidRotator::new(config),
            restored_entropy: InsecureSeededEntropy::new(seed),
        }
    }

    /// The same call on both machines, the second one saved and restored before it.
    fn call(&mut self, call: impl Fn(&mut SvidRotator, Now, &mut InsecureSeededEntropy)) {
        let now = self.host.now;
        call(&mut self.host.rotator, now, &mut self.host.entropy);
        call(&mut self.restored, now, &mut self.restored_entropy);
        self.note_outputs();
    }

    fn save_and_restore(&mut self) {
        let saved = serde_json::to_string(&self.restored.snapshot()).unwrap();
        let saved: SvidRotatorSnapshot = serde_json::from_str(&saved).unwrap();
        let config = self.restored.config().clone();
        // The clocks of the last call: restored at that moment, it is the same machine (P10).
        self.restored = SvidRotator::restore(config, saved, self.host.now).unwrap();
    }

    fn note_outputs(&mut self) {
        let outputs = self.host.outputs();
        let others: Vec<SvidOutput> = std::iter::from_fn(|| self.restored.poll_output()).collect();
        assert_eq!(outputs, others, "P10");
        assert_eq!(
            self.host.rotator.poll_timeout(),
            self.restored.poll_timeout(),
            "P10"
        );
        for output in outputs {
            match output {
                SvidOutput::Request { id, request, .. } => {
                    assert!(
                        self.out.iter().all(|(_, other)| *other != id),
                        "one request for each identity"
                    );
                    self.asked.entry(id.clone()).or_default().push(self.host.now.mono);
                    self.out.push((request, id));
                    assert!(self.out.len() <= 3, "bounded concurrency");
                }
                SvidOutput::Failed { request, .. } => self.out.retain(|(out, _)| *out != request),
                SvidOutput::Alarm {
                    alarm: SvidAlarm::Expired { not_after },
                    id,
                } => {
                    assert_eq!(self.held.get(&id), Some(&not_after));
                    assert!(self.host.now.wall > not_after, "not before its end");
                }
                SvidOutput::Accepted { .. } | SvidOutput::Alarm { .. } | SvidOutput::Withdraw { .. } => {}
            }
        }
    }

    fn tick(&mut self) {
        self.call(|rotator, now, entropy| rotator.handle_timeout(now, entropy).unwrap());
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Sign(life) => {
                let now = self.host.now;
                for (request, id) in std::mem::take(&mut self.out) {
                    let facts = facts(now, secs(*life));
                    self.held.insert(id, facts.not_after);
                    self.call(|rotator, now, entropy| {
                        rotator.handle_signed(now, request, &facts, entropy).unwrap();
                    });
                }
            }
            Step::Fail(code) => {
                for (request, _) in self.out.clone() {
                    let failure = SvidFailure::status(*code);
                    self.call(|rotator, now, entropy| {
                        rotator
                            .handle_failed(now, request, failure.clone(), entropy)
                            .unwrap();
                    });
                }
            }
            Step::Sleep(times) => {
                for _ in 0..*times {
                    let Some(wake) = self.host.rotator.poll_timeout() else {
                        break;
                    };
                    self.host.now = self.host.now + wake.saturating_since(self.host.now.mono);
                    self.tick();
                    let next = self.host.rotator.poll_timeout();
                    assert!(
                        next.is_none_or(|next| next > self.host.now.mono),
                        "nothing stays due"
                    );
                }
            }
            Step::Pass(time) => {
                self.host.now = self.host.now + secs(*time);
                self.tick();
            }
            Step::SetWall(by) => {
                let by_secs = secs(by.unsigned_abs());
                let wall = self.host.now.wall;
                self.host.now.wall = if *by < 0 { wall - by_secs } else { wall + by_secs };
                self.tick();
            }
            Step::Rotate(number) => self.call(|rotator, now, _| rotator.rotate(now, &id(*number))),
            Step::Taint => self.call(|rotator, now, entropy| {
                rotator
                    .rotate_issued_by(now, &KeyId::from([1]), None, entropy)
                    .unwrap();
            }),
            Step::Forget(number) => {
                self.out.retain(|(_, out)| *out != id(*number));
                self.held.remove(&id(*number));
                self.asked.remove(&id(*number));
                self.call(|rotator, now, _| rotator.forget(now, &id(*number)));
            }
            Step::Want(number) => {
                self.call(|rotator, now, _| rotator.want(now, &id(*number), SvidPriority::Warmup));
            }
            Step::SaveAndRestore => self.save_and_restore(),
        }
        self.check();
    }

    fn check(&self) {
        for (id, not_after) in &self.held {
            // P6: what was delivered and has not ended is served.
            let ended = matches!(self.host.rotator.state(id), Some(SvidState::Expired { .. }));
            assert!(
                !ended || self.host.now.wall > *not_after,
                "{id} is served until its end"
            );
        }
        for (id, times) in &self.asked {
            for (at, time) in times.iter().enumerate() {
                let within = times[at..]
                    .iter()
                    .take_while(|later| later.saturating_since(*time) < secs(60));
                assert!(within.count() <= 61, "P6: {id} is asked for too often");
            }
        }
        for number in 0..6 {
            let (one, other) = (
                self.host.rotator.state(&id(number)),
                self.restored.state(&id(number)),
            );
            assert_eq!(one, other, "P10");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P6 and P10 over random schedules.
    #[test]
    fn promises_hold_on_random_schedules(seed: u64, steps in steps()) {
        let mut simulation = Simulation::new(seed);
        for step in &steps {
            simulation.take(step);
        }
        // The CA comes back: everything that is tracked gets its SVID.
        let step = Step::Sign(50_000);
        for _ in 0..200 {
            simulation.take(&step);
            simulation.take(&Step::Sleep(1));
        }
        for number in 0..6 {
            let state = simulation.host.rotator.state(&id(number));
            prop_assert!(!matches!(state, Some(SvidState::Pending { .. } | SvidState::Expired { .. })), "{:?}", state);
        }
    }
}

/// C-GEN-6: after a restart the monotonic clock has another origin; what had passed is told by the wall clock.
#[test]
fn a_restart_keeps_the_plan() {
    let host = Host::holding(SvidRotationConfig::default(), 1, DAY);
    let planned = host
        .rotator
        .poll_timeout()
        .unwrap()
        .saturating_since(host.now.mono);
    let saved = host.rotator.snapshot();
    let now = Now::new(host.now.wall + secs(3_600), MonotonicTime::from_origin(secs(1)));
    let restored = SvidRotator::restore(SvidRotationConfig::default(), saved, now).unwrap();
    assert_eq!(restored.state(&id(1)), host.rotator.state(&id(1)));
    let left = restored.poll_timeout().unwrap().saturating_since(now.mono);
    assert!(
        left.abs_diff(planned - secs(3_600)) <= Duration::from_millis(2),
        "{left:?} of {planned:?}"
    );
}

/// Damaged snapshots are refused.
#[test]
fn snapshots_that_contradict_themselves_are_refused() {
    let mut host = Host::new(SvidRotationConfig::default(), 1);
    host.rotator.want(host.now, &id(1), SvidPriority::Warmup);
    host.rotator.want(host.now, &id(2), SvidPriority::Warmup);
    let saved = serde_json::to_value(host.rotator.snapshot()).unwrap();
    let restore = |saved: serde_json::Value| {
        let snapshot: SvidRotatorSnapshot = serde_json::from_value(saved).unwrap();
        SvidRotator::restore(SvidRotationConfig::default(), snapshot, host.now).map(|_| ())
    };
    assert_eq!(restore(saved.clone()), Ok(()));
    for (pointer, value) in [
        ("/slots/1/entry/id", serde_json::json!(id(1))),
        ("/slots/1/entry/work/InFlight/request", serde_json::json!(0)),
        ("/next_request", serde_json::json!(1)),
        ("/free", serde_json::json!([0])),
        ("/free", serde_json::json!([9])),
    ] {
        let mut damaged = saved.clone();
        *damaged
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer} in {saved}")) = value;
        assert!(restore(damaged).is_err(), "{pointer}");
    }
}
