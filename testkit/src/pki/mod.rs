//! Certificates and CRLs for tests: good ones by default, and every field open to be made bad.

pub mod der;
pub mod reference;

use std::sync::Arc;

use mesh_ca::{
    InsecureSeededEntropy, KeyAlgorithm, KeyPair, PublicKeyInfo, SignatureAlgorithm, Signer, UnixTime,
};

/// The time that the certificates here are made around: they are valid a year before and after.
pub const NOW: i64 = 1_800_000_000;

/// A year, about.
pub const YEAR: i64 = 365 * 86_400;

/// [`NOW`] as the library takes it.
pub fn now() -> UnixTime {
    UnixTime::from_secs(NOW)
}

/// A key from a number: the same number gives the same key.
pub fn key(algorithm: KeyAlgorithm, seed: u64) -> Arc<KeyPair> {
    let mut entropy = InsecureSeededEntropy::new(seed ^ 0x5eed);
    Arc::new(KeyPair::generate_for(algorithm, &mut entropy).expect("a key"))
}

/// A distinguished name with a common name, or an empty one.
pub fn name(common_name: &str) -> Vec<u8> {
    if common_name.is_empty() {
        return der::sequence([[]; 0]);
    }
    let attribute = der::sequence([der::oid("2.5.4.3"), der::value(0x0c, common_name.as_bytes())]);
    der::sequence([der::value(0x31, &attribute)])
}

/// An extension, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier in dotted form.
    pub oid: &'static str,
    /// Whether it is critical.
    pub critical: bool,
    /// What is inside the OCTET STRING.
    pub value: Vec<u8>,
}

/// A certificate before it is signed.
#[derive(Clone, Debug)]
pub struct Template {
    /// 1, 2 or 3.
    pub version: u8,
    /// The content of the serial number's INTEGER.
    pub serial: Vec<u8>,
    /// The DER of the issuer's name.
    pub issuer: Vec<u8>,
    /// The DER of the subject's name.
    pub subject: Vec<u8>,
    /// The first second of validity, since the epoch.
    pub not_before: i64,
    /// The last second of validity.
    pub not_after: i64,
    /// The SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// In their order.
    pub extensions: Vec<Extension>,
}

impl Template {
    /// Replaces an extension of the same object identifier, or adds it.
    pub fn set(&mut self, extension: Extension) -> &mut Self {
        self.remove(extension.oid).extensions.push(extension);
        self
    }

    /// Takes an extension out.
    pub fn remove(&mut self, oid: &str) -> &mut Self {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    /// Changes whether an extension is critical.
    pub fn critical(&mut self, oid: &str, critical: bool) -> &mut Self {
        for extension in &mut self.extensions {
            if extension.oid == oid {
                extension.critical = critical;
            }
        }
        self
    }

    /// Signs it.
    pub fn sign(&self, signer: &KeyPair) -> Vec<u8> {
        let version = match self.version {
            1 => Vec::new(),
            version => der::value(0xa0, &der::unsigned(u64::from(version) - 1)),
        };
        let extensions: Vec<Vec<u8>> = self.extensions.iter().map(encode_extension).collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => der::value(0xa3, &der::sequence(extensions)),
        };
        signed(
            signer,
            &[
                version,
                der::value(0x02, &self.serial),
                identifier(signer.algorithm()),
                self.issuer.clone(),
                der::sequence([der::time(self.not_before), der::time(self.not_after)]),
                self.subject.clone(),
                self.public_key.clone(),
                extensions,
            ],
        )
    }
}

fn encode_extension(extension: &Extension) -> Vec<u8> {
    let critical = match extension.critical {
        true => der::value(0x01, &[0xff]),
        false => Vec::new(),
    };
    der::sequence([
        der::oid(extension.oid),
        critical,
        der::value(0x04, &extension.value),
    ])
}

/// The fields of a signed part, signed.
fn signed(signer: &KeyPair, fields: &[Vec<u8>]) -> Vec<u8> {
    let tbs = der::sequence(fields);
    let signature = signer.sign(&tbs).expect("it signs");
    der::sequence([tbs, identifier(signer.algorithm()), der::bits(&signature)])
}

fn identifier(algorithm: SignatureAlgorithm) -> Vec<u8> {
    let oid = match algorithm {
        SignatureAlgorithm::EcdsaSha256 => "1.2.840.10045.4.3.2",
        SignatureAlgorithm::EcdsaSha384 => "1.2.840.10045.4.3.3",
        SignatureAlgorithm::Ed25519 => "1.3.101.112",
        other => panic!("the tests do not sign with {other}"),
    };
    der::sequence([der::oid(oid)])
}

/// Makes extensions.
pub mod extension {
    use super::{Extension, der};

