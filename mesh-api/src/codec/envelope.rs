//! Documents to objects: lists, kinds, metadata.

use std::cell::Cell;
use std::sync::Arc;

use super::de::{self, Dialect, Models, Schema};
use super::fault::{Fault, codes, quote};
use super::json::TypedObject;
use super::lazy::Document;
use super::options::{DecodeOptions, Limits};
use super::parts::too_many;
use super::profile::Profile;
use super::stream::{Decoded, DocumentInfo};
use super::tree::{Node, NodeKind, Tree};
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::names::Text;
use crate::object::{
    AnyObject, AsRead, Model, ModelVisitor, Object, ObjectKey, OpaqueObject, Place, with_model,
};
use crate::object_set::Origin;
use crate::report::{Code, Diagnostic, FieldPath, Report, Severity};

/// How deep lists of lists are followed (A-PAR-4).
const MAX_LIST_DEPTH: usize = 4;

/// Reads the objects of one document into `decoded`, and its findings into `diagnostics`. `broken` says that the text had
/// errors: then its objects are named, and none is accepted.
pub(super) fn read(
    tree: &Arc<Tree>,
    document: usize,
    broken: bool,
    budget: &Cell<usize>,
    options: &DecodeOptions,
    diagnostics: &mut Vec<Diagnostic>,
    decoded: &mut Decoded,
) {
    let mut reader = Reader {
        tree,
        document,
        broken,
        full: false,
        budget,
        options,
        diagnostics,
        decoded,
    };
    let root = tree.root();
    match root.kind() {
        NodeKind::Null => {} // A-PAR-3
        // A-PAR-2: an array of objects
        NodeKind::List if tree.source().slice(root.span()).starts_with('[') => {
            for (index, item) in root.items().enumerate() {
                reader.any(item, &[index], 0, None);
            }
        }
        _ => reader.any(root, &[], 0, None),
    }
}

/// Reads the one object of a node; a list of objects is an object like any other here. Beside it stand the findings about
/// top-level keys, which do not keep the object from being accepted: istiod asks about them last (A-ADM-4).
pub(crate) fn read_single(tree: &Arc<Tree>, node: Node<'_>, options: &DecodeOptions) -> (Decoded, Report) {
    let (mut decoded, mut diagnostics) = (Decoded::default(), Vec::new());
    let budget = Cell::new(options.limits.values_of(node.span().len()));
    let mut reader = Reader {
        tree,
        document: 0,
        broken: false,
        full: false,
        budget: &budget,
        options,
        diagnostics: &mut diagnostics,
        decoded: &mut decoded,
    };
    let mut info = DocumentInfo::unreadable(0, tree.source().location(node.span().start..node.span().start));
    let mut top_level = Report::new();
    match reader.type_of(node, None) {
        Some((api_version, kind)) => {
            info.api_version = Text::from(api_version);
            info.kind = Some(Kind::of(api_version, kind));
            let (object, mut faults) = reader.typed(node, &info);
            faults.retain(|fault| fault.code != codes::TOP_LEVEL);
            for fault in unknown_keys(node) {
                let finding = fault.into_diagnostic(tree.source());
                top_level.push(finding.with_object(object.key()));
            }
            reader.accept(node, object, faults, info);
        }
        None => decoded.documents.push(info),
    }
    decoded.report = diagnostics.into_iter().collect();
    (decoded, top_level)
}

/// Takes an object that was read without a tree.
pub(super) fn accept(
    read: TypedObject,
    mut info: DocumentInfo,
    diagnostics: &mut Vec<Diagnostic>,
    decoded: &mut Decoded,
) {
    let TypedObject { object, document } = read;
    info.api_version = object.api_version().clone();
    info.kind = Some(object.kind());
    insert(object, Origin { document, node: 0 }, info, diagnostics, decoded);
}

/// Puts an accepted object to the others.
fn insert(
    object: AnyObject,
    origin: Origin,
    mut info: DocumentInfo,
    diagnostics: &mut Vec<Diagnostic>,
    decoded: &mut Decoded,
) {
    let key = object.key();
    if let Some(earlier) = decoded.objects.entry(&key) {
        diagnostics.push(duplicate(&key, earlier.1.as_ref(), Some(&origin)));
        decoded.replaced.push(earlier);
    }
    decoded.objects.insert_at(object, Some(origin));
    info.key = Some(key);
    info.accepted = true;
    decoded.documents.push(info);
}

/// What to say of a version that is not served (A-RES-1 [fix], A-RES-5); it is read like any other.
pub(super) fn unserved(api_version: &str, kind: &Kind, profile: Profile) -> Option<Code> {
    let code = match kind {
        Kind::IstioOperator => codes::OPERATOR_VERSION,
        _ if profile == Profile::Strict => codes::VERSION,
        _ => return None,
    };
    let (group, version) = api_version.split_once('/')?;
    let served = kind.versions();
    let is_served = !group.ends_with(".istio.io") || served.is_empty() || served.contains(&version);
    (!is_served).then_some(code)
}

