//! Analysis across objects: what istioctl's `analyze` finds, on objects that the caller supplies.
//!
//! [`analyze`] runs all analyzers that are on by default, [`analyze_with`] chosen ones of [`ANALYZERS`], which have the names
//! that istioctl gives them. Each gives [`Message`]s of a [`MessageType`]; the types are in [`codes`].
//!
//! ```
//! use mesh_api::analyze::{AnalyzeOptions, analyze};
//!
//! let text = "\
//! apiVersion: networking.istio.io/v1
//! kind: DestinationRule
//! metadata: {name: db, namespace: shop}
//! spec:
//!   host: db.example.com
//!   trafficPolicy: {tls: {mode: SIMPLE}}
//! ";
//! let decoded = mesh_api::decode("db.yaml", text.as_bytes());
//! let analysis = analyze(decoded.objects(), &AnalyzeOptions::default());
//! let codes: Vec<&str> = analysis.messages().iter().map(|message| message.kind.code.as_str()).collect();
//! assert_eq!(codes, ["IST0128"]);
//! ```
//!
//! # Beyond istioctl
//!
//! Analyzers whose names begin with `own.` look for what istioctl does not (A-AN-3). They run in [`Profile::Strict`], or when they
//! are named; their messages have codes that begin with `MESH`.
//!
//! # What is known
//!
//! Whether something is missing can only be said of a set that is complete. istioctl takes any set for complete. By
//! [`AnalyzeOptions::default`] an analyzer that needs objects of a kind says nothing where none of that kind were supplied:
//! a file with VirtualServices alone is no proof that there are no Services. [`AnalyzeOptions::istioctl`] gives istioctl's
//! answers.
//!
//! # What it costs
//!
//! Near-linear time in the size of the set: objects are found by indexes over hosts and labels (A-AN-4). What is quadratic by
//! its nature, such as a thousand Sidecars that each select the same thousand pods, ends at
//! [`AnalyzeOptions::max_messages`].
//!
//! # Differences from istioctl
//!
//! * References to gateways in the forms `./name` and `name.namespace`, which istiod follows, are followed here.
//! * Telemetries and AuthorizationPolicies with `targetRefs` are not taken for those of a whole namespace.
//! * A subset is looked for in the DestinationRules of all namespaces by the full name of its host.
//! * Services without a selector select no pods.
//! * IST0107, 0108, 0125 and 0135 look at the same kinds as upstream: Namespace, Service, Pod, Deployment.
//!
//! Source: Istio `pkg/config/analysis`; api.md §4.

mod annotations;
mod authn;
mod authz;
pub mod codes;
mod conditions;
mod deployment;
mod deprecation;
mod destination_rule;
mod envoy_filter;
mod gateway;
mod hosts;
mod index;
mod injection;
mod kubernetes_gateway;
mod mesh;
mod message;
mod multicluster;
mod own;
mod path;
mod schema;
mod service;
mod service_entry;
mod sidecar;
mod sink;
mod suppress;
mod telemetry;
mod view;
mod virtual_service;
mod webhook;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use gateway::is_certificate_bundle;
pub use message::{Message, MessageType, Needs};
pub use suppress::{Suppression, SuppressionError};

use crate::codec::Profile;
use crate::mesh::{MeshConfig, MeshNetworks};
use crate::names::Namespace;
use crate::object_set::ObjectSet;
use crate::report::{Report, Severity};
use crate::scalar::Timestamp;
use sink::Sink;
use view::{DefaultIngress, View};

