//! Documents of the mesh configuration laid over each other.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::layered::Layered;
use super::place::Place;
use super::proxy_config::{Change, EffectiveProxyConfig, lay_over};
use crate::codec::{
    DecodeOptions, Dialect, Models, Node, Profile, Schema, Tree, camel_case, codes, decode_node, read_trees,
};
use crate::kind::Kind;
use crate::mesh::{ExtensionProvider, MeshConfig, MeshNetworks, MeshProxyConfig};
use crate::meta::ObjectMeta;
use crate::names::Text;
use crate::object::ObjectKey;
use crate::object_set::ObjectSet;
use crate::report::{Code, Diagnostic, FieldPath, Report, Severity, SourceLocation};

/// The mesh configuration that documents add up to, and where each of its fields was set.
///
/// A document is a MeshConfig as text, the ConfigMap `istio` that holds one under `mesh` (and MeshNetworks under
/// `meshNetworks`), or an IstioOperator with a `meshConfig`; of a list, each item. Fields that a document has replace what was
/// there as a whole, nested fields included (A-MRG-1), except that
///
/// * `defaultConfig` is merged field by field, `proxyMetadata` in it key by key (A-MRG-2),
/// * `defaultProviders` is merged list by list,
/// * `extensionProviders` are merged by name: a known name is replaced in its place, others are put at the end,
/// * `trustDomainAliases` are united and sorted.
///
/// A document with errors changes nothing, whether it cannot be read or the result is not valid (A-MRG-4). At most 64
/// documents are applied.
///
/// ```
/// use mesh_api::effective::EffectiveMesh;
///
/// let mut mesh = EffectiveMesh::new();
/// let report = mesh.apply("istio.yaml", b"
/// apiVersion: v1
/// kind: ConfigMap
/// metadata: {name: istio, namespace: istio-system}
/// data:
///   mesh: |
///     trustDomain: example.org
///     outboundTrafficPolicy:
///       mode: REGISTRY_ONLY
/// ");
/// assert!(report.is_ok());
/// assert_eq!(mesh.config().trust_domain, "example.org");
/// let place = mesh.location(&"outboundTrafficPolicy.mode".parse()?).ok_or("it was read")?;
/// assert_eq!(place.to_string(), "istio.yaml:9:13");
/// assert!(mesh.location(&"rootNamespace".parse()?).is_none(), "built in");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EffectiveMesh {
    config: MeshConfig,
    networks: MeshNetworks,
    profile: Profile,
    /// The documents that were applied.
    places: Vec<Place>,
    /// Which document set a field; fields that merge by parts are there by parts.
    set_by: BTreeMap<FieldPath, usize>,
    networks_set_by: Option<usize>,
}

impl Default for EffectiveMesh {
    fn default() -> Self {
        Self::new()
    }
}

impl EffectiveMesh {
    /// What Istio builds in.
    pub fn new() -> Self {
        Self::with_base(MeshConfig::default())
    }

    /// A configuration that is there already, without places.
    pub fn with_base(config: MeshConfig) -> Self {
        Self {
            config,
            networks: MeshNetworks::default(),
            profile: Profile::Istiod,
            places: Vec::new(),
            set_by: BTreeMap::new(),
            networks_set_by: None,
        }
    }

    /// The same, with the verdict of another profile. The first is istiod's: unknown fields and other oddities that it
    /// accepts are warnings.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Lays the documents of a text over what is there. `file_name` is for messages only.
    pub fn apply(&mut self, file_name: &str, bytes: &[u8]) -> Report {
        let (trees, mut report) = read_trees(file_name, bytes, &self.options());
        for tree in &trees {
            self.apply_tree(tree, tree.root(), &mut report);
        }
        report
    }

    /// Lays the ConfigMaps called `istio` and the IstioOperators of a set over what is there, in the order of their keys.
    pub fn apply_objects(&mut self, objects: &ObjectSet) -> Report {
        let mut report = Report::new();
        for (key, _) in objects.iter() {
            let is_config_map =
                key.kind.group().is_empty() && key.kind.name() == "ConfigMap" && key.name == "istio";
            if !is_config_map && key.kind != Kind::IstioOperator {
                continue;
            }
            if let Some(origin) = objects.origin(key) {
                self.apply_tree(origin.document.tree(), origin.node(), &mut report);
            }
        }
        report
    }

