//! Private keys: made from given randomness, read, written, and used to sign.

mod curve;
mod export;
mod import;
mod provider;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use self::export::KeyFormat;
pub use self::provider::KeyProvider;
pub use self::secret::SecretBytes;

#[cfg(feature = "x509")]
pub(crate) use self::curve::is_on_curve;
use self::provider::Prepared;
use crate::pem::PemError;
use crate::{
    DerError, Entropy, EntropyError, KeyAlgorithm, PublicKeyError, PublicKeyInfo, SignError,
    SignatureAlgorithm, Signer, default_verifier,
};

/// How often a scalar is drawn before the source of randomness is held to be broken (C-KEY-5). A good one needs a second
/// draw once in 2^32 keys.
const MAX_DRAWS: usize = 64;

/// A private key with its public key, ready to sign.
///
/// Cloning shares the key. Its bytes are overwritten when the last clone is dropped (what a provider keeps inside its own
/// types is the provider's), and it never prints anything but its kind. There is no `PartialEq`: compare the public keys.
///
/// ```
/// use mesh_ca::{InsecureSeededEntropy, KeyAlgorithm, KeyPair, Signer, default_verifier};
///
/// // Production code passes the system's random device here.
/// let mut entropy = InsecureSeededEntropy::new(7);
/// let key = KeyPair::generate(&mut entropy)?;
/// assert_eq!(key.key_algorithm(), KeyAlgorithm::EcdsaP256);
/// assert_eq!(format!("{key:?}"), "KeyPair(ECDSA P-256)");
///
/// let signature = key.sign(b"hello")?;
/// default_verifier().verify(key.algorithm(), &key.public_key(), b"hello", &signature)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: ca.md C-KEY-1..9, C-GEN-7.
#[derive(Clone)]
pub struct KeyPair {
    algorithm: SignatureAlgorithm,
    inner: Arc<Inner>,
}

struct Inner {
    secret: Secret,
    spki: Vec<u8>,
    provider: KeyProvider,
    prepared: Prepared,
}

/// What must be kept secret, with the bytes of the public key beside it.
#[derive(Clone)]
enum Secret {
    /// A scalar of its curve's size, big-endian, and the uncompressed point.
    Ec {
        algorithm: KeyAlgorithm,
        scalar: Zeroizing<Vec<u8>>,
        point: Vec<u8>,
    },
    /// The 32 bytes that the key is expanded from.
    Ed25519 {
        seed: Zeroizing<Vec<u8>>,
        public: Vec<u8>,
    },
    /// An RSAPrivateKey (PKCS#1).
    Rsa {
        pkcs1: Zeroizing<Vec<u8>>,
        public: Vec<u8>,
        bits: u16,
    },
}

impl Secret {
    fn key_algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Ec { algorithm, .. } => *algorithm,
            Self::Ed25519 { .. } => KeyAlgorithm::Ed25519,
            Self::Rsa { bits, .. } => KeyAlgorithm::Rsa(*bits),
        }
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::Ec { point, .. } => point,
            Self::Ed25519 { public, .. } | Self::Rsa { public, .. } => public,
        }
    }
}

