//! A second reader of certificates, for what a path depends on. It shares no code with the library, takes only what the
//! library has accepted, and stops where it finds anything else.

use mesh_ca::KeyPurpose;

use crate::pki::{der, extension};

/// What a path depends on.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) public_key: Vec<u8>,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// cA, where basicConstraints is there.
    pub(super) is_ca: Option<bool>,
    pub(super) path_len: Option<u64>,
    /// The bytes of the BIT STRING.
    pub(super) key_usage: Option<Vec<u8>>,
    /// OBJECT IDENTIFIERs in DER.
    pub(super) purposes: Option<Vec<Vec<u8>>>,
    /// URI bases: permitted, excluded. Whether there are any permitted ones decides, so none is not the same as no extension.
    pub(super) constraints: Option<[Vec<String>; 2]>,
    pub(super) unknown_critical: Vec<String>,
    uris: Vec<String>,
}

impl Facts {
    pub(super) fn read(certificate: &[u8]) -> Self {
        let (outer, rest) = value(certificate);
        assert!(outer.tag == 0x30 && rest.is_empty());
        let [tbs, _, signature] = &children(outer.content)[..] else {
            panic!("three parts")
        };
        let mut fields = children(tbs.content);
        if fields[0].tag == 0xa0 {
            fields.remove(0);
        }
        let [_, _, issuer, validity, subject, public_key, ..] = &fields[..] else {
            panic!("six fields")
        };
        let [not_before, not_after] = &children(validity.content)[..] else {
            panic!("two times")
        };
        let mut facts = Self {
            der: certificate.to_vec(),
            tbs: tbs.whole.to_vec(),
            signature: signature.content[1..].to_vec(),
            issuer: issuer.whole.to_vec(),
            subject: subject.whole.to_vec(),
            public_key: public_key.whole.to_vec(),
            not_before: seconds(not_before),
            not_after: seconds(not_after),
            is_ca: None,
            path_len: None,
            key_usage: None,
            purposes: None,
            constraints: None,
            unknown_critical: Vec::new(),
            uris: Vec::new(),
        };
        let extensions = fields.iter().find(|field| field.tag == 0xa3);
        let list = extensions.map_or(Vec::new(), |field| children(value(field.content).0.content));
        list.iter().for_each(|one| facts.take(one.content));
        facts
    }

    fn take(&mut self, content: &[u8]) {
        let parts = children(content);
        let is_critical = parts.len() == 3 && parts[1].content != [0];
        let inner = parts[parts.len() - 1].content;
        let is = |oid: &str| parts[0].whole == der::oid(oid);
        if is(extension::BASIC_CONSTRAINTS) {
            self.is_ca = Some(false);
            for part in children(value(inner).0.content) {
                match part.tag {
                    0x01 => self.is_ca = Some(part.content != [0]),
                    _ => {
                        let bytes = part.content.iter();
                        self.path_len = Some(bytes.fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
                    }
                }
            }
        } else if is(extension::KEY_USAGE) {
            self.key_usage = Some(value(inner).0.content[1..].to_vec());
        } else if is(extension::EXTENDED_KEY_USAGE) {
            let oids = children(value(inner).0.content);
            self.purposes = Some(oids.iter().map(|oid| oid.whole.to_vec()).collect());
        } else if is(extension::SUBJECT_ALT_NAME) {
            self.uris = texts(&children(value(inner).0.content));
        } else if is(extension::NAME_CONSTRAINTS) {
            self.constraints = Some([0xa0, 0xa1].map(|tag| {
                let lists = children(value(inner).0.content);
                let subtrees = lists
                    .iter()
                    .filter(|list| list.tag == tag)
                    .flat_map(|list| children(list.content));
                let bases: Vec<Value<'_>> = subtrees.map(|subtree| value(subtree.content).0).collect();
                texts(&bases)
            }));
        } else if is_critical && !is(POLICIES) {
            self.unknown_critical.push(format!("{:02x?}", parts[0].content));
        }
    }

    pub(super) fn uris(&self) -> Vec<&str> {
        self.uris.iter().map(String::as_str).collect()
    }

    pub(super) fn may_sign_certificates(&self) -> bool {
        self.key_usage
            .as_ref()
            .is_some_and(|bits| bits.first().is_some_and(|first| first & 0x04 != 0))
    }

    /// Whether extKeyUsage, if it is there, names the purpose or any.
    pub(super) fn allows(&self, purpose: KeyPurpose) -> bool {
        let wanted = match purpose {
            KeyPurpose::ServerAuth => extension::SERVER_AUTH,
            _ => extension::CLIENT_AUTH,
        };
        let wanted = [der::oid(wanted), der::oid("2.5.29.37.0")];
        self.purposes
            .as_ref()
            .is_none_or(|purposes| purposes.iter().any(|purpose| wanted.contains(purpose)))
    }

    /// Whether constraints on URI names, if there are any, allow a name: the trust domain of a SPIFFE id counts, and no other
    /// URI is allowed (C-VFY-10).
    pub(super) fn permits(&self, uri: &str) -> bool {
        let Some([permitted, excluded]) = &self.constraints else {
            return true;
        };
        if permitted.is_empty() && excluded.is_empty() {
            return true;
        }
        let Some(id) = uri.strip_prefix("spiffe://") else {
            return false;
        };
        let domain = id.split('/').next().unwrap_or_default();
        let covers = |base: &String| {
            let base = base.to_ascii_lowercase();
            match base.starts_with('.') {
                true => domain.len() > base.len() && domain.ends_with(&base),
                false => domain == base,
            }
        };
        !excluded.iter().any(covers) && (permitted.is_empty() || permitted.iter().any(covers))
    }
}

/// certificatePolicies, which say nothing without rules about them.
const POLICIES: &str = "2.5.29.32";

/// The URIs among general names.
fn texts(names: &[Value<'_>]) -> Vec<String> {
    let uris = names.iter().filter(|name| name.tag == 0x86);
    uris.map(|uri| String::from_utf8_lossy(uri.content).into_owned())
        .collect()
}

/// A value of DER.
struct Value<'v> {
    tag: u8,
    content: &'v [u8],
    whole: &'v [u8],
}

/// The first value, and what follows it.
fn value(bytes: &[u8]) -> (Value<'_>, &[u8]) {
    let (length, head) = match bytes[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let digits = usize::from(long & 0x7f);
            let length = bytes[2..2 + digits]
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + digits)
        }
    };
    let (whole, rest) = bytes.split_at(head + length);
    let value = Value {
        tag: bytes[0],
        content: &whole[head..],
        whole,
    };
    (value, rest)
}

fn children(mut content: &[u8]) -> Vec<Value<'_>> {
    let mut values = Vec::new();
    while !content.is_empty() {
        let (one, rest) = value(content);
        values.push(one);
        content = rest;
    }
    values
}

/// UTCTime or GeneralizedTime, in seconds since the epoch.
fn seconds(time: &Value<'_>) -> i64 {
    let digits: Vec<i64> = time
        .content
        .iter()
        .map(|digit| i64::from(*digit) - i64::from(b'0'))
        .collect();
    let number = |digits: &[i64]| digits.iter().fold(0, |sum, digit| sum * 10 + digit);
    let (year, rest) = match time.tag {
        0x17 => {
            let year = number(&digits[..2]);
            (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
        }
        _ => (number(&digits[..4]), &digits[4..]),
    };
    let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| number(&rest[at..at + 2]));
    // Days by the calendar that counts years from March, so that the odd day is the last one.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    days * 86_400 + hour * 3_600 + minute * 60 + second
}