    /// The mesh configuration.
    pub fn config(&self) -> &MeshConfig {
        &self.config
    }

    /// The mesh configuration by value.
    pub fn into_config(self) -> MeshConfig {
        self.config
    }

    /// The networks; none unless a document has some.
    pub fn networks(&self) -> &MeshNetworks {
        &self.networks
    }

    /// Where a field of the mesh configuration was set, such as `defaultConfig.concurrency`; `None` for what is built in.
    pub fn location(&self, path: &FieldPath) -> Option<SourceLocation> {
        Some(self.place(path)?.location(path))
    }

    /// Whether a document set the field or something around it.
    pub fn is_set(&self, path: &FieldPath) -> bool {
        self.place(path).is_some()
    }

    /// The proxy configuration of a workload, by its namespace, labels and annotations: the metadata of its pod.
    ///
    /// `objects` hold the ProxyConfig objects; a set without them gives what `istioctl kube-inject` takes, which does not
    /// look at them (A-MRG-9).
    pub fn proxy_config(&self, objects: &ObjectSet, workload: &ObjectMeta) -> EffectiveProxyConfig {
        EffectiveProxyConfig::new(self, objects, workload)
    }

    fn place(&self, path: &FieldPath) -> Option<&Place> {
        let mut path = path.clone();
        loop {
            if let Some(index) = self.set_by.get(&path) {
                return self.places.get(*index);
            }
            path = path.parent()?;
        }
    }

    fn options(&self) -> DecodeOptions {
        DecodeOptions {
            profile: self.profile,
            ..DecodeOptions::default()
        }
    }

    fn apply_tree(&mut self, tree: &Arc<Tree>, root: Node<'_>, report: &mut Report) {
        let word = |key: &str| root.get(key).and_then(|node| node.as_str());
        match (word("apiVersion"), word("kind")) {
            _ if root.is_null() => {}
            (Some("v1"), Some("ConfigMap")) => {
                let document = |key: &str| root.get("data").and_then(|data| data.get(key));
                if let Some(place) = document("mesh")
                    .and_then(|text| Place::inside(text, "data.mesh", &self.options(), report))
                {
                    self.apply_mesh(place, report);
                }
                let networks = document("meshNetworks");
                if let Some(place) = networks
                    .and_then(|text| Place::inside(text, "data.meshNetworks", &self.options(), report))
                {
                    self.apply_networks(place, report);
                }
            }
            (Some("v1"), Some("List")) => {
                let items = root.get("items").map(|items| items.items());
                // an item that is a list is none of the mesh's documents
                let items = items
                    .into_iter()
                    .flatten()
                    .filter(|item| item.get("items").is_none());
                items.for_each(|item| self.apply_tree(tree, item, report));
            }
            (Some(version), Some("IstioOperator")) if version.starts_with("install.istio.io/") => {
                let mesh = root.get("spec").and_then(|spec| spec.get("meshConfig"));
                if let Some(mesh) = mesh.filter(|mesh| !mesh.is_null()) {
                    self.apply_mesh(Place::new(tree, mesh), report);
                }
            }
            (Some(_), Some(kind)) => {
                let message = format!("an object of the kind `{kind}` holds no mesh configuration");
                let span = root.span().start..root.span().start;
                let finding = Diagnostic::new(codes::ENVELOPE, Severity::Error, message);
                report.push(finding.with_location(tree.source().location(span)));
            }
            _ if root.len() == 1 && root.get("networks").is_some() => {
                self.apply_networks(Place::new(tree, root), report);
            }
            _ => self.apply_mesh(Place::new(tree, root), report),
        }
    }

    fn apply_mesh(&mut self, place: Place, report: &mut Report) {
        let mut findings = Report::new();
        if self.places.len() >= MAX_DOCUMENTS {
            let message = format!("at most {MAX_DOCUMENTS} documents are laid over each other");
            let finding = Diagnostic::new(codes::LIMIT, Severity::Error, message);
            let start = place.node().span().start;
            report.push(finding.with_location(place.location_of(start..start)));
            return;
        }
        let Some(layer) = read::<MeshConfig>(&place, self.profile, &mut findings) else {
            report.extend(findings);
            return;
        };
        let mut next = self.clone();
        next.places.push(place.clone());
        next.lay_mesh(&layer, &place, &mut findings);
        let mut verdict = crate::validate::validate_mesh_config(
            &next.config,
            &crate::validate::ValidateOptions::new(self.profile),
        );
        verdict.locate_with(|_, path| next.location(path));
        findings.extend(verdict);
        if findings.is_ok() {
            *self = next; // A-MRG-4
        }
        report.extend(findings);
    }

