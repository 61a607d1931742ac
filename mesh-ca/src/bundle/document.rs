//! SPIFFE bundle documents: JWK sets with a sequence number and a refresh hint, and maps of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{TrustBundle, WitKey};
use crate::certificate::Certificate;
use crate::json::{Json, JsonError};
use crate::jwk::{JwkError, has_private_member, members_of, spki_of};
use crate::jwt::JsonWebKey;
use crate::{IdError, Limits, TrustDomain};

/// How a bundle document is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentMode {
    /// As a consumer: entries that make no sense are left out and noted. The default.
    #[default]
    Standard,
    /// As a publisher who checks its own document: such entries are errors, and so are keys that differ from their
    /// certificate and names that stand there twice.
    Strict,
}

/// A bundle document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleDocument {
    /// What it says.
    pub bundle: TrustBundle,
    /// What was left out, in the order of the document.
    pub notes: Vec<BundleNote>,
}

impl TrustBundle {
    /// Reads a SPIFFE bundle document. The trust domain is not in it.
    ///
    /// ```
    /// use mesh_ca::{DocumentMode, Limits, TrustBundle};
    ///
    /// let json = br#"{"keys": [], "spiffe_sequence": 7, "spiffe_refresh_hint": 600}"#;
    /// let document = TrustBundle::from_spiffe_json("example.org".parse()?, json, DocumentMode::Standard, &Limits::default())?;
    /// assert_eq!(document.bundle.sequence(), Some(7));
    /// assert_eq!(document.bundle.refresh_hint().as_secs(), 600);
    /// assert_eq!(
    ///     document.bundle.to_spiffe_json(),
    ///     r#"{"keys":[],"spiffe_sequence":7,"spiffe_refresh_hint":600}"#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When it is no strict JSON (a member that stands there twice counts), has no `keys`, holds a private key, or numbers
    /// that are none; in [`DocumentMode::Strict`] also for whatever would be noted.
    ///
    /// Spec: SPIFFE Trust Domain and Bundle §4. Source: ca.md C-BND-2..6, C-BND-12.
    pub fn from_spiffe_json(
        trust_domain: TrustDomain,
        json: &[u8],
        mode: DocumentMode,
        limits: &Limits,
    ) -> Result<BundleDocument, BundleDocumentError> {
        if json.len() > limits.jwks {
            return Err(BundleDocumentError::TooLarge(limits.jwks));
        }
        read(trust_domain, &Json::parse(json)?, mode, limits)
    }

    /// The bundle as a SPIFFE bundle document. Equal bundles give equal text: X.509 authorities in their order, then the
    /// keys of tokens by name.
    ///
    /// Source: ca.md C-BND-2.
    pub fn to_spiffe_json(&self) -> String {
        self.to_json().to_string()
    }

    fn to_json(&self) -> Json<'static> {
        let mut keys: Vec<Json<'static>> = self
            .x509_authorities()
            .iter()
            .filter_map(|authority| {
                let certificate = authority.certificate().ok()?;
                let mut entry = vec![member("use", "x509-svid")];
                entry.extend(
                    members_of(&certificate.public_key().ok()?)
                        .into_iter()
                        .map(|(name, value)| member(name, value)),
                );
                entry.push((
                    "x5c".into(),
                    Json::List(vec![Json::String(STANDARD.encode(authority.der()).into())]),
                ));
                Some(Json::Object(entry))
            })
            .collect();
        keys.extend(self.jwt().iter().filter_map(|(name, key)| {
            let mut entry = vec![member("use", "jwt-svid"), member("kid", name)];
            let public = crate::PublicKeyInfo::parse(key.spki_der()).ok()?;
            entry.extend(
                members_of(&public)
                    .into_iter()
                    .map(|(name, value)| member(name, value)),
            );
            entry.extend(key.bound_to().map(|algorithm| member("alg", algorithm.as_str())));
            Some(Json::Object(entry))
        }));
        keys.extend(self.wit.iter().map(|key| key.0.clone()));
        let mut members = vec![("keys".into(), Json::List(keys))];
        let mut number = |name: &'static str, value: Option<u64>| {
            members.extend(value.map(|value| (name.into(), Json::unsigned(value))));
        };
        number("spiffe_sequence", self.sequence());
        number(
            "spiffe_refresh_hint",
            self.refresh_hint.map(|hint| hint.as_secs()),
        );
        Json::Object(members)
    }
}

