//! What analyzers see: the objects, and indexes over them that are built when the first analyzer asks.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::AnalyzeOptions;
use super::hosts::HostRegistry;
use super::index::{LabelIndex, SelectorIndex};
use super::mesh::MeshFacts;
use crate::kind::Kind;
use crate::kubernetes::{
    Container, Namespace as KubernetesNamespace, Pod, Service, ServicePort, ServiceSpec,
};
use crate::meta::ObjectMeta;
use crate::names::Labels;
use crate::object::Object;
use crate::object_set::ObjectSet;
use crate::scalar::IntOrString;

pub(super) struct View<'a> {
    pub(super) objects: &'a ObjectSet,
    pub(super) options: &'a AnalyzeOptions,
    ingress: Option<&'a DefaultIngress>,
    mesh: OnceCell<MeshFacts>,
    pods: OnceCell<LabelIndex<'a, &'a Object<Pod>>>,
    services_by_pod: OnceCell<SelectorIndex<'a, &'a Object<Service>>>,
    hosts: OnceCell<HostRegistry>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        objects: &'a ObjectSet,
        options: &'a AnalyzeOptions,
        ingress: Option<&'a DefaultIngress>,
    ) -> Self {
        Self {
            objects,
            options,
            ingress,
            mesh: OnceCell::new(),
            pods: OnceCell::new(),
            services_by_pod: OnceCell::new(),
            hosts: OnceCell::new(),
        }
    }

    /// Whether absence means something: objects of the kind were given, or the set is complete.
    pub(super) fn knows(&self, kind: &Kind) -> bool {
        self.options.complete || self.objects.has(kind)
    }

    /// Whether the workloads of gateways are known.
    pub(super) fn knows_gateway_pods(&self) -> bool {
        self.ingress.is_some() || self.knows(&Kind::Pod)
    }

    /// The mesh configuration, as far as analysis reads it.
    pub(super) fn mesh(&self) -> &MeshFacts {
        self.mesh.get_or_init(|| MeshFacts::new(&self.options.mesh))
    }

    /// All pods by label, the one of the default ingress gateway included.
    pub(super) fn pods(&self) -> &LabelIndex<'a, &'a Object<Pod>> {
        self.pods.get_or_init(|| {
            let given = self.objects.pods().map(|pod| &**pod);
            let all = given.chain(self.ingress.map(|ingress| &ingress.pod));
            LabelIndex::new(all.map(|pod| (&pod.meta, pod)))
        })
    }

    /// All services, the one of the default ingress gateway included.
    pub(super) fn services(&self) -> impl Iterator<Item = &'a Object<Service>> + use<'a> {
        let given = self.objects.services().map(|service| &**service);
        given.chain(self.ingress.map(|ingress| &ingress.service))
    }

    /// The services of a namespace that select something with these labels.
    pub(super) fn services_selecting<'s>(
        &'s self,
        namespace: &'s str,
        labels: &'s Labels,
    ) -> impl Iterator<Item = &'a Object<Service>> + use<'a, 's> {
        let index = self.services_by_pod.get_or_init(|| {
            let services = self.services();
            SelectorIndex::new(services.map(|service| {
                (
                    service.meta.namespace.as_str(),
                    &service.spec.spec.selector,
                    service,
                )
            }))
        });
        index.selecting(namespace, labels).copied()
    }

    /// The hosts that traffic can be sent to.
    pub(super) fn hosts(&self) -> &HostRegistry {
        self.hosts.get_or_init(|| HostRegistry::new(self))
    }

    /// The namespace object.
    pub(super) fn namespace(&self, name: &str) -> Option<&'a ObjectMeta> {
        self.objects
            .object::<KubernetesNamespace>("", name)
            .map(|namespace| &namespace.meta)
    }

    /// The fully qualified name of a host that an object of the namespace mentions (A-AN-2).
    pub(super) fn fqdn(&self, namespace: &str, host: &str) -> String {
        if host.starts_with('*') || host.contains('.') {
            host.to_owned()
        } else {
            format!("{host}.{namespace}.svc.{}", self.options.cluster_domain)
        }
    }

    /// Whether pods with these labels and annotations get or have a proxy.
    ///
    /// Source: Istio analysis in_mesh.go.
    pub(super) fn is_in_mesh<'c>(
        &self,
        namespace: &str,
        meta: &ObjectMeta,
        containers: impl IntoIterator<Item = &'c Container>,
    ) -> bool {
        if containers.into_iter().any(|container| container.name == PROXY) {
            return true;
        }
        // the label took the annotation's place, and wins over it
        if let Some(inject) = meta.labels.get(INJECT).or_else(|| meta.annotation(INJECT)) {
            return inject.eq_ignore_ascii_case("true");
        }
        self.namespace(namespace)
            .and_then(|meta| meta.labels.get(INJECTION_LABEL))
            .is_some_and(|value| value.eq_ignore_ascii_case("enabled"))
    }
}