    fn apply_networks(&mut self, place: Place, report: &mut Report) {
        let mut findings = Report::new();
        let networks = read::<MeshNetworks>(&place, self.profile, &mut findings).unwrap_or_default();
        let options = crate::validate::ValidateOptions::new(self.profile);
        let mut verdict = crate::validate::validate_mesh_networks(&networks, &options);
        verdict.locate_with(|_, path| Some(place.location(path)));
        findings.extend(verdict);
        if findings.is_ok() {
            self.networks = networks;
            self.networks_set_by = Some(self.places.len());
            self.places.push(place);
        }
        report.extend(findings);
    }

    /// A-MRG-1 for the last place.
    fn lay_mesh(&mut self, layer: &MeshConfig, place: &Place, report: &mut Report) {
        let index = self.places.len().saturating_sub(1);
        for (name, key, value) in fields_of::<MeshConfig>(place.node()) {
            let path = FieldPath::root().with_field(name);
            // quirk A-MRG-1: these two are looked up by their camelCase name
            if matches!(name, "defaultConfig" | "defaultProviders") && key.text() != name {
                let message = format!(
                    "`{}` is read and then lost, istiod looks for `{name}`",
                    key.text()
                );
                let finding = Diagnostic::new(LOST, Severity::Warning, message).with_path(path);
                let location = place.location_of(key.span());
                report.push(
                    finding
                        .with_location(location)
                        .with_help(format!("write `{name}`")),
                );
                continue;
            }
            match name {
                "defaultConfig" => self.lay_default_config(layer, value, index),
                "defaultProviders" => {
                    for (list, _, _) in fields_of::<crate::mesh::DefaultProviders>(value) {
                        self.config.default_providers.take(list, &layer.default_providers);
                        self.set_by.insert(path.with_field(list), index);
                    }
                }
                "extensionProviders" => {
                    merge_providers(&mut self.config.extension_providers, &layer.extension_providers);
                    self.set_by.insert(path, index);
                }
                "trustDomainAliases" => {
                    let aliases = &mut self.config.trust_domain_aliases;
                    aliases.extend_from_slice(&layer.trust_domain_aliases);
                    aliases.sort();
                    aliases.dedup();
                    self.set_by.insert(path, index);
                }
                _ => {
                    self.warn_of_reset(name, value, place, report);
                    self.config.take(name, layer);
                    self.set_by.insert(path, index);
                }
            }
        }
    }

    fn lay_default_config(&mut self, layer: &MeshConfig, node: Node<'_>, index: usize) {
        let Some(layer) = &layer.default_config else {
            return;
        };
        let base = self.config.default_config.get_or_insert_default();
        let fields: Vec<&str> = fields_of::<MeshProxyConfig>(node)
            .map(|(name, ..)| name)
            .collect();
        let default_config = FieldPath::root().with_field("defaultConfig");
        let set_by = &mut self.set_by;
        lay_over(base, layer, &fields, &mut |change| match change {
            Change::Set(path) => {
                set_by.insert(default_config.join(&path), index);
            }
            Change::Unset(path) => {
                set_by.remove(&default_config.join(&path));
            }
        });
    }

    /// quirk A-MRG-1: a message without a mode sets the mode to zero, which is not what Istio builds in.
    fn warn_of_reset(&self, name: &str, value: Node<'_>, place: &Place, report: &mut Report) {
        if self.profile == Profile::Strict && name == "outboundTrafficPolicy" && value.get("mode").is_none() {
            let message =
                "without a mode, `outboundTrafficPolicy` is REGISTRY_ONLY, whatever was there before";
            let finding = Diagnostic::new(LOST, Severity::Warning, message);
            let finding = finding.with_path(FieldPath::root().with_field("outboundTrafficPolicy"));
            let location = place.location_of(value.span());
            report.push(finding.with_location(location).with_help("write the mode"));
        }
    }
}