/// Reads a map of bundle documents, as publishers of many trust domains give them. Either all of it is taken or nothing.
///
/// Refresh hints inside are kept, but say nothing about when to ask for the map again.
///
/// # Errors
/// When the map is no strict JSON, has no `trust_domains`, a name in it is no trust domain, or a document in it is refused.
///
/// Source: ca.md C-BND-9.
pub fn bundle_map_from_json(
    json: &[u8],
    mode: DocumentMode,
    limits: &Limits,
) -> Result<BTreeMap<TrustDomain, BundleDocument>, BundleDocumentError> {
    if json.len() > limits.bundle_map {
        return Err(BundleDocumentError::TooLarge(limits.bundle_map));
    }
    let json = Json::parse(json)?;
    let Some(Json::Object(members)) = json.get("trust_domains") else {
        return Err(BundleDocumentError::Member("trust_domains"));
    };
    let mut map = BTreeMap::new();
    for (name, document) in members {
        let trust_domain: TrustDomain = name.parse().map_err(|error| BundleDocumentError::TrustDomain {
            name: (**name).into(),
            error,
        })?;
        // `spiffe://td` names `td` as well, and would be the second document of it.
        if trust_domain.as_str() != *name {
            let error = IdError::new(crate::IdErrorKind::TrustDomainChar, 0);
            return Err(BundleDocumentError::TrustDomain {
                name: (**name).into(),
                error,
            });
        }
        map.insert(trust_domain.clone(), read(trust_domain, document, mode, limits)?);
    }
    Ok(map)
}

/// Writes a map of bundle documents, by trust domain.
///
/// Source: ca.md C-BND-9.
pub fn bundle_map_to_json<'b>(bundles: impl IntoIterator<Item = &'b TrustBundle>) -> String {
    let map: BTreeMap<&str, Json<'_>> = bundles
        .into_iter()
        .map(|bundle| (bundle.trust_domain().as_str(), bundle.to_json()))
        .collect();
    let map = map
        .into_iter()
        .map(|(name, bundle)| (name.into(), bundle))
        .collect();
    Json::Object(vec![("trust_domains".into(), Json::Object(map))]).to_string()
}

/// Something in a bundle document that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleNote {
    /// The entry of `keys`, from 0.
    pub entry: usize,
    /// What is the matter with it.
    pub kind: BundleNoteKind,
}

impl fmt::Display for BundleNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]: {}", self.entry, self.kind)
    }
}

/// What can be the matter with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleNoteKind {
    /// The certificate of an X.509 authority cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(Box<str>),
    /// The key of a certificate differs from the key beside it.
    #[error("the key differs from that of its certificate")]
    CertificateKey,
    /// Another key has the same name; the first one stays.
    #[error("another key has the same name")]
    DuplicateKeyId,
    /// The key of a JWT authority cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(JwkError),
    /// A JWT authority has no name.
    #[error("a key of tokens needs a name")]
    KeyIdMissing,
    /// The certificate is none of an authority.
    #[error("the certificate is none of an authority")]
    NotAuthority,
    /// The entry is no object, or `kty` or `use` is missing or unknown.
    #[error("`kty` or `use` is missing or unknown")]
    Unknown,
    /// `x5c` is missing, empty or no list of base64.
    #[error("`x5c` holds no certificate")]
    X5cMissing,
    /// `x5c` holds more than one certificate; the first one is used.
    #[error("`x5c` holds more than one certificate")]
    X5cMany,
}

/// Why a bundle document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleDocumentError {
    /// It is no strict JSON.
    #[error("the document is no strict JSON: {0}")]
    Json(Box<str>),
    /// A member is missing or has a wrong type.
    #[error("the member `{0}` is missing or has a wrong form")]
    Member(&'static str),
    /// An entry holds a private key.
    #[error("keys[{entry}] holds a private key")]
    PrivateKey {
        /// The entry of `keys`, from 0.
        entry: usize,
    },
    /// In strict mode: something that a consumer would leave out.
    #[error("{0}")]
    Refused(BundleNote),
    /// It is larger than the limit.
    #[error("the document is larger than {0} bytes")]
    TooLarge(usize),
    /// It has more keys than the limit.
    #[error("the document has more than {0} keys")]
    TooManyKeys(usize),
    /// A name in a map is no trust domain.
    #[error("`{name}` is no trust domain: {error}")]
    TrustDomain {
        /// The name.
        name: Box<str>,
        /// Why.
        error: IdError,
    },
}

impl BundleDocumentError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "bundle.json",
            Self::Member(_) => "bundle.member",
            Self::PrivateKey { .. } => "bundle.private_key",
            Self::Refused(_) => "bundle.refused",
            Self::TooLarge(_) => "bundle.too_large",
            Self::TooManyKeys(_) => "bundle.too_many_keys",
            Self::TrustDomain { .. } => "bundle.trust_domain",
        }
    }
}

impl From<JsonError> for BundleDocumentError {
    fn from(error: JsonError) -> Self {
        Self::Json(error.to_string().into())
    }
}

