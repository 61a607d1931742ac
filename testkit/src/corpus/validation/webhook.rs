//! Resources as istiod's webhook judges them.

use mesh_api::validate::{covers, validate_all};
use mesh_api::{DecodeOptions, Profile, Report};
use serde_json::json;

use super::{istiod, presence, verdict_of};
use crate::corpus::answer::{NoAnswer, compare};
use crate::corpus::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    let mut expect = presence(case.expect());
    if let Some(keys) = expect.as_object_mut() {
        // where the case comes from, not what is asked
        keys.remove("level");
        keys.remove("basis");
    }
    compare(&expect, &json!({}), |_| Ok(verdict_of(&judge(area, case)?)))
}

/// What istiod says of the only document: errors of the text and of the rules, warnings of the rules alone, since the
/// webhook is silent about what it does not know (A-WIRE-2).
fn judge(area: &Area, case: &Case) -> Result<Report, NoAnswer> {
    let [input] = case.inputs.as_slice() else {
        return Err(NoAnswer::Unsupported("there is not exactly one input".to_owned()));
    };
    let bytes = area
        .file(input)
        .map_err(|error| NoAnswer::Refused(error.to_string()))?;
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let decoded = mesh_api::decode_with(input, &bytes, &options);
    if decoded.documents().len() != 1 {
        return Err(NoAnswer::Unsupported(
            "the input is not exactly one document".to_owned(),
        ));
    }
    let objects = decoded.objects();
    if let Some((key, _)) = objects.iter().find(|(key, _)| !covers(&key.kind)) {
        return Err(NoAnswer::Unsupported(format!(
            "there are no rules for {} yet",
            key.kind
        )));
    }
    let mut report: Report = decoded.report().errors().cloned().collect();
    report.extend(validate_all(objects, &istiod()));
    Ok(report)
}
