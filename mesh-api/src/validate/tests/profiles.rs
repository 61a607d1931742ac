//! What differs between profiles, and verdicts that depend on more than one rule.

use serde_json::{Value, json};

use super::Object;
use crate::codec::{DecodeOptions, Profile, decode_with};
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::validate::{Semantics, ValidateOptions, validate, validate_all};

fn codes(kind: Kind, spec: Value, options: &ValidateOptions) -> Vec<&'static str> {
    Object::new(kind, spec)
        .validate(options)
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

fn in_profile(profile: Profile, kind: Kind, spec: Value) -> Vec<&'static str> {
    codes(kind, spec, &ValidateOptions::new(profile))
}

/// A VirtualService with one route, to which fields are added.
fn route(fields: Value) -> Value {
    let mut route = json!({"route": [{"destination": {"host": "b"}}]});
    route
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    json!({"hosts": ["a.com"], "http": [route]})
}

#[test]
fn strict_does_without_upstreams_quirks() {
    let weights = json!({"hosts": ["a.com"], "http": [{"route": [
        {"destination": {"host": "b"}, "weight": i32::MAX},
        {"destination": {"host": "c"}, "weight": i32::MAX},
        {"destination": {"host": "d"}, "weight": 2},
    ]}]});
    let covering = |conditions: Value| json!({"hosts": ["a.com"], "http": [{"route": [{"destination": {"host": "b"}}], "match": conditions}]});
    let narrow_first = covering(json!([
        {"uri": {"prefix": "/a"}, "authority": {"exact": "x"}},
        {"uri": {"prefix": "/a/b"}},
    ]));
    let other_source = covering(json!([
        {"uri": {"prefix": "/a"}, "sourceNamespace": "x"},
        {"uri": {"prefix": "/a/b"}},
    ]));
    let long_label = json!({"host": "a", "subsets": [{"name": "a", "labels": {"v": "1".repeat(64)}}]});
    let port_settings = |number: u32| json!({"host": "a", "trafficPolicy": {"portLevelSettings": [{"port": {"number": number}, "tls": {}}]}});
    let six =
        json!({"servers": [{"port": {"number": 80, "name": "a", "protocol": "HTTP"}, "hosts": ["::1"]}]});
    for (kind, spec, istiod, strict) in [
        (
            Kind::VirtualService,
            route(json!({"fault": {"abort": {"httpStatus": 600}}})),
            &[][..],
            &["A-VS-51"][..],
        ),
        (
            Kind::VirtualService,
            route(json!({"fault": {"abort": {}}})),
            &[],
            &["A-VS-52"],
        ),
        (
            Kind::VirtualService,
            route(json!({"match": [{"gateways": ["gw.ns.svc"]}]})),
            &[],
            &["A-VS-33"],
        ),
        (Kind::VirtualService, weights, &["A-VS-83"], &[]),
        (Kind::VirtualService, narrow_first, &["A-VS-101"], &[]),
        (Kind::VirtualService, other_source, &["A-VS-101"], &[]),
        (Kind::DestinationRule, long_label, &[], &["A-DR-7"]),
        (Kind::DestinationRule, port_settings(0), &[], &["A-DR-37"]),
        (Kind::Gateway, six, &["A-GW-7"], &[]),
        (
            Kind::WasmPlugin,
            json!({"url": "oci://a", "selector": {}}),
            &["A-WP-1"],
            &["A-WP-1"],
        ),
    ] {
        assert_eq!(
            in_profile(Profile::Istiod, kind.clone(), spec.clone()),
            istiod,
            "{spec}"
        );
        assert_eq!(in_profile(Profile::Strict, kind, spec.clone()), strict, "{spec}");
    }
}

#[test]
fn names_after_an_old_gateway_reference_are_not_looked_at() {
    // A-X-29
    let spec = json!({
        "hosts": ["a.com"],
        "gateways": ["mesh", "a/b/c"],
        "http": [{"route": [{"destination": {"host": "b"}}]}],
    });
    assert!(in_profile(Profile::Istiod, Kind::VirtualService, spec.clone()).is_empty());
    assert_eq!(
        in_profile(Profile::Strict, Kind::VirtualService, spec),
        ["A-VS-4"]
    );
}