    /// basicConstraints.
    pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    /// keyUsage.
    pub const KEY_USAGE: &str = "2.5.29.15";
    /// extKeyUsage.
    pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    /// subjectAltName.
    pub const SUBJECT_ALT_NAME: &str = "2.5.29.17";
    /// subjectKeyIdentifier.
    pub const SUBJECT_KEY_ID: &str = "2.5.29.14";
    /// authorityKeyIdentifier.
    pub const AUTHORITY_KEY_ID: &str = "2.5.29.35";
    /// nameConstraints.
    pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
    /// digitalSignature as the content of keyUsage.
    pub const DIGITAL_SIGNATURE: &[u8] = &[7, 0x80];
    /// keyCertSign and cRLSign as the content of keyUsage.
    pub const SIGNS: &[u8] = &[1, 0x06];
    /// keyCertSign alone.
    pub const SIGNS_CERTIFICATES: &[u8] = &[2, 0x04];
    /// serverAuth.
    pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
    /// clientAuth.
    pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
    /// emailProtection.
    pub const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";

    /// Critical basicConstraints.
    pub fn basic_constraints(ca: bool, path_len: Option<u64>) -> Extension {
        let ca = if ca { der::value(0x01, &[0xff]) } else { Vec::new() };
        let path_len = path_len.map(der::unsigned).unwrap_or_default();
        Extension {
            oid: BASIC_CONSTRAINTS,
            critical: true,
            value: der::sequence([ca, path_len]),
        }
    }

    /// Critical keyUsage, from the content of its BIT STRING.
    pub fn key_usage(content: &[u8]) -> Extension {
        Extension {
            oid: KEY_USAGE,
            critical: true,
            value: der::value(0x03, content),
        }
    }

    /// extKeyUsage.
    pub fn extended_key_usage(purposes: &[&str]) -> Extension {
        Extension {
            oid: EXTENDED_KEY_USAGE,
            critical: false,
            value: der::sequence(purposes.iter().map(|purpose| der::oid(purpose))),
        }
    }

    /// subjectAltName of general names.
    pub fn subject_alt_name(names: &[Vec<u8>]) -> Extension {
        Extension {
            oid: SUBJECT_ALT_NAME,
            critical: false,
            value: der::sequence(names),
        }
    }

    /// A URI as a general name.
    pub fn uri(text: &str) -> Vec<u8> {
        der::value(0x86, text.as_bytes())
    }

    /// A DNS name as a general name.
    pub fn dns(text: &str) -> Vec<u8> {
        der::value(0x82, text.as_bytes())
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_id(key_id: &[u8]) -> Extension {
        Extension {
            oid: SUBJECT_KEY_ID,
            critical: false,
            value: der::value(0x04, key_id),
        }
    }

    /// authorityKeyIdentifier with a key identifier.
    pub fn authority_key_id(key_id: &[u8]) -> Extension {
        Extension {
            oid: AUTHORITY_KEY_ID,
            critical: false,
            value: der::sequence([der::value(0x80, key_id)]),
        }
    }

    /// Critical nameConstraints of general names as bases; no list where there are none.
    pub fn name_constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
        let list = |tag: u8, bases: &[Vec<u8>]| match bases {
            [] => Vec::new(),
            bases => der::value(tag, &der::joined(bases.iter().map(|base| der::sequence([base])))),
        };
        Extension {
            oid: NAME_CONSTRAINTS,
            critical: true,
            value: der::sequence([list(0xa0, permitted), list(0xa1, excluded)]),
        }
    }
}

/// An authority with its certificate.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its key.
    pub key: Arc<KeyPair>,
    /// The DER of its name.
    pub name: Vec<u8>,
    /// Its certificate.
    pub certificate: Vec<u8>,
}

impl Authority {
    /// A root of that name, with a key made from the name.
    pub fn root(common_name: &str) -> Self {
        Self::root_with(common_name, |_| {})
    }

    /// A root whose certificate is changed before it is signed.
    pub fn root_with(common_name: &str, change: impl FnOnce(&mut Template)) -> Self {
        let key = key(KeyAlgorithm::Ed25519, seed(common_name));
        let name = name(common_name);
        let mut template = ca_template(&name, &name, &key.public_key(), None);
        change(&mut template);
        let certificate = template.sign(&key);
        Self {
            key,
            name,
            certificate,
        }
    }

    /// An intermediate authority below this one.
    pub fn intermediate(&self, common_name: &str) -> Self {
        self.intermediate_with(common_name, |_| {})
    }

    /// An intermediate authority whose certificate is changed before it is signed.
    pub fn intermediate_with(&self, common_name: &str, change: impl FnOnce(&mut Template)) -> Self {
        let key = key(KeyAlgorithm::Ed25519, seed(common_name));
        let name = name(common_name);
        let mut template = ca_template(&self.name, &name, &key.public_key(), Some(&self.key.public_key()));
        change(&mut template);
        Self {
            certificate: template.sign(&self.key),
            key,
            name,
        }
    }

    /// The certificate of a workload.
    pub fn leaf(&self, uri: &str) -> Vec<u8> {
        self.leaf_with(uri, |_| {})
    }