/// Whether a name is missing (A-MET-4); an IstioOperator is read by istioctl, which needs none.
pub(super) fn needs_name(meta: &ObjectMeta, kind: &Kind, profile: Profile) -> bool {
    profile.has_api_server()
        && *kind != Kind::IstioOperator
        && meta.name.is_empty()
        && meta.generate_name.is_empty()
}

/// The metadata with the namespace that goes for objects without one (A-MET-3).
pub(super) fn in_namespace(mut meta: ObjectMeta, kind: &Kind, options: &DecodeOptions) -> ObjectMeta {
    if let Some(namespace) = &options.default_namespace
        && meta.namespace.is_empty()
        && kind.is_namespaced()
    {
        meta.namespace = namespace.clone();
    }
    meta
}

/// The warning about two objects of one key.
pub(super) fn duplicate(key: &ObjectKey, first: Option<&Origin>, second: Option<&Origin>) -> Diagnostic {
    let name = FieldPath::root().with_field("metadata").with_field("name");
    let place = |origin: &Origin| origin.location(&name);
    let earlier = first
        .map(|first| format!(", first at {}", place(first)))
        .unwrap_or_default();
    let (severity, message) = match key.name.is_empty() {
        // the API server makes a name for each; what goes by keys cannot tell them apart
        true => {
            let message = format!("{} has no name yet, like one before{earlier}", key.kind);
            (Severity::Info, message)
        }
        false => (Severity::Warning, format!("{key} is defined twice{earlier}")),
    };
    let diagnostic = Diagnostic::new(codes::DUPLICATE_OBJECT, severity, message)
        .with_object(key.clone())
        .with_path(name.clone())
        .with_help("the later one is taken");
    match second.map(place) {
        Some(location) => diagnostic.with_location(location),
        None => diagnostic,
    }
}

struct Reader<'r> {
    tree: &'r Arc<Tree>,
    document: usize,
    broken: bool,
    /// Whether there are too many objects already.
    full: bool,
    /// The bytes that typed values may still take.
    budget: &'r Cell<usize>,
    options: &'r DecodeOptions,
    diagnostics: &'r mut Vec<Diagnostic>,
    decoded: &'r mut Decoded,
}

/// `apiVersion` and `kind` that the items of a typed list may leave out.
type Inherited<'a> = Option<(&'a str, &'a str)>;

