//! The validating webhook, rule by rule.

mod reconciler;
mod webhooks;

use serde_json::{Value, json};

use super::*;
use crate::Profile;
use crate::validate::ValidateOptions;

const V1: &str = "admission.k8s.io/v1";
const V1BETA1: &str = "admission.k8s.io/v1beta1";

fn review_of(version: &str, request: Value) -> Vec<u8> {
    let review = json!({ "apiVersion": version, "kind": "AdmissionReview", "request": request });
    review.to_string().into_bytes()
}

fn review(operation: &str, object: Value) -> Vec<u8> {
    review_of(
        V1,
        json!({ "uid": "u-1", "operation": operation, "namespace": "shop", "object": object }),
    )
}

/// The outcome, and the answer that is sent, which say the same.
fn answer_with(bytes: &[u8], options: &AdmissionOptions) -> (ReviewOutcome, Value) {
    let outcome = review_validate(bytes, options);
    assert_eq!(
        (outcome.http.status, outcome.http.content_type),
        (200, "application/json")
    );
    let body: Value = serde_json::from_slice(&outcome.http.body).unwrap();
    let response = &body["response"];
    assert_eq!(response["allowed"], json!(outcome.is_allowed()));
    let message = outcome.denial.as_ref().map(|denial| denial.message.as_str());
    assert_eq!(response["status"]["message"].as_str(), message);
    let warnings: Vec<&str> = response["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|warning| warning.as_str().unwrap())
        .collect();
    assert_eq!(warnings, outcome.warnings);
    (outcome, body)
}

fn answer(bytes: &[u8]) -> (ReviewOutcome, Value) {
    answer_with(bytes, &AdmissionOptions::default())
}

fn create(object: Value) -> ReviewOutcome {
    answer(&review("CREATE", object)).0
}

fn denial(outcome: &ReviewOutcome) -> (DenialReason, &str) {
    let denial = outcome.denial.as_ref().expect("a denial");
    (denial.reason, &denial.message)
}

fn object(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "a" }, "spec": spec })
}

fn virtual_service(spec: Value) -> Value {
    object("networking.istio.io/v1", "VirtualService", spec)
}

fn good() -> Value {
    virtual_service(
        json!({ "hosts": ["a.b"], "http": [{ "route": [{ "destination": { "host": "a.b" } }] }] }),
    )
}

fn bad() -> Value {
    virtual_service(json!({ "hosts": [] }))
}

#[test]
fn requests_that_are_no_questions_are_refused() {
    // A-ADM-1
    let options = AdmissionOptions::default();
    let large = vec![b' '; MAX_REQUEST_BYTES + 1];
    let good = review("CREATE", good());
    for (content_type, body, status) in [
        (Some("application/json"), &b""[..], 400),
        (None, b"", 400),
        (None, &good, 415),
        (Some("application/json;charset=utf-8"), &good, 415),
        (Some("Application/json"), &good, 415),
        (Some("application/json"), &large, 413),
    ] {
        let outcome = respond(content_type, body, &options);
        assert_eq!(
            (outcome.http.status, outcome.http.content_type),
            (status, "text/plain"),
            "{content_type:?}"
        );
        assert_eq!(denial(&outcome).0, DenialReason::BadRequest);
    }
    assert!(respond(Some("application/json"), &good, &options).is_allowed());
}

#[test]
fn what_is_no_review_is_denied_without_a_uid() {
    // A-ADM-1
    for bytes in [
        &b"{"[..],
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {}\n",
        br#"{"apiVersion": "v1", "kind": "AdmissionReview", "request": {"uid": "u-1"}}"#,
        br#"{"apiVersion": "admission.k8s.io/v1", "kind": "Review", "request": {"uid": "u-1"}}"#,
        br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
        br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": 1}}"#,
        br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"dryRun": "x"}}"#,
    ] {
        let (outcome, body) = answer(bytes);
        let (reason, message) = denial(&outcome);
        assert_eq!(reason, DenialReason::ReviewUnreadable, "{message}");
        assert!(message.starts_with("could not decode the review: "), "{message}");
        assert_eq!(
            (&body["response"]["uid"], &body["apiVersion"]),
            (&json!(""), &json!(V1))
        );
    }
}

#[test]
fn answers_have_the_version_and_uid_of_the_request() {
    // A-ADM-2
    for version in [V1, V1BETA1] {
        let request = json!({ "uid": "u-\"1", "operation": "CREATE", "object": good() });
        let (_, body) = answer(&review_of(version, request));
        let expected = json!({
            "apiVersion": version, "kind": "AdmissionReview", "response": { "uid": "u-\"1", "allowed": true }
        });
        assert_eq!(body, expected);
    }
    let (outcome, body) = answer(&review("CREATE", bad()));
    let response = json!({ "uid": "u-1", "allowed": false, "status": { "message": denial(&outcome).1 } });
    assert_eq!(body["response"], response, "no code and no reason");

    let options = AdmissionOptions {
        status_code: Some(422),
        ..AdmissionOptions::default()
    };
    let (_, body) = answer_with(&review("CREATE", bad()), &options);
    assert_eq!(body["response"]["status"]["code"], json!(422));
    let (_, body) = answer_with(&review("CREATE", good()), &options);
    assert_eq!(body["response"].get("status"), None);
}

