//! Samples: what every file holds, and whether it is accepted.

use std::collections::{BTreeMap, BTreeSet};

use mesh_api::codec::codes;
use mesh_api::validate::{covers, validate_all};
use mesh_api::{DecodeOptions, Decoded, Kind, Profile};
use serde_json::{Value, json};

use super::answer::same;
use super::validation::istiod;
use super::{Area, AreaReport, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    // istiod's verdict: unknown fields are no error for it (A-WIRE-2).
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let mut decoded = Decoded::default();
    for input in &case.inputs {
        match area.file(input) {
            Ok(bytes) => decoded.extend(mesh_api::decode_with(input, &bytes, &options)),
            Err(error) => return Verdict::Failed(error.to_string()),
        }
    }
    let shape = compare_shape(&decoded, case);
    report.count("documents-and-kinds", shape.is_ok());
    if let Err(why) = shape {
        return Verdict::Failed(why);
    }
    let unknown = case
        .expect()
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str());
    if let Some(key) = unknown
        .into_iter()
        .find(|key| !["parse", "documents", "kinds", "valid"].contains(key))
    {
        return Verdict::Unsupported(format!("the runner does not know the expectation `{key}`"));
    }
    compare_valid(&decoded, case)
}

/// Documents (items of lists singly) and kinds, by `group/version/Kind`.
fn compare_shape(decoded: &Decoded, case: &Case) -> Result<(), String> {
    let expect = case.expect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for document in decoded.documents() {
        let Some(kind) = &document.kind else { continue };
        *kinds
            .entry(format!("{}/{}", document.api_version, kind.name()))
            .or_default() += 1;
    }
    let documents = decoded.documents().len();
    let found = json!({ "documents": documents, "kinds": kinds });
    for key in ["documents", "kinds"] {
        if !same(&expect[key], &found[key]) {
            return Err(format!("{key}: expected {}, found {}", expect[key], found[key]));
        }
    }
    // A document without a kind is read like any other; that it is no object is no error of the text.
    let unreadable = decoded
        .report()
        .errors()
        .find(|error| error.code != codes::ENVELOPE);
    match (expect["parse"].as_bool(), unreadable) {
        (Some(true), Some(error)) => Err(format!("parse: {error}")),
        (Some(false), None) => Err("parse: expected a refusal".to_owned()),
        _ => Ok(()),
    }
}

/// `valid`: no Istio object is refused.
fn compare_valid(decoded: &Decoded, case: &Case) -> Verdict {
    match &case.expect()["valid"] {
        Value::Null => return Verdict::Passed,
        Value::String(text) if text == "not-asserted" => return Verdict::Passed,
        Value::String(text) if text == "expected" => {}
        Value::Bool(true) => {}
        other => return Verdict::Unsupported(format!("the runner does not know the verdict {other}")),
    }
    let objects = decoded.objects();
    let accepted = decoded
        .documents()
        .iter()
        .filter(|document| document.accepted)
        .count();
    if accepted != objects.len() {
        return Verdict::Unsupported(
            "an object is defined twice, and the first one cannot be asked about".to_owned(),
        );
    }
    let report = validate_all(objects, &istiod());
    if let Some(error) = report.errors().next() {
        return Verdict::Failed(format!("valid: {error}"));
    }
    // IstioOperator is no kind that istiod admits: that it can be read as its type is all there is to ask
    let judged = |kind: &Kind| kind.group().ends_with(".istio.io") && *kind != Kind::IstioOperator;
    let lacking: BTreeSet<&str> = objects
        .iter()
        .filter(|(key, _)| judged(&key.kind) && !covers(&key.kind))
        .map(|(key, _)| key.kind.name())
        .collect();
    if lacking.is_empty() {
        return Verdict::Passed;
    }
    let kinds = lacking.into_iter().collect::<Vec<_>>().join(", ");
    Verdict::Unsupported(format!(
        "documents and kinds agree; `valid` needs rules for {kinds}, which mesh-api does not have yet"
    ))
}