impl KeyPair {
    /// A new ECDSA P-256 key, the default of Istio and SPIFFE. The same random bytes give the same key.
    ///
    /// # Errors
    /// When the source of randomness fails, or gives nothing that can be a key.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, KeyError> {
        Self::generate_for(KeyAlgorithm::default(), entropy)
    }

    /// A new key of a kind. The same random bytes give the same key; RSA keys are the exception, since the provider that
    /// makes them (feature `aws-lc`) draws from its own generator.
    ///
    /// # Errors
    /// As [`generate`](Self::generate); [`KeyError::NotOffered`] for RSA without the feature `aws-lc`, and for RSA sizes
    /// other than 2048, 3072 and 4096 bits.
    ///
    /// Spec: ca.md C-KEY-5.
    pub fn generate_for(algorithm: KeyAlgorithm, entropy: &mut dyn Entropy) -> Result<Self, KeyError> {
        let secret = match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => ec_from_entropy(algorithm, entropy)?,
            KeyAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new(vec![0; 32]);
                entropy.fill(&mut seed)?;
                let public = curve::ed25519_public(&seed).ok_or(KeyError::Secret)?;
                Secret::Ed25519 { seed, public }
            }
            KeyAlgorithm::Rsa(bits) => provider::generate_rsa(bits)?,
        };
        Self::prepare(secret, KeyProvider::default())
    }

    /// Reads a private key in PEM: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`, with or without `EC PARAMETERS`
    /// before it) or PKCS#1 (`RSA PRIVATE KEY`). There must be exactly one.
    ///
    /// ```
    /// use mesh_ca::{InsecureSeededEntropy, KeyFormat, KeyPair};
    ///
    /// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
    /// let pem = key.to_pem(KeyFormat::Traditional);
    /// assert!(pem.expose_text().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    /// assert_eq!(KeyPair::from_pem(pem.expose())?.public_key(), key.public_key());
    /// # Ok::<(), mesh_ca::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::Encrypted`] for keys under a password; whatever else is wrong with the text or the key.
    ///
    /// Spec: ca.md C-KEY-6.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        Self::prepare(import::pem(text)?, KeyProvider::default())
    }

    /// Reads a private key in PKCS#8 (version 1 or 2). A public key that stands beside it must be its own.
    ///
    /// # Errors
    /// What is wrong with the key.
    ///
    /// Spec: RFC 5958; ca.md C-KEY-6.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::prepare(import::pkcs8(der)?, KeyProvider::default())
    }

    /// Reads an elliptic curve key in SEC1 form.
    ///
    /// # Errors
    /// What is wrong with the key.
    ///
    /// Spec: RFC 5915; ca.md C-KEY-6.
    pub fn from_sec1_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::prepare(import::sec1(der, None)?, KeyProvider::default())
    }

    /// Reads an RSA key in PKCS#1 form.
    ///
    /// # Errors
    /// What is wrong with the key; [`KeyError::NotOffered`] if no provider has RSA.
    ///
    /// Spec: RFC 8017 appendix A.1.2; ca.md C-KEY-6.
    pub fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::prepare(import::pkcs1(der)?, KeyProvider::default())
    }

    /// The same key, used through another provider.
    ///
    /// # Errors
    /// [`KeyError::NotOffered`] if it does not have such keys.
    pub fn with_provider(self, provider: KeyProvider) -> Result<Self, KeyError> {
        let key = Self::prepare(self.inner.secret.clone(), provider)?;
        key.with_algorithm(self.algorithm)
    }

    /// The same key, signing with another algorithm. RSA keys sign with SHA-256 by default and can take SHA-384 or
    /// SHA-512; the other kinds have just one algorithm each.
    ///
    /// # Errors
    /// [`KeyError::AlgorithmNotOffered`] for any other.
    pub fn with_algorithm(self, algorithm: SignatureAlgorithm) -> Result<Self, KeyError> {
        let key = self.key_algorithm();
        let rsa = matches!(
            algorithm,
            SignatureAlgorithm::RsaPkcs1Sha256
                | SignatureAlgorithm::RsaPkcs1Sha384
                | SignatureAlgorithm::RsaPkcs1Sha512
        );
        if algorithm != SignatureAlgorithm::of_key(key) && !(rsa && algorithm.fits(key)) {
            return Err(KeyError::AlgorithmNotOffered { algorithm, key });
        }
        Ok(Self { algorithm, ..self })
    }

    /// The kind of key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.inner.secret.key_algorithm()
    }

    /// The provider that signs.
    pub fn provider(&self) -> KeyProvider {
        self.inner.provider
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKeyInfo<'_> {
        PublicKeyInfo::trusted(&self.inner.spki, self.key_algorithm(), self.inner.secret.public())
    }

    /// Whether this is the private key of that public key.
    ///
    /// Spec: ca.md C-KEY-8.
    pub fn matches(&self, public_key: &PublicKeyInfo<'_>) -> bool {
        public_key.der() == self.inner.spki
    }

    fn prepare(secret: Secret, provider: KeyProvider) -> Result<Self, KeyError> {
        let prepared = provider::prepare(&secret, provider)?;
        let key_algorithm = secret.key_algorithm();
        let key = Self {
            algorithm: SignatureAlgorithm::of_key(key_algorithm),
            inner: Arc::new(Inner {
                spki: PublicKeyInfo::encode(key_algorithm, secret.public()),
                provider,
                prepared,
                secret,
            }),
        };
        if matches!(key_algorithm, KeyAlgorithm::Rsa(_)) {
            key.try_out()?;
        }
        Ok(key)
    }

    /// Providers differ in which contradictions between the parts of an RSA key they see. A signature that verifies shows
    /// that the parts used for signing belong to the public key.
    fn try_out(&self) -> Result<(), KeyError> {
        let signature = self.sign(b"mesh-ca").map_err(|_| KeyError::Secret)?;
        default_verifier()
            .verify(self.algorithm, &self.public_key(), b"mesh-ca", &signature)
            .map_err(|_| KeyError::Secret)
    }
}

