//! Images of proxies that differ from what the injector sets. Source: Istio analysis injection-image.go.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::super::codes;
use super::super::index::{list, selects};
use super::super::path;
use super::super::sink::Sink;
use super::super::view::{INJECTION_LABEL, PROXY, REVISION_LABEL, View, containers, is_system_namespace};
use super::{INJECTOR, injector_configs, values};
use crate::kubernetes::{ConfigMap, Namespace};
use crate::meta::ObjectMeta;
use crate::networking::ProxyConfig;
use crate::object::Object;

/// IST0158, once for each namespace.
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    let images: BTreeMap<String, String> = injector_configs(view)
        .filter_map(|config| Some((revision_of(config), image(&values(config)?)?)))
        .collect();
    if images.is_empty() {
        return;
    }
    let types = ImageTypes::new(view);
    let mut stale: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for pod in view.objects.pods() {
        let namespace = pod.meta.namespace.as_str();
        let expected = view
            .namespace(namespace)
            .and_then(revision_of_namespace)
            .and_then(|revision| images.get(revision));
        let Some(expected) = expected else { continue };
        if pod.meta.annotation("sidecar.istio.io/proxyImage").is_some() {
            continue;
        }
        let variant = format!("{expected}-{}", types.of(&pod.meta));
        let is_stale = containers(&pod.spec.spec)
            .filter(|container| container.name == PROXY)
            .any(|container| container.image != *expected && container.image != variant);
        if is_stale {
            stale.entry(namespace).or_default().insert(&pod.meta.name);
        }
    }
    for (name, pods) in stale {
        if let Some(namespace) = view.objects.object::<Namespace>("", name) {
            sink.report(codes::PROXY_IMAGE_MISMATCH, namespace, path::name(), [list(pods)]);
        }
    }
}

/// The revision that an injector's ConfigMap is for.
fn revision_of(config: &Object<ConfigMap>) -> String {
    let suffix = config.meta.name.strip_prefix(INJECTOR).unwrap_or_default();
    match suffix.strip_prefix('-') {
        Some(revision) => revision.to_owned(),
        None => "default".to_owned(),
    }
}

/// The revision that injects the pods of a namespace; `None` if none does.
fn revision_of_namespace(meta: &ObjectMeta) -> Option<&str> {
    if is_system_namespace(&meta.name) {
        return None;
    }
    let enabled = meta.labels.get(INJECTION_LABEL) == Some("enabled");
    meta.labels.get(REVISION_LABEL).or(enabled.then_some("default"))
}

/// The proxy's image in an installation's values: a full reference, or one made of hub, image and tag.
fn image(values: &Value) -> Option<String> {
    let global = values.get("global")?;
    let image = global.get("proxy")?.get("image")?.as_str()?;
    if image.contains('/') {
        return Some(image.to_owned());
    }
    let tag = match global.get("tag")? {
        Value::String(tag) => tag.clone(),
        other => other.to_string(),
    };
    Some(format!("{}/{image}:{tag}", global.get("hub")?.as_str()?))
}

/// The image types that ProxyConfigs and the mesh choose.
struct ImageTypes<'a> {
    mesh: String,
    root: &'a str,
    /// Of all workloads of a namespace.
    whole: BTreeMap<&'a str, &'a str>,
    /// Of those that a selector selects.
    selecting: BTreeMap<&'a str, Vec<Selected<'a>>>,
}

/// A selector and the image type for what it selects.
type Selected<'a> = (&'a BTreeMap<String, String>, &'a str);

impl<'a> ImageTypes<'a> {
    fn new(view: &View<'a>) -> Self {
        let mut types = Self {
            mesh: view.mesh().image_type.clone(),
            root: &view.options.mesh.root_namespace,
            whole: BTreeMap::new(),
            selecting: BTreeMap::new(),
        };
        let mut objects: Vec<_> = view.objects.objects_of::<ProxyConfig>().collect();
        // of several the oldest counts (A-MRG-6)
        objects.sort_by(|a, b| crate::meta::age_order(&a.meta, &b.meta));
        for object in objects {
            let Some(image) = &object.spec.image else { continue };
            let (namespace, image) = (object.meta.namespace.as_str(), image.image_type.as_str());
            match &object.spec.selector {
                None => drop(types.whole.entry(namespace).or_insert(image)),
                Some(selector) => {
                    let list = types.selecting.entry(namespace).or_default();
                    list.push((&selector.match_labels, image));
                }
            }
        }
        types
    }

    /// The type for a pod: of its annotations, of the ProxyConfigs from the closest one outwards, of the mesh.
    fn of(&self, pod: &ObjectMeta) -> String {
        if let Some(image) = pod.annotation("sidecar.istio.io/proxyImageType") {
            return image.to_owned();
        }
        let namespace = pod.namespace.as_str();
        let own = pod.annotation("proxy.istio.io/config").and_then(annotated);
        let selecting = || {
            let mut list = self.selecting.get(namespace)?.iter();
            list.find(|(labels, _)| !labels.is_empty() && selects(labels, &pod.labels))
                .map(|(_, image)| *image)
        };
        let image = selecting()
            .or_else(|| self.whole.get(namespace).copied())
            .or_else(|| self.whole.get(self.root).copied())
            .filter(|image| !image.is_empty());
        own.or_else(|| image.map(str::to_owned))
            .unwrap_or_else(|| self.mesh.clone())
    }
}

/// The image type in a pod's own ProxyConfig.
fn annotated(text: &str) -> Option<String> {
    #[derive(Clone, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Config {
        image: Image,
    }
    #[derive(Clone, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Image {
        image_type: String,
    }
    let (config, _) = crate::decode_value::<Config>("proxy.istio.io/config", text.as_bytes());
    Some(config.image.image_type).filter(|image| !image.is_empty())
}
