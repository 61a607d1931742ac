//! The ids of the specification and the rules of the crate are the same, and each condition that an id counts is checked.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cases::helpers::helpers;
use super::{Object, check_case};
use crate::codec::Profile;
use crate::kind::Kind;
use crate::validate::{ValidateOptions, rule, rules};

/// Areas of ids, each numbered from 1: api.md 1.2 and 2.1 to 2.9.
const AREAS: &[(&str, u32)] = &[
    ("A-MV", 7),
    ("A-X", 33),
    ("A-VS", 102),
    ("A-DR", 42),
    ("A-CT", 7),
    ("A-LB", 14),
    ("A-GW", 18),
    ("A-ST", 13),
    ("A-SE", 36),
    ("A-WE", 10),
    ("A-WG", 8),
    ("A-SC", 38),
    ("A-EF", 25),
    ("A-PC", 2),
    ("A-AP", 37),
    ("A-RA", 12),
    ("A-PA", 4),
    ("A-TL", 13),
    ("A-WP", 13),
    ("A-TE", 6),
    ("A-MC", 21),
    ("A-MP", 23),
    ("A-EP", 10),
    ("A-MN", 5),
];

/// Ids that no finding carries, and why.
const WITHOUT_FINDING: &[(&str, &str)] = &[
    ("A-AP-8", NO_HOLES),
    ("A-AP-9", "an empty list is an absent one"),
    ("A-AP-37", "a form of messages: every finding names its object"),
    ("A-DR-2", NO_HOLES),
    ("A-DR-31", "the findings carry the ids of A-LB"),
    ("A-DR-35", "the findings carry the ids of A-CT"),
    ("A-DR-36", NO_HOLES),
    ("A-EF-4", NO_HOLES),
    ("A-EF-5", "says what is not looked at; seen in the case of A-EF-6"),
    ("A-GW-3", NO_HOLES),
    ("A-MP-12", NO_HOLES),
    ("A-MV-7", "an option; seen in the tests on profiles"),
    ("A-SC-18", "the findings carry the ids of A-ST"),
    ("A-SC-19", "the findings carry the ids of A-DR-14 to A-DR-21"),
    ("A-SC-21", NO_HOLES),
    ("A-SC-23", "unreachable upstream as well: A-SC-22 comes first"),
    ("A-SE-10", NO_HOLES),
    ("A-SE-20", "the findings carry the ids of A-WE"),
    (
        "A-ST-7",
        "says what is not looked at; seen in `what_an_id_ends_is_not_looked_at`",
    ),
    ("A-TE-5", "the findings carry the ids of A-WP-2 to A-WP-12"),
    ("A-TE-6", "the findings carry the id of A-WP-13"),
    ("A-TL-3", NO_HOLES),
    ("A-VS-11", NO_HOLES),
    ("A-VS-25", NO_HOLES),
    ("A-VS-86", NO_HOLES),
    ("A-VS-96", NO_HOLES),
    ("A-VS-102", "how messages name routes"),
    (
        "A-X-28",
        "only the mesh configuration has curves that are checked",
    ),
];

const NO_HOLES: &str = "a typed list or map has no absent elements";

#[test]
fn every_id_of_the_specification_is_a_rule_or_says_why_not() {
    let ids: BTreeSet<String> = AREAS
        .iter()
        .flat_map(|(area, last)| (1..=*last).map(move |number| format!("{area}-{number}")))
        .collect();
    assert_eq!(ids.len(), 499);
    let helpers: BTreeSet<&str> = helpers().iter().map(|helper| helper.id).collect();
    for id in &ids {
        let reason = WITHOUT_FINDING.iter().find(|(without, _)| without == id);
        let is_checked = rule(id).is_some() || helpers.contains(id.as_str());
        assert_ne!(is_checked, reason.is_some(), "{id}");
    }
    for (id, _) in WITHOUT_FINDING {
        assert!(ids.contains(*id), "{id} is no id");
    }
    for id in rules().map(|rule| rule.code.as_str()) {
        let (area, _) = id.rsplit_once('-').unwrap();
        let is_here = AREAS.iter().any(|(known, _)| *known == area);
        assert!(!is_here || ids.contains(id), "{id} is not in the specification");
    }
}

