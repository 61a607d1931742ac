//! A sample of pairs with a share of every class.

use std::collections::BTreeMap;

use mesh_route::Router;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::Class;
use crate::generate::{Client, GeneratedRequest, Mesh, mesh, requests};

/// A mesh, its proxies, and requests to them.
pub struct Sample {
    /// Tells it from others.
    pub(super) number: usize,
    pub(super) mesh: Mesh,
    pub(super) routers: [(Client, Router); 2],
    pub(super) requests: Vec<GeneratedRequest>,
}

/// Requests that are drawn for each mesh.
const DRAWS: usize = 60;
/// Of one class at one mesh, so that a sample has many meshes.
const PER_MESH: usize = 6;

/// About `pairs` pairs, in the shares of [`Class::SHARES`]; fewer where `meshes` meshes do not give as many.
pub fn sample(pairs: usize, meshes: usize, seed: u64) -> Vec<Sample> {
    let mut left: BTreeMap<Class, usize> = Class::SHARES
        .iter()
        .map(|(class, share)| (*class, (pairs * share).div_ceil(100)))
        .collect();
    let mut runner = runner(seed);
    let mut samples = Vec::new();
    for number in 0..meshes {
        if left.values().all(|left| *left == 0) {
            break;
        }
        let mesh = current(&mesh(), &mut runner);
        let snapshot = mesh.snapshot();
        let routers = Client::ALL.map(|client| (client, snapshot.router_for(&client.workload())));
        let strategy = requests(&mesh);
        let mut sample = Sample {
            number,
            mesh,
            routers,
            requests: Vec::new(),
        };
        let mut taken: BTreeMap<Class, usize> = BTreeMap::new();
        for _ in 0..DRAWS {
            let request = current(&strategy, &mut runner);
            let Some(class) = class_of(&sample, &request) else {
                continue;
            };
            let (left, taken) = (left.entry(class).or_default(), taken.entry(class).or_default());
            if *left > 0 && *taken < PER_MESH && !sample.requests.contains(&request) {
                *left -= 1;
                *taken += 1;
                sample.requests.push(request);
            }
        }
        if !sample.requests.is_empty() {
            samples.push(sample);
        }
    }
    samples
}

/// The class by the router's word; `None` where there is no listener to send the request to.
fn class_of(sample: &Sample, request: &GeneratedRequest) -> Option<Class> {
    let decided = request.to_request();
    let decision = sample.router(request.client).decide(&decided);
    decision.listener?;
    Class::of(decision.outcome())
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

/// # Panics
/// When a strategy rejects everything, which those of `generate` never do: they filter nothing.
fn current<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy
        .new_tree(runner)
        .expect("strategies filter nothing")
        .current()
}
