//! Writing extensions.

use std::net::IpAddr;

use super::KeyUsage;
use crate::der::{
    BIT_STRING, BOOLEAN, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Writer, context, context_constructed,
};
use crate::oid;

/// The longest common name. Spec: RFC 5280 appendix A.1, ub-common-name.
const MAX_COMMON_NAME: usize = 64;

/// extKeyUsage of a leaf, the whole extension: the same in every leaf, so that it is written in one go.
#[rustfmt::skip]
const LEAF_PURPOSES: &[u8] = &[
    SEQUENCE, 29, OBJECT_IDENTIFIER, 3, 0x55, 0x1d, 0x25,
    OCTET_STRING, 22, SEQUENCE, 20,
    OBJECT_IDENTIFIER, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1,
    OBJECT_IDENTIFIER, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2,
];

/// basicConstraints of a leaf, the whole extension.
#[rustfmt::skip]
const LEAF_CONSTRAINTS: &[u8] = &[
    SEQUENCE, 12, OBJECT_IDENTIFIER, 3, 0x55, 0x1d, 0x13,
    BOOLEAN, 1, 0xff,
    OCTET_STRING, 2, SEQUENCE, 0,
];

/// The name, if it fits into a common name.
pub(crate) fn common_name_of(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty() && name.len() <= MAX_COMMON_NAME)
}

/// The names of a certificate in the order of C-SIGN-9.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectAltNames<'a> {
    pub(crate) uri: &'a str,
    pub(crate) dns: &'a [String],
    pub(crate) ips: &'a [IpAddr],
}

impl SubjectAltNames<'_> {
    pub(crate) fn write(&self, extensions: &mut Writer, critical: bool) {
        let Self { uri, dns, ips } = *self;
        extension(extensions, oid::SUBJECT_ALT_NAME, critical, |value| {
            value.nested(SEQUENCE, |names| {
                names.value(context(6), uri.as_bytes());
                for name in dns {
                    names.value(context(2), name.as_bytes());
                }
                for address in ips {
                    // A version 4 address in version 6's clothes is written as what it is (C-SIGN-9).
                    match address.to_canonical() {
                        IpAddr::V4(address) => names.value(context(7), &address.octets()),
                        IpAddr::V6(address) => names.value(context(7), &address.octets()),
                    }
                }
            });
        });
    }
}

/// keyUsage, always critical.
pub(crate) fn write_key_usage(extensions: &mut Writer, usage: KeyUsage) {
    extension(extensions, oid::KEY_USAGE, true, |value| {
        // Named bits are counted from the most significant one, and zeros at the end are left out.
        let bits = usage.bits();
        let [first, second] =
            [bits & 0xff, bits >> 8].map(|byte| u8::try_from(byte).unwrap_or(0).reverse_bits());
        let last = if second == 0 { first } else { second };
        let unused = u8::try_from(last.trailing_zeros()).unwrap_or(0);
        match second {
            0 => value.value(BIT_STRING, &[unused, first]),
            _ => value.value(BIT_STRING, &[unused, first, second]),
        }
    });
}

/// extKeyUsage of a leaf, not critical: serverAuth, then clientAuth.
pub(crate) fn write_leaf_purposes(extensions: &mut Writer) {
    extensions.raw(LEAF_PURPOSES);
}

/// basicConstraints of an authority, critical.
pub(crate) fn write_ca_constraints(extensions: &mut Writer, path_len: Option<u8>) {
    extension(extensions, oid::BASIC_CONSTRAINTS, true, |value| {
        value.nested(SEQUENCE, |constraints| {
            constraints.boolean_true();
            if let Some(path_len) = path_len {
                constraints.unsigned(&[path_len]);
            }
        });
    });
}

/// basicConstraints of a certificate that is no authority, critical: an empty SEQUENCE.
pub(crate) fn write_leaf_constraints(extensions: &mut Writer) {
    extensions.raw(LEAF_CONSTRAINTS);
}

/// subjectKeyIdentifier, not critical.
pub(crate) fn write_subject_key_id(extensions: &mut Writer, key_id: &[u8]) {
    extension(extensions, oid::SUBJECT_KEY_ID, false, |value| {
        value.value(OCTET_STRING, key_id);
    });
}

/// authorityKeyIdentifier with nothing but the key identifier, not critical (C-SIGN-7).
pub(crate) fn write_authority_key_id(extensions: &mut Writer, key_id: &[u8]) {
    extension(extensions, oid::AUTHORITY_KEY_ID, false, |value| {
        value.nested(SEQUENCE, |identifier| identifier.value(context(0), key_id));
    });
}

/// nameConstraints that permit URI names of exactly these hosts, critical (C-CA-5).
pub(crate) fn write_uri_constraints<'h>(extensions: &mut Writer, hosts: impl IntoIterator<Item = &'h str>) {
    extension(extensions, oid::NAME_CONSTRAINTS, true, |value| {
        value.nested(SEQUENCE, |constraints| {
            constraints.nested(context_constructed(0), |permitted| {
                for host in hosts {
                    permitted.nested(SEQUENCE, |subtree| subtree.value(context(6), host.as_bytes()));
                }
            });
        });
    });
}

/// cRLDistributionPoints with one point of one URL, not critical. Spec: RFC 5280 §4.2.1.13.
pub(crate) fn write_crl_url(extensions: &mut Writer, url: &str) {
    extension(extensions, oid::CRL_DISTRIBUTION_POINTS, false, |value| {
        value.nested(SEQUENCE, |points| {
            points.nested(SEQUENCE, |point| {
                point.nested(context_constructed(0), |name| {
                    name.nested(context_constructed(0), |full| {
                        full.value(context(6), url.as_bytes());
                    });
                });
            });
        });
    });
}

fn extension(extensions: &mut Writer, oid: &[u8], critical: bool, value: impl FnOnce(&mut Writer)) {
    extensions.nested(SEQUENCE, |extension| {
        extension.oid(oid);
        if critical {
            extension.boolean_true();
        }
        extension.nested(OCTET_STRING, value);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyPurpose;

    /// C-SIGN-7: the extensions that stand here in one piece are what their parts make.
    #[test]
    fn whole_extensions_are_their_parts() {
        let mut writer = Writer::new();
        extension(&mut writer, oid::EXTENDED_KEY_USAGE, false, |value| {
            value.nested(SEQUENCE, |list| {
                list.oid(KeyPurpose::ServerAuth.oid());
                list.oid(KeyPurpose::ClientAuth.oid());
            });
        });
        assert_eq!(writer.into_bytes(), LEAF_PURPOSES);
        let mut writer = Writer::new();
        extension(&mut writer, oid::BASIC_CONSTRAINTS, true, |value| {
            value.value(SEQUENCE, &[]);
        });
        assert_eq!(writer.into_bytes(), LEAF_CONSTRAINTS);
    }
}