#[test]
fn every_helper_has_a_passing_and_a_failing_case() {
    // A-X
    for helper in helpers() {
        let rule = rule(helper.case.id).unwrap();
        assert!(
            rule.cites.contains(&helper.id),
            "{} does not cite {}",
            helper.case.id,
            helper.id
        );
        check_case(&helper.case, &ValidateOptions::new(Profile::Istiod));
    }
    let known: BTreeSet<&str> = helpers().iter().map(|helper| helper.id).collect();
    for cited in rules().flat_map(|rule| rule.cites) {
        assert!(known.contains(cited), "{cited} is cited and has no case");
    }
}

/// Asserts that a rule speaks up at a place.
fn assert_found(id: &str, kind: Kind, spec: Value, path: &str) {
    let report = Object::new(kind, spec).validate(&ValidateOptions::new(Profile::Istiod));
    let found = report
        .iter()
        .any(|finding| finding.code.as_str() == id && finding.path.to_string() == path);
    assert!(found, "{id} at {path}: {report}");
}

#[test]
fn conditions_on_several_fields_look_at_each_of_them() {
    // A-DR-15a to 15e
    for field in [
        "http1MaxPendingRequests",
        "http2MaxRequests",
        "maxRequestsPerConnection",
        "maxRetries",
        "maxConcurrentStreams",
    ] {
        let spec = json!({"host": "a", "trafficPolicy": {"connectionPool": {"http": {field: -1}}}});
        let path = format!("spec.trafficPolicy.connectionPool.http.{field}");
        assert_found("A-DR-15", Kind::DestinationRule, spec, &path);
    }
    // A-ST-4a to 4f
    for (field, value) in [
        ("serverCertificate", json!("a")),
        ("privateKey", json!("a")),
        ("caCertificates", json!("a")),
        ("tlsCertificates", json!([{}])),
        ("credentialName", json!("a")),
        ("credentialNames", json!(["a"])),
    ] {
        let tls = json!({"mode": "ISTIO_MUTUAL", field: value});
        let port = json!({"number": 443, "name": "a", "protocol": "HTTPS"});
        let spec = json!({"servers": [{"port": port, "hosts": ["*"], "tls": tls}]});
        assert_found(
            "A-ST-4",
            Kind::Gateway,
            spec,
            &format!("spec.servers[0].tls.{field}"),
        );
    }
    // A-SC-15a to 15e
    for (field, value) in [
        ("subjectAltNames", json!(["a"])),
        ("httpsRedirect", json!(true)),
        ("credentialName", json!("a")),
        ("credentialNames", json!(["a"])),
        ("tlsCertificates", json!([{}])),
    ] {
        let port = json!({"number": 443, "protocol": "HTTPS"});
        let spec = json!({"ingress": [{"port": port, "tls": {"mode": "SIMPLE", field: value}}]});
        assert_found(
            "A-SC-15",
            Kind::Sidecar,
            spec,
            &format!("spec.ingress[0].tls.{field}"),
        );
    }
    // A-WG-3a to 3e
    for field in [
        "periodSeconds",
        "initialDelaySeconds",
        "timeoutSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        let spec = json!({"template": {}, "probe": {"exec": {"command": ["a"]}, field: -1}});
        assert_found(
            "A-WG-3",
            Kind::WorkloadGroup,
            spec,
            &format!("spec.probe.{field}"),
        );
    }
    // A-TL-12a to 12c
    for (member, field) in [("literal", "value"), ("header", "name"), ("environment", "name")] {
        let spec = json!({"tracing": [{"customTags": {"a": {member: {}}}}]});
        let path = format!("spec.tracing[0].customTags.a.{member}.{field}");
        assert_found("A-TL-12", Kind::Telemetry, spec, &path);
    }
    // A-LB-14a to 14c
    for (from, to) in [("a", "a"), ("a", "b/c"), ("*", "b")] {
        let zone_aware = json!({"failover": [{"from": from, "to": to}]});
        let policy = json!({"loadBalancer": {"zoneAwareLbSetting": zone_aware}, "outlierDetection": {}});
        let path = "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting.failover[0]";
        let spec = json!({"host": "a", "trafficPolicy": policy});
        assert_found("A-LB-14", Kind::DestinationRule, spec, path);
    }
}

