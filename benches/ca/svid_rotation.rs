//! C-PERF-4: rotation of SVIDs: memory for each tracked one, and the time of a tick with many tracked and few due.

use std::hint::black_box;
use std::time::Duration;

use benches::{Numbers, live_bytes_of, medians, ratio, time_of};
use mesh_ca::rotation::{SvidFacts, SvidOutput, SvidRotationConfig, SvidRotator};
use mesh_ca::{InsecureSeededEntropy, KeyId, MonotonicTime, Now, SpiffeId, UnixTime};

const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn run(full: bool) {
    let (many, few) = if full { (1_000_000, 10_000) } else { (2_000, 100) };
    println!("svid_rotation: {many} and {few} tracked SVIDs");
    let (bytes, (build, mut large)) = live_bytes_of(|| time_of(|| Fleet::new(many)));
    let each = bytes as f64 / many as f64;
    println!(
        "  {each:.1} bytes and {:.2} µs to take in each",
        build.as_secs_f64() * 1e6 / many as f64
    );
    // Small tables have their fixed costs; the promise is about many.
    if full {
        ratio(
            "ca/svid_rotation/bytes_each",
            each,
            "<=200",
            "bytes, ids of 52 bytes included, 1,000,000 tracked",
        );
    }

    let mut small = Fleet::new(few);
    let ticks = if full { 1_000_000 } else { 100 };
    let [idle_large, idle_small] = medians(
        if full { 5 } else { 1 },
        ticks,
        [&mut || large.idle(ticks), &mut || small.idle(ticks)],
    );
    println!("  a tick with nothing due: {idle_large:.1} ns, {idle_small:.1} ns");
    ratio(
        "ca/svid_rotation/idle_tick",
        idle_large / idle_small,
        "<=2.0",
        format!("the same with {few} tracked"),
    );

    let renewals = few / 2;
    let large_due = large.renew(renewals);
    let small_due = small.renew(renewals);
    println!("  one renewal, from due to accepted: {large_due:.0} ns, {small_due:.0} ns");
    ratio(
        "ca/svid_rotation/renewal",
        large_due / small_due,
        "<=8.0",
        format!("the same with {few} tracked; grows with the logarithm, and with caches missed"),
    );
}

/// Machines that hold SVIDs of a day, taken in over half a day.
struct Fleet {
    rotator: SvidRotator,
    entropy: InsecureSeededEntropy,
    now: Now,
}

impl Fleet {
    fn new(count: usize) -> Self {
        let start = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
        let mut fleet = Self {
            rotator: SvidRotator::new(SvidRotationConfig {
                concurrency: usize::MAX,
                ..SvidRotationConfig::default()
            }),
            entropy: InsecureSeededEntropy::new(1),
            now: start,
        };
        let step = DAY.mul_f64(0.4) / u32::try_from(count).expect("a count of 32 bits");
        for number in Numbers::new(1).order(count) {
            let id: SpiffeId = format!(
                "spiffe://cluster.local/ns/namespace-{:04}/sa/svc-{number:06}",
                number % 1_000
            )
            .parse()
            .expect("an id");
            fleet.now = fleet.now + step;
            let facts = fleet.facts();
            fleet
                .rotator
                .adopt(fleet.now, &id, &facts, &mut fleet.entropy)
                .expect("entropy");
        }
        fleet
    }

    fn facts(&self) -> SvidFacts {
        SvidFacts {
            not_before: self.now.wall.floor_to_secs(),
            not_after: self.now.wall.floor_to_secs() + DAY,
            issuer: Some(KeyId::from([7; 20])),
        }
    }

    fn idle(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.rotator
                .handle_timeout(black_box(self.now), &mut self.entropy)
                .expect("entropy");
        }
        assert_eq!(self.rotator.poll_output(), None);
    }

    /// Nanoseconds for each of so many renewals, as they come due one after the other.
    fn renew(&mut self, count: usize) -> f64 {
        let (time, ()) = time_of(|| {
            let mut renewed = 0;
            while renewed < count {
                let wake = self.rotator.poll_timeout().expect("renewals are planned");
                self.now = self.now + wake.saturating_since(self.now.mono);
                self.rotator
                    .handle_timeout(self.now, &mut self.entropy)
                    .expect("entropy");
                while let Some(output) = self.rotator.poll_output() {
                    if let SvidOutput::Request { request, .. } = output {
                        let facts = self.facts();
                        self.rotator
                            .handle_signed(self.now, request, &facts, &mut self.entropy)
                            .expect("entropy");
                        renewed += 1;
                    }
                }
            }
        });
        time.as_secs_f64() * 1e9 / count as f64
    }
}
