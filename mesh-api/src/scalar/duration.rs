//! Durations as Istio writes them.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// A signed span of time in nanoseconds (A-WIRE-3).
///
/// Reads Go's grammar: a sign, then numbers with units `ns`, `us`, `ms`, `s`, `m`, `h`, one after the other. Writes the
/// canonical proto form: seconds with 0, 3, 6 or 9 digits after the point.
///
/// ```
/// use mesh_api::scalar::Duration;
///
/// let timeout: Duration = "1h30m".parse()?;
/// assert_eq!(timeout, Duration::from_secs(5400));
/// assert_eq!(timeout.to_string(), "5400s");
/// assert_eq!("1.5s".parse::<Duration>()?.to_string(), "1.500s");
/// assert!("5".parse::<Duration>().is_err()); // a unit is needed
/// # Ok::<(), mesh_api::scalar::DurationError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// That many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// That many milliseconds; what does not fit (292 years) becomes the largest value.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// That many seconds; what does not fit (292 years) becomes the largest value.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The length in whole milliseconds, the rest cut off.
    pub const fn as_millis(self) -> i64 {
        self.0 / 1_000_000
    }

    /// Whether there is no length at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether the length is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The standard library's type, which has no sign: `None` below zero.
    pub fn to_std(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().map(std::time::Duration::from_nanos)
    }
}

impl TryFrom<std::time::Duration> for Duration {
    type Error = DurationError;

    fn try_from(duration: std::time::Duration) -> Result<Self, DurationError> {
        i64::try_from(duration.as_nanos())
            .map(Self)
            .map_err(|_| DurationError {
                kind: Problem::Overflow,
                offset: 0,
            })
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let start = text.len() - unsigned.len();
        if unsigned == "0" {
            return Ok(Self::ZERO);
        }
        if unsigned.is_empty() {
            return Err(DurationError {
                kind: Problem::Empty,
                offset: start,
            });
        }
        let mut total = 0u128;
        let mut rest = unsigned;
        while !rest.is_empty() {
            let offset = text.len() - rest.len();
            let (nanos, after) = parse_part(rest).map_err(|kind| DurationError { kind, offset })?;
            total += nanos;
            if total > 1 << 63 {
                return Err(DurationError {
                    kind: Problem::Overflow,
                    offset,
                });
            }
            rest = after;
        }
        let signed = if text.starts_with('-') {
            -(total as i128)
        } else {
            total as i128
        };
        i64::try_from(signed).map(Self).map_err(|_| DurationError {
            kind: Problem::Overflow,
            offset: 0,
        })
    }
}

/// One number with its unit at the start of `text`: its nanoseconds, and what follows.
fn parse_part(text: &str) -> Result<(u128, &str), Problem> {
    let (whole, rest) = split_while(text, |byte| byte.is_ascii_digit());
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_while(rest, |byte| byte.is_ascii_digit()),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(Problem::NoNumber);
    }
    let (unit, rest) = split_while(rest, |byte| !byte.is_ascii_digit() && byte != b'.');
    let scale: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(Problem::NoUnit),
        _ => return Err(Problem::BadUnit),
    };
    // more than 19 significant digits overflow 63 bits in any unit
    let significant = whole.trim_start_matches('0');
    if significant.len() > 19 {
        return Err(Problem::Overflow);
    }
    let mut nanos = scale * significant.parse::<u128>().unwrap_or_default();
    // A-WIRE-3: digits below one nanosecond are cut off; 18 digits are below it in every unit
    let digits = fraction.get(..fraction.len().min(18)).unwrap_or_default();
    let numerator = digits.parse::<u128>().unwrap_or_default();
    nanos += numerator * scale / 10u128.pow(digits.len() as u32);
    Ok((nanos, rest))
}

fn split_while(text: &str, keep: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !keep(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (secs, nanos) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000);
        let text = match nanos {
            0 => format!("{sign}{secs}s"),
            _ if nanos % 1_000_000 == 0 => format!("{sign}{secs}.{:03}s", nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => format!("{sign}{secs}.{:06}s", nanos / 1_000),
            _ => format!("{sign}{secs}.{nanos:09}s"),
        };
        f.pad(&text)
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DurationVisitor;
        impl Visitor<'_> for DurationVisitor {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `1.5s`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse()
                    .map_err(|error| E::custom(format_args!("[A-WIRE-3] `{text}` is no duration: {error}")))
            }
        }
        deserializer.deserialize_str(DurationVisitor)
    }
}

/// Why a text is not a duration, and at which byte that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError {
    kind: Problem,
    offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    BadUnit,
    Empty,
    NoNumber,
    NoUnit,
    Overflow,
}

impl DurationError {
    /// The byte of the text where the part in question starts.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Problem::BadUnit => "unknown unit, use ns, us, ms, s, m or h",
            Problem::Empty => "it is empty",
            Problem::NoNumber => "a number is missing",
            Problem::NoUnit => "a unit is missing, such as s or ms",
            Problem::Overflow => "it exceeds 292 years",
        })
    }
}

impl std::error::Error for DurationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_go_grammar() {
        // A-WIRE-3
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("+5s", 5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("-2s", -2_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("3μs", 3_000),
            ("1.9ns", 1),
            ("0.0000000019s", 1),
            ("0.1h", 360_000_000_000),
            ("00000000000000000000001s", 1_000_000_000),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(
                text.parse::<Duration>().map(Duration::as_nanos),
                Ok(nanos),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "5",
            "s",
            ".s",
            "1x",
            "1 s",
            "1s ",
            "1s2",
            "--1s",
            "1e3s",
            "9223372036854775808ns",
            "2562048h",
            "99999999999999999999h",
            "1s.",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
        assert_eq!("1s2x".parse::<Duration>().unwrap_err().offset(), 2);
    }

    #[test]
    fn writes_the_canonical_form_and_reads_it_back() {
        for (nanos, text) in [
            (0, "0s"),
            (5_400_000_000_000, "5400s"),
            (1_500_000_000, "1.500s"),
            (1_000, "0.000001s"),
            (-1, "-0.000000001s"),
            (i64::MIN, "-9223372036.854775808s"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(duration.to_string(), text);
            assert_eq!(text.parse(), Ok(duration));
        }
    }

    #[test]
    fn converts_to_and_from_std() {
        assert_eq!(
            Duration::from_millis(1500).to_std(),
            Some(std::time::Duration::from_millis(1500))
        );
        assert_eq!(Duration::from_nanos(-1).to_std(), None);
        assert_eq!(
            std::time::Duration::from_secs(2).try_into(),
            Ok(Duration::from_secs(2))
        );
        assert!(Duration::try_from(std::time::Duration::MAX).is_err());
        assert_eq!(Duration::from_secs(i64::MAX).as_nanos(), i64::MAX);
    }

    #[test]
    fn only_strings_are_durations_on_the_wire() {
        assert_eq!(
            serde_json::from_str::<Duration>("\"2s\"").unwrap(),
            Duration::from_secs(2)
        );
        assert!(serde_json::from_str::<Duration>("2").is_err());
        assert_eq!(
            serde_json::to_string(&Duration::from_millis(5)).unwrap(),
            "\"0.005s\""
        );
    }
}
