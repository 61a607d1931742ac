//! How an authority is rotated, and whether that can be done without a gap.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Ppm, UnixTime};

/// How the authority of a trust domain is rotated.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::rotation::{AuthorityRotationConfig, RotationFindingCode};
///
/// // Authorities of a day, leaves of three hours: no gap, even when persisting or publishing fails for six hours.
/// let hours = |hours: u64| Duration::from_secs(hours * 3_600);
/// let config = AuthorityRotationConfig {
///     lifetime: hours(24),
///     leaf_max: hours(3),
///     outage: hours(6),
///     ..AuthorityRotationConfig::default()
/// };
/// assert_eq!(config.check(), []);
/// // Leaves of four hours would be cut short by the end of the old authority.
/// let config = AuthorityRotationConfig { leaf_max: hours(4), ..config };
/// assert_eq!(config.check()[0].code, RotationFindingCode::LeafTtlWouldBeCut);
/// ```
///
/// Source: ca.md C-ROT-1..3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorityRotationConfig {
    /// A new key each time, or the same key in a new certificate. Default a new key.
    pub strategy: RotationStrategy,
    /// The lifetime of a new authority. Default 3,650 days.
    pub lifetime: Duration,
    /// How long it takes until every verifier holds a bundle that was published. Default 1 h; with a refresh hint, three
    /// times the hint survives two missed polls.
    pub dist: Duration,
    /// The largest difference between the clock of an issuer and that of a verifier, either way. Default 120 s.
    pub skew: Duration,
    /// The longest life of a leaf that the authority issues. Default 24 h.
    pub leaf_max: Duration,
    /// The longest time between two calls of `handle_timeout` while work is due. Default 10 min.
    pub gap: Duration,
    /// How old the state may be that a replica issues by (C-ROT-12). Default zero: there is one replica. With replicas, 10
    /// minutes are usual.
    pub sync: Duration,
    /// How long persisting or publishing may fail without consequence. Default zero.
    pub outage: Duration,
    /// How far a certificate's `notBefore` lies before its issue. Default 120 s.
    pub backdate: Duration,
    /// The shortest life of a leaf. Default 60 s.
    pub min_ttl: Duration,
    /// Whether a new authority is cross-signed by the old one, so that verifiers that still lack it accept what it issues.
    /// Default true.
    pub cross_sign: bool,
    /// Whether the old authority is cross-signed by the new one. Default false: whoever holds the old key can use that
    /// certificate to be trusted after the old authority was removed.
    pub old_by_new: bool,
    /// When an old authority leaves the bundle. Default as soon as nothing needs it.
    pub retirement: Retirement,
    /// Whether consumers outside the mesh use the bundle: confirmations of members do not count then, only time. Default
    /// false.
    pub federated: bool,
    /// The most authorities at a time. Default 8.
    pub max_authorities: usize,
    /// Over how long a time the SVIDs of a tainted authority are renewed. Default 5 minutes.
    pub spread: Duration,
}

/// What changes when an authority is rotated (C-ROT-1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RotationStrategy {
    /// A new key: prepared and published early, activated when every verifier has it.
    #[default]
    Rekey,
    /// The same key, subject and key id with a new validity, as Istio's self-signed root does. Old and new certificate
    /// verify the same leaves, so the switch is immediate. Never cures a key compromise.
    Renew {
        /// The share of the lifetime that is left when the renewal begins. Istio's default is 20 %.
        grace: Ppm,
        /// How often that is looked at. Istio's default is 1 h.
        check_interval: Duration,
    },
}

impl RotationStrategy {
    /// [`RotationStrategy::Renew`] with Istio's defaults: at 20 % of the lifetime, looked at once an hour.
    pub const fn istio() -> Self {
        Self::Renew {
            grace: Ppm(200_000),
            check_interval: Duration::from_secs(3_600),
        }
    }
}

/// When an old authority leaves the bundle (C-ROT-5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retirement {
    /// 24 h after its end, as SPIRE does.
    AfterExpiry,
    /// When everything that it issued has ended.
    #[default]
    WhenUnused,
}

impl Default for AuthorityRotationConfig {
    fn default() -> Self {
        Self {
            strategy: RotationStrategy::Rekey,
            lifetime: Duration::from_secs(3_650 * 86_400),
            dist: Duration::from_secs(3_600),
            skew: Duration::from_secs(120),
            leaf_max: Duration::from_secs(86_400),
            gap: Duration::from_secs(600),
            sync: Duration::ZERO,
            outage: Duration::ZERO,
            backdate: Duration::from_secs(120),
            min_ttl: Duration::from_secs(60),
            cross_sign: true,
            old_by_new: false,
            retirement: Retirement::WhenUnused,
            federated: false,
            max_authorities: 8,
            spread: Duration::from_secs(300),
        }
    }
}

impl AuthorityRotationConfig {
    /// The time until verifiers hold a published bundle that they poll with this hint: three polls, and at least an hour
    /// (C-ROT-2).
    pub fn dist_of_hint(refresh_hint: Duration) -> Duration {
        let hint = refresh_hint.max(Duration::from_secs(60));
        hint.saturating_mul(3).max(Duration::from_secs(3_600))
    }

    /// When an authority that was issued at `issued_at` is replaced (C-ROT-3).
    pub fn times(&self, issued_at: UnixTime, not_after: UnixTime) -> AuthorityTimes {
        let life = not_after.saturating_since(issued_at);
        match self.strategy {
            RotationStrategy::Rekey => AuthorityTimes {
                prepare_at: not_after - (life / 2).min(LONGEST_PREPARATION),
                activate_at: not_after - after_activation(life),
                force_at: not_after - self.forced_before(),
            },
            RotationStrategy::Renew { grace, .. } => {
                let renew_at = not_after - grace.clamped().of(life);
                AuthorityTimes {
                    prepare_at: renew_at,
                    activate_at: renew_at,
                    force_at: renew_at,
                }
            }
        }
    }