impl Reader<'_> {
    /// An object, or a list of them.
    fn any(&mut self, node: Node<'_>, items: &[usize], depth: usize, inherited: Inherited<'_>) {
        // items of lists count like documents
        if self.decoded.documents.len() >= self.options.limits.documents {
            if !self.full {
                self.full = true;
                self.report(too_many(node.span().start, self.options), None);
            }
            return;
        }
        let mut info = DocumentInfo::unreadable(
            self.document,
            self.tree.source().location(node.span().start..node.span().start),
        );
        info.items = items.to_vec();
        let Some((api_version, kind)) = self.type_of(node, inherited) else {
            self.decoded.documents.push(info);
            return;
        };
        let is_list = kind == "List" && api_version == "v1";
        let element = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        if is_list || (element.is_some() && node.get("items").is_some()) {
            let inherited = element.map(|kind| (api_version, kind));
            self.list(node, items, depth, inherited);
            return;
        }
        info.api_version = Text::from(api_version);
        info.kind = Some(Kind::of(api_version, kind));
        self.object(node, info);
    }

    /// The two words that tell what an object is (A-PAR-5).
    fn type_of<'n>(&mut self, node: Node<'n>, inherited: Inherited<'n>) -> Option<(&'n str, &'n str)> {
        if node.kind() != NodeKind::Map {
            let message = format!("{} stands where an object is needed", node.kind().describe());
            self.report(Fault::error(codes::ENVELOPE, node.span(), message), None);
            return None;
        }
        let mut word = |field: &'static str, inherited: Option<&'n str>| {
            let problem = match node.get(field) {
                Some(value) => match value.as_str() {
                    Some(text) if !text.is_empty() => return Some(text),
                    _ if value.is_null() && inherited.is_some() => return inherited,
                    _ => Fault::error(
                        codes::ENVELOPE,
                        value.span(),
                        format!("`{field}` must be a string that is not empty"),
                    ),
                },
                None if inherited.is_some() => return inherited,
                None => {
                    let start = node.span().start;
                    Fault::error(
                        codes::ENVELOPE,
                        start..start,
                        format!("the object has no `{field}`"),
                    )
                }
            };
            self.report(problem.with_path(FieldPath::root().with_field(field)), None);
            None
        };
        let api_version = word("apiVersion", inherited.map(|(api_version, _)| api_version));
        let kind = word("kind", inherited.map(|(_, kind)| kind));
        Some((api_version?, kind?))
    }

    /// A-PAR-4.
    fn list(&mut self, node: Node<'_>, items: &[usize], depth: usize, inherited: Inherited<'_>) {
        let Some(list) = node.get("items").filter(|list| !list.is_null()) else {
            return;
        };
        if list.kind() != NodeKind::List {
            let path = FieldPath::root().with_field("items");
            self.report(
                Fault::error(codes::LIST, list.span(), "`items` must be a list").with_path(path),
                None,
            );
            return;
        }
        if depth >= MAX_LIST_DEPTH {
            let message = format!("lists of objects are nested deeper than {MAX_LIST_DEPTH}");
            self.report(Fault::error(codes::LIST, list.span(), message), None);
            return;
        }
        for (index, item) in list.items().enumerate() {
            let place: Vec<usize> = items.iter().copied().chain([index]).collect();
            self.any(item, &place, depth + 1, inherited);
        }
    }

    fn object(&mut self, node: Node<'_>, info: DocumentInfo) {
        let (object, faults) = self.typed(node, &info);
        self.accept(node, object, faults, info);
    }

    /// The object as far as it could be read, and its faults.
    fn typed(&self, node: Node<'_>, info: &DocumentInfo) -> (AnyObject, Vec<Fault>) {
        let kind = info.kind.clone().unwrap_or(Kind::Other {
            group: Text::default(),
            kind: Text::default(),
        });
        let (meta, mut faults) = self.meta(node, &kind);
        faults.extend(self.version(node, &info.api_version, &kind));
        let visitor = ReadSpec {
            tree: self.tree,
            node,
            api_version: info.api_version.clone(),
            options: self.options,
            budget: self.budget,
            meta,
        };
        let object = match with_model(&kind, visitor) {
            Ok((object, more)) => {
                faults.extend(more);
                object
            }
            Err(ReadSpec { meta, .. }) => {
                faults.extend(self.unknown_kind(node, &kind));
                let tree = Arc::clone(self.tree);
                OpaqueObject::new(info.api_version.clone(), kind, meta, tree, node.id()).into()
            }
        };
        (object, faults)
    }

    /// Puts the object where it belongs: to the others, or to those with errors.
    fn accept(&mut self, node: Node<'_>, object: AnyObject, faults: Vec<Fault>, mut info: DocumentInfo) {
        let key = object.key();
        let ok = !faults.iter().any(|fault| fault.severity == Severity::Error);
        for fault in faults {
            self.report(fault, Some(&key));
        }
        info.accepted = ok && !self.broken;
        let origin = Origin {
            document: Document::new(self.tree),
            node: node.id(),
        };
        if info.accepted {
            insert(object, origin, info, self.diagnostics, self.decoded);
        } else {
            info.key = Some(key.clone());
            self.decoded.refused.push((key, origin));
            self.decoded.documents.push(info);
        }
    }

    /// A-RES-1 [fix], A-RES-5: a version that is not served.
    fn version(&self, node: Node<'_>, api_version: &str, kind: &Kind) -> Option<Fault> {
        let code = unserved(api_version, kind, self.options.profile)?;
        let path = FieldPath::root().with_field("apiVersion");
        let place = node.locate(&path);
        let message = format!("{} is not a version of {kind}", quote(api_version));
        let fault = Fault::warning(code, place, message).with_path(path);
        Some(match kind.api_version() {
            Some(known) => fault.with_help(format!("write `{known}`")),
            None => fault,
        })
    }

    /// A-RES-2: a kind that no control plane has, in a group that is Istio's alone.
    fn unknown_kind(&self, node: Node<'_>, kind: &Kind) -> Option<Fault> {
        const GROUPS: [&str; 4] = [
            "extensions.istio.io",
            "networking.istio.io",
            "security.istio.io",
            "telemetry.istio.io",
        ];
        if !GROUPS.contains(&kind.group()) || !self.options.profile.has_api_server() {
            return None;
        }
        let path = FieldPath::root().with_field("kind");
        let place = node.locate(&path);
        let message = format!(
            "{} is not a kind of {}, it goes unjudged",
            quote(kind.name()),
            kind.group()
        );
        let fault = Fault::warning(codes::KIND, place, message).with_path(path);
        let known: Vec<Kind> = Kind::known()
            .filter(|known| known.group() == kind.group())
            .collect();
        Some(
            match super::suggest::field(kind.name(), known.iter().map(Kind::name)) {
                Some(near) => fault.with_help(format!("did you mean `{near}`?")),
                None => fault,
            },
        )
    }

    /// A-MET-2, A-MET-3.
    fn meta(&self, node: Node<'_>, kind: &Kind) -> (ObjectMeta, Vec<Fault>) {
        let path = FieldPath::root().with_field("metadata");
        let dialect = Dialect {
            profile: self.options.profile,
            schema: Schema::Kubernetes,
            models: Models::Own,
        };
        let (meta, mut faults) = match node.get("metadata").filter(|meta| !meta.is_null()) {
            Some(meta) => {
                let limit = self.options.limits.findings;
                de::decode::<ObjectMeta>(meta, &path, &[], dialect, self.budget, limit)
            }
            None => (None, Vec::new()),
        };
        let meta = meta.unwrap_or_default();
        if faults.is_empty() && needs_name(&meta, kind, self.options.profile) {
            let place = node.locate(&path);
            let fault = Fault::error(codes::NAME, place, "the object has no name");
            faults.push(
                fault
                    .with_path(path.with_field("name"))
                    .with_help("add `metadata.name`"),
            );
        }
        (in_namespace(meta, kind, self.options), faults)
    }

    fn report(&mut self, fault: Fault, object: Option<&ObjectKey>) {
        let mut diagnostic = fault.into_diagnostic(self.tree.source());
        diagnostic.object = object.cloned();
        self.diagnostics.push(diagnostic);
    }
}

