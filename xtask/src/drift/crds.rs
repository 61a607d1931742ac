//! A bundle of CustomResourceDefinitions as the lines that `mesh_api::crd::outline` prints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mesh_api::Kind;
use mesh_api::codec::{Node, NodeKind, Tree};

use crate::Failure;

/// One CustomResourceDefinition.
#[derive(Default)]
pub(super) struct Crd {
    api_version: String,
    kind: String,
    plural: String,
    singular: String,
    short_names: BTreeSet<String>,
    versions: BTreeSet<String>,
    lines: BTreeSet<String>,
    problems: Vec<String>,
    /// Texts of patterns and expressions by digest.
    texts: BTreeMap<String, String>,
}

pub(super) fn read(file: &Path) -> Result<Vec<Crd>, Failure> {
    let bytes = std::fs::read(file)?;
    parse(&file.display().to_string(), &bytes)
}

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Crd>, Failure> {
    // Read as trees: the typed kind holds only what analysis asks of a definition.
    let text = std::str::from_utf8(bytes)?;
    let mut crds = Vec::new();
    for document in text.split("\n---").filter(|document| !is_blank(document)) {
        let tree = Tree::parse(name, document).map_err(|error| error.to_string())?;
        let kind = tree.root().get("kind").and_then(|kind| kind.as_str());
        if kind == Some("CustomResourceDefinition") {
            crds.push(Crd::of(tree.root()));
        }
    }
    match crds.len() {
        0 => Err(format!("{name} holds no CustomResourceDefinition").into()),
        _ => Ok(crds),
    }
}

/// Whether a document holds nothing but comments.
fn is_blank(document: &str) -> bool {
    document
        .lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line == "---" || line.starts_with('#'))
}

impl Crd {
    fn of(root: Node<'_>) -> Self {
        let at = |path: &[&str]| path.iter().try_fold(root, |node, field| node.get(field));
        let text = |path: &[&str]| at(path).map(|node| node.text().to_owned()).unwrap_or_default();
        let mut crd = Self {
            kind: text(&["spec", "names", "kind"]),
            plural: text(&["spec", "names", "plural"]),
            singular: text(&["spec", "names", "singular"]),
            short_names: names(at(&["spec", "names", "shortNames"])).collect(),
            ..Self::default()
        };
        let group = text(&["spec", "group"]);
        for version in at(&["spec", "versions"])
            .into_iter()
            .flat_map(|versions| versions.items())
        {
            let name = version
                .get("name")
                .map(|name| name.text().to_owned())
                .unwrap_or_default();
            crd.api_version = format!("{group}/{name}");
            let schema = version
                .get("schema")
                .and_then(|schema| schema.get("openAPIV3Schema"));
            let mut lines = BTreeSet::new();
            match schema.and_then(|schema| Some((schema, schema.get("properties")?.get("spec")?))) {
                Some((whole, spec)) => {
                    let mandatory = names(whole.get("required")).any(|field| field == "spec");
                    crd.write("spec", spec, mandatory, &mut lines);
                }
                None => crd.problems.push(format!("{name}: there is no schema of `spec`")),
            }
            if !crd.versions.is_empty() && crd.lines != lines {
                crd.problems
                    .push(format!("{name}: the schema differs between versions"));
            }
            crd.versions.insert(name);
            crd.lines.extend(lines);
        }
        crd
    }

