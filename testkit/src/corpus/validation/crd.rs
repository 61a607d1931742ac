//! Resources as the schema of their CRD judges them.

use mesh_api::validate::{ValidateOptions, covers, validate_decoded};
use mesh_api::{DecodeOptions, Profile};
use serde_json::json;

use super::verdict_of;
use crate::corpus::answer::{NoAnswer, compare};
use crate::corpus::{Area, Case, Verdict};

/// `valid` is the API server's verdict; with `webhook: same` istiod's must be the same. The wording is the API server's, and
/// not compared.
pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    let mut expect = case.expect().clone();
    let Some(keys) = expect.as_object_mut() else {
        return Verdict::Unsupported("`expect` is no object".to_owned());
    };
    keys.remove("level");
    if keys.remove("schemaErrorContains").is_some() {
        keys.insert("error".to_owned(), json!(true));
    }
    let webhook = keys.remove("webhook");
    let api_server = compare(&expect, &json!({}), |_| judge(area, case, Profile::ApiServer));
    match (api_server, webhook.as_ref().and_then(|webhook| webhook.as_str())) {
        (Verdict::Passed, Some("same")) => {
            let valid = json!({ "valid": expect["valid"] });
            match compare(&valid, &json!({}), |_| judge(area, case, Profile::Istiod)) {
                Verdict::Failed(why) => Verdict::Failed(format!("the webhook: {why}")),
                verdict => verdict,
            }
        }
        (verdict, Some("same" | "not-compared")) => verdict,
        (_, other) => Verdict::Unsupported(format!("the runner knows no `webhook: {other:?}`")),
    }
}

fn judge(area: &Area, case: &Case, profile: Profile) -> Result<serde_json::Value, NoAnswer> {
    let [input] = case.inputs.as_slice() else {
        return Err(NoAnswer::Unsupported("there is not exactly one input".to_owned()));
    };
    let bytes = area
        .file(input)
        .map_err(|error| NoAnswer::Refused(error.to_string()))?;
    let options = DecodeOptions {
        profile,
        ..DecodeOptions::default()
    };
    let decoded = mesh_api::decode_with(input, &bytes, &options);
    let [document] = decoded.documents() else {
        return Err(NoAnswer::Unsupported(
            "the input is not exactly one document".to_owned(),
        ));
    };
    let kind = document.kind.as_ref();
    if let Some(kind) = kind.filter(|kind| profile.has_istiod() && !covers(kind)) {
        return Err(NoAnswer::Unsupported(format!(
            "there are no rules of the webhook for {kind} yet"
        )));
    }
    Ok(verdict_of(&validate_decoded(
        &decoded,
        &ValidateOptions::new(profile),
    )))
}
