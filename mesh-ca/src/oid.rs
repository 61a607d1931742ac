//! Object identifiers, as their encoded content.

/// The dotted form of an encoded OBJECT IDENTIFIER, for messages.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut arcs = Vec::new();
    let mut arc: u64 = 0;
    for byte in content {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                // The first two arcs share a number: 40 times the first, which is 0 to 2, plus the second.
                let first = (arc / 40).min(2);
                arcs.push(first.to_string());
                arc = arc.saturating_sub(first * 40);
            }
            arcs.push(arc.to_string());
            arc = 0;
        }
    }
    arcs.join(".")
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = [$($byte:expr),+ $(,)?];)+) => {
        $($(#[$doc])* pub(crate) const $name: &[u8] = &[$($byte),+];)+
    };
}

// Public keys. Spec: RFC 5480, 8017, 8410.
oids! {
    EC_PUBLIC_KEY = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    P256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    P384 = [0x2b, 0x81, 0x04, 0, 34];
    ED25519 = [0x2b, 0x65, 0x70];
    RSA_ENCRYPTION = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
}

// Signatures. Spec: RFC 5758, 8017, 4055.
oids! {
    ECDSA_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    ECDSA_SHA384 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    RSA_SHA256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    RSA_SHA384 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];
    RSA_SHA512 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13];
    RSA_PSS = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    MGF1 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    SHA256 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    SHA384 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
    SHA512 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
}

// Extensions of certificates and CRLs. Spec: RFC 5280 §4.2, §5.2, §5.3.
oids! {
    SUBJECT_KEY_ID = [0x55, 0x1d, 14];
    KEY_USAGE = [0x55, 0x1d, 15];
    SUBJECT_ALT_NAME = [0x55, 0x1d, 17];
    ISSUER_ALT_NAME = [0x55, 0x1d, 18];
    BASIC_CONSTRAINTS = [0x55, 0x1d, 19];
    CRL_NUMBER = [0x55, 0x1d, 20];
    REASON_CODE = [0x55, 0x1d, 21];
    INVALIDITY_DATE = [0x55, 0x1d, 24];
    DELTA_CRL_INDICATOR = [0x55, 0x1d, 27];
    ISSUING_DISTRIBUTION_POINT = [0x55, 0x1d, 28];
    CERTIFICATE_ISSUER = [0x55, 0x1d, 29];
    NAME_CONSTRAINTS = [0x55, 0x1d, 30];
    CRL_DISTRIBUTION_POINTS = [0x55, 0x1d, 31];
    CERTIFICATE_POLICIES = [0x55, 0x1d, 32];
    POLICY_MAPPINGS = [0x55, 0x1d, 33];
    AUTHORITY_KEY_ID = [0x55, 0x1d, 35];
    POLICY_CONSTRAINTS = [0x55, 0x1d, 36];
    EXTENDED_KEY_USAGE = [0x55, 0x1d, 37];
    INHIBIT_ANY_POLICY = [0x55, 0x1d, 54];
    AUTHORITY_INFO_ACCESS = [0x2b, 6, 1, 5, 5, 7, 1, 1];
}

// Purposes of extended key usage. Spec: RFC 5280 §4.2.1.12.
oids! {
    ANY_EXTENDED_KEY_USAGE = [0x55, 0x1d, 37, 0];
    SERVER_AUTH = [0x2b, 6, 1, 5, 5, 7, 3, 1];
    CLIENT_AUTH = [0x2b, 6, 1, 5, 5, 7, 3, 2];
}

// Attributes. Spec: RFC 5280 appendix A, RFC 2985.
oids! {
    /// emailAddress of a distinguished name.
    EMAIL_ADDRESS = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
    COMMON_NAME = [0x55, 4, 3];
    SERIAL_NUMBER = [0x55, 4, 5];
    ORGANIZATION = [0x55, 4, 10];
    /// extensionRequest of PKCS#10.
    EXTENSION_REQUEST = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_forms() {
        assert_eq!(dotted(SUBJECT_ALT_NAME), "2.5.29.17");
        assert_eq!(dotted(ECDSA_SHA256), "1.2.840.10045.4.3.2");
        assert_eq!(dotted(P384), "1.3.132.0.34");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
        assert_eq!(dotted(&[]), "");
    }
}
