//! The worked example of the conversion: one service with two subsets, as a sidecar and its rule see it (X-EX).
#![cfg(feature = "reflect")]

mod support;

use mesh_xds::pb::Kind;
use mesh_xds::{Conversion, Profile, convert};
use serde_json::{Value, json};
use support::{plan, resource};

const V1: &str = "outbound|9080|v1|reviews.default.svc.cluster.local";

fn converted(profile: Profile) -> Conversion {
    let conversion = convert(&plan(), profile);
    assert_eq!(conversion.not_expressed(), []);
    assert_eq!(conversion.warnings(), []);
    conversion
}

fn names(conversion: &Conversion, kind: Kind) -> Vec<&str> {
    conversion
        .resources()
        .of(kind)
        .map(|resource| resource.name())
        .collect()
}

// X-EX-1; over the wire they go in order of name.
#[test]
fn clusters() {
    let conversion = converted(Profile::UpstreamEnvoy);
    assert_eq!(
        names(&conversion, Kind::Cluster),
        [
            "BlackHoleCluster",
            "InboundPassthroughCluster",
            "PassthroughCluster",
            V1,
            "outbound|9080|v2|reviews.default.svc.cluster.local",
            "outbound|9080||reviews.default.svc.cluster.local",
        ]
    );
    assert_eq!(
        names(&conversion, Kind::Endpoint),
        names(&conversion, Kind::Cluster)[3..],
        "one assignment for each EDS cluster"
    );
}

// X-EX-2
#[test]
fn cluster_of_a_subset() {
    let ads = json!({"ads": {}, "initialFetchTimeout": "0s", "resourceApiVersion": "V3"});
    let agent = json!({
        "initialFetchTimeout": "0s", "resourceApiVersion": "V3",
        "apiConfigSource": {
            "apiType": "GRPC", "transportApiVersion": "V3", "setNodeOnFirstMessageOnly": true,
            "grpcServices": [{"envoyGrpc": {"clusterName": "sds-grpc"}}],
        },
    });
    let tls = json!({
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "commonTlsContext": {
            "tlsParams": {"tlsMinimumProtocolVersion": "TLSv1_2", "tlsMaximumProtocolVersion": "TLSv1_3"},
            "alpnProtocols": ["istio"],
            "tlsCertificateSdsSecretConfigs": [{"name": "default", "sdsConfig": agent}],
            "combinedValidationContext": {
                "defaultValidationContext": {"matchSubjectAltNames": [{"exact": "spiffe://cluster.local/ns/default/sa/sa"}]},
                "validationContextSdsSecretConfig": {"name": "ROOTCA", "sdsConfig": agent},
            },
        },
        "sni": "outbound_.9080_.v1_.reviews.default.svc.cluster.local",
    });
    let raw =
        json!({"@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"});
    let expected = json!({
        "name": V1,
        "altStatName": format!("{V1};"),
        "type": "EDS",
        "edsClusterConfig": {"serviceName": V1, "edsConfig": ads},
        "connectTimeout": "10s",
        "lbPolicy": "LEAST_REQUEST",
        "commonLbConfig": {"healthyPanicThreshold": {}},
        "circuitBreakers": {"thresholds": [{
            "maxConnections": u32::MAX, "maxPendingRequests": u32::MAX, "maxRequests": u32::MAX, "maxRetries": u32::MAX,
        }]},
        "outlierDetection": {"consecutive5xx": 5, "enforcingConsecutive5xx": 100, "enforcingSuccessRate": 0},
        "transportSocketMatches": [
            {"name": "tlsMode-istio", "match": {"tlsMode": "istio"},
             "transportSocket": {"name": "envoy.transport_sockets.tls", "typedConfig": tls}},
            {"name": "tlsMode-disabled", "match": {},
             "transportSocket": {"name": "envoy.transport_sockets.raw_buffer", "typedConfig": raw}},
        ],
        "metadata": {"filterMetadata": {"istio": {
            "config": "/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews",
            "subset": "v1",
            "services": [{"host": "reviews.default.svc.cluster.local", "name": "reviews", "namespace": "default"}],
        }}},
    });
    assert_eq!(
        resource(&converted(Profile::UpstreamEnvoy), Kind::Cluster, V1),
        expected
    );

    // X-IN-13: Istio's own build also exchanges metadata.
    let mut with_istio = expected;
    let matches = &mut with_istio["transportSocketMatches"][0]["transportSocket"]["typedConfig"];
    matches["commonTlsContext"]["alpnProtocols"] = json!(["istio-peer-exchange", "istio"]);
    with_istio["filters"] = json!([{
        "name": "istio.metadata_exchange",
        "typedConfig": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "typeUrl": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
            "value": {"enable_discovery": true, "protocol": "istio-peer-exchange"},
        },
    }]);
    assert_eq!(
        resource(&converted(Profile::IstioProxy), Kind::Cluster, V1),
        with_istio
    );
}

