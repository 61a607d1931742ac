//! Writing private keys (C-KEY-7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secret::{sequence, wrap};
use super::{KeyPair, Secret, SecretBytes};
use crate::der::{INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Writer, context_constructed};
use crate::pem::PemLabel;
use crate::{KeyAlgorithm, oid};

/// The form in which a private key is written.
///
/// Source: ca.md C-KEY-7.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyFormat {
    /// PKCS#8, for every kind of key. The default, and the only form that ztunnel reads.
    #[default]
    Pkcs8,
    /// SEC1 for elliptic curves, PKCS#1 for RSA: what Istio's agents write by default. Ed25519 has no such form and stays
    /// PKCS#8.
    Traditional,
}

impl KeyPair {
    /// The private key in DER.
    pub fn to_der(&self, format: KeyFormat) -> SecretBytes {
        SecretBytes::new(self.inner.secret.encode(format).0)
    }

    /// The private key in PEM: lines of 64 columns, with one LF at the end.
    pub fn to_pem(&self, format: KeyFormat) -> SecretBytes {
        let (der, label) = self.inner.secret.encode(format);
        SecretBytes::new(armor(label, &der))
    }
}

impl Secret {
    fn encode(&self, format: KeyFormat) -> (Zeroizing<Vec<u8>>, PemLabel) {
        match (self, format) {
            (
                Self::Ec {
                    algorithm,
                    scalar,
                    point,
                },
                KeyFormat::Traditional,
            ) => (
                sec1(scalar, Some(*algorithm), Some(point)),
                PemLabel::EcPrivateKey,
            ),
            (Self::Rsa { pkcs1, .. }, KeyFormat::Traditional) => (pkcs1.clone(), PemLabel::RsaPrivateKey),
            (
                Self::Ec {
                    algorithm,
                    scalar,
                    point,
                },
                KeyFormat::Pkcs8,
            ) => (
                pkcs8(*algorithm, &sec1(scalar, None, Some(point))),
                PemLabel::PrivateKey,
            ),
            (Self::Ed25519 { seed, .. }, _) => (
                pkcs8(KeyAlgorithm::Ed25519, &wrap(OCTET_STRING, &[seed])),
                PemLabel::PrivateKey,
            ),
            (Self::Rsa { pkcs1, bits, .. }, KeyFormat::Pkcs8) => {
                (pkcs8(KeyAlgorithm::Rsa(*bits), pkcs1), PemLabel::PrivateKey)
            }
        }
    }
}

/// PrivateKeyInfo, version 1. Spec: RFC 5958 §2.
fn pkcs8(algorithm: KeyAlgorithm, key: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut identifier = Writer::new();
    identifier.nested(SEQUENCE, |identifier| match algorithm {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {
            identifier.oid(oid::EC_PUBLIC_KEY);
            identifier.oid(curve_oid(algorithm));
        }
        KeyAlgorithm::Ed25519 => identifier.oid(oid::ED25519),
        KeyAlgorithm::Rsa(_) => {
            identifier.oid(oid::RSA_ENCRYPTION);
            identifier.value(NULL, &[]);
        }
    });
    sequence(&[
        &[INTEGER, 1, 0],
        &identifier.into_bytes(),
        &wrap(OCTET_STRING, &[key]),
    ])
}

/// ECPrivateKey. Inside PKCS#8 the curve is left out, since it stands outside. Spec: RFC 5915 §3.
fn sec1(scalar: &[u8], curve: Option<KeyAlgorithm>, point: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let curve = curve.map(|curve| {
        wrap(
            context_constructed(0),
            &[&wrap(OBJECT_IDENTIFIER, &[curve_oid(curve)])],
        )
    });
    let public = point.map(|point| {
        let mut bits = Writer::new();
        bits.whole_bits(point);
        wrap(context_constructed(1), &[&bits.into_bytes()])
    });
    sequence(&[
        &[INTEGER, 1, 1],
        &wrap(OCTET_STRING, &[scalar]),
        curve.as_deref().map_or(&[][..], Vec::as_slice),
        public.as_deref().map_or(&[][..], Vec::as_slice),
    ])
}

/// For a provider that is to compute the point.
#[cfg(all(feature = "aws-lc", not(any(feature = "ring", feature = "soft"))))]
pub(super) fn sec1_without_point(algorithm: KeyAlgorithm, scalar: &[u8]) -> Zeroizing<Vec<u8>> {
    sec1(scalar, Some(algorithm), None)
}

fn curve_oid(algorithm: KeyAlgorithm) -> &'static [u8] {
    match algorithm {
        KeyAlgorithm::EcdsaP384 => oid::P384,
        _ => oid::P256,
    }
}

/// PEM in a buffer that has its final size from the start.
fn armor(label: PemLabel, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let content = Zeroizing::new(STANDARD.encode(der));
    let label = label.as_str();
    let size = content
        .len()
        .saturating_add(content.len() / 64)
        .saturating_add(2 * label.len() + 64);
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    for part in [b"-----BEGIN ", label.as_bytes(), b"-----\n"] as [&[u8]; 3] {
        text.extend_from_slice(part);
    }
    for line in content.as_bytes().chunks(64) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    for part in [b"-----END ", label.as_bytes(), b"-----\n"] as [&[u8]; 3] {
        text.extend_from_slice(part);
    }
    text
}