#[test]
fn creates_and_updates_are_judged() {
    // A-ADM-3, A-ADM-12
    for (operation, allowed) in [
        ("CREATE", false),
        ("UPDATE", false),
        ("DELETE", true),
        ("CONNECT", true),
        ("create", true),
        ("", true),
    ] {
        let (outcome, _) = answer(&review(operation, bad()));
        assert_eq!(outcome.is_allowed(), allowed, "{operation}");
    }
    let changed = |object: Value, old: Value| {
        let request = json!({
            "uid": "u-1", "operation": "UPDATE", "subResource": "status", "object": object, "oldObject": old
        });
        answer(&review_of(V1, request)).0.is_allowed()
    };
    assert!(changed(good(), bad()), "the older object is not looked at");
    assert!(!changed(bad(), good()), "a change of the status is judged too");

    let deleted = json!({ "uid": "u-1", "operation": "DELETE", "object": null, "oldObject": bad() });
    assert!(answer(&review_of(V1, deleted)).0.is_allowed());
}

#[test]
fn the_first_step_that_fails_answers() {
    // A-ADM-4, A-MET-1
    use DenialReason::*;
    let with = |mut object: Value, key: &str, value: Value| {
        object[key] = value;
        object
    };
    for (object, reason, start) in [
        (
            Value::Null,
            ObjectUnreadable,
            "cannot decode configuration: there is no object",
        ),
        (json!("text"), ObjectUnreadable, "cannot decode configuration: "),
        (
            json!({ "kind": "VirtualService" }),
            ObjectUnreadable,
            "cannot decode configuration: apiVersion",
        ),
        (
            with(good(), "metadata", json!({ "name": 5 })),
            ObjectUnreadable,
            "cannot decode configuration: metadata.name",
        ),
        (
            object("install.istio.io/v1alpha1", "IstioOperator", json!({})),
            UnknownKind,
            "unrecognized type install.istio.io/v1alpha1 IstioOperator",
        ),
        (
            object("v1", "Pod", json!({})),
            UnknownKind,
            "unrecognized type v1 Pod",
        ),
        (
            json!({ "apiVersion": "v1", "kind": "List", "items": [good()] }),
            UnknownKind,
            "unrecognized type v1 List",
        ),
        (
            with(virtual_service(json!({ "hosts": "a" })), "extra", json!(1)),
            SpecUnreadable,
            "error decoding configuration: spec.hosts: ",
        ),
        (
            with(bad(), "extra", json!(1)),
            Invalid,
            "configuration is invalid: spec",
        ),
        (
            with(good(), "extra", json!(1)),
            UnknownField,
            "unknown field `extra` on VirtualService resource shop/a",
        ),
        (
            with(good(), "Spec", json!(1)),
            UnknownField,
            "unknown field `Spec` on",
        ),
    ] {
        let outcome = create(object.clone());
        let (found, message) = denial(&outcome);
        assert_eq!(found, reason, "{object}: {message}");
        assert!(message.starts_with(start), "{object}: {message}");
    }
}

#[test]
fn versions_do_not_matter_and_unknown_fields_below_the_spec_are_dropped() {
    // A-ADM-4, A-RES-1, A-WIRE-2
    let mut lenient = good();
    lenient["apiVersion"] = json!("networking.istio.io/v9");
    assert!(create(lenient.clone()).is_allowed());
    lenient["spec"]["extra"] = json!(1);
    let outcome = create(lenient);
    assert!(outcome.is_allowed());
    assert_eq!(outcome.warnings.len(), 1, "{:?}", outcome.warnings);
}

#[test]
fn all_errors_are_told() {
    // A-ADM-4, A-GEN-4
    let spec = json!({ "hosts": ["a.b", "a_b"], "http": [{ "route": [{ "destination": { "host": "" } }] }] });
    let outcome = create(virtual_service(spec));
    let (_, message) = denial(&outcome);
    assert!(outcome.report.errors().count() >= 2, "{message}");
    assert_eq!(
        message.matches("; ").count() + 1,
        outcome.report.errors().count(),
        "{message}"
    );
    assert!(outcome.report.iter().all(|finding| finding.location.is_none()));
    assert!(outcome.report.iter().all(|finding| finding.object.is_some()));
}

#[test]
fn gateway_api_kinds_get_the_rules_on_metadata() {
    // A-ADM-4
    let route = |annotations: Value| {
        let mut route = object(
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            json!({ "hostnames": 5 }),
        );
        route["metadata"]["annotations"] = annotations;
        create(route)
    };
    assert!(route(json!({})).is_allowed());
    let refused = route(json!({ "internal.istio.io/parents": "x" }));
    assert_eq!(denial(&refused).0, DenialReason::Invalid);
    assert_eq!(refused.report.errors().next().unwrap().code.as_str(), "A-MV-6");
}

