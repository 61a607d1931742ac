//! Validation: what the API server and istiod say of objects. istiod's rules stand here, one module per kind; those of the
//! API server are schemas, see [`crd`].
//!
//! [`validate_decoded`] gives the whole verdict on what was read, the decoder's findings included. [`validate_all`] takes a
//! set of objects, [`validate()`] one, [`validate_spec`] a typed specification; each gives a [`Report`] of all findings. The
//! rules are data: [`rules`] lists them with id, severity and text, and each finding carries the id of its rule.
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
//! istiod's rules on all kinds of Istio's CRDs, and on the metadata of all of them (A-MV): VirtualService (A-VS),
//! DestinationRule (A-DR, A-CT, A-LB), Gateway (A-GW, A-ST), ServiceEntry (A-SE), WorkloadEntry (A-WE), WorkloadGroup (A-WG),
//! Sidecar (A-SC), EnvoyFilter (A-EF), ProxyConfig (A-PC), AuthorizationPolicy (A-AP), RequestAuthentication (A-RA),
//! PeerAuthentication (A-PA), Telemetry (A-TL), WasmPlugin (A-WP) and TrafficExtension (A-TE).
//!
//! The mesh configuration: MeshConfig (A-MC), its proxy configuration (A-MP), extension providers (A-EP) and MeshNetworks
//! (A-MN); see [`validate_mesh_config`] and its like.
//!
//! Values of EnvoyFilter patches are judged where Envoy's messages are at hand: see [`EnvoySchema`].
//!
//! The conditions that upstream states for absent list elements (A-VS-11, -25, -86, -96, A-DR-2, -36, A-GW-3, A-SE-10,
//! A-SC-21, A-EF-4, A-AP-8, -9, A-TL-3, A-MP-12, and parts of others) cannot arise: a typed list has no holes. A-SC-23 is unreachable upstream as well.
//!
//! # Profiles
//!
//! [`Profile::ApiServer`] asks the API server's layer, [`Profile::Istiod`] istiod's, [`Profile::Cluster`] and
//! [`Profile::Strict`] both.
//!
//! [`Profile::Istiod`] and [`Profile::Cluster`] keep upstream's quirks, each marked in the code. [`Profile::Strict`] does
//! without them, and reports warnings that upstream drops on the way (A-GEN-6).

mod at;
mod authorization_policy;
mod cel;
mod client_tls;
mod connection_pool;
mod context;
mod destination_rule;
mod envoy_filter;
mod envoy_schema;
mod extension_provider;
mod gateway;
mod jwks;
mod layers;
mod load_balancer;
mod mesh;
mod mesh_config;
mod mesh_networks;
mod mesh_proxy_config;
mod metadata;
mod peer_authentication;
mod proxy_config;
mod request_authentication;
mod rule;
mod server_tls;
mod service_entry;
mod shared;
mod sidecar;
mod targets;
mod telemetry;
mod traffic_extension;
pub(crate) mod url;
mod virtual_service;
mod wasm_plugin;
mod workload_entry;
mod workload_group;

#[cfg(test)]
mod tests;

pub use envoy_schema::{EnvoySchema, PatchFault};
pub use layers::{validate, validate_all, validate_decoded};
pub use mesh::{
    validate_extension_provider, validate_mesh_config, validate_mesh_networks, validate_mesh_proxy_config,
};
pub use rule::Rule;
pub(crate) use shared::is_jwt_claim;

use std::sync::Arc;

use crate::codec::Profile;
use crate::crd;
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::names::Namespace;
use crate::object::{AnyObject, Model, Object, ObjectKey};
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
    /// Whether warnings are errors, for checks that are to let nothing through; in [`Profile::Strict`] alone, since the others
    /// stand for verdicts of programs. Default false.
    pub warnings_as_errors: bool,
    /// Envoy's messages, for the values of patches (A-EF-21..24). Default none.
    pub envoy_schema: Option<Arc<dyn EnvoySchema>>,
}

impl Default for ValidateOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            default_namespace: Namespace::new("default"),
            semantics: Semantics::Istio,
            auto_allocate_addresses: true,
            warnings_as_errors: false,
            envoy_schema: None,
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
pub trait Validate: Model + sealed::Rules {}

mod sealed {
    use super::{At, Context};

    pub trait Rules {
        #[expect(private_interfaces, reason = "the trait is sealed, only this crate calls it")]
        fn check(&self, at: At<'_>, context: &mut Context<'_>);
    }
}
use sealed::Rules;

macro_rules! kinds {
    ($($model:ty => $check:path;)*) => {
        /// Whether validation has rules of a kind's own, beside those on metadata.
        pub fn covers(kind: &Kind) -> bool {
            [$(<$model as Model>::KIND),*].contains(kind)
        }

        $(
        impl Rules for $model {
            #[expect(private_interfaces, reason = "the trait is sealed, only this crate calls it")]
            fn check(&self, at: At<'_>, context: &mut Context<'_>) {
                $check(self, at, context)
            }
        }

        impl Validate for $model {}
    )*};
}

