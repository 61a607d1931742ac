//! Identities, keys, signing requests, callers, certificates and bundles of the area `pki`.

mod callers;
mod certificates;
mod ids;
mod requests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::answer::same;
use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    ids::run(case)
        .or_else(|| requests::run(area, case))
        .or_else(|| callers::run(area, case))
        .or_else(|| certificates::run(area, case))
        .unwrap_or_else(|| {
            let table = case.value["table"].as_str().unwrap_or(&case.kind);
            Verdict::Unsupported(format!("the runner does not know the table `{table}`"))
        })
}

/// Compares an outcome with every key of `expect`. `refused` is what the answer has beside a refusal: the source's functions
/// return values then, too. Texts of errors are the source's wording.
fn judge(expect: &Value, outcome: Result<Value, String>, refused: &Value) -> Verdict {
    let Some(wanted) = expect.as_object().filter(|wanted| !wanted.is_empty()) else {
        return Verdict::Unsupported("`expect` asserts nothing".to_owned());
    };
    let is_refusal = wanted.get("errorContains").is_some_and(|text| text != "")
        || wanted.get("error") == Some(&Value::Bool(true))
        || wanted.get("ok") == Some(&Value::Bool(false));
    let answer = match (is_refusal, &outcome) {
        (true, Ok(answer)) => return Verdict::Failed(format!("expected a refusal, found {answer}")),
        (false, Err(why)) => return Verdict::Failed(format!("expected an answer: {why}")),
        (true, Err(_)) => refused,
        (false, Ok(answer)) => answer,
    };
    for (key, wanted) in wanted {
        if ["error", "errorContains", "errorKind", "ok"].contains(&key.as_str()) {
            continue;
        }
        let Some(found) = answer.get(key) else {
            return Verdict::Unsupported(format!("the runner has no answer to `{key}`"));
        };
        if !same(wanted, found) {
            return Verdict::Failed(format!("{key}: expected {wanted}, found {found}"));
        }
    }
    Verdict::Passed
}

/// A text, or the bytes that stand for one in base64.
fn text_of(value: &Value) -> Result<Vec<u8>, String> {
    match value {
        Value::String(text) => Ok(text.clone().into_bytes()),
        other => decode(
            other["$base64"]
                .as_str()
                .ok_or_else(|| format!("no text: {other}"))?
                .as_bytes(),
        ),
    }
}

/// A file of the area; those that end in `.b64` are decoded.
fn file(area: &Area, name: &Value) -> Result<Vec<u8>, String> {
    let name = name.as_str().ok_or_else(|| format!("no file: {name}"))?;
    let bytes = area.file(name).map_err(|error| error.to_string())?;
    if name.ends_with(".b64") {
        decode(&bytes)
    } else {
        Ok(bytes)
    }
}

fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(text).map_err(|error| error.to_string())
}
