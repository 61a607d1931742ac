//! Analysis: the codes and objects that an analyzer finds in files.

use std::collections::BTreeMap;

use mesh_api::analyze::{AnalyzeOptions, Analyzer, analyze_with, analyzer};
use mesh_api::mesh::MeshConfig;
use mesh_api::scalar::Timestamp;
use mesh_api::{DecodeOptions, Decoded, Profile};

use super::{Area, AreaReport, Case, Verdict};

/// The time at which the certificates of the corpus are judged: they are to be valid, or expired long before.
const NOW: &str = "2025-06-01T00:00:00Z";

pub(super) fn run(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    match compare(area, case) {
        Ok(verdict) => {
            report.count("messages", verdict == Verdict::Passed);
            verdict
        }
        Err(why) => Verdict::Failed(why),
    }
}

fn compare(area: &Area, case: &Case) -> Result<Verdict, String> {
    let name = case.value["analyzer"].as_str().unwrap_or_default();
    let Some(analyzer) = find(name) else {
        return Ok(Verdict::Unsupported(format!("mesh-api has no analyzer `{name}`")));
    };
    let expect = case.expect().as_object().ok_or("no `expect`")?;
    if let Some(key) = expect.keys().find(|key| *key != "messages") {
        return Ok(Verdict::Unsupported(format!(
            "the runner does not know the expectation `{key}`"
        )));
    }
    let (objects, options) = read(area, case)?;
    let analysis = analyze_with(&[analyzer], objects.objects(), &options);
    let mut wanted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for message in expect["messages"].as_array().into_iter().flatten() {
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        *wanted.entry((text("code"), text("origin"))).or_default() += 1;
    }
    for message in analysis.messages() {
        let found = (message.kind.code.as_str().to_owned(), message.origin());
        *wanted.entry(found).or_default() -= 1;
    }
    let differences: Vec<String> = wanted
        .iter()
        .filter(|(_, count)| **count != 0)
        .map(|((code, origin), count)| match count {
            1.. => format!("{count} of {code} about {origin} missing"),
            _ => format!("{} of {code} about {origin} too many", -count),
        })
        .collect();
    if differences.is_empty() {
        return Ok(Verdict::Passed);
    }
    let unread: Vec<String> = objects.report().errors().map(ToString::to_string).collect();
    Err([differences, unread].concat().join("; "))
}

/// The inputs as objects, and mesh configuration and networks as what they are.
fn read(area: &Area, case: &Case) -> Result<(Decoded, AnalyzeOptions), String> {
    let decoding = DecodeOptions {
        profile: Profile::Istiod,
        default_namespace: None,
        ..DecodeOptions::default()
    };
    let mut options = AnalyzeOptions {
        now: NOW.parse::<Timestamp>().ok(),
        ..AnalyzeOptions::istioctl()
    };
    let mut objects = Decoded::default();
    let is = |key: &str, input: &str| case.value[key].as_str() == Some(input);
    for input in &case.inputs {
        let bytes = area.file(input).map_err(|error| error.to_string())?;
        if is("meshConfigFile", input) {
            let (mesh, report) = mesh_api::decode_value::<MeshConfig>(input, &bytes);
            if let Some(error) = report.errors().next() {
                return Err(error.to_string());
            }
            options.mesh = mesh;
        } else if is("meshNetworksFile", input) {
            let (networks, report) = mesh_api::decode_value(input, &bytes);
            if let Some(error) = report.errors().next() {
                return Err(error.to_string());
            }
            options.networks = networks;
        } else {
            objects.extend(mesh_api::decode_with(input, &bytes, &decoding));
        }
    }
    Ok((objects, options))
}

/// The analyzer of a name. Those of schemas are named by what makes them: package, function and collection.
fn find(name: &str) -> Option<&'static Analyzer> {
    let collection = name
        .split_once("CollectionValidationAnalyzer(")
        .and_then(|(_, rest)| rest.trim_end_matches([')', ']']).rsplit('.').next());
    match collection {
        Some(kind) => analyzer(&format!("schema.ValidationAnalyzer.{kind}")),
        None => analyzer(name),
    }
}
