//! Scalars with a JSON form of their own: bytes, durations, times, numbers that JSON has no word for.

use serde_json::{Number, Value};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(super) fn base64_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            if position > chunk.len() {
                text.push('=');
                continue;
            }
            let index = (word >> (18 - 6 * position)) & 0x3f;
            text.extend(ALPHABET.get(index as usize).map(|byte| char::from(*byte)));
        }
    }
    text
}

/// Base64 with either alphabet, padding optional, as the proto3 JSON mapping asks of readers.
pub(super) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let stripped = text.trim_end_matches('=');
    let padding = text.len() - stripped.len();
    if stripped.len() % 4 == 1 || padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in stripped.as_bytes().chunks(4) {
        let mut word = 0u32;
        for byte in chunk {
            word = word << 6 | sextet(*byte)?;
        }
        word <<= 6 * (4 - chunk.len());
        let [_, decoded @ ..] = word.to_be_bytes();
        bytes.extend(decoded.iter().take(chunk.len() - 1));
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// `1.5s`: as many fraction digits as needed. Seconds and nanoseconds of one sign, as protobuf asks.
pub(super) fn print_duration(seconds: i64, nanos: i32) -> String {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// The longest duration that protobuf allows, about 10,000 years.
const MAX_DURATION_SECONDS: u64 = 315_576_000_000;

/// Seconds and nanoseconds of `1.5s`.
pub(super) fn parse_duration(text: &str) -> Option<(i64, i32)> {
    let (negative, digits) = match text.strip_suffix('s')?.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_suffix('s')?),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds = whole
        .parse::<u64>()
        .ok()
        .filter(|seconds| *seconds <= MAX_DURATION_SECONDS)?;
    let seconds = i64::try_from(seconds).ok()?;
    let nanos = format!("{fraction:0<9}").parse::<i32>().ok()?;
    Some(if negative {
        (-seconds, -nanos)
    } else {
        (seconds, nanos)
    })
}

/// Seconds and nanoseconds of a duration as Go writes them: `500ms`, `1h30m`.
#[cfg(feature = "envoy-schema")]
pub(super) fn parse_go_duration(text: &str) -> Option<(i64, i32)> {
    let nanos = text.parse::<mesh_api::scalar::Duration>().ok()?.as_nanos();
    let rest = i32::try_from(nanos % 1_000_000_000).ok()?;
    Some((nanos / 1_000_000_000, rest))
}

/// The first and the last second that a protobuf timestamp may hold: years 1 to 9999.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// RFC 3339 in UTC; nothing for times outside the years 1 to 9999.
pub(super) fn print_timestamp(seconds: i64, nanos: i32) -> Option<String> {
    let valid = TIMESTAMP_SECONDS.contains(&seconds) && (0..1_000_000_000).contains(&nanos);
    valid.then(|| prost_types::Timestamp { seconds, nanos }.to_string())
}

/// Seconds and nanoseconds of an RFC 3339 time.
pub(super) fn parse_timestamp(text: &str) -> Option<(i64, i32)> {
    let time: prost_types::Timestamp = text.parse().ok()?;
    TIMESTAMP_SECONDS
        .contains(&time.seconds)
        .then_some((time.seconds, time.nanos))
}

/// A number, without a fraction if it has none, or the name of what is no number.
pub(super) fn print_double(number: f64) -> Value {
    let negative_zero = number == 0.0 && number.is_sign_negative();
    if let Some(whole) = whole(number)
        .and_then(|whole| i64::try_from(whole).ok())
        .filter(|_| !negative_zero)
    {
        return Value::from(whole);
    }
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::from("NaN"),
        None if number > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    }
}

/// As a double whose shortest text is that of the float: 0.1 stays 0.1.
pub(super) fn print_float(number: f32) -> Value {
    print_double(number.to_string().parse().unwrap_or(f64::from(number)))
}

/// A JSON number, its text, or one of the three names.
pub(super) fn parse_double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                text.parse().ok().filter(|number: &f64| number.is_finite())
            }
            _ => None,
        },
        _ => None,
    }
}

/// An integer as a JSON number or as text; `1.0` and `1e3` count as integers.
pub(super) fn parse_integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .or_else(|| whole(number.as_f64()?)),
        Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

/// A double without a fraction, in the range where every integer is a double.
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64_encode(bytes.as_bytes()), text);
            assert_eq!(base64_decode(text).unwrap(), bytes.as_bytes());
            assert_eq!(
                base64_decode(text.trim_end_matches('=')).unwrap(),
                bytes.as_bytes()
            );
        }
        assert_eq!(base64_encode(&[0xfb, 0xff]), "+/8=");
        assert_eq!(base64_decode("-_8").unwrap(), [0xfb, 0xff]);
        for wrong in ["A", "A===", "AB=C", "Zg=", "Z g=", "Zm9v="] {
            assert_eq!(base64_decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_both_ways() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (1, 500_000_000, "1.5s"),
            (0, 1, "0.000000001s"),
            (-1, -500_000_000, "-1.5s"),
            (315_576_000_000, 0, "315576000000s"),
        ] {
            assert_eq!(print_duration(seconds, nanos), text);
            assert_eq!(parse_duration(text), Some((seconds, nanos)));
        }
        assert_eq!(
            print_duration(i64::MIN, i32::MIN),
            "-9223372036854775808.2147483648s"
        );
        for wrong in [
            "",
            "s",
            "1",
            "1.s",
            ".5s",
            "1.0000000001s",
            "+1s",
            "1 s",
            "--1s",
            "315576000001s",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn floats_keep_their_text() {
        assert_eq!(print_float(0.1).to_string(), "0.1");
        assert_eq!(print_float(16_777_216.0).to_string(), "16777216");
        assert_eq!(print_double(-0.0).to_string(), "-0.0");
        assert_eq!(print_double(1e300).to_string(), "1e+300");
        assert_eq!(print_float(f32::INFINITY), "Infinity");
        assert_eq!(print_double(f64::NAN), "NaN");
        assert_eq!(parse_double(&Value::from("-Infinity")), Some(f64::NEG_INFINITY));
        assert_eq!(parse_double(&Value::from("inf")), None);
    }

    #[test]
    fn integers_come_as_numbers_or_text() {
        let parse = |text: &str| parse_integer(&serde_json::from_str(text).unwrap());
        assert_eq!(parse("7"), Some(7));
        assert_eq!(parse("\"18446744073709551615\""), Some(u64::MAX.into()));
        assert_eq!(parse("1.0"), Some(1));
        assert_eq!(parse("\"1e3\""), Some(1000));
        for wrong in ["1.5", "\"\"", "\" 1\"", "\"0x1\"", "true", "1e30"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
