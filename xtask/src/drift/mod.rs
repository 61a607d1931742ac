//! Holds models and schemas of mesh-api against Istio's CustomResourceDefinitions.
//!
//! Three descriptions of the same fields are compared as lines: the CRD bundle, the schemas of `mesh_api::crd` (the API
//! server's layer) with all their constraints, and the inventory of the models (`mesh-api/tests/models/inventory.txt`, which
//! `cargo test` holds against the models themselves) with names, types and enums.

mod crds;
mod inventory;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use mesh_api::{Kind, crd};

use crate::Failure;
use crds::Crd;

/// Compares everything; the error lists what differs.
pub(crate) fn check(repository: &Path, crds: Option<&Path>) -> Result<String, Failure> {
    let inventory = std::fs::read_to_string(repository.join("mesh-api/tests/models/inventory.txt"))?;
    let mut differences = models_and_schemas(&inventory)?;
    let mut summary = format!("models and schemas of {} kinds agree", kinds().count());
    if let Some(file) = crds {
        let crds = crds::read(file)?;
        let lines: usize = crds.iter().map(|crd| crd.lines().len()).sum();
        differences.extend(bundle(&crds));
        summary = format!(
            "{summary}; {} CRDs with {lines} fields and their constraints agree",
            crds.len()
        );
    }
    if differences.is_empty() {
        return Ok(summary);
    }
    Err(format!(
        "{} differences:\n  {}",
        differences.len(),
        differences.join("\n  ")
    )
    .into())
}

/// The kinds that have a schema.
fn kinds() -> impl Iterator<Item = (Kind, String)> {
    Kind::known().filter_map(|kind| crd::outline(&kind).map(|outline| (kind, outline)))
}

/// Fields that the CRDs, and so the schemas, have beside the models': other spellings of names (api.md 3.3), which the
/// decoder takes for the fields themselves.
const SPELLINGS: [&str; 2] = [
    "RequestAuthentication spec.jwtRules[].jwks_uri string",
    "VirtualService spec.http[].mirror_percent integer",
];

/// Names, types and enums.
fn models_and_schemas(inventory: &str) -> Result<Vec<String>, Failure> {
    let messages = inventory::parse(inventory)?;
    let (mut models, mut schemas) = (BTreeSet::new(), BTreeSet::new());
    for (kind, outline) in kinds() {
        let mut fields = Vec::new();
        inventory::expand(&messages, kind.name(), "spec", &mut fields)?;
        models.extend(fields.into_iter().map(|line| format!("{kind} {line}")));
        let fields = outline
            .lines()
            .map(|line| format!("{kind} {}", without_constraints(line)));
        schemas.extend(fields.filter(|line| !SPELLINGS.contains(&line.as_str())));
    }
    Ok(compare(&models, "the models", &schemas, "the schemas"))
}

/// All constraints, and how the kinds are named.
fn bundle(crds: &[Crd]) -> Vec<String> {
    let mut differences = Vec::new();
    let (mut upstream, mut ours) = (BTreeSet::new(), BTreeSet::new());
    for crd in crds {
        let kind = Kind::of(crd.api_version(), crd.kind());
        differences.extend(crd.names_differ_from(&kind));
        differences.extend(crd.problems().iter().map(|problem| format!("{kind} {problem}")));
        upstream.extend(crd.lines().iter().map(|line| format!("{kind} {line}")));
    }
    for (kind, outline) in kinds() {
        ours.extend(outline.lines().map(|line| format!("{kind} {line}")));
    }
    let mut lines = compare(&upstream, "the CRDs", &ours, "the schemas");
    for line in &mut lines {
        // a digest says nothing to a reader
        let texts: Vec<String> = crds.iter().flat_map(|crd| crd.texts_in(line)).collect();
        let texts: BTreeSet<String> = texts.into_iter().collect();
        line.extend(texts.iter().map(|text| format!("\n      {text}")));
    }
    differences.extend(lines);
    differences
}

fn compare(left: &BTreeSet<String>, in_left: &str, right: &BTreeSet<String>, in_right: &str) -> Vec<String> {
    let only = |lines: &BTreeSet<String>, others: &BTreeSet<String>, place: &str| -> Vec<String> {
        lines
            .difference(others)
            .map(|line| format!("only in {place}: {line}"))
            .collect()
    };
    let mut differences = only(left, right, in_left);
    differences.extend(only(right, left, in_right));
    differences
}

/// Path, type and enum of a line.
fn without_constraints(line: &str) -> String {
    let mut words = line.split(' ');
    let path = words.next().unwrap_or_default();
    let type_name = match words.next().unwrap_or_default() {
        "base64" => "string", // models tell it from text, schemas have a type for it
        other => other,
    };
    let names = words
        .find(|word| word.starts_with("enum="))
        .map(|names| format!(" {names}"));
    format!("{path} {type_name}{}", names.unwrap_or_default())
}
