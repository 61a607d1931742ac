//! The proxy configuration of a workload, from its layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::layered::Layered;
use super::mesh::{EffectiveMesh, fields_of, read};
use super::place::Place;
use crate::codec::{DecodeOptions, Profile, read_trees};
use crate::kind::Kind;
use crate::mesh::{ForwardClientCertDetails, MeshProxyConfig, ProxyClusterName, ProxyHeaders};
use crate::meta::{ObjectMeta, age_order};
use crate::names::Labels;
use crate::networking::ProxyConfig;
use crate::object::{Object, ObjectKey};
use crate::object_set::ObjectSet;
use crate::report::{Code, Diagnostic, FieldPath, Report, Segment, Severity, SourceLocation};

/// The annotation of a pod that holds a layer of its proxy configuration, as YAML or JSON text (A-MRG-10).
pub const PROXY_CONFIG_ANNOTATION: &str = "proxy.istio.io/config";

/// Where a field of a workload's proxy configuration comes from, from the lowest layer to the highest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProxyConfigLayer {
    /// Istio builds it in.
    BuiltIn,
    /// `defaultConfig` of the mesh.
    MeshDefault,
    /// The ProxyConfig object of the root namespace.
    RootNamespace(ObjectKey),
    /// The ProxyConfig object of the workload's namespace.
    Namespace(ObjectKey),
    /// The annotation `proxy.istio.io/config`.
    Annotation,
    /// The ProxyConfig object that selects the workload.
    Workload(ObjectKey),
}

impl ProxyConfigLayer {
    /// A stable name: `builtIn`, `meshDefault`, `rootNamespace`, `namespace`, `annotation` or `workload`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::BuiltIn => "builtIn",
            Self::MeshDefault => "meshDefault",
            Self::RootNamespace(_) => "rootNamespace",
            Self::Namespace(_) => "namespace",
            Self::Annotation => "annotation",
            Self::Workload(_) => "workload",
        }
    }

    /// The object that the layer is, if it is one.
    pub fn object(&self) -> Option<&ObjectKey> {
        match self {
            Self::RootNamespace(key) | Self::Namespace(key) | Self::Workload(key) => Some(key),
            Self::BuiltIn | Self::MeshDefault | Self::Annotation => None,
        }
    }
}

impl fmt::Display for ProxyConfigLayer {
    /// `ProxyConfig shop/reviews (selector)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::MeshDefault => f.write_str("mesh defaultConfig"),
            Self::RootNamespace(key) => write!(f, "{key} (root namespace)"),
            Self::Namespace(key) => write!(f, "{key} (namespace)"),
            Self::Annotation => write!(f, "annotation {PROXY_CONFIG_ANNOTATION}"),
            Self::Workload(key) => write!(f, "{key} (selector)"),
        }
    }
}

/// The proxy configuration of a workload, and the layer that set each field; made by [`EffectiveMesh::proxy_config`].
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveProxyConfig {
    config: MeshProxyConfig,
    set_by: BTreeMap<FieldPath, ProxyConfigLayer>,
    report: Report,
    workload: ObjectKey,
}

impl EffectiveProxyConfig {
    pub(super) fn new(mesh: &EffectiveMesh, objects: &ObjectSet, workload: &ObjectMeta) -> Self {
        let mut effective = Self {
            config: MeshProxyConfig::default(),
            set_by: BTreeMap::new(),
            report: Report::new(),
            workload: ObjectKey {
                kind: Kind::Pod,
                namespace: workload.namespace.clone(),
                name: workload.name.clone(),
            },
        };
        let built_in = MeshProxyConfig::built_in();
        effective.lay(&built_in, &ProxyConfigLayer::BuiltIn);
        effective.lay_mesh_default(mesh);
        let candidates = Candidates::new(objects, workload, &mut effective.report);
        let root = mesh.config().root_namespace.as_str();
        if let Some(object) = candidates.for_namespace(root, &mut effective.report) {
            effective.lay(
                &MeshProxyConfig::from(&object.spec),
                &ProxyConfigLayer::RootNamespace(object.key()),
            );
        }
        let namespace = workload.namespace.as_str();
        if namespace != root
            && let Some(object) = candidates.for_namespace(namespace, &mut effective.report)
        {
            effective.lay(
                &MeshProxyConfig::from(&object.spec),
                &ProxyConfigLayer::Namespace(object.key()),
            );
        }
        if let Some(layer) = effective.annotation(objects, workload) {
            effective.lay(&layer, &ProxyConfigLayer::Annotation);
        }
        if let Some(object) = candidates.for_workload(&workload.labels, &mut effective.report) {
            effective.lay(
                &MeshProxyConfig::from(&object.spec),
                &ProxyConfigLayer::Workload(object.key()),
            );
        }
        effective
    }

