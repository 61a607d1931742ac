#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]

#[cfg(all(feature = "x509", any(feature = "ring", feature = "soft", feature = "aws-lc")))]
pub mod agent;
mod algorithm;
#[cfg(feature = "x509")]
mod authority;
#[cfg(feature = "x509")]
mod authorize;
#[cfg(any(feature = "x509", feature = "jwt"))]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod base64_serde;
#[cfg(feature = "x509")]
mod bundle;
#[cfg(feature = "x509")]
mod certificate;
#[cfg(feature = "x509")]
mod csr;
#[cfg(any(feature = "x509", feature = "jwt"))]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod der;
#[cfg(feature = "x509")]
mod distinguished_name;
#[cfg(feature = "x509")]
mod dns_name;
mod entropy;
mod error;
#[cfg(feature = "x509")]
mod external;
#[cfg(all(feature = "x509", feature = "jwt"))]
pub mod federation;
mod id_matcher;
mod id_serde;
mod id_syntax;
#[cfg(all(feature = "x509", feature = "messages"))]
mod istio_service;
#[cfg(feature = "jwt")]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod json;
#[cfg(feature = "jwt")]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod jwk;
#[cfg(feature = "jwt")]
pub mod jwt;
#[cfg(all(
    any(feature = "x509", feature = "jwt"),
    any(feature = "ring", feature = "soft", feature = "aws-lc")
))]
mod key;
#[cfg(any(feature = "x509", feature = "jwt"))]
mod key_id;
mod kubernetes;
mod limits;
mod migration;
#[cfg(any(feature = "x509", feature = "jwt"))]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod oid;
#[cfg(feature = "messages")]
pub mod pb;
#[cfg(any(feature = "x509", feature = "jwt"))]
pub mod pem;
#[cfg(any(feature = "x509", feature = "jwt"))]
mod public_key;
#[cfg(feature = "x509")]
pub mod registry;
#[cfg(feature = "x509")]
mod revocation;
#[cfg(feature = "x509")]
pub mod rotation;
#[cfg(feature = "rustls")]
pub mod rustls;
#[cfg(any(feature = "x509", feature = "jwt"))]
#[cfg_attr(
    not(feature = "x509"),
    allow(dead_code, reason = "tokens need only a part of it")
)]
mod signature;
#[cfg(any(feature = "x509", feature = "jwt"))]
mod signer;
mod spiffe_id;
mod status;
mod time;
mod trust_domain;
mod trust_domain_set;
#[cfg(feature = "x509")]
mod verify;

