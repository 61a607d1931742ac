//! Who may have sent a request: found out from its host, when the user does not say.

use std::collections::{BTreeMap, BTreeSet};

use examples::nearest;
use mesh_api::names::Host;
use mesh_api::networking::Gateway;
use mesh_api::{Object, ObjectSet};

use crate::answer::Client;
use crate::args;

/// The DNS domain of the cluster that short names are completed with.
const DOMAIN: &str = "cluster.local";

/// The clients to ask for, or why there is none, with what to do about it.
pub(crate) fn clients_of(
    asked: &args::Client,
    objects: &ObjectSet,
    host: &str,
    port: u16,
) -> Result<Vec<Client>, String> {
    match asked {
        args::Client::Workload { namespace, labels } => Ok(vec![Client::Workload {
            namespace: namespace.clone(),
            labels: labels.clone(),
        }]),
        args::Client::Gateway { namespace, name } => match gateway(objects, namespace, name) {
            Some(_) => Ok(vec![Client::Gateway {
                namespace: namespace.clone(),
                name: name.clone(),
            }]),
            None => Err(no_gateway(objects, namespace, name)),
        },
        args::Client::Inferred => inferred(objects, host, port),
    }
}

/// The Gateway of that name.
pub(crate) fn gateway<'a>(
    objects: &'a ObjectSet,
    namespace: &str,
    name: &str,
) -> Option<&'a Object<Gateway>> {
    objects.object::<Gateway>(namespace, name).map(AsRef::as_ref)
}

/// What may have been meant, when `host` is known to nobody that `client` can reach.
pub(crate) fn host_hint(objects: &ObjectSet, client: &Client, host: &str) -> Option<String> {
    let known = match client {
        Client::Gateway { .. } => gateway_hosts(objects),
        Client::Workload { .. } => service_names(objects).into_keys().collect(),
    };
    if known.contains(host) {
        return None;
    }
    let near = nearest(host, known.iter().map(String::as_str))?;
    Some(format!("nothing is called `{host}`: did you mean `{near}`?"))
}

/// What a workload's namespace may have been meant to be.
pub(crate) fn namespace_hint(objects: &ObjectSet, client: &Client) -> Option<String> {
    let Client::Workload { namespace, .. } = client else {
        return None;
    };
    let known: BTreeSet<String> = objects
        .iter()
        .map(|(key, _)| {
            if key.kind == mesh_api::Kind::Namespace {
                key.name.to_string()
            } else {
                key.namespace.to_string()
            }
        })
        .filter(|name| !name.is_empty())
        .collect();
    if known.contains(namespace) {
        return None;
    }
    let near = nearest(namespace, known.iter().map(String::as_str));
    let meant = near
        .map(|near| format!(": did you mean `{near}`?"))
        .unwrap_or_default();
    Some(format!("no object is in a namespace `{namespace}`{meant}"))
}

/// Every host that can be asked for: those of gateways, then those of services.
pub(crate) fn known_hosts(objects: &ObjectSet) -> (BTreeSet<String>, BTreeSet<String>) {
    let services = objects
        .services()
        .map(|service| format!("{}.{}", service.meta.name, service.meta.namespace));
    let entries = objects
        .service_entries()
        .flat_map(|entry| entry.spec.hosts.iter().map(ToString::to_string));
    (gateway_hosts(objects), services.chain(entries).collect())
}

/// Every gateway that serves the host, else the namespaces of the services of that name.
fn inferred(objects: &ObjectSet, host: &str, port: u16) -> Result<Vec<Client>, String> {
    let serving = |any_port: bool| -> Vec<Client> {
        let serves = |gateway: &&std::sync::Arc<Object<Gateway>>| {
            gateway.spec.servers.iter().any(|server| {
                let on_port = server
                    .port
                    .as_ref()
                    .is_some_and(|it| it.number == u32::from(port));
                (any_port || on_port) && server.hosts.iter().any(|pattern| serves_host(pattern, host))
            })
        };
        let client = |gateway: &std::sync::Arc<Object<Gateway>>| Client::Gateway {
            namespace: gateway.meta.namespace.to_string(),
            name: gateway.meta.name.to_string(),
        };
        objects.gateways().filter(serves).map(client).collect()
    };
    for any_port in [false, true] {
        let gateways = serving(any_port);
        if !gateways.is_empty() {
            return Ok(gateways);
        }
    }
    let services = service_names(objects);
    // A name of its own comes before the wildcard of a ServiceEntry.
    let by_wildcard = || {
        services
            .iter()
            .find(|(name, _)| serves_host(name, host))
            .map(|(_, namespaces)| namespaces)
    };
    match services.get(host).or_else(by_wildcard) {
        Some(namespaces) => Ok(namespaces
            .iter()
            .map(|namespace| Client::Workload {
                namespace: namespace.clone(),
                labels: BTreeMap::new(),
            })
            .collect()),
        None => Err(nobody(objects, &services, host)),
    }
}

