//! The fields of the models against the committed list of the API's fields.

use std::collections::BTreeSet;

use mesh_api::extensions::{TrafficExtension, WasmPlugin};
use mesh_api::mesh::{MeshConfig, MeshNetworks};
use mesh_api::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use mesh_api::operator::IstioOperator;
use mesh_api::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use mesh_api::telemetry::Telemetry;

use crate::probe::{Messages, messages_of};

const INVENTORY: &str = include_str!("inventory.txt");

#[test]
fn models_have_the_fields_of_the_api() {
    // A-TYP-1
    let mut messages = Messages::new();
    messages_of::<VirtualService>(&mut messages);
    messages_of::<DestinationRule>(&mut messages);
    messages_of::<Gateway>(&mut messages);
    messages_of::<ServiceEntry>(&mut messages);
    messages_of::<Sidecar>(&mut messages);
    messages_of::<WorkloadEntry>(&mut messages);
    messages_of::<WorkloadGroup>(&mut messages);
    messages_of::<EnvoyFilter>(&mut messages);
    messages_of::<ProxyConfig>(&mut messages);
    messages_of::<AuthorizationPolicy>(&mut messages);
    messages_of::<PeerAuthentication>(&mut messages);
    messages_of::<RequestAuthentication>(&mut messages);
    messages_of::<Telemetry>(&mut messages);
    messages_of::<WasmPlugin>(&mut messages);
    messages_of::<TrafficExtension>(&mut messages);
    messages_of::<MeshConfig>(&mut messages);
    messages_of::<MeshNetworks>(&mut messages);
    messages_of::<IstioOperator>(&mut messages);

    let models: BTreeSet<String> = messages
        .iter()
        .map(|(name, fields)| format!("{name}\n  {}", fields.join("\n  ")).trim_end().to_owned())
        .collect();
    let listed: BTreeSet<String> = INVENTORY
        .split("\n\n")
        .filter(|block| !block.starts_with('#'))
        .map(|block| without_package(block.trim_end()))
        .collect();

    let missing: Vec<&String> = listed.difference(&models).collect();
    let surplus: Vec<&String> = models.difference(&listed).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "only listed: {missing:#?}\nonly in the models: {surplus:#?}"
    );
    assert!(listed.len() >= 200, "the list was read: {}", listed.len());
}

/// The list tells messages of one name apart by a package, serde does not.
fn without_package(block: &str) -> String {
    block
        .replace("type.", "")
        .replace("mesh.", "")
        .replace("telemetry.", "")
}
