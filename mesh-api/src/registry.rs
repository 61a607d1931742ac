//! The labels and annotations that Istio reads or writes.
//!
//! Source: Istio API `annotation/annotations.yaml`, `label/labels.yaml`; api.md §9.

/// How settled an annotation or label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It may change without notice.
    Alpha,
    /// It is settled in the main.
    Beta,
    /// It stays.
    Stable,
}

/// An annotation that Istio knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The key.
    pub name: &'static str,
    /// How settled it is.
    pub status: Status,
    /// Whether it is on its way out.
    pub deprecated: bool,
    /// The kinds that it has an effect on; `Any` is all.
    pub resources: &'static [&'static str],
}

/// A label that Istio knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Label {
    /// The key.
    pub name: &'static str,
    /// The kinds that it has an effect on.
    pub resources: &'static [&'static str],
}

/// The annotation of a key.
///
/// ```
/// use mesh_api::registry;
///
/// let inject = registry::annotation("sidecar.istio.io/inject").ok_or("known")?;
/// assert!(inject.deprecated && inject.resources.contains(&"Pod")); // the label of that name took its place
/// assert!(registry::annotation("sidecar.istio.io/injection").is_none());
/// # Ok::<(), &str>(())
/// ```
pub fn annotation(key: &str) -> Option<&'static Annotation> {
    let at = ANNOTATIONS
        .binary_search_by(|annotation| annotation.name.cmp(key))
        .ok()?;
    ANNOTATIONS.get(at)
}

/// The label of a key.
///
/// ```
/// use mesh_api::registry;
///
/// assert!(registry::label("istio-injection").is_some_and(|label| label.resources == ["Namespace"]));
/// ```
pub fn label(key: &str) -> Option<&'static Label> {
    let at = LABELS.binary_search_by(|label| label.name.cmp(key)).ok()?;
    LABELS.get(at)
}

const ANY: &[&str] = &["Any"];
const GATEWAY: &[&str] = &["Gateway"];
const NAMESPACE: &[&str] = &["Namespace"];
const POD: &[&str] = &["Pod"];
const SERVICE: &[&str] = &["Service"];
const WORKLOAD_ENTRY: &[&str] = &["WorkloadEntry"];

macro_rules! annotations {
    ($($name:literal $status:ident $resources:expr $(, $deprecated:ident)?;)*) => {
        /// All annotations, by key.
        pub const ANNOTATIONS: &[Annotation] = &[$(Annotation {
            name: $name,
            status: Status::$status,
            deprecated: annotations!(@ $($deprecated)?),
            resources: $resources,
        }),*];
    };
    (@ deprecated) => { true };
    (@) => { false };
}

annotations! {
    "alpha.istio.io/canonical-serviceaccounts" Alpha SERVICE, deprecated;
    "alpha.istio.io/kubernetes-serviceaccounts" Alpha SERVICE, deprecated;
    "ambient.istio.io/bypass-inbound-capture" Alpha POD;
    "ambient.istio.io/dns-capture" Alpha POD;
    "ambient.istio.io/redirection" Alpha POD;
    "galley.istio.io/analyze-suppress" Alpha ANY;
    "gateway.istio.io/controller-version" Alpha GATEWAY;
    "gateway.istio.io/name-override" Alpha GATEWAY;
    "gateway.istio.io/service-account" Alpha GATEWAY;
    "inject.istio.io/templates" Alpha POD;
    "istio.io/autoRegistrationGroup" Alpha WORKLOAD_ENTRY;
    "istio.io/connectedAt" Alpha WORKLOAD_ENTRY;
    "istio.io/disconnectedAt" Alpha WORKLOAD_ENTRY;
    "istio.io/dry-run" Alpha &["AuthorizationPolicy"];
    "istio.io/reroute-virtual-interfaces" Alpha POD;
    "istio.io/rev" Alpha POD;
    "istio.io/use-waypoint-canary-weight" Alpha &["Namespace", "Service", "ServiceEntry"];
    "istio.io/workloadController" Alpha WORKLOAD_ENTRY;
    "kubernetes.io/ingress.class" Stable &["Ingress"];
    "networking.istio.io/exportTo" Alpha SERVICE;
    "networking.istio.io/service-type" Alpha GATEWAY;
    "networking.istio.io/traffic-distribution" Beta &["Namespace", "Service", "ServiceEntry"];
    "prometheus.istio.io/merge-metrics" Alpha POD;
    "proxy.istio.io/config" Beta POD;
    "proxy.istio.io/overrides" Alpha POD;
    "readiness.status.sidecar.istio.io/applicationPorts" Alpha POD;
    "readiness.status.sidecar.istio.io/failureThreshold" Alpha POD;
    "readiness.status.sidecar.istio.io/initialDelaySeconds" Alpha POD;
    "readiness.status.sidecar.istio.io/periodSeconds" Alpha POD;
    "sidecar.istio.io/agentLogLevel" Alpha POD;
    "sidecar.istio.io/bootstrapOverride" Alpha POD;
    "sidecar.istio.io/componentLogLevel" Alpha POD;
    "sidecar.istio.io/discoveryAddress" Alpha POD, deprecated;
    "sidecar.istio.io/extraStatTags" Alpha POD, deprecated;
    "sidecar.istio.io/inject" Beta POD, deprecated;
    "sidecar.istio.io/interceptionMode" Alpha POD;
    "sidecar.istio.io/logLevel" Alpha POD;
    "sidecar.istio.io/nativeSidecar" Beta POD;
    "sidecar.istio.io/proxyCPU" Alpha POD;
    "sidecar.istio.io/proxyCPULimit" Alpha POD;
    "sidecar.istio.io/proxyImage" Alpha POD;
    "sidecar.istio.io/proxyImageType" Alpha POD;
    "sidecar.istio.io/proxyMemory" Alpha POD;
    "sidecar.istio.io/proxyMemoryLimit" Alpha POD;
    "sidecar.istio.io/rewriteAppHTTPProbers" Alpha POD;
    "sidecar.istio.io/statsCompression" Alpha POD, deprecated;
    "sidecar.istio.io/statsEvictionInterval" Alpha POD;
    "sidecar.istio.io/statsFlushInterval" Alpha POD;
    "sidecar.istio.io/statsHistogramBins" Alpha POD;
    "sidecar.istio.io/statsHistogramBuckets" Alpha POD;
    "sidecar.istio.io/statsInclusionPrefixes" Alpha POD, deprecated;
    "sidecar.istio.io/statsInclusionRegexps" Alpha POD, deprecated;
    "sidecar.istio.io/statsInclusionSuffixes" Alpha POD, deprecated;
    "sidecar.istio.io/status" Alpha POD;
    "sidecar.istio.io/userVolume" Alpha POD;
    "sidecar.istio.io/userVolumeMount" Alpha POD;
    "status.sidecar.istio.io/port" Alpha POD;
    "topology.istio.io/controlPlaneClusters" Alpha NAMESPACE;
    "traffic.istio.io/nodeSelector" Stable SERVICE;
    "traffic.sidecar.istio.io/excludeInboundPorts" Alpha POD;
    "traffic.sidecar.istio.io/excludeInterfaces" Alpha POD;
    "traffic.sidecar.istio.io/excludeOutboundIPRanges" Alpha POD;
    "traffic.sidecar.istio.io/excludeOutboundPorts" Alpha POD;
    "traffic.sidecar.istio.io/includeInboundPorts" Alpha POD;
    "traffic.sidecar.istio.io/includeOutboundIPRanges" Alpha POD;
    "traffic.sidecar.istio.io/includeOutboundPorts" Alpha POD;
    "traffic.sidecar.istio.io/kubevirtInterfaces" Alpha POD, deprecated;
}

