//! The rules of istiod's validation, one module per kind.
//!
//! [`validate_spec`] takes a typed object and gives a [`Report`] of all findings, in the order of the fields. The rules
//! are data: [`rules`] lists them with id, severity and text, and each finding carries the id of its rule.
//!
//! ```
//! use mesh_api::ObjectMeta;
//! use mesh_api::networking::VirtualService;
//! use mesh_api::validate::{ValidateOptions, validate_spec};
//!
//! let spec = VirtualService { hosts: vec!["*".into()], ..VirtualService::default() };
//! let report = validate_spec(&ObjectMeta::new("all", "shop"), &spec, &ValidateOptions::default());
//! let codes: Vec<&str> = report.iter().map(|finding| finding.code.as_str()).collect();
//! assert_eq!(codes, ["A-VS-8", "A-VS-10"]);
//! ```
//!
//! # What is covered
//!
//! istiod's rules (api.md 2.1 to 2.6) for VirtualService (A-VS), DestinationRule (A-DR, A-CT, A-LB), Gateway (A-GW, A-ST),
//! ServiceEntry (A-SE), WorkloadEntry (A-WE), Sidecar (A-SC) and PeerAuthentication (A-PA), and the rules on metadata of all
//! kinds (A-MV).
//!
//! Not yet there: A-MV-2 and A-MV-3 and all rules of kinds that are not typed yet (A-WG, A-EF, A-PC, A-AP, A-RA, A-TL, A-WP,
//! A-TE, A-MC, A-MP, A-EP, A-MN); the layer of the API server (A-CR), so that [`Profile::ApiServer`] gives no finding here and
//! [`Profile::Cluster`] those of istiod alone. The conditions that upstream states for absent list elements (A-VS-11, -25,
//! -86, -96, A-DR-2, -36, A-GW-3, A-SE-10, A-SC-21, and parts of others) cannot arise: a typed list has no holes. A-SC-23 is
//! unreachable upstream as well.
//!
//! # Profiles
//!
//! [`Profile::Istiod`] and [`Profile::Cluster`] keep upstream's quirks, each marked in the code. [`Profile::Strict`] does
//! without them, and reports warnings that upstream drops on the way (A-GEN-6).

mod at;
mod client_tls;
mod connection_pool;
mod context;
mod destination_rule;
mod gateway;
mod load_balancer;
mod metadata;
mod peer_authentication;
mod rule;
mod server_tls;
mod service_entry;
mod shared;
mod sidecar;
mod virtual_service;
mod workload_entry;

#[cfg(test)]
mod tests;

pub use rule::Rule;

use crate::codec::Profile;
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::names::Namespace;
use crate::object::ObjectKey;
use crate::report::Report;
use at::At;
use context::Context;

/// Whose object it is, for rules that differ (A-MV-7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Semantics {
    /// Written by a user.
    #[default]
    Istio,
    /// Made from Gateway API resources by istiod, which then relaxes some rules.
    GatewayApi,
}

/// What validation depends on besides the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateOptions {
    /// Whose verdict is wanted.
    pub profile: Profile,
    /// Namespace of objects without one (A-MET-3). Default `default`.
    pub default_namespace: Namespace,
    /// Whose object it is. Default: a user's.
    ///
    /// The annotations `internal.istio.io/{gateway,route}-semantics` say so as well, except in [`Profile::Strict`].
    pub semantics: Semantics,
    /// Whether istiod allocates addresses for ServiceEntry hosts (A-SE-14). Default true.
    pub auto_allocate_addresses: bool,
}

impl Default for ValidateOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            default_namespace: Namespace::new("default"),
            semantics: Semantics::Istio,
            auto_allocate_addresses: true,
        }
    }
}

impl ValidateOptions {
    /// The defaults with another profile.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            ..Self::default()
        }
    }
}

/// A kind that validation has rules for. Sealed: the rules belong to this crate.
pub trait Validate: sealed::Rules {
    /// The kind, for the key in findings.
    const KIND: Kind;
}

mod sealed {
    use super::{At, Context};

    pub trait Rules {
        #[expect(private_interfaces, reason = "the trait is sealed, only this crate calls it")]
        fn check(&self, at: At<'_>, context: &mut Context<'_>);
    }
}
use sealed::Rules;

macro_rules! kinds {
    ($($kind:ident = $model:ty, $check:path;)*) => {$(
        impl Rules for $model {
            #[expect(private_interfaces, reason = "the trait is sealed, only this crate calls it")]
            fn check(&self, at: At<'_>, context: &mut Context<'_>) {
                $check(self, at, context)
            }
        }

        impl Validate for $model {
            const KIND: Kind = Kind::$kind;
        }
    )*};
}

kinds! {
    DestinationRule = crate::networking::DestinationRule, destination_rule::check;
    Gateway = crate::networking::Gateway, gateway::check;
    PeerAuthentication = crate::security::PeerAuthentication, peer_authentication::check;
    ServiceEntry = crate::networking::ServiceEntry, service_entry::check;
    Sidecar = crate::networking::Sidecar, sidecar::check;
    VirtualService = crate::networking::VirtualService, virtual_service::check;
    WorkloadEntry = crate::networking::WorkloadEntry, workload_entry::check;
}

/// Validates a typed object; all findings, in the order of the fields.
pub fn validate_spec<T: Validate>(meta: &ObjectMeta, spec: &T, options: &ValidateOptions) -> Report {
    let namespace = match meta.namespace.is_empty() {
        true => options.default_namespace.as_text().clone(),
        false => meta.namespace.as_text().clone(),
    };
    let key = ObjectKey::new(T::KIND, namespace, meta.name.clone());
    let mut context = Context::new(key, meta, options);
    if !options.profile.has_istiod() {
        return context.into_report();
    }
    if metadata::check(&mut context) {
        spec.check(At::top("spec"), &mut context);
    }
    context.into_report()
}

/// All rules, by module of their kind and then by id.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        metadata::RULES,
        virtual_service::RULES,
        destination_rule::RULES,
        client_tls::RULES,
        load_balancer::RULES,
        gateway::RULES,
        server_tls::RULES,
        service_entry::RULES,
        workload_entry::RULES,
        sidecar::RULES,
        peer_authentication::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule of an id such as `A-VS-8`.
///
/// ```
/// use mesh_api::validate::rule;
///
/// assert!(rule("A-VS-8").is_some_and(|rule| rule.doc.contains("gateway")));
/// ```
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.as_str() == id)
}
