//! Routing: small tables on plain values, route configurations of sidecars, and simulated traffic.

mod names;
mod scene;
mod sidecar_routes;
mod simulation;
mod tables;

use super::{Area, AreaReport, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    match case.kind.as_str() {
        "table" => tables::run(area, case),
        "sidecar-routes" => sidecar_routes::run(area, case, report),
        "simulation" => simulation::run(area, case, report),
        other => Verdict::Unsupported(format!("the runner knows no cases of type `{other}`")),
    }
}