#[test]
fn warnings_of_subsets_and_ports_are_lost() {
    // A-GEN-6
    let policy = json!({"outlierDetection": {"consecutiveErrors": 1}});
    let with_port = json!({"portLevelSettings": [{"port": {"number": 80}, "outlierDetection": {"consecutiveErrors": 1}}]});
    for spec in [
        json!({"host": "a", "subsets": [{"name": "a", "trafficPolicy": policy.clone()}]}),
        json!({"host": "a", "trafficPolicy": with_port}),
    ] {
        assert!(in_profile(Profile::Istiod, Kind::DestinationRule, spec.clone()).is_empty());
        assert_eq!(
            in_profile(Profile::Strict, Kind::DestinationRule, spec),
            ["A-DR-11"]
        );
    }
    let top = json!({"host": "a", "trafficPolicy": policy});
    assert_eq!(
        in_profile(Profile::Istiod, Kind::DestinationRule, top),
        ["A-DR-11"]
    );
}

#[test]
fn an_ending_error_drops_the_warnings_before_it() {
    // A-GEN-6, A-SC-3
    let spec = json!({"workloadSelector": {}});
    assert_eq!(
        in_profile(Profile::Istiod, Kind::Sidecar, spec.clone()),
        ["A-SC-3"]
    );
    assert_eq!(
        in_profile(Profile::Strict, Kind::Sidecar, spec),
        ["A-SC-2", "A-SC-3"]
    );
}

#[test]
fn gateway_api_semantics_relax_rules() {
    // A-MV-7
    let options = ValidateOptions {
        semantics: Semantics::GatewayApi,
        ..ValidateOptions::new(Profile::Istiod)
    };
    let gateway =
        json!({"servers": [{"port": {"number": 80, "name": "a", "protocol": "HTTP"}, "hosts": ["~/a.com"]}]});
    let mut object = Object::new(Kind::Gateway, gateway);
    object.meta = ObjectMeta::new("a.b", "shop");
    assert!(object.validate(&options).is_empty());
    assert_eq!(object.validate(&ValidateOptions::new(Profile::Istiod)).len(), 2);

    object.meta = object
        .meta
        .with_annotation("internal.istio.io/gateway-semantics", "gateway");
    assert!(object.validate(&ValidateOptions::new(Profile::Istiod)).is_empty());
    assert_eq!(object.validate(&ValidateOptions::new(Profile::Strict)).len(), 2);

    let any = json!({"hosts": ["a.com"], "http": [{"route": [{"destination": {"host": "a:b"}}]}]});
    assert!(codes(Kind::VirtualService, any.clone(), &options).is_empty());
    assert_eq!(
        in_profile(Profile::Istiod, Kind::VirtualService, any),
        ["A-VS-59"]
    );
}

#[test]
fn the_namespace_decides_about_export() {
    // A-X-22, A-MET-3
    let spec = json!({"host": "a", "exportTo": [".", "shop"]});
    assert_eq!(
        in_profile(Profile::Istiod, Kind::DestinationRule, spec.clone()),
        ["A-DR-4"]
    );
    let mut object = Object::new(Kind::DestinationRule, spec);
    object.meta = ObjectMeta::new("name", "");
    assert!(object.validate(&ValidateOptions::default()).is_empty());
    let selecting = |export_to: Value| json!({"host": "a", "exportTo": export_to, "workloadSelector": {"matchLabels": {"a": "b"}}});
    for (export_to, findings) in [
        (json!(["."]), 0),
        (json!([]), 0),
        (json!(["x"]), 1),
        (json!([".", "x"]), 1),
        (json!(["*"]), 1),
    ] {
        let found = in_profile(
            Profile::Istiod,
            Kind::DestinationRule,
            selecting(export_to.clone()),
        );
        assert_eq!(found.len(), findings, "{export_to}");
    }
}

