//! Header operations.

use mesh_api::names::Text;

use super::origin::Level;

/// Operations on request and response headers, in order of emission. In one scope Envoy applies all removals, then all
/// sets, then all adds, each in list order (R-HDR-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeaderOps {
    /// On the request.
    pub request: Box<[HeaderOp]>,
    /// On the response.
    pub response: Box<[HeaderOp]>,
}

impl HeaderOps {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let Self { request, response } = self;
        request.is_empty() && response.is_empty()
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderOp {
    /// What is done.
    pub kind: HeaderOpKind,
    /// The header, as written; compared without case.
    pub name: Text,
    /// The value, with Envoy's `%...%` placeholders as written; empty for a removal.
    pub value: Text,
    /// `Own` for the route, `Top` for the single destination whose operations follow the route's (R-HDR-4).
    pub level: Level,
}

/// Kinds of header operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeaderOpKind {
    /// Deletes all values.
    Remove,
    /// Replaces all values, or adds one.
    Set,
    /// Adds a value.
    Add,
}
