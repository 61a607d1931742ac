//! Resources as the schema of their CRD judges them.

use crate::corpus::{Area, Case, Verdict};

pub(super) fn run(_: &Area, _: &Case) -> Verdict {
    Verdict::Unsupported("mesh-api does not check the schemas of CRDs yet".to_owned())
}
