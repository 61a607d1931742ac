//! Traffic policies on clusters, block by block.
#![cfg(feature = "reflect")]

mod support;

use mesh_route::{MeshSnapshot, Workload};
use mesh_xds::pb::Kind;
use mesh_xds::{Profile, convert};
use serde_json::{Value, json};
use support::resource;

/// The cluster of a port of a service with this policy.
fn cluster(protocol: &str, policy: &str) -> Value {
    let mesh = format!(
        "
apiVersion: v1
kind: Service
metadata: {{name: a, namespace: shop}}
spec: {{clusterIP: 10.0.0.1, selector: {{app: a}}, ports: [{{name: {protocol}, port: 80}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: shop, labels: {{app: a}}}}
status: {{phase: Running, podIP: 10.0.2.1}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: a, namespace: shop}}
spec: {{host: a, trafficPolicy: {policy}}}
"
    );
    let decoded = mesh_api::decode("mesh.yaml", mesh.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    let client = Workload::new("shop".parse().unwrap());
    let conversion = convert(&snapshot.plan_for(&client), Profile::UpstreamEnvoy);
    assert_eq!(conversion.warnings(), []);
    resource(
        &conversion,
        Kind::Cluster,
        "outbound|80||a.shop.svc.cluster.local",
    )
}

fn http_options(cluster: &Value) -> Value {
    let mut options =
        cluster["typedExtensionProtocolOptions"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
            .clone();
    if let Some(fields) = options.as_object_mut() {
        fields.remove("@type");
    }
    options
}

// X-CDS-14, X-CDS-16, X-CDS-18, X-CDS-20
#[test]
fn pools() {
    let policy = "{connectionPool: {
        tcp: {maxConnections: 1, connectTimeout: 3s, maxConnectionDuration: 1h, tcpKeepalive: {probes: 2, time: 70s}},
        http: {http1MaxPendingRequests: 4, http2MaxRequests: 5, maxRetries: 6, maxRequestsPerConnection: 7, idleTimeout: 8s}}}";
    let cluster = cluster("http", policy);
    assert_eq!(cluster["connectTimeout"], "3s");
    let limits = json!({"maxConnections": 1, "maxPendingRequests": 4, "maxRequests": 5, "maxRetries": 6});
    assert_eq!(cluster["circuitBreakers"], json!({"thresholds": [limits]}));
    assert_eq!(
        cluster["upstreamConnectionOptions"],
        json!({"tcpKeepalive": {"keepaliveProbes": 2, "keepaliveTime": 70}})
    );
    assert_eq!(
        http_options(&cluster),
        json!({
            "commonHttpProtocolOptions": {"idleTimeout": "8s", "maxConnectionDuration": "3600s", "maxRequestsPerConnection": 7},
            "explicitHttpConfig": {"httpProtocolOptions": {}},
        })
    );
}

// X-CDS-17 to X-CDS-19
#[test]
fn protocols() {
    let options = |protocol, policy| http_options(&cluster(protocol, policy));
    assert_eq!(options("http", "{}"), Value::Null);
    assert_eq!(
        options("grpc", "{}"),
        json!({"explicitHttpConfig": {"http2ProtocolOptions": {}}})
    );
    assert_eq!(
        options("grpc", "{connectionPool: {http: {maxConcurrentStreams: 9}}}"),
        json!({"explicitHttpConfig": {"http2ProtocolOptions": {"maxConcurrentStreams": 9}}})
    );
    let follow =
        json!({"useDownstreamProtocolConfig": {"httpProtocolOptions": {}, "http2ProtocolOptions": {}}});
    assert_eq!(options("other", "{}"), follow, "a sniffed port");
    assert_eq!(
        options("http", "{connectionPool: {http: {useClientProtocol: true}}}"),
        follow
    );
    assert_eq!(
        options("http", "{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}"),
        json!({"explicitHttpConfig": {"http2ProtocolOptions": {}}})
    );
    // quirk X-CDS-18
    assert_eq!(
        options("http", "{connectionPool: {http: {maxConcurrentStreams: 9}}}"),
        json!({"commonHttpProtocolOptions": {}, "explicitHttpConfig": {"httpProtocolOptions": {}}})
    );
}

// X-CDS-25 to X-CDS-29
#[test]
fn outlier_detection() {
    let policy = "{outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3, interval: 1s, baseEjectionTime: 2s,
        maxEjectionPercent: 40, minHealthPercent: 30, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 4}}";
    let cluster = cluster("http", policy);
    assert_eq!(
        cluster["outlierDetection"],
        json!({
            "consecutive5xx": 0, "enforcingConsecutive5xx": 0,
            "consecutiveGatewayFailure": 3, "enforcingConsecutiveGatewayFailure": 100,
            "enforcingSuccessRate": 0, "interval": "1s", "baseEjectionTime": "2s", "maxEjectionPercent": 40,
            "splitExternalLocalOriginErrors": true, "enforcingLocalOriginSuccessRate": 0,
            "consecutiveLocalOriginFailure": 4, "enforcingConsecutiveLocalOriginFailure": 100,
        })
    );
    assert_eq!(
        cluster["commonLbConfig"]["healthyPanicThreshold"],
        json!({"value": 30})
    );
}

