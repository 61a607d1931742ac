//! Identities, certificates and bundles.

mod certificates;

use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    certificates::run(area, case).unwrap_or_else(|| {
        let what = case.value["table"].as_str().unwrap_or(&case.kind);
        Verdict::Unsupported(format!("the runner does not ask `{what}` yet"))
    })
}
