//! Runs a corpus of public test data against the libraries: a directory of areas, each with a `MANIFEST.json`.
//!
//! A case is passed only if every assertion of its `expect` was compared and held. What the runner cannot ask is
//! unsupported, with a reason. Nothing is skipped: each case of a manifest is in one of the three lists.

mod analysis;
mod answer;
mod manifest;
mod pki;
mod realworld;
mod report;
mod routes;
mod samples;
mod validation;
mod x509_path;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use manifest::{Area, Case, ManifestError};
pub use report::AreaReport;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every assertion was compared and holds.
    Passed,
    /// An assertion does not hold, and which.
    Failed(String),
    /// Something that the case asks cannot be asked of the libraries, and what.
    Unsupported(String),
}

/// Runs the named areas of a corpus, or all of them.
///
/// # Errors
/// When the directory holds no areas, has none of a wanted name, or a manifest cannot be read.
pub fn run(directory: &Path, wanted: &[String]) -> Result<Vec<AreaReport>, ManifestError> {
    let names = manifest::areas(directory)?;
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        return Err(ManifestError::new(
            directory,
            format!("no area `{unknown}`; there are {}", names.join(", ")),
        ));
    }
    let chosen = names
        .iter()
        .filter(|name| wanted.is_empty() || wanted.contains(name));
    chosen
        .map(|name| Ok(run_area(&Area::read(directory, name)?)))
        .collect()
}

/// Runs all cases of an area.
pub fn run_area(area: &Area) -> AreaReport {
    let mut report = AreaReport::new(&area.name);
    for case in &area.cases {
        let verdict = catch_unwind(AssertUnwindSafe(|| run_case(area, case, &mut report)));
        let panicked = || Verdict::Failed("the library panicked".to_owned());
        report.add(&case.id, verdict.unwrap_or_else(|_| panicked()));
    }
    report
}

fn run_case(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    match area.name.as_str() {
        "analysis" => analysis::run(area, case, report),
        "pki" => pki::run(area, case),
        "realworld" => realworld::run(area, case),
        "routes" => routes::run(area, case, report),
        "samples" => samples::run(area, case, report),
        "validation" => validation::run(area, case),
        "x509-path" => x509_path::run(area, case),
        other => Verdict::Unsupported(not_yet(other)),
    }
}

/// Why a whole area is not run.
fn not_yet(area: &str) -> String {
    let what = match area {
        "authz" => {
            "mesh-route does not evaluate AuthorizationPolicy, RequestAuthentication or PeerAuthentication chains yet"
        }
        "envoy" => "there is no import of Envoy route configurations yet",
        "gateway-api" => "Gateway API kinds are carried as opaque objects",
        "injection" => "there is no sidecar injection yet",
        "operator" => "there is no operator yet",
        "xds" => "mesh-xds has no bootstrap and no dumps yet",
        _ => return format!("the runner knows no area `{area}`"),
    };
    what.to_owned()
}
