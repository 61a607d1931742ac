//! Which clusters the virtual hosts of a sidecar's route table lead to.

use mesh_route::plan::{Action, RouteTable, VirtualHost};
use serde_json::{Value, json};

use super::scene::Scene;
use crate::corpus::answer::{NoAnswer, same};
use crate::corpus::{Area, AreaReport, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    let verdict = match Scene::read(area, case) {
        Ok(scene) => compare(&scene, case.expect()),
        Err(NoAnswer::Refused(why)) => Verdict::Failed(why),
        Err(NoAnswer::Unsupported(why)) => return Verdict::Unsupported(why),
    };
    report.count("sidecar-routes without Gateway API", verdict == Verdict::Passed);
    verdict
}

fn compare(scene: &Scene, expect: &Value) -> Verdict {
    let expected = expect.as_object().into_iter().flatten();
    if let Some((key, _)) = expected
        .into_iter()
        .find(|(key, _)| !["routeConfig", "virtualHosts"].contains(&key.as_str()))
    {
        return Verdict::Unsupported(format!("the runner does not know the expectation `{key}`"));
    }
    let Some(hosts) = expect["virtualHosts"]
        .as_object()
        .filter(|hosts| !hosts.is_empty())
    else {
        return Verdict::Unsupported("`virtualHosts` asserts nothing".to_owned());
    };
    let wanted = expect["routeConfig"].as_str().unwrap_or_default();
    let tables = &scene.router.plan().route_tables;
    let Some((_, table)) = tables.iter().find(|(name, _)| name.to_string() == wanted) else {
        return Verdict::Failed(format!("routeConfig: there is no table `{wanted}`"));
    };
    for (name, clusters) in hosts {
        let found = table_host(table, name).map_or(Value::Null, |host| json!(clusters_of(host)));
        // Null says that there is no such virtual host, which differs from one without clusters.
        if clusters.is_null() != found.is_null() || !same(clusters, &found) {
            return Verdict::Failed(format!("{name}: expected {clusters}, found {found}"));
        }
    }
    Verdict::Passed
}

/// The virtual host that serves a name: one of its domains is the name.
fn table_host<'p>(table: &'p RouteTable, name: &str) -> Option<&'p VirtualHost> {
    let mut hosts = table.virtual_hosts().map(AsRef::as_ref);
    hosts.find(|host| host.domains.iter().any(|domain| domain.text.as_str() == name))
}

fn clusters_of(host: &VirtualHost) -> Vec<String> {
    let actions = host.routes.iter().map(|route| &route.action);
    let forwards = actions.filter_map(|action| match action {
        Action::Forward(forward) => Some(forward),
        Action::Redirect(_)
        | Action::Respond(_)
        | Action::NonForwarding
        | Action::Nothing
        | Action::Foreign(_) => None,
    });
    forwards
        .flat_map(|forward| forward.split.clusters())
        .map(ToString::to_string)
        .collect()
}
