//! AuthorizationPolicy: who may do what.
//!
//! Source: Istio API `security/v1beta1/authorization_policy.proto`.

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::type_::{PolicyTargetReference, WorkloadSelector};
use crate::wire::is_default;

/// Access control of workloads. Without selector and targets it holds for its namespace, in the root namespace for the mesh.
///
/// An ALLOW policy without rules denies all requests; one with an empty rule allows all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthorizationPolicy {
    /// Workloads. At most one of this, `target_ref` and `target_refs` (A-X-26). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// What the policy is attached to. Undocumented, the older form of `target_refs`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<PolicyTargetReference>,
    /// What the policy is attached to: Gateways, GatewayClasses, Services, ServiceEntries. At most 16. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_refs: Vec<PolicyTargetReference>,
    /// The rules; a request matches if any of them does. At most 512. Default none: ALLOW then denies everything, DENY and
    /// CUSTOM are refused.
    #[serde(skip_serializing_if = "is_default")]
    pub rules: Vec<Rule>,
    /// What becomes of requests that match. Default ALLOW.
    #[serde(skip_serializing_if = "is_default")]
    pub action: AuthorizationAction,
    /// Who decides. Only with [`AuthorizationAction::Custom`], which needs it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub provider: Option<ExtensionProviderRef>,
}

wire_enum! {
    /// What becomes of requests that match.
    pub enum AuthorizationAction {
        /// They are allowed, and those that no ALLOW policy matches are denied.
        Allow = 0 => "ALLOW",
        /// They are denied.
        Deny = 1 => "DENY",
        /// They are marked for auditing; nothing else.
        Audit = 2 => "AUDIT",
        /// An extension provider decides.
        Custom = 3 => "CUSTOM",
    }
}

/// An extension provider by name (upstream message `AuthorizationPolicy.ExtensionProvider`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExtensionProviderRef {
    /// Name of one of the mesh configuration's `extensionProviders`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// A rule: it matches if any of `from`, any of `to` and all of `when` match. An empty list matches everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// Who sends. At most 512. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub from: Vec<RuleFrom>,
    /// What is asked for. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub to: Vec<RuleTo>,
    /// More conditions. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub when: Vec<Condition>,
}

/// One alternative of who sends (upstream message `Rule.From`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuleFrom {
    /// The sender. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Option<Source>,
}

/// One alternative of what is asked for (upstream message `Rule.To`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuleTo {
    /// The operation. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: Option<Operation>,
}

/// Properties of the sender: all fields that are not empty must hold, each by one of its values.
///
/// Values may start or end with `*`; `*` alone means that the property is there. The `not_` forms hold if none matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// Identities of the peer, `trust-domain/ns/namespace/sa/account`. Needs mutual TLS. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub principals: Vec<String>,
    /// Identities that the peer does not have. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_principals: Vec<String>,
    /// Identities of the token, `issuer/subject`. Needs request authentication. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub request_principals: Vec<String>,
    /// Identities that the token does not have. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_request_principals: Vec<String>,
    /// Namespaces of the peer. Needs mutual TLS. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub namespaces: Vec<String>,
    /// Namespaces that the peer is not in. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_namespaces: Vec<String>,
    /// Service accounts of the peer, `namespace/account` or `account`; no wildcards, at most 16 of at most 320 characters.
    /// Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service_accounts: Vec<String>,
    /// Service accounts that the peer does not have. Default none. At most 16 of at most 320 characters.
    #[serde(skip_serializing_if = "is_default")]
    pub not_service_accounts: Vec<String>,
    /// Addresses or ranges of the connection's peer. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub ip_blocks: Vec<String>,
    /// Addresses or ranges that the connection's peer is not in. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_ip_blocks: Vec<String>,
    /// Addresses or ranges of the original client, by `X-Forwarded-For` or the PROXY protocol. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub remote_ip_blocks: Vec<String>,
    /// Addresses or ranges that the original client is not in. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_remote_ip_blocks: Vec<String>,
    /// Trust domains of the peer. Needs mutual TLS. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub trust_domains: Vec<String>,
    /// Trust domains that the peer is not of. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_trust_domains: Vec<String>,
}

/// Properties of the request: all fields that are not empty must hold, each by one of its values. Wildcards as in [`Source`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// Hosts, without letter case. HTTP only.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
    /// Hosts that are not asked for. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_hosts: Vec<String>,
    /// Ports, as decimal text. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<String>,
    /// Ports that are not asked for. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_ports: Vec<String>,
    /// Methods; of gRPC always POST. HTTP only. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub methods: Vec<String>,
    /// Methods that are not used. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_methods: Vec<String>,
    /// Paths; `{*}` stands for one segment and `{**}` for any number of them. HTTP only. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub paths: Vec<String>,
    /// Paths that are not asked for. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub not_paths: Vec<String>,
}

/// A condition on an attribute: one of `values` matches and none of `not_values`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Name of the attribute, such as `request.headers[x-token]`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    /// Values of which one must match. Wildcards as in [`Source`]. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub values: Vec<String>,
    /// Values of which none may match.
    #[serde(skip_serializing_if = "is_default")]
    pub not_values: Vec<String>,
}