    /// The configuration. What is not set is for the proxy to decide.
    pub fn config(&self) -> &MeshProxyConfig {
        &self.config
    }

    /// The layer that set a field, or the message around it; `None` if the field is not set. Fields are told by their names
    /// on the wire; entries of `proxyMetadata` and fields of `proxyHeaders` have layers of their own.
    pub fn layer(&self, path: &FieldPath) -> Option<&ProxyConfigLayer> {
        let mut path = path.clone();
        loop {
            if let Some(layer) = self.set_by.get(&path) {
                return Some(layer);
            }
            path = path.parent()?;
        }
    }

    /// Every field that is set, with its layer, in the order of the names.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = (&FieldPath, &ProxyConfigLayer)> {
        self.set_by.iter()
    }

    /// What was passed over, as warnings: an annotation that cannot be read, younger objects in the place of an older one,
    /// selectors without labels (A-MRG-5, A-MRG-6).
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where the value of a field was read, given what the configuration was made from. `None` if it was not read.
    pub fn location(
        &self,
        path: &FieldPath,
        mesh: &EffectiveMesh,
        objects: &ObjectSet,
    ) -> Option<SourceLocation> {
        match self.layer(path)? {
            ProxyConfigLayer::BuiltIn => None,
            ProxyConfigLayer::MeshDefault => {
                mesh.location(&FieldPath::root().with_field("defaultConfig").join(path))
            }
            ProxyConfigLayer::Annotation => {
                let mut unread = Report::new();
                let place = annotation_place(objects, &self.workload, &mut unread);
                place.map(|place| place.location(path)).or_else(|| {
                    let annotations = FieldPath::root().with_field("metadata").with_field("annotations");
                    objects.location(&self.workload, &annotations.with_key(PROXY_CONFIG_ANNOTATION))
                })
            }
            ProxyConfigLayer::RootNamespace(key)
            | ProxyConfigLayer::Namespace(key)
            | ProxyConfigLayer::Workload(key) => objects.location(key, &in_object(path)),
        }
    }

    fn lay(&mut self, layer: &MeshProxyConfig, source: &ProxyConfigLayer) {
        let set_by = &mut self.set_by;
        lay_over(
            &mut self.config,
            layer,
            &layer.set_fields(),
            &mut |change| match change {
                Change::Set(path) => {
                    set_by.insert(path, source.clone());
                }
                Change::Unset(path) => {
                    set_by.remove(&path);
                }
            },
        );
    }

    /// `defaultConfig` holds what is built in as well: what no document set and has its value is not the mesh's.
    fn lay_mesh_default(&mut self, mesh: &EffectiveMesh) {
        let Some(layer) = &mesh.config().default_config else {
            return;
        };
        let (before, layers) = (self.config.clone(), self.set_by.clone());
        self.config = MeshProxyConfig::default();
        self.set_by.clear();
        self.lay(layer, &ProxyConfigLayer::MeshDefault);
        let default_config = FieldPath::root().with_field("defaultConfig");
        for (path, layer) in layers {
            let Some(Segment::Name(field)) = path.segments().first() else {
                continue;
            };
            let mut same = self.config.clone();
            same.take(field, &before);
            if same == self.config && !mesh.is_set(&default_config.join(&path)) {
                self.set_by.insert(path, layer);
            }
        }
    }

    /// The layer of the annotation; one that cannot be read is passed over (A-MRG-5).
    fn annotation(&mut self, objects: &ObjectSet, workload: &ObjectMeta) -> Option<MeshProxyConfig> {
        let text = workload.annotation(PROXY_CONFIG_ANNOTATION)?;
        let mut findings = Report::new();
        // the text in the file, if that is where the workload comes from: its findings have places
        let known = objects
            .get(&self.workload)
            .is_some_and(|object| object.meta().annotation(PROXY_CONFIG_ANNOTATION) == Some(text));
        let in_file = known
            .then(|| annotation_place(objects, &self.workload, &mut findings))
            .flatten();
        let place = match in_file {
            None if findings.is_empty() => {
                let options = DecodeOptions {
                    profile: Profile::Istiod,
                    ..DecodeOptions::default()
                };
                let (trees, more) = read_trees(PROXY_CONFIG_ANNOTATION, text.as_bytes(), &options);
                findings.extend(more);
                let tree = trees.into_iter().find(|tree| !tree.root().is_null());
                tree.map(|tree| Place::new(&tree, tree.root()))
            }
            found => found,
        };
        let layer = place.and_then(|place| read::<MeshProxyConfig>(&place, Profile::Istiod, &mut findings));
        for mut finding in findings {
            finding.severity = Severity::Warning;
            finding.object = Some(self.workload.clone());
            let annotations = FieldPath::root().with_field("metadata").with_field("annotations");
            finding.path = annotations.with_key(PROXY_CONFIG_ANNOTATION).join(&finding.path);
            self.report.push(finding);
        }
        layer
    }
}

