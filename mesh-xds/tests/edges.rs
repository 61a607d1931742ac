//! Plans that no mesh compiles to today: what Envoy would refuse, what resources cannot express, and inbound listeners.
#![cfg(feature = "reflect")]

mod support;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::{Host, Text};
use mesh_api::object::ObjectKey;
use mesh_route::plan::*;
use mesh_route::table::Seq;
use mesh_xds::convert::{Part, Problem};
use mesh_xds::pb::Kind;
use mesh_xds::{Conversion, Profile, convert};
use serde_json::{Value, json};
use support::{plan, resource};

const HOST: &str = "reviews.default.svc.cluster.local";

fn stock(plan: &TrafficPlan) -> Conversion {
    convert(plan, Profile::UpstreamEnvoy)
}

fn problems(plan: &TrafficPlan) -> Vec<String> {
    stock(plan).warnings().iter().map(ToString::to_string).collect()
}

fn parts(plan: &TrafficPlan) -> Vec<String> {
    stock(plan)
        .not_expressed()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Changes the cluster of subset v1.
fn edit_cluster(plan: &mut TrafficPlan, edit: impl FnOnce(&mut Cluster)) {
    let host = Host::new(HOST);
    let mut service = ServiceClusters::clone(plan.clusters.get(&host).unwrap());
    edit(Arc::make_mut(&mut service.ports[0].subsets[0]));
    plan.clusters.insert(host, Arc::new(service));
}

/// Changes the virtual host of the service.
fn edit_host(plan: &mut TrafficPlan, edit: impl FnOnce(&mut VirtualHost)) {
    let name = RouteTableName::Port(9080);
    let mut table = RouteTable::clone(plan.route_tables.get(&name).unwrap());
    let (key, host) = table
        .hosts
        .iter()
        .next()
        .map(|(key, host)| (key.clone(), Arc::clone(host)))
        .unwrap();
    let mut host = VirtualHost::clone(&host);
    edit(&mut host);
    table.hosts.insert(key, Arc::new(host));
    plan.route_tables.insert(name, Arc::new(table));
}

/// Changes the first route of the service.
fn edit_route(plan: &mut TrafficPlan, edit: impl FnOnce(&mut Route)) {
    edit_host(plan, |host| {
        let mut routes: Vec<Arc<Route>> = host.routes.to_vec();
        edit(Arc::make_mut(&mut routes[0]));
        host.routes = routes.into();
    });
}

fn edit_listener(plan: &mut TrafficPlan, edit: impl FnOnce(&mut Listener)) {
    let (key, listener) = plan
        .listeners
        .iter()
        .next()
        .map(|(key, held)| (key.clone(), Arc::clone(held)))
        .unwrap();
    let mut listener = Listener::clone(&listener);
    edit(&mut listener);
    plan.listeners.insert(key, Arc::new(listener));
}

/// Changes the first chain of the first listener.
fn edit_chain(plan: &mut TrafficPlan, edit: impl FnOnce(&mut FilterChain)) {
    edit_listener(plan, |listener| {
        let mut chains: Vec<Arc<FilterChain>> = listener.chains.iter().cloned().collect();
        edit(Arc::make_mut(&mut chains[0]));
        listener.chains = Seq::from_items(chains);
    });
}

fn routes(plan: &TrafficPlan) -> Value {
    resource(&stock(plan), Kind::Route, "9080")["virtualHosts"][0]["routes"].take()
}

fn foreign(effect: ForeignEffect) -> Foreign {
    Some(Box::new(ForeignParts {
        type_url: Text::new("type.googleapis.com/x"),
        bytes: Box::default(),
        name: Text::new("x"),
        effect,
    }))
}

#[test]
fn a_name_is_given_once() {
    // X-CDS-5
    let mut plan = plan();
    let doubled = plan.own_clusters.iter().chain(plan.own_clusters.first());
    plan.own_clusters = doubled.cloned().collect();
    assert_eq!(
        problems(&plan),
        ["CDS BlackHoleCluster: name in use already, left out"]
    );
}

#[test]
fn a_domain_is_served_once() {
    // X-RDS-8
    let mut plan = plan();
    edit_host(&mut plan, |host| {
        host.domains = host
            .domains
            .iter()
            .cloned()
            .chain([Domain::new("Reviews")])
            .collect();
    });
    assert_eq!(
        problems(&plan),
        ["RDS 9080: domain `Reviews` in use already, left out (VirtualService default/reviews)"]
    );
}

#[test]
fn routes_that_envoy_refuses_are_left_out() {
    let mut empty = plan();
    edit_route(&mut empty, |route| route.action = Action::Nothing);
    assert_eq!(
        problems(&empty),
        [
            "RDS 9080: route without an action, left out (VirtualService default/reviews spec.http[0].match[0])"
        ]
    );
    assert_eq!(routes(&empty).as_array().unwrap().len(), 1);

    // X-RDS-26
    for weights in [&[][..], &[0, 0], &[u32::MAX, 1]] {
        let mut plan = plan();
        edit_route(&mut plan, |route| {
            let Action::Forward(forward) = &mut route.action else {
                panic!("a forwarding route")
            };
            let destination = |weight: &u32| WeightedDestination {
                cluster: ClusterName::parse("outbound|80||a"),
                weight: *weight,
                headers: None,
                host: None,
                origin: Origin::at(At::Object),
            };
            forward.split = Split::Weighted(weights.iter().map(destination).collect());
        });
        assert_eq!(
            stock(&plan).warnings()[0].problem,
            Problem::BadWeights,
            "{weights:?}"
        );
        assert_eq!(routes(&plan).as_array().unwrap().len(), 1);
    }
}

#[test]
fn clusters_that_list_endpoints_need_them() {
    // X-CDS-10
    let mut none = plan();
    edit_cluster(&mut none, |cluster| cluster.discovery = Discovery::Static);
    none.endpoints = mesh_route::table::Table::new();
    let conversion = stock(&none);
    assert_eq!(conversion.warnings().len(), 1);
    assert_eq!(conversion.warnings()[0].problem, Problem::NoEndpoints);
    let name = format!("outbound|9080|v1|{HOST}");
    assert!(conversion.resources().get(Kind::Cluster, &name).is_none());

    // X-CDS-9, X-CDS-12: the cluster without a subset has two endpoints, logical DNS takes one.
    let mut two = plan();
    let host = Host::new(HOST);
    let mut service = ServiceClusters::clone(two.clusters.get(&host).unwrap());
    let refresh = Duration::from_secs(60);
    let lookup = DnsLookup {
        logical: true,
        family: DnsFamily::V4,
        refresh,
    };
    Arc::make_mut(&mut service.ports[0].default).discovery = Discovery::Dns(lookup);
    two.clusters.insert(host, Arc::new(service));
    let conversion = stock(&two);
    assert_eq!(conversion.warnings()[0].problem, Problem::ExtraEndpoints(1));
    let cluster = resource(&conversion, Kind::Cluster, &format!("outbound|9080||{HOST}"));
    assert_eq!(cluster["type"], "LOGICAL_DNS");
    assert_eq!(
        (&cluster["dnsLookupFamily"], &cluster["dnsRefreshRate"]),
        (&json!("V4_ONLY"), &json!("60s"))
    );
    let listed = cluster["loadAssignment"]["endpoints"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["lbEndpoints"].as_array().unwrap().len(), 1);
}

#[test]
fn balancers_fit_the_type_of_the_cluster() {
    // X-CDS-11
    let provided = |cluster: &mut Cluster| {
        let policy = Arc::make_mut(&mut cluster.policy);
        policy.balancer.value = Balancer::ClusterProvided;
    };
    let mut plan = plan();
    edit_cluster(&mut plan, provided);
    assert_eq!(stock(&plan).warnings()[0].problem, Problem::NoOwnBalancer);

    edit_cluster(&mut plan, |cluster| {
        cluster.discovery = Discovery::OriginalDestination {
            port_override: Some(81),
            bind: None,
        };
    });
    let conversion = stock(&plan);
    assert_eq!(conversion.warnings(), []);
    let cluster = resource(&conversion, Kind::Cluster, &format!("outbound|9080|v1|{HOST}"));
    assert_eq!(
        (&cluster["type"], &cluster["lbPolicy"]),
        (&json!("ORIGINAL_DST"), &json!("CLUSTER_PROVIDED"))
    );
    assert_eq!(cluster["originalDstLbConfig"]["upstreamPortOverride"], 81);
    // X-CDS-41: TLS without a choice by endpoint.
    assert!(cluster["transportSocketMatches"].is_null() && cluster["transportSocket"].is_object());
}

#[test]
fn listeners_that_envoy_refuses_are_left_out() {
    let mut none = plan();
    edit_listener(&mut none, |listener| {
        listener.chains = Seq::new();
        listener.default_chain = None;
    });
    assert_eq!(stock(&none).warnings()[0].problem, Problem::NoChains);
    assert!(
        stock(&none)
            .resources()
            .get(Kind::Listener, "0.0.0.0_9080")
            .is_none()
    );

    let mut twice = plan();
    edit_listener(&mut twice, |listener| {
        let chains: Vec<_> = listener
            .chains
            .iter()
            .chain(listener.chains.iter())
            .cloned()
            .collect();
        listener.chains = Seq::from_items(chains);
    });
    assert_eq!(stock(&twice).warnings()[0].problem, Problem::DuplicateChain);
    let listener = resource(&stock(&twice), Kind::Listener, "0.0.0.0_9080");
    assert_eq!(listener["filterChains"].as_array().unwrap().len(), 1);

    let mut quic = plan();
    edit_listener(&mut quic, |listener| listener.bind.transport = Transport::Quic);
    assert_eq!(stock(&quic).warnings()[0].problem, Problem::QuicWithoutTls);
}

#[test]
fn unknown_cipher_suites_are_left_out() {
    // X-GW-9
    let mut plan = plan();
    edit_chain(&mut plan, |chain| {
        chain.tls = DownstreamTls::Mesh(Arc::new(MeshServerTls {
            trust_domains: [Text::new("td")].into(),
            alpn: [Text::new("h2")].into(),
            require_tls13: false,
            ciphers: [Text::new("AES128-SHA"), Text::new("ROT13")].into(),
        }));
    });
    assert_eq!(
        stock(&plan).warnings()[0].problem,
        Problem::UnknownCipher(Text::new("ROT13"))
    );
    let listener = resource(&stock(&plan), Kind::Listener, "0.0.0.0_9080");
    let context = &listener["filterChains"][0]["transportSocket"]["typedConfig"]["commonTlsContext"];
    assert_eq!(context["tlsParams"]["cipherSuites"], json!(["AES128-SHA"]));
    let names = &context["combinedValidationContext"]["defaultValidationContext"]["matchSubjectAltNames"];
    assert_eq!(*names, json!([{"prefix": "spiffe://td/"}])); // X-IL-6
}

#[test]
fn what_has_no_form_is_listed() {
    let mut imported = plan();
    edit_cluster(&mut imported, |cluster| {
        cluster.foreign = foreign(ForeignEffect::None);
    });
    edit_route(&mut imported, |route| {
        let extras = RouteExtras {
            foreign: foreign(ForeignEffect::None),
            ..RouteExtras::default()
        };
        route.extras = Some(Box::new(extras));
    });
    edit_chain(&mut imported, |chain| {
        chain.matching.foreign = foreign(ForeignEffect::Condition);
    });
    let object = ObjectKey::new(mesh_api::Kind::EnvoyFilter, "default", "tweak");
    imported.caveats = [Caveat {
        object,
        reason: "EnvoyFilter in scope",
    }]
    .into();
    assert_eq!(
        parts(&imported),
        [
            "CDS outbound|9080|v1|reviews.default.svc.cluster.local: imported part `x` \
             (DestinationRule default/reviews spec.trafficPolicy)",
            "LDS 0.0.0.0_9080: imported part `x` (default (R-VH-7))",
            "RDS 9080: imported part `x` (VirtualService default/reviews spec.http[0].match[0])",
            "EnvoyFilter in scope (EnvoyFilter default/tweak)",
        ]
    );

    // What it cannot say of a match, it does not guess: the chain is left out, the default takes its connections.
    let listener = resource(&stock(&imported), Kind::Listener, "0.0.0.0_9080");
    assert!(listener["filterChains"].is_null() && listener["defaultFilterChain"].is_object());
    assert_eq!(routes(&imported).as_array().unwrap().len(), 2);

    let mut condition = plan();
    edit_route(&mut condition, |route| {
        let extras = RouteExtras {
            foreign: foreign(ForeignEffect::Condition),
            ..RouteExtras::default()
        };
        route.extras = Some(Box::new(extras));
    });
    assert_eq!(
        stock(&condition).not_expressed()[0].part,
        Part::Foreign(Text::new("x"))
    );
    assert_eq!(routes(&condition).as_array().unwrap().len(), 1);

    let mut action = plan();
    let parts_of_action = foreign(ForeignEffect::Action).unwrap();
    edit_route(&mut action, |route| {
        route.action = Action::Foreign(parts_of_action);
    });
    assert_eq!(
        stock(&action).not_expressed()[0].part,
        Part::Foreign(Text::new("x"))
    );
    assert_eq!(routes(&action).as_array().unwrap().len(), 1);

    let mut range = plan();
    edit_route(&mut range, |route| {
        let condition = QueryCondition {
            name: Text::new("n"),
            test: Test::Range { from: 1, to: 9 },
        };
        route.matcher.conditions = [Condition::Query(condition)].into();
    });
    assert_eq!(
        stock(&range).not_expressed()[0].part,
        Part::QueryRange(Text::new("n"))
    );
    assert_eq!(
        routes(&range).as_array().unwrap().len(),
        1,
        "never emitted without its condition"
    );
}

#[test]
fn every_condition_has_a_matcher() {
    // X-RDS-20, X-RDS-21
    let header = |test, invert, missing| {
        Condition::Header(HeaderCondition {
            name: Text::new("h"),
            test,
            invert,
            missing,
        })
    };
    let exact = || TextMatcher {
        test: TextTest::Exact(Text::new("v")),
        ignore_case: false,
    };
    let mut plan = plan();
    edit_route(&mut plan, |route| {
        route.matcher.path = PathMatcher::PathPrefix(Text::new("/"));
        route.matcher.ignore_case = true;
        route.matcher.conditions = [
            header(Test::Present, true, Missing::Fails),
            header(Test::Text(exact()), true, Missing::CountsAsEmpty),
            header(Test::Range { from: 1, to: 9 }, false, Missing::Fails),
            header(Test::Never, false, Missing::Fails),
            Condition::Claim(ClaimCondition {
                path: [Text::new("groups")].into(),
                test: exact(),
                invert: true,
            }),
        ]
        .into();
    });
    assert_eq!(
        routes(&plan)[0]["match"],
        json!({
            "prefix": "/",
            "caseSensitive": false,
            "headers": [
                {"name": "h", "presentMatch": true, "invertMatch": true},
                {"name": "h", "stringMatch": {"exact": "v"}, "invertMatch": true, "treatMissingHeaderAsEmpty": true},
                {"name": "h", "rangeMatch": {"start": "1", "end": "9"}},
                {"name": "h", "rangeMatch": {}},
            ],
            "dynamicMetadata": [{
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{"key": "payload"}, {"key": "groups"}],
                "invert": true,
                "value": {"orMatch": {"valueMatchers": [
                    {"listMatch": {"oneOf": {"stringMatch": {"exact": "v"}}}},
                    {"stringMatch": {"exact": "v"}},
                ]}},
            }],
        })
    );
}

