//! What routes do, action by action.
#![cfg(feature = "reflect")]

mod support;

use mesh_route::{MeshSnapshot, Workload};
use mesh_xds::pb::Kind;
use mesh_xds::{Profile, convert};
use serde_json::{Value, json};
use support::resource;

const MESH: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: shop}
spec:
  host: a
  subsets:
  - {name: by-header, labels: {}, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
  - {name: by-cookie, labels: {}, trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: u, path: /p, ttl: 60s}}}}}
  - {name: by-query, labels: {}, trafficPolicy: {loadBalancer: {consistentHash: {httpQueryParameterName: q}}}}
  - {name: by-address, labels: {}, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a]
  http:
  - {name: redirect, match: [{name: m, uri: {prefix: /redirect}}], redirect: {uri: /x, authority: b, scheme: https, port: 8443, redirectCode: 307}}
  - {match: [{uri: {prefix: /keep}}], redirect: {authority: b}}
  - {match: [{uri: {exact: /say}}], directResponse: {status: 418, body: {string: tea}}}
  - match: [{uri: {regex: "/fault.*"}}]
    fault: {delay: {fixedDelay: 1.5s, percentage: {value: 0.1}}, abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}
    route: [{destination: {host: a}}]
  - match: [{uri: {prefix: /cors}}]
    corsPolicy:
      allowOrigins: [{prefix: "https://"}]
      allowMethods: [GET, PUT]
      allowHeaders: [x-a, x-b]
      exposeHeaders: [x-c]
      maxAge: 1h
      allowCredentials: false
      unmatchedPreflights: IGNORE
    route: [{destination: {host: a}}]
  - match: [{uri: {prefix: /retry}}]
    timeout: 2s
    retries: {attempts: 3, perTryTimeout: 500ms, retryOn: "5xx,503", backoff: 20ms, retryRemoteLocalities: true, retryIgnorePreviousHosts: false}
    mirrors: [{destination: {host: a, subset: by-query}, percentage: {value: 12.5}}]
    route: [{destination: {host: a}}]
  - match: [{uri: {prefix: /prefix}}]
    rewrite: {uri: /new, authority: c}
    headers: {request: {set: {b: "2", a: "1"}, add: {d: "4"}, remove: [e]}, response: {add: {f: "6"}}}
    route: [{destination: {host: a, subset: by-header}}]
  - match: [{uri: {prefix: /regex}}]
    rewrite: {uriRegexRewrite: {match: "/regex/(.*)", rewrite: '/\1'}}
    route: [{destination: {host: a, subset: by-cookie}}]
  - match: [{uri: {prefix: /address}}]
    route: [{destination: {host: a, subset: by-address}}]
  - route:
    - {destination: {host: a}, weight: 3, headers: {request: {set: {host: d, g: "7"}}, response: {remove: [h]}}}
    - {destination: {host: a, subset: by-query}, weight: 0}
    - {destination: {host: a, subset: none}, weight: 1}
"#;

fn routes() -> Vec<Value> {
    let decoded = mesh_api::decode("mesh.yaml", MESH.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    let client = Workload::new("shop".parse().unwrap());
    let conversion = convert(&snapshot.plan_for(&client), Profile::UpstreamEnvoy);
    assert_eq!(conversion.warnings(), []);
    assert_eq!(conversion.not_expressed(), []);
    let table = resource(&conversion, Kind::Route, "80");
    table["virtualHosts"][0]["routes"].as_array().unwrap().clone()
}

/// The route for a path.
fn route(path: &str) -> Value {
    let all = routes();
    let of = |route: &&Value| {
        let matched = &route["match"];
        [
            &matched["prefix"],
            &matched["path"],
            &matched["safeRegex"]["regex"],
        ]
        .contains(&&json!(path))
    };
    let mut found: Vec<&Value> = all.iter().filter(of).collect();
    assert_eq!(found.len(), 1, "{path}: {all:?}");
    found.remove(0).clone()
}

// X-NAME-12, X-RDS-22
#[test]
fn names_and_decorators() {
    assert_eq!(route("/redirect")["name"], "redirect.m");
    let operation = |path| route(path)["decorator"]["operation"].clone();
    assert_eq!(operation("/redirect"), "a:80/redirect*");
    assert_eq!(operation("/say"), "a:80/say");
    assert_eq!(operation("/fault.*"), "a.shop.svc.cluster.local:80/fault.*");
    assert_eq!(
        operation("/"),
        "a:80/*",
        "several destinations: the VirtualService"
    );
}

// X-RDS-29
#[test]
fn redirects_and_direct_responses() {
    assert_eq!(
        route("/redirect")["redirect"],
        json!({
            "hostRedirect": "b", "pathRedirect": "/x", "schemeRedirect": "https", "portRedirect": 8443,
            "responseCode": "TEMPORARY_REDIRECT",
        })
    );
    assert_eq!(
        route("/keep")["redirect"],
        json!({"hostRedirect": "b", "pathRedirect": ""})
    );
    assert_eq!(
        route("/say")["directResponse"],
        json!({"status": 418, "body": {"inlineString": "tea"}})
    );
}

// X-RDS-31, X-RDS-32
#[test]
fn faults_and_cors() {
    assert_eq!(
        route("/fault.*")["typedPerFilterConfig"],
        json!({"envoy.filters.http.fault": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "delay": {"fixedDelay": "1.5s", "percentage": {"numerator": 1000, "denominator": "MILLION"}},
            "abort": {"grpcStatus": 14, "percentage": {"numerator": 1_000_000, "denominator": "MILLION"}},
        }})
    );
    assert_eq!(
        route("/cors")["typedPerFilterConfig"],
        json!({"envoy.filters.http.cors": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
            "allowOriginStringMatch": [{"prefix": "https://"}],
            "allowMethods": "GET,PUT",
            "allowHeaders": "x-a,x-b",
            "exposeHeaders": "x-c",
            "maxAge": "3600",
            "allowCredentials": false,
            "filterEnabled": {"defaultValue": {"numerator": 100}},
            "forwardNotMatchingPreflights": false,
        }})
    );
}

