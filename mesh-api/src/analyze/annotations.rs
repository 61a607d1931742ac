//! Annotations that are misspelled, misplaced or malformed. Source: Istio analysis annotations.go, annotation validation.

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::{INJECT, View};
use crate::codec::{Profile, nearest_name};
use crate::effective::merge_proxy_config;
use crate::kubernetes::{Deployment, Namespace, Pod, PodSpec, Service};
use crate::mesh::MeshProxyConfig;
use crate::meta::ObjectMeta;
use crate::object::{Model, Object, ObjectKey};
use crate::registry::{self, Annotation, Status};
use crate::report::FieldPath;
use crate::validate::{ValidateOptions, validate_mesh_proxy_config};

/// IST0107, IST0108, IST0125 and IST0135
pub(super) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    each(view, sink, judge);
}

/// IST0136; not of what the injector itself writes.
pub(super) fn alpha(view: &View<'_>, sink: &mut Sink<'_>) {
    each(view, sink, |subject, sink| {
        let is_made = subject.key == "sidecar.istio.io/status"
            || (subject.has_validation && WRITTEN_WITH_CNI.contains(&subject.key));
        let is_alpha = subject
            .annotation
            .is_some_and(|annotation| annotation.status == Status::Alpha);
        if is_alpha && !is_made {
            subject.report(codes::ALPHA_ANNOTATION, [subject.key.to_owned()], sink);
        }
    });
}

/// What the injector writes where a CNI plugin redirects traffic.
const WRITTEN_WITH_CNI: &[&str] = &[
    "sidecar.istio.io/interceptionMode",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/excludeInterfaces",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "traffic.sidecar.istio.io/kubevirtInterfaces",
];

/// An annotation where it was found.
struct Subject<'a> {
    annotation: Option<&'static Annotation>,
    key: &'a str,
    value: &'a str,
    /// The kind that counts: that of the object, or `Pod` in a template.
    kind: &'static str,
    /// Whether the label that took the place of the annotation for injection is there.
    has_inject_label: bool,
    /// Whether a container checks that a CNI plugin redirected traffic.
    has_validation: bool,
    object: ObjectKey,
    path: FieldPath,
}

impl Subject<'_> {
    fn report<const N: usize>(
        &self,
        code: &'static super::MessageType,
        parameters: [String; N],
        sink: &mut Sink<'_>,
    ) {
        sink.report_key(code, self.object.clone(), self.path.clone(), parameters);
    }
}

fn each(view: &View<'_>, sink: &mut Sink<'_>, mut visit: impl FnMut(&Subject<'_>, &mut Sink<'_>)) {
    let path = field!["metadata", "annotations"];
    let mut of = |place: Place<'_>| {
        let annotations = place.meta.annotations.iter();
        for (key, value) in annotations.filter(|(key, _)| is_istios(key)) {
            let subject = Subject {
                annotation: registry::annotation(key),
                key,
                value,
                kind: place.kind,
                has_inject_label: place.meta.labels.contains_key(INJECT),
                has_validation: place.spec.is_some_and(has_validation),
                object: place.object.clone(),
                path: place.path.with_key(key),
            };
            visit(&subject, sink);
        }
    };
    for object in view.objects.objects_of::<Namespace>() {
        of(Place::new("Namespace", object, &path));
    }
    for object in view.objects.objects_of::<Service>() {
        of(Place::new("Service", object, &path));
    }
    for object in view.objects.objects_of::<Pod>() {
        let place = Place::new("Pod", object, &path);
        of(Place {
            spec: Some(&object.spec.spec),
            ..place
        });
    }
    let template_path = field!["spec", "template", "metadata", "annotations"];
    for object in view.objects.objects_of::<Deployment>() {
        of(Place::new("Deployment", object, &path));
        let template = &object.spec.spec.template;
        of(Place {
            kind: "Pod",
            object: object.key(),
            meta: &template.metadata,
            spec: Some(&template.spec),
            path: &template_path,
        });
    }
}

/// Where annotations stand.
struct Place<'a> {
    kind: &'static str,
    object: ObjectKey,
    meta: &'a ObjectMeta,
    spec: Option<&'a PodSpec>,
    path: &'a FieldPath,
}

impl<'a> Place<'a> {
    fn new<T: Model>(kind: &'static str, object: &'a Object<T>, path: &'a FieldPath) -> Self {
        Self {
            kind,
            object: object.key(),
            meta: &object.meta,
            spec: None,
            path,
        }
    }
}

fn has_validation(spec: &PodSpec) -> bool {
    spec.init_containers
        .iter()
        .any(|container| container.name == "istio-validation")
}

/// Whether a key belongs to Istio; upstream has documented one of Kubernetes' as well.
fn is_istios(key: &str) -> bool {
    key == "kubernetes.io/ingress.class"
        || key
            .split('/')
            .next()
            .is_some_and(|host| host.ends_with("istio.io"))
}

