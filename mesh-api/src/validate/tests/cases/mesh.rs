use super::*;
use crate::effective::document_key;
use crate::mesh::MeshConfig;

pub(super) fn cases() -> Vec<Case> {
    [
        mesh_config(),
        traffic(),
        proxies(),
        connections(),
        providers(),
        networks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case of two changes to the built-in configuration.
fn mesh(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    let kind = document_key("MeshConfig", "mesh").kind;
    let built_in = || serde_json::to_value(MeshConfig::default()).unwrap();
    case(
        id,
        &kind,
        patched(built_in(), pass),
        patched(built_in(), fail),
        path,
    )
}

fn mesh_config() -> Vec<Case> {
    vec![
        mesh(
            "A-MC-1",
            json!({"proxyListenPort": 65535}),
            json!({"proxyListenPort": 65536}),
            "proxyListenPort",
        ),
        mesh(
            "A-MC-2",
            json!({"connectTimeout": "1ms"}),
            json!({"connectTimeout": "1500us"}),
            "connectTimeout",
        ),
        mesh(
            "A-MC-3",
            json!({"connectTimeout": "1h"}),
            json!({"connectTimeout": "3600001ms"}),
            "connectTimeout",
        ),
        mesh(
            "A-MC-4",
            json!({"protocolDetectionTimeout": "100ms"}),
            json!({"protocolDetectionTimeout": "1us"}),
            "protocolDetectionTimeout",
        ),
        mesh(
            "A-MC-6",
            json!({"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}),
            json!({"localityLbSetting": {"failover": [{"from": "a", "to": "a"}]}}),
            "localityLbSetting.failover[0]",
        ),
        mesh(
            "A-MC-7",
            json!({"serviceSettings": [{"hosts": ["*.shop.svc"]}]}),
            json!({"serviceSettings": [{"hosts": ["a.b", "shop.*"]}]}),
            "serviceSettings[0].hosts[1]",
        ),
        mesh(
            "A-MC-8",
            json!({"trustDomain": "td.1."}),
            json!({"trustDomain": "t_d"}),
            "trustDomain",
        ),
        mesh(
            "A-MC-9",
            json!({"trustDomainAliases": ["a.b"]}),
            json!({"trustDomainAliases": ["a.b", ""]}),
            "trustDomainAliases[1]",
        ),
        mesh(
            "A-MC-10",
            json!({"meshMTLS": {"minProtocolVersion": "TLSV1_3"}}),
            json!({"meshMTLS": {"ecdhCurves": ["P-256"]}}),
            "meshMTLS.ecdhCurves",
        ),
        mesh(
            "A-MC-11",
            json!({"tlsDefaults": {"ecdhCurves": ["P-256", "X25519MLKEM768"]}}),
            json!({"tlsDefaults": {"ecdhCurves": ["P-256", "p-521"]}}),
            "tlsDefaults.ecdhCurves",
        ),
        mesh(
            "A-MC-12",
            json!({"tlsDefaults": {"ecdhCurves": ["P-256", "X25519"]}}),
            json!({"tlsDefaults": {"ecdhCurves": ["P-256", "P-256"]}}),
            "tlsDefaults.ecdhCurves",
        ),
        mesh(
            "A-MC-20",
            json!({"discoverySelectors": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}),
            json!({"discoverySelectors": [{"matchExpressions": [{"key": "a", "operator": "exists"}]}]}),
            "discoverySelectors[0].matchExpressions[0].operator",
        ),
        mesh(
            "A-MC-21",
            json!({"defaultProviders": {"metrics": ["prometheus"]}}),
            json!({"defaultProviders": {"metrics": ["envoy"]}}),
            "defaultProviders.metrics[0]",
        ),
    ]
}

fn traffic() -> Vec<Case> {
    let inbound = |retries: Value| json!({"defaultInboundHttpRetryPolicy": retries});
    vec![
        mesh(
            "A-MC-13",
            json!({"defaultTrafficPolicy": {"connectionPool": {"http": {"http2KeepAlive": {}}}}}),
            json!({"defaultTrafficPolicy": {"connectionPool": {"tcp": {"maxConnections": -1}}}}),
            "defaultTrafficPolicy.connectionPool.tcp.maxConnections",
        ),
        mesh(
            "A-MC-14",
            json!({"defaultTrafficPolicy": {"outlierDetection": {"consecutiveErrors": 3}}}),
            json!({"defaultTrafficPolicy": {"outlierDetection": {"minHealthPercent": 101}}}),
            "defaultTrafficPolicy.outlierDetection.minHealthPercent",
        ),
        mesh(
            "A-MC-15",
            inbound(json!({"attempts": 2, "retryOn": "reset,503"})),
            inbound(json!({"attempts": -1})),
            "defaultInboundHttpRetryPolicy.attempts",
        ),
        mesh(
            "A-MC-16",
            inbound(json!({"attempts": 1, "backoff": "1s"})),
            inbound(json!({"backoff": "1s"})),
            "defaultInboundHttpRetryPolicy.backoff",
        ),
        mesh(
            "A-MC-17",
            inbound(json!({"attempts": 1})),
            inbound(json!({"attempts": 1, "retryIgnorePreviousHosts": false})),
            "defaultInboundHttpRetryPolicy.retryIgnorePreviousHosts",
        ),
        mesh(
            "A-MC-19",
            json!({"defaultHttpRetryPolicy": {"attempts": 2}}),
            json!({"defaultHttpRetryPolicy": {"attempts": 2, "retryOn": "sometimes"}}),
            "defaultHttpRetryPolicy.retryOn",
        ),
    ]
}

/// Changes to the default configuration of proxies.
fn proxy(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    mesh(
        id,
        json!({"defaultConfig": pass}),
        json!({"defaultConfig": fail}),
        path,
    )
}

fn proxies() -> Vec<Case> {
    let mut without = mesh("A-MC-5", json!({}), json!({}), "defaultConfig");
    without.fail.spec["defaultConfig"] = json!(null);
    vec![
        without,
        proxy(
            "A-MP-1",
            json!({}),
            json!({"configPath": null}),
            "defaultConfig.configPath",
        ),
        proxy(
            "A-MP-2",
            json!({}),
            json!({"binaryPath": null}),
            "defaultConfig.binaryPath",
        ),
        proxy(
            "A-MP-3",
            json!({}),
            json!({"serviceCluster": ""}),
            "defaultConfig.serviceCluster",
        ),
        proxy(
            "A-MP-4",
            json!({"serviceCluster": null, "tracingServiceName": "CANONICAL_NAME_ONLY"}),
            json!({"serviceCluster": null}),
            "defaultConfig.serviceCluster",
        ),
        proxy(
            "A-MP-5",
            json!({"drainDuration": "1s"}),
            json!({"drainDuration": null}),
            "defaultConfig.drainDuration",
        ),
        proxy(
            "A-MP-6",
            json!({"drainDuration": "2s"}),
            json!({"drainDuration": "1500ms"}),
            "defaultConfig.drainDuration",
        ),
        proxy(
            "A-MP-7",
            json!({}),
            json!({"discoveryAddress": null}),
            "defaultConfig.discoveryAddress",
        ),
        proxy(
            "A-MP-8",
            json!({"discoveryAddress": "[2001:db8::1]:15012"}),
            json!({"discoveryAddress": "istiod"}),
            "defaultConfig.discoveryAddress",
        ),
        proxy(
            "A-MP-9",
            json!({"tracing": {"lightstep": {"address": "a:1", "accessToken": "t"}}}),
            json!({"tracing": {"lightstep": {"address": "a:1"}}}),
            "defaultConfig.tracing.lightstep.accessToken",
        ),
        proxy(
            "A-MP-10",
            json!({"tracing": {"zipkin": {"address": "$(HOST_IP):9411"}}}),
            json!({"tracing": {"datadog": {"address": "agent"}}}),
            "defaultConfig.tracing.datadog.address",
        ),
        proxy(
            "A-MP-11",
            json!({"tracing": {"tlsSettings": {"mode": "SIMPLE"}}}),
            json!({"tracing": {"tlsSettings": {"mode": "SIMPLE", "credentialName": "configmap://a/b"}}}),
            "defaultConfig.tracing.tlsSettings.credentialName",
        ),
        proxy(
            "A-MP-13",
            json!({"envoyMetricsService": {}}),
            json!({"envoyMetricsService": {"address": "metrics"}}),
            "defaultConfig.envoyMetricsService.address",
        ),
        proxy(
            "A-MP-14",
            json!({"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}),
            json!({"proxyMetadata": {"ISTIO_META_DNS_AUTO_ALLOCATE": "true"}}),
            "defaultConfig.proxyMetadata.ISTIO_META_DNS_AUTO_ALLOCATE",
        ),
        proxy(
            "A-MP-15",
            json!({"statusPort": 1}),
            json!({"statusPort": 0}),
            "defaultConfig.statusPort",
        ),
        proxy(
            "A-MP-16",
            json!({"controlPlaneAuthPolicy": "NONE"}),
            json!({"controlPlaneAuthPolicy": "INHERIT"}),
            "defaultConfig.controlPlaneAuthPolicy",
        ),
    ]
}

fn connections() -> Vec<Case> {
    let keys = |provider: Value| json!({"privateKeyProvider": provider});
    let settings = |settings: Value| json!({"connectionSettings": settings});
    vec![
        proxy(
            "A-MP-17",
            keys(json!({"qat": {"pollDelay": "1ms"}})),
            keys(json!({})),
            "defaultConfig.privateKeyProvider",
        ),
        proxy(
            "A-MP-18",
            keys(json!({"cryptomb": {"pollDelay": "1ns"}})),
            keys(json!({"cryptomb": {}})),
            "defaultConfig.privateKeyProvider.cryptomb.pollDelay",
        ),
        proxy(
            "A-MP-19",
            keys(json!({"qat": {"pollDelay": "-1s"}})),
            keys(json!({"qat": {"pollDelay": "0s"}})),
            "defaultConfig.privateKeyProvider.qat.pollDelay",
        ),
        proxy(
            "A-MP-20",
            settings(json!({"listenerPerConnectionBufferLimitBytes": 0})),
            settings(json!({"clusterPerConnectionBufferLimitBytes": -1})),
            "defaultConfig.connectionSettings.clusterPerConnectionBufferLimitBytes",
        ),
        proxy(
            "A-MP-21",
            settings(json!({"httpIdleTimeout": "0s"})),
            settings(json!({"httpStreamIdleTimeout": "-1s"})),
            "defaultConfig.connectionSettings.httpStreamIdleTimeout",
        ),
        proxy(
            "A-MP-22",
            settings(json!({"listenerConnectionLimit": 1})),
            settings(json!({"listenerConnectionLimit": 0})),
            "defaultConfig.connectionSettings.listenerConnectionLimit",
        ),
        proxy(
            "A-MP-23",
            settings(json!({"http2InitialStreamWindowSize": 65535})),
            settings(json!({"http2InitialConnectionWindowSize": 65534})),
            "defaultConfig.connectionSettings.http2InitialConnectionWindowSize",
        ),
    ]
}

/// Cases of a single provider.
fn provider(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    let list = |provider: Value| json!({"extensionProviders": [provider]});
    mesh(id, list(pass), list(fail), path)
}

fn providers() -> Vec<Case> {
    let file = json!({"name": "file", "envoyFileAccessLog": {}});
    let zipkin =
        |service: &str, port: u32| json!({"name": "z", "zipkin": {"service": service, "port": port}});
    let check = |field: &str, value: &str| json!({"name": "c", "envoyExtAuthzHttp": {"service": "check.shop.svc", "port": 80, field: value}});
    let twice = || json!({"extensionProviders": [file.clone(), file.clone()]});
    vec![
        provider(
            "A-EP-1",
            file.clone(),
            json!({"envoyFileAccessLog": {}}),
            "extensionProviders[0].name",
        ),
        mesh("A-EP-2", json!({}), twice(), "extensionProviders[1].name"),
        mesh("A-MC-18", json!({}), twice(), "extensionProviders"),
        provider(
            "A-EP-3",
            file.clone(),
            json!({"name": "none"}),
            "extensionProviders[0]",
        ),
        provider(
            "A-EP-4",
            zipkin("tracing/zipkin.tracing.svc", 9411),
            zipkin("zipkin:9411", 9411),
            "extensionProviders[0].zipkin.service",
        ),
        provider(
            "A-EP-5",
            zipkin("2001:db8::1", 9411),
            zipkin("zipkin", 0),
            "extensionProviders[0].zipkin.port",
        ),
        provider(
            "A-EP-6",
            check("statusOnError", "503"),
            check("statusOnError", "600"),
            "extensionProviders[0].envoyExtAuthzHttp.statusOnError",
        ),
        provider(
            "A-EP-7",
            check("pathPrefix", "/a%20b"),
            check("pathPrefix", "/a%2"),
            "extensionProviders[0].envoyExtAuthzHttp.pathPrefix",
        ),
        provider(
            "A-EP-8",
            check("pathPrefix", "/a"),
            check("pathPrefix", "a"),
            "extensionProviders[0].envoyExtAuthzHttp.pathPrefix",
        ),
        provider(
            "A-EP-9",
            json!({"name": "l", "lightstep": {"service": "l", "port": 1, "accessToken": "t"}}),
            json!({"name": "l", "lightstep": {"service": "l", "port": 1}}),
            "extensionProviders[0].lightstep.accessToken",
        ),
        provider(
            "A-EP-10",
            json!({"name": "o", "opentelemetry": {"service": "o", "port": 1, "grpc": {}}}),
            json!({"name": "o", "opentelemetry": {"service": "o", "port": 1, "grpc": {}, "http": {}}}),
            "extensionProviders[0].opentelemetry.grpc",
        ),
    ]
}

fn networks() -> Vec<Case> {
    let kind = document_key("MeshNetworks", "meshNetworks").kind;
    let case = |id, pass: Value, fail: Value, path| {
        let network = |network: Value| json!({"networks": {"east": network}});
        super::case(id, &kind, network(pass), network(fail), path)
    };
    let endpoints = |endpoints: Value| json!({"endpoints": [endpoints]});
    let gateway = |gateway: Value| json!({"gateways": [gateway]});
    vec![
        case(
            "A-MN-1",
            endpoints(json!({"fromCidr": "10.0.0.0/8"})),
            endpoints(json!({"fromCidr": "10.0.0.0/33"})),
            "networks.east.endpoints[0].fromCidr",
        ),
        case(
            "A-MN-2",
            endpoints(json!({"fromRegistry": "Kubernetes"})),
            endpoints(json!({"fromRegistry": "a.b"})),
            "networks.east.endpoints[0].fromRegistry",
        ),
        case(
            "A-MN-3",
            gateway(json!({"registryServiceName": "gw.istio-system.svc", "port": 443})),
            gateway(json!({"registryServiceName": "*.svc", "port": 443})),
            "networks.east.gateways[0].registryServiceName",
        ),
        case(
            "A-MN-4",
            gateway(json!({"address": "gw.example.com", "port": 443})),
            gateway(json!({"address": "gw@example", "port": 443})),
            "networks.east.gateways[0].address",
        ),
        case(
            "A-MN-5",
            gateway(json!({"address": "2001:db8::1", "port": 443})),
            gateway(json!({"address": "2001:db8::1"})),
            "networks.east.gateways[0].port",
        ),
    ]
}