/// What analysis depends on besides the objects.
#[derive(Debug, Clone)]
pub struct AnalyzeOptions {
    /// Whose verdict is wanted. In [`Profile::Strict`] the analyzers `own.*` run too; between the others nothing differs, for
    /// istioctl knows no profiles. Default [`Profile::default`].
    pub profile: Profile,
    /// The mesh configuration. Default: Istio's.
    pub mesh: MeshConfig,
    /// The networks of the mesh, as in the ConfigMap document `meshNetworks`. Default: none.
    pub networks: MeshNetworks,
    /// The namespace of the control plane. Default `istio-system`.
    pub istio_namespace: Namespace,
    /// The domain of the hosts of services. Default `cluster.local`.
    pub cluster_domain: String,
    /// The name of the cluster that the objects are from. Default `Kubernetes`.
    pub cluster: String,
    /// Objects of other clusters of the mesh by the names of the clusters; only their Services are looked at.
    pub remote_clusters: BTreeMap<String, ObjectSet>,
    /// The time at which certificates are judged. Default: none, and nothing is said of their validity.
    pub now: Option<Timestamp>,
    /// Whether what was not supplied does not exist. Default false: a kind of which nothing was supplied is unknown.
    pub complete: bool,
    /// Whether the ingress gateway of a default installation is taken to be there: a pod with the label
    /// `istio: ingressgateway` and its service with the ports 80, 443, 15021, 15443 and 31400. Default false.
    pub default_ingress: bool,
    /// Messages that nobody wants to hear.
    pub suppressions: Vec<Suppression>,
    /// The number of messages at which analysis stops taking more. Default 10,000.
    pub max_messages: usize,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            mesh: MeshConfig::default(),
            networks: MeshNetworks::default(),
            istio_namespace: Namespace::new("istio-system"),
            cluster_domain: "cluster.local".into(),
            cluster: "Kubernetes".into(),
            remote_clusters: BTreeMap::new(),
            now: None,
            complete: false,
            default_ingress: false,
            suppressions: Vec::new(),
            max_messages: 10_000,
        }
    }
}

impl AnalyzeOptions {
    /// What istioctl assumes when it analyzes files: that they are all there is, beside a default ingress gateway.
    pub fn istioctl() -> Self {
        Self {
            complete: true,
            default_ingress: true,
            ..Self::default()
        }
    }
}

/// Analyzes objects with all analyzers that run in the profile.
pub fn analyze(objects: &ObjectSet, options: &AnalyzeOptions) -> Analysis {
    let chosen: Vec<&Analyzer> = ANALYZERS
        .iter()
        .filter(|analyzer| analyzer.runs_in(options.profile))
        .collect();
    analyze_with(&chosen, objects, options)
}

/// Analyzes objects with some analyzers; those that need the same index share it.
///
/// ```
/// use mesh_api::ObjectSet;
/// use mesh_api::analyze::{AnalyzeOptions, analyze_with, analyzer};
///
/// let gateways = analyzer("virtualservice.GatewayAnalyzer").ok_or("there is one")?;
/// let analysis = analyze_with(&[gateways], &ObjectSet::new(), &AnalyzeOptions::default());
/// assert!(analysis.messages().is_empty());
/// # Ok::<(), &str>(())
/// ```
pub fn analyze_with(analyzers: &[&Analyzer], objects: &ObjectSet, options: &AnalyzeOptions) -> Analysis {
    let ingress = options.default_ingress.then(|| DefaultIngress::new(options));
    let view = View::new(objects, options, ingress.as_ref());
    let mut sink = Sink::new(objects, options);
    for analyzer in analyzers {
        sink.set_analyzer(analyzer.name);
        (analyzer.run)(&view, &mut sink);
    }
    let (messages, is_cut) = sink.finish();
    Analysis { messages, is_cut }
}

/// What analysis found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    messages: Vec<Message>,
    is_cut: bool,
}

impl Analysis {
    /// The messages: errors first, then by code, object and place.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Whether analysis ended at [`AnalyzeOptions::max_messages`], so that there may be more.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The severity of the gravest message.
    pub fn worst(&self) -> Option<Severity> {
        self.messages.iter().map(|message| message.kind.severity).max()
    }

    /// The messages as findings.
    pub fn report(&self) -> Report {
        self.messages.iter().map(Message::to_diagnostic).collect()
    }
}

impl fmt::Display for Analysis {
    /// One line for each message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.messages
            .iter()
            .try_for_each(|message| writeln!(f, "{message}"))
    }
}

/// One analyzer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Analyzer {
    /// The name that istioctl gives it.
    pub name: &'static str,
    /// The name of its type in Istio's sources, where that is another one.
    pub type_name: &'static str,
    /// What it looks for.
    pub summary: &'static str,
    /// Whether [`analyze`] runs it in every profile.
    pub by_default: bool,
    /// Whether [`analyze`] runs it in [`Profile::Strict`].
    pub in_strict: bool,
    run: fn(&View<'_>, &mut Sink<'_>),
}