// X-CDS-11, X-CDS-31 to X-CDS-33
#[test]
fn balancers() {
    let balancer = |settings: &str| {
        let cluster = cluster("http", &format!("{{loadBalancer: {settings}}}"));
        let config = |name: &str| cluster[name].clone();
        let fields = [
            "ringHashLbConfig",
            "maglevLbConfig",
            "leastRequestLbConfig",
            "roundRobinLbConfig",
        ];
        let config = fields.into_iter().map(config).find(|config| !config.is_null());
        (cluster["lbPolicy"].clone(), config.unwrap_or_default())
    };
    assert_eq!(balancer("{simple: RANDOM}"), (json!("RANDOM"), Value::Null));
    assert_eq!(
        balancer("{simple: ROUND_ROBIN}"),
        (Value::Null, Value::Null),
        "Envoy's default"
    );
    assert_eq!(
        balancer("{simple: UNSPECIFIED}"),
        (json!("LEAST_REQUEST"), Value::Null)
    );
    let (policy, config) = balancer("{simple: PASSTHROUGH}");
    assert_eq!((policy, config), (json!("CLUSTER_PROVIDED"), Value::Null));
    let (policy, config) = balancer("{simple: LEAST_REQUEST, warmup: {duration: 5s, minimumPercent: 20}}");
    assert_eq!(policy, "LEAST_REQUEST");
    assert_eq!(
        config["slowStartConfig"],
        json!({
            "slowStartWindow": "5s",
            "aggression": {"defaultValue": 1, "runtimeKey": "("},
            "minWeightPercent": {"value": 20},
        })
    );
    assert_eq!(
        balancer("{consistentHash: {useSourceIp: true, maglev: {tableSize: 5003}}}"),
        (json!("MAGLEV"), json!({"tableSize": "5003"}))
    );
    assert_eq!(
        balancer("{consistentHash: {useSourceIp: true}}"),
        (json!("RING_HASH"), json!({"minimumRingSize": "1024"}))
    );
}

// X-CDS-47
#[test]
fn proxy_protocol_goes_around_every_socket() {
    let cluster = cluster("http", "{proxyProtocol: {version: V2}}");
    let matches = cluster["transportSocketMatches"].as_array().unwrap();
    let inner = |socket: &Value| {
        assert_eq!(
            socket["transportSocket"]["name"],
            "envoy.transport_sockets.upstream_proxy_protocol"
        );
        let config = &socket["transportSocket"]["typedConfig"];
        assert_eq!(config["config"], json!({"version": "V2"}));
        config["transportSocket"]["name"].clone()
    };
    let inner: Vec<Value> = matches.iter().map(inner).collect();
    assert_eq!(
        inner,
        [
            "envoy.transport_sockets.tls",
            "envoy.transport_sockets.raw_buffer"
        ]
    );
}
