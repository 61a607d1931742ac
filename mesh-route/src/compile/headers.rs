//! Header operations of routes and destinations (R-HDR).

use mesh_api::names::Text;
use mesh_api::networking::{HeaderOperations, Headers};

use crate::plan::{HeaderOp, HeaderOpKind, HeaderOps, Level};

/// Operations of one scope, and the host that they rewrite to.
#[derive(Clone, Debug, Default)]
pub(super) struct Operations {
    request: Vec<HeaderOp>,
    response: Vec<HeaderOp>,
    /// `:authority` or `host` among the request operations; `set` wins over `add` (R-HDR-2).
    pub(super) host: Option<Text>,
}

impl Operations {
    /// Reads operations as written.
    pub(super) fn new(headers: Option<&Headers>, level: Level) -> Self {
        let Some(Headers { request, response }) = headers else {
            return Self::default();
        };
        let mut operations = Self::default();
        if let Some(request) = request {
            operations.host = host_of(request);
            operations.request = read(request, level);
        }
        if let Some(response) = response {
            operations.response = read(response, level);
        }
        operations
    }

    /// Appends the operations of the only destination (R-HDR-4, quirk: in the same scope its `set` then wins).
    pub(super) fn append(&mut self, other: Self) {
        let Self {
            request,
            response,
            host,
        } = other;
        self.request.extend(request);
        self.response.extend(response);
        self.host = self.host.take().or(host);
    }

    /// The operations, if there are any.
    pub(super) fn into_ops(self) -> Option<HeaderOps> {
        let Self {
            request,
            response,
            host: _,
        } = self;
        let ops = HeaderOps {
            request: request.into(),
            response: response.into(),
        };
        (!ops.is_empty()).then_some(ops)
    }
}

/// Whether the name is never set or removed as a header (R-HDR-2).
fn is_reserved(name: &str) -> bool {
    name.starts_with(':') || name.eq_ignore_ascii_case("host")
}

fn host_of(operations: &HeaderOperations) -> Option<Text> {
    let is_host = |name: &str| name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority");
    let find = |map: &std::collections::BTreeMap<String, String>| {
        map.iter()
            .find(|(name, _)| is_host(name))
            .map(|(_, value)| Text::new(value))
    };
    let HeaderOperations { set, add, remove: _ } = operations;
    find(set).or_else(|| find(add))
}

/// Sets, then adds, each in order of name, then removals in the order given (X-RDS-27).
fn read(operations: &HeaderOperations, level: Level) -> Vec<HeaderOp> {
    let HeaderOperations { set, add, remove } = operations;
    let op = |kind, name: &str, value: &str| HeaderOp {
        kind,
        name: Text::new(name),
        value: Text::new(value),
        level,
    };
    let sets = set.iter().map(|(name, value)| op(HeaderOpKind::Set, name, value));
    let adds = add.iter().map(|(name, value)| op(HeaderOpKind::Add, name, value));
    let removals = remove.iter().map(|name| op(HeaderOpKind::Remove, name, ""));
    sets.chain(adds)
        .chain(removals)
        .filter(|op| !is_reserved(&op.name))
        .collect()
}