impl Analyzer {
    /// Whether [`analyze`] runs it in a profile.
    pub fn runs_in(&self, profile: Profile) -> bool {
        self.by_default || (self.in_strict && profile == Profile::Strict)
    }
}

/// The analyzer of a name, istioctl's or that of its type.
///
/// ```
/// use mesh_api::analyze::analyzer;
///
/// assert!(analyzer("gateway.SecretAnalyzer").is_some_and(|analyzer| analyzer.by_default));
/// assert!(analyzer("SecretAnalyzer").is_none());
/// ```
pub fn analyzer(name: &str) -> Option<&'static Analyzer> {
    ANALYZERS
        .iter()
        .find(|analyzer| analyzer.name == name || analyzer.type_name == name)
}

macro_rules! analyzers {
    ($($name:literal $(= $type_name:literal)? $run:expr, $summary:literal $(, $when:ident)?;)*) => {
        /// All analyzers, by package and name, those of the schema at the end.
        pub static ANALYZERS: &[Analyzer] = &[$(Analyzer {
            name: $name,
            type_name: analyzers!(@type $name $($type_name)?),
            summary: $summary,
            by_default: analyzers!(@default $($when)?),
            in_strict: analyzers!(@strict $($when)?),
            run: $run,
        }),*];
    };
    (@type $name:literal) => { $name };
    (@type $name:literal $type_name:literal) => { $type_name };
    (@default) => { true };
    (@default named) => { false };
    (@default strict) => { false };
    (@strict) => { true };
    (@strict named) => { false };
    (@strict strict) => { true };
}