/// Reads the part of an object that its model stands for.
struct ReadSpec<'t, 'r> {
    tree: &'t Arc<Tree>,
    node: Node<'t>,
    api_version: Text,
    options: &'r DecodeOptions,
    budget: &'r Cell<usize>,
    meta: ObjectMeta,
}

/// Reads a model of one of Kubernetes' kinds again; nothing if it has errors.
pub(super) fn reread<T: Model>(node: Node<'_>) -> Option<T> {
    let dialect = Dialect {
        profile: Profile::Istiod,
        schema: Schema::Kubernetes,
        models: Models::Own,
    };
    let budget = Cell::new(usize::MAX);
    let limit = Limits::default().findings;
    let (spec, faults) = de::decode::<T>(node, &FieldPath::root(), ENVELOPE, dialect, &budget, limit);
    spec.filter(|_| faults.iter().all(|fault| fault.severity != Severity::Error))
}

const ENVELOPE: &[&str] = &["apiVersion", "kind", "metadata"];

impl ModelVisitor for ReadSpec<'_, '_> {
    type Output = (AnyObject, Vec<Fault>);

    fn visit<T: Model>(self) -> Self::Output {
        let Self {
            tree,
            node,
            api_version,
            options,
            budget,
            meta,
        } = self;
        let limit = options.limits.findings;
        let as_read = match T::PLACE {
            Place::Root => AsRead::new(&Document::new(tree), node.id()),
            Place::Spec => AsRead::default(),
        };
        let (spec, status, faults) = match T::PLACE {
            Place::Root => {
                let dialect = Dialect {
                    profile: options.profile,
                    schema: Schema::Kubernetes,
                    models: Models::Own,
                };
                let (spec, faults) =
                    de::decode::<T>(node, &FieldPath::root(), ENVELOPE, dialect, budget, limit);
                (spec, None, faults)
            }
            Place::Spec => {
                let mut faults = unknown_keys(node);
                let dialect = Dialect {
                    profile: options.profile,
                    schema: Schema::Istio,
                    models: Models::Own,
                };
                // A-MET-7: an absent spec is the empty one
                let (spec, more) = match node.get("spec").filter(|spec| !spec.is_null()) {
                    Some(spec) => de::decode::<T>(spec, &FieldPath::spec(), &[], dialect, budget, limit),
                    None => (None, Vec::new()),
                };
                faults.extend(more);
                let status = node
                    .get("status")
                    .filter(|status| !status.is_null())
                    .map(|status| status.to_json());
                (spec, status, faults)
            }
        };
        let object = Object {
            api_version,
            meta,
            spec: spec.unwrap_or_default(),
            status,
            as_read,
        };
        (T::into_any(Arc::new(object)), faults)
    }
}

/// A-MET-1: what may stand beside `spec`.
fn unknown_keys(node: Node<'_>) -> Vec<Fault> {
    const KNOWN: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
    let unknown = node.entries().filter(|(key, _)| !KNOWN.contains(&key.text()));
    unknown
        .take(16)
        .map(|(key, _)| {
            let message = format!("unknown field {}", quote(key.text()));
            let fault = Fault::error(codes::TOP_LEVEL, key.span(), message);
            let fault = fault.with_path(FieldPath::root().with_key(key.text()));
            match super::suggest::field(key.text(), KNOWN) {
                Some(near) => fault.with_help(format!("did you mean `{near}`?")),
                None => fault.with_help("fields of the object belong below `spec`"),
            }
        })
        .collect()
}
