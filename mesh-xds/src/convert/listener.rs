//! Listeners (X-LDS-15 to X-LDS-21, X-IL-10, X-GW-5, X-GW-6).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use mesh_route::plan::{Bind, BindAddress, Capture, FilterChain, Inspect, Listener, ListenerRole, Transport};
use prost::Message;

use super::Profile;
use super::common::duration;
use super::endpoint::{pipe, socket};
use super::filter_chain::{self, ChainView};
use super::listener_filter;
use super::report::{Notes, Problem};
use crate::pb::envoy::config::core::v3::address::Address as AddressKind;
use crate::pb::envoy::config::core::v3::socket_address::Protocol;
use crate::pb::envoy::config::core::v3::{Address, TrafficDirection};
use crate::pb::envoy::config::listener::v3::{
    self as pb, AdditionalAddress, QuicProtocolOptions, UdpListenerConfig,
};

/// Connections that one turn of the event loop accepts.
const ACCEPT_PER_EVENT: u32 = 1;

/// A listener; `None` for one without chains, which Envoy refuses.
pub(super) fn listener(listener: &Listener, profile: Profile, notes: &mut Notes) -> Option<pb::Listener> {
    let Listener {
        name,
        role,
        bind,
        capture,
        inspect,
        chains,
        default_chain,
        origin,
    } = listener;
    let Bind {
        at: _,
        port: _,
        transport,
    } = bind;
    let view = ChainView {
        role: *role,
        transport: *transport,
        profile,
    };
    let mut taken = BTreeSet::new();
    let filter_chains: Vec<_> = chains
        .iter()
        .filter_map(|chain| distinct(chain, &view, &mut taken, notes))
        .collect();
    let default = default_chain.as_ref();
    let default = default.and_then(|chain| filter_chain::filter_chain(chain, &view, notes));
    if filter_chains.is_empty() && default.is_none() {
        notes.warn(Some(origin), Problem::NoChains);
        return None;
    }
    let (first, rest) = addresses(bind);
    let mut message = pb::Listener {
        name: name.to_string(),
        address: Some(first),
        additional_addresses: rest,
        filter_chains,
        default_filter_chain: default,
        listener_filters: listener_filter::listener_filters(listener),
        traffic_direction: direction(*role).into(),
        ..Default::default()
    };
    add_capture(&mut message, *role, *capture);
    add_timeout(&mut message, *role, inspect);
    if *transport == Transport::Quic {
        message.udp_listener_config = Some(UdpListenerConfig {
            quic_options: Some(QuicProtocolOptions::default()),
            ..Default::default()
        });
    }
    Some(message)
}

/// A chain, unless another one takes the same connections: Envoy refuses such a listener.
fn distinct(
    chain: &FilterChain,
    view: &ChainView,
    taken: &mut BTreeSet<Vec<u8>>,
    notes: &mut Notes,
) -> Option<pb::FilterChain> {
    let message = filter_chain::filter_chain(chain, view, notes)?;
    let matched = message.filter_chain_match.clone().unwrap_or_default();
    if !taken.insert(matched.encode_to_vec()) {
        notes.warn(Some(&chain.origin), Problem::DuplicateChain);
        return None;
    }
    Some(message)
}

/// The address that a listener is known by, and the others.
fn addresses(bind: &Bind) -> (Address, Vec<AdditionalAddress>) {
    let Bind { at, port, transport } = bind;
    let at_ip = |ip: &IpAddr| {
        let mut address = socket(ip.to_string(), *port);
        if let (Transport::Quic, Some(AddressKind::SocketAddress(socket))) = (transport, &mut address.address)
        {
            socket.protocol = Protocol::Udp.into();
        }
        address
    };
    match at {
        BindAddress::Uds(path) => (pipe(path), Vec::new()),
        BindAddress::Ip(ips) => {
            let mut made = ips.iter().map(at_ip);
            let first = made.next().unwrap_or_default();
            let rest = made.map(|address| AdditionalAddress {
                address: Some(address),
                ..Default::default()
            });
            (first, rest.collect())
        }
    }
}

fn direction(role: ListenerRole) -> TrafficDirection {
    match role {
        ListenerRole::Outbound
        | ListenerRole::VirtualOutbound
        | ListenerRole::HttpProxy
        | ListenerRole::Gateway => TrafficDirection::Outbound,
        ListenerRole::VirtualInbound | ListenerRole::InboundPort => TrafficDirection::Inbound,
    }
}

fn add_capture(message: &mut pb::Listener, role: ListenerRole, capture: Capture) {
    match capture {
        Capture::Redirected => message.bind_to_port = Some(false),
        Capture::BoundToPort => message.max_connections_to_accept_per_socket_event = Some(ACCEPT_PER_EVENT),
        Capture::OriginalDestination { transparent } => {
            message.max_connections_to_accept_per_socket_event = Some(ACCEPT_PER_EVENT);
            message.transparent = transparent.then_some(true);
            // The inbound one reads the destination by a listener filter.
            if role == ListenerRole::VirtualOutbound {
                message.use_original_dst = Some(true);
            }
        }
    }
}

/// How long is waited for the first bytes; afterwards the connection goes on unread. Gateways and the outbound listener
/// that takes the rest say nothing of it.
fn add_timeout(message: &mut pb::Listener, role: ListenerRole, inspect: &Inspect) {
    let Inspect {
        tls: _,
        http: _,
        proxy_protocol: _,
        timeout,
    } = inspect;
    match role {
        ListenerRole::Gateway | ListenerRole::VirtualOutbound => {}
        ListenerRole::Outbound
        | ListenerRole::HttpProxy
        | ListenerRole::VirtualInbound
        | ListenerRole::InboundPort => {
            message.listener_filters_timeout = Some(duration(timeout.unwrap_or(Duration::ZERO)));
            message.continue_on_listener_filters_timeout = true;
        }
    }
}
