//! Ejection of endpoints that fail.

use serde::{Deserialize, Serialize};

use crate::scalar::Duration;
use crate::wire::is_default;

/// When an endpoint is ejected from load balancing, and for how long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutlierDetection {
    /// Errors in a row. Deprecated and undocumented: use `consecutive_5xx_errors`.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_errors: i32,
    /// Count errors of the proxy's own making (timeouts, resets, failed connects) apart from errors of the endpoint. Default
    /// false.
    #[serde(skip_serializing_if = "is_default")]
    pub split_external_local_origin_errors: bool,
    /// Local errors in a row until ejection; only with `split_external_local_origin_errors` (A-DR-12). Absent means 5.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_local_origin_failures: Option<u32>,
    /// Answers 502, 503 or 504 in a row until ejection. Absent or zero means off.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_gateway_errors: Option<u32>,
    /// Answers 5xx in a row until ejection. Absent means 5; zero means off.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_5xx_errors: Option<u32>,
    /// Time between sweeps; whole milliseconds. Absent means 10 s.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Option<Duration>,
    /// Least time of an ejection, multiplied by the number of ejections so far; whole milliseconds. Absent means 30 s.
    #[serde(skip_serializing_if = "is_default")]
    pub base_ejection_time: Option<Duration>,
    /// Most endpoints ejected at a time, in percent, 0..100. Zero means 10.
    #[serde(skip_serializing_if = "is_default")]
    pub max_ejection_percent: i32,
    /// Share of healthy endpoints, in percent, below which detection is switched off and all endpoints are used. Default 0.
    #[serde(skip_serializing_if = "is_default")]
    pub min_health_percent: i32,
    /// Statuses that count as errors besides 5xx, 100..599. New in Istio 1.31. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub outlier_detection_http_error_codes: Vec<u32>,
}