// X-EX-3
#[test]
fn endpoints_of_a_subset() {
    let conversion = converted(Profile::UpstreamEnvoy);
    let expected = json!({
        "clusterName": V1,
        "endpoints": [{
            "locality": {"region": "r1", "zone": "z1"},
            "loadBalancingWeight": 1,
            "lbEndpoints": [{
                "endpoint": {"address": {"socketAddress": {"address": "10.0.2.1", "portValue": 9080}}},
                "healthStatus": "HEALTHY",
                "loadBalancingWeight": 1,
                "metadata": {"filterMetadata": {
                    "envoy.transport_socket_match": {"tlsMode": "istio"},
                    "istio": {"workload": "reviews-v1;default;reviews;v1;"},
                }},
            }],
        }],
    });
    assert_eq!(resource(&conversion, Kind::Endpoint, V1), expected);
}

// X-EX-5
#[test]
fn routes() {
    let table = resource(&converted(Profile::UpstreamEnvoy), Kind::Route, "9080");
    let hosts = table["virtualHosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 2);
    assert_eq!(hosts[0]["name"], "reviews.default.svc.cluster.local:9080");
    assert_eq!(
        hosts[0]["domains"],
        json!([
            "reviews.default.svc.cluster.local",
            "reviews.default.svc.cluster.local.",
            "reviews",
            "reviews.default.svc",
            "reviews.default",
            "10.0.0.7",
        ])
    );
    let retries = json!({
        "retryOn": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
        "numRetries": 2,
        "hostSelectionRetryMaxAttempts": "5",
        "retryHostPredicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
        }],
    });
    let config = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
    let route = |subset: &str, matched: Value| {
        json!({
            "match": matched,
            "route": {
                "cluster": format!("outbound|9080|{subset}|reviews.default.svc.cluster.local"),
                "timeout": "0s",
                "maxGrpcTimeout": "0s",
                "retryPolicy": retries,
            },
            "decorator": {"operation": "reviews.default.svc.cluster.local:9080/*"},
            "metadata": {"filterMetadata": {"istio": {"config": config}}},
        })
    };
    let jason = json!([{"name": "end-user", "stringMatch": {"exact": "jason"}}]);
    assert_eq!(
        hosts[0]["routes"],
        json!([
            route(
                "v2",
                json!({"prefix": "/", "caseSensitive": true, "headers": jason})
            ),
            route("v1", json!({"prefix": "/"})),
        ])
    );
    assert_eq!(
        hosts[1],
        json!({
            "name": "allow_any",
            "domains": ["*"],
            "includeRequestAttemptCount": true,
            "routes": [{
                "name": "allow_any",
                "match": {"prefix": "/"},
                "route": {"cluster": "PassthroughCluster", "timeout": "0s", "maxGrpcTimeout": "0s"},
            }],
        })
    );
    assert_eq!(table["validateClusters"], false);
    assert_eq!(table["ignorePortInHostMatching"], true);
    assert_eq!(table["maxDirectResponseBodySizeBytes"], 1_048_576);
}