fn judge(subject: &Subject<'_>, sink: &mut Sink<'_>) {
    let key = || subject.key.to_owned();
    let Some(annotation) = subject.annotation else {
        let hint = nearest(subject.key).map(|near| format!(", did you mean `{near}`?"));
        subject.report(codes::UNKNOWN_ANNOTATION, [key(), hint.unwrap_or_default()], sink);
        return;
    };
    // whoever sets the label as well knows, and keeps the annotation for what is older
    if annotation.deprecated && !(annotation.name == INJECT && subject.has_inject_label) {
        subject.report(codes::DEPRECATED_ANNOTATION, [key()], sink);
    }
    let resources = annotation.resources;
    if resources.contains(&"Any") {
        return;
    }
    if !resources.contains(&subject.kind) {
        subject.report(codes::MISPLACED_ANNOTATION, [key(), resources.join(", ")], sink);
        return;
    }
    if let Err(reason) = validate(annotation.name, subject.value) {
        subject.report(codes::INVALID_ANNOTATION, [key(), reason], sink);
    }
}

/// The registered annotation that a key comes closest to (A-ANN-1).
fn nearest(key: &str) -> Option<&'static str> {
    let names = || registry::ANNOTATIONS.iter().map(|annotation| annotation.name);
    let (host, name) = key.split_once('/')?;
    let near = nearest_name(name, names().filter_map(|known| Some(known.split_once('/')?.1)))?;
    let same_name = || names().filter(|known| known.split_once('/').is_some_and(|(_, name)| name == near));
    let same_host = same_name().find(|known| known.split_once('/').is_some_and(|(other, _)| other == host));
    same_host.or_else(|| same_name().next())
}

/// api.md 7.5
fn validate(name: &str, value: &str) -> Result<(), String> {
    match name {
        "sidecar.istio.io/interceptionMode" => match value {
            "REDIRECT" | "TPROXY" | "NONE" => Ok(()),
            _ => Err("it must be REDIRECT, TPROXY or NONE".into()),
        },
        "status.sidecar.istio.io/port" => port(value),
        "readiness.status.sidecar.istio.io/failureThreshold"
        | "readiness.status.sidecar.istio.io/initialDelaySeconds"
        | "readiness.status.sidecar.istio.io/periodSeconds" => number::<u32>(value),
        "traffic.sidecar.istio.io/includeOutboundIPRanges" => list(value, true, network),
        "traffic.sidecar.istio.io/excludeOutboundIPRanges" => list(value, false, network),
        "traffic.sidecar.istio.io/includeInboundPorts" => list(value, true, port),
        "traffic.sidecar.istio.io/excludeInboundPorts" | "traffic.sidecar.istio.io/excludeOutboundPorts" => {
            list(value, false, port)
        }
        "istio.io/reroute-virtual-interfaces"
        | "traffic.sidecar.istio.io/excludeInterfaces"
        | "traffic.sidecar.istio.io/kubevirtInterfaces" => list(value, false, interface),
        "prometheus.istio.io/merge-metrics" => match value {
            "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False" => {
                Ok(())
            }
            _ => Err("it must be true or false".into()),
        },
        "proxy.istio.io/config" => proxy_config(value),
        "sidecar.istio.io/proxyCPU"
        | "sidecar.istio.io/proxyCPULimit"
        | "sidecar.istio.io/proxyMemory"
        | "sidecar.istio.io/proxyMemoryLimit" => quantity(value),
        _ => Ok(()),
    }
}

/// The text is laid over what is built in, and the whole is judged, as the injector does.
fn proxy_config(text: &str) -> Result<(), String> {
    let name = "proxy.istio.io/config";
    let (config, mut report) = merge_proxy_config(name, text.as_bytes(), &MeshProxyConfig::built_in());
    if report.is_ok() {
        let options = ValidateOptions::new(Profile::Istiod);
        report.extend(validate_mesh_proxy_config(&config, &options));
    }
    match report.errors().next() {
        None => Ok(()),
        Some(error) if error.path.segments().is_empty() => Err(error.message.clone()),
        Some(error) => Err(format!("{}: {}", error.path, error.message)),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<(), String> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<T>() {
        Ok(_) if plain => Ok(()),
        _ => Err(format!("`{text}` is no number of its range")),
    }
}

/// A list with commas; the empty text is the empty list, `*` alone stands for all.
fn list(text: &str, takes_all: bool, item: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    if text.is_empty() || (takes_all && text == "*") {
        return Ok(());
    }
    text.split(',').try_for_each(item)
}

/// A port; blanks around it do not count.
fn port(text: &str) -> Result<(), String> {
    number::<u16>(text.trim())
}

fn network(text: &str) -> Result<(), String> {
    match text.parse::<ipnet::IpNet>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is no network like 10.0.0.0/8")),
    }
}

fn interface(text: &str) -> Result<(), String> {
    match text.len() {
        1..=15 => Ok(()),
        _ => Err(format!("`{text}` is no name of a network interface")),
    }
}

/// A number with a suffix, such as `100m` or `1.5Gi`.
fn quantity(text: &str) -> Result<(), String> {
    const SUFFIXES: [&str; 16] = [
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    ];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at_checked(end).unwrap_or((unsigned, ""));
    let is_number = number.contains(|c: char| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    let is_exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_number && (SUFFIXES.contains(&suffix) || is_exponent) {
        Ok(())
    } else {
        Err(format!("`{text}` is no quantity like 100m or 1Gi"))
    }
}