/// The annotation's text in the file that the pod was read from.
fn annotation_place(objects: &ObjectSet, pod: &ObjectKey, report: &mut Report) -> Option<Place> {
    let origin = objects.origin(pod)?;
    let meta = origin.node().get("metadata")?;
    let text = meta.get("annotations")?.get(PROXY_CONFIG_ANNOTATION)?;
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    Place::inside(text, PROXY_CONFIG_ANNOTATION, &options, report)
}

/// The field of a ProxyConfig object that a field of the message comes from.
fn in_object(path: &FieldPath) -> FieldPath {
    let Some((Segment::Name(first), rest)) = path.segments().split_first() else {
        return FieldPath::spec();
    };
    let field = match first.as_ref() {
        "proxyMetadata" => FieldPath::spec().with_field("environmentVariables"),
        other => FieldPath::spec().with_key(other),
    };
    field.join(&FieldPath::from(rest.to_vec()))
}

/// The ProxyConfig objects that may apply to a workload, the oldest first.
struct Candidates<'o> {
    objects: Vec<&'o Object<ProxyConfig>>,
    namespace: &'o str,
}

impl<'o> Candidates<'o> {
    fn new(objects: &'o ObjectSet, workload: &'o ObjectMeta, report: &mut Report) -> Self {
        let mut all: Vec<&Object<ProxyConfig>> = objects
            .objects_of::<ProxyConfig>()
            .map(|object| &**object)
            .collect();
        all.sort_by(|a, b| age_order(&a.meta, &b.meta));
        let namespace = workload.namespace.as_str();
        for object in &all {
            let empty = |selector: &crate::type_::WorkloadSelector| selector.match_labels.is_empty();
            if object.meta.namespace.as_str() == namespace && object.spec.selector.as_ref().is_some_and(empty)
            {
                // quirk A-MRG-6: neither a namespace's object nor a workload's
                let message = "a selector without labels selects nothing: the object has no effect";
                let finding = Diagnostic::new(OLDEST, Severity::Warning, message).with_object(object.key());
                let finding = finding.with_path(FieldPath::spec().with_field("selector"));
                report.push(located(finding.with_help("remove the selector"), objects));
            }
        }
        Self {
            objects: all,
            namespace,
        }
    }

