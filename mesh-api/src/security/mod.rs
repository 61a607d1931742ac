//! Kinds of the group `security.istio.io`, one module per kind, data only.

mod authorization_policy;
mod peer_authentication;
mod request_authentication;

pub use authorization_policy::{
    AuthorizationAction, AuthorizationPolicy, Condition, ExtensionProviderRef, Operation, Rule, RuleFrom,
    RuleTo, Source,
};
pub use peer_authentication::{MutualTls, MutualTlsMode, PeerAuthentication};
pub use request_authentication::{ClaimToHeader, JwtHeader, JwtPresence, JwtRule, RequestAuthentication};
