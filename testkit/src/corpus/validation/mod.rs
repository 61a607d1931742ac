//! Validation: resources as istiod's webhook judges them, resources as the schema of their CRD judges them, and tables of
//! plain values.
//!
//! The texts of `errorContains` and `warningContains` are upstream's; here they mean that there is an error or a warning.

mod crd;
mod mesh;
mod tables;
mod webhook;

use mesh_api::validate::ValidateOptions;
use mesh_api::{Profile, Report};
use mesh_xds::envoy_schema::EnvoyMessages;
use serde_json::{Value, json};

use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    match (case.kind.as_str(), case.expect()["level"].as_str()) {
        ("table", _) if mesh::asks(case.value["table"].as_str().unwrap_or_default()) => mesh::run(area, case),
        ("table", _) => tables::run(area, case),
        ("", Some("webhook")) => webhook::run(area, case),
        ("", Some("crd-schema")) => crd::run(area, case),
        (kind, level) => Verdict::Unsupported(format!(
            "the runner knows no cases of type `{kind}` and level {level:?}"
        )),
    }
}

/// As istiod judges, which has Envoy's messages at hand.
pub(super) fn istiod() -> ValidateOptions {
    let mut options = ValidateOptions::new(Profile::Istiod);
    options.envoy_schema = Some(EnvoyMessages::shared());
    options
}

/// The answers to the keys of a verdict that `expect` may hold.
fn verdict_of(report: &Report) -> Value {
    let (refused, warned) = (!report.is_ok(), report.warnings().next().is_some());
    json!({ "valid": !refused, "error": refused, "warning": warned })
}

/// `expect` in terms of [`verdict_of`]: a text of an error or a warning asks for its presence.
fn presence(expect: &Value) -> Value {
    let mut wanted = expect.clone();
    let Some(keys) = wanted.as_object_mut() else {
        return wanted;
    };
    if keys.remove("errorContains").is_some() {
        keys.insert("error".to_owned(), json!(true));
    }
    if keys.remove("warningContains").is_some() {
        keys.insert("warning".to_owned(), json!(true));
    }
    wanted
}
