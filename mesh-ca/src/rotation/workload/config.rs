//! When SVIDs are renewed, and how failures are spaced out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::entropy::{Entropy, EntropyError, below};
use crate::time::{Ppm, UnixTime};

/// How SVIDs of workloads are renewed.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::{Ppm, UnixTime, rotation::SvidRotationConfig};
///
/// // A certificate of a day is renewed when half of it is over, a hundredth earlier or later.
/// let config = SvidRotationConfig { jitter: Ppm::ZERO, ..SvidRotationConfig::default() };
/// let created = UnixTime::from_secs(1_800_000_000);
/// let not_after = created + Duration::from_secs(86_400);
/// assert_eq!(config.renew_at(created, created, not_after, 0), created + Duration::from_secs(43_200));
/// // Outages of the CA of nearly half a day go unnoticed.
/// assert_eq!(config.tolerated_outage(Duration::from_secs(86_400)), Duration::from_secs(43_200 - 120 - 150));
/// ```
///
/// Source: ca.md C-WR-1, C-WR-4, C-WR-6, C-WR-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SvidRotationConfig {
    /// The share of the life that is left when renewal begins. Default one half.
    pub grace: Ppm,
    /// The largest amount by which the share is made larger or smaller, drawn anew for each SVID, so that what was started
    /// together is not renewed together. Default 10,000 ppm.
    pub jitter: Ppm,
    /// Where the life is counted from. Default the acceptance.
    pub basis: RenewalBasis,
    /// The largest difference between this host's clock and a verifier's. Default 120 s.
    pub skew: Duration,
    /// Whether a renewal begins at least 2 × `skew` + 30 s before the end (or a quarter of the life, if that is less),
    /// whatever the share says. Default true. Without it a share of 0 renews at the very end, which is a gap.
    pub margin: bool,
    /// The wait after the first failure, and the shortest one of all. Default 1 s.
    pub backoff_min: Duration,
    /// The longest wait. Default 150 s.
    pub backoff_max: Duration,
    /// How long an answer is waited for before the request counts as failed with `DEADLINE_EXCEEDED`. Default 60 s.
    pub request_timeout: Duration,
    /// Requests under way at the same time, over all identities. Default 8; at least 1 is used.
    pub concurrency: usize,
    /// Over how long a time forced rotations are spread. Default: 5 minutes, or a quarter of what is left of each SVID if
    /// that is less.
    pub spread: Option<Duration>,
    /// Whether an SVID that has ended is withdrawn. Default false: Envoy keeps the last secret, and a verifier refuses it.
    pub withdraw_expired: bool,
}

/// Where the life of an SVID is counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RenewalBasis {
    /// The moment at which it was accepted, as Istio's agent does.
    #[default]
    Created,
    /// Its `notBefore`, as ztunnel does.
    NotBefore,
}

impl Default for SvidRotationConfig {
    fn default() -> Self {
        Self {
            grace: Ppm::HALF,
            jitter: Ppm(10_000),
            basis: RenewalBasis::Created,
            skew: Duration::from_secs(120),
            margin: true,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(150),
            request_timeout: Duration::from_secs(60),
            concurrency: 8,
            spread: None,
            withdraw_expired: false,
        }
    }
}

impl SvidRotationConfig {
    /// When Istio's agent would renew: as the default, without the margin.
    ///
    /// Source: Istio security/pkg/nodeagent/cache `rotateTime`.
    pub fn istio() -> Self {
        Self {
            margin: false,
            ..Self::default()
        }
    }

    /// When ztunnel would renew: at half of the time from `notBefore` to `notAfter`.
    ///
    /// Source: ztunnel identity/manager.rs.
    pub fn ztunnel() -> Self {
        Self {
            basis: RenewalBasis::NotBefore,
            margin: false,
            ..Self::default()
        }
    }

