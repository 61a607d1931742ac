//! The objects that tell the API server about the webhooks of a control plane.
//!
//! Source: Istio's charts `base` and `istio-discovery`, and its revision tags.

use std::collections::BTreeMap;

use crate::kubernetes::{
    FailurePolicy, MutatingWebhookConfiguration, ServiceReference, ValidatingWebhookConfiguration, Webhook,
    WebhookClientConfig, WebhookRule,
};
use crate::mesh::{LabelSelector, LabelSelectorRequirement};
use crate::meta::ObjectMeta;
use crate::names::{Labels, Namespace, Text};
use crate::object::Object;
use crate::scalar::Bytes;

/// A control plane, as its webhook configurations speak of it.
///
/// ```
/// use mesh_api::admission::ControlPlane;
/// use mesh_api::kubernetes::FailurePolicy;
///
/// let canary = ControlPlane { revision: "canary".into(), ..ControlPlane::default() };
/// let validator = canary.validator();
/// assert_eq!(validator.meta.name, "istio-validator-canary-istio-system");
/// let webhook = validator.spec.webhooks.first().ok_or("one webhook")?;
/// assert_eq!(webhook.name, "rev.validation.istio.io");
/// assert_eq!(webhook.failure_policy, Some(FailurePolicy::Ignore)); // until a reconciler has seen it work
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlane {
    /// The revision. Empty, as by default, for the one without a name, which goes by `default`.
    pub revision: Text,
    /// The namespace of the control plane. Default `istio-system`.
    pub namespace: Namespace,
    /// Roots for the certificate of the webhooks, as PEM. Default none: a [`WebhookReconciler`](super::WebhookReconciler)
    /// writes them.
    pub ca_bundle: Bytes,
    /// Whether the objects are there already. Then the failure policy of validation is left out, so that applying them does
    /// not turn back what a reconciler wrote. Default false.
    pub is_upgrade: bool,
    /// Whether the revision without a name injects into pods that no label speaks of. Default false.
    pub enable_namespaces_by_default: bool,
}

impl Default for ControlPlane {
    fn default() -> Self {
        Self {
            revision: Text::default(),
            namespace: Namespace::new("istio-system"),
            ca_bundle: Bytes::default(),
            is_upgrade: false,
            enable_namespaces_by_default: false,
        }
    }
}

impl ControlPlane {
    /// The value of the label `istio.io/rev` that objects of this control plane have: the revision, or `default`.
    pub fn revision_label(&self) -> &str {
        match self.revision.as_str() {
            "" => "default",
            revision => revision,
        }
    }

    /// The name of the service that the webhooks stand behind.
    pub fn service_name(&self) -> String {
        format!("istiod{}", self.suffix())
    }

    /// What validates the objects that are labelled with the revision (A-ADM-10).
    pub fn validator(&self) -> Object<ValidatingWebhookConfiguration> {
        let name = format!("istio-validator{}-{}", self.suffix(), self.namespace);
        let failure_policy = match (self.ca_bundle.is_empty(), self.is_upgrade) {
            // nobody will patch what has its roots already
            (false, _) => Some(FailurePolicy::Fail),
            (true, false) => Some(FailurePolicy::Ignore),
            (true, true) => None,
        };
        let webhook = Webhook {
            failure_policy,
            object_selector: Some(selector([within(REVISION, [self.revision_label()])])),
            ..self.validation("rev.validation.istio.io")
        };
        let meta = self.meta(name, "istiod").with_label("istio", "istiod");
        Object::new(
            meta,
            ValidatingWebhookConfiguration {
                webhooks: vec![webhook],
            },
        )
    }

    /// What validates the objects without a revision label, if this control plane is the default one (A-ADM-10).
    pub fn default_validator(&self) -> Object<ValidatingWebhookConfiguration> {
        let webhook = Webhook {
            failure_policy: Some(FailurePolicy::Ignore),
            object_selector: Some(selector([absent(REVISION)])),
            ..self.validation("validation.istio.io")
        };
        let meta = self.meta("istiod-default-validator".to_owned(), "istiod");
        let meta = meta.with_label("istio", "istiod").with_label(TAG, "default");
        Object::new(
            meta,
            ValidatingWebhookConfiguration {
                webhooks: vec![webhook],
            },
        )
    }

    /// What injects sidecars for the revision (A-ADM-23).
    pub fn injector(&self) -> Object<MutatingWebhookConfiguration> {
        let place = match self.namespace.as_str() {
            "istio-system" => String::new(),
            other => format!("-{other}"),
        };
        let name = format!("istio-sidecar-injector{}{place}", self.suffix());
        let webhooks = self.injection(self.revision_label(), self.revision.is_empty());
        Object::new(
            self.meta(name, "sidecar-injector"),
            MutatingWebhookConfiguration { webhooks },
        )
    }

    /// What injects sidecars for a tag, which is another name for the revision: labels name the tag, and the service is the
    /// revision's (A-ADM-24). The tag `default` stands for pods and namespaces that name no revision as well.
    pub fn tagged_injector(&self, tag: &str) -> Object<MutatingWebhookConfiguration> {
        let place = match self.namespace.as_str() {
            "istio-system" => String::new(),
            other => format!("-{other}"),
        };
        let meta = self.meta(format!("istio-revision-tag-{tag}{place}"), "sidecar-injector");
        Object::new(
            meta.with_label(TAG, tag),
            MutatingWebhookConfiguration {
                webhooks: self.injection(tag, tag == "default"),
            },
        )
    }

