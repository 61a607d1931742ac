//! The choice of listener and filter chain (R-L4-7, R-L4-8).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use mesh_api::names::Text;

use super::request::{Destination, Request};
use crate::plan::{ChainMatch, FilterChain, Inspect, Listener, ListenerRole, TransportProtocol};
use crate::trace::ChainCriterion;

/// The listeners of a plan by port.
#[derive(Debug, Default)]
pub(super) struct ListenerIndex {
    by_port: HashMap<u16, Vec<Arc<Listener>>>,
    /// Takes what no other listener does.
    catch_all: Option<Arc<Listener>>,
}

impl ListenerIndex {
    /// Takes the listeners that requests from the workload, or into a gateway, arrive at.
    pub(super) fn new<'a>(listeners: impl Iterator<Item = &'a Arc<Listener>>) -> Self {
        let mut index = Self::default();
        for listener in listeners {
            match listener.role {
                ListenerRole::Outbound | ListenerRole::HttpProxy | ListenerRole::Gateway => {
                    index
                        .by_port
                        .entry(listener.bind.port)
                        .or_default()
                        .push(Arc::clone(listener));
                }
                ListenerRole::VirtualOutbound => index.catch_all = Some(Arc::clone(listener)),
                ListenerRole::VirtualInbound | ListenerRole::InboundPort => {}
            }
        }
        index
    }

    /// The listener of the address, else the one of all addresses on the port, else the one that takes the rest. Where
    /// the address is not known, the one of all addresses comes first, then one that `serves` the request.
    pub(super) fn find(&self, to: Destination, serves: impl Fn(&Listener) -> bool) -> Option<&Listener> {
        let on_port = self.by_port.get(&to.port).map_or(&[][..], Vec::as_slice);
        let wildcard = || on_port.iter().find(|listener| listener.bind.at.is_wildcard());
        let found = match to.address {
            Some(address) => on_port
                .iter()
                .find(|listener| binds(listener, address))
                .or_else(wildcard),
            None => wildcard()
                .or_else(|| on_port.iter().find(|listener| serves(listener)))
                .or(on_port.first()),
        };
        found.or(self.catch_all.as_ref()).map(AsRef::as_ref)
    }
}

fn binds(listener: &Listener, address: IpAddr) -> bool {
    match &listener.bind.at {
        crate::plan::BindAddress::Ip(addresses) => addresses.contains(&address),
        crate::plan::BindAddress::Uds(_) => false,
    }
}

/// What chains are chosen by.
pub(super) struct Connection<'r> {
    to: Destination,
    server_name: Option<&'r str>,
    transport: TransportProtocol,
    /// Of the client hello; plaintext HTTP is told apart by version, if the listener looks.
    alpn: &'r [String],
    plain_protocol: Option<&'static str>,
}

