use proptest::prelude::*;

use super::reader::days_of_month;
use super::*;
use crate::time::{UnixTime, civil_from_days, days_from_civil};

fn kind(bytes: &[u8]) -> Option<DerErrorKind> {
    check(bytes).err().map(|error| error.kind())
}

/// C-GEN-9: one encoding of each value.
#[test]
fn other_encodings_are_refused() {
    let cases: &[(&[u8], DerErrorKind)] = &[
        (&[0x30, 0x80, 0, 0], DerErrorKind::Length),
        (&[0x30, 0x81, 0x01, 0x00], DerErrorKind::Length),
        (&[0x04, 0x82, 0x00, 0x01, 0x00], DerErrorKind::Length),
        (&[0x04, 0x85, 1, 0, 0, 0, 0], DerErrorKind::Length),
        (&[0x30, 0x02, 0x05], DerErrorKind::Truncated),
        (&[0x05, 0x00, 0x00], DerErrorKind::TrailingBytes),
        (&[0x02, 0x00], DerErrorKind::Integer),
        (&[0x02, 0x02, 0x00, 0x7f], DerErrorKind::Integer),
        (&[0x02, 0x02, 0xff, 0x80], DerErrorKind::Integer),
        (&[0x01, 0x01, 0x01], DerErrorKind::Boolean),
        (&[0x03, 0x02, 0x01, 0x01], DerErrorKind::BitString),
        (&[0x03, 0x01, 0x01], DerErrorKind::BitString),
        (&[0x03, 0x02, 0x08, 0x00], DerErrorKind::BitString),
        (&[0x03, 0x00], DerErrorKind::BitString),
        (&[0x06, 0x00], DerErrorKind::ObjectIdentifier),
        (&[0x06, 0x01, 0x80], DerErrorKind::ObjectIdentifier),
        (&[0x06, 0x02, 0x55, 0x80], DerErrorKind::ObjectIdentifier),
        (&[0x1f, 0x01, 0x00], DerErrorKind::Tag),
        (&[0x24, 0x00], DerErrorKind::Unexpected),
        (&[0x10, 0x00], DerErrorKind::Unexpected),
        (&[0x05, 0x01, 0x00], DerErrorKind::Unexpected),
        (&[0x0c, 0x01, 0xff], DerErrorKind::Unexpected),
        (&[0x31, 0x06, 2, 1, 2, 2, 1, 1], DerErrorKind::SetOrder),
    ];
    for (bytes, expected) in cases {
        assert_eq!(kind(bytes), Some(*expected), "{bytes:x?}");
    }
    assert_eq!(kind(&[0x31, 0x06, 2, 1, 1, 2, 1, 2]), None);
}

/// C-GEN-9: nesting is capped.
#[test]
fn depth_is_capped() {
    let nested = |depth: usize| {
        (0..depth).fold(Vec::new(), |inner, _| {
            let mut writer = Writer::new();
            writer.value(SEQUENCE, &inner);
            writer.into_bytes()
        })
    };
    assert_eq!(kind(&nested(usize::from(MAX_DEPTH))), None);
    assert_eq!(
        kind(&nested(usize::from(MAX_DEPTH) + 1)),
        Some(DerErrorKind::TooDeep)
    );
}

fn time_of(tag: u8, text: &str) -> Option<UnixTime> {
    let mut writer = Writer::new();
    writer.value(tag, text.as_bytes());
    single(&writer.into_bytes(), tag).unwrap().time().ok()
}

/// C-VFY-6: one way to write a time.
#[test]
fn times_are_strict() {
    assert_eq!(time_of(UTC_TIME, "700101000000Z"), Some(UnixTime::EPOCH));
    assert_eq!(
        time_of(GENERALIZED_TIME, "00010101000000Z"),
        Some(UnixTime::MIN_X509)
    );
    assert_eq!(
        time_of(GENERALIZED_TIME, "99991231235959Z"),
        Some(UnixTime::MAX_X509)
    );
    for (tag, text) in [
        (UTC_TIME, "7001010000Z"),
        (UTC_TIME, "700101000000+0000"),
        (UTC_TIME, "700101000060Z"),
        (UTC_TIME, "700229000000Z"),
        (UTC_TIME, "701301000000Z"),
        (UTC_TIME, "70010100000 Z"),
        (GENERALIZED_TIME, "20300101000000Z"),
        (GENERALIZED_TIME, "20500101000000.5Z"),
        (GENERALIZED_TIME, "205001010000Z"),
        (GENERALIZED_TIME, "00000101000000Z"),
        (GENERALIZED_TIME, ""),
    ] {
        assert_eq!(time_of(tag, text), None, "{text}");
    }
}

/// C-VFY-6: the days of a month are those of the calendar, in all 400 years after which it repeats itself.
#[test]
fn months_have_their_days() {
    for year in 1_600..2_000 {
        for month in -1..=14 {
            let days = (-1..=33)
                .filter(|day| civil_from_days(days_from_civil(year, month, *day)) == (year, month, *day));
            assert_eq!(days_of_month(year, month), days.count() as i64, "{year}-{month}");
        }
    }
}

