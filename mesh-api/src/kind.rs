//! The kinds of objects.

use std::fmt;

use crate::names::Text;

/// A kind of object, told by group and kind; the version is no part of it (A-RES-1, A-RES-3).
///
/// ```
/// use mesh_api::Kind;
///
/// assert_eq!(Kind::of("networking.istio.io/v1beta1", "VirtualService"), Kind::VirtualService);
/// assert_eq!(Kind::resolve("vs"), Some(Kind::VirtualService));
/// assert_eq!(Kind::VirtualService.plural(), Some("virtualservices"));
/// // the Gateway of the Gateway API is another kind
/// assert_ne!(Kind::of("gateway.networking.k8s.io/v1", "Gateway"), Kind::Gateway);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `security.istio.io` AuthorizationPolicy.
    AuthorizationPolicy,
    /// Kubernetes ConfigMap.
    ConfigMap,
    /// Kubernetes `apiextensions.k8s.io` CustomResourceDefinition.
    CustomResourceDefinition,
    /// Kubernetes `apps` Deployment.
    Deployment,
    /// `networking.istio.io` DestinationRule.
    DestinationRule,
    /// Kubernetes Endpoints of the core group, the older form of EndpointSlice.
    Endpoints,
    /// Kubernetes `discovery.k8s.io` EndpointSlice.
    EndpointSlice,
    /// `networking.istio.io` EnvoyFilter.
    EnvoyFilter,
    /// `networking.istio.io` Gateway.
    Gateway,
    /// `install.istio.io` IstioOperator.
    IstioOperator,
    /// Kubernetes `admissionregistration.k8s.io` MutatingWebhookConfiguration.
    MutatingWebhookConfiguration,
    /// Kubernetes Namespace.
    Namespace,
    /// Kubernetes Node.
    Node,
    /// `security.istio.io` PeerAuthentication.
    PeerAuthentication,
    /// Kubernetes Pod.
    Pod,
    /// `networking.istio.io` ProxyConfig, the object; not the message inside MeshConfig.
    ProxyConfig,
    /// `security.istio.io` RequestAuthentication.
    RequestAuthentication,
    /// Kubernetes Secret.
    Secret,
    /// Kubernetes Service.
    Service,
    /// `networking.istio.io` ServiceEntry.
    ServiceEntry,
    /// `networking.istio.io` Sidecar.
    Sidecar,
    /// `telemetry.istio.io` Telemetry.
    Telemetry,
    /// `extensions.istio.io` TrafficExtension.
    TrafficExtension,
    /// Kubernetes `admissionregistration.k8s.io` ValidatingWebhookConfiguration.
    ValidatingWebhookConfiguration,
    /// `networking.istio.io` VirtualService.
    VirtualService,
    /// `extensions.istio.io` WasmPlugin.
    WasmPlugin,
    /// `networking.istio.io` WorkloadEntry.
    WorkloadEntry,
    /// `networking.istio.io` WorkloadGroup.
    WorkloadGroup,
    /// Any other kind: carried, not understood (A-RES-2).
    Other {
        /// The API group, empty for the core group.
        group: Text,
        /// The kind as written.
        kind: Text,
    },
}

struct Info {
    kind: Kind,
    name: &'static str,
    group: &'static str,
    /// The storage version first.
    versions: &'static [&'static str],
    plural: &'static str,
    singular: &'static str,
    short: &'static [&'static str],
}

impl Kind {
    /// The kind of an object, by its `apiVersion` and `kind`; the version is ignored (A-RES-1).
    pub fn of(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        TABLE
            .iter()
            .find(|info| info.name == kind && info.group == group)
            .map(|info| info.kind.clone())
            .unwrap_or_else(|| Self::Other {
                group: Text::from(group),
                kind: Text::from(kind),
            })
    }

    /// Finds a known kind by kind, plural, singular or short name, in any letter case (A-RES-3).
    pub fn resolve(text: &str) -> Option<Self> {
        let same = |name: &&str| name.eq_ignore_ascii_case(text);
        TABLE
            .iter()
            .find(|info| {
                [info.name, info.plural, info.singular]
                    .iter()
                    .chain(info.short)
                    .any(same)
            })
            .map(|info| info.kind.clone())
    }

    /// All kinds that the crate knows by name, in alphabetical order.
    pub fn known() -> impl Iterator<Item = Kind> {
        TABLE.iter().map(|info| info.kind.clone())
    }