kinds! {
    crate::security::AuthorizationPolicy => authorization_policy::check;
    crate::networking::DestinationRule => destination_rule::check;
    crate::networking::EnvoyFilter => envoy_filter::check;
    crate::networking::Gateway => gateway::check;
    crate::security::PeerAuthentication => peer_authentication::check;
    crate::networking::ProxyConfig => proxy_config::check;
    crate::security::RequestAuthentication => request_authentication::check;
    crate::networking::ServiceEntry => service_entry::check;
    crate::networking::Sidecar => sidecar::check;
    crate::telemetry::Telemetry => telemetry::check;
    crate::extensions::TrafficExtension => traffic_extension::check;
    crate::networking::VirtualService => virtual_service::check;
    crate::extensions::WasmPlugin => wasm_plugin::check;
    crate::networking::WorkloadEntry => workload_entry::check;
    crate::networking::WorkloadGroup => workload_group::check;
}

/// What istiod says of an object of any kind.
///
/// Istio's kinds that are not typed get the rules on metadata, other kinds none.
fn istiod(object: &AnyObject, options: &ValidateOptions) -> Report {
    match object {
        AnyObject::AuthorizationPolicy(object) => validate_object(object, options),
        AnyObject::DestinationRule(object) => validate_object(object, options),
        AnyObject::EnvoyFilter(object) => validate_object(object, options),
        AnyObject::Gateway(object) => validate_object(object, options),
        AnyObject::PeerAuthentication(object) => validate_object(object, options),
        AnyObject::ProxyConfig(object) => validate_object(object, options),
        AnyObject::RequestAuthentication(object) => validate_object(object, options),
        AnyObject::ServiceEntry(object) => validate_object(object, options),
        AnyObject::Sidecar(object) => validate_object(object, options),
        AnyObject::Telemetry(object) => validate_object(object, options),
        AnyObject::TrafficExtension(object) => validate_object(object, options),
        AnyObject::VirtualService(object) => validate_object(object, options),
        AnyObject::WasmPlugin(object) => validate_object(object, options),
        AnyObject::WorkloadEntry(object) => validate_object(object, options),
        AnyObject::WorkloadGroup(object) => validate_object(object, options),
        // not one of the kinds that istiod admits; its rules are the installer\'s
        AnyObject::IstioOperator(_) => validate_metadata(object, options),
        AnyObject::ConfigMap(_)
        | AnyObject::CustomResourceDefinition(_)
        | AnyObject::Deployment(_)
        | AnyObject::EndpointSlice(_)
        | AnyObject::MutatingWebhookConfiguration(_)
        | AnyObject::Namespace(_)
        | AnyObject::Node(_)
        | AnyObject::Pod(_)
        | AnyObject::Secret(_)
        | AnyObject::Service(_)
        | AnyObject::ValidatingWebhookConfiguration(_) => Report::new(),
        AnyObject::Opaque(opaque) if opaque.kind.group().ends_with(".istio.io") => {
            validate_metadata(object, options)
        }
        AnyObject::Opaque(_) => Report::new(),
    }
}

/// The rules on metadata alone.
pub(crate) fn validate_metadata(object: &AnyObject, options: &ValidateOptions) -> Report {
    let mut context = Context::new(object.key(), object.meta(), options);
    if options.profile.has_istiod() {
        metadata::check(&mut context);
    }
    context.into_report()
}

/// Validates a typed object by istiod's rules alone; all findings, in the order of the fields. What the API server says
/// depends on the text, or on how the object is written: [`validate_all`] and [`validate()`] ask it.
pub fn validate_spec<T: Validate>(meta: &ObjectMeta, spec: &T, options: &ValidateOptions) -> Report {
    let key = ObjectKey {
        kind: T::KIND,
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
    };
    let mut context = Context::new(key, meta, options);
    if options.profile.has_istiod() && metadata::check(&mut context) {
        spec.check(At::top("spec"), &mut context);
    }
    context.into_report()
}

fn validate_object<T: Validate>(object: &Object<T>, options: &ValidateOptions) -> Report {
    validate_spec(&object.meta, &object.spec, options)
}

/// All rules: istiod's by module of their kind and then by id, then those of the API server's layer.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    istiod_rules().chain(crd::rules())
}

fn istiod_rules() -> impl Iterator<Item = &'static Rule> {
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
        workload_group::RULES,
        sidecar::RULES,
        envoy_filter::RULES,
        proxy_config::RULES,
        authorization_policy::RULES,
        request_authentication::RULES,
        peer_authentication::RULES,
        telemetry::RULES,
        wasm_plugin::RULES,
        traffic_extension::RULES,
        mesh_config::RULES,
        mesh_proxy_config::RULES,
        extension_provider::RULES,
        mesh_networks::RULES,
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
