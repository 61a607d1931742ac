use super::*;

const KIND: Kind = Kind::DestinationRule;

fn dr(patch: Value) -> Value {
    patched(json!({"host": "a.com", "trafficPolicy": {"tls": {}}}), patch)
}

fn policy(policy: Value) -> Value {
    dr(json!({ "trafficPolicy": policy }))
}

fn case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &KIND, pass, fail, path)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = objects();
    cases.extend(pools());
    cases.extend(load_balancers());
    cases.extend(localities());
    cases.extend(client_tls());
    cases
}

fn objects() -> Vec<Case> {
    let subset = |name: &str| json!({"name": name, "labels": {"v": "1"}});
    let detect = |detection: Value| policy(json!({"outlierDetection": detection}));
    let port = |settings: Value| policy(json!({"portLevelSettings": [settings]}));
    let tunnel = |patch: Value| {
        policy(json!({"tunnel": patched(json!({"targetHost": "a.com", "targetPort": 80}), patch)}))
    };
    vec![
        case(
            "A-DR-1",
            dr(json!({"host": "*"})),
            dr(json!({"host": "a_b"})),
            "spec.host",
        ),
        case(
            "A-DR-3",
            dr(json!({"subsets": [subset("a"), subset("b")]})),
            dr(json!({"subsets": [subset("a"), subset("a")]})),
            "spec.subsets[1].name",
        ),
        case(
            "A-DR-4",
            dr(json!({"exportTo": ["*"]})),
            dr(json!({"exportTo": ["~"]})),
            "spec.exportTo[0]",
        ),
        case(
            "A-DR-5",
            dr(json!({"workloadSelector": {"matchLabels": {"a": "b"}}})),
            dr(json!({"workloadSelector": {"matchLabels": {"a": "*"}}})),
            "spec.workloadSelector.matchLabels.a",
        ),
        case(
            "A-DR-6",
            dr(json!({"subsets": [subset("a")]})),
            dr(json!({"subsets": [subset("")]})),
            "spec.subsets[0].name",
        ),
        case(
            "A-DR-7",
            dr(json!({"subsets": [subset("a")]})),
            dr(json!({"subsets": [{"name": "a", "labels": {"v": "1 2"}}]})),
            "spec.subsets[0].labels.v",
        ),
        case(
            "A-DR-8",
            policy(json!({"tls": {}})),
            dr(json!({"subsets": [{"name": "a", "trafficPolicy": {}}]})),
            "spec.subsets[0].trafficPolicy",
        ),
        case(
            "A-DR-9",
            tunnel(json!({})),
            policy(json!({"tunnel": {"targetHost": "a.com", "targetPort": 80}, "proxyProtocol": {}})),
            "spec.trafficPolicy.proxyProtocol",
        ),
        case(
            "A-DR-10",
            detect(json!({"interval": "1s", "baseEjectionTime": "1m"})),
            detect(json!({"interval": "0s"})),
            "spec.trafficPolicy.outlierDetection.interval",
        ),
        case(
            "A-DR-11",
            detect(json!({"consecutive5xxErrors": 1})),
            detect(json!({"consecutiveErrors": 1})),
            "spec.trafficPolicy.outlierDetection.consecutiveErrors",
        ),
        case(
            "A-DR-12",
            detect(json!({"consecutiveLocalOriginFailures": 1, "splitExternalLocalOriginErrors": true})),
            detect(json!({"consecutiveLocalOriginFailures": 1})),
            "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures",
        ),
        case(
            "A-DR-13",
            detect(json!({"maxEjectionPercent": 100, "minHealthPercent": 0})),
            detect(json!({"minHealthPercent": -1})),
            "spec.trafficPolicy.outlierDetection.minHealthPercent",
        ),
        case(
            "A-DR-37",
            port(json!({"port": {"number": 80}, "tls": {}})),
            port(json!({"tls": {}})),
            "spec.trafficPolicy.portLevelSettings[0].port",
        ),
        case(
            "A-DR-38",
            port(json!({"port": {"number": 80}, "tls": {}})),
            port(json!({"port": {"number": 80}})),
            "spec.trafficPolicy.portLevelSettings[0]",
        ),
        case(
            "A-DR-39",
            tunnel(json!({"protocol": "POST"})),
            tunnel(json!({"protocol": "post"})),
            "spec.trafficPolicy.tunnel.protocol",
        ),
        case(
            "A-DR-40",
            tunnel(json!({"targetHost": "::1"})),
            tunnel(json!({"targetHost": "*.a"})),
            "spec.trafficPolicy.tunnel.targetHost",
        ),
        case(
            "A-DR-41",
            tunnel(json!({})),
            tunnel(json!({"targetPort": 0})),
            "spec.trafficPolicy.tunnel.targetPort",
        ),
        case(
            "A-DR-42",
            policy(json!({"proxyProtocol": {"version": "V2"}})),
            policy(json!({"proxyProtocol": {"version": 2}})),
            "spec.trafficPolicy.proxyProtocol.version",
        ),
    ]
}

