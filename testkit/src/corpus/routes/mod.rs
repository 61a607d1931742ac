//! Routing: small tables on plain values, route configurations of sidecars, and simulated traffic.

mod names;
mod tables;

use super::{Area, AreaReport, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case, _report: &mut AreaReport) -> Verdict {
    match case.kind.as_str() {
        "table" => tables::run(area, case),
        "sidecar-routes" | "simulation" => {
            Verdict::Unsupported("mesh-route compiles no proxies yet".to_owned())
        }
        other => Verdict::Unsupported(format!("the runner knows no cases of type `{other}`")),
    }
}
