//! Messages on the wire: Istio's certificate service and the SPIFFE Workload API. Plain data, no services.
//!
//! ```
//! use mesh_ca::pb::{IstioCertificateRequest, Struct};
//! use prost::Message as _;
//!
//! let request = IstioCertificateRequest {
//!     csr: "-----BEGIN CERTIFICATE REQUEST-----".to_owned(),
//!     validity_duration: 86_400,
//!     metadata: Some(Struct::from_texts([("CertSigner", "example.com/signer")])),
//! };
//! let bytes = request.encode_to_vec();
//! let read = IstioCertificateRequest::decode(bytes.as_slice())?;
//! assert_eq!(read.metadata_text("CertSigner"), "example.com/signer");
//! # Ok::<(), prost::DecodeError>(())
//! ```
//!
//! Source: Istio security/v1alpha1/ca.proto; SPIFFE workload.proto; google/protobuf/struct.proto; ca.md C-API-6.

use std::collections::BTreeMap;
use std::fmt;

#[cfg(all(feature = "x509", any(feature = "ring", feature = "soft", feature = "aws-lc")))]
use crate::registry::{X509SvidView, X509View};

/// `istio.v1.auth.IstioCertificateRequest`: a workload or node agent asks for a certificate.
#[derive(Clone, PartialEq, prost::Message)]
pub struct IstioCertificateRequest {
    /// The signing request in PEM.
    #[prost(string, tag = "1")]
    pub csr: String,
    /// The life that is asked for, in seconds; 0 or less means the default of the authority.
    #[prost(int64, tag = "3")]
    pub validity_duration: i64,
    /// More words: `CertSigner`, `ImpersonatedIdentity`.
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Struct>,
}

impl IstioCertificateRequest {
    /// A text of the metadata; empty if it is not there, or is no text.
    pub fn metadata_text(&self, key: &str) -> &str {
        let value = self
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.fields.get(key));
        match value.and_then(|value| value.kind.as_ref()) {
            Some(value::Kind::StringValue(text)) => text,
            _ => "",
        }
    }
}

/// `istio.v1.auth.IstioCertificateResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct IstioCertificateResponse {
    /// PEM: the leaf, each intermediate, and at the end all roots in one text.
    #[prost(string, repeated, tag = "1")]
    pub cert_chain: Vec<String>,
}

/// `google.protobuf.Struct`: a JSON object.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Struct {
    /// Its members.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

impl Struct {
    /// An object whose members are texts.
    pub fn from_texts<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let value = |text: &str| Value {
            kind: Some(value::Kind::StringValue(text.to_owned())),
        };
        let members = members.into_iter();
        Self {
            fields: members.map(|(key, text)| (key.to_owned(), value(text))).collect(),
        }
    }
}

/// `google.protobuf.Value`: a JSON value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// What it is.
    #[prost(oneof = "value::Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<value::Kind>,
}

/// The kinds of [`Value`].
pub mod value {
    /// One of them.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// null, always 0.
        #[prost(int32, tag = "1")]
        NullValue(i32),
        /// A number.
        #[prost(double, tag = "2")]
        NumberValue(f64),
        /// A text.
        #[prost(string, tag = "3")]
        StringValue(String),
        /// true or false.
        #[prost(bool, tag = "4")]
        BoolValue(bool),
        /// An object.
        #[prost(message, tag = "5")]
        StructValue(super::Struct),
        /// An array.
        #[prost(message, tag = "6")]
        ListValue(super::ListValue),
    }
}

/// `google.protobuf.ListValue`: a JSON array.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListValue {
    /// Its elements.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// `X509SVIDRequest` of the Workload API; it is empty.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct X509SvidRequest {}

/// `X509SVIDResponse`: always the full state; what is not there is withdrawn.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct X509SvidResponse {
    /// The SVIDs; the first one is the default identity.
    #[prost(message, repeated, tag = "1")]
    pub svids: Vec<X509Svid>,
    /// CRLs in DER.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub crl: Vec<Vec<u8>>,
    /// Roots of federated trust domains, by the id of the trust domain: certificates in DER, one after the other.
    #[prost(btree_map = "string, bytes", tag = "3")]
    pub federated_bundles: BTreeMap<String, Vec<u8>>,
}

