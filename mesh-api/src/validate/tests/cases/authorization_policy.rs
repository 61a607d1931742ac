use super::*;

pub(super) fn cases() -> Vec<Case> {
    [actions(), sources(), operations(), conditions()]
        .into_iter()
        .flatten()
        .collect()
}

fn policy_case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &Kind::AuthorizationPolicy, pass, fail, path)
}

fn rule(rule: Value) -> Value {
    json!({ "rules": [rule] })
}

fn source(source: Value) -> Value {
    rule(json!({"from": [{ "source": source }]}))
}

fn operation(operation: Value) -> Value {
    rule(json!({"to": [{ "operation": operation }]}))
}

fn condition(key: &str, values: Value) -> Value {
    rule(json!({"when": [{"key": key, "values": values}]}))
}

fn actions() -> Vec<Case> {
    let case = policy_case;
    let custom = |rule: Value| json!({"action": "CUSTOM", "provider": {"name": "ext"}, "rules": [rule]});
    let dry_run = |action: &str, value: &str| {
        let mut object = Object::new(
            Kind::AuthorizationPolicy,
            json!({"action": action, "rules": [{}]}),
        );
        object.meta = object.meta.with_annotation("istio.io/dry-run", value);
        object
    };
    let dry_runs = |id, fail| Case {
        id,
        pass: dry_run("DENY", "F"),
        fail,
        path: "metadata.annotations[\"istio.io/dry-run\"]",
    };
    vec![
        dry_runs("A-MV-2", dry_run("ALLOW", "yes")),
        dry_runs("A-MV-3", dry_run("AUDIT", "true")),
        case(
            "A-AP-1",
            json!({"targetRefs": [{"kind": "Service", "name": "a"}]}),
            json!({"targetRefs": [{"kind": "Pod", "name": "a"}]}),
            "spec.targetRefs[0].kind",
        ),
        case(
            "A-AP-2",
            custom(json!({})),
            json!({"action": "CUSTOM", "provider": {"name": "ext"}}),
            "spec.rules",
        ),
        case(
            "A-AP-3",
            custom(json!({})),
            json!({"action": "CUSTOM", "rules": [{}]}),
            "spec.provider.name",
        ),
        case(
            "A-AP-4",
            custom(json!({"from": [{"source": {"ipBlocks": ["1.2.3.4"]}}]})),
            custom(json!({"from": [{"source": {"notNamespaces": ["a"]}}]})),
            "spec.rules[0].from[0].source.notNamespaces",
        ),
        case(
            "A-AP-5",
            custom(json!({"when": [{"key": "connection.sni", "values": ["a"]}]})),
            custom(json!({"when": [{"key": "request.auth.claims[a]", "values": ["a"]}]})),
            "spec.rules[0].when[0].key",
        ),
        case(
            "A-AP-6",
            json!({"action": "AUDIT"}),
            json!({"action": "AUDIT", "provider": {"name": "ext"}}),
            "spec.provider",
        ),
        case(
            "A-AP-7",
            json!({"action": "DENY", "rules": [{}]}),
            json!({"action": "DENY"}),
            "spec.rules",
        ),
        case(
            "A-AP-36",
            json!({"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["GET"], "ports": ["80"]}}]}]}),
            json!({"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]}),
            "spec.rules[0]",
        ),
    ]
}

fn sources() -> Vec<Case> {
    let case = |id, pass, fail, path| policy_case(id, source(pass), source(fail), path);
    vec![
        policy_case(
            "A-AP-10",
            source(json!({"namespaces": ["a"]})),
            rule(json!({"from": [{}]})),
            "spec.rules[0].from[0].source",
        ),
        case(
            "A-AP-11",
            json!({"serviceAccounts": ["a/b"], "ipBlocks": ["1.2.3.4"]}),
            json!({"serviceAccounts": ["a/b"], "notNamespaces": ["c"]}),
            "spec.rules[0].from[0].source.serviceAccounts",
        ),
        case(
            "A-AP-12",
            json!({"trustDomains": ["a"]}),
            json!({}),
            "spec.rules[0].from[0].source",
        ),
        case(
            "A-AP-13",
            json!({"ipBlocks": ["10.0.0.0/8"], "notRemoteIpBlocks": ["::1"]}),
            json!({"notRemoteIpBlocks": ["::1", "10.0.0.0/64"]}),
            "spec.rules[0].from[0].source.notRemoteIpBlocks[1]",
        ),
        case(
            "A-AP-14",
            json!({"principals": ["*"]}),
            json!({"principals": ["a", ""]}),
            "spec.rules[0].from[0].source.principals[1]",
        ),
        case(
            "A-AP-15",
            json!({"serviceAccounts": (["a"; 16])}),
            json!({"serviceAccounts": (["a"; 17])}),
            "spec.rules[0].from[0].source.serviceAccounts",
        ),
        case(
            "A-AP-16",
            json!({"notServiceAccounts": ["a/b"]}),
            json!({"notServiceAccounts": ["a/*"]}),
            "spec.rules[0].from[0].source.notServiceAccounts[0]",
        ),
        case(
            "A-AP-17",
            json!({"serviceAccounts": ["a", "a/b"]}),
            json!({"serviceAccounts": ["a/b", "a/"]}),
            "spec.rules[0].from[0].source.serviceAccounts[1]",
        ),
        case(
            "A-AP-18",
            json!({"serviceAccounts": ["a".repeat(320)]}),
            json!({"serviceAccounts": ["a".repeat(321)]}),
            "spec.rules[0].from[0].source.serviceAccounts[0]",
        ),
        case(
            "A-AP-19",
            json!({"trustDomains": ["*", "*-a", "a*"]}),
            json!({"trustDomains": ["a*b"]}),
            "spec.rules[0].from[0].source.trustDomains[0]",
        ),
    ]
}

fn operations() -> Vec<Case> {
    let case = |id, pass, fail, path| policy_case(id, operation(pass), operation(fail), path);
    let path_case = |id, pass: &str, fail: &str| {
        let path = "spec.rules[0].to[0].operation.paths[0]";
        case(id, json!({"paths": [pass]}), json!({"paths": [fail]}), path)
    };
    vec![
        policy_case(
            "A-AP-20",
            operation(json!({"hosts": ["a"]})),
            rule(json!({"to": [{}]})),
            "spec.rules[0].to[0].operation",
        ),
        case(
            "A-AP-21",
            json!({"notHosts": ["a"]}),
            json!({}),
            "spec.rules[0].to[0].operation",
        ),
        case(
            "A-AP-22",
            json!({"ports": ["0", "65535"]}),
            json!({"ports": ["80", "+80"]}),
            "spec.rules[0].to[0].operation.ports[1]",
        ),
        case(
            "A-AP-23",
            json!({"methods": ["GET"]}),
            json!({"methods": [""]}),
            "spec.rules[0].to[0].operation.methods[0]",
        ),
        path_case("A-AP-24", "/a/{*}/b/{**}", "/a/{**}/{*}"),
        path_case("A-AP-25", "/{*}/a/", "/{a}"),
        path_case("A-AP-26", "/a/*", "/{*}/*"),
    ]
}

fn conditions() -> Vec<Case> {
    let key = "spec.rules[0].when[0].key";
    let value = "spec.rules[0].when[0].values[0]";
    let when = |condition: Value| rule(json!({ "when": [condition] }));
    let keys = |id, pass: &str, fail: &str| {
        policy_case(
            id,
            condition(pass, json!(["a"])),
            condition(fail, json!(["a"])),
            key,
        )
    };
    let values = |id, key: &str, pass: &str, fail: &str| {
        policy_case(
            id,
            condition(key, json!([pass])),
            condition(key, json!([fail])),
            value,
        )
    };
    vec![
        keys("A-AP-27", "source.namespace", ""),
        policy_case(
            "A-AP-28",
            when(json!({"key": "connection.sni", "notValues": ["a"]})),
            when(json!({"key": "connection.sni"})),
            "spec.rules[0].when[0]",
        ),
        values("A-AP-29", "connection.sni", "a", ""),
        keys("A-AP-30", "request.headers[x-a]", "request.headers[]"),
        values("A-AP-31", "destination.ip", "10.0.0.0/8", "a"),
        values("A-AP-32", "destination.port", "80", "http"),
        values("A-AP-33", "source.trustDomain", "a*", "a*b"),
        keys("A-AP-34", "request.auth.claims[a][b]", "destination.labels[a]"),
        keys("A-AP-35", "source.principal", "source.user"),
    ]
}