fn pools() -> Vec<Case> {
    let tcp = |settings: Value| policy(json!({"connectionPool": {"tcp": settings}}));
    let http = |settings: Value| policy(json!({"connectionPool": {"http": settings}}));
    vec![
        case(
            "A-DR-14",
            tcp(json!({})),
            policy(json!({"connectionPool": {}})),
            "spec.trafficPolicy.connectionPool",
        ),
        case(
            "A-DR-15",
            http(json!({"maxRetries": 0})),
            http(json!({"maxRetries": -1})),
            "spec.trafficPolicy.connectionPool.http.maxRetries",
        ),
        case(
            "A-DR-16",
            http(json!({"idleTimeout": "1s"})),
            http(json!({"idleTimeout": "0s"})),
            "spec.trafficPolicy.connectionPool.http.idleTimeout",
        ),
        case(
            "A-DR-17",
            http(json!({"h2UpgradePolicy": "UPGRADE"})),
            http(json!({"h2UpgradePolicy": "UPGRADE", "useClientProtocol": true})),
            "spec.trafficPolicy.connectionPool.http.useClientProtocol",
        ),
        case(
            "A-DR-18",
            http(json!({"http2KeepAlive": {"interval": "1s", "timeout": "1s"}})),
            http(json!({"http2KeepAlive": {"interval": "1s"}})),
            "spec.trafficPolicy.connectionPool.http.http2KeepAlive.timeout",
        ),
        case(
            "A-DR-19",
            tcp(json!({"maxConnections": 1})),
            tcp(json!({"maxConnections": -1})),
            "spec.trafficPolicy.connectionPool.tcp.maxConnections",
        ),
        case(
            "A-DR-20",
            tcp(json!({"connectTimeout": "1s", "tcpKeepalive": {"time": "1h"}})),
            tcp(json!({"tcpKeepalive": {"interval": "1us"}})),
            "spec.trafficPolicy.connectionPool.tcp.tcpKeepalive.interval",
        ),
        case(
            "A-DR-21",
            tcp(json!({"idleTimeout": "500us"})),
            tcp(json!({"idleTimeout": "1500us"})),
            "spec.trafficPolicy.connectionPool.tcp.idleTimeout",
        ),
    ]
}

