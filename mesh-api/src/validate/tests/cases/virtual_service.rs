use super::*;

const KIND: Kind = Kind::VirtualService;

/// A valid object, changed.
fn vs(patch: Value) -> Value {
    patched(
        json!({"hosts": ["a.com"], "http": [{"route": [{"destination": {"host": "b"}}]}]}),
        patch,
    )
}

/// A valid object whose one HTTP route is changed.
fn http(patch: Value) -> Value {
    vs(json!({"http": [patched(json!({"route": [{"destination": {"host": "b"}}]}), patch)]}))
}

/// The same with one condition.
fn condition(condition: Value) -> Value {
    http(json!({ "match": [condition] }))
}

/// A valid object with one TLS route, changed.
fn tls(patch: Value) -> Value {
    let route = json!({"match": [{"sniHosts": ["a.com"]}], "route": [{"destination": {"host": "b"}}]});
    vs(json!({"http": null, "tls": [patched(route, patch)]}))
}

fn sni(condition: Value) -> Value {
    tls(json!({"match": [patched(json!({"sniHosts": ["a.com"]}), condition)]}))
}

/// Routes with these lists of conditions.
fn routes(conditions: Value) -> Value {
    let routes = conditions.as_array().unwrap().iter();
    let routes: Vec<Value> = routes
        .map(|list| json!({"match": list, "route": [{"destination": {"host": "b"}}]}))
        .collect();
    vs(json!({ "http": routes }))
}

const OK: fn() -> Value = || vs(json!({}));

pub(super) fn cases() -> Vec<Case> {
    let mut cases = objects();
    cases.extend(actions());
    cases.extend(conditions());
    cases.extend(policies());
    cases.extend(l4());
    cases
}

fn case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &KIND, pass, fail, path)
}

