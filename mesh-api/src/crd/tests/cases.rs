//! One passing and one failing object per rule or part of one.

use serde_json::{Value, json};

use crate::kind::Kind;

pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    pub(super) pass: Value,
    pub(super) fail: Value,
    /// Where the failing object breaks the rule, and only there.
    pub(super) path: &'static str,
}

pub(super) fn all() -> Vec<Case> {
    [
        structure(),
        metadata(),
        selectors(),
        envoy_filter(),
        destination_rule(),
        gateway(),
        workloads(),
        virtual_service(),
        security(),
        telemetry(),
        extensions(),
        others(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case of two specs; the path is below `spec`.
fn case(id: &'static str, kind: &Kind, pass: Value, fail: Value, path: &'static str) -> Case {
    let object = |spec: Value| json!({ "metadata": {"name": "name"}, "spec": spec });
    Case {
        id,
        kind: kind.clone(),
        pass: object(pass),
        fail: object(fail),
        path,
    }
}

fn structure() -> Vec<Case> {
    let vs = |pass, fail, path| case("A-CR-2", &Kind::VirtualService, pass, fail, path);
    let dr = |pass: Value, fail: Value, path| {
        let policy = |value: Value| json!({"host": "a", "trafficPolicy": value});
        case("A-CR-2", &Kind::DestinationRule, policy(pass), policy(fail), path)
    };
    vec![
        vs(json!({"hosts": ["a"]}), json!({"hosts": "a"}), "spec.hosts"),
        vs(json!({"hosts": ["a"]}), json!({"hosts": [1]}), "spec.hosts[0]"),
        vs(json!({"hosts": null}), json!({"hosts": [null]}), "spec.hosts[0]"),
        vs(json!({"hosts": []}), json!({"host": []}), "spec.host"),
        // api.md 3.3: two names alone are not in camelCase
        vs(
            json!({"http": [{"mirror_percent": 1}]}),
            json!({"http": [{"mirror_percentage": {"value": 1}}]}),
            "spec.http[0].mirror_percentage",
        ),
        vs(
            json!({"http": [{"retries": {"retryIgnorePreviousHosts": null}}]}),
            json!({"http": [{"match": [{"sourceLabels": {"a": null}}]}]}),
            "spec.http[0].match[0].sourceLabels.a",
        ),
        vs(
            json!({"http": [{"directResponse": {"status": 80.0}}]}),
            json!({"http": [{"directResponse": {"status": 80.5}}]}),
            "spec.http[0].directResponse.status",
        ),
        vs(
            json!({"http": [{"directResponse": {"status": 4294967295u32}}]}),
            json!({"http": [{"directResponse": {"status": 4294967296u64}}]}),
            "spec.http[0].directResponse.status",
        ),
        vs(
            json!({"http": [{"retries": {"attempts": -1}}]}),
            json!({"http": [{"retries": {"attempts": 2147483648u32}}]}),
            "spec.http[0].retries.attempts",
        ),
        vs(
            json!({"http": [{"directResponse": {"status": 80}}]}),
            json!({"http": [{"directResponse": {"status": "80"}}]}),
            "spec.http[0].directResponse.status",
        ),
        dr(
            json!({"tls": {"mode": "SIMPLE"}}),
            json!({"tls": {"mode": "simple"}}),
            "spec.trafficPolicy.tls.mode",
        ),
        dr(
            json!({"tls": {"mode": "SIMPLE"}}),
            json!({"tls": {"mode": 1}}),
            "spec.trafficPolicy.tls.mode",
        ),
        dr(
            json!({"tls": {"insecureSkipVerify": null}}),
            json!({"tls": {"insecureSkipVerify": "true"}}),
            "spec.trafficPolicy.tls.insecureSkipVerify",
        ),
        dr(
            json!({"loadBalancer": {"consistentHash": {"maglev": {"tableSize": u64::MAX}}}}),
            json!({"loadBalancer": {"consistentHash": {"maglev": {"tableSize": -1}}}}),
            "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        ),
        case(
            "A-CR-2",
            &Kind::WasmPlugin,
            json!({"url": "a/b", "pluginConfig": {"any": [null, {"thing": 1.5}]}}),
            json!({"url": "a/b", "pluginConfig": ["a"]}),
            "spec.pluginConfig",
        ),
    ]
}

fn metadata() -> Vec<Case> {
    let object = |metadata: Value| json!({ "metadata": metadata, "spec": {} });
    let case = |id, pass: Value, fail: Value, path| Case {
        id,
        kind: Kind::VirtualService,
        pass: object(pass),
        fail: object(fail),
        path,
    };
    let long = |length: usize| "a".repeat(length);
    vec![
        case(
            "A-MET-4",
            json!({"name": "a.b-c.9"}),
            json!({"name": "A"}),
            "metadata.name",
        ),
        case(
            "A-MET-4",
            json!({"name": long(253)}),
            json!({"name": long(254)}),
            "metadata.name",
        ),
        case(
            "A-MET-4",
            json!({"generateName": "a-"}),
            json!({"name": "a."}),
            "metadata.name",
        ),
        case(
            "A-MET-4",
            json!({"namespace": long(63)}),
            json!({"namespace": "a.b"}),
            "metadata.namespace",
        ),
        case(
            "A-MET-5",
            json!({"labels": {"app.kubernetes.io/name": "A_1.b"}}),
            json!({"labels": {"app": "-"}}),
            "metadata.labels.app",
        ),
        case(
            "A-MET-5",
            json!({"labels": {"a": long(63)}}),
            json!({"labels": {"a": long(64)}}),
            "metadata.labels.a",
        ),
        case(
            "A-MET-5",
            json!({"labels": {"a.b/c": "d"}}),
            json!({"labels": {"A.b/c": "d"}}),
            "metadata.labels[\"A.b/c\"]",
        ),
        case(
            "A-MET-5",
            json!({"annotations": {"A.b/c": "any text"}}),
            json!({"annotations": {"a/b/c": ""}}),
            "metadata.annotations[\"a/b/c\"]",
        ),
        case(
            "A-MET-5",
            json!({"annotations": {"a": long((256 << 10) - 1)}}),
            json!({"annotations": {"a": long(256 << 10)}}),
            "metadata.annotations",
        ),
    ]
}

fn selectors() -> Vec<Case> {
    let target = |patch: Value| {
        let mut target = json!({"kind": "Service", "name": "a"});
        target
            .as_object_mut()
            .unwrap()
            .extend(patch.as_object().unwrap().clone());
        json!({"targetRefs": [target]})
    };
    let target = |pass, fail, path| {
        case(
            "A-CR-10",
            &Kind::AuthorizationPolicy,
            target(pass),
            target(fail),
            path,
        )
    };
    let targets = |count: usize| json!({"targetRefs": vec![json!({"kind": "Service", "name": "a"}); count]});
    let labels = |labels: Value| json!({"selector": {"matchLabels": labels}});
    let labels = |pass, fail, path| case("A-CR-11", &Kind::Telemetry, labels(pass), labels(fail), path);
    let many = |count: usize| -> Value {
        (0..count)
            .map(|index| (format!("l{index}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let workloads = |labels: Value| json!({"workloadSelector": {"labels": labels}});
    let workloads =
        |pass, fail, path| case("A-CR-12", &Kind::Sidecar, workloads(pass), workloads(fail), path);
    vec![
        // group and kind are free here, istiod limits them
        target(
            json!({"group": "a.b-c", "kind": "Any-1"}),
            json!({"group": "a..b"}),
            "spec.targetRefs[0].group",
        ),
        target(
            json!({"group": ""}),
            json!({"group": "A"}),
            "spec.targetRefs[0].group",
        ),
        target(json!({}), json!({"kind": "1a"}), "spec.targetRefs[0].kind"),
        target(
            json!({"kind": "a".repeat(63)}),
            json!({"kind": "a".repeat(64)}),
            "spec.targetRefs[0].kind",
        ),
        target(
            json!({"name": "*"}),
            json!({"name": null}),
            "spec.targetRefs[0].name",
        ),
        target(
            json!({"namespace": ""}),
            json!({"namespace": "b"}),
            "spec.targetRefs[0].namespace",
        ),
        case(
            "A-CR-10",
            &Kind::EnvoyFilter,
            targets(16),
            targets(17),
            "spec.targetRefs",
        ),
        labels(json!({"a": ""}), json!({"a": "*"}), "spec.selector.matchLabels.a"),
        labels(
            json!({"a": "b"}),
            json!({"a*": "b"}),
            "spec.selector.matchLabels[\"a*\"]",
        ),
        labels(json!({}), json!({"": "b"}), "spec.selector.matchLabels[\"\"]"),
        labels(
            json!({"a": "ä".repeat(63)}),
            json!({"a": "ä".repeat(64)}),
            "spec.selector.matchLabels.a",
        ),
        labels(many(4096), many(4097), "spec.selector.matchLabels"),
        workloads(
            json!({"a*": "b"}),
            json!({"a": "b*"}),
            "spec.workloadSelector.labels.a",
        ),
        workloads(many(256), many(257), "spec.workloadSelector.labels"),
    ]
}

fn envoy_filter() -> Vec<Case> {
    let case = |id, pass, fail, path| case(id, &Kind::EnvoyFilter, pass, fail, path);
    let patch = |matches: Value| json!({"configPatches": [{"match": matches}]});
    let waypoint = |port: u32| patch(json!({"context": "WAYPOINT", "waypoint": {"portNumber": port}}));
    let target = json!([{"kind": "Gateway", "name": "a"}]);
    vec![
        case(
            "A-CR-13",
            json!({"targetRefs": target}),
            json!({"targetRefs": target, "workloadSelector": {}}),
            "spec.workloadSelector",
        ),
        case(
            "A-CR-14",
            patch(json!({"context": "GATEWAY", "listener": {}})),
            patch(json!({"context": "GATEWAY", "waypoint": {}})),
            "spec.configPatches[0].match.waypoint",
        ),
        case(
            "A-CR-14",
            patch(json!({})),
            patch(json!({"context": "WAYPOINT", "cluster": {}})),
            "spec.configPatches[0].match",
        ),
        case(
            "A-CR-14",
            patch(json!({"cluster": {}})),
            patch(json!({"cluster": {}, "listener": {}})),
            "spec.configPatches[0].match.listener",
        ),
        case(
            "A-CR-15",
            waypoint(65535),
            waypoint(0),
            "spec.configPatches[0].match.waypoint.portNumber",
        ),
    ]
}

fn destination_rule() -> Vec<Case> {
    let rule = |id, pass, fail, path| case(id, &Kind::DestinationRule, pass, fail, path);
    let policy = |id, pass: Value, fail: Value, path| {
        let policy = |value: Value| json!({"host": "a", "trafficPolicy": value});
        case(id, &Kind::DestinationRule, policy(pass), policy(fail), path)
    };
    let balancer = |id, pass: Value, fail: Value, path| {
        policy(
            id,
            json!({"loadBalancer": pass}),
            json!({"loadBalancer": fail}),
            path,
        )
    };
    let connect = |timeout: &str| json!({"connectionPool": {"tcp": {"connectTimeout": timeout}}});
    let cookie = |cookie: Value| json!({"consistentHash": {"httpCookie": cookie}});
    vec![
        rule("A-CR-16", json!({"host": "a"}), json!({}), "spec.host"),
        rule(
            "A-CR-16",
            json!({"host": "a", "subsets": [{"name": "b"}]}),
            json!({"host": "a", "subsets": [{}]}),
            "spec.subsets[0].name",
        ),
        policy(
            "A-CR-16",
            json!({"tunnel": {"targetHost": "a", "targetPort": 1}}),
            json!({"tunnel": {"targetHost": "a"}}),
            "spec.trafficPolicy.tunnel.targetPort",
        ),
        balancer(
            "A-CR-16",
            json!({"warmup": {"duration": "1s", "aggression": 0}}),
            json!({"warmup": {}}),
            "spec.trafficPolicy.loadBalancer.warmup.duration",
        ),
        balancer(
            "A-CR-16",
            cookie(json!({"name": "a", "attributes": [{"name": "b"}]})),
            cookie(json!({"name": "a", "attributes": [{"value": "b"}]})),
            "spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[0].name",
        ),
        policy(
            "A-CR-17",
            connect("1ms"),
            connect("500us"),
            "spec.trafficPolicy.connectionPool.tcp.connectTimeout",
        ),
        // istiod wants whole milliseconds (A-DR-20)
        policy(
            "A-CR-17",
            connect("1.5ms"),
            connect("5"),
            "spec.trafficPolicy.connectionPool.tcp.connectTimeout",
        ),
        policy(
            "A-CR-17",
            json!({"connectionPool": {"tcp": {"idleTimeout": "never"}}}),
            json!({"connectionPool": {"http": {"idleTimeout": "0s"}}}),
            "spec.trafficPolicy.connectionPool.http.idleTimeout",
        ),
        policy(
            "A-CR-18",
            json!({"outlierDetection": {"outlierDetectionHttpErrorCodes": [100, 599]}}),
            json!({"outlierDetection": {"outlierDetectionHttpErrorCodes": [500, 600]}}),
            "spec.trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes[1]",
        ),
        policy(
            "A-CR-19",
            json!({"retryBudget": {"percent": 100, "budgetInterval": "0"}}),
            json!({"retryBudget": {"percent": 100.5}}),
            "spec.trafficPolicy.retryBudget.percent",
        ),
        balancer(
            "A-CR-20",
            json!({"zoneAwareLbSetting": {"minClusterSize": 1}}),
            json!({"zoneAwareLbSetting": {"minClusterSize": 0}}),
            "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.minClusterSize",
        ),
        policy(
            "A-CR-21",
            json!({"outlierDetection": {"consecutive5xxErrors": 0}}),
            json!({"outlierDetection": {"consecutive5xxErrors": -1}}),
            "spec.trafficPolicy.outlierDetection.consecutive5xxErrors",
        ),
        balancer(
            "A-CR-22",
            json!({"simple": "RANDOM"}),
            json!({"simple": "RANDOM", "consistentHash": {}}),
            "spec.trafficPolicy.loadBalancer.simple",
        ),
        balancer(
            "A-CR-22",
            json!({"consistentHash": {"useSourceIp": true, "maglev": {}}}),
            json!({"consistentHash": {"useSourceIp": true, "httpHeaderName": "a"}}),
            "spec.trafficPolicy.loadBalancer.consistentHash.useSourceIp",
        ),
        balancer(
            "A-CR-22",
            json!({"consistentHash": {"ringHash": {}}}),
            json!({"consistentHash": {"maglev": {}, "ringHash": {}}}),
            "spec.trafficPolicy.loadBalancer.consistentHash.ringHash",
        ),
    ]
}

fn gateway() -> Vec<Case> {
    let case = |id, pass, fail, path| case(id, &Kind::Gateway, pass, fail, path);
    let port = json!({"number": 443, "protocol": "HTTPS", "name": "https"});
    let tls = |tls: Value| json!({"servers": [{"port": port, "hosts": [], "tls": tls}]});
    vec![
        case(
            "A-CR-23",
            tls(json!({"credentialName": "a", "tlsCertificates": [{}]})),
            tls(json!({"credentialNames": ["a"], "credentialName": "b"})),
            "spec.servers[0].tls.credentialNames",
        ),
        case(
            "A-CR-23",
            tls(json!({"credentialNames": ["a", "b"]})),
            tls(json!({"credentialNames": ["a", "b", "c"]})),
            "spec.servers[0].tls.credentialNames",
        ),
        case(
            "A-CR-23",
            tls(json!({"tlsCertificates": [{}]})),
            tls(json!({"tlsCertificates": []})),
            "spec.servers[0].tls.tlsCertificates",
        ),
        case(
            "A-CR-24",
            json!({"servers": [{"port": port, "hosts": []}]}),
            json!({"servers": [{"port": port}]}),
            "spec.servers[0].hosts",
        ),
        case(
            "A-CR-24",
            json!({"servers": [{"port": port, "hosts": []}]}),
            json!({"servers": [{"port": {"number": 1, "name": "a"}, "hosts": []}]}),
            "spec.servers[0].port.protocol",
        ),
    ]
}

fn workloads() -> Vec<Case> {
    let entry = |pass: Value, fail: Value, path| {
        let spec = |patch: Value| {
            let mut spec = json!({"hosts": ["a.com"]});
            spec.as_object_mut()
                .unwrap()
                .extend(patch.as_object().unwrap().clone());
            spec
        };
        case("A-CR-25", &Kind::ServiceEntry, spec(pass), spec(fail), path)
    };
    let ports = |ports: &[(&str, u32)]| {
        let ports: Vec<Value> = ports
            .iter()
            .map(|(name, number)| json!({"name": name, "number": number}))
            .collect();
        json!({ "ports": ports })
    };
    let endpoint = json!({"address": "1.1.1.1"});
    let workload = |pass, fail, path| case("A-CR-26", &Kind::WorkloadEntry, pass, fail, path);
    let address = |text: &str| json!({ "address": text });
    let with_port = |name: &str| json!({"address": "a", "ports": {name: 80}});
    let group = |pass: Value, fail: Value, path| {
        let spec = |probe: Value| json!({"template": {}, "probe": probe});
        case("A-CR-27", &Kind::WorkloadGroup, spec(pass), spec(fail), path)
    };
    vec![
        entry(
            json!({"hosts": vec!["a"; 256]}),
            json!({"hosts": vec!["a"; 257]}),
            "spec.hosts",
        ),
        entry(json!({"hosts": ["*.a"]}), json!({"hosts": []}), "spec.hosts"),
        entry(json!({}), json!({"hosts": ["*"]}), "spec.hosts[0]"),
        entry(
            json!({"addresses": ["a".repeat(64)]}),
            json!({"addresses": ["a".repeat(65)]}),
            "spec.addresses[0]",
        ),
        entry(
            ports(&[("a", 80), ("b", 81)]),
            ports(&[("a", 80), ("a", 81)]),
            "spec.ports[1].name",
        ),
        entry(ports(&[("a", 1)]), ports(&[("a", 80), ("b", 80)]), "spec.ports"),
        entry(
            ports(&[("a", 65535)]),
            ports(&[("a", 65536)]),
            "spec.ports[0].number",
        ),
        entry(
            json!({"resolution": "DNS", "addresses": ["1.1.1.1"]}),
            json!({"resolution": "DNS", "addresses": ["1.1.1.0/24"]}),
            "spec.resolution",
        ),
        entry(
            json!({"resolution": "STATIC", "endpoints": [endpoint]}),
            json!({"endpoints": [endpoint]}),
            "spec.endpoints",
        ),
        entry(
            json!({"resolution": "DNS_ROUND_ROBIN", "endpoints": [endpoint]}),
            json!({"resolution": "DNS_ROUND_ROBIN", "endpoints": [endpoint, endpoint]}),
            "spec.endpoints",
        ),
        entry(
            json!({"resolution": "STATIC", "workloadSelector": {}}),
            json!({"resolution": "STATIC", "workloadSelector": {}, "endpoints": [endpoint]}),
            "spec.endpoints",
        ),
        // a document without `spec`
        Case {
            id: "A-CR-25",
            kind: Kind::ServiceEntry,
            pass: json!({"spec": {"hosts": ["a"]}}),
            fail: json!({"spec": null}),
            path: "spec",
        },
        workload(json!({"network": "n"}), json!({"weight": 1}), "spec"),
        workload(address("unix:///a"), address("unix://a"), "spec.address"),
        workload(address("unix://@a"), address("unix://a/b"), "spec.address"),
        workload(address("unix:///a"), address("unix:///a/"), "spec.address"),
        workload(
            address("unix:///a"),
            json!({"address": "unix:///a", "ports": {}}),
            "spec.ports",
        ),
        workload(with_port(&"a".repeat(62)), with_port("a_b"), "spec.ports.a_b"),
        workload(
            with_port("a"),
            json!({"address": "a", "ports": {"a": 0}}),
            "spec.ports.a",
        ),
        workload(
            json!({"network": "ä".repeat(2048)}),
            json!({"network": "ä".repeat(2049)}),
            "spec.network",
        ),
        group(
            json!({"httpGet": {"port": 1, "scheme": ""}}),
            json!({"httpGet": {"port": 1, "scheme": "http"}}),
            "spec.probe.httpGet.scheme",
        ),
        group(
            json!({"tcpSocket": {"port": 1}}),
            json!({"tcpSocket": {}}),
            "spec.probe.tcpSocket.port",
        ),
        group(
            json!({"grpc": {"port": 1}}),
            json!({"grpc": {}, "exec": {"command": ["a"]}}),
            "spec.probe.grpc",
        ),
        group(
            json!({"periodSeconds": 0}),
            json!({"periodSeconds": -1}),
            "spec.probe.periodSeconds",
        ),
        group(
            json!({"httpGet": {"port": 1, "httpHeaders": [{"name": "a_B-1"}]}}),
            json!({"httpGet": {"port": 1, "httpHeaders": [{"name": "a.b"}]}}),
            "spec.probe.httpGet.httpHeaders[0].name",
        ),
        case(
            "A-CR-27",
            &Kind::WorkloadGroup,
            json!({"template": {}}),
            json!({}),
            "spec.template",
        ),
    ]
}

fn virtual_service() -> Vec<Case> {
    let http = |pass: Value, fail: Value, path| {
        let spec = |route: Value| json!({"http": [route]});
        case("A-CR-28", &Kind::VirtualService, spec(pass), spec(fail), path)
    };
    let spec = |pass, fail, path| case("A-CR-28", &Kind::VirtualService, pass, fail, path);
    vec![
        http(
            json!({"redirect": {"port": 1}}),
            json!({"redirect": {"port": 1, "derivePort": "FROM_REQUEST_PORT"}}),
            "spec.http[0].redirect.port",
        ),
        http(
            json!({"match": [{"headers": {"a": {}}}]}),
            json!({"match": [{"headers": {"a": {"exact": "", "regex": "b"}}}]}),
            "spec.http[0].match[0].headers.a.regex",
        ),
        http(
            json!({"directResponse": {"status": 0}}),
            json!({"directResponse": {}}),
            "spec.http[0].directResponse.status",
        ),
        http(
            json!({"directResponse": {"status": 1, "body": {"bytes": "aGk="}}}),
            json!({"directResponse": {"status": 1, "body": {"bytes": "a=Gk"}}}),
            "spec.http[0].directResponse.body.bytes",
        ),
        http(
            json!({"route": [{"destination": {"host": ""}}]}),
            json!({"route": [{"destination": {}}]}),
            "spec.http[0].route[0].destination.host",
        ),
        http(
            json!({"mirrors": [{"destination": {"host": "a"}}]}),
            json!({"mirrors": [{"percentage": {"value": 1}}]}),
            "spec.http[0].mirrors[0].destination",
        ),
        spec(
            json!({"tls": [{"match": [{"sniHosts": []}]}]}),
            json!({"tls": [{"match": [{}]}]}),
            "spec.tls[0].match[0].sniHosts",
        ),
        spec(
            json!({"tls": [{"match": []}]}),
            json!({"tls": [{}]}),
            "spec.tls[0].match",
        ),
        spec(
            json!({"tcp": [{}]}),
            json!({"tcp": [{"route": [{}]}]}),
            "spec.tcp[0].route[0].destination",
        ),
    ]
}

fn security() -> Vec<Case> {
    let policy = |pass, fail, path| case("A-CR-29", &Kind::AuthorizationPolicy, pass, fail, path);
    let source = |source: Value| json!({"rules": [{"from": [{"source": source}]}]});
    let peer = |pass, fail, path| case("A-CR-31", &Kind::PeerAuthentication, pass, fail, path);
    let ports = |ports: Value| json!({"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": ports});
    let jwt = |pass: Value, fail: Value, path| {
        let spec = |rule: Value| json!({"jwtRules": [rule]});
        case(
            "A-CR-30",
            &Kind::RequestAuthentication,
            spec(pass),
            spec(fail),
            path,
        )
    };
    vec![
        policy(
            json!({"rules": vec![json!({}); 512]}),
            json!({"rules": vec![json!({}); 513]}),
            "spec.rules",
        ),
        policy(
            source(json!({"serviceAccounts": vec!["a/b"; 16]})),
            source(json!({"serviceAccounts": vec!["a/b"; 17]})),
            "spec.rules[0].from[0].source.serviceAccounts",
        ),
        policy(
            source(json!({"serviceAccounts": ["a/b"], "requestPrincipals": ["c"]})),
            source(json!({"serviceAccounts": ["a/b"], "notNamespaces": []})),
            "spec.rules[0].from[0].source.serviceAccounts",
        ),
        policy(
            json!({"rules": [{"when": [{"key": ""}]}]}),
            json!({"rules": [{"when": [{"values": ["a"]}]}]}),
            "spec.rules[0].when[0].key",
        ),
        jwt(
            json!({"jwks": "any"}),
            json!({"jwks": "any", "jwksUri": "http://a"}),
            "spec.jwtRules[0].jwks",
        ),
        jwt(
            json!({"jwks_uri": "https://a"}),
            json!({"jwksUri": "ftp://a"}),
            "spec.jwtRules[0].jwksUri",
        ),
        jwt(
            json!({"outputClaimToHeaders": [{"header": "a_b", "claim": "c"}]}),
            json!({"outputClaimToHeaders": [{"header": "a.b", "claim": "c"}]}),
            "spec.jwtRules[0].outputClaimToHeaders[0].header",
        ),
        jwt(
            json!({"spaceDelimitedClaims": vec!["a"; 64]}),
            json!({"spaceDelimitedClaims": vec!["a"; 65]}),
            "spec.jwtRules[0].spaceDelimitedClaims",
        ),
        peer(
            ports(json!({"1": {}})),
            ports(json!({"0": {}})),
            "spec.portLevelMtls.0",
        ),
        peer(
            ports(json!({"65535": {}})),
            ports(json!({"http": {}})),
            "spec.portLevelMtls.http",
        ),
        peer(ports(json!({"1": {}})), ports(json!({})), "spec.portLevelMtls"),
        peer(
            json!({"selector": {}}),
            json!({"selector": {}, "portLevelMtls": {"1": {}}}),
            "spec.portLevelMtls",
        ),
    ]
}

fn telemetry() -> Vec<Case> {
    let case = |pass, fail, path| case("A-CR-32", &Kind::Telemetry, pass, fail, path);
    let tag = |tag: Value| json!({"metrics": [{"overrides": [{"tagOverrides": {"a": tag}}]}]});
    let tracing = |tracing: Value| json!({"tracing": [tracing]});
    vec![
        case(
            tracing(json!({"randomSamplingPercentage": 0})),
            tracing(json!({"randomSamplingPercentage": 100.01})),
            "spec.tracing[0].randomSamplingPercentage",
        ),
        case(
            tracing(json!({"customTags": {"a": {}}})),
            tracing(json!({"customTags": {"a": {"literal": {}}}})),
            "spec.tracing[0].customTags.a.literal.value",
        ),
        case(
            tracing(json!({"providers": [{"name": "a"}]})),
            tracing(json!({"providers": [{}]})),
            "spec.tracing[0].providers[0].name",
        ),
        // without an operation the CRD does not ask (A-TL-5 does)
        case(
            tag(json!({})),
            tag(json!({"operation": "UPSERT", "value": ""})),
            "spec.metrics[0].overrides[0].tagOverrides.a.operation",
        ),
        case(
            tag(json!({"operation": "REMOVE"})),
            tag(json!({"operation": "REMOVE", "value": ""})),
            "spec.metrics[0].overrides[0].tagOverrides.a.value",
        ),
    ]
}

fn extensions() -> Vec<Case> {
    let wasm = |pass: Value, fail: Value, path| {
        let spec = |patch: Value| {
            let mut spec = json!({"url": "oci://a/b"});
            spec.as_object_mut()
                .unwrap()
                .extend(patch.as_object().unwrap().clone());
            spec
        };
        case("A-CR-33", &Kind::WasmPlugin, spec(pass), spec(fail), path)
    };
    let env = |variable: Value| json!({"vmConfig": {"env": [{"name": "a"}, variable]}});
    let extension = |id, pass, fail, path| case(id, &Kind::TrafficExtension, pass, fail, path);
    let lua = |code: String| json!({"lua": {"inlineCode": code}});
    vec![
        wasm(
            json!({"url": "reg.io/img:1"}),
            json!({"url": "reg:5000/img"}),
            "spec.url",
        ),
        wasm(json!({"url": "/a"}), json!({"url": "ftp://a"}), "spec.url"),
        wasm(
            json!({"sha256": ""}),
            json!({"sha256": "A".repeat(64)}),
            "spec.sha256",
        ),
        wasm(
            json!({"sha256": "a".repeat(64)}),
            json!({"sha256": "a".repeat(63)}),
            "spec.sha256",
        ),
        wasm(
            env(json!({"name": "b"})),
            env(json!({"name": "a"})),
            "spec.vmConfig.env[1].name",
        ),
        wasm(
            env(json!({"name": "b", "valueFrom": "HOST"})),
            env(json!({"name": "b", "valueFrom": "HOST", "value": ""})),
            "spec.vmConfig.env[1].value",
        ),
        wasm(
            json!({"match": [{"ports": [{"number": 1}, {"number": 2}]}]}),
            json!({"match": [{"ports": [{"number": 1}, {"number": 1}]}]}),
            "spec.match[0].ports[1].number",
        ),
        wasm(
            json!({"match": [{"ports": [{"number": 65535}]}]}),
            json!({"match": [{"ports": [{"number": 65536}]}]}),
            "spec.match[0].ports[0].number",
        ),
        extension(
            "A-CR-33",
            json!({"wasm": {"url": "a"}}),
            json!({"wasm": {}}),
            "spec.wasm.url",
        ),
        extension(
            "A-CR-34",
            lua("x".repeat(65536)),
            lua("x".repeat(65537)),
            "spec.lua.inlineCode",
        ),
        extension("A-CR-34", lua("x".into()), json!({}), "spec"),
        extension(
            "A-CR-34",
            lua("x".into()),
            json!({"lua": {"inlineCode": "x"}, "wasm": {"url": "a"}}),
            "spec.wasm",
        ),
    ]
}

fn others() -> Vec<Case> {
    let proxy = |pass, fail, path| case("A-CR-35", &Kind::ProxyConfig, pass, fail, path);
    let sidecar = |pass, fail, path| case("A-CR-36", &Kind::Sidecar, pass, fail, path);
    let variable = |length: usize| json!({"environmentVariables": {"A": "x".repeat(length)}});
    vec![
        proxy(
            json!({"concurrency": 0}),
            json!({"concurrency": -1}),
            "spec.concurrency",
        ),
        proxy(variable(2048), variable(2049), "spec.environmentVariables.A"),
        sidecar(
            json!({"egress": [{"hosts": []}]}),
            json!({"egress": [{}]}),
            "spec.egress[0].hosts",
        ),
        sidecar(
            json!({"ingress": [{"port": {}}]}),
            json!({"ingress": [{}]}),
            "spec.ingress[0].port",
        ),
        sidecar(
            json!({"outboundTrafficPolicy": {"egressProxy": {"host": "a"}}}),
            json!({"outboundTrafficPolicy": {"egressProxy": {}}}),
            "spec.outboundTrafficPolicy.egressProxy.host",
        ),
        case(
            "A-CR-37",
            &Kind::RequestAuthentication,
            json!({"jwtRules": [{"issuer": "a"}]}),
            json!({"jwtRules": [{"issuer": ""}]}),
            "spec.jwtRules[0].issuer",
        ),
        case(
            "A-CR-37",
            &Kind::Telemetry,
            json!({"accessLogging": [{"providers": [{"name": "a"}]}]}),
            json!({"accessLogging": [{"providers": [{"name": ""}]}]}),
            "spec.accessLogging[0].providers[0].name",
        ),
    ]
}
