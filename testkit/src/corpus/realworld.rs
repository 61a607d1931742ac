//! Cases of other projects on the same APIs.

use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    match case.kind.as_str() {
        "strict-parse" => strict_parse(area, case),
        "agentgateway-translation" => {
            Verdict::Unsupported("Gateway API kinds are carried as opaque objects".to_owned())
        }
        other => Verdict::Unsupported(format!("the runner knows no cases of type `{other}`")),
    }
}

/// A typed parser must refuse the file (`parse: false`) or accept it.
fn strict_parse(area: &Area, case: &Case) -> Verdict {
    let expect = case.expect();
    if let Some(key) = expect
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .find(|key| !["parse", "reason"].contains(&key.as_str()))
    {
        return Verdict::Unsupported(format!("the runner does not know the expectation `{key}`"));
    }
    let Some(wanted) = expect["parse"].as_bool() else {
        return Verdict::Unsupported("`parse` is no verdict".to_owned());
    };
    for input in &case.inputs {
        let bytes = match area.file(input) {
            Ok(bytes) => bytes,
            Err(error) => return Verdict::Failed(error.to_string()),
        };
        let decoded = mesh_api::decode(input, &bytes);
        if decoded.report().is_ok() != wanted {
            let found = decoded
                .report()
                .errors()
                .next()
                .map_or("no error".to_owned(), ToString::to_string);
            return Verdict::Failed(format!("parse: expected {wanted}, found {found}"));
        }
    }
    Verdict::Passed
}