/// Whether a host of a Gateway server, `namespace/host` or a host, takes the host of a request.
pub(crate) fn serves_host(pattern: &str, host: &str) -> bool {
    let pattern = pattern
        .rsplit_once('/')
        .map_or(pattern, |(_, host)| host)
        .to_lowercase();
    Host::new(host).is_subset_of(&Host::new(pattern))
}

/// The names under which services are known, with the namespaces that have one of that name. A short name is known to
/// its own namespace; it is listed since a user may well ask for it without saying where from.
fn service_names(objects: &ObjectSet) -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |name: String, namespace: &str| {
        names
            .entry(name.to_lowercase())
            .or_default()
            .insert(namespace.to_owned());
    };
    for service in objects.services() {
        let (name, namespace) = (&service.meta.name, service.meta.namespace.as_str());
        add(name.to_string(), namespace);
        for suffix in ["", ".svc", ".svc.cluster.local"] {
            add(format!("{name}.{namespace}{suffix}"), namespace);
        }
    }
    for entry in objects.service_entries() {
        entry
            .spec
            .hosts
            .iter()
            .for_each(|host| add(host.to_string(), entry.meta.namespace.as_str()));
    }
    for service in objects.virtual_services() {
        let for_mesh =
            service.spec.gateways.is_empty() || service.spec.gateways.iter().any(|it| it.as_str() == "mesh");
        let namespace = service.meta.namespace.as_str();
        for host in service.spec.hosts.iter().filter(|_| for_mesh) {
            add(host.to_string(), namespace);
            add(
                Host::new(host.as_str()).resolve(namespace, DOMAIN).to_string(),
                namespace,
            );
        }
    }
    names
}

fn gateway_hosts(objects: &ObjectSet) -> BTreeSet<String> {
    let hosts = objects
        .gateways()
        .flat_map(|gateway| gateway.spec.servers.iter().flat_map(|server| &server.hosts));
    hosts
        .map(|host| {
            host.rsplit_once('/')
                .map_or(host.as_str(), |(_, host)| host)
                .to_lowercase()
        })
        .collect()
}

fn nobody(objects: &ObjectSet, services: &BTreeMap<String, BTreeSet<String>>, host: &str) -> String {
    let gateways = gateway_hosts(objects);
    let known = gateways.iter().chain(services.keys()).map(String::as_str);
    let meant = match nearest(host, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if services.is_empty() && gateways.is_empty() => "no object names a host".to_owned(),
        None => "see the hosts that there are by leaving the URL out".to_owned(),
    };
    format!(
        "no gateway serves the host `{host}` and no service has it: {meant} (--from NAMESPACE asks all the same)"
    )
}

fn no_gateway(objects: &ObjectSet, namespace: &str, name: &str) -> String {
    let known: Vec<String> = objects
        .gateways()
        .map(|gateway| format!("{}/{}", gateway.meta.namespace, gateway.meta.name))
        .collect();
    let wanted = format!("{namespace}/{name}");
    match (
        nearest(&wanted, known.iter().map(String::as_str)),
        known.is_empty(),
    ) {
        (Some(near), _) => format!("no Gateway `{wanted}`: did you mean `{near}`?"),
        (None, false) => format!("no Gateway `{wanted}`; there are: {}", known.join(", ")),
        (None, true) => format!("no Gateway `{wanted}`: there is no Gateway at all"),
    }
}