    /// The kind's name, such as `VirtualService`.
    pub fn name(&self) -> &str {
        match self {
            Self::Other { kind, .. } => kind,
            known => known.info().map_or("", |info| info.name),
        }
    }

    /// The API group; empty for the core group of Kubernetes.
    pub fn group(&self) -> &str {
        match self {
            Self::Other { group, .. } => group,
            known => known.info().map_or("", |info| info.group),
        }
    }

    /// The served versions, the storage version first; none for kinds that are only carried.
    pub fn versions(&self) -> &'static [&'static str] {
        self.info().map_or(&[], |info| info.versions)
    }

    /// The `apiVersion` that objects are written with: group and storage version.
    pub fn api_version(&self) -> Option<String> {
        let version = self.versions().first()?;
        Some(match self.group() {
            "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        })
    }

    /// The plural in resource paths, such as `virtualservices`.
    pub fn plural(&self) -> Option<&'static str> {
        self.info().map(|info| info.plural)
    }

    /// The singular, such as `virtualservice`.
    pub fn singular(&self) -> Option<&'static str> {
        self.info().map(|info| info.singular)
    }

    /// Short names, such as `vs`.
    pub fn short_names(&self) -> &'static [&'static str] {
        self.info().map_or(&[], |info| info.short)
    }

    /// The kind of a list of these, such as `VirtualServiceList`.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.name())
    }

    /// Whether objects of the kind live in namespaces; kinds that are only carried are taken to.
    pub fn is_namespaced(&self) -> bool {
        !matches!(
            self,
            Self::CustomResourceDefinition
                | Self::MutatingWebhookConfiguration
                | Self::Namespace
                | Self::Node
                | Self::ValidatingWebhookConfiguration
        )
    }

    fn info(&self) -> Option<&'static Info> {
        TABLE.iter().find(|info| info.kind == *self)
    }
}