analyzers! {
    "annotations.AlphaAnalyzer" annotations::alpha, "annotations of alpha status", named;
    "annotations.K8sAnalyzer" annotations::check, "unknown, misplaced, deprecated and invalid annotations";
    "auth.AuthorizationPoliciesAnalyzer" = "authz.AuthorizationPoliciesAnalyzer" authz::policies,
        "AuthorizationPolicies for no workload, and unknown namespaces in them";
    "authn.BlockedCIDRsAnalyzer" authn::blocked_cidrs, "fetching of JWKS from any address";
    "conditions.ConditionAnalyzer" conditions::check, "conditions in the status that say no";
    "deployment.ApplicationUIDAnalyzer" deployment::users, "containers that run as the proxy's user";
    "deployment.ServiceAssociationAnalyzer" = "deployment.MultiServiceAnalyzer" deployment::services,
        "deployments with services that contradict each other";
    "deprecation.DeprecationAnalyzer" = "deprecation.FieldAnalyzer" deprecation::fields,
        "fields and kinds that are on their way out";
    "destinationrule.CaCertificateAnalyzer" destination_rule::certificates, "TLS to servers that are not verified";
    "destinationrule.PodNotSelectedAnalyzer" destination_rule::subsets, "unknown hosts, and subsets without pods";
    "envoyfilter.EnvoyPatchAnalyzer" envoy_filter::patches, "patches that may not be applied";
    "externalcontrolplane.ExternalControlPlaneAnalyzer" webhook::external_control_plane,
        "addresses of an external control plane";
    "gateway.CertificateAnalyzer" gateway::certificates, "certificates that several gateways use";
    "gateway.ConflictingGatewayAnalyzer" gateway::conflicts, "gateways that serve the same hosts and ports";
    "gateway.IngressGatewayPortAnalyzer" gateway::ports, "gateways without workload, ports without service";
    "gateway.SecretAnalyzer" gateway::credentials, "secrets of gateways that are not there or invalid";
    "injection.Analyzer" injection::proxies, "namespaces and pods that are not injected";
    "injection.ImageAnalyzer" injection::images, "proxies of another version than the injector's";
    "injection.ImageAutoAnalyzer" injection::auto_images, "images that no injector fills in";
    "k8sgateway.CRDVersionAnalyzer" kubernetes_gateway::definitions, "CRDs of the Gateway API that are too old";
    "k8sgateway.SelectorAnalyzer" kubernetes_gateway::selectors, "selectors that have no effect on Gateway API workloads";
    "meshnetworks.MeshNetworksAnalyzer" = "multicluster.MeshNetworksAnalyzer" multicluster::networks,
        "unknown registries in the networks of the mesh";
    "multicluster.ServiceAnalyzer" multicluster::services, "services that differ between clusters";
    "service.PortNameAnalyzer" service::port_names, "names of service ports that tell no protocol";
    "serviceentry.Analyzer" = "serviceentry.ProtocolAddressesAnalyzer" service_entry::addresses,
        "ServiceEntries that need addresses";
    "serviceentry.ConflictingProtocolAnalyzer" = "serviceentry.ProtocolConflictAnalyzer" service_entry::protocols,
        "ServiceEntries that give a port different protocols";
    "sidecar.SelectorAnalyzer" sidecar::selectors, "Sidecars for no workload, or several for one";
    "telemetry.DefaultSelectorAnalyzer" telemetry::defaults, "several Telemetries for a whole namespace";
    "telemetry.LightstepAnalyzer" telemetry::lightstep, "uses of Lightstep";
    "telemetry.ProviderAnalyzer" = "telemetry.ProdiverAnalyzer" telemetry::providers,
        "Telemetries without an access log provider";
    "telemetry.SelectorAnalyzer" telemetry::selectors, "Telemetries for no workload, or several for one";
    "virtualservice.ConflictingMeshGatewayHostsAnalyzer" virtual_service::mesh_hosts,
        "VirtualServices that claim the same host";
    "virtualservice.DestinationHostAnalyzer" virtual_service::destinations,
        "unknown hosts and ports of destinations, and routes past subsets";
    "virtualservice.DestinationRuleAnalyzer" virtual_service::subsets, "unknown subsets of destinations";
    "virtualservice.GatewayAnalyzer" virtual_service::gateways, "unknown gateways, and hosts they do not serve";
    "virtualservice.JWTClaimRouteAnalyzer" virtual_service::claims, "routes by claims that nobody verifies";
    "webhook.Analyzer" webhook::injectors, "injectors that overlap or lead nowhere";
    "own.DelegateAnalyzer" own::delegates, "delegates that cannot be used", strict;
    "own.PolicyAnalyzer" own::policies, "policies that contradict each other", strict;
    "own.ProviderAnalyzer" own::providers, "unknown providers of authorization", strict;
    "own.UnusedAnalyzer" own::unused, "subsets, gateways and DestinationRules that nobody uses", strict;
    "own.WeightAnalyzer" own::weights, "weights that are no percentages", strict;
    "schema.ValidationAnalyzer.AuthorizationPolicy" schema::check::<crate::security::AuthorizationPolicy>, "A-AP";
    "schema.ValidationAnalyzer.DestinationRule" schema::check::<crate::networking::DestinationRule>, "A-DR";
    "schema.ValidationAnalyzer.EnvoyFilter" schema::check::<crate::networking::EnvoyFilter>, "A-EF";
    "schema.ValidationAnalyzer.Gateway" schema::check::<crate::networking::Gateway>, "A-GW";
    "schema.ValidationAnalyzer.PeerAuthentication" schema::check::<crate::security::PeerAuthentication>, "A-PA";
    "schema.ValidationAnalyzer.ProxyConfig" schema::check::<crate::networking::ProxyConfig>, "A-PC";
    "schema.ValidationAnalyzer.RequestAuthentication" schema::check::<crate::security::RequestAuthentication>, "A-RA";
    "schema.ValidationAnalyzer.ServiceEntry" schema::check::<crate::networking::ServiceEntry>, "A-SE";
    "schema.ValidationAnalyzer.Sidecar" schema::check::<crate::networking::Sidecar>, "A-SC";
    "schema.ValidationAnalyzer.Telemetry" schema::check::<crate::telemetry::Telemetry>, "A-TL";
    "schema.ValidationAnalyzer.TrafficExtension" schema::check::<crate::extensions::TrafficExtension>, "A-TE";
    "schema.ValidationAnalyzer.VirtualService" schema::check::<crate::networking::VirtualService>, "A-VS";
    "schema.ValidationAnalyzer.WasmPlugin" schema::check::<crate::extensions::WasmPlugin>, "A-WP";
    "schema.ValidationAnalyzer.WorkloadEntry" schema::check::<crate::networking::WorkloadEntry>, "A-WE";
    "schema.ValidationAnalyzer.WorkloadGroup" schema::check::<crate::networking::WorkloadGroup>, "A-WG";
}
