//! What the strategies give: valid meshes, and requests that mostly arrive.

use std::collections::BTreeMap;

use mesh_api::Profile;
use mesh_api::validate::{ValidateOptions, validate_all};
use mesh_route::Outcome;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use testkit::generate::{Client, Mesh, mesh, requests};

fn runner(seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

fn current<T>(strategy: impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy.new_tree(runner).unwrap().current()
}

fn meshes(seed: u8, count: usize) -> (Vec<Mesh>, TestRunner) {
    let mut runner = runner(seed);
    let meshes = (0..count).map(|_| current(mesh(), &mut runner)).collect();
    (meshes, runner)
}

#[test]
fn meshes_are_valid() {
    for mesh in meshes(1, 300).0 {
        let report = validate_all(&mesh.objects, &ValidateOptions::new(Profile::Istiod));
        if let Some(error) = report.errors().next() {
            panic!("{error}\n{}", mesh.describe());
        }
    }
}

/// DESIGN 8: random meshes whose requests mostly miss prove little.
#[test]
fn half_of_the_requests_arrive_and_every_other_outcome_occurs() {
    let (meshes, mut runner) = meshes(2, 200);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut total = 0;
    for mesh in &meshes {
        let snapshot = mesh.snapshot();
        let routers = Client::ALL.map(|client| (client, snapshot.router_for(&client.workload())));
        let requests = requests(mesh);
        for _ in 0..50 {
            let request = current(&requests, &mut runner);
            let (_, router) = &routers[request.client as usize];
            let decided = request.to_request();
            let name = match router.decide(&decided).outcome() {
                Outcome::Forward(_) => "forward",
                Outcome::PassThrough(_) => "pass through",
                Outcome::Redirect(_) => "redirect",
                Outcome::Respond(_) => "respond",
                Outcome::Fault(_) => "fault",
                Outcome::NotFound(_) => "not found",
                Outcome::Unavailable(_) => "unavailable",
                Outcome::Rejected(_) => "rejected",
                Outcome::Closed => "closed",
                other => panic!("{other:?} of {request:?}"),
            };
            *counts.entry(name).or_default() += 1;
            total += 1;
        }
    }
    println!("{counts:?} of {total}");
    let share = |name: &str| 100 * counts.get(name).copied().unwrap_or_default() / total;
    assert!(share("forward") >= 50, "{counts:?}");
    for name in [
        "redirect",
        "respond",
        "fault",
        "not found",
        "unavailable",
        "pass through",
    ] {
        assert!(share(name) >= 2, "{name}: {counts:?}");
    }
}

/// The same seed gives the same meshes, so that a report of a disagreement can be looked into.
#[test]
fn a_seed_gives_the_same_meshes() {
    let text = || meshes(3, 5).0.iter().map(Mesh::describe).collect::<Vec<_>>();
    assert_eq!(text(), text());
}
