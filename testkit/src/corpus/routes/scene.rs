//! What a case of traffic is about: the mesh of its files, and the proxy.

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Labels, Namespace, Text};
use mesh_api::{DecodeOptions, ObjectSet, Profile};
use mesh_route::{MeshSnapshot, Router, SnapshotOptions, Workload};
use serde_json::Value;

use crate::corpus::answer::{Given, NoAnswer, typed};
use crate::corpus::{Area, Case};

/// A mesh and a proxy in it.
pub(super) struct Scene {
    pub(super) router: Router,
}

impl Scene {
    /// Reads the files by their ending (`.mesh.yaml`: mesh configuration, the rest: objects), and compiles the proxy.
    pub(super) fn read(area: &Area, case: &Case) -> Result<Self, NoAnswer> {
        if !case.value["features"].is_null() {
            let features = &case.value["features"];
            return Err(NoAnswer::Unsupported(format!(
                "{features}: switches of istiod are no inputs of this API"
            )));
        }
        let mut objects = ObjectSet::new();
        let mut options = SnapshotOptions::default();
        for input in &case.inputs {
            let bytes = area
                .file(input)
                .map_err(|error| NoAnswer::Refused(error.to_string()))?;
            if input.ends_with(".mesh.yaml") {
                options.mesh = mesh_config(input, &bytes)?;
            } else {
                add_objects(&mut objects, input, &bytes)?;
            }
        }
        // The source reads Istio resources without a DNS domain, so that `a` becomes `a.default`; what Kubernetes declares
        // lies in `cluster.local`.
        if !case.inputs.iter().any(|input| input.ends_with(".k8s.yaml")) && case.kind == "simulation" {
            options.domain = Text::default();
        }
        let workload = workload(&case.value["proxy"])?;
        let snapshot = MeshSnapshot::build_with(&objects, options);
        Ok(Self {
            router: snapshot.router_for(&workload),
        })
    }
}

fn mesh_config(name: &str, bytes: &[u8]) -> Result<MeshConfig, NoAnswer> {
    let (mesh, report) = mesh_api::decode_mesh_config(name, bytes);
    match report.errors().next() {
        Some(error) => Err(NoAnswer::Refused(format!("mesh configuration: {error}"))),
        None => Ok(mesh),
    }
}

fn add_objects(objects: &mut ObjectSet, name: &str, bytes: &[u8]) -> Result<(), NoAnswer> {
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let decoded = mesh_api::decode_with(name, bytes, &options);
    if let Some(error) = decoded.report().errors().next() {
        return Err(NoAnswer::Refused(error.to_string()));
    }
    let opaque = decoded
        .objects()
        .iter()
        .map(|(key, _)| &key.kind)
        .find(|kind| kind.group() == "gateway.networking.k8s.io");
    if let Some(kind) = opaque {
        return Err(NoAnswer::Unsupported(format!(
            "{}: Gateway API kinds are carried as opaque objects",
            kind.name()
        )));
    }
    if let Some(key) = objects.extend(decoded.objects()).first() {
        return Err(NoAnswer::Refused(format!("{key} is defined twice")));
    }
    Ok(())
}

/// The proxy, over the defaults of the corpus. What it says and is no input here makes the case unsupported.
fn workload(proxy: &Value) -> Result<Workload, NoAnswer> {
    let proxy = Given::new(proxy);
    let metadata = Given::new(proxy.value("metadata"));
    let namespace = match (proxy.text("configNamespace")?, metadata.text("Namespace")?) {
        ("", "") => "default",
        ("", namespace) | (namespace, _) => namespace,
    };
    let namespace = Namespace::new(namespace);
    let workload = match proxy.text("type")? {
        "" | "sidecar" => Workload::new(namespace),
        "router" => Workload::gateway(namespace),
        other => {
            return Err(NoAnswer::Unsupported(format!(
                "there are no proxies of type `{other}` here"
            )));
        }
    };
    let labels: Labels = match proxy.value("labels") {
        Value::Null => metadata.typed("Labels")?,
        labels => typed("labels", labels)?,
    };
    metadata.value("Labels");
    let addresses = match proxy.value("ipAddresses") {
        Value::Null => vec![std::net::IpAddr::from([1, 1, 1, 1])],
        addresses => typed("ipAddresses", addresses)?,
    };
    for arguments in [&proxy, &metadata] {
        if let Some(key) = arguments.unread() {
            return Err(NoAnswer::Unsupported(format!(
                "`{key}` of the proxy is no input here"
            )));
        }
    }
    Ok(workload.with_labels(labels).with_addresses(addresses))
}
