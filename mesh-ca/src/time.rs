//! Time comes in as an argument: wall time for whatever is saved or signed, monotonic time for timers.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in wall time: seconds since the Unix epoch, negative before it, and nanoseconds.
///
/// All arithmetic saturates. X.509 can express 0001-01-01 to 9999-12-31; see [`UnixTime::MIN_X509`] and
/// [`UnixTime::MAX_X509`].
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::UnixTime;
///
/// let start = UnixTime::from_secs(1_800_000_000);
/// let later = start + Duration::from_millis(1_500);
/// assert_eq!(later.as_secs(), 1_800_000_001);
/// assert_eq!(later.subsec_nanos(), 500_000_000);
/// assert_eq!(later.saturating_since(start), Duration::from_millis(1_500));
/// assert_eq!(start.saturating_since(later), Duration::ZERO);
/// assert_eq!((start - Duration::from_millis(1)).subsec_nanos(), 999_000_000);
/// ```
///
/// Source: ca.md C-GEN-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnixTime {
    secs: i64,
    // INVARIANT: below one thousand million.
    #[serde(default, deserialize_with = "nanos", skip_serializing_if = "is_zero")]
    nanos: u32,
}

impl UnixTime {
    /// The Unix epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self::from_secs(0);
    /// 0001-01-01T00:00:00Z, the first second of X.509's range.
    pub const MIN_X509: Self = Self::from_secs(-62_135_596_800);
    /// 9999-12-31T23:59:59Z, the last second of X.509's range.
    pub const MAX_X509: Self = Self::from_secs(253_402_300_799);

    /// Whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self { secs, nanos: 0 }
    }

    /// Seconds since the Unix epoch, and nanoseconds after them; one thousand million or more are carried over.
    pub const fn new(secs: i64, nanos: u32) -> Self {
        Self {
            secs: secs.saturating_add((nanos / NANOS) as i64),
            nanos: nanos % NANOS,
        }
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.secs
    }

    /// The nanoseconds after [`as_secs`](Self::as_secs), below one thousand million.
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// The whole second at or before this time, as X.509 needs it.
    pub const fn floor_to_secs(self) -> Self {
        Self::from_secs(self.secs)
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let secs = self.secs.abs_diff(earlier.secs);
        match self.nanos.checked_sub(earlier.nanos) {
            Some(nanos) => Duration::new(secs, nanos),
            None => Duration::new(secs.saturating_sub(1), self.nanos + NANOS - earlier.nanos),
        }
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = self.nanos + duration.subsec_nanos();
        let carried = i64::from(nanos / NANOS);
        let secs = self.secs.checked_add_unsigned(duration.as_secs());
        match secs.and_then(|secs| secs.checked_add(carried)) {
            Some(secs) => Self {
                secs,
                nanos: nanos % NANOS,
            },
            None => Self::from_secs(i64::MAX),
        }
    }
}

impl AddAssign<Duration> for UnixTime {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let (borrowed, nanos) = match self.nanos.checked_sub(duration.subsec_nanos()) {
            Some(nanos) => (0, nanos),
            None => (1, self.nanos + NANOS - duration.subsec_nanos()),
        };
        let secs = self.secs.checked_sub_unsigned(duration.as_secs());
        match secs.and_then(|secs| secs.checked_sub(borrowed)) {
            Some(secs) => Self { secs, nanos },
            None => Self::from_secs(i64::MIN),
        }
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 in UTC, for example `2027-01-15T08:00:00Z`; fractions of a second with nine digits where there are any.
    ///
    /// ```
    /// use mesh_ca::UnixTime;
    ///
    /// assert_eq!(UnixTime::from_secs(1_800_000_000).to_string(), "2027-01-15T08:00:00Z");
    /// assert_eq!(UnixTime::MIN_X509.to_string(), "0001-01-01T00:00:00Z");
    /// assert_eq!(UnixTime::MAX_X509.to_string(), "9999-12-31T23:59:59Z");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.secs.div_euclid(86_400));
        let second = self.secs.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if self.nanos != 0 {
            write!(f, ".{:09}", self.nanos)?;
        }
        f.write_str("Z")
    }
}

/// A reading of a clock that never goes back: the time since an origin that the caller picks, and keeps.
///
/// Timers are measured with it: back-off, request timeouts, spreads (C-GEN-4).
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::MonotonicTime;
///
/// let start = MonotonicTime::from_origin(Duration::from_secs(5));
/// let later = start + Duration::from_secs(2);
/// assert_eq!(later.saturating_since(start), Duration::from_secs(2));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MonotonicTime(Duration);

impl MonotonicTime {
    /// The origin itself.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The time that has passed since the origin.
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The time that has passed since the origin.
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for MonotonicTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// Both clocks, read at one moment: what the state machines of this crate take (C-GEN-4).
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::{MonotonicTime, Now, UnixTime};
///
/// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
/// assert_eq!((now + Duration::from_secs(3)).mono.since_origin().as_secs(), 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Wall time: for validity, and for whatever is saved.
    pub wall: UnixTime,
    /// Monotonic time: for timers.
    pub mono: MonotonicTime,
}

impl Now {
    /// Two readings that belong together.
    pub const fn new(wall: UnixTime, mono: MonotonicTime) -> Self {
        Self { wall, mono }
    }
}