/// A TCP chain of the inbound listener.
fn inbound_chain(port: Option<u16>, transport: TransportProtocol, alpn: &[&str]) -> Arc<FilterChain> {
    Arc::new(FilterChain {
        name: ChainName::Other(Text::new("in")),
        class: ChainClass::Inbound,
        matching: ChainMatch {
            port,
            transport: Some(transport),
            alpn: alpn.iter().map(Text::new).collect(),
            ..ChainMatch::default()
        },
        tls: DownstreamTls::Plain,
        terminal: Terminal::Tcp(TcpProxy {
            split: Split::One(ClusterName::inbound(port.unwrap_or(0))),
            stat: StatName::Cluster,
            idle: None,
            max_connection: None,
            hash_source_ip: true,
            tunnel: None,
            codec: None,
        }),
        origin: Origin::at(At::Object),
    })
}

fn inbound(chains: Vec<Arc<FilterChain>>, transparent: bool) -> Value {
    let mut plan = plan();
    let listener = Listener {
        name: ListenerName::VirtualInbound,
        role: ListenerRole::VirtualInbound,
        bind: Bind {
            at: BindAddress::Ip([IpAddr::from([0, 0, 0, 0])].into()),
            port: 15006,
            transport: Transport::Tcp,
        },
        capture: Capture::OriginalDestination { transparent },
        inspect: Inspect {
            tls: true,
            http: true,
            proxy_protocol: false,
            timeout: None,
        },
        chains: Seq::from_items(chains),
        default_chain: None,
        origin: Origin::at(At::Object),
    };
    plan.listeners
        .insert(ListenerName::VirtualInbound, Arc::new(listener));
    resource(&stock(&plan), Kind::Listener, "virtualInbound")
}