#[test]
fn a_typed_spec_has_no_text_for_the_api_server() {
    let spec = json!({"hosts": ["*"]});
    assert!(in_profile(Profile::ApiServer, Kind::VirtualService, spec).is_empty());
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_fields() {
    // A-GEN-4
    let spec = json!({
        "hosts": ["a_b", "c_d"],
        "http": [
            {"match": [{"uri": {"regex": "("}, "port": 70000}], "timeout": "0s"},
            {"route": [{"destination": {"host": "*", "subset": "x_y"}}, {"weight": -1}]},
        ],
        "exportTo": ["x_y"],
    });
    assert_eq!(
        in_profile(Profile::Istiod, Kind::VirtualService, spec),
        [
            "A-VS-6", "A-VS-6", "A-VS-23", "A-VS-30", "A-VS-31", "A-VS-84", "A-VS-59", "A-VS-60", "A-VS-81",
            "A-VS-82", "A-VS-12",
        ]
    );
}

#[test]
fn many_overlapping_conditions_hit_a_limit() {
    // A-VS-101: with a limit of its own
    let first: Vec<Value> = (0..400)
        .map(|index| json!({"uri": {"prefix": "/a"}, "headers": {"x": {"exact": index.to_string()}}, "port": 80}))
        .collect();
    let second: Vec<Value> = (0..400)
        .map(|index| json!({"uri": {"prefix": format!("/a/{index:03}")}}))
        .collect();
    let conditions = [first, second].concat();
    let spec = route(json!({ "match": conditions }));
    let report = Object::new(Kind::VirtualService, spec).validate(&ValidateOptions::new(Profile::Istiod));
    let [finding] = report.diagnostics() else {
        panic!("one finding about the limit, not {}", report.len());
    };
    assert!(finding.message.contains("100000"), "{}", finding.message);
}

#[test]
fn both_layers_judge_a_made_object() {
    // the API server sees what would be written, istiod the specification
    let spec = crate::networking::VirtualService {
        hosts: vec!["*".into()],
        ..Default::default()
    };
    let object = crate::Object::new(ObjectMeta::new("Name", "shop"), spec).into();
    let codes = |profile| -> Vec<&str> {
        let report = validate(&object, &ValidateOptions::new(profile));
        report.iter().map(|finding| finding.code.as_str()).collect()
    };
    assert_eq!(codes(Profile::ApiServer), ["A-MET-4"]);
    assert_eq!(codes(Profile::Istiod), ["A-VS-8", "A-VS-10"]);
    assert_eq!(codes(Profile::Cluster), ["A-MET-4", "A-VS-8", "A-VS-10"]);
}

#[test]
fn what_decoder_and_schema_both_see_is_said_once() {
    // A-GEN-3: in the order of the text, across documents and files
    let text = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  http:
  - match:
    - uri: {regex: a, exact: b}
      prot: 80
    route: [{destination: {host: 1}, weight: '5'}]
    redirect: {derivePort: NEVER}
    mirrors: [{}]
  hosts: [null, '*']
";
    let mut decoded = crate::decode("b.yaml", text.as_bytes());
    decoded.extend(crate::decode(
        "a.yaml",
        text.replace("name: a", "name: A").as_bytes(),
    ));
    let report = crate::validate::validate_decoded(&decoded, &ValidateOptions::default());
    let lines: Vec<String> = report
        .iter()
        .map(|finding| {
            let location = finding.location.as_ref().unwrap();
            format!("{}:{} {}", location.file, location.line, finding.code)
        })
        .collect();
    let of_file = |file: &str| -> Vec<String> {
        let found = [
            (7, "A-WIRE-13"),
            (8, "A-WIRE-2"),
            (9, "A-WIRE-8"),
            (9, "A-WIRE-5"),
            (10, "A-WIRE-4"),
            (11, "A-CR-28"),
            (12, "A-WIRE-11"),
        ];
        found.map(|(line, code)| format!("{file}:{line} {code}")).to_vec()
    };
    let expected = [
        of_file("b.yaml"),
        vec!["a.yaml:3 A-MET-4".into()],
        of_file("a.yaml"),
    ]
    .concat();
    assert_eq!(lines, expected);
}

#[test]
fn of_objects_with_one_key_each_is_judged() {
    // A-RES-3: the last one stays, and is no excuse for those before
    let object = |host: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a, namespace: b}}\nspec: {{host: {host}}}\n---\n"
        )
    };
    let text = ["a_", "b", "c_"].map(object).concat();
    let mut decoded = crate::decode("a.yaml", text.as_bytes());
    decoded.extend(crate::decode("b.yaml", object("d").as_bytes()));
    let report = crate::validate::validate_decoded(&decoded, &ValidateOptions::default());
    let errors: Vec<String> = report.errors().map(ToString::to_string).collect();
    let starts = [
        "a.yaml:4:14: `_` is not allowed",
        "a.yaml:14:14: `_` is not allowed",
    ];
    assert!(
        errors.len() == 2
            && errors
                .iter()
                .zip(starts)
                .all(|(error, start)| error.starts_with(start)),
        "{errors:?}"
    );
    assert_eq!(report.warnings().count(), 3);
    assert_eq!(decoded.objects().len(), 1);
}