impl Signer for KeyPair {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn spki_der(&self) -> &[u8] {
        &self.inner.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.inner.prepared.sign(self.algorithm, message)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.key_algorithm())
    }
}

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key cannot sign with the algorithm.
    #[error("{key} keys do not sign with {algorithm} here")]
    AlgorithmNotOffered {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// The kind of key.
        key: KeyAlgorithm,
    },
    /// The curve inside the key differs from that outside.
    #[error("the key names two different curves")]
    CurveMismatch,
    /// The bytes are no strict DER, or not of the right shape.
    #[error("the private key is malformed: {0}")]
    Der(#[from] DerError),
    /// The key is encrypted with a password. Decrypt it first.
    #[error("the private key is encrypted")]
    Encrypted,
    /// The source of random bytes failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// No provider among the features has keys of this kind.
    #[error("no provider is there for {0} keys")]
    NotOffered(KeyAlgorithm),
    /// The text is no PEM, or holds no private key, or more than one.
    #[error("the private key is no PEM of one key: {0}")]
    Pem(#[from] PemError),
    /// The public part is not one that is taken.
    #[error("the private key has a public key that is not taken: {0}")]
    PublicKey(#[source] PublicKeyError),
    /// The public key that stands beside the private one is another key's.
    #[error("the public key beside the private key is another one")]
    PublicKeyMismatch,
    /// The secret part is out of range, or its parts contradict each other.
    #[error("the secret part of the key is wrong")]
    Secret,
    /// The key is of a kind that is not taken.
    #[error("the key algorithm `{name}` is not supported")]
    UnsupportedAlgorithm {
        /// Its name, or its object identifier where it has none here.
        name: String,
    },
}

impl KeyError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmNotOffered { .. } => "private_key.algorithm_not_offered",
            Self::CurveMismatch => "private_key.curve_mismatch",
            Self::Der(_) => "private_key.der",
            Self::Encrypted => "private_key.encrypted",
            Self::Entropy(_) => "private_key.entropy",
            Self::NotOffered(_) => "private_key.not_offered",
            Self::Pem(_) => "private_key.pem",
            Self::PublicKey(_) => "private_key.public_key",
            Self::PublicKeyMismatch => "private_key.public_key_mismatch",
            Self::Secret => "private_key.secret",
            Self::UnsupportedAlgorithm { .. } => "private_key.unsupported_algorithm",
        }
    }
}

/// Draws until there is a number from 1 to the order of the curve, exclusive.
fn ec_from_entropy(algorithm: KeyAlgorithm, entropy: &mut dyn Entropy) -> Result<Secret, KeyError> {
    let length = if algorithm == KeyAlgorithm::EcdsaP384 {
        48
    } else {
        32
    };
    let mut scalar = Zeroizing::new(vec![0; length]);
    for _ in 0..MAX_DRAWS {
        entropy.fill(&mut scalar)?;
        if let Some(point) = curve::ec_public(algorithm, &scalar) {
            return Ok(Secret::Ec {
                algorithm,
                scalar,
                point,
            });
        }
    }
    Err(KeyError::Entropy(EntropyError))
}