    /// Whether the times fit together: no findings mean that no verifier ever meets a gap (C-ROT-7).
    pub fn check(&self) -> Vec<RotationFinding> {
        let life = self.lifetime;
        let mut findings = Vec::new();
        let mut need = |code, needed: Duration, have: Duration| {
            if have < needed {
                findings.push(RotationFinding { code, needed, have });
            }
        };
        use RotationFindingCode as Code;
        match self.strategy {
            RotationStrategy::Rekey => {
                let after = after_activation(life);
                let window = (life / 2).min(LONGEST_PREPARATION).saturating_sub(after);
                let needed = sum([self.outage, self.gap, self.gap, self.dist, self.skew]);
                need(Code::RotationWindowTooSmall, needed, window);
                let needed = sum([self.min_ttl, self.skew, self.gap, self.gap]);
                need(
                    Code::LeafTtlWouldBeCut,
                    sum([self.leaf_max, self.gap]).max(needed),
                    after,
                );
            }
            RotationStrategy::Renew {
                grace,
                check_interval,
            } => {
                let needed = sum([check_interval, self.gap, self.outage, self.dist, self.skew]);
                need(Code::GraceTooSmall, needed, grace.clamped().of(life));
            }
        }
        need(Code::BackdateTooSmall, self.skew, self.backdate);
        findings
    }

    /// How long before its end an authority is replaced in any case.
    fn forced_before(&self) -> Duration {
        sum([self.min_ttl, self.skew, self.gap]).max(self.leaf_max / 2)
    }

    /// A failed step is tried again after this time.
    pub(super) fn retry_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let wait = FIRST_RETRY.saturating_mul(1 << doublings);
        wait.min(LONGEST_RETRY).min(self.gap.max(FIRST_RETRY))
    }

    /// When a tainted authority is revoked by default: when its SVIDs are renewed, and every verifier knows the new one.
    pub fn default_revoke_after(&self) -> Duration {
        sum([self.spread, self.dist, self.skew])
    }
}

/// When an authority is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityTimes {
    /// The next authority is made and published.
    pub prepare_at: UnixTime,
    /// The next authority takes over, if every verifier has it.
    pub activate_at: UnixTime,
    /// The next authority takes over in any case.
    pub force_at: UnixTime,
}

/// A pair of times that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationFinding {
    /// Which rule they break.
    pub code: RotationFindingCode,
    /// The time that is needed.
    pub needed: Duration,
    /// The time that there is.
    pub have: Duration,
}

impl fmt::Display for RotationFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, have) = (self.needed.as_secs(), self.have.as_secs());
        write!(
            f,
            "{}: {} needs {needed} s, has {have} s",
            self.code.as_str(),
            self.code.what()
        )
    }
}

/// Which rule a configuration breaks. Spec: C-ROT-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RotationFindingCode {
    /// I3: verifiers whose clocks are behind see new certificates as not valid yet.
    BackdateTooSmall,
    /// I4: a renewed root may reach verifiers too late.
    GraceTooSmall,
    /// I2: leaves that are issued late in the life of an authority end before their time.
    LeafTtlWouldBeCut,
    /// I1: a new authority may have to be activated before verifiers have it.
    RotationWindowTooSmall,
}

impl RotationFindingCode {
    /// The name of the rule, which never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BackdateTooSmall => "BackdateTooSmall",
            Self::GraceTooSmall => "GraceTooSmall",
            Self::LeafTtlWouldBeCut => "LeafTtlWouldBeCut",
            Self::RotationWindowTooSmall => "RotationWindowTooSmall",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::BackdateTooSmall => "back-dating",
            Self::GraceTooSmall => "the time left when a renewal begins",
            Self::LeafTtlWouldBeCut => {
                "the time between activation of the next authority and the end of this one"
            }
            Self::RotationWindowTooSmall => "the time in which the next authority is distributed",
        }
    }
}

fn after_activation(life: Duration) -> Duration {
    (life / 6).min(LONGEST_AFTER_ACTIVATION)
}

pub(super) fn sum<const N: usize>(durations: [Duration; N]) -> Duration {
    durations
        .into_iter()
        .fold(Duration::ZERO, Duration::saturating_add)
}

const LONGEST_PREPARATION: Duration = Duration::from_secs(30 * 86_400);
const LONGEST_AFTER_ACTIVATION: Duration = Duration::from_secs(7 * 86_400);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    /// C-ROT-2: the defaults, and how long a bundle takes to reach everybody that polls it.
    #[test]
    fn times_have_defaults() {
        let AuthorityRotationConfig {
            dist,
            skew,
            gap,
            sync,
            outage,
            ..
        } = AuthorityRotationConfig::default();
        let secs = Duration::from_secs;
        assert_eq!(
            [dist, skew, gap, sync, outage],
            [secs(3_600), secs(120), secs(600), secs(0), secs(0)]
        );
        for (hint, dist) in [
            (0, 3_600),
            (59, 3_600),
            (60, 3_600),
            (1_199, 3_600),
            (1_200, 3_600),
            (1_201, 3_603),
            (86_400, 259_200),
        ] {
            assert_eq!(
                AuthorityRotationConfig::dist_of_hint(secs(hint)),
                secs(dist),
                "{hint}"
            );
        }
        let longest = AuthorityRotationConfig::dist_of_hint(Duration::MAX);
        assert_eq!(longest, Duration::MAX, "nothing wraps");
        // The defaults fit together.
        assert_eq!(AuthorityRotationConfig::default().check(), []);
    }
}