// X-RDS-24, X-RDS-25, X-RDS-30
#[test]
fn timeouts_retries_and_mirrors() {
    assert_eq!(
        route("/retry")["route"],
        json!({
            "cluster": "outbound|80||a.shop.svc.cluster.local",
            "timeout": "2s",
            "maxGrpcTimeout": "2s",
            "retryPolicy": {
                "retryOn": "5xx,retriable-status-codes",
                "retriableStatusCodes": [503],
                "numRetries": 3,
                "perTryTimeout": "0.5s",
                "hostSelectionRetryMaxAttempts": "5",
                "retryBackOff": {"baseInterval": "0.02s"},
                "retryPriority": {
                    "name": "envoy.retry_priorities.previous_priorities",
                    "typedConfig": {
                        "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                        "updateFrequency": 2,
                    },
                },
            },
            "requestMirrorPolicies": [{
                "cluster": "outbound|80|by-query|a.shop.svc.cluster.local",
                "runtimeFraction": {"defaultValue": {"numerator": 125_000, "denominator": "MILLION"}},
                "traceSampled": false,
                "disableShadowHostSuffixAppend": true,
            }],
        })
    );
}

// X-RDS-27, X-RDS-28
#[test]
fn rewrites_and_headers() {
    let prefix = route("/prefix");
    assert_eq!(
        (
            &prefix["route"]["prefixRewrite"],
            &prefix["route"]["hostRewriteLiteral"]
        ),
        (&json!("/new"), &json!("c"))
    );
    let set = |key, value| json!({"header": {"key": key, "value": value}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"});
    let add = |key, value| json!({"header": {"key": key, "value": value}});
    assert_eq!(
        prefix["requestHeadersToAdd"],
        json!([set("a", "1"), set("b", "2"), add("d", "4")])
    );
    assert_eq!(prefix["requestHeadersToRemove"], json!(["e"]));
    assert_eq!(prefix["responseHeadersToAdd"], json!([add("f", "6")]));
    assert_eq!(
        route("/regex")["route"]["regexRewrite"],
        json!({"pattern": {"regex": "/regex/(.*)"}, "substitution": "/\\1"})
    );
}

// X-RDS-26, X-RDS-27
#[test]
fn weights() {
    let g = json!({"header": {"key": "g", "value": "7"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"});
    assert_eq!(
        route("/")["route"]["weightedClusters"],
        json!({"clusters": [
            {"name": "outbound|80||a.shop.svc.cluster.local", "weight": 3, "hostRewriteLiteral": "d",
             "requestHeadersToAdd": [g], "responseHeadersToRemove": ["h"]},
            {"name": "outbound|80|none|a.shop.svc.cluster.local", "weight": 1},
        ]})
    );
}

// X-RDS-33
#[test]
fn hash_policies() {
    let policy = |path| route(path)["route"]["hashPolicy"].clone();
    assert_eq!(policy("/prefix"), json!([{"header": {"headerName": "x-user"}}]));
    assert_eq!(
        policy("/regex"),
        json!([{"cookie": {"name": "u", "path": "/p", "ttl": "60s"}}])
    );
    assert_eq!(
        policy("/address"),
        json!([{"connectionProperties": {"sourceIp": true}}])
    );
}