/// The rules of [`check`], as readers find them that go down into each value.
fn check_by_readers(element: &Element<'_>) -> Result<(), DerError> {
    if element.tag & 0x20 == 0 {
        return match element.tag {
            BOOLEAN => element.boolean().map(|_| ()),
            INTEGER | ENUMERATED => element.integer().map(|_| ()),
            BIT_STRING => element.bits().map(|_| ()),
            OBJECT_IDENTIFIER => element.oid().map(|_| ()),
            NULL if element.content.is_empty() => Ok(()),
            UTF8_STRING if std::str::from_utf8(element.content).is_ok() => Ok(()),
            NULL | UTF8_STRING | 0x00 | 0x10 | 0x11 => Err(element.error(DerErrorKind::Unexpected)),
            _ => Ok(()),
        };
    }
    if !matches!(element.tag, SEQUENCE | SET | 0x40..) {
        return Err(element.error(DerErrorKind::Unexpected));
    }
    let mut reader = element.reader()?;
    let mut previous: &[u8] = &[];
    while !reader.is_empty() {
        let inner = reader.any()?;
        if element.tag == SET && inner.der < previous {
            return Err(inner.error(DerErrorKind::SetOrder));
        }
        previous = inner.der;
        check_by_readers(&inner)?;
    }
    Ok(())
}

fn is_strict_by_readers(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let element = reader.any();
    element.is_ok_and(|element| check_by_readers(&element).is_ok()) && reader.is_empty()
}

/// Values in values. Most are strict, but for the order of what a SET holds.
fn trees() -> impl Strategy<Value = Vec<u8>> {
    const STRICT: [&[u8]; 9] = [
        &[BOOLEAN, 1, 0xff],
        &[INTEGER, 2, 0, 0x80],
        &[BIT_STRING, 2, 4, 0x30],
        &[0x04, 2, 0x30, 0x80],
        &[NULL, 0],
        &[OBJECT_IDENTIFIER, 3, 0x55, 0x1d, 0x11],
        &[UTF8_STRING, 1, b'a'],
        &[0x41, 0],
        &[0x80, 1, 7],
    ];
    let strict = prop::sample::select(&STRICT[..]).prop_map(<[u8]>::to_vec);
    let any_value = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(tag, content)| {
        let mut writer = Writer::new();
        writer.value(tag, &content);
        writer.into_bytes()
    });
    let leaf = prop_oneof![50 => strict, 1 => any_value];
    leaf.prop_recursive(30, 200, 4, |inner| {
        let tag = prop::sample::select(vec![SEQUENCE, SEQUENCE, SEQUENCE, 0xa0, 0xa3, 0x61, SET]);
        (tag, prop::collection::vec(inner, 0..4)).prop_map(|(tag, values)| {
            let mut writer = Writer::new();
            writer.nested(tag, |inside| inside.raw(&values.concat()));
            writer.into_bytes()
        })
    })
}

/// Around the places where a length gets another byte.
fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0..300_usize, 126..130_usize, 254..258_usize, 65_533..65_540_usize]
}

proptest! {
    /// C-GEN-9: whole and damaged.
    #[test]
    fn the_check_is_that_of_readers(
        mut bytes in trees(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u32), 0..3),
        cut in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.1),
    ) {
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        prop_assert_eq!(check(&bytes).is_ok(), is_strict_by_readers(&bytes), "{:x?}", bytes);
    }

    #[test]
    fn written_times_read_back(secs in UnixTime::MIN_X509.as_secs()..=UnixTime::MAX_X509.as_secs()) {
        let mut writer = Writer::new();
        writer.time(UnixTime::from_secs(secs));
        let bytes = writer.into_bytes();
        prop_assert_eq!(Reader::new(&bytes).any().unwrap().time().unwrap(), UnixTime::from_secs(secs));
    }

    #[test]
    fn written_values_are_strict(magnitude in prop::collection::vec(any::<u8>(), 0..70_000)) {
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |inner| {
            inner.unsigned(&magnitude);
            inner.whole_bits(&magnitude);
        });
        let bytes = writer.into_bytes();
        prop_assert_eq!(check(&bytes), Ok(()));
        let mut reader = single(&bytes, SEQUENCE).unwrap().reader().unwrap();
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        prop_assert_eq!(reader.read(INTEGER).unwrap().unsigned().unwrap(), &magnitude[zeros..]);
        prop_assert_eq!(reader.read(BIT_STRING).unwrap().whole_bits().unwrap(), &magnitude[..]);
    }

    /// A guess changes nothing but what has to move.
    #[test]
    fn guesses_of_lengths_change_nothing(guess in lengths(), length in lengths()) {
        let content = vec![7; length];
        let (mut guessed, mut plain) = (Writer::new(), Writer::new());
        for writer in [&mut guessed, &mut plain] {
            writer.raw(&[1, 1, 0xff]);
        }
        guessed.nested_about(OCTET_STRING, guess, |inside| inside.raw(&content));
        plain.value(OCTET_STRING, &content);
        let bytes = guessed.into_bytes();
        prop_assert_eq!(&bytes, &plain.into_bytes());
        prop_assert_eq!(single(&bytes[3..], OCTET_STRING).unwrap().content, &content[..]);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&bytes);
    }
}