impl fmt::Display for Kind {
    /// The kind's name alone; two kinds of one name in different groups print alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const API_EXTENSIONS: &str = "apiextensions.k8s.io";
const APPS: &str = "apps";
const CORE: &str = "";
const DISCOVERY: &str = "discovery.k8s.io";
const EXTENSIONS: &str = "extensions.istio.io";
const INSTALL: &str = "install.istio.io";
const NETWORKING: &str = "networking.istio.io";
const SECURITY: &str = "security.istio.io";
const TELEMETRY: &str = "telemetry.istio.io";

const ALL: &[&str] = &["v1", "v1beta1", "v1alpha3"];
const ALPHA1: &[&str] = &["v1alpha1"];
const ALPHA3: &[&str] = &["v1alpha3"];
const BETA: &[&str] = &["v1", "v1beta1"];
const BETA1: &[&str] = &["v1beta1"];
const TELEMETRY_VERSIONS: &[&str] = &["v1alpha1", "v1"];
const V1: &[&str] = &["v1"];

/// One line of [`TABLE`]: kind, group, versions, plural, singular, short names.
macro_rules! row {
    ($kind:ident, $group:expr, $versions:expr, $plural:literal, $singular:literal, $short:expr) => {
        Info {
            kind: Kind::$kind,
            name: stringify!($kind),
            group: $group,
            versions: $versions,
            plural: $plural,
            singular: $singular,
            short: &$short,
        }
    };
}

/// api.md 1.1, and the Kubernetes kinds that routing and analysis need.
const TABLE: &[Info] = &[
    row!(
        AuthorizationPolicy,
        SECURITY,
        BETA,
        "authorizationpolicies",
        "authorizationpolicy",
        ["ap"]
    ),
    row!(ConfigMap, CORE, V1, "configmaps", "configmap", ["cm"]),
    row!(
        CustomResourceDefinition,
        API_EXTENSIONS,
        BETA,
        "customresourcedefinitions",
        "customresourcedefinition",
        ["crd"]
    ),
    row!(Deployment, APPS, V1, "deployments", "deployment", ["deploy"]),
    row!(
        DestinationRule,
        NETWORKING,
        ALL,
        "destinationrules",
        "destinationrule",
        ["dr"]
    ),
    row!(Endpoints, CORE, V1, "endpoints", "endpoints", ["ep"]),
    row!(
        EndpointSlice,
        DISCOVERY,
        BETA,
        "endpointslices",
        "endpointslice",
        []
    ),
    row!(EnvoyFilter, NETWORKING, ALPHA3, "envoyfilters", "envoyfilter", []),
    row!(Gateway, NETWORKING, ALL, "gateways", "gateway", ["gw"]),
    row!(
        IstioOperator,
        INSTALL,
        ALPHA1,
        "istiooperators",
        "istiooperator",
        ["iop", "io"]
    ),
    row!(
        MutatingWebhookConfiguration,
        ADMISSION,
        BETA,
        "mutatingwebhookconfigurations",
        "mutatingwebhookconfiguration",
        []
    ),
    row!(Namespace, CORE, V1, "namespaces", "namespace", ["ns"]),
    row!(Node, CORE, V1, "nodes", "node", ["no"]),
    row!(
        PeerAuthentication,
        SECURITY,
        BETA,
        "peerauthentications",
        "peerauthentication",
        ["pa"]
    ),
    row!(Pod, CORE, V1, "pods", "pod", ["po"]),
    row!(ProxyConfig, NETWORKING, BETA1, "proxyconfigs", "proxyconfig", []),
    row!(
        RequestAuthentication,
        SECURITY,
        BETA,
        "requestauthentications",
        "requestauthentication",
        ["ra"]
    ),
    row!(Secret, CORE, V1, "secrets", "secret", []),
    row!(Service, CORE, V1, "services", "service", ["svc"]),
    row!(
        ServiceEntry,
        NETWORKING,
        ALL,
        "serviceentries",
        "serviceentry",
        ["se"]
    ),
    row!(Sidecar, NETWORKING, ALL, "sidecars", "sidecar", []),
    row!(
        Telemetry,
        TELEMETRY,
        TELEMETRY_VERSIONS,
        "telemetries",
        "telemetry",
        ["telemetry"]
    ),
    row!(
        TrafficExtension,
        EXTENSIONS,
        ALPHA1,
        "trafficextensions",
        "trafficextension",
        []
    ),
    row!(
        ValidatingWebhookConfiguration,
        ADMISSION,
        BETA,
        "validatingwebhookconfigurations",
        "validatingwebhookconfiguration",
        []
    ),
    row!(
        VirtualService,
        NETWORKING,
        ALL,
        "virtualservices",
        "virtualservice",
        ["vs"]
    ),
    row!(WasmPlugin, EXTENSIONS, ALPHA1, "wasmplugins", "wasmplugin", []),
    row!(
        WorkloadEntry,
        NETWORKING,
        ALL,
        "workloadentries",
        "workloadentry",
        ["we"]
    ),
    row!(
        WorkloadGroup,
        NETWORKING,
        ALL,
        "workloadgroups",
        "workloadgroup",
        ["wg"]
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_does_not_matter() {
        // A-RES-1, A-RES-5
        for version in ["v1", "v1alpha3", "v9"] {
            assert_eq!(
                Kind::of(&format!("networking.istio.io/{version}"), "Sidecar"),
                Kind::Sidecar
            );
        }
        assert_eq!(
            Kind::of("install.istio.io/v1alpha2", "IstioOperator"),
            Kind::IstioOperator
        );
        assert_eq!(Kind::of("v1", "Service"), Kind::Service);
    }

    #[test]
    fn a_kind_needs_its_group() {
        // A-RES-2
        let other = Kind::of("serving.knative.dev/v1", "Service");
        assert_eq!((other.name(), other.group()), ("Service", "serving.knative.dev"));
        assert_eq!(other.plural(), None);
        assert!(matches!(Kind::of("", "VirtualService"), Kind::Other { .. }));
    }

    #[test]
    fn every_name_resolves_in_any_case() {
        // A-RES-3
        for kind in Kind::known() {
            let names = [kind.name(), kind.plural().unwrap(), kind.singular().unwrap()];
            for name in names.iter().chain(kind.short_names()) {
                assert_eq!(Kind::resolve(&name.to_uppercase()), Some(kind.clone()), "{name}");
            }
            let api_version = kind.api_version().unwrap();
            assert_eq!(Kind::of(&api_version, kind.name()), kind);
            assert_eq!(kind.list_kind(), format!("{kind}List"));
        }
        assert_eq!(Kind::resolve("ingress"), None);
        assert_eq!(Kind::known().count(), 28);
        assert!(!Kind::Namespace.is_namespaced() && Kind::Pod.is_namespaced());
    }
}