/// The annotation and label by which a pod opts in and out of injection.
pub(super) const INJECT: &str = "sidecar.istio.io/inject";
/// The label by which a namespace is injected.
pub(super) const INJECTION_LABEL: &str = "istio-injection";
/// The label by which a namespace or pod chooses a revision.
pub(super) const REVISION_LABEL: &str = "istio.io/rev";
/// The label by which a namespace or pod chooses sidecar or ambient mode.
pub(super) const MODE_LABEL: &str = "istio.io/dataplane-mode";
/// The label that names the Kubernetes Gateway of a workload.
pub(super) const GATEWAY_NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
/// The name of the proxy's container.
pub(super) const PROXY: &str = "istio-proxy";

/// Whether Kubernetes keeps the namespace for itself; nothing is ever injected there.
pub(super) fn is_system_namespace(namespace: &str) -> bool {
    [
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "local-path-storage",
    ]
    .contains(&namespace)
}

/// Whether an object is part of the control plane.
pub(super) fn is_control_plane(meta: &ObjectMeta) -> bool {
    meta.labels.contains_key("istio") || meta.labels.get("release") == Some("istio")
}

/// Whether the labels of a namespace put its pods into ambient mode; labels for injection win.
pub(super) fn is_ambient_namespace(meta: &ObjectMeta) -> bool {
    meta.labels.get(MODE_LABEL) == Some("ambient")
        && !meta.labels.contains_key(REVISION_LABEL)
        && meta.labels.get(INJECTION_LABEL) != Some("enabled")
}

/// The containers of a pod, those that run before the others included.
pub(super) fn containers(spec: &crate::kubernetes::PodSpec) -> impl Iterator<Item = &Container> {
    spec.containers.iter().chain(&spec.init_containers)
}

/// Pod and service of the ingress gateway that a default installation has; files seldom hold it.
pub(super) struct DefaultIngress {
    pod: Object<Pod>,
    service: Object<Service>,
}

impl DefaultIngress {
    pub(super) fn new(options: &AnalyzeOptions) -> Self {
        let meta = || ObjectMeta::new("istio-ingressgateway", options.istio_namespace.as_str());
        let mut pod = Pod::default();
        pod.spec.containers.push(Container {
            name: PROXY.into(),
            ..Container::default()
        });
        let ports = [
            ("status-port", 15021),
            ("http2", 80),
            ("https", 443),
            ("tcp", 31400),
            ("tls", 15443),
        ];
        let ports = ports.map(|(name, port)| ServicePort {
            name: name.into(),
            port,
            target_port: Some(IntOrString::from(i32::try_from(port).unwrap_or_default())),
            ..ServicePort::default()
        });
        let service = Service {
            spec: ServiceSpec {
                ports: ports.into(),
                selector: BTreeMap::from([("istio".into(), "ingressgateway".into())]),
                ..ServiceSpec::default()
            },
            ..Service::default()
        };
        Self {
            pod: Object::new(meta().with_label("istio", "ingressgateway"), pod),
            service: Object::new(meta(), service),
        }
    }
}
