//! Moving a mesh from one trust domain to another.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{SpiffeId, TrustDomain, TrustDomainSet, UnixTime};

/// The three steps from an old trust domain to a new one, none of them before its time.
///
/// 1. [`Announced`](MigrationPhase::Announced): ids are issued under the old name, verifiers take both.
/// 2. [`Switched`](MigrationPhase::Switched): ids are issued under the new name, verifiers take both.
/// 3. [`Finished`](MigrationPhase::Finished): the old name is gone. Not before the last id issued under it has expired.
///
/// Tell it of every certificate that is issued ([`record`](Self::record)), in all replicas: it keeps one time for each id
/// of the old domain, and forgets ids when they expire.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::{TrustDomain, TrustDomainMigration, UnixTime};
///
/// let now = UnixTime::from_secs(1_800_000_000);
/// let (old, new): (TrustDomain, TrustDomain) = ("old".parse()?, "new".parse()?);
/// let mut migration = TrustDomainMigration::new(old, new.clone());
/// migration.record(&"spiffe://old/ns/shop/sa/reviews".parse()?, now + Duration::from_secs(3600));
/// migration.switch();
/// assert_eq!(migration.trust_domains().primary(), &new);
///
/// let error = migration.finish(now).unwrap_err();
/// assert_eq!(error.to_string(), "1 id under `old` is valid until 2027-01-15T09:00:00Z");
/// migration.finish(now + Duration::from_secs(3601))?;
/// assert!(migration.trust_domains().aliases().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-IST-5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustDomainMigration {
    old: TrustDomain,
    new: TrustDomain,
    phase: MigrationPhase,
    /// The latest notAfter of each id of the old domain.
    issued: BTreeMap<SpiffeId, UnixTime>,
}

/// How far a [`TrustDomainMigration`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MigrationPhase {
    /// The old name is primary, the new one an alias.
    Announced,
    /// The new name is primary, the old one an alias.
    Switched,
    /// There is only the new name.
    Finished,
}

impl TrustDomainMigration {
    /// The first step.
    pub fn new(old: TrustDomain, new: TrustDomain) -> Self {
        Self {
            old,
            new,
            phase: MigrationPhase::Announced,
            issued: BTreeMap::new(),
        }
    }

    /// How far it is.
    pub fn phase(&self) -> MigrationPhase {
        self.phase
    }

    /// The trust domains of the mesh in this phase.
    pub fn trust_domains(&self) -> TrustDomainSet {
        let (primary, alias) = match self.phase {
            MigrationPhase::Announced => (&self.old, Some(&self.new)),
            MigrationPhase::Switched => (&self.new, Some(&self.old)),
            MigrationPhase::Finished => (&self.new, None),
        };
        TrustDomainSet::new(primary.clone()).with_aliases(alias.cloned())
    }

    /// Notes a certificate that was issued. Ids of other domains than the old one do not matter.
    pub fn record(&mut self, id: &SpiffeId, not_after: UnixTime) {
        if id.is_member_of(&self.old) {
            let latest = self.issued.entry(id.clone()).or_insert(not_after);
            *latest = not_after.max(*latest);
        }
    }

    /// The second step: ids are issued under the new name from now on. All verifiers must know both names by then.
    /// Nothing happens in later phases.
    pub fn switch(&mut self) {
        if self.phase == MigrationPhase::Announced {
            self.phase = MigrationPhase::Switched;
        }
    }

    /// The earliest time at which the old name may go: the second after the last id under it has expired. `None` while ids
    /// are still issued under it.
    pub fn earliest_finish(&self) -> Option<UnixTime> {
        let latest = self.issued.values().max().copied();
        match self.phase {
            MigrationPhase::Announced => None,
            MigrationPhase::Switched | MigrationPhase::Finished => {
                Some(latest.map_or(UnixTime::MIN_X509, |latest| latest + Duration::from_secs(1)))
            }
        }
    }

    /// Forgets ids that have expired.
    pub fn prune(&mut self, now: UnixTime) {
        self.issued.retain(|_, not_after| *not_after >= now);
    }

    /// The third step: the old name goes.
    ///
    /// # Errors
    /// While ids are still issued under the old name, or valid under it.
    pub fn finish(&mut self, now: UnixTime) -> Result<(), MigrationError> {
        if self.phase == MigrationPhase::Announced {
            return Err(MigrationError::NotSwitched);
        }
        self.prune(now);
        if let Some(valid_until) = self.issued.values().max() {
            return Err(MigrationError::TooEarly {
                trust_domain: self.old.clone(),
                valid_until: *valid_until,
                ids: self.issued.len(),
            });
        }
        self.phase = MigrationPhase::Finished;
        Ok(())
    }

    /// The third step at any time. Returns the ids that are cut off by it.
    pub fn force_finish(&mut self, now: UnixTime) -> Vec<SpiffeId> {
        self.prune(now);
        self.phase = MigrationPhase::Finished;
        std::mem::take(&mut self.issued).into_keys().collect()
    }
}

/// Why the old trust domain may not go yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationError {
    /// Ids are still issued under the old name: [`TrustDomainMigration::switch`] comes first.
    NotSwitched,
    /// Ids under the old name are still valid.
    TooEarly {
        /// The old name.
        trust_domain: TrustDomain,
        /// When the last of them expires.
        valid_until: UnixTime,
        /// How many they are.
        ids: usize,
    },
}

impl MigrationError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSwitched => "migration.not_switched",
            Self::TooEarly { .. } => "migration.too_early",
        }
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSwitched => f.write_str("ids are still issued under the old trust domain"),
            Self::TooEarly {
                trust_domain,
                valid_until,
                ids: 1,
            } => write!(f, "1 id under `{trust_domain}` is valid until {valid_until}"),
            Self::TooEarly {
                trust_domain,
                valid_until,
                ids,
            } => write!(
                f,
                "{ids} ids under `{trust_domain}` are valid until {valid_until}"
            ),
        }
    }
}

impl std::error::Error for MigrationError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-IST-5: no step before its time, and `force` says whom it breaks.
    #[test]
    fn the_old_name_goes_last() {
        let now = UnixTime::from_secs(1_000);
        let id = |text: &str| -> SpiffeId { text.parse().unwrap() };
        let mut migration = TrustDomainMigration::new("old".parse().unwrap(), "new".parse().unwrap());
        assert_eq!(migration.finish(now), Err(MigrationError::NotSwitched));
        assert_eq!(migration.earliest_finish(), None);
        migration.record(&id("spiffe://old/a"), now + Duration::from_secs(10));
        migration.record(&id("spiffe://old/a"), now + Duration::from_secs(5));
        migration.record(&id("spiffe://old/b"), now + Duration::from_secs(3));
        migration.record(&id("spiffe://new/c"), now + Duration::from_secs(99));
        migration.switch();
        assert_eq!(migration.earliest_finish(), Some(UnixTime::from_secs(1_011)));
        // notAfter is inclusive.
        assert!(migration.finish(UnixTime::from_secs(1_010)).is_err());
        let text = serde_json::to_string(&migration).unwrap();
        let mut forced: TrustDomainMigration = serde_json::from_str(&text).unwrap();
        assert_eq!(
            forced.force_finish(UnixTime::from_secs(1_004)),
            [id("spiffe://old/a")]
        );
        assert_eq!(forced.phase(), MigrationPhase::Finished);
        assert_eq!(migration.finish(UnixTime::from_secs(1_011)), Ok(()));
        assert_eq!(migration.trust_domains().iter().count(), 1);
    }
}