macro_rules! labels {
    ($($name:literal $resources:expr;)*) => {
        /// All labels, by key.
        pub const LABELS: &[Label] = &[$(Label { name: $name, resources: $resources }),*];
    };
}

labels! {
    "gateway.istio.io/managed" &["Deployment", "Service"];
    "gateway.networking.k8s.io/gateway-class-name" POD;
    "gateway.networking.k8s.io/gateway-name" POD;
    "istio-injection" NAMESPACE;
    "istio.io/dataplane-mode" &["Namespace", "Pod"];
    "istio.io/ingress-use-waypoint" &["Namespace", "Service", "ServiceEntry"];
    "istio.io/rev" &["Gateway", "Namespace", "Pod"];
    "istio.io/tag" &["MutatingWebhookConfiguration"];
    "istio.io/use-waypoint" &["Namespace", "Pod", "Service", "ServiceEntry", "WorkloadEntry"];
    "istio.io/use-waypoint-canary" &["Namespace", "Service", "ServiceEntry"];
    "istio.io/use-waypoint-canary-namespace" &["Namespace", "Service", "ServiceEntry"];
    "istio.io/use-waypoint-namespace" &["Namespace", "Pod", "Service", "ServiceEntry", "WorkloadEntry"];
    "istio.io/waypoint-for" GATEWAY;
    "networking.istio.io/enable-autoallocate-ip" &["ServiceEntry"];
    "networking.istio.io/gatewayPort" SERVICE;
    "networking.istio.io/tunnel" POD;
    "operator.istio.io/component" ANY;
    "operator.istio.io/managed" ANY;
    "operator.istio.io/version" ANY;
    "security.istio.io/tlsMode" POD;
    "service.istio.io/canonical-name" POD;
    "service.istio.io/canonical-revision" POD;
    "service.istio.io/workload-name" POD;
    "sidecar.istio.io/inject" POD;
    "topology.istio.io/cluster" POD;
    "topology.istio.io/locality" POD;
    "topology.istio.io/network" &["Namespace", "Pod", "Service"];
    "topology.istio.io/subzone" &["Node"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_found() {
        // A-ANN-1: look-ups are by bisection
        assert!(ANNOTATIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(LABELS.is_sorted_by(|a, b| a.name < b.name));
        for known in ANNOTATIONS {
            assert_eq!(annotation(known.name), Some(known));
            assert!(!known.resources.is_empty());
        }
        for known in LABELS {
            assert_eq!(label(known.name), Some(known));
        }
        assert_eq!(ANNOTATIONS.len(), 67);
        assert_eq!(ANNOTATIONS.iter().filter(|known| known.deprecated).count(), 10);
    }
}
