//! Whether a real Envoy, fed with a converted plan, does what the router says of the same plan. Source: X-REAL-18.
//!
//! ```text
//! Mesh ─▶ plan ─▶ Router ──────────────▶ Decision ─┐
//!          └────▶ mesh_xds::convert ─▶ Envoy ─▶ answer and what upstreams saw ─▶ compared
//! ```
//!
//! A pair is a mesh and a request. Compared are the cluster (of weighted ones: that it is one that a draw can give), path,
//! host and touched headers as the upstream sees them, touched headers of the response, and what the proxy answers by
//! itself: status, location, body.

mod compare;
mod sample;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use mesh_route::{Outcome, Router};
use mesh_xds::{Profile, convert};

pub use compare::differs;
pub use sample::{Sample, sample};

use crate::envoy::{Converted, EchoPool, Envoy, Loopback};
use crate::generate::{Client, GeneratedRequest, Mesh};

/// What kind of answer a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// From an upstream.
    Forward,
    /// From whatever the client wanted to reach.
    PassThrough,
    /// A redirect.
    Redirect,
    /// A direct response.
    Respond,
    /// An injected fault.
    Fault,
    /// 404.
    NotFound,
    /// 503 or 500: nobody is where the route leads.
    Unavailable,
    /// 400.
    Rejected,
}

impl Class {
    /// All classes, with the share of a sample that each has, in per cent (DESIGN 8).
    pub const SHARES: [(Self, usize); 8] = [
        (Self::Forward, 42),
        (Self::Unavailable, 8),
        (Self::PassThrough, 10),
        (Self::Redirect, 10),
        (Self::Respond, 10),
        (Self::Fault, 10),
        (Self::NotFound, 8),
        (Self::Rejected, 2),
    ];

    /// The class of an outcome; `None` for what no request to a listener on loopback can show.
    pub fn of(outcome: &Outcome<'_>) -> Option<Self> {
        match outcome {
            Outcome::Forward(_) => Some(Self::Forward),
            Outcome::PassThrough(_) => Some(Self::PassThrough),
            Outcome::Redirect(_) => Some(Self::Redirect),
            Outcome::Respond(_) => Some(Self::Respond),
            Outcome::Fault(_) => Some(Self::Fault),
            Outcome::NotFound(_) => Some(Self::NotFound),
            Outcome::Unavailable(_) => Some(Self::Unavailable),
            Outcome::Rejected(_) => Some(Self::Rejected),
            _ => None,
        }
    }
}

/// A pair on which Envoy and the router differ.
#[derive(Debug)]
pub struct Disagreement {
    /// The number of the mesh in the sample.
    pub mesh: usize,
    /// The request.
    pub request: GeneratedRequest,
    /// What differs.
    pub why: String,
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Tally {
    /// Pairs that agree, by class.
    pub agreed: BTreeMap<Class, usize>,
    /// Pairs that do not.
    pub disagreements: Vec<Disagreement>,
}

impl Tally {
    /// The number of pairs that agree.
    pub fn total(&self) -> usize {
        self.agreed.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agreement pairs={}", self.total() + self.disagreements.len())?;
        write!(
            f,
            " agreed={} disagreed={}",
            self.total(),
            self.disagreements.len()
        )?;
        self.agreed
            .iter()
            .try_for_each(|(class, count)| write!(f, " {class:?}={count}"))
    }
}

/// Sends the requests of `samples` through Envoy, all proxies in one process, and compares.
///
/// # Errors
/// When a plan cannot be converted or put on loopback, Envoy does not start or refuses what was made, or does not answer.
pub fn run(program: &Path, samples: &[Sample]) -> Result<Tally, Box<dyn std::error::Error>> {
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    for sample in samples {
        for (client, router) in &sample.routers {
            let conversion = convert(router.plan(), Profile::UpstreamEnvoy);
            let name = proxy_name(sample.number, *client);
            let converted = Converted::of(&name, conversion.resources());
            loopback.add(&converted.map_err(|error| format!("{name}: {error}"))?)?;
        }
    }
    let bootstrap = loopback.bootstrap();
    let envoy = Envoy::start(program, &bootstrap)?;
    let mut tally = Tally::default();
    for sample in samples {
        for request in &sample.requests {
            match ask(&envoy, sample, request)? {
                Ok(class) => *tally.agreed.entry(class).or_default() += 1,
                Err(why) => tally.disagreements.push(Disagreement {
                    mesh: sample.number,
                    request: request.clone(),
                    why,
                }),
            }
        }
    }
    Ok(tally)
}

const ANSWER: Duration = Duration::from_secs(20);

/// One request: its class, or what differs.
fn ask(
    envoy: &Envoy,
    sample: &Sample,
    request: &GeneratedRequest,
) -> Result<Result<Class, String>, Box<dyn std::error::Error>> {
    let router = sample.router(request.client);
    let decided = request.to_request();
    let decision = router.decide(&decided);
    let (Some(listener), Some(class)) = (decision.listener, Class::of(decision.outcome())) else {
        return Err(format!("{request:?} cannot be compared: {decision:?}").into());
    };
    let proxy = proxy_name(sample.number, request.client);
    let name = Loopback::listener_name(&proxy, &listener.name.to_string());
    let address = envoy
        .listener(&name)
        .ok_or_else(|| format!("Envoy has no listener `{name}`"))?;
    let started = Instant::now();
    let response = request.to_raw().send(address, ANSWER)?;
    Ok(
        match differs(router, &proxy, &decided, &response, started.elapsed()) {
            None => Ok(class),
            Some(why) => Err(why),
        },
    )
}

fn proxy_name(mesh: usize, client: Client) -> String {
    match client {
        Client::Sidecar => format!("sidecar-{mesh}"),
        Client::Gateway => format!("gateway-{mesh}"),
    }
}

impl Sample {
    fn router(&self, client: Client) -> &Router {
        let found = self.routers.iter().find(|(own, _)| *own == client);
        &found.unwrap_or(&self.routers[0]).1
    }

    /// The number of the mesh.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }
}