    /// When the renewal of an SVID begins that is accepted at `created`: when the [`grace`](Self::grace) share of its life,
    /// changed by `jitter` parts per million, is left, and before the margin. Not before `created`.
    ///
    /// Spec: C-WR-1.
    pub fn renew_at(
        &self,
        created: UnixTime,
        not_before: UnixTime,
        not_after: UnixTime,
        jitter: i32,
    ) -> UnixTime {
        let from = match self.basis {
            RenewalBasis::Created => created,
            RenewalBasis::NotBefore => not_before,
        };
        let life = not_after.saturating_since(from);
        let share = i64::from(self.grace.0).saturating_add(i64::from(jitter));
        let share = Ppm(u32::try_from(share.clamp(0, 1_000_000)).unwrap_or(0));
        let by_share = not_after - share.of(life);
        by_share.min(not_after - self.margin_of(life)).max(created)
    }

    /// How long the CA may be away, counted from when a renewal is due, without a gap for SVIDs of this lifetime: what is
    /// left then, less [`skew`](Self::skew) and [`backoff_max`](Self::backoff_max).
    ///
    /// Spec: C-WR-4.
    pub fn tolerated_outage(&self, lifetime: Duration) -> Duration {
        let least = Ppm(self.grace.0.saturating_sub(self.jitter.0)).clamped();
        let left = least.of(lifetime).max(self.margin_of(lifetime));
        left.saturating_sub(self.skew).saturating_sub(self.backoff_max)
    }

    fn margin_of(&self, life: Duration) -> Duration {
        if !self.margin {
            return Duration::ZERO;
        }
        let wanted = self
            .skew
            .saturating_mul(2)
            .saturating_add(Duration::from_secs(30));
        wanted.min(life / 4)
    }

    /// An even draw from −[`jitter`](Self::jitter) to +[`jitter`](Self::jitter).
    pub(super) fn draw_jitter(&self, entropy: &mut dyn Entropy) -> Result<i32, EntropyError> {
        let most = self.jitter.clamped().0;
        let draw = below(entropy, u64::from(most) * 2 + 1)?;
        // INVARIANT: at most 2,000,000.
        let draw = i32::try_from(draw).unwrap_or(0);
        Ok(draw.saturating_sub(i32::try_from(most).unwrap_or(0)))
    }

    /// How long to wait after the `failures`-th failure in a row (C-WR-4, C-WR-5).
    pub(super) fn wait(
        &self,
        failure: Backoff,
        held: Option<HeldLife>,
        entropy: &mut dyn Entropy,
    ) -> Result<Duration, EntropyError> {
        let least = self.backoff_min;
        let mut most = self.backoff_max.max(least);
        if let Some(held) = held.filter(|held| held.left < held.life / 10) {
            most = most.min(held.left / 4).max(least);
        }
        let base = match failure {
            Backoff::Counted(failures) => {
                let doublings = u32::from(failures.saturating_sub(1)).min(31);
                least.saturating_mul(1 << doublings).min(most)
            }
            Backoff::Longest | Backoff::Asked(_) => most,
        };
        let factor = 800_000 + u32::try_from(below(entropy, 400_001)?).unwrap_or(0);
        let mut wait = Ppm(factor).of(base).clamp(least, most);
        if let Backoff::Asked(asked) = failure {
            wait = asked.clamp(least, LONGEST_ASKED_WAIT);
        }
        if let Some(held) = held {
            // A try is due before verifiers whose clocks are ahead see the end.
            let latest = held.left.saturating_sub(self.skew);
            wait = wait.min(latest.max(least));
        }
        Ok(wait)
    }
}

/// How a failure spaces out the next attempt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Backoff {
    /// By what the CA asked for.
    Asked(Duration),
    /// By doubling, with the number of failures in a row.
    Counted(u16),
    /// By the longest wait at once.
    Longest,
}

/// The life of a held SVID, and what is left of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldLife {
    pub(super) life: Duration,
    pub(super) left: Duration,
}

/// A CA that asks for more than this is asked again after this time nevertheless.
const LONGEST_ASKED_WAIT: Duration = Duration::from_secs(3_600);
