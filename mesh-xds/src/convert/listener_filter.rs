//! Listener filters: what is read of a connection before a chain is chosen (X-LDS-16, X-IL-10, X-GW-6).

use std::collections::BTreeMap;

use mesh_route::plan::{
    Capture, ChainMatch, FilterChain, Inspect, Listener, ListenerRole, TransportProtocol,
};
use prost::Name;

use crate::pb::envoy::config::listener::v3::listener_filter::ConfigType;
use crate::pb::envoy::config::listener::v3::listener_filter_chain_match_predicate::{MatchSet, Rule};
use crate::pb::envoy::config::listener::v3::{
    ListenerFilter, ListenerFilterChainMatchPredicate as Predicate,
};
use crate::pb::envoy::extensions::filters::listener::http_inspector::v3::HttpInspector;
use crate::pb::envoy::extensions::filters::listener::original_dst::v3::OriginalDst;
use crate::pb::envoy::extensions::filters::listener::original_src::v3::OriginalSrc;
use crate::pb::envoy::extensions::filters::listener::proxy_protocol::v3::ProxyProtocol;
use crate::pb::envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;
use crate::pb::envoy::r#type::v3::Int32Range;
use crate::pb::pack;

/// First read of the TLS inspector, in bytes: a client hello of usual size.
const HELLO_SIZE: u32 = 512;
/// The mark of packets that a sidecar sends with the client's address.
const SOURCE_MARK: u32 = 1337;

/// The filters of a listener, in order.
pub(super) fn listener_filters(listener: &Listener) -> Vec<ListenerFilter> {
    let Inspect {
        tls,
        http,
        proxy_protocol,
        timeout: _,
    } = &listener.inspect;
    let inbound = listener.role == ListenerRole::VirtualInbound;
    let mut filters = Vec::new();
    if *proxy_protocol {
        filters.push(filter(
            "envoy.filters.listener.proxy_protocol",
            &ProxyProtocol::default(),
            None,
        ));
    }
    if let (true, Capture::OriginalDestination { transparent }) = (inbound, listener.capture) {
        filters.push(filter(
            "envoy.filters.listener.original_dst",
            &OriginalDst::default(),
            None,
        ));
        if transparent {
            let source = OriginalSrc {
                mark: SOURCE_MARK,
                ..Default::default()
            };
            filters.push(filter("envoy.filters.listener.original_src", &source, None));
        }
    }
    if *tls {
        let inspector = TlsInspector {
            initial_read_buffer_size: Some(HELLO_SIZE),
            ..Default::default()
        };
        let disabled = inbound
            .then(|| Needs::of(listener, reads_tls).tls_disabled())
            .flatten();
        filters.push(filter(
            "envoy.filters.listener.tls_inspector",
            &inspector,
            disabled,
        ));
    }
    if *http {
        let disabled = inbound
            .then(|| Needs::of(listener, reads_http).http_disabled())
            .flatten();
        filters.push(filter(
            "envoy.filters.listener.http_inspector",
            &HttpInspector::default(),
            disabled,
        ));
    }
    filters
}

fn filter<M: Name>(name: &str, message: &M, disabled: Option<Predicate>) -> ListenerFilter {
    ListenerFilter {
        name: name.to_owned(),
        filter_disabled: disabled,
        config_type: Some(ConfigType::TypedConfig(pack(message))),
    }
}

fn reads_tls(matching: &ChainMatch) -> bool {
    matching.transport == Some(TransportProtocol::Tls)
}

fn reads_http(matching: &ChainMatch) -> bool {
    matching
        .alpn
        .iter()
        .any(|name| matches!(name.as_str(), "http/1.1" | "h2c"))
}

/// Which ports of the inbound listener need an inspector. Reading from a connection on which the server speaks first
/// would wait for nothing.
struct Needs {
    ports: BTreeMap<u16, bool>,
    /// The chains for ports that no service names.
    passthrough: bool,
}

impl Needs {
    fn of(listener: &Listener, reads: fn(&ChainMatch) -> bool) -> Needs {
        let mut needs = Needs {
            ports: BTreeMap::new(),
            passthrough: false,
        };
        let chains = listener.chains.iter().map(|chain| -> &FilterChain { chain });
        for chain in chains {
            let needed = reads(&chain.matching);
            match chain.matching.port {
                Some(port) => *needs.ports.entry(port).or_default() |= needed,
                None => needs.passthrough |= needed,
            }
        }
        needs
    }

    fn ports(&self, needed: bool) -> impl Iterator<Item = u16> {
        let ports = self.ports.iter().filter(move |(_, needs)| **needs == needed);
        ports.map(|(port, _)| *port)
    }

    fn tls_disabled(&self) -> Option<Predicate> {
        if self.passthrough {
            return any_of(self.ports(false));
        }
        any_of(self.ports(true)).map(|needed| Predicate {
            rule: Some(Rule::NotMatch(Box::new(needed))),
        })
    }

    /// The pass-through chains count as port 0.
    fn http_disabled(&self) -> Option<Predicate> {
        let passthrough = (!self.passthrough).then_some(0);
        any_of(passthrough.into_iter().chain(self.ports(false)))
    }
}

fn any_of(ports: impl Iterator<Item = u16>) -> Option<Predicate> {
    let rule = |port: u16| Predicate {
        rule: Some(Rule::DestinationPortRange(Int32Range {
            start: i32::from(port),
            end: i32::from(port) + 1,
        })),
    };
    let mut rules: Vec<Predicate> = ports.map(rule).collect();
    if rules.len() < 2 {
        return rules.pop();
    }
    Some(Predicate {
        rule: Some(Rule::OrMatch(MatchSet { rules })),
    })
}