pub use algorithm::{KeyAlgorithm, SignatureAlgorithm};
#[cfg(feature = "x509")]
pub use authority::{
    Authority, CaError, CaJob, CaProfile, IssuanceRecord, IssueJob, IssueNote, IssuePolicy, IssuedCa,
    IssuedSvid, LeafProfile, PluggedCa, PluggedCaError, PolicyWarning, Renewal, SelfCheck, TtlPolicy,
};
#[cfg(feature = "x509")]
pub use authorize::{
    AuditRecord, AuthError, AuthErrorKind, AuthMode, AuthPolicy, CaGrant, Caller, CallerError, CallerId,
    CallerSource, Decision, Grant, ImpersonationError, KubernetesCaller, NodeView, Pod, PodPhase,
    RequestMeta, TrustedProxies, UnverifiedClaims, authorize, bearer_token, check_audience,
    service_account_id,
};
#[cfg(feature = "x509")]
pub use bundle::{
    BundleDiff, BundleError, BundleSet, LenientRoots, LostTrust, RootError, RootErrorKind, SequenceChange,
    TrustBundle, X509Authority,
};
#[cfg(all(feature = "x509", feature = "jwt"))]
pub use bundle::{
    BundleDocument, BundleDocumentError, BundleNote, BundleNoteKind, BundleUpdate, DocumentMode,
    bundle_map_from_json, bundle_map_to_json,
};
#[cfg(feature = "x509")]
pub use certificate::{
    BasicConstraints, Certificate, CertificateError, DistinguishedName, GeneralName, KeyPurpose, KeyUsage,
    SerialNumber, SerialNumberError,
};
#[cfg(feature = "x509")]
pub use csr::{
    Csr, CsrBuildError, CsrBuilder, CsrError, CsrPolicy, CsrProfile, CsrWarning, KeySet, KeyStatus, NoKeySet,
    SanMode, ValidCaCsr, ValidCsr, dual_use_common_name,
};
#[cfg(any(feature = "x509", feature = "jwt"))]
pub use der::{DerError, DerErrorKind};
#[cfg(feature = "insecure-seeded-entropy")]
pub use entropy::InsecureSeededEntropy;
pub use entropy::{Entropy, EntropyError};
pub use error::{IdError, IdErrorKind};
#[cfg(feature = "x509")]
pub use external::{
    ExternalCa, ExternalCaConfig, ExternalCaError, ExternalCaOutput, ExternalCaSnapshot,
    ExternalCaSnapshotError, ExternalSigner, ExternalSvid, KubernetesCsr, KubernetesCsrCondition,
    KubernetesCsrMetadata, KubernetesCsrSpec, KubernetesCsrStatus, VaultSignRequest, VaultSignResponse,
};
pub use id_matcher::IdMatcher;
#[cfg(all(feature = "x509", feature = "messages"))]
pub use istio_service::{IstioCa, handle_istio_request};
#[cfg(feature = "jwt")]
pub use jwk::JwkError;
#[cfg(all(
    any(feature = "x509", feature = "jwt"),
    any(feature = "ring", feature = "soft", feature = "aws-lc")
))]
pub use key::{KeyError, KeyFormat, KeyPair, KeyProvider, SecretBytes};
#[cfg(any(feature = "x509", feature = "jwt"))]
pub use key_id::{KeyId, KeyIdError};
pub use kubernetes::KubernetesNameError;
pub use limits::Limits;
pub use migration::{MigrationError, MigrationPhase, TrustDomainMigration};
#[cfg(any(feature = "x509", feature = "jwt"))]
pub use public_key::{PublicKeyError, PublicKeyInfo};
#[cfg(feature = "x509")]
pub use revocation::{
    CheckDepth, ConnectionEvent, ConnectionIndex, Crl, CrlChange, CrlError, CrlIssueError, CrlNumber, CrlSet,
    ExpiredCrl, Generation, IssuedCrl, Revocation, RevocationCheck, RevocationError, RevocationPolicy,
    RevocationReason, RevocationStore, RevokeBy, RevokedEntry, UnknownStatus,
};
#[cfg(feature = "aws-lc")]
pub use signature::AwsLcVerifier;
#[cfg(feature = "ring")]
pub use signature::RingVerifier;
#[cfg(feature = "soft")]
pub use signature::SoftVerifier;
#[cfg(any(feature = "x509", feature = "jwt"))]
pub use signature::{SignatureError, SignatureVerifier, default_verifier};
#[cfg(any(feature = "x509", feature = "jwt"))]
pub use signer::{SignError, SignRequest, SignatureFormat, Signer};
pub use spiffe_id::{IstioIdentity, SpiffeId, SpiffeIdRef};
pub use status::{Status, StatusCode};
pub use time::{MonotonicTime, Now, Ppm, UnixTime};
pub use trust_domain::{TrustDomain, TrustDomainRef};
pub use trust_domain_set::{AliasIsFederated, TrustDomainSet, expand_with};
#[cfg(feature = "x509")]
pub use verify::{
    Budget, Budgets, Diagnostic, Outcome, PathTrace, Profile, Rule, Severity, SignatureCache, Step, Verified,
    VerifiedPath, VerifyError, VerifyOptions, VerifyPolicy, check_svid, danger,
};