    /// The oldest object of a namespace without a selector.
    fn for_namespace(&self, namespace: &str, report: &mut Report) -> Option<&'o Object<ProxyConfig>> {
        let fits = |object: &Object<ProxyConfig>| {
            object.meta.namespace.as_str() == namespace && object.spec.selector.is_none()
        };
        self.oldest(fits, report)
    }

    /// The oldest object of the workload's namespace that selects it.
    fn for_workload(&self, labels: &Labels, report: &mut Report) -> Option<&'o Object<ProxyConfig>> {
        let fits = |object: &Object<ProxyConfig>| {
            let selects = object.spec.selector.as_ref().is_some_and(|selector| {
                let mut wanted = selector.match_labels.iter().peekable();
                wanted.peek().is_some() && wanted.all(|(key, value)| labels.get(key) == Some(value))
            });
            selects && object.meta.namespace.as_str() == self.namespace
        };
        self.oldest(fits, report)
    }

    /// A-MRG-6: the oldest counts alone.
    fn oldest(
        &self,
        fits: impl Fn(&Object<ProxyConfig>) -> bool,
        report: &mut Report,
    ) -> Option<&'o Object<ProxyConfig>> {
        let mut all = self.objects.iter().copied().filter(|object| fits(object));
        let first = all.next()?;
        for younger in all {
            let message = format!("{} is older and counts alone", first.key());
            let finding = Diagnostic::new(OLDEST, Severity::Warning, message);
            report.push(finding.with_object(younger.key()).with_path(FieldPath::spec()));
        }
        Some(first)
    }
}

/// The rule on which of several objects counts.
const OLDEST: Code = Code::new("A-MRG-6");

fn located(finding: Diagnostic, objects: &ObjectSet) -> Diagnostic {
    let place = finding
        .object
        .as_ref()
        .and_then(|key| objects.location(key, &finding.path));
    match place {
        Some(location) => finding.with_location(location),
        None => finding,
    }
}

impl From<&ProxyConfig> for MeshProxyConfig {
    /// The layer that an object is (A-MRG-7).
    fn from(object: &ProxyConfig) -> Self {
        let ProxyConfig {
            selector: _,
            concurrency,
            environment_variables,
            image,
        } = object;
        Self {
            concurrency: *concurrency,
            proxy_metadata: environment_variables.clone(),
            image: image.clone(),
            ..Self::default()
        }
    }
}

impl MeshProxyConfig {
    /// This configuration with a layer over it (A-MRG-2): fields that the layer sets replace what is here as a whole,
    /// except that `proxy_metadata` is united by key, and five fields of `proxy_headers` stay where the layer's headers do
    /// not have them. A scalar that is zero counts as not set.
    ///
    /// ```
    /// use mesh_api::mesh::MeshProxyConfig;
    ///
    /// let mut layer = MeshProxyConfig { concurrency: Some(4), ..MeshProxyConfig::default() };
    /// layer.proxy_metadata.insert("ISTIO_META_DNS_CAPTURE".into(), "true".into());
    /// let config = MeshProxyConfig::built_in().with_layer(&layer);
    /// assert_eq!((config.concurrency, config.status_port), (Some(4), 15020));
    /// ```
    #[must_use]
    pub fn with_layer(mut self, layer: &MeshProxyConfig) -> Self {
        lay_over(&mut self, layer, &layer.set_fields(), &mut |_| {});
        self
    }
}