/// What was chosen.
pub(super) enum Chosen<'p> {
    Chain(&'p FilterChain),
    /// The listener's default chain.
    Default(&'p FilterChain),
    /// No chain takes the connection.
    None,
    /// A chain that would take it has conditions on the client's address, or foreign ones.
    Unknown(&'p FilterChain),
}

/// The stages, in order. A connection that a later stage does not take is not given back to an earlier one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Port,
    Destination,
    ServerName,
    Transport,
    Alpn,
}

const STAGES: [Stage; 5] = [
    Stage::Port,
    Stage::Destination,
    Stage::ServerName,
    Stage::Transport,
    Stage::Alpn,
];

impl<'r> Connection<'r> {
    /// What is known of the connection that `request` comes on, once `inspect` has looked at its first bytes.
    pub(super) fn new(request: &'r Request, inspect: &Inspect) -> Self {
        let hello = request.tls().filter(|_| inspect.tls);
        let plain = request.tls().is_none() && inspect.http;
        Self {
            to: request.destination(),
            server_name: hello.and_then(|hello| hello.server_name.as_deref()),
            transport: if hello.is_some() {
                TransportProtocol::Tls
            } else {
                TransportProtocol::RawBuffer
            },
            alpn: hello.map_or(&[], |hello| &hello.alpn),
            plain_protocol: plain.then_some(if request.is_http2() { "h2c" } else { "http/1.1" }),
        }
    }

    /// The chain of `listener` that takes the connection: stage by stage the most specific ones stay.
    pub(super) fn choose<'p>(&self, listener: &'p Listener) -> Chosen<'p> {
        let best = self.best(listener);
        let mut left = listener
            .chains
            .iter()
            .filter(|chain| self.lost_at(&chain.matching, &best).is_none());
        match left.next() {
            Some(chain) => match left.chain([chain]).find(|chain| has_unknown(&chain.matching)) {
                Some(unknown) => Chosen::Unknown(unknown),
                None => Chosen::Chain(chain),
            },
            None => listener
                .default_chain
                .as_deref()
                .map_or(Chosen::None, Chosen::Default),
        }
    }

    /// The best rank of each stage among the chains that earlier stages left.
    fn best(&self, listener: &Listener) -> Ranks {
        let mut best = [None; STAGES.len()];
        for (at, stage) in STAGES.iter().enumerate() {
            let known = best;
            let ranks = listener.chains.iter().filter_map(|chain| {
                let passes = STAGES
                    .iter()
                    .zip(known)
                    .take(at)
                    .all(|(s, b)| self.rank(&chain.matching, *s) == b);
                if passes {
                    self.rank(&chain.matching, *stage)
                } else {
                    None
                }
            });
            let highest = ranks.max();
            if let Some(slot) = best.get_mut(at) {
                *slot = highest;
            }
        }
        best
    }

    /// The first stage at which a chain falls behind.
    fn lost_at(&self, matching: &ChainMatch, best: &Ranks) -> Option<Stage> {
        let stages = STAGES.iter().zip(best);
        stages
            .map(|(stage, best)| (*stage, *best))
            .find_map(|(stage, best)| {
                let rank = self.rank(matching, stage);
                (rank.is_none() || rank != best).then_some(stage)
            })
    }

    /// How specifically a chain matches at a stage; 0: it has no such condition; `None`: it does not match.
    fn rank(&self, matching: &ChainMatch, stage: Stage) -> Option<usize> {
        match stage {
            Stage::Port => match matching.port {
                None => Some(0),
                Some(port) => (port == self.to.port).then_some(1),
            },
            Stage::Destination => match self.to.address {
                _ if matching.destinations.is_empty() => Some(0),
                None => Some(0), // not known: it does not tell chains apart
                Some(address) => {
                    let networks = matching
                        .destinations
                        .iter()
                        .filter(|network| network.contains(&address));
                    networks
                        .map(|network| usize::from(network.prefix_len()) + 1)
                        .max()
                }
            },
            Stage::ServerName => {
                let name = self.server_name.unwrap_or_default();
                let ranks = matching
                    .server_names
                    .iter()
                    .filter_map(|wanted| server_name_rank(wanted, name));
                if matching.server_names.is_empty() {
                    Some(0)
                } else {
                    ranks.max()
                }
            }
            Stage::Transport => match matching.transport {
                None => Some(0),
                Some(transport) => (transport == self.transport).then_some(1),
            },
            Stage::Alpn => {
                let offered = self.alpn.iter().map(String::as_str).chain(self.plain_protocol);
                let wanted = |offer: &str| matching.alpn.iter().any(|protocol| protocol.as_str() == offer);
                match matching.alpn.is_empty() {
                    true => Some(0),
                    // The client's first choice counts most.
                    false => offered
                        .enumerate()
                        .find(|(_, offer)| wanted(offer))
                        .map(|(at, _)| usize::MAX - at),
                }
            }
        }
    }

    /// What the chosen chain was chosen by.
    pub(super) fn criteria(&self, matching: &ChainMatch) -> Box<[ChainCriterion]> {
        let by = STAGES
            .into_iter()
            .filter(|stage| self.rank(matching, *stage).is_some_and(|rank| rank > 0));
        by.map(|stage| self.criterion(stage)).collect()
    }

    /// The chains that were not chosen, and where they lost.
    pub(super) fn losers<'p>(&self, listener: &'p Listener) -> Vec<(&'p FilterChain, ChainCriterion)> {
        let best = self.best(listener);
        let chains = listener.chains.iter();
        chains
            .filter_map(|chain| Some((&**chain, self.criterion(self.lost_at(&chain.matching, &best)?))))
            .collect()
    }

    fn criterion(&self, stage: Stage) -> ChainCriterion {
        match stage {
            Stage::Port => ChainCriterion::Port(self.to.port),
            Stage::Destination => {
                ChainCriterion::Destination(self.to.address.unwrap_or(IpAddr::from([0, 0, 0, 0])))
            }
            Stage::ServerName => ChainCriterion::ServerName(Text::new(self.server_name.unwrap_or_default())),
            Stage::Transport => ChainCriterion::Transport(self.transport.as_str()),
            Stage::Alpn => {
                let offered = self.alpn.iter().map(String::as_str).chain(self.plain_protocol);
                ChainCriterion::Alpn(offered.map(Text::new).collect())
            }
        }
    }
}

type Ranks = [Option<usize>; STAGES.len()];

/// Exact before wildcards, longer wildcards before shorter ones. `*.a` takes one label or more before `a`.
fn server_name_rank(wanted: &str, name: &str) -> Option<usize> {
    match wanted.strip_prefix('*') {
        Some(suffix) => {
            let head = name.len().checked_sub(suffix.len()).filter(|head| *head > 0)?;
            name.get(head..)?
                .eq_ignore_ascii_case(suffix)
                .then_some(suffix.len() + 1)
        }
        None => wanted.eq_ignore_ascii_case(name).then_some(usize::MAX),
    }
}

fn has_unknown(matching: &ChainMatch) -> bool {
    let foreign = matching.foreign.as_ref();
    !matching.sources.is_empty()
        || !matching.source_ports.is_empty()
        || foreign.is_some_and(|parts| parts.effect == crate::plan::ForeignEffect::Condition)
}
