//! A small DER writer of the tests' own, which can also write what is not allowed.

/// A value from its tag and content.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=0x7f => out.push(short as u8),
        length => {
            let bytes: Vec<u8> = length
                .to_be_bytes()
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect();
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A SEQUENCE of values.
pub fn sequence<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    value(0x30, &joined(values))
}

/// Values one after another.
pub fn joined<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Vec<u8> {
    values
        .into_iter()
        .flat_map(|value| value.as_ref().to_vec())
        .collect()
}

/// An OBJECT IDENTIFIER from its dotted form.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted
        .split('.')
        .map(|arc| arc.parse().expect("arcs are numbers"))
        .collect();
    let mut content = Vec::new();
    let first = std::iter::once(arcs[0] * 40 + arcs[1]);
    for arc in first.chain(arcs[2..].iter().copied()) {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.extend(groups.into_iter().rev());
    }
    value(0x06, &content)
}

/// An INTEGER that is not negative.
pub fn unsigned(number: u64) -> Vec<u8> {
    let mut content: Vec<u8> = number
        .to_be_bytes()
        .into_iter()
        .skip_while(|byte| *byte == 0)
        .collect();
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        content.insert(0, 0);
    }
    value(0x02, &content)
}

/// A BIT STRING of whole bytes.
pub fn bits(bytes: &[u8]) -> Vec<u8> {
    value(0x03, &joined([&[0][..], bytes]))
}

/// A time in seconds since the epoch, as RFC 5280 wants it.
pub fn time(seconds: i64) -> Vec<u8> {
    let text: String = mesh_ca::UnixTime::from_secs(seconds)
        .to_string()
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() && *char != 'T')
        .collect();
    match &text[..4] {
        year if ("1950".."2050").contains(&year) => value(0x17, &text.as_bytes()[2..]),
        _ => value(0x18, text.as_bytes()),
    }
}
