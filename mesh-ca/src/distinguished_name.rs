//! Writing distinguished names.

use crate::der::{SEQUENCE, SET, UTF8_STRING, Writer};

const PRINTABLE_STRING: u8 = 0x13;

/// The DER of a name with one attribute in each relative name. No attributes give the empty name (`30 00`).
pub(crate) fn encode(attributes: &[(&[u8], &str)]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |name| {
        for (oid, text) in attributes {
            name.nested(SET, |relative| {
                relative.nested(SEQUENCE, |attribute| {
                    attribute.oid(oid);
                    attribute.value(string_tag(text), text.as_bytes());
                });
            });
        }
    });
    writer.into_bytes()
}

/// PrintableString where it suffices, as Go's library and so Istio write it. Spec: RFC 5280 §4.1.2.4.
fn string_tag(text: &str) -> u8 {
    let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    if text.bytes().all(is_printable) {
        PRINTABLE_STRING
    } else {
        UTF8_STRING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Reader;
    use crate::{DistinguishedName, oid};

    #[test]
    fn written_names_read_back() {
        assert_eq!(encode(&[]), [0x30, 0]);
        // What an Istio agent writes: one organization, whose value is empty.
        assert_eq!(
            encode(&[(oid::ORGANIZATION, "")]),
            [0x30, 11, 0x31, 9, 0x30, 7, 6, 3, 0x55, 4, 10, 0x13, 0]
        );
        let der = encode(&[(oid::ORGANIZATION, "Zürich"), (oid::COMMON_NAME, "a b")]);
        let name = DistinguishedName::parse(&Reader::new(&der).any().unwrap()).unwrap();
        assert_eq!(name.to_string(), "O=Zürich, CN=a b");
    }
}