#[test]
fn strict_takes_probes_by_grpc_and_says_that_istiod_does_not() {
    // A-WG-8
    let spec = json!({"template": {}, "probe": {"grpc": {"port": 80}}});
    let validate =
        |profile| Object::new(Kind::WorkloadGroup, spec.clone()).validate(&ValidateOptions::new(profile));
    assert_eq!(validate(Profile::Istiod).errors().count(), 1);
    let strict = validate(Profile::Strict);
    assert!(strict.is_ok() && strict.warnings().count() == 1, "{strict}");
}

#[test]
fn warnings_are_errors_on_request_and_in_strict_alone() {
    let spec = json!({"host": "a", "trafficPolicy": {"outlierDetection": {"consecutiveErrors": 1}}});
    for (profile, raised) in [(Profile::Istiod, false), (Profile::Strict, true)] {
        let options = ValidateOptions {
            warnings_as_errors: true,
            ..ValidateOptions::new(profile)
        };
        let report = Object::new(Kind::DestinationRule, spec.clone()).validate(&options);
        assert_eq!(
            report.errors().count(),
            usize::from(raised),
            "{profile:?}: {report}"
        );
        assert_eq!(report.len(), 1);
    }
    assert_eq!(
        in_profile(Profile::Strict, Kind::DestinationRule, spec),
        ["A-DR-11"]
    );
}

#[test]
fn proposals_name_a_fix() {
    // A-GEN-2
    let help = |kind, spec: Value| -> Vec<Option<String>> {
        let report = Object::new(kind, spec).validate(&ValidateOptions::new(Profile::Istiod));
        report.into_iter().map(|finding| finding.help).collect()
    };
    for (kind, spec, expected) in [
        (
            Kind::WasmPlugin,
            json!({"url": "registry:5000/a"}),
            "write `oci://registry:5000/a`",
        ),
        (
            Kind::AuthorizationPolicy,
            json!({"rules": [{"when": [{"key": "source.namespaces", "values": ["a"]}]}]}),
            "did you mean `source.namespace`?",
        ),
        (
            Kind::AuthorizationPolicy,
            json!({"targetRef": {"kind": "Gateway", "name": "a"}}),
            "the group of Gateway is `gateway.networking.k8s.io`",
        ),
        (
            Kind::WorkloadGroup,
            json!({"template": {}, "probe": {"httpGet": {"port": 80, "scheme": "https"}}}),
            "did you mean `HTTPS`?",
        ),
    ] {
        assert_eq!(help(kind, spec), [Some(expected.to_owned())]);
    }
}

#[test]
fn a_finding_on_what_is_not_there_has_the_place_of_the_object() {
    // A-PAR-14, where not even the first step of the path is there
    let text = "kind: Namespace\napiVersion: v1\n---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\n";
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let decoded = decode_with("a.yaml", text.as_bytes(), &options);
    let report = validate_all(decoded.objects(), &ValidateOptions::new(Profile::Istiod));
    let places: Vec<String> = report
        .iter()
        .map(|finding| {
            finding
                .location
                .as_ref()
                .map_or_else(String::new, ToString::to_string)
        })
        .collect();
    assert!(
        !places.is_empty() && places.iter().all(|place| place == "a.yaml:4:1"),
        "{places:?}"
    );
}
