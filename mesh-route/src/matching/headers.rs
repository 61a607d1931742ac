//! Headers of a request, with several values each.

use crate::plan::{HeaderOp, HeaderOpKind};

/// An ordered multimap of headers. Names are kept in lower case (R-ENV-7). Lines of the headers that Envoy coalesces on
/// receipt are joined into one value as they come in (R-ENV-5); lines of all others stay apart (R-ENV-4).
///
/// ```
/// use mesh_route::matching::Headers;
///
/// let mut headers = Headers::new();
/// headers.append("X-Tag", "a");
/// headers.append("x-tag", "b");
/// headers.append("Accept", "text/html");
/// headers.append("accept", "text/plain");
/// assert_eq!(headers.values("x-tag").collect::<Vec<_>>(), [b"a", b"b"]);
/// assert_eq!(headers.values("accept").collect::<Vec<_>>(), [b"text/html,text/plain"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Box<str>, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let separator: Option<&[u8]> = is_coalesced(&name.to_ascii_lowercase()).then_some(b",");
        self.append_joined(name, value.as_ref(), separator);
    }

    /// Adds a line, or joins it to the one that is there with `separator`.
    pub(crate) fn append_joined(&mut self, name: &str, value: &[u8], separator: Option<&[u8]>) {
        let name = name.to_ascii_lowercase();
        let there = self.0.iter_mut().find(|(n, _)| **n == name);
        match (there, separator) {
            (Some((_, joined)), Some(separator)) => {
                joined.extend_from_slice(separator);
                joined.extend_from_slice(value);
            }
            _ => self.0.push((name.into(), value.to_vec())),
        }
    }

    /// All values of a header, in order; `name` in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(n, _)| **n == *name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a header; `name` in lower case.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, value.as_slice()))
    }

    /// Applies one operation. Scopes and their order are the caller's (R-HDR-1, R-HDR-3). Placeholders (`%...%`) of the
    /// value are taken as they stand.
    pub fn apply(&mut self, op: &HeaderOp) {
        let name = op.name.as_str().to_ascii_lowercase();
        match op.kind {
            HeaderOpKind::Remove => self.0.retain(|(n, _)| **n != *name),
            HeaderOpKind::Set => {
                self.0.retain(|(n, _)| **n != *name);
                self.0.push((name.into(), op.value.as_bytes().to_vec()));
            }
            HeaderOpKind::Add => self.0.push((name.into(), op.value.as_bytes().to_vec())),
        }
    }

    /// Joins all lines of a header into the first one.
    pub(crate) fn join(&mut self, name: &str, separator: &[u8]) {
        let lines: Vec<Vec<u8>> = self.values(name).map(<[u8]>::to_vec).collect();
        if lines.len() > 1 {
            let mut first = true;
            let joined = lines.join(separator);
            self.0.retain(|(n, _)| **n != *name || std::mem::take(&mut first));
            if let Some((_, value)) = self.0.iter_mut().find(|(n, _)| **n == *name) {
                *value = joined;
            }
        }
    }
}

/// Whether Envoy joins the lines of this header with `,` on receipt (R-ENV-5); `name` in lower case.
pub fn is_coalesced(name: &str) -> bool {
    COALESCED.binary_search(&name).is_ok()
}

/// Measured on Envoy 1.40 (R-ENV-5), sorted.
const COALESCED: [&str; 39] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authentication",
    "authorization",
    "cache-control",
    "cdn-loop",
    "content-encoding",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "proxy-status",
    "referer",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-external-address",
    "x-envoy-is-timeout-retry",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];