#[test]
fn the_known_bad_gateway_is_denied() {
    // A-MV-4, A-ADM-11
    let mut gateway = object("networking.istio.io/v1", "Gateway", json!({}));
    gateway["metadata"]["annotations"] = json!({ "internal.istio.io/webhook-always-reject": "true" });
    let outcome = create(gateway);
    assert_eq!(outcome.report.errors().next().unwrap().code.as_str(), "A-MV-4");
}

#[test]
fn warnings_come_with_what_is_allowed_and_are_cut() {
    // A-ADM-5
    let filter = |number: usize| {
        let filters: Vec<Value> = (0..number)
            .map(|_| json!({ "applyTo": "CLUSTER", "patch": { "operation": "ADD", "value": { "x": "y".repeat(9) } }, "\u{e9}".repeat(300): 1 }))
            .collect();
        create(object(
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            json!({ "configPatches": filters }),
        ))
    };
    let outcome = filter(30);
    assert!(outcome.is_allowed(), "{:?}", outcome.denial);
    let chars = |warning: &String| warning.chars().count();
    assert!(outcome.warnings.iter().all(|warning| chars(warning) <= 256));
    assert!(outcome.warnings.iter().map(chars).sum::<usize>() <= 4096);
    assert!(outcome.warnings.len() < outcome.report.warnings().count());
    assert!(outcome.warnings.iter().any(|warning| warning.ends_with('…')));

    let mut denied = good();
    denied["spec"]["extra"] = json!(1);
    denied["spec"]["hosts"] = json!(["a_b"]);
    let outcome = create(denied);
    assert!(!outcome.is_allowed() && outcome.warnings.is_empty());
    assert!(outcome.report.warnings().count() > 0);
}

#[test]
fn a_dry_run_gets_the_same_verdict() {
    // A-ADM-6
    for object in [good(), bad()] {
        let ask = |dry_run: Value| {
            let request = json!({ "uid": "u-1", "operation": "CREATE", "dryRun": dry_run, "object": object });
            answer(&review_of(V1, request)).0
        };
        let (dry, wet) = (ask(json!(true)), ask(json!(null)));
        assert!(dry.dry_run && !wet.dry_run);
        assert_eq!(dry.http, wet.http);
    }
}

#[test]
fn rules_across_objects_never_deny() {
    // A-ADM-7: neither the gateway nor the destination is known anywhere
    let spec = json!({
        "hosts": ["a.b"],
        "gateways": ["nowhere/missing"],
        "http": [{ "route": [{ "destination": { "host": "missing.b", "subset": "none" } }] }],
    });
    assert!(create(virtual_service(spec)).is_allowed());
}

#[test]
fn the_namespace_of_the_request_counts() {
    // A-ADM-8
    let mut object = good();
    object["spec"]["exportTo"] = json!([".", "shop"]);
    assert!(
        !create(object.clone()).is_allowed(),
        "`.` is the namespace `shop`"
    );
    object["metadata"]["namespace"] = json!("bar");
    assert!(create(object).is_allowed());

    let mut cluster_wide = good();
    cluster_wide["spec"]["exportTo"] = json!([".", "elsewhere"]);
    let options = AdmissionOptions {
        validate: ValidateOptions {
            default_namespace: crate::names::Namespace::new("elsewhere"),
            ..ValidateOptions::new(Profile::Istiod)
        },
        ..AdmissionOptions::default()
    };
    let request = json!({ "uid": "u-1", "operation": "CREATE", "object": cluster_wide });
    assert!(!answer_with(&review_of(V1, request), &options).0.is_allowed());
}

#[test]
fn other_profiles_ask_their_layers() {
    // A-WIRE-2: what istiod drops, the API server's strict validation refuses
    let mut lenient = good();
    lenient["spec"]["extra"] = json!(1);
    let options = AdmissionOptions {
        validate: ValidateOptions::new(Profile::Strict),
        ..AdmissionOptions::default()
    };
    let (outcome, _) = answer_with(&review("CREATE", lenient), &options);
    assert_eq!(denial(&outcome).0, DenialReason::SpecUnreadable);
    assert!(answer_with(&review("CREATE", good()), &options).0.is_allowed());
}

#[test]
fn large_reviews_get_small_answers() {
    // A-ADM-1, A-PAR-20
    let hosts: Vec<String> = (0..20_000).map(|number| format!("bad_{number}")).collect();
    let outcome = create(virtual_service(json!({ "hosts": hosts })));
    let (reason, message) = denial(&outcome);
    assert_eq!(reason, DenialReason::Invalid);
    assert!(message.len() < 40 << 10, "{}", message.len());
    assert!(message.contains("; and ") && message.ends_with(" more"));

    let deep = format!(
        r#"{{"apiVersion": "{V1}", "kind": "AdmissionReview", "request": {}{}"#,
        r#"{"object": "#.repeat(80_000),
        "}".repeat(80_000)
    );
    assert_eq!(
        denial(&answer(deep.as_bytes()).0).0,
        DenialReason::ReviewUnreadable
    );
}