#[test]
fn conditions_on_identities_look_at_each_of_them() {
    let custom = |rule: Value| json!({"action": "CUSTOM", "provider": {"name": "a"}, "rules": [rule]});
    // A-AP-4a to 4j
    for field in [
        "namespaces",
        "serviceAccounts",
        "trustDomains",
        "principals",
        "requestPrincipals",
    ] {
        let (first, rest) = field.split_at(1);
        for field in [field.to_owned(), format!("not{}{rest}", first.to_uppercase())] {
            let spec = custom(json!({"from": [{"source": {&field: ["a"]}}]}));
            let path = format!("spec.rules[0].from[0].source.{field}");
            assert_found("A-AP-4", Kind::AuthorizationPolicy, spec, &path);
        }
    }
    // A-AP-5a to 5e
    for key in [
        "source.namespace",
        "source.serviceAccount",
        "source.trustDomain",
        "source.principal",
        "request.auth.presenter",
    ] {
        let spec = custom(json!({"when": [{"key": key, "values": ["a"]}]}));
        assert_found(
            "A-AP-5",
            Kind::AuthorizationPolicy,
            spec,
            "spec.rules[0].when[0].key",
        );
    }
    // A-AP-19a to 19c
    for value in ["*a*", "a*b", "a/b"] {
        let spec = json!({"rules": [{"from": [{"source": {"notTrustDomains": [value]}}]}]});
        let path = "spec.rules[0].from[0].source.notTrustDomains[0]";
        assert_found("A-AP-19", Kind::AuthorizationPolicy, spec, path);
    }
    // A-AP-36: what tells TCP connections apart
    for (rule, warns) in [
        (json!({"from": [{"source": {"requestPrincipals": ["a"]}}]}), true),
        (json!({"from": [{"source": {"trustDomains": ["a"]}}]}), true),
        (json!({"from": [{"source": {"notIpBlocks": ["1.2.3.4"]}}]}), false),
        (json!({"from": [{"source": {"serviceAccounts": ["a"]}}]}), false),
        (
            json!({"from": [{"source": {"principals": ["a"]}}], "to": [{"operation": {"hosts": ["a"]}}]}),
            true,
        ),
        (
            json!({"to": [{"operation": {"hosts": ["a"]}}, {"operation": {"notPorts": ["80"]}}]}),
            false,
        ),
        (json!({}), false),
    ] {
        let spec = json!({"action": "DENY", "rules": [rule]});
        let report = Object::new(Kind::AuthorizationPolicy, spec.clone())
            .validate(&ValidateOptions::new(Profile::Istiod));
        assert_eq!(!report.is_empty(), warns, "{spec}: {report}");
    }
}

#[test]
fn what_an_id_ends_is_not_looked_at() {
    let codes = |kind: Kind, spec: Value| -> Vec<&'static str> {
        let report = Object::new(kind, spec).validate(&ValidateOptions::new(Profile::Istiod));
        report.iter().map(|finding| finding.code.as_str()).collect()
    };
    // A-ST-7: with a credential nothing more is looked at, neither A-ST-8 nor A-ST-13
    let tls = json!({"mode": "SIMPLE", "credentialName": "a", "caCrl": "b", "tlsCertificates": []});
    let port = json!({"number": 443, "name": "a", "protocol": "HTTPS"});
    let spec = json!({"servers": [{"port": port, "hosts": ["*"], "tls": tls}]});
    assert!(codes(Kind::Gateway, spec).is_empty());
    // A-EF-6 to A-EF-9: the rest of the patch
    let spec =
        json!({"configPatches": [{"patch": {}}, {"applyTo": "CLUSTER", "patch": {"operation": "ADD"}}]});
    assert_eq!(codes(Kind::EnvoyFilter, spec), ["A-EF-1", "A-EF-6", "A-EF-9"]);
    // A-EF-2: all that follows, and the warnings so far (A-GEN-6)
    let spec = json!({"workloadSelector": {"labels": {"": "a"}}, "configPatches": [{}]});
    assert_eq!(codes(Kind::EnvoyFilter, spec), ["A-EF-2"]);
    // A-WG-1 and A-WG-2: the probe
    let spec = json!({"template": {}, "metadata": {"labels": {"a": "b c"}}, "probe": {}});
    assert_eq!(codes(Kind::WorkloadGroup, spec), ["A-WG-2"]);
    // A-WP-9 to A-WP-12: the first failure only
    let variables = json!([{"name": "a"}, {"name": "a", "valueFrom": "HOST", "value": "b"}, {}]);
    let spec = json!({"url": "oci://a", "vmConfig": {"env": variables}});
    assert_eq!(codes(Kind::WasmPlugin, spec), ["A-WP-11"]);
}