    /// The webhooks of an injector, by the labels that lead to it.
    fn injection(&self, label: &str, is_default: bool) -> Vec<Webhook> {
        let not_refused = || outside(INJECT, ["false"]);
        let webhook = |prefix: &str, namespace: LabelSelector, object: LabelSelector| Webhook {
            namespace_selector: Some(namespace),
            object_selector: Some(object),
            ..self.injecting(format!("{prefix}sidecar-injector.istio.io"))
        };
        let mut webhooks = vec![
            webhook(
                "rev.namespace.",
                selector([within(REVISION, [label]), absent(INJECTION)]),
                selector([not_refused()]),
            ),
            webhook(
                "rev.object.",
                selector([absent(REVISION), absent(INJECTION)]),
                selector([not_refused(), within(REVISION, [label])]),
            ),
        ];
        if is_default {
            webhooks.push(webhook(
                "namespace.",
                selector([within(INJECTION, ["enabled"])]),
                selector([not_refused()]),
            ));
            webhooks.push(webhook(
                "object.",
                selector([absent(INJECTION), absent(REVISION)]),
                selector([within(INJECT, ["true"]), absent(REVISION)]),
            ));
        }
        if is_default && self.enable_namespaces_by_default {
            let elsewhere = outside("kubernetes.io/metadata.name", SYSTEM_NAMESPACES);
            webhooks.push(webhook(
                "auto.",
                selector([absent(INJECTION), absent(REVISION), elsewhere]),
                selector([absent(INJECT), absent(REVISION)]),
            ));
        }
        webhooks
    }

    fn validation(&self, name: &str) -> Webhook {
        let groups = ["security", "networking", "telemetry", "extensions"];
        Webhook {
            name: name.to_owned(),
            client_config: self.client("/validate", None),
            rules: vec![WebhookRule {
                operations: texts(["CREATE", "UPDATE"]),
                api_groups: groups.map(|group| format!("{group}.istio.io")).to_vec(),
                api_versions: texts(["*"]),
                resources: texts(["*"]),
                ..WebhookRule::default()
            }],
            side_effects: "None".to_owned(),
            admission_review_versions: texts(["v1"]),
            ..Webhook::default()
        }
    }

    fn injecting(&self, name: String) -> Webhook {
        Webhook {
            name,
            client_config: self.client("/inject", Some(443)),
            rules: vec![WebhookRule {
                operations: texts(["CREATE"]),
                api_groups: texts([""]),
                api_versions: texts(["v1"]),
                resources: texts(["pods"]),
                ..WebhookRule::default()
            }],
            failure_policy: Some(FailurePolicy::Fail),
            side_effects: "None".to_owned(),
            admission_review_versions: texts(["v1"]),
            reinvocation_policy: "Never".to_owned(),
            ..Webhook::default()
        }
    }

    fn client(&self, path: &str, port: Option<u32>) -> WebhookClientConfig {
        WebhookClientConfig {
            service: Some(ServiceReference {
                namespace: self.namespace.to_string(),
                name: self.service_name(),
                path: path.to_owned(),
                port,
            }),
            ca_bundle: self.ca_bundle.clone(),
            ..WebhookClientConfig::default()
        }
    }

    fn meta(&self, name: String, app: &str) -> ObjectMeta {
        ObjectMeta::new(name, "")
            .with_label("app", app)
            .with_label(REVISION, self.revision_label())
    }

    /// What the revision adds to names.
    fn suffix(&self) -> String {
        match self.revision.as_str() {
            "" => String::new(),
            revision => format!("-{revision}"),
        }
    }
}

/// The webhook of an injector that a new pod goes to, by the labels of its namespace and its own (A-ADM-24).
///
/// At most one of [`ControlPlane::injector`]'s matches. A namespace's `istio-injection` beats its `istio.io/rev`.
///
/// ```
/// use mesh_api::admission::{ControlPlane, selects};
/// use mesh_api::names::Labels;
///
/// let injector = ControlPlane::default().injector();
/// let namespace = Labels::new().with("istio-injection", "enabled");
/// let webhook = selects(&injector.spec, &namespace, &Labels::new()).ok_or("selected")?;
/// assert_eq!(webhook.name, "namespace.sidecar-injector.istio.io");
/// let refused = Labels::new().with("sidecar.istio.io/inject", "false");
/// assert_eq!(selects(&injector.spec, &namespace, &refused), None);
/// # Ok::<(), &str>(())
/// ```
pub fn selects<'c>(
    configuration: &'c MutatingWebhookConfiguration,
    namespace: &Labels,
    pod: &Labels,
) -> Option<&'c Webhook> {
    let fits = |selector: &Option<LabelSelector>, labels| {
        selector.as_ref().is_none_or(|selector| selector.matches(labels))
    };
    let mut webhooks = configuration.webhooks.iter();
    webhooks
        .find(|webhook| fits(&webhook.namespace_selector, namespace) && fits(&webhook.object_selector, pod))
}

const REVISION: &str = "istio.io/rev";
const TAG: &str = "istio.io/tag";
const INJECTION: &str = "istio-injection";
const INJECT: &str = "sidecar.istio.io/inject";
/// Namespaces that nothing is injected into unless a label asks for it.
const SYSTEM_NAMESPACES: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

fn selector<const N: usize>(match_expressions: [LabelSelectorRequirement; N]) -> LabelSelector {
    LabelSelector {
        match_labels: BTreeMap::new(),
        match_expressions: match_expressions.into(),
    }
}

fn within<const N: usize>(key: &str, values: [&str; N]) -> LabelSelectorRequirement {
    requirement(key, "In", texts(values))
}

fn outside<const N: usize>(key: &str, values: [&str; N]) -> LabelSelectorRequirement {
    requirement(key, "NotIn", texts(values))
}

fn absent(key: &str) -> LabelSelectorRequirement {
    requirement(key, "DoesNotExist", Vec::new())
}

fn requirement(key: &str, operator: &str, values: Vec<String>) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values,
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
