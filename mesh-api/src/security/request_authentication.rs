//! RequestAuthentication: which tokens of requests are accepted.
//!
//! Source: Istio API `security/v1beta1/request_authentication.proto`.

use serde::{Deserialize, Serialize};

use crate::scalar::{Duration, wire_enum};
use crate::type_::{PolicyTargetReference, WorkloadSelector};
use crate::wire::is_default;

/// Tokens that workloads accept. A request with a bad token is refused, one without any is let through unless a rule says
/// otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestAuthentication {
    /// Workloads. At most one of this, `target_ref` and `target_refs` (A-X-26). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// What the object is attached to. Undocumented, the older form of `target_refs`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<PolicyTargetReference>,
    /// What the object is attached to: Gateways, GatewayClasses, Services, ServiceEntries. At most 16. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_refs: Vec<PolicyTargetReference>,
    /// The tokens; a request may carry one per rule. At most 4096. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_rules: Vec<JwtRule>,
}

/// Tokens of one issuer: where they are, and how they are verified.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtRule {
    /// Issuer, claim `iss`. Needed unless there is `jwks_uri`; without it any issuer is accepted.
    #[serde(skip_serializing_if = "is_default")]
    pub issuer: String,
    /// Audiences of which one must be in the claim `aud`. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub audiences: Vec<String>,
    /// Address of the keys, `http` or `https`; at most 2048 characters. Empty means by OpenID discovery of the issuer.
    #[serde(skip_serializing_if = "is_default")]
    pub jwks_uri: String,
    /// The keys themselves: a JWK or a set of them. Excludes `jwks_uri` by the CRD. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub jwks: String,
    /// Headers in which the token may be.
    ///
    /// If this and the other places are empty: header `Authorization` with `Bearer `, then query parameter `access_token`.
    #[serde(skip_serializing_if = "is_default")]
    pub from_headers: Vec<JwtHeader>,
    /// Query parameters in which the token may be.
    #[serde(skip_serializing_if = "is_default")]
    pub from_params: Vec<String>,
    /// Header that gets the token's payload, in base64url. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub output_payload_to_header: String,
    /// Cookies in which the token may be. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub from_cookies: Vec<String>,
    /// Whether the token is left in the request. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub forward_original_token: bool,
    /// Claims that are copied to headers. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Time to fetch keys; whole milliseconds. Absent means 5 s.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Claims whose text is a list separated by blanks, besides `scope` and `permission`. At most 64. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub space_delimited_claims: Vec<String>,
    /// Whether a token must be there. New in Istio 1.32. Default OPTIONAL.
    #[serde(skip_serializing_if = "is_default")]
    pub presence: JwtPresence,
}

wire_enum! {
    /// Whether requests must carry a token.
    pub enum JwtPresence {
        /// No.
        Optional = 0 => "OPTIONAL",
        /// Yes; those without are refused.
        Required = 1 => "REQUIRED",
    }
}

/// A header with a token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtHeader {
    /// Name. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Text before the token, such as `Bearer `. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub prefix: String,
}

/// A claim that is copied to a header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimToHeader {
    /// Header: letters, digits, `-` and `_`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub header: String,
    /// Claim; nested ones with dots. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub claim: String,
}