/// Lays the text of a proxy configuration over another one, as [`MeshProxyConfig::with_layer`] does, except that what the
/// text has counts as set, zero or not.
///
/// The report says what is wrong; with errors the value is `base`.
///
/// ```
/// use mesh_api::effective::merge_proxy_config;
/// use mesh_api::mesh::{AuthenticationPolicy, MeshProxyConfig};
///
/// let base = MeshProxyConfig::built_in();
/// let (config, report) = merge_proxy_config("proxy.yaml", b"controlPlaneAuthPolicy: NONE", &base);
/// assert!(report.is_ok());
/// assert_eq!(config.control_plane_auth_policy, AuthenticationPolicy::None);
/// ```
pub fn merge_proxy_config(
    file_name: &str,
    bytes: &[u8],
    base: &MeshProxyConfig,
) -> (MeshProxyConfig, Report) {
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let (trees, mut report) = read_trees(file_name, bytes, &options);
    let mut config = base.clone();
    for tree in trees.iter().filter(|tree| !tree.root().is_null()) {
        let place = Place::new(tree, tree.root());
        if let Some(layer) = read::<MeshProxyConfig>(&place, Profile::Istiod, &mut report) {
            let fields: Vec<&str> = fields_of::<MeshProxyConfig>(tree.root())
                .map(|(name, ..)| name)
                .collect();
            lay_over(&mut config, &layer, &fields, &mut |_| {});
        }
    }
    if report.is_ok() {
        (config, report)
    } else {
        (base.clone(), report)
    }
}

/// What became of a field when a layer was laid over a configuration.
pub(super) enum Change {
    /// The layer set it.
    Set(FieldPath),
    /// The layer replaced the message around it, and it is not set any more.
    Unset(FieldPath),
}

/// A-MRG-2 for the fields of a layer that are set.
pub(super) fn lay_over(
    base: &mut MeshProxyConfig,
    layer: &MeshProxyConfig,
    fields: &[&str],
    note: &mut dyn FnMut(Change),
) {
    let set: BTreeSet<&str> = fields.iter().copied().collect();
    for field in MeshProxyConfig::FIELDS
        .iter()
        .copied()
        .filter(|field| set.contains(field))
    {
        let path = FieldPath::root().with_field(field);
        match field {
            "proxyMetadata" => {
                for (key, value) in &layer.proxy_metadata {
                    base.proxy_metadata.insert(key.clone(), value.clone());
                    note(Change::Set(path.with_key(key)));
                }
            }
            "proxyHeaders" => lay_headers(base, layer, &path, note),
            "serviceCluster" | "tracingServiceName" => {
                base.take(field, layer);
                for name in ["serviceCluster", "tracingServiceName"] {
                    note(Change::Unset(FieldPath::root().with_field(name)));
                }
                let name = match &base.cluster_name {
                    Some(ProxyClusterName::TracingServiceName(_)) => "tracingServiceName",
                    _ => "serviceCluster",
                };
                note(Change::Set(FieldPath::root().with_field(name)));
            }
            _ => {
                base.take(field, layer);
                note(Change::Set(path));
            }
        }
    }
}

/// The headers of a layer replace those before, except that five fields fall back to them.
fn lay_headers(
    base: &mut MeshProxyConfig,
    layer: &MeshProxyConfig,
    path: &FieldPath,
    note: &mut dyn FnMut(Change),
) {
    let Some(layer) = &layer.proxy_headers else { return };
    let older = base.proxy_headers.take().unwrap_or_default();
    let mut headers = layer.clone();
    if headers.forwarded_client_cert == ForwardClientCertDetails::Undefined {
        headers.forwarded_client_cert = older.forwarded_client_cert;
    }
    headers.request_id = headers.request_id.or(older.request_id);
    headers.attempt_count = headers.attempt_count.or(older.attempt_count);
    headers.server = headers.server.or(older.server);
    headers.envoy_debug_headers = headers.envoy_debug_headers.or(older.envoy_debug_headers);
    let (own, all) = (layer.set_fields(), headers.set_fields());
    note(Change::Set(path.clone()));
    for field in ProxyHeaders::FIELDS {
        let path = path.with_field(*field);
        if own.contains(field) {
            note(Change::Set(path));
        } else if !all.contains(field) {
            note(Change::Unset(path));
        }
    }
    base.proxy_headers = Some(headers);
}
