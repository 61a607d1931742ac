//! The plan of the worked example, and how tests look at what becomes of it.
#![allow(dead_code, reason = "each test takes what it needs")]

use mesh_route::plan::{Locality, TrafficPlan};
use mesh_route::{MeshSnapshot, Workload};
use mesh_xds::pb::Kind;
use mesh_xds::{Conversion, json};
use serde_json::Value;

const MESH: &str = include_str!("../worked_example.yaml");

/// The plan of a client beside the service.
pub(crate) fn plan() -> TrafficPlan {
    let decoded = mesh_api::decode("worked_example.yaml", MESH.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    assert_eq!(snapshot.findings(), []);
    let client = Workload::new("default".parse().unwrap()).with_locality(Locality::parse("r1/z1"));
    snapshot.plan_for(&client)
}

/// A resource as JSON.
pub(crate) fn resource(conversion: &Conversion, kind: Kind, name: &str) -> Value {
    let resource = conversion.resources().get(kind, name);
    json::resource_to_json(resource.unwrap_or_else(|| panic!("no {kind} {name}"))).unwrap()
}