fn load_balancers() -> Vec<Case> {
    let balancer = |settings: Value| policy(json!({"loadBalancer": settings}));
    let hash = |settings: Value| balancer(json!({"consistentHash": settings}));
    let cookie = |attributes: Value| hash(json!({"httpCookie": {"name": "c", "attributes": attributes}}));
    let maglev = |size: u64| hash(json!({"useSourceIp": true, "maglev": {"tableSize": size}}));
    let warmup = |patch: Value| balancer(json!({"warmup": patched(json!({"duration": "10s"}), patch)}));
    vec![
        case(
            "A-DR-22",
            cookie(json!([])),
            hash(json!({"httpCookie": {}})),
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.name",
        ),
        case(
            "A-DR-23",
            cookie(json!([{"name": "SameSite"}])),
            cookie(json!([{"value": "x"}])),
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[0].name",
        ),
        case(
            "A-DR-24",
            cookie(json!([{"name": "a"}, {"name": "b"}])),
            cookie(json!([{"name": "a"}, {"name": "a"}])),
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[1].name",
        ),
        case(
            "A-DR-25",
            hash(json!({"useSourceIp": true, "ringHash": {"minimumRingSize": 1}})),
            hash(json!({"useSourceIp": true, "minimumRingSize": 1})),
            "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize",
        ),
        case(
            "A-DR-26",
            hash(json!({"useSourceIp": true, "minimumRingSize": 1})),
            hash(json!({"useSourceIp": true, "minimumRingSize": 1, "ringHash": {}})),
            "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize",
        ),
        case(
            "A-DR-27",
            maglev(65537),
            maglev(0),
            "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        ),
        case(
            "A-DR-28",
            maglev(4_999_999),
            maglev(5_000_011),
            "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        ),
        case(
            "A-DR-29",
            maglev(1),
            maglev(65539 * 3),
            "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        ),
        case(
            "A-DR-30",
            balancer(json!({"zoneAwareLbSetting": {}})),
            balancer(json!({"zoneAwareLbSetting": {}, "localityLbSetting": {}})),
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting",
        ),
        case(
            "A-DR-32",
            warmup(json!({})),
            warmup(json!({"duration": null})),
            "spec.trafficPolicy.loadBalancer.warmup.duration",
        ),
        case(
            "A-DR-33",
            warmup(json!({"minimumPercent": 100.0})),
            warmup(json!({"minimumPercent": 100.5})),
            "spec.trafficPolicy.loadBalancer.warmup.minimumPercent",
        ),
        case(
            "A-DR-34",
            warmup(json!({"aggression": 0.1})),
            warmup(json!({"aggression": 0.0})),
            "spec.trafficPolicy.loadBalancer.warmup.aggression",
        ),
    ]
}

fn localities() -> Vec<Case> {
    let local = |settings: Value| {
        policy(json!({"outlierDetection": {}, "loadBalancer": {"localityLbSetting": settings}}))
    };
    let zonal = |settings: Value| {
        policy(json!({"outlierDetection": {}, "loadBalancer": {"zoneAwareLbSetting": settings}}))
    };
    let undetected = |field: &str, settings: Value| policy(json!({"loadBalancer": { field: settings }}));
    let to = |to: Value| local(json!({"distribute": [{"from": "r", "to": to}]}));
    let fail_over = |from: &str, to: &str| json!({"failover": [{"from": from, "to": to}]});
    let fine = || local(fail_over("a", "b"));
    let region = "topology.kubernetes.io/region";
    const LOCAL: &str = "spec.trafficPolicy.loadBalancer.localityLbSetting";
    const FAILOVER: &str = "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0]";
    const TO: &str = "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to";
    vec![
        case(
            "A-LB-1",
            fine(),
            local(
                json!({"failover": [{"from": "a", "to": "b"}], "distribute": [{"from": "r", "to": {"r": 100}}]}),
            ),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.failover",
        ),
        case(
            "A-LB-2",
            local(json!({"failover": [{"from": "a", "to": "b"}], "failoverPriority": ["version"]})),
            local(json!({"failover": [{"from": "a", "to": "b"}], "failoverPriority": [region]})),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority",
        ),
        case(
            "A-LB-3",
            to(json!({"r": 100})),
            to(json!({"r": 0, "s": 100})),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to.r",
        ),
        case("A-LB-4", to(json!({"r": 40, "s": 60})), to(json!({"r": 40})), TO),
        case(
            "A-LB-5",
            to(json!({"r/*": 100})),
            to(json!({"r/*/s": 100})),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to[\"r/*/s\"]",
        ),
        case(
            "A-LB-6",
            to(json!({"r/z/s": 100})),
            to(json!({"r//s": 100})),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to[\"r//s\"]",
        ),
        case(
            "A-LB-7",
            local(
                json!({"distribute": [{"from": "r/z", "to": {"r": 100}}, {"from": "*", "to": {"r": 100}}]}),
            ),
            local(
                json!({"distribute": [{"from": "*", "to": {"r": 100}}, {"from": "r/z", "to": {"r": 100}}]}),
            ),
            "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[1].from",
        ),
        case(
            "A-LB-8",
            fine(),
            undetected("localityLbSetting", fail_over("a", "b")),
            LOCAL,
        ),
        case("A-LB-9", fine(), local(fail_over("a", "a")), FAILOVER),
        case("A-LB-10", fine(), local(fail_over("a/z", "b")), FAILOVER),
        case("A-LB-11", fine(), local(fail_over("a", "b*")), FAILOVER),
        case(
            "A-LB-12",
            zonal(json!({"failoverPriority": ["version"]})),
            zonal(json!({"failoverPriority": ["version", region]})),
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failoverPriority[1]",
        ),
        case(
            "A-LB-13",
            zonal(fail_over("a", "b")),
            undetected("zoneAwareLbSetting", fail_over("a", "b")),
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting",
        ),
        case(
            "A-LB-14",
            zonal(fail_over("a", "b")),
            zonal(fail_over("a", "b/z")),
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[0]",
        ),
    ]
}

fn client_tls() -> Vec<Case> {
    let tls = |mode: &str, patch: Value| policy(json!({"tls": patched(json!({ "mode": mode }), patch)}));
    let files = json!({"clientCertificate": "/c", "privateKey": "/k"});
    let with = |patch: Value| tls("MUTUAL", patched(files.clone(), patch));
    const CREDENTIAL: &str = "spec.trafficPolicy.tls.credentialName";
    const SKIP: &str = "spec.trafficPolicy.tls.insecureSkipVerify";
    vec![
        case(
            "A-CT-1",
            tls("SIMPLE", json!({"credentialName": "configmap://ca"})),
            tls("SIMPLE", json!({"credentialName": "configmap://"})),
            CREDENTIAL,
        ),
        case(
            "A-CT-2",
            tls("SIMPLE", json!({"credentialName": "configmap://shop/ca"})),
            tls("SIMPLE", json!({"credentialName": "configmap://other/ca"})),
            CREDENTIAL,
        ),
        case(
            "A-CT-3",
            tls("SIMPLE", json!({"insecureSkipVerify": true})),
            tls(
                "SIMPLE",
                json!({"insecureSkipVerify": true, "credentialName": "c"}),
            ),
            SKIP,
        ),
        case(
            "A-CT-4",
            tls(
                "MUTUAL",
                json!({"insecureSkipVerify": true, "credentialName": "c"}),
            ),
            with(json!({"insecureSkipVerify": true, "subjectAltNames": ["a"]})),
            SKIP,
        ),
        case(
            "A-CT-5",
            tls("MUTUAL", json!({"credentialName": "c"})),
            with(json!({"credentialName": "c"})),
            CREDENTIAL,
        ),
        case(
            "A-CT-6",
            with(json!({})),
            with(json!({"clientCertificate": null})),
            "spec.trafficPolicy.tls.clientCertificate",
        ),
        case(
            "A-CT-7",
            with(json!({})),
            with(json!({"privateKey": null})),
            "spec.trafficPolicy.tls.privateKey",
        ),
    ]
}
