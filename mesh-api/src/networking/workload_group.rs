//! WorkloadGroup: workloads outside of Kubernetes that register themselves.
//!
//! Source: Istio API `networking/v1alpha3/workload_group.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::WorkloadEntry;
use crate::wire::{is_default, oneofs};

/// A group of workloads of one kind: the pattern of the [`WorkloadEntry`] objects that are made as they register.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadGroup {
    /// Labels and annotations of the entries, over those of `template`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: Option<WorkloadGroupMetadata>,
    /// What the entries have in common; `address` comes from the workload. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub template: Option<WorkloadEntry>,
    /// How the agent finds out whether the workload is ready. Absent means that it always is.
    #[serde(skip_serializing_if = "is_default")]
    pub probe: Option<Box<ReadinessProbe>>,
}

/// Labels and annotations that registered entries get (upstream message `WorkloadGroup.ObjectMeta`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadGroupMetadata {
    /// Labels. Bounds: 256 entries (A-CR-27). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations. Bounds: 256 entries (A-CR-27). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
}

/// How readiness is probed. Times are in whole seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ReadinessProbeWire", into = "ReadinessProbeWire")]
pub struct ReadinessProbe {
    /// Seconds between the start of the workload and the first probe. Bounds: 0 or more. Default 0.
    pub initial_delay_seconds: i32,
    /// Seconds until a probe counts as failed. Zero means 1.
    pub timeout_seconds: i32,
    /// Seconds between probes. Zero means 10.
    pub period_seconds: i32,
    /// Successes in a row that make the workload ready after a failure. Zero means 1.
    pub success_threshold: i32,
    /// Failures in a row that make it not ready. Zero means 3.
    pub failure_threshold: i32,
    /// What is done. Required.
    pub health_check_method: Option<HealthCheckMethod>,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq)]
pub enum HealthCheckMethod {
    /// An HTTP request; a status from 200 to 399 is success.
    HttpGet(HttpHealthCheckConfig),
    /// A TCP connection.
    TcpSocket(TcpHealthCheckConfig),
    /// A command in the workload's file system; exit code 0 is success.
    Exec(ExecHealthCheckConfig),
    /// A call of gRPC's health service. The CRD knows it, istiod's validator does not (A-WG-8).
    Grpc(GrpcHealthCheckConfig),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "ReadinessProbe(httpGet|tcpSocket|exec|grpc)")]
struct ReadinessProbeWire {
    #[serde(skip_serializing_if = "is_default")]
    initial_delay_seconds: i32,
    #[serde(skip_serializing_if = "is_default")]
    timeout_seconds: i32,
    #[serde(skip_serializing_if = "is_default")]
    period_seconds: i32,
    #[serde(skip_serializing_if = "is_default")]
    success_threshold: i32,
    #[serde(skip_serializing_if = "is_default")]
    failure_threshold: i32,
    #[serde(skip_serializing_if = "is_default")]
    http_get: Option<HttpHealthCheckConfig>,
    #[serde(skip_serializing_if = "is_default")]
    tcp_socket: Option<TcpHealthCheckConfig>,
    #[serde(skip_serializing_if = "is_default")]
    exec: Option<ExecHealthCheckConfig>,
    #[serde(skip_serializing_if = "is_default")]
    grpc: Option<GrpcHealthCheckConfig>,
}

oneofs! {
    ReadinessProbe as ReadinessProbeWire {
        initial_delay_seconds, timeout_seconds, period_seconds, success_threshold, failure_threshold,
    }
    health_check_method: HealthCheckMethod {
        http_get => HttpGet, tcp_socket => TcpSocket, exec => Exec, grpc => Grpc,
    }
}

/// A probe by HTTP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpHealthCheckConfig {
    /// Path to ask for. Empty means `/`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Host to connect to. Empty means the workload's address.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// `HTTP` or `HTTPS`. Empty means `HTTP`.
    #[serde(skip_serializing_if = "is_default")]
    pub scheme: String,
    /// Headers of the request, in order; a name may occur more than once. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub http_headers: Vec<HttpHeader>,
}

/// A header of a probe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpHeader {
    /// Name: letters, digits and `-`; the CRD allows `_` as well (A-WG-6). Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Value. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// A probe by TCP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpHealthCheckConfig {
    /// Host to connect to. Empty means localhost.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
}

/// A probe by a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecHealthCheckConfig {
    /// Program and arguments; no shell is involved. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub command: Vec<String>,
}

/// A probe by gRPC's health service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcHealthCheckConfig {
    /// Port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Service to ask about. Empty asks about the server.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
}
