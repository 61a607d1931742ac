//! Parts that come out equal are shared between plans, and sharing never changes a plan (PLAN 7, 17.4).

use std::sync::Arc;

use mesh_api::kubernetes::{Service, ServicePort};
use mesh_api::networking::{Destination, HttpRoute, HttpRouteDestination, VirtualService};
use mesh_api::{Object, ObjectMeta, ObjectSet};
use mesh_route::plan::{RouteTableName, TrafficPlan};
use mesh_route::{MeshSnapshot, Workload};
use proptest::prelude::*;

fn service(at: usize) -> Object<Service> {
    let mut service = Service::default();
    service.spec.cluster_ip = format!("10.{}.{}.{}", at / 65_536, at / 256 % 256, at % 256);
    service.spec.ports = vec![ServicePort {
        name: "http".into(),
        port: 80,
        ..ServicePort::default()
    }];
    Object::new(ObjectMeta::new(format!("s{at:05}"), "shop"), service)
}

fn virtual_service(at: usize, target: usize, timeout_secs: i64) -> Object<VirtualService> {
    let destination = Destination {
        host: format!("s{target:05}"),
        ..Destination::default()
    };
    let route = HttpRoute {
        route: vec![HttpRouteDestination {
            destination: Some(destination),
            ..HttpRouteDestination::default()
        }],
        timeout: (timeout_secs > 0).then(|| mesh_api::scalar::Duration::from_secs(timeout_secs)),
        ..HttpRoute::default()
    };
    let spec = VirtualService {
        hosts: vec![format!("s{at:05}")],
        http: vec![route],
        ..VirtualService::default()
    };
    Object::new(ObjectMeta::new(format!("s{at:05}"), "shop"), spec)
}

fn mesh(hosts: usize) -> ObjectSet {
    let mut objects = ObjectSet::new();
    for at in 0..hosts {
        objects.insert(service(at));
        objects.insert(virtual_service(at, at, 0));
    }
    objects
}

fn client() -> Workload {
    Workload::new("shop".parse().expect("a namespace"))
}

/// Virtual hosts of the table of port 80: how many of the new plan are the very ones of the old.
fn shared_hosts(old: &TrafficPlan, new: &TrafficPlan) -> (usize, usize) {
    let name = RouteTableName::Port(80);
    let old = &old.route_tables.get(&name).expect("a table").hosts;
    let new = &new.route_tables.get(&name).expect("a table").hosts;
    let shared = new
        .iter()
        .filter(|(key, host)| old.get(*key).is_some_and(|held| Arc::ptr_eq(held, host)));
    (shared.count(), new.len())
}

#[test]
fn one_edit_of_ten_thousand_rebuilds_one_body() {
    const HOSTS: usize = 10_000;
    let mut objects = mesh(HOSTS);
    let before = MeshSnapshot::build(&objects).plan_for(&client());
    objects.insert(virtual_service(1234, 1234, 3));
    let snapshot = MeshSnapshot::build(&objects);
    let after = snapshot.plan_after(&client(), &before);

    assert_eq!(shared_hosts(&before, &after), (HOSTS - 1, HOSTS));
    assert!(after.clusters.ptr_eq(&before.clusters), "no cluster changed");
    assert!(after.endpoints.ptr_eq(&before.endpoints), "no endpoint changed");
    assert!(after.listeners.ptr_eq(&before.listeners), "no listener changed");
    let fresh = snapshot.plan_for(&client());
    assert!(after == fresh, "sharing never changes a plan");
    assert!(after != before);
}

#[test]
fn the_same_objects_share_everything() {
    let objects = mesh(300);
    let before = MeshSnapshot::build(&objects).plan_for(&client());
    let after = MeshSnapshot::build(&objects).plan_after(&client(), &before);
    assert!(after.route_tables.ptr_eq(&before.route_tables));
    assert!(after.clusters.ptr_eq(&before.clusters));
    assert!(Arc::ptr_eq(&after.proxy, &before.proxy));
}

#[derive(Clone, Copy, Debug)]
enum Edit {
    Route { at: usize, to: usize, timeout: i64 },
    DropRule(usize),
    AddService(usize),
    DropService(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..40_usize;
    prop_oneof![
        (at.clone(), at.clone(), 0..3_i64).prop_map(|(at, to, timeout)| Edit::Route { at, to, timeout }),
        at.clone().prop_map(Edit::DropRule),
        at.clone().prop_map(Edit::AddService),
        at.prop_map(Edit::DropService),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// PLAN 17.4: an update equals a fresh build, whatever was edited before.
    #[test]
    fn a_plan_after_edits_equals_a_fresh_one(edits in prop::collection::vec(edit(), 1..12)) {
        let mut objects = mesh(30);
        let mut plan = MeshSnapshot::build(&objects).plan_for(&client());
        for edit in edits {
            match edit {
                Edit::Route { at, to, timeout } => drop(objects.insert(virtual_service(at, to, timeout))),
                Edit::DropRule(at) => drop(objects.remove(&virtual_service(at, 0, 0).key())),
                Edit::AddService(at) => drop(objects.insert(service(at))),
                Edit::DropService(at) => drop(objects.remove(&service(at).key())),
            }
            let snapshot = MeshSnapshot::build(&objects);
            plan = snapshot.plan_after(&client(), &plan);
            prop_assert!(plan == snapshot.plan_for(&client()));
        }
    }
}