#[cfg(all(feature = "x509", any(feature = "ring", feature = "soft", feature = "aws-lc")))]
impl From<&X509View> for X509SvidResponse {
    /// What the registry says a workload has, as the Workload API sends it. It holds private keys in the clear: encode it,
    /// send it to the workload, and let go of it.
    fn from(view: &X509View) -> Self {
        let X509View {
            svids,
            federated_bundles,
            crl,
        } = view;
        let svids = svids.iter().map(|svid| {
            let X509SvidView {
                spiffe_id,
                x509_svid,
                x509_svid_key,
                bundle,
                hint,
            } = svid;
            X509Svid {
                spiffe_id: spiffe_id.clone(),
                x509_svid: x509_svid.clone(),
                x509_svid_key: x509_svid_key.expose().to_vec(),
                bundle: bundle.clone(),
                hint: hint.clone(),
            }
        });
        let federated = federated_bundles.iter();
        let federated = federated.map(|(name, bundle)| (format!("spiffe://{name}"), bundle.clone()));
        Self {
            svids: svids.collect(),
            crl: crl.clone(),
            federated_bundles: federated.collect(),
        }
    }
}

/// `X509SVID` of the Workload API. Debug output leaves the key out.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct X509Svid {
    /// The SPIFFE id.
    #[prost(string, tag = "1")]
    pub spiffe_id: String,
    /// The chain: certificates in DER, one after the other.
    #[prost(bytes = "vec", tag = "2")]
    pub x509_svid: Vec<u8>,
    /// The private key in PKCS#8.
    #[prost(bytes = "vec", tag = "3")]
    pub x509_svid_key: Vec<u8>,
    /// The roots of the trust domain: certificates in DER, one after the other.
    #[prost(bytes = "vec", tag = "4")]
    pub bundle: Vec<u8>,
    /// A hint how to use it.
    #[prost(string, tag = "5")]
    pub hint: String,
}

impl fmt::Debug for X509Svid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X509Svid")
            .field("spiffe_id", &self.spiffe_id)
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}

/// `X509BundlesRequest`; it is empty.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct X509BundlesRequest {}

/// `X509BundlesResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct X509BundlesResponse {
    /// CRLs in DER.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub crl: Vec<Vec<u8>>,
    /// Roots by the id of the trust domain.
    #[prost(btree_map = "string, bytes", tag = "2")]
    pub bundles: BTreeMap<String, Vec<u8>>,
}

/// `JWTSVIDRequest`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JwtSvidRequest {
    /// For whom the token is.
    #[prost(string, repeated, tag = "1")]
    pub audience: Vec<String>,
    /// The id; empty for all that the workload has.
    #[prost(string, tag = "2")]
    pub spiffe_id: String,
}

/// `JWTSVIDResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JwtSvidResponse {
    /// The tokens.
    #[prost(message, repeated, tag = "1")]
    pub svids: Vec<JwtSvid>,
}

/// `JWTSVID` of the Workload API.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JwtSvid {
    /// The SPIFFE id.
    #[prost(string, tag = "1")]
    pub spiffe_id: String,
    /// The token.
    #[prost(string, tag = "2")]
    pub svid: String,
    /// A hint how to use it.
    #[prost(string, tag = "3")]
    pub hint: String,
}

/// `JWTBundlesRequest`; it is empty.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct JwtBundlesRequest {}

/// `JWTBundlesResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JwtBundlesResponse {
    /// JWKS documents by the id of the trust domain.
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub bundles: BTreeMap<String, Vec<u8>>,
}

/// `ValidateJWTSVIDRequest`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ValidateJwtSvidRequest {
    /// The audience that the token must be for.
    #[prost(string, tag = "1")]
    pub audience: String,
    /// The token.
    #[prost(string, tag = "2")]
    pub svid: String,
}

/// `ValidateJWTSVIDResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ValidateJwtSvidResponse {
    /// Whose token it is.
    #[prost(string, tag = "1")]
    pub spiffe_id: String,
    /// Its claims.
    #[prost(message, optional, tag = "2")]
    pub claims: Option<Struct>,
}

/// Whether the metadata of a call has the header that every caller of the Workload API must send, which browsers and other
/// confused deputies do not.
///
/// ```
/// assert!(mesh_ca::pb::has_workload_header([("workload.spiffe.io", "true")]));
/// assert!(!mesh_ca::pb::has_workload_header([("workload.spiffe.io", "1")]));
/// ```
///
/// Source: SPIFFE Workload Endpoint standard §5.
pub fn has_workload_header<'m>(metadata: impl IntoIterator<Item = (&'m str, &'m str)>) -> bool {
    metadata
        .into_iter()
        .any(|(key, value)| key == "workload.spiffe.io" && value == "true")
}
