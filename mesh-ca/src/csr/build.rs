//! Building signing requests.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::CsrError;
use super::parse::Parsed;
use crate::certificate::SubjectAltNames;
use crate::der::{SEQUENCE, SET, Writer, context_constructed};
use crate::pem::{self, PemLabel};
use crate::signature::write_identifier;
use crate::{
    KeyUsage, SignError, Signer, SpiffeId, TrustDomain, certificate, distinguished_name, dns_name, oid,
};

/// Whose requests it is to resemble.
///
/// Source: ca.md C-CSR-1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CsrProfile {
    /// The subject is one organization whose value is empty, as Istio's agents write it.
    IstioAgent,
    /// The subject is empty, as the X509-SVID standard has it and ztunnel writes it. The default.
    #[default]
    Spiffe,
}

/// Builds a signing request for a SPIFFE id.
///
/// ```
/// use mesh_ca::{CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair, SpiffeId};
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
/// let csr = CsrBuilder::new(&id).build(&key)?;
/// assert!(csr.to_pem().starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
///
/// let valid = CsrPolicy::istio().check(csr.der())?;
/// assert_eq!(valid.uri(), Some(&id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: RFC 2986; ca.md C-CSR-1, C-CSR-2.
#[derive(Debug, Clone)]
pub struct CsrBuilder {
    id: SpiffeId,
    profile: CsrProfile,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    common_name: bool,
    ca: bool,
}

impl CsrBuilder {
    /// A request of a workload, with that id as its only name.
    pub fn new(id: &SpiffeId) -> Self {
        Self {
            id: id.clone(),
            profile: CsrProfile::default(),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            common_name: false,
            ca: false,
        }
    }

    /// A request of an intermediate authority of a trust domain, which [`CsrPolicy::check_ca`] takes.
    ///
    /// [`CsrPolicy::check_ca`]: crate::CsrPolicy::check_ca
    ///
    /// # Errors
    /// [`TooLong`](crate::IdErrorKind::TooLong) cannot happen for a name of at most 255 bytes, but is passed on.
    ///
    /// Source: ca.md C-CA-8.
    pub fn for_intermediate(trust_domain: &TrustDomain) -> Result<Self, crate::IdError> {
        let id = SpiffeId::from_path(trust_domain, "")?;
        Ok(Self {
            ca: true,
            ..Self::new(&id)
        })
    }

    /// Another profile.
    pub fn with_profile(mut self, profile: CsrProfile) -> Self {
        self.profile = profile;
        self
    }

    /// A further DNS name, after the URI.
    pub fn with_dns_name(mut self, name: impl Into<String>) -> Self {
        self.dns_names.push(name.into());
        self
    }

    /// A further IP address, after the DNS names.
    pub fn with_ip_address(mut self, address: IpAddr) -> Self {
        self.ip_addresses.push(address);
        self
    }

    /// Whether the subject gets a common name beside the names of the certificate, for peers that know nothing else: the
    /// first DNS name, else the id, if it has at most 64 bytes.
    ///
    /// Source: ca.md C-SIGN-11; Istio `WORKLOAD_RSA_KEY_SIZE` and dual use.
    pub fn with_common_name(mut self, wanted: bool) -> Self {
        self.common_name = wanted;
        self
    }

    /// Signs the request with the key that is to be certified. A rotation takes a new key each time.
    ///
    /// # Errors
    /// When a DNS name is none, the id does not fit the kind of request, or the signer fails.
    pub fn build(&self, key: &dyn Signer) -> Result<Csr, CsrBuildError> {
        if self.ca != self.id.is_trust_domain_id() {
            return Err(CsrBuildError::IdKind);
        }
        let dns_names = dns_name::canonical_all(self.dns_names.iter().map(String::as_str))
            .map_err(|name| CsrBuildError::DnsName(name.to_owned()))?;
        let mut warnings = Vec::new();
        if !dns_names.is_empty() || !self.ip_addresses.is_empty() {
            warnings.push(CsrWarning::IstioRefusesNames);
        }
        let subject = self.subject(&dns_names, &mut warnings);
        let names = SubjectAltNames {
            uri: self.id.as_str(),
            dns: &dns_names,
            ips: &self.ip_addresses,
        };
        let mut request = Writer::new();
        request.nested(SEQUENCE, |info| {
            info.unsigned(&[]);
            info.raw(&subject);
            info.raw(key.spki_der());
            info.nested(context_constructed(0), |attributes| {
                attributes.nested(SEQUENCE, |attribute| {
                    attribute.oid(oid::EXTENSION_REQUEST);
                    attribute.nested(SET, |values| {
                        values.nested(SEQUENCE, |extensions| self.write_extensions(extensions, &names));
                    });
                });
            });
        });
        let info = request.into_bytes();
        let signature = key.sign(&info)?;
        let mut outer = Writer::new();
        outer.nested(SEQUENCE, |outer| {
            outer.raw(&info);
            write_identifier(outer, key.algorithm());
            outer.whole_bits(&signature);
        });
        Ok(Csr {
            der: outer.into_bytes(),
            warnings,
        })
    }