// X-EX-4; without services of its own the proxy has no inbound listener.
#[test]
fn listeners() {
    let conversion = converted(Profile::UpstreamEnvoy);
    assert_eq!(
        names(&conversion, Kind::Listener),
        ["0.0.0.0_9080", "virtualOutbound"]
    );
    let mut outbound = resource(&conversion, Kind::Listener, "0.0.0.0_9080");
    let manager = outbound["filterChains"][0]["filters"][0]["typedConfig"].take();
    let inspector = "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector";
    assert_eq!(
        outbound,
        json!({
            "name": "0.0.0.0_9080",
            "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 9080}},
            "bindToPort": false,
            "trafficDirection": "OUTBOUND",
            "listenerFilters": [{"name": "envoy.filters.listener.http_inspector", "typedConfig": {"@type": inspector}}],
            "listenerFiltersTimeout": "0s",
            "continueOnListenerFiltersTimeout": true,
            "filterChains": [{
                "filterChainMatch": {"transportProtocol": "raw_buffer", "applicationProtocols": ["http/1.1", "h2c"]},
                "filters": [{"name": "envoy.filters.network.http_connection_manager", "typedConfig": null}],
                "transportSocketConnectTimeout": "15s",
            }],
            "defaultFilterChain": {
                "name": "PassthroughFilterChain",
                "filters": [tcp_proxy("PassthroughCluster")],
                "transportSocketConnectTimeout": "15s",
            },
        })
    );
    assert_eq!(manager["statPrefix"], "outbound_0.0.0.0_9080;"); // X-NAME-6
    assert_eq!(manager["rds"]["routeConfigName"], "9080");
    assert_eq!(manager["rds"]["configSource"]["initialFetchTimeout"], "0s"); // X-HCM-5
    assert_eq!(manager["streamIdleTimeout"], "0s"); // X-HCM-2
    assert_eq!(
        (&manager["useRemoteAddress"], &manager["normalizePath"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        manager["requestIdExtension"]["typedConfig"]["useRequestIdForTraceSampling"],
        true
    ); // X-HCM-4

    let rest = resource(&conversion, Kind::Listener, "virtualOutbound");
    assert_eq!(
        rest,
        json!({
            "name": "virtualOutbound",
            "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 15001}},
            "useOriginalDst": true,
            "maxConnectionsToAcceptPerSocketEvent": 1,
            "trafficDirection": "OUTBOUND",
            "filterChains": [{
                "name": "virtualOutbound-blackhole",
                "filterChainMatch": {"destinationPort": 15001},
                "filters": [tcp_proxy("BlackHoleCluster")],
                "transportSocketConnectTimeout": "15s",
            }, {
                "name": "virtualOutbound-catchall-tcp",
                "filters": [tcp_proxy("PassthroughCluster")],
                "transportSocketConnectTimeout": "15s",
            }],
        })
    );
}

fn tcp_proxy(cluster: &str) -> Value {
    json!({
        "name": "envoy.filters.network.tcp_proxy",
        "typedConfig": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "cluster": cluster,
            "statPrefix": cluster,
        },
    })
}

// X-HCM-7, X-HCM-8, X-IN-13
#[test]
fn http_filters_by_profile() {
    let filters = |profile| -> Vec<(String, bool)> {
        let listener = resource(&converted(profile), Kind::Listener, "0.0.0.0_9080");
        let filters = listener["filterChains"][0]["filters"][0]["typedConfig"]["httpFilters"]
            .as_array()
            .cloned();
        let filters = filters.unwrap().into_iter();
        filters
            .map(|filter| {
                let name = filter["name"]
                    .as_str()
                    .unwrap()
                    .replace("envoy.filters.http.", "");
                (name, filter["isOptional"] == true)
            })
            .collect()
    };
    let of = |names: [(&str, bool); 6]| names.map(|(name, optional)| (name.to_owned(), optional)).to_vec();
    let with_istio = |optional| {
        of([
            ("istio.metadata_exchange", optional),
            ("grpc_stats", false),
            ("istio.alpn", optional),
            ("fault", false),
            ("cors", false),
            ("router", false),
        ])
    };
    assert_eq!(filters(Profile::IstioProxy), with_istio(false));
    assert_eq!(filters(Profile::UpstreamEnvoyOptional), with_istio(true));
    let mut stock = with_istio(false);
    stock.retain(|(name, _)| !name.starts_with("istio."));
    assert_eq!(filters(Profile::UpstreamEnvoy), stock);
}

// X-SNAP-4, DESIGN 3.6
#[test]
fn converting_again_gives_equal_bytes() {
    for profile in [
        Profile::IstioProxy,
        Profile::UpstreamEnvoy,
        Profile::UpstreamEnvoyOptional,
    ] {
        let (one, two) = (converted(profile), converted(profile));
        assert_eq!(one.resources().len(), 6 + 3 + 2 + 1);
        assert_eq!(one.resources(), two.resources());
        for (a, b) in one.resources().iter().zip(two.resources().iter()) {
            assert_eq!(
                (a.name(), a.body(), a.version()),
                (b.name(), b.body(), b.version())
            );
        }
    }
}