impl Add<Duration> for Now {
    type Output = Self;

    /// Both clocks, `duration` later.
    fn add(self, duration: Duration) -> Self {
        Self::new(self.wall + duration, self.mono + duration)
    }
}

/// A ratio in parts per million; 1,000,000 is the whole. Ratios are integers here, so that results are exact.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::Ppm;
///
/// assert_eq!(Ppm::HALF.of(Duration::from_secs(3)), Duration::from_millis(1_500));
/// assert_eq!(Ppm(2_000_000).clamped(), Ppm::ONE);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ppm(pub u32);

impl Ppm {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One half.
    pub const HALF: Self = Self(500_000);
    /// The whole.
    pub const ONE: Self = Self(1_000_000);

    /// The share of a duration, cut to whole nanoseconds; saturates.
    pub fn of(self, duration: Duration) -> Duration {
        let nanos = duration.as_nanos().saturating_mul(u128::from(self.0)) / 1_000_000;
        let secs = u64::try_from(nanos / u128::from(NANOS)).unwrap_or(u64::MAX);
        Duration::new(secs, u32::try_from(nanos % u128::from(NANOS)).unwrap_or(0))
    }

    /// At most the whole.
    pub fn clamped(self) -> Self {
        self.min(Self::ONE)
    }
}

/// Days since the Unix epoch to year, month and day of the proleptic Gregorian calendar.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day is the last day of a year, in eras of 400 years.
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The day of a date of the proleptic Gregorian calendar, counted from the Unix epoch. The inverse of
/// [`civil_from_days`]; month and day are not checked.
#[allow(dead_code, reason = "read by the parts that features bring")]
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const NANOS: u32 = 1_000_000_000;

fn is_zero(nanos: &u32) -> bool {
    *nanos == 0
}

fn nanos<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let nanos = u32::deserialize(deserializer)?;
    if nanos < NANOS {
        Ok(nanos)
    } else {
        Err(serde::de::Error::custom("nanoseconds of 1000000000 or more"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// C-GEN-2: no arithmetic wraps or panics.
    #[test]
    fn arithmetic_saturates() {
        let last = UnixTime::new(i64::MAX, 999_999_999);
        assert_eq!((last + Duration::MAX).as_secs(), i64::MAX);
        assert_eq!(
            (UnixTime::from_secs(i64::MIN) - Duration::MAX).as_secs(),
            i64::MIN
        );
        assert_eq!(
            last.saturating_since(UnixTime::from_secs(i64::MIN)).as_secs(),
            u64::MAX
        );
        assert_eq!(
            MonotonicTime::from_origin(Duration::MAX) + Duration::from_secs(1),
            MonotonicTime(Duration::MAX)
        );
        assert_eq!(Ppm(u32::MAX).of(Duration::MAX).as_secs(), u64::MAX);
        let _ = last.to_string();
        let _ = UnixTime::from_secs(i64::MIN).to_string();
    }

    /// C-GEN-2: saved text cannot break the invariant on nanoseconds.
    #[test]
    fn saved_nanoseconds_are_checked() {
        assert!(serde_json::from_str::<UnixTime>(r#"{"secs":1,"nanos":1000000000}"#).is_err());
        let time: UnixTime = serde_json::from_str(r#"{"secs":1}"#).unwrap();
        assert_eq!(time, UnixTime::from_secs(1));
        assert_eq!(serde_json::to_string(&time).unwrap(), r#"{"secs":1}"#);
    }

    proptest! {
        #[test]
        fn adding_and_taking_away_cancel(secs in -1_000_000_000_000i64..1_000_000_000_000, nanos in 0u32..NANOS, by in 0u64..1_000_000_000_000_000) {
            let start = UnixTime::new(secs, nanos);
            let by = Duration::from_nanos(by);
            prop_assert_eq!((start + by) - by, start);
            prop_assert_eq!((start + by).saturating_since(start), by);
        }

        /// C-GEN-2: sums and differences are those of whole nanoseconds, as far as there are seconds for them.
        #[test]
        fn arithmetic_is_that_of_nanoseconds(
            secs: i64,
            nanos in 0u32..NANOS,
            by_secs: u64,
            by_nanos in 0u32..NANOS,
        ) {
            let (start, by) = (UnixTime::new(secs, nanos), Duration::new(by_secs, by_nanos));
            let total = |time: UnixTime| i128::from(time.secs) * i128::from(NANOS) + i128::from(time.nanos);
            let by_total = i128::try_from(by.as_nanos()).unwrap();
            for (found, wanted, end) in [
                (start + by, total(start) + by_total, i64::MAX),
                (start - by, total(start) - by_total, i64::MIN),
            ] {
                match i64::try_from(wanted.div_euclid(i128::from(NANOS))) {
                    Ok(_) => prop_assert_eq!(total(found), wanted),
                    Err(_) => prop_assert_eq!(found, UnixTime::from_secs(end)),
                }
                let apart = total(found) - total(start);
                prop_assert_eq!(
                    found.saturating_since(start).as_nanos(),
                    u128::try_from(apart).unwrap_or(0)
                );
            }
        }

        #[test]
        fn dates_and_days_agree(days in -1_000_000i64..3_000_000) {
            let (year, month, day) = civil_from_days(days);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
            prop_assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