/// How many documents are laid over each other, since each costs a look at the whole result.
const MAX_DOCUMENTS: usize = 64;

/// The rule on what a merge keeps.
const LOST: Code = Code::new("A-MRG-1");

/// Reads a MeshConfig, as bare YAML or JSON or in its ConfigMap, over what Istio builds in; see [`EffectiveMesh`], which
/// also takes several documents and knows where each field was set.
///
/// The report says what is wrong; with errors the value is what Istio builds in.
///
/// ```
/// let (mesh, report) = mesh_api::decode_mesh_config("mesh.yaml", b"connectTimeout: 500us\n");
/// let finding = report.errors().next().ok_or("an error")?;
/// assert_eq!(
///     finding.to_string(),
///     "mesh.yaml:1:17: the duration `0.000500s` is shorter than 1ms [A-MC-2]"
/// );
/// assert_eq!(mesh, Default::default());
/// # Ok::<(), &str>(())
/// ```
pub fn decode_mesh_config(file_name: &str, bytes: &[u8]) -> (MeshConfig, Report) {
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply(file_name, bytes);
    (mesh.into_config(), report)
}

/// Reads MeshNetworks, as bare YAML or JSON or in Istio's ConfigMap.
///
/// ```
/// let (networks, report) = mesh_api::decode_mesh_networks("networks.yaml", b"
/// networks:
///   east:
///     endpoints: [{fromRegistry: east}]
///     gateways: [{address: 203.0.113.7, port: 15443}]
/// ");
/// assert!(report.is_ok());
/// assert_eq!(networks.networks["east"].gateways[0].port, 15443);
/// ```
pub fn decode_mesh_networks(file_name: &str, bytes: &[u8]) -> (MeshNetworks, Report) {
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply(file_name, bytes);
    (mesh.networks, report)
}

/// Reads the message at a place; `None` if it has errors.
pub(super) fn read<T: DeserializeOwned>(place: &Place, profile: Profile, report: &mut Report) -> Option<T> {
    let dialect = Dialect {
        profile,
        schema: Schema::Istio,
        models: Models::Own,
    };
    let limits = DecodeOptions::default().limits;
    let budget = Cell::new(limits.values_of(place.text_len()));
    let (value, faults) = decode_node::<T>(
        place.node(),
        &FieldPath::root(),
        &[],
        dialect,
        &budget,
        limits.findings,
    );
    let failed = faults.iter().any(|fault| fault.severity == Severity::Error);
    for fault in faults {
        let mut finding = Diagnostic::new(fault.code, fault.severity, fault.message).with_path(fault.path);
        finding.help = fault.help;
        report.push(finding.with_location(place.location_of(fault.span)));
    }
    value.filter(|_| !failed)
}

/// The fields of a message that a map has: name, key and value. `null` is absent, and of two spellings of a field the
/// camelCase one counts.
pub(super) fn fields_of<T: Layered>(
    map: Node<'_>,
) -> impl Iterator<Item = (&'static str, Node<'_>, Node<'_>)> {
    let field = |name: &str| T::FIELDS.iter().copied().find(|field| *field == name);
    let present = move || map.entries().filter(|(_, value)| !value.is_null());
    let exact: BTreeSet<&str> = present().filter_map(|(key, _)| field(key.text())).collect();
    present().filter_map(move |(key, value)| {
        let twin = || field(&camel_case(key.text())).filter(|name| !exact.contains(name));
        Some((field(key.text()).or_else(twin)?, key, value))
    })
}

/// A-MRG-1 (c).
fn merge_providers(base: &mut Vec<ExtensionProvider>, layer: &[ExtensionProvider]) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, provider) in base.iter().enumerate() {
        places.entry(provider.name.clone()).or_insert(index);
    }
    for provider in layer {
        match places.get(&provider.name).and_then(|index| base.get_mut(*index)) {
            Some(known) => known.provider.clone_from(&provider.provider),
            None => {
                places.insert(provider.name.clone(), base.len());
                base.push(provider.clone());
            }
        }
    }
}

/// The key under which findings about a document of the mesh are reported.
pub(crate) fn document_key(kind: &'static str, name: &'static str) -> ObjectKey {
    let kind = Kind::Other {
        group: Text::from("istio.mesh"),
        kind: Text::from(kind),
    };
    ObjectKey::new(kind, "", name)
}
