//! What is to be signed, and what comes of it.

use std::sync::Arc;

use crate::certificate::{
    self, KeyUsage, SubjectAltNames, write_authority_key_id, write_ca_constraints, write_key_usage,
    write_leaf_constraints, write_leaf_purposes, write_subject_key_id, write_uri_constraints,
};
use crate::der::{SEQUENCE, Writer, context_constructed};
use crate::signature::{verify_signature, write_identifier};
use crate::{
    CaError, Certificate, Limits, PublicKeyInfo, SerialNumber, SignatureAlgorithm, SignatureError,
    SignatureFormat, SignatureVerifier, UnixTime,
};

/// About what serial number, validity and extensions need, so that a buffer seldom grows.
const REST_OF_TBS: usize = 384;

/// About what the extensions of a leaf need, the headers around them left out.
const ABOUT_EXTENSIONS: usize = 240;

/// About what the algorithm and the headers around it need.
const REST_OF_CERTIFICATE: usize = 48;

/// A certificate without its signature. The signed part is fixed when it is made (C-SGN-2).
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    pub(crate) spki: Arc<[u8]>,
    pub(crate) tbs: Vec<u8>,
}

/// What every certificate has.
pub(crate) struct Fields<'a> {
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: SignatureAlgorithm,
    /// The DER of the issuer's subject, byte by byte (C-SIGN-12).
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    pub(crate) subject: &'a [u8],
    pub(crate) spki: &'a Arc<[u8]>,
}

/// The extensions of a leaf (C-SIGN-7).
pub(crate) struct LeafExtensions<'a> {
    pub(crate) authority_key_id: &'a [u8],
    pub(crate) subject_key_id: &'a [u8],
    pub(crate) names: SubjectAltNames<'a>,
    pub(crate) names_critical: bool,
    pub(crate) key_usage: KeyUsage,
    pub(crate) crl_url: Option<&'a str>,
}

/// The extensions of an authority (C-CA-1, C-CA-2).
pub(crate) struct CaExtensions<'a> {
    pub(crate) authority_key_id: Option<&'a [u8]>,
    pub(crate) subject_key_id: &'a [u8],
    /// The id of the trust domain.
    pub(crate) id: Option<&'a str>,
    pub(crate) id_critical: bool,
    pub(crate) key_usage: KeyUsage,
    pub(crate) path_len: Option<u8>,
    pub(crate) permitted_hosts: &'a [&'a str],
}

impl Template {
    pub(crate) fn leaf(fields: &Fields<'_>, extensions: &LeafExtensions<'_>) -> Self {
        let LeafExtensions {
            authority_key_id,
            subject_key_id,
            names,
            names_critical,
            key_usage,
            crl_url,
        } = extensions;
        Self::new(fields, |list| {
            write_authority_key_id(list, authority_key_id);
            names.write(list, *names_critical);
            write_key_usage(list, *key_usage);
            write_leaf_purposes(list);
            if let Some(url) = crl_url {
                certificate::write_crl_url(list, url);
            }
            write_subject_key_id(list, subject_key_id);
            write_leaf_constraints(list);
        })
    }

    pub(crate) fn ca(fields: &Fields<'_>, extensions: &CaExtensions<'_>) -> Self {
        let CaExtensions {
            authority_key_id,
            subject_key_id,
            id,
            id_critical,
            key_usage,
            path_len,
            permitted_hosts,
        } = extensions;
        Self::new(fields, |list| {
            if let Some(key_id) = authority_key_id {
                write_authority_key_id(list, key_id);
            }
            if let Some(uri) = id {
                let names = SubjectAltNames {
                    uri,
                    dns: &[],
                    ips: &[],
                };
                names.write(list, *id_critical);
            }
            write_key_usage(list, *key_usage);
            if !permitted_hosts.is_empty() {
                write_uri_constraints(list, permitted_hosts.iter().copied());
            }
            write_subject_key_id(list, subject_key_id);
            write_ca_constraints(list, *path_len);
        })
    }

    fn new(fields: &Fields<'_>, extensions: impl FnOnce(&mut Writer)) -> Self {
        let Fields {
            serial,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
        } = *fields;
        let known = issuer
            .len()
            .saturating_add(subject.len())
            .saturating_add(spki.len());
        let mut writer = Writer::with_capacity(known.saturating_add(REST_OF_TBS));
        writer.nested_about(SEQUENCE, known.saturating_add(REST_OF_TBS), |tbs| {
            // Version 3.
            tbs.raw(&[context_constructed(0), 3, 2, 1, 2]);
            tbs.unsigned(serial.as_bytes());
            write_identifier(tbs, algorithm);
            tbs.raw(issuer);
            tbs.nested(SEQUENCE, |validity| {
                validity.time(not_before);
                validity.time(not_after);
            });
            tbs.raw(subject);
            tbs.raw(spki);
            tbs.nested_about(context_constructed(3), ABOUT_EXTENSIONS, |tagged| {
                tagged.nested_about(SEQUENCE, ABOUT_EXTENSIONS, extensions);
            });
        });
        Self {
            serial,
            algorithm,
            not_before,
            not_after,
            spki: Arc::clone(spki),
            tbs: writer.into_bytes(),
        }
    }

    /// The certificate.
    pub(crate) fn with_signature(&self, signature: &[u8]) -> Vec<u8> {
        let known = self.tbs.len().saturating_add(signature.len());
        let mut writer = Writer::with_capacity(known.saturating_add(REST_OF_CERTIFICATE));
        writer.nested_about(SEQUENCE, known, |certificate| {
            certificate.raw(&self.tbs);
            write_identifier(certificate, self.algorithm);
            certificate.whole_bits(signature);
        });
        writer.into_bytes()
    }

    /// Reads the certificate again and compares it with what was meant (C-SIGN-13). Every value that this writer makes is
    /// read strictly; what was taken over as it is (names of authorities, keys) was read when it came.
    pub(crate) fn check<'c>(&self, certificate: &'c [u8]) -> Result<Certificate<'c>, CaError> {
        Certificate::parse_within(certificate, &Limits::default())
            .ok()
            .filter(|read| self.is_as_meant(read))
            .ok_or(CaError::Template)
    }

    fn is_as_meant(&self, read: &Certificate<'_>) -> bool {
        read.tbs_der() == self.tbs
            && read.serial_number() == Some(self.serial)
            && read.not_before() == self.not_before
            && read.not_after() == self.not_after
            && *read.public_key_der() == *self.spki
            && read.signature_algorithm() == Ok(self.algorithm)
    }

    /// The signature that a job waited for, in DER, unless it came too late. It is still to be checked.
    pub(crate) fn accept(
        &self,
        signature: &[u8],
        format: SignatureFormat,
        deadline: UnixTime,
        now: UnixTime,
    ) -> Result<Vec<u8>, CaError> {
        if now > deadline {
            return Err(CaError::JobExpired);
        }
        format
            .to_der(self.algorithm, signature)
            .map_err(CaError::SignerMisbehaved)
    }

    /// Checks the signature with the key of the issuer (C-SIGN-13).
    pub(crate) fn check_signature(
        &self,
        verifier: &dyn SignatureVerifier,
        issuer_key: &PublicKeyInfo<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        verify_signature(verifier, self.algorithm, issuer_key, &self.tbs, signature)
    }
}
