//! Reading private keys (C-KEY-6).

use zeroize::Zeroizing;

use super::{KeyError, Secret, curve};
use crate::der::{
    self, BIT_STRING, DerErrorKind, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, Writer,
    context, context_constructed,
};
use crate::pem::{Blocks, PemError, PemErrorKind, PemLabel};
use crate::{KeyAlgorithm, Limits, PublicKeyInfo, oid};

pub(super) fn pem(text: &[u8]) -> Result<Secret, KeyError> {
    let mut found = None;
    for block in Blocks::new(text, &Limits::default())? {
        let block = block?;
        let parse: fn(&[u8]) -> Result<Secret, KeyError> = match block.label() {
            Some(PemLabel::EcParameters) => continue,
            Some(PemLabel::EncryptedPrivateKey) => return Err(KeyError::Encrypted),
            Some(PemLabel::PrivateKey) => pkcs8,
            Some(PemLabel::EcPrivateKey) => |der| sec1(der, None),
            Some(PemLabel::RsaPrivateKey) => pkcs1,
            _ => return Err(PemError::new(PemErrorKind::UnexpectedLabel, block.line).into()),
        };
        if block.is_encrypted() {
            return Err(KeyError::Encrypted);
        }
        if found.is_some() {
            return Err(PemError::new(PemErrorKind::MoreThanOne, block.line).into());
        }
        found = Some(parse(&Zeroizing::new(block.decode()?))?);
    }
    found.ok_or_else(|| PemError::new(PemErrorKind::NoBlock, 0).into())
}

/// PrivateKeyInfo and OneAsymmetricKey. Spec: RFC 5958 §2.
pub(super) fn pkcs8(der: &[u8]) -> Result<Secret, KeyError> {
    let mut reader = der::single(der, SEQUENCE)?.reader()?;
    let version = reader.read(INTEGER)?;
    let version_number = version.u64()?;
    let mut identifier = reader.nested(SEQUENCE)?;
    let key = reader.read(OCTET_STRING)?;
    // Attributes say nothing about the key.
    reader.optional(context_constructed(0))?;
    let public = public_key_of(&mut reader)?;
    reader.finish()?;
    // Version 2 is the one with a public key.
    if version_number != u64::from(public.is_some()) {
        return Err(version.error(DerErrorKind::Unexpected).into());
    }
    let algorithm = identifier.read(OBJECT_IDENTIFIER)?.oid()?;
    let secret = match algorithm {
        oid::EC_PUBLIC_KEY => {
            let curve = curve_of(identifier.read(OBJECT_IDENTIFIER)?.oid()?)?;
            identifier.finish()?;
            sec1(key.content, Some(curve))?
        }
        oid::ED25519 => {
            identifier.finish()?;
            ed25519(key.content)?
        }
        oid::RSA_ENCRYPTION => {
            if !identifier.read(NULL)?.content.is_empty() {
                return Err(key.error(DerErrorKind::Unexpected).into());
            }
            identifier.finish()?;
            pkcs1(key.content)?
        }
        other => return Err(unsupported(other)),
    };
    match public {
        Some(public) if public != secret.public() => Err(KeyError::PublicKeyMismatch),
        _ => Ok(secret),
    }
}

/// `[1] IMPLICIT BIT STRING`. Older writers of Ed25519 keys made the tag explicit; that is taken too.
fn public_key_of<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, KeyError> {
    if let Some(implicit) = reader.optional(context(1))? {
        return Ok(Some(implicit.whole_bits()?));
    }
    let Some(explicit) = reader.optional(context_constructed(1))? else {
        return Ok(None);
    };
    let mut inner = explicit.reader()?;
    let public = inner.read(BIT_STRING)?.whole_bits()?;
    inner.finish()?;
    Ok(Some(public))
}

/// ECPrivateKey. `outside` is the curve that PKCS#8 named already. Spec: RFC 5915 §3.
pub(super) fn sec1(der: &[u8], outside: Option<KeyAlgorithm>) -> Result<Secret, KeyError> {
    let mut reader = der::single(der, SEQUENCE)?.reader()?;
    let version = reader.read(INTEGER)?;
    if version.u64()? != 1 {
        return Err(version.error(DerErrorKind::Unexpected).into());
    }
    let scalar = reader.read(OCTET_STRING)?;
    let inside = match reader.optional(context_constructed(0))? {
        Some(parameters) => {
            let mut parameters = parameters.reader()?;
            let curve = curve_of(parameters.read(OBJECT_IDENTIFIER)?.oid()?)?;
            parameters.finish()?;
            Some(curve)
        }
        None => None,
    };
    let public = match reader.optional(context_constructed(1))? {
        Some(public) => {
            let mut public = public.reader()?;
            let bits = public.read(BIT_STRING)?.whole_bits()?;
            public.finish()?;
            Some(bits)
        }
        None => None,
    };
    reader.finish()?;
    let algorithm = match (outside, inside) {
        (Some(outside), Some(inside)) if outside != inside => return Err(KeyError::CurveMismatch),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(scalar.error(DerErrorKind::Unexpected).into()),
    };
    let point = curve::ec_public(algorithm, scalar.content).ok_or(KeyError::Secret)?;
    match public {
        Some(public) if public != point => Err(KeyError::PublicKeyMismatch),
        _ => Ok(Secret::Ec {
            algorithm,
            scalar: Zeroizing::new(scalar.content.to_vec()),
            point,
        }),
    }
}

/// CurvePrivateKey. Spec: RFC 8410 §7.
fn ed25519(der: &[u8]) -> Result<Secret, KeyError> {
    let seed = der::single(der, OCTET_STRING)?;
    let public = curve::ed25519_public(seed.content).ok_or(KeyError::Secret)?;
    Ok(Secret::Ed25519 {
        seed: Zeroizing::new(seed.content.to_vec()),
        public,
    })
}

/// RSAPrivateKey with two primes. That its parts belong together is for the provider to check.
/// Spec: RFC 8017 appendix A.1.2.
pub(super) fn pkcs1(der: &[u8]) -> Result<Secret, KeyError> {
    let mut reader = der::single(der, SEQUENCE)?.reader()?;
    let version = reader.read(INTEGER)?;
    if version.u64()? != 0 {
        return Err(version.error(DerErrorKind::Unexpected).into());
    }
    let (modulus, exponent) = (reader.read(INTEGER)?, reader.read(INTEGER)?);
    // privateExponent, the two primes, their exponents, and the coefficient.
    for _ in 0..6 {
        reader.read(INTEGER)?.unsigned()?;
    }
    reader.finish()?;
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |public| {
        public.raw(modulus.der);
        public.raw(exponent.der);
    });
    let public = writer.into_bytes();
    let spki = PublicKeyInfo::encode(KeyAlgorithm::Rsa(0), &public);
    let KeyAlgorithm::Rsa(bits) = PublicKeyInfo::parse(&spki)
        .map_err(KeyError::PublicKey)?
        .algorithm()
    else {
        return Err(KeyError::Secret);
    };
    Ok(Secret::Rsa {
        pkcs1: Zeroizing::new(der.to_vec()),
        public,
        bits,
    })
}

fn curve_of(curve: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    match curve {
        oid::P256 => Ok(KeyAlgorithm::EcdsaP256),
        oid::P384 => Ok(KeyAlgorithm::EcdsaP384),
        other => Err(unsupported(other)),
    }
}

fn unsupported(algorithm: &[u8]) -> KeyError {
    KeyError::UnsupportedAlgorithm {
        name: crate::public_key::name_of(algorithm),
    }
}
