//! C-REG-11: the registry: what a workload with ten selectors may have, among 100,000 entries of 100 agents.

use std::collections::BTreeSet;
use std::hint::black_box;

use benches::{Numbers, medians, ratio};
use mesh_ca::registry::{AttestedAgent, RegistrationEntry, Registry, Selector};
use mesh_ca::{SpiffeId, UnixTime};

pub(crate) fn run(full: bool) {
    let (entries, lookups): (usize, usize) = if full { (100_000, 20_000) } else { (1_000, 50) };
    let now = UnixTime::from_secs(1_800_000_000);
    let mut registry = Registry::new("example.org".parse().expect("a name"));
    let id = |path: String| -> SpiffeId { format!("spiffe://example.org{path}").parse().expect("an id") };
    let agent = |number: usize| id(format!("/spire/agent/{number}"));
    for number in 0..100 {
        registry.attest_agent(AttestedAgent {
            id: agent(number),
            selectors: BTreeSet::from([selector("node:pool", 1)]),
            expires_at: None,
            banned: false,
        });
    }
    // Half of the entries are below an alias that every node has, half below one agent each.
    let alias = RegistrationEntry::new(
        "alias",
        registry.server_id().expect("an id"),
        id("/pool".to_owned()),
    );
    registry
        .insert(alias.with_selector(selector("node:pool", 1)))
        .expect("an entry");
    for number in 0..entries {
        let parent = if number.is_multiple_of(2) {
            id("/pool".to_owned())
        } else {
            agent(number / 2 % 100)
        };
        let entry = RegistrationEntry::new(
            format!("{number:06}").as_str(),
            parent,
            id(format!("/w/{number}")),
        )
        .with_selector(selector("k8s:ns", number % 50))
        .with_selector(selector("k8s:sa", number));
        registry.insert(entry).expect("an entry");
    }
    let mut numbers = Numbers::new(3);
    let workloads: Vec<(SpiffeId, BTreeSet<Selector>)> = (0..lookups)
        .map(|_| {
            let number = numbers.below(entries);
            let mut attested: BTreeSet<Selector> =
                (0..8).map(|label| selector("k8s:pod-label:l", label)).collect();
            attested.insert(selector("k8s:ns", number % 50));
            attested.insert(selector("k8s:sa", number));
            let agent = if number.is_multiple_of(2) {
                agent(numbers.below(100))
            } else {
                agent(number / 2 % 100)
            };
            (agent, attested)
        })
        .collect();
    let [lookup] = medians(
        if full { 5 } else { 1 },
        lookups,
        [&mut || {
            for (agent, attested) in &workloads {
                assert_eq!(registry.matching(black_box(agent), attested, now).len(), 1);
            }
        }],
    );
    println!("registry: {entries} entries, one look-up {:.2} µs", lookup / 1e3);
    ratio(
        "ca/registry/lookup",
        lookup / 1e3,
        "<=50",
        format!("microseconds, {entries} entries, 10 selectors"),
    );
}

fn selector(kind: &str, number: usize) -> Selector {
    format!("{kind}:{number}").parse().expect("a selector")
}