fn objects() -> Vec<Case> {
    let delegate = json!({"hosts": null});
    let claim = json!({"match": [{"headers": {"@request.auth.claims.sub": {"exact": "x"}}}]});
    let gateway = |patch: Value| patched(http(patch), json!({"gateways": ["ns/gw"]}));
    vec![
        case(
            "A-VS-1",
            vs(delegate.clone()),
            vs(json!({"hosts": null, "gateways": ["ns/gw"]})),
            "spec.gateways",
        ),
        case(
            "A-VS-2",
            vs(delegate.clone()),
            patched(tls(json!({})), delegate.clone()),
            "spec.tls",
        ),
        case(
            "A-VS-3",
            vs(delegate.clone()),
            vs(json!({"hosts": null, "tcp": [{"route": [{"destination": {"host": "b"}}]}]})),
            "spec.tcp",
        ),
        case(
            "A-VS-4",
            vs(json!({"gateways": ["ns/gw"]})),
            vs(json!({"gateways": ["a/b/c"]})),
            "spec.gateways[0]",
        ),
        case(
            "A-VS-5",
            gateway(claim.clone()),
            http(claim),
            "spec.http[0].match[0].headers[\"@request.auth.claims.sub\"]",
        ),
        case(
            "A-VS-6",
            vs(json!({"hosts": ["*.a.com", "1.2.3.4", "short"]})),
            vs(json!({"hosts": ["a_b"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-VS-7",
            gateway(json!({})),
            patched(gateway(json!({})), json!({"hosts": ["outbound_.80_._.a.com"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-VS-8",
            vs(json!({"hosts": ["*"], "gateways": ["ns/gw"]})),
            vs(json!({"hosts": ["*"], "gateways": ["ns/gw", "mesh"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-VS-9",
            vs(json!({"hosts": ["a.com", "b.com"]})),
            vs(json!({"hosts": ["a.com", "*.com"]})),
            "spec.hosts[1]",
        ),
        case("A-VS-10", OK(), vs(json!({"http": null})), "spec"),
        case(
            "A-VS-12",
            vs(json!({"exportTo": [".", "x"]})),
            vs(json!({"exportTo": ["x", "X_Y"]})),
            "spec.exportTo[1]",
        ),
    ]
}

fn actions() -> Vec<Case> {
    let root = json!({"delegate": {"name": "d"}, "route": null});
    let redirect =
        |patch: Value| http(json!({"route": null, "redirect": patched(json!({"uri": "/x"}), patch)}));
    let direct =
        |patch: Value| http(json!({"route": null, "directResponse": patched(json!({"status": 503}), patch)}));
    let fault = json!({"abort": {"httpStatus": 500}});
    let rewrite = |patch: Value| http(json!({ "rewrite": patch }));
    let also = |base: Value, patch: Value| {
        let route = patched(base["http"][0].clone(), patch);
        vs(json!({ "http": [route] }))
    };
    let routed = json!({"route": [{"destination": {"host": "b"}}]});
    let body = |size: usize| direct(json!({"body": {"string": "x".repeat(size)}}));
    let two = |a: i32, b: i32| {
        http(json!({"route": [
            {"destination": {"host": "b"}, "weight": a},
            {"destination": {"host": "c"}, "weight": b},
        ]}))
    };
    vec![
        case(
            "A-VS-13",
            http(root.clone()),
            also(http(root.clone()), json!({"redirect": {"uri": "/"}})),
            "spec.http[0].redirect",
        ),
        case(
            "A-VS-14",
            http(root.clone()),
            http(json!({"delegate": {"name": "d"}})),
            "spec.http[0].route",
        ),
        case(
            "A-VS-15",
            vs(json!({"hosts": null})),
            patched(http(json!({"delegate": {"name": "d"}})), json!({"hosts": null})),
            "spec.http[0].delegate",
        ),
        case(
            "A-VS-16",
            redirect(json!({})),
            also(redirect(json!({})), routed.clone()),
            "spec.http[0].route",
        ),
        case(
            "A-VS-17",
            redirect(json!({})),
            also(redirect(json!({})), json!({"fault": fault})),
            "spec.http[0].fault",
        ),
        case(
            "A-VS-18",
            redirect(json!({})),
            also(redirect(json!({})), json!({"rewrite": {"uri": "/"}})),
            "spec.http[0].rewrite",
        ),
        case(
            "A-VS-19",
            redirect(json!({})),
            also(redirect(json!({})), json!({"directResponse": {"status": 200}})),
            "spec.http[0].directResponse",
        ),
        case(
            "A-VS-20",
            direct(json!({})),
            also(direct(json!({})), routed),
            "spec.http[0].route",
        ),
        case(
            "A-VS-21",
            direct(json!({})),
            also(direct(json!({})), json!({"fault": fault})),
            "spec.http[0].fault",
        ),
        case(
            "A-VS-22",
            direct(json!({})),
            also(direct(json!({})), json!({"rewrite": {"uri": "/"}})),
            "spec.http[0].rewrite",
        ),
        case("A-VS-23", OK(), http(json!({"route": null})), "spec.http[0]"),
        case(
            "A-VS-24",
            http(json!({"mirror": {"host": "m"}})),
            http(json!({"mirror": {"host": "m"}, "mirrors": [{"destination": {"host": "m"}}]})),
            "spec.http[0].mirrors",
        ),
        case(
            "A-VS-63",
            redirect(json!({})),
            redirect(json!({"prefixRewrite": "/y"})),
            "spec.http[0].redirect.prefixRewrite",
        ),
        case(
            "A-VS-64",
            also(
                redirect(json!({"uri": null, "prefixRewrite": "/y"})),
                json!({"match": [{"uri": {"prefix": "/a"}}]}),
            ),
            also(
                redirect(json!({"uri": null, "prefixRewrite": "/y"})),
                json!({"match": [{"uri": {}}]}),
            ),
            "spec.http[0].redirect.prefixRewrite",
        ),
        case(
            "A-VS-65",
            redirect(json!({"uri": null, "port": 0})),
            redirect(json!({"uri": null})),
            "spec.http[0].redirect",
        ),
        case(
            "A-VS-66",
            redirect(json!({"redirectCode": 308})),
            redirect(json!({"redirectCode": 200})),
            "spec.http[0].redirect.redirectCode",
        ),
        case(
            "A-VS-67",
            redirect(json!({"scheme": "https"})),
            redirect(json!({"scheme": "ftp"})),
            "spec.http[0].redirect.scheme",
        ),
        case(
            "A-VS-68",
            redirect(json!({"port": 8080})),
            redirect(json!({"port": 65536})),
            "spec.http[0].redirect.port",
        ),
        case(
            "A-VS-69",
            body(1 << 20),
            body((1 << 20) + 1),
            "spec.http[0].directResponse.body",
        ),
        case(
            "A-VS-70",
            body(100 << 10),
            body((100 << 10) + 1),
            "spec.http[0].directResponse.body",
        ),
        case(
            "A-VS-71",
            direct(json!({"status": 600})),
            direct(json!({"status": 601})),
            "spec.http[0].directResponse.status",
        ),
        case(
            "A-VS-76",
            rewrite(json!({"uri": "/x"})),
            rewrite(json!({"uri": "/x", "uriRegexRewrite": {}})),
            "spec.http[0].rewrite.uriRegexRewrite",
        ),
        case(
            "A-VS-77",
            rewrite(json!({"authority": "x"})),
            rewrite(json!({})),
            "spec.http[0].rewrite",
        ),
        case(
            "A-VS-78",
            rewrite(json!({"uriRegexRewrite": {"match": "a", "rewrite": "b"}})),
            rewrite(json!({"uriRegexRewrite": {"match": "a"}})),
            "spec.http[0].rewrite.uriRegexRewrite",
        ),
        case(
            "A-VS-79",
            rewrite(json!({"uriRegexRewrite": {"match": "a+", "rewrite": "b"}})),
            rewrite(json!({"uriRegexRewrite": {"match": "a++", "rewrite": "b"}})),
            "spec.http[0].rewrite.uriRegexRewrite.match",
        ),
        case(
            "A-VS-80",
            http(json!({"rewrite": {"authority": "x"}, "headers": {"request": {"set": {"y": "z"}}}})),
            http(json!({"rewrite": {"authority": "x"}, "headers": {"request": {"set": {"Host": "z"}}}})),
            "spec.http[0].headers.request.set.Host",
        ),
        case(
            "A-VS-81",
            OK(),
            http(json!({"route": [{}]})),
            "spec.http[0].route[0].destination",
        ),
        case("A-VS-82", two(1, 0), two(2, -1), "spec.http[0].route[1].weight"),
        case("A-VS-83", two(1, 0), two(0, 0), "spec.http[0].route"),
        case(
            "A-VS-84",
            http(json!({"timeout": "1ms"})),
            http(json!({"timeout": "0s"})),
            "spec.http[0].timeout",
        ),
    ]
}

fn conditions() -> Vec<Case> {
    vec![
        case(
            "A-VS-26",
            condition(json!({"headers": {"x-a": {"exact": "b"}, ":path": {}}})),
            condition(json!({"headers": {":host": {}}})),
            "spec.http[0].match[0].headers[\":host\"]",
        ),
        case(
            "A-VS-27",
            condition(json!({"withoutHeaders": {"x-a": {}}})),
            condition(json!({"withoutHeaders": {"a b": {}}})),
            "spec.http[0].match[0].withoutHeaders[\"a b\"]",
        ),
        case(
            "A-VS-28",
            condition(json!({"uri": {"prefix": ""}, "method": {"exact": ""}})),
            condition(json!({"method": {"prefix": ""}})),
            "spec.http[0].match[0].method.prefix",
        ),
        case(
            "A-VS-29",
            condition(json!({"uri": {"regex": "a"}})),
            condition(json!({"uri": {"regex": ""}})),
            "spec.http[0].match[0].uri.regex",
        ),
        case(
            "A-VS-30",
            condition(json!({"withoutHeaders": {"a": {"regex": "*"}}})),
            condition(json!({"headers": {"a": {"regex": "*"}}})),
            "spec.http[0].match[0].headers.a.regex",
        ),
        case(
            "A-VS-31",
            condition(json!({"port": 65535})),
            condition(json!({"port": 65536})),
            "spec.http[0].match[0].port",
        ),
        case(
            "A-VS-32",
            condition(json!({"sourceLabels": {"a.b/c": ""}})),
            condition(json!({"sourceLabels": {"a": "-"}})),
            "spec.http[0].match[0].sourceLabels.a",
        ),
        case(
            "A-VS-33",
            condition(json!({"gateways": ["ns/gw"]})),
            condition(json!({"gateways": ["ns/"]})),
            "spec.http[0].match[0].gateways[0]",
        ),
        case(
            "A-VS-34",
            condition(json!({"sourceNamespace": "shop"})),
            condition(json!({"sourceNamespace": "a.b"})),
            "spec.http[0].match[0].sourceNamespace",
        ),
        case(
            "A-VS-97",
            routes(json!([[{"uri": {"exact": "/a"}}], []])),
            routes(json!([[], []])),
            "spec.http[1]",
        ),
        case(
            "A-VS-98",
            routes(json!([[{"uri": {"exact": "/a"}}], []])),
            routes(json!([[], [{"uri": {"exact": "/a"}}]])),
            "spec.http[1].match[0]",
        ),
        case(
            "A-VS-99",
            routes(json!([[{"uri": {"exact": "/a"}}], [{"uri": {"exact": "/b"}}]])),
            routes(
                json!([[{"uri": {"exact": "/a"}, "name": "x"}], [{"uri": {"exact": "/b"}}, {"uri": {"exact": "/a"}}]]),
            ),
            "spec.http[1].match[1]",
        ),
        case(
            "A-VS-100",
            routes(json!([[{"uri": {"exact": "/a"}}], [{"uri": {"exact": "/a"}}, {"uri": {"exact": "/b"}}]])),
            routes(json!([[{"uri": {"exact": "/a"}}], [{"uri": {"exact": "/a"}}]])),
            "spec.http[1]",
        ),
        case(
            "A-VS-101",
            routes(json!([[{"uri": {"prefix": "/a/b"}}], [{"uri": {"prefix": "/a"}}]])),
            routes(json!([[{"uri": {"prefix": "/a"}}], [{"uri": {"prefix": "/a/b"}}]])),
            "spec.http[1].match[0]",
        ),
    ]
}

fn policies() -> Vec<Case> {
    let request = |operations: Value| http(json!({"headers": {"request": operations}}));
    let response = |operations: Value| http(json!({"headers": {"response": operations}}));
    let cors = |policy: Value| http(json!({"corsPolicy": policy}));
    let abort = |abort: Value| http(json!({"fault": {"abort": abort}}));
    let delay = |delay: Value| http(json!({"fault": {"delay": delay}}));
    let retries = |retries: Value| http(json!({ "retries": retries }));
    let to = |destination: Value| http(json!({"route": [{ "destination": destination }]}));
    let share = |percent: f64| http(json!({"mirror": {"host": "m"}, "mirrorPercentage": {"value": percent}}));
    vec![
        case(
            "A-VS-35",
            request(json!({"set": {"a": "b"}})),
            request(json!({"add": {"": "b"}})),
            "spec.http[0].headers.request.add[\"\"]",
        ),
        case(
            "A-VS-36",
            request(json!({"set": {":Authority": "b"}})),
            request(json!({"set": {":path": "b"}})),
            "spec.http[0].headers.request.set[\":path\"]",
        ),
        case(
            "A-VS-37",
            response(json!({"set": {"a": "%%"}})),
            response(json!({"set": {"a": "%"}})),
            "spec.http[0].headers.response.set.a",
        ),
        case(
            "A-VS-38",
            response(json!({"add": {"a": "b"}})),
            request(json!({"remove": [""]})),
            "spec.http[0].headers.request.remove[0]",
        ),
        case(
            "A-VS-39",
            request(json!({"set": {"host": "b"}})),
            request(json!({"remove": ["Host"]})),
            "spec.http[0].headers.request.remove[0]",
        ),
        case(
            "A-VS-40",
            response(json!({"remove": ["a"]})),
            response(json!({"remove": [":status"]})),
            "spec.http[0].headers.response.remove[0]",
        ),
        case(
            "A-VS-41",
            cors(json!({"allowOrigins": [{"exact": "*"}]})),
            cors(json!({"allowOrigins": [{}]})),
            "spec.http[0].corsPolicy.allowOrigins[0]",
        ),
        case(
            "A-VS-42",
            cors(json!({"allowOrigins": [{"regex": ".*"}]})),
            cors(json!({"allowOrigins": [{"regex": "("}]})),
            "spec.http[0].corsPolicy.allowOrigins[0].regex",
        ),
        case(
            "A-VS-43",
            cors(json!({"allowMethods": ["GET", "*"]})),
            cors(json!({"allowMethods": ["get"]})),
            "spec.http[0].corsPolicy.allowMethods[0]",
        ),
        case(
            "A-VS-44",
            cors(json!({"allowHeaders": ["*"], "exposeHeaders": ["x-a"]})),
            cors(json!({"exposeHeaders": [""]})),
            "spec.http[0].corsPolicy.exposeHeaders[0]",
        ),
        case(
            "A-VS-45",
            cors(json!({"maxAge": "24h"})),
            cors(json!({"maxAge": "0s"})),
            "spec.http[0].corsPolicy.maxAge",
        ),
        case(
            "A-VS-46",
            cors(json!({"maxAge": "1s"})),
            cors(json!({"maxAge": "1.5s"})),
            "spec.http[0].corsPolicy.maxAge",
        ),
        case(
            "A-VS-47",
            abort(json!({"httpStatus": 500})),
            http(json!({"fault": {}})),
            "spec.http[0].fault",
        ),
        case(
            "A-VS-48",
            abort(json!({"httpStatus": 500, "percentage": {"value": 0.0001}})),
            delay(json!({"fixedDelay": "1s", "percentage": {"value": 100.1}})),
            "spec.http[0].fault.delay.percentage",
        ),
        case(
            "A-VS-49",
            abort(json!({"grpcStatus": "OK"})),
            abort(json!({"grpcStatus": "ok"})),
            "spec.http[0].fault.abort.grpcStatus",
        ),
        case(
            "A-VS-50",
            abort(json!({"httpStatus": 500})),
            abort(json!({"http2Error": "x"})),
            "spec.http[0].fault.abort.http2Error",
        ),
        case(
            "A-VS-51",
            abort(json!({"httpStatus": 200})),
            abort(json!({"httpStatus": 199})),
            "spec.http[0].fault.abort.httpStatus",
        ),
        case(
            "A-VS-52",
            abort(json!({"httpStatus": 500})),
            abort(json!({})),
            "spec.http[0].fault.abort",
        ),
        case(
            "A-VS-53",
            delay(json!({"fixedDelay": "5s"})),
            delay(json!({"fixedDelay": "1us"})),
            "spec.http[0].fault.delay.fixedDelay",
        ),
        case(
            "A-VS-54",
            delay(json!({"fixedDelay": "5s"})),
            delay(json!({"exponentialDelay": "5s"})),
            "spec.http[0].fault.delay.exponentialDelay",
        ),
        case(
            "A-VS-55",
            http(json!({"mirrorPercent": 100})),
            http(json!({"mirrorPercent": 101})),
            "spec.http[0].mirrorPercent",
        ),
        case(
            "A-VS-56",
            share(50.0),
            http(json!({"mirrorPercent": 1})),
            "spec.http[0].mirrorPercent",
        ),
        case(
            "A-VS-57",
            share(100.0),
            share(100.1),
            "spec.http[0].mirrorPercentage",
        ),
        case(
            "A-VS-58",
            share(0.0),
            share(-0.1),
            "spec.http[0].mirrorPercentage",
        ),
        case(
            "A-VS-59",
            to(json!({"host": "*.a.com"})),
            to(json!({"host": "*"})),
            "spec.http[0].route[0].destination.host",
        ),
        case(
            "A-VS-60",
            to(json!({"host": "b", "subset": "v1"})),
            to(json!({"host": "b", "subset": "v.1"})),
            "spec.http[0].route[0].destination.subset",
        ),
        case(
            "A-VS-61",
            to(json!({"host": "b", "port": {"number": 80}})),
            to(json!({"host": "b", "port": {}})),
            "spec.http[0].route[0].destination.port.number",
        ),
        case(
            "A-VS-62",
            http(json!({"mirrors": [{"destination": {"host": "m"}}]})),
            http(json!({"mirrors": [{}]})),
            "spec.http[0].mirrors[0].destination",
        ),
        case(
            "A-VS-72",
            retries(json!({"attempts": 1})),
            retries(json!({"attempts": -1})),
            "spec.http[0].retries.attempts",
        ),
        case(
            "A-VS-73",
            retries(json!({"attempts": 0, "backoff": "1s"})),
            retries(json!({"retryOn": "5xx"})),
            "spec.http[0].retries",
        ),
        case(
            "A-VS-74",
            retries(json!({"attempts": 1, "perTryTimeout": "1s"})),
            retries(json!({"attempts": 1, "backoff": "1us"})),
            "spec.http[0].retries.backoff",
        ),
        case(
            "A-VS-75",
            retries(json!({"attempts": 1, "retryOn": "5xx,+0503,reset-before-request"})),
            retries(json!({"attempts": 1, "retryOn": "5xx, reset"})),
            "spec.http[0].retries.retryOn",
        ),
    ]
}

fn l4() -> Vec<Case> {
    let tcp = |patch: Value| {
        let route = json!({"route": [{"destination": {"host": "b"}}]});
        vs(json!({"http": null, "tcp": [patched(route, patch)]}))
    };
    vec![
        case(
            "A-VS-85",
            tls(json!({})),
            tls(json!({"match": []})),
            "spec.tls[0].match",
        ),
        case(
            "A-VS-87",
            tls(json!({})),
            sni(json!({"sniHosts": []})),
            "spec.tls[0].match[0].sniHosts",
        ),
        case(
            "A-VS-88",
            tls(json!({})),
            sni(json!({"sniHosts": ["a_b"]})),
            "spec.tls[0].match[0].sniHosts[0]",
        ),
        case(
            "A-VS-89",
            tls(json!({})),
            sni(json!({"sniHosts": ["1.2.3.4"]})),
            "spec.tls[0].match[0].sniHosts[0]",
        ),
        case(
            "A-VS-90",
            patched(tls(json!({})), json!({"hosts": ["*.com"]})),
            sni(json!({"sniHosts": ["b.com"]})),
            "spec.tls[0].match[0].sniHosts[0]",
        ),
        case(
            "A-VS-91",
            sni(json!({"destinationSubnets": ["10.0.0.0/8", "::1"]})),
            tcp(json!({"match": [{"destinationSubnets": ["10.0.0.0/33"]}]})),
            "spec.tcp[0].match[0].destinationSubnets[0]",
        ),
        case(
            "A-VS-92",
            sni(json!({"port": 443})),
            sni(json!({"port": 70000})),
            "spec.tls[0].match[0].port",
        ),
        case(
            "A-VS-93",
            tcp(json!({"match": [{"sourceLabels": {"a": "b"}}]})),
            tcp(json!({"match": [{"sourceLabels": {"a b": "c"}}]})),
            "spec.tcp[0].match[0].sourceLabels[\"a b\"]",
        ),
        case(
            "A-VS-94",
            sni(json!({"gateways": ["ns/gw"]})),
            sni(json!({"gateways": ["/gw"]})),
            "spec.tls[0].match[0].gateways[0]",
        ),
        case(
            "A-VS-95",
            tcp(json!({})),
            tcp(json!({"route": []})),
            "spec.tcp[0].route",
        ),
    ]
}