fn read(
    trust_domain: TrustDomain,
    json: &Json<'_>,
    mode: DocumentMode,
    limits: &Limits,
) -> Result<BundleDocument, BundleDocumentError> {
    let keys = json
        .get("keys")
        .and_then(Json::as_list)
        .ok_or(BundleDocumentError::Member("keys"))?;
    if keys.len() > limits.jwks_keys {
        return Err(BundleDocumentError::TooManyKeys(limits.jwks_keys));
    }
    if let Some(entry) = keys.iter().position(has_private_member) {
        return Err(BundleDocumentError::PrivateKey { entry });
    }
    let number = |name: &'static str| match json.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(BundleDocumentError::Member(name)),
    };
    let bundle = TrustBundle::new(trust_domain)
        .with_sequence(number("spiffe_sequence")?)
        .with_refresh_hint(number("spiffe_refresh_hint")?.map(Duration::from_secs));
    let mut reader = Reader {
        bundle,
        notes: Vec::new(),
        wit_names: BTreeSet::new(),
        mode,
        limits,
    };
    for (entry, key) in keys.iter().enumerate() {
        if let Some(kind) = reader.entry(key) {
            let note = BundleNote { entry, kind };
            if mode == DocumentMode::Strict {
                return Err(BundleDocumentError::Refused(note));
            }
            reader.notes.push(note);
        }
    }
    let Reader { bundle, notes, .. } = reader;
    Ok(BundleDocument { bundle, notes })
}

/// Reads entries one after another.
struct Reader<'l> {
    bundle: TrustBundle,
    notes: Vec<BundleNote>,
    wit_names: BTreeSet<String>,
    mode: DocumentMode,
    limits: &'l Limits,
}

impl Reader<'_> {
    /// Takes an entry; what is to be noted about it.
    fn entry(&mut self, key: &Json<'_>) -> Option<BundleNoteKind> {
        let text = |name: &str| key.get(name).and_then(Json::as_str);
        match (text("use"), text("kty")) {
            (Some("x509-svid"), Some("EC" | "OKP" | "RSA")) => self.x509(key),
            (Some("jwt-svid"), Some("EC" | "OKP" | "RSA")) => self.jwt(key, text("kid")),
            (Some("wit-svid"), Some(_)) => self.wit(key, text("kid")),
            _ => Some(BundleNoteKind::Unknown),
        }
    }

    fn x509(&mut self, key: &Json<'_>) -> Option<BundleNoteKind> {
        let certificates = key.get("x5c").and_then(Json::as_list).unwrap_or_default();
        let Some(der) = certificates
            .first()
            .and_then(Json::as_str)
            .and_then(|text| STANDARD.decode(text).ok())
        else {
            return Some(BundleNoteKind::X5cMissing);
        };
        let certificate = match Certificate::parse_with(&der, self.limits) {
            Ok(certificate) => certificate,
            Err(error) => return Some(BundleNoteKind::Certificate(error.to_string().into())),
        };
        if !certificate
            .basic_constraints()
            .is_some_and(|constraints| constraints.ca)
        {
            return Some(BundleNoteKind::NotAuthority);
        }
        if self.mode == DocumentMode::Strict
            && spki_of(key).ok().as_deref() != Some(certificate.public_key_der())
        {
            return Some(BundleNoteKind::CertificateKey);
        }
        if let Err(error) = self.bundle.insert_x509(&der) {
            return Some(BundleNoteKind::Certificate(error.to_string().into()));
        }
        (certificates.len() > 1).then_some(BundleNoteKind::X5cMany)
    }

    fn jwt(&mut self, key: &Json<'_>, name: Option<&str>) -> Option<BundleNoteKind> {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Some(BundleNoteKind::KeyIdMissing);
        };
        let shared = self.mode == DocumentMode::Strict && self.wit_names.contains(name);
        if shared || self.bundle.jwt().key(name).is_some() {
            return Some(BundleNoteKind::DuplicateKeyId);
        }
        match JsonWebKey::from_json(key) {
            Ok(public) => {
                self.bundle.jwt_mut().insert(name, public);
                None
            }
            Err(error) => Some(BundleNoteKind::Key(error)),
        }
    }

    fn wit(&mut self, key: &Json<'_>, name: Option<&str>) -> Option<BundleNoteKind> {
        if let Some(name) = name {
            let shared = self.bundle.jwt().key(name).is_some() || !self.wit_names.insert(name.to_owned());
            if self.mode == DocumentMode::Strict && shared {
                return Some(BundleNoteKind::DuplicateKeyId);
            }
        }
        self.bundle.wit.push(WitKey(key.clone().into_owned()));
        None
    }
}

fn member(name: &'static str, value: impl Into<String>) -> (Cow<'static, str>, Json<'static>) {
    (name.into(), Json::String(Cow::Owned(value.into())))
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
