//! Every default that compile resolves, with its source.

use std::time::Duration;

use mesh_api::names::Text;

/// Conditions of the default retry policy. Source: Istio retry.go; R-RTY-1.
pub(super) const RETRY_ON: &str =
    "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
/// Added to conditions when status codes are listed (R-RTY-2).
pub(super) const RETRIABLE_STATUS_CODES: &str = "retriable-status-codes";
/// Retries of the default policy (R-RTY-1).
pub(super) const RETRY_ATTEMPTS: u32 = 2;
/// How often another host is looked for (R-RTY-1).
pub(super) const RETRY_HOST_ATTEMPTS: u32 = 5;
/// Status of a cluster that does not exist (R-DST-3).
pub(super) const UNKNOWN_CLUSTER: u16 = 503;
/// The same for routes with gateway semantics (R-DST-3).
pub(super) const UNKNOWN_CLUSTER_GATEWAY: u16 = 500;
/// Answer of the catch-all of REGISTRY_ONLY (R-VH-17).
pub(super) const BLOCK_ALL_STATUS: u16 = 502;
/// Code of a redirect that names none (R-RD-2).
pub(super) const REDIRECT_CODE: u16 = 301;
/// Ring size when none is given (R-TP-8).
pub(super) const RING_SIZE: u64 = 1024;
/// Percent of a retry budget that names none (X-CDS-15).
pub(super) const RETRY_BUDGET_PERCENT: f64 = 20.0;
/// Retries that a budget always allows, when it names none (X-CDS-15).
pub(super) const RETRY_BUDGET_MINIMUM: u32 = 3;
/// How often DNS names are resolved again when the mesh does not say (X-CDS-9).
pub(super) const DNS_REFRESH: Duration = Duration::from_secs(60);
/// Connect timeout when the mesh does not say (R-TP-6).
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The name of a built-in route to a service.
pub(super) fn default_route_name() -> Text {
    Text::new("default")
}

/// Status codes that have a name, which `retryOn` takes as codes (R-RTY-2). Source: Go net/http, by A-VS-75.
pub(super) fn is_known_status(code: u32) -> bool {
    matches!(code,
        100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451
        | 500..=508 | 510 | 511)
}