fn disabled(listener: &Value) -> [Value; 2] {
    let filters = listener["listenerFilters"].as_array().unwrap();
    ["tls_inspector", "http_inspector"].map(|name| {
        let name = format!("envoy.filters.listener.{name}");
        filters.iter().find(|filter| filter["name"] == name).unwrap()["filterDisabled"].clone()
    })
}

fn range(port: u16) -> Value {
    match port {
        0 => json!({"destinationPortRange": {"end": 1}}),
        port => json!({"destinationPortRange": {"start": port, "end": port + 1}}),
    }
}

// X-IL-10
#[test]
fn inspectors_of_the_inbound_listener_leave_ports_alone() {
    use TransportProtocol::{RawBuffer, Tls};
    let http: &[&str] = &["http/1.1", "h2c"];
    let ports = || {
        vec![
            inbound_chain(Some(15006), RawBuffer, &[]),
            inbound_chain(Some(8080), Tls, &[]),
            inbound_chain(Some(8080), RawBuffer, http),
            inbound_chain(Some(9000), RawBuffer, &[]),
        ]
    };
    // Pass-through chains that need both.
    let mut permissive = ports();
    permissive.extend([
        inbound_chain(None, Tls, &[]),
        inbound_chain(None, RawBuffer, http),
    ]);
    let listener = inbound(permissive, false);
    let rules = json!({"orMatch": {"rules": [range(9000), range(15006)]}});
    assert_eq!(disabled(&listener), [rules.clone(), rules]);
    assert_eq!(listener["trafficDirection"], "INBOUND");
    assert_eq!(listener["useOriginalDst"], Value::Null);
    assert_eq!(
        listener["listenerFilters"][0]["name"],
        "envoy.filters.listener.original_dst"
    );
    assert_eq!(
        listener["filterChains"][0]["transportSocketConnectTimeout"],
        Value::Null
    ); // X-LDS-17
    let proxy = &listener["filterChains"][0]["filters"][0]["typedConfig"];
    assert_eq!(
        (&proxy["statPrefix"], &proxy["hashPolicy"]),
        (&json!("inbound|15006||"), &json!([{"sourceIp": {}}]))
    );

    // Pass-through chains that need neither: all but the ports that do, and port 0 stands for them.
    let listener = inbound(ports(), true);
    let [tls, http] = disabled(&listener);
    assert_eq!(tls, json!({"notMatch": range(8080)}));
    assert_eq!(
        http,
        json!({"orMatch": {"rules": [range(0), range(9000), range(15006)]}})
    );
    assert_eq!(listener["transparent"], true);
    assert_eq!(listener["listenerFilters"][1]["typedConfig"]["mark"], 1337);
}