    pub(super) fn api_version(&self) -> &str {
        &self.api_version
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn lines(&self) -> &BTreeSet<String> {
        &self.lines
    }

    /// What the comparison does not understand.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The texts behind the digests of a line.
    pub(super) fn texts_in(&self, line: &str) -> Vec<String> {
        let digests = line
            .split([' ', '='])
            .filter_map(|word| Some((word, self.texts.get(word)?)));
        digests
            .map(|(digest, text)| format!("{digest}: {text}"))
            .collect()
    }

    /// Versions, plural, singular and short names.
    pub(super) fn names_differ_from(&self, kind: &Kind) -> Vec<String> {
        let ours: BTreeSet<String> = kind.versions().iter().map(ToString::to_string).collect();
        let short: BTreeSet<String> = kind.short_names().iter().map(ToString::to_string).collect();
        let mut differences = Vec::new();
        let mut note = |what: &str, upstream: String, ours: String| {
            if upstream != ours {
                differences.push(format!("{kind}: {what} `{upstream}` in the CRDs, `{ours}` here"));
            }
        };
        note("versions", join(&self.versions), join(&ours));
        note(
            "plural",
            self.plural.clone(),
            kind.plural().unwrap_or_default().to_owned(),
        );
        note(
            "singular",
            self.singular.clone(),
            kind.singular().unwrap_or_default().to_owned(),
        );
        note("short names", join(&self.short_names), join(&short));
        differences
    }

    /// Adds the lines of a schema and of all below it.
    fn write(&mut self, path: &str, schema: Node<'_>, mandatory: bool, out: &mut BTreeSet<String>) {
        let mut words = Vec::new();
        if mandatory {
            words.push("mandatory".to_owned());
        }
        let mut type_name = schema.get("type").map(|name| name.text()).unwrap_or("untyped");
        let (mut min, mut max) = (None, None);
        for (key, value) in schema.entries() {
            match key.text() {
                "type" | "description" | "x-kubernetes-list-type" | "properties" | "items" => {}
                "additionalProperties" => type_name = "map",
                "x-kubernetes-preserve-unknown-fields" => type_name = "any",
                "nullable" => words.push("nullable".to_owned()),
                "enum" => words.push(format!("enum={}", join_sorted(names(Some(value)), "|"))),
                "required" => words.push(format!("required={}", join_sorted(names(Some(value)), ","))),
                "format" => match value.text() {
                    "int32" => {
                        min = min.or(Some(i64::from(i32::MIN).to_string()));
                        max = max.or(Some(i64::from(i32::MAX).to_string()));
                    }
                    "byte" => type_name = "base64",
                    "double" => {}
                    other => self
                        .problems
                        .push(format!("{path}: format `{other}` is not understood")),
                },
                "minimum" | "minLength" | "minItems" | "minProperties" => min = Some(value.text().to_owned()),
                "maximum" | "maxLength" | "maxItems" | "maxProperties" => max = Some(value.text().to_owned()),
                "x-kubernetes-list-map-keys" => {
                    words.extend(names(Some(value)).map(|name| format!("key={name}")));
                }
                "pattern" => words.push(format!("pattern={}", self.digest(value.text()))),
                "x-kubernetes-validations" => {
                    let rules = value.items().filter_map(|item| item.get("rule"));
                    let rules: Vec<String> = rules
                        .map(|rule| format!("cel={}", self.digest(rule.text())))
                        .collect();
                    words.extend(rules);
                }
                "oneOf" => words.push(self.one_of(path, value)),
                "allOf" => {
                    for part in value.items() {
                        match part.get("oneOf").filter(|_| part.len() == 1) {
                            Some(group) => words.push(self.one_of(path, group)),
                            None => self
                                .problems
                                .push(format!("{path}: a part of `allOf` is not understood")),
                        }
                    }
                }
                other => self.problems.push(format!("{path}: `{other}` is not understood")),
            }
        }
        words.extend(min.map(|min| format!("min={min}")));
        words.extend(max.map(|max| format!("max={max}")));
        words.sort();
        let type_name = match type_name {
            "array" => "list",
            "object" => "message",
            other => other,
        };
        words.splice(0..0, [path.to_owned(), type_name.to_owned()]);
        out.insert(words.join(" "));

        for (name, field) in schema
            .get("properties")
            .into_iter()
            .flat_map(|fields| fields.entries())
        {
            self.write(&format!("{path}.{}", name.text()), field, false, out);
        }
        if let Some(items) = schema.get("items") {
            self.write(&format!("{path}[]"), items, false, out);
        }
        if let Some(values) = schema
            .get("additionalProperties")
            .filter(|values| values.kind() == NodeKind::Map)
        {
            self.write(&format!("{path}{{}}"), values, false, out);
        }
    }

    /// `[{not: {anyOf: [{required: [a]}, ..]}}, {required: [a]}, ..]`: one of the fields at most.
    fn one_of(&mut self, path: &str, group: Node<'_>) -> String {
        let members = |list: Node<'_>| -> Vec<String> {
            list.items()
                .filter_map(|item| item.get("required"))
                .flat_map(|fields| names(Some(fields)))
                .collect()
        };
        let set = members(group);
        let none = group
            .items()
            .find_map(|item| item.get("not")?.get("anyOf"))
            .map(members);
        if none.as_ref() != Some(&set) || group.len() != set.len() + 1 {
            self.problems.push(format!("{path}: `oneOf` is not understood"));
        }
        format!("oneof={}", join_sorted(set.into_iter(), "|"))
    }

    fn digest(&mut self, text: &str) -> String {
        let digest = format!("{:016x}", fnv1a(text.as_bytes()));
        self.texts.insert(digest.clone(), text.to_owned());
        digest
    }
}

/// The 64-bit FNV-1a hash.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn names<'t>(list: Option<Node<'t>>) -> impl Iterator<Item = String> + use<'t> {
    list.into_iter()
        .flat_map(|list| list.items())
        .map(|item| item.text().to_owned())
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn join_sorted(names: impl Iterator<Item = String>, separator: &str) -> String {
    let sorted: BTreeSet<String> = names.collect();
    sorted
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(separator)
}
