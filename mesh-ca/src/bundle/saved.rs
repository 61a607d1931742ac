//! Bundles in saved state and configuration. What is read back passes the checks of the constructors, so that a file that
//! somebody touched makes no bundle that could not have been built.
//!
//! A [`TrustBundle`] is its trust domain, its authorities in base64, its keys for tokens, and its numbers; between systems
//! there is the SPIFFE bundle document instead. The form does not depend on features: without `jwt`, keys for tokens are
//! passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "jwt")]
use super::WitKey;
use super::{BundleSet, TrustBundle, X509Authority};
use crate::{AliasIsFederated, Limits, TrustDomain, base64_serde};
#[cfg(feature = "jwt")]
use crate::{json::Json, jwk::has_private_member, jwt::JwtBundle};

#[derive(Serialize, Deserialize)]
pub(super) struct SavedBundle {
    trust_domain: TrustDomain,
    x509_authorities: Vec<X509Authority>,
    #[cfg(feature = "jwt")]
    #[serde(default)]
    jwt_authorities: JwtBundle,
    #[cfg(feature = "jwt")]
    #[serde(default)]
    wit_authorities: Vec<WitKey>,
    #[serde(default)]
    sequence: Option<u64>,
    /// In seconds.
    #[serde(default)]
    refresh_hint: Option<u64>,
}

impl From<TrustBundle> for SavedBundle {
    fn from(bundle: TrustBundle) -> Self {
        let TrustBundle {
            trust_domain,
            x509,
            by_subject: _,
            #[cfg(feature = "jwt")]
            jwt,
            #[cfg(feature = "jwt")]
            wit,
            sequence,
            refresh_hint,
        } = bundle;
        Self {
            trust_domain,
            x509_authorities: x509,
            #[cfg(feature = "jwt")]
            jwt_authorities: jwt,
            #[cfg(feature = "jwt")]
            wit_authorities: wit,
            sequence,
            refresh_hint: refresh_hint.map(|hint| hint.as_secs()),
        }
    }
}

impl From<SavedBundle> for TrustBundle {
    /// Its parts were checked when they were read.
    fn from(saved: SavedBundle) -> Self {
        let SavedBundle {
            trust_domain,
            mut x509_authorities,
            #[cfg(feature = "jwt")]
            jwt_authorities,
            #[cfg(feature = "jwt")]
            wit_authorities,
            sequence,
            refresh_hint,
        } = saved;
        let mut bundle = Self::new(trust_domain)
            .with_sequence(sequence)
            .with_refresh_hint(refresh_hint.map(Duration::from_secs));
        // One after another would take quadratic time.
        let mut known = BTreeSet::new();
        x509_authorities.retain(|authority| known.insert(authority.der.clone()));
        bundle.x509 = x509_authorities;
        bundle.sort();
        #[cfg(feature = "jwt")]
        {
            bundle.jwt = jwt_authorities;
            bundle.wit = wit_authorities;
        }
        bundle
    }
}

/// The DER in base64.
impl Serialize for X509Authority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64_serde::serialize(&self.der(), serializer)
    }
}

impl<'de> Deserialize<'de> for X509Authority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let der: Vec<u8> = base64_serde::deserialize(deserializer)?;
        Self::parse(&der, &Limits::default()).map_err(D::Error::custom)
    }
}

/// The text of its entry in a bundle document.
#[cfg(feature = "jwt")]
impl Serialize for WitKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(feature = "jwt")]
impl<'de> Deserialize<'de> for WitKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // As deep as in a document, so that the same depth is too deep.
        let text = format!("[[{text}]]");
        let json = Json::parse_str(&text).map_err(D::Error::custom)?;
        let entry = match json.as_list() {
            Some([Json::List(entries)]) => match &entries[..] {
                [entry] => Some(entry),
                _ => None,
            },
            _ => None,
        };
        let text_of =
            |entry: &Json<'_>, name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
        let is_wit = |entry: &&Json<'_>| {
            text_of(entry, "use").as_deref() == Some("wit-svid") && text_of(entry, "kty").is_some()
        };
        match entry.filter(is_wit) {
            None => Err(D::Error::custom(
                "no entry of a bundle document with `use` and `kty`",
            )),
            Some(entry) if has_private_member(entry) => {
                Err(D::Error::custom("the entry holds a private key"))
            }
            Some(entry) => Ok(Self(entry.clone().into_owned())),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedSet {
    local: TrustBundle,
    #[serde(default)]
    aliases: Vec<TrustDomain>,
    #[serde(default)]
    federated: Vec<TrustBundle>,
}

impl From<BundleSet> for SavedSet {
    fn from(set: BundleSet) -> Self {
        let BundleSet {
            names,
            local,
            federated,
        } = set;
        Self {
            local,
            aliases: names.aliases().to_vec(),
            federated: federated.into_values().collect(),
        }
    }
}

impl TryFrom<SavedSet> for BundleSet {
    type Error = SavedSetError;

    fn try_from(saved: SavedSet) -> Result<Self, SavedSetError> {
        let SavedSet {
            local,
            aliases,
            federated,
        } = saved;
        let mut bundles = BTreeMap::new();
        for bundle in federated {
            if let Some(bundle) = bundles.insert(bundle.trust_domain().clone(), bundle) {
                return Err(SavedSetError::TwoBundles(bundle.trust_domain().clone()));
            }
        }
        let mut set = Self::new(local).with_aliases(aliases)?;
        // The local trust domain too, whose bundle `insert` would replace.
        set.names.check_federated(bundles.keys())?;
        set.federated = bundles;
        Ok(set)
    }
}

/// Why a saved set is none.
#[derive(Debug)]
pub(super) enum SavedSetError {
    Alias(AliasIsFederated),
    TwoBundles(TrustDomain),
}

impl From<AliasIsFederated> for SavedSetError {
    fn from(error: AliasIsFederated) -> Self {
        Self::Alias(error)
    }
}

impl fmt::Display for SavedSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(error) => error.fmt(f),
            Self::TwoBundles(trust_domain) => write!(f, "there are two bundles of `{trust_domain}`"),
        }
    }
}