    fn write_extensions(&self, extensions: &mut Writer, names: &SubjectAltNames<'_>) {
        names.write(extensions, true);
        if self.ca {
            certificate::write_key_usage(extensions, KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
            certificate::write_ca_constraints(extensions, None);
        }
    }

    fn subject(&self, dns_names: &[String], warnings: &mut Vec<CsrWarning>) -> Vec<u8> {
        let mut attributes = Vec::new();
        match self.profile {
            CsrProfile::IstioAgent => attributes.push((oid::ORGANIZATION, "")),
            CsrProfile::Spiffe => {}
        }
        if self.common_name {
            let name = dns_names.first().map_or(self.id.as_str(), String::as_str);
            match dual_use_common_name([name]) {
                Some(name) => attributes.push((oid::COMMON_NAME, name)),
                None => warnings.push(CsrWarning::CommonNameTooLong),
            }
        }
        distinguished_name::encode(&attributes)
    }
}

/// The common name of a certificate for peers that know nothing else: the first of its names, if it has at most 64 bytes.
///
/// ```
/// use mesh_ca::dual_use_common_name;
///
/// assert_eq!(dual_use_common_name(["a.com", "b.org"]), Some("a.com"));
/// assert_eq!(dual_use_common_name([]), None);
/// ```
///
/// Source: ca.md C-SIGN-11; Istio dual_use.go DualUseCommonName.
pub fn dual_use_common_name<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names.into_iter().next().and_then(certificate::common_name_of)
}

/// A signing request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedCsr", into = "SavedCsr")]
pub struct Csr {
    der: Vec<u8>,
    warnings: Vec<CsrWarning>,
}

#[derive(Serialize, Deserialize)]
struct SavedCsr {
    #[serde(with = "crate::base64_serde")]
    der: Vec<u8>,
    #[serde(default)]
    warnings: Vec<CsrWarning>,
}

impl From<Csr> for SavedCsr {
    fn from(csr: Csr) -> Self {
        let Csr { der, warnings } = csr;
        Self { der, warnings }
    }
}

impl TryFrom<SavedCsr> for Csr {
    type Error = CsrError;

    fn try_from(saved: SavedCsr) -> Result<Self, CsrError> {
        let SavedCsr { der, warnings } = saved;
        Parsed::new(&der)?;
        Ok(Self { der, warnings })
    }
}

impl Csr {
    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request in PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(PemLabel::CertificateRequest, &self.der)
    }

    /// What may be unwelcome to whoever is asked.
    pub fn warnings(&self) -> &[CsrWarning] {
        &self.warnings
    }
}

/// What an authority may not like about a request that was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum CsrWarning {
    /// There is no name of at most 64 bytes, so that the common name was left out.
    #[error("no name is short enough for a common name")]
    CommonNameTooLong,
    /// Istio, as a registration authority, refuses requests with names beside the URI.
    #[error("an Istio registration authority refuses names beside the URI")]
    IstioRefusesNames,
}

/// Why no request was built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrBuildError {
    /// A text is no DNS name.
    #[error("`{0}` is no DNS name")]
    DnsName(String),
    /// The id names a trust domain where a workload is asked for, or the other way round.
    #[error("the SPIFFE id has a path where none may be, or none where one must be")]
    IdKind,
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl CsrBuildError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DnsName(_) => "csr_build.dns_name",
            Self::IdKind => "csr_build.id_kind",
            Self::Sign(_) => "csr_build.sign",
        }
    }
}