    /// The certificate of a workload that is changed before it is signed.
    pub fn leaf_with(&self, uri: &str, change: impl FnOnce(&mut Template)) -> Vec<u8> {
        let mut template = self.leaf_template(uri);
        change(&mut template);
        template.sign(&self.key)
    }

    /// What a certificate of a workload is made from.
    pub fn leaf_template(&self, uri: &str) -> Template {
        let key = leaf_key(uri);
        Template {
            version: 3,
            serial: serial(uri),
            issuer: self.name.clone(),
            subject: name("workload"),
            not_before: NOW - YEAR,
            not_after: NOW + YEAR,
            public_key: key.public_key().der().to_vec(),
            extensions: vec![
                extension::basic_constraints(false, None),
                extension::key_usage(extension::DIGITAL_SIGNATURE),
                extension::extended_key_usage(&[extension::SERVER_AUTH, extension::CLIENT_AUTH]),
                extension::subject_alt_name(&[extension::uri(uri)]),
                extension::authority_key_id(self.key.public_key().key_id().as_bytes()),
            ],
        }
    }

    /// A CRL of this authority.
    pub fn crl(&self) -> CrlTemplate {
        CrlTemplate {
            issuer: self.name.clone(),
            this_update: NOW - 3_600,
            next_update: Some(NOW + 3_600),
            entries: Vec::new(),
            extensions: vec![
                extension::authority_key_id(self.key.public_key().key_id().as_bytes()),
                crl_number(1),
            ],
        }
    }
}

/// The key of the workload with that id.
pub fn leaf_key(uri: &str) -> Arc<KeyPair> {
    key(KeyAlgorithm::Ed25519, seed(uri))
}

/// The content of a serial number made from a text.
pub fn serial(text: &str) -> Vec<u8> {
    let mut bytes = seed(text).to_be_bytes().to_vec();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    bytes
}

fn ca_template(
    issuer: &[u8],
    subject: &[u8],
    key: &PublicKeyInfo<'_>,
    issuer_key: Option<&PublicKeyInfo<'_>>,
) -> Template {
    let mut extensions = vec![
        extension::basic_constraints(true, None),
        extension::key_usage(extension::SIGNS),
        extension::subject_key_id(key.key_id().as_bytes()),
    ];
    if let Some(issuer_key) = issuer_key {
        extensions.push(extension::authority_key_id(issuer_key.key_id().as_bytes()));
    }
    Template {
        version: 3,
        serial: serial(&format!("{subject:?}{issuer:?}")),
        issuer: issuer.to_vec(),
        subject: subject.to_vec(),
        not_before: NOW - YEAR,
        not_after: NOW + YEAR,
        public_key: key.der().to_vec(),
        extensions,
    }
}

/// FNV-1a, so that names give keys.
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// CRLNumber.
pub fn crl_number(number: u64) -> Extension {
    Extension {
        oid: "2.5.29.20",
        critical: false,
        value: der::unsigned(number),
    }
}

/// A CRL before it is signed.
#[derive(Clone, Debug)]
pub struct CrlTemplate {
    /// The DER of the issuer's name.
    pub issuer: Vec<u8>,
    /// thisUpdate, in seconds since the epoch.
    pub this_update: i64,
    /// nextUpdate.
    pub next_update: Option<i64>,
    /// The contents of serial numbers' INTEGERs, when they were revoked, and extensions.
    pub entries: Vec<(Vec<u8>, i64, Vec<Extension>)>,
    /// Extensions of the list.
    pub extensions: Vec<Extension>,
}

impl CrlTemplate {
    /// Adds a serial number.
    pub fn revoke(mut self, serial: &[u8]) -> Self {
        self.entries.push((serial.to_vec(), NOW - 7_200, Vec::new()));
        self
    }

    /// Gives it a number.
    pub fn number(mut self, number: u64) -> Self {
        self.extensions.retain(|extension| extension.oid != "2.5.29.20");
        self.extensions.push(crl_number(number));
        self
    }

    /// Signs it.
    pub fn sign(&self, signer: &KeyPair) -> Vec<u8> {
        let list = |extensions: &[Extension]| match extensions {
            [] => Vec::new(),
            extensions => der::sequence(extensions.iter().map(encode_extension)),
        };
        let entries: Vec<Vec<u8>> = self
            .entries
            .iter()
            .map(|(serial, at, extensions)| {
                der::sequence([der::value(0x02, serial), der::time(*at), list(extensions)])
            })
            .collect();
        let entries = match entries.is_empty() {
            true => Vec::new(),
            false => der::sequence(entries),
        };
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => der::value(0xa0, &list(&self.extensions)),
        };
        signed(
            signer,
            &[
                der::unsigned(1),
                identifier(signer.algorithm()),
                self.issuer.clone(),
                der::time(self.this_update),
                self.next_update.map(der::time).unwrap_or_default(),
                entries,
                extensions,
            ],
        )
    }
}
