//! What holds for all analyzers together.

use super::*;
use crate::report::Code;

fn vs(meta: &str, gateway: &str) -> String {
    let spec = format!(
        "spec: {{hosts: [x.com], gateways: [{gateway}], http: [{{directResponse: {{status: 200}}}}]}}"
    );
    object("VirtualService shop/a", meta, &spec)
}

fn codes_of(objects: &[String], options: &AnalyzeOptions) -> Vec<&'static str> {
    let analysis = analyze(&read(objects), options);
    analysis
        .messages()
        .iter()
        .map(|message| message.kind.code.as_str())
        .collect()
}

#[test]
fn objects_and_callers_can_ask_for_silence() {
    // A-AN-1
    let options = AnalyzeOptions::default();
    let with = |codes: &str| {
        vs(
            &format!("annotations: {{galley.istio.io/analyze-suppress: '{codes}'}}"),
            "g",
        )
    };
    assert_eq!(codes_of(&[vs("", "g")], &options), ["IST0101", "IST0132"]);
    assert_eq!(codes_of(&[with("IST0101")], &options), ["IST0132"]);
    assert!(codes_of(&[with("IST0101, IST0132")], &options).is_empty());
    assert!(codes_of(&[with("*")], &options).is_empty());
    for (rule, left) in [
        ("IST0101=VirtualService a.shop", 1),
        ("IST0101=VirtualService *.shop", 1),
        ("IST0101=VirtualService shop/a", 1),
        ("IST0101=* a.sho?", 1),
        ("IST0101=VirtualService a.other", 2),
        ("IST0101=VirtualService a", 2),
        ("IST0132=*", 1),
    ] {
        let options = AnalyzeOptions {
            suppressions: vec![rule.parse().unwrap()],
            ..AnalyzeOptions::default()
        };
        assert_eq!(codes_of(&[vs("", "g")], &options).len(), left, "{rule}");
    }
    for wrong in ["IST0101", "IST9999=*", "IST0101=[", ""] {
        let error = wrong.parse::<Suppression>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("`{wrong}` is no suppression")),
            "{error}"
        );
    }
}

#[test]
fn nothing_is_said_on_ignorance_unless_the_set_is_complete() {
    let objects = [
        object(
            "VirtualService shop/a",
            "",
            "spec: {hosts: [x.com], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}",
        ),
        object(
            "Sidecar shop/a",
            "",
            "spec: {workloadSelector: {labels: {a: b}}, egress: [{hosts: ['./*']}]}",
        ),
        object(
            "Gateway shop/a",
            "",
            "spec: {selector: {a: b}, servers: [{port: {number: 80, name: p, protocol: HTTP}, hosts: ['*']}]}",
        ),
        object(
            "AuthorizationPolicy shop/a",
            "",
            "spec: {rules: [{from: [{source: {namespaces: [b]}}]}]}",
        ),
        object(
            "DestinationRule shop/a",
            "",
            "spec: {host: ratings, subsets: [{name: v1, labels: {a: b}}]}",
        ),
    ];
    assert_eq!(codes_of(&objects, &AnalyzeOptions::default()), ["IST0101"]); // the subset: DestinationRules were supplied
    assert_eq!(codes_of(&objects[..1], &AnalyzeOptions::default()), [""; 0]);
    let complete = codes_of(&objects, &AnalyzeOptions::istioctl());
    assert_eq!(
        complete.iter().filter(|code| **code == "IST0101").count(),
        5,
        "{complete:?}"
    );
    assert!(
        complete.contains(&"IST0127") && complete.contains(&"IST0174"),
        "{complete:?}"
    );
}

#[test]
fn messages_that_read_the_same_are_one() {
    // A-AN-1: positions that istioctl does not know are listed in the one message
    let patch =
        "{applyTo: HTTP_FILTER, match: {context: ANY}, patch: {operation: INSERT_BEFORE, value: {name: a}}}";
    let filter = object(
        "EnvoyFilter shop/a",
        "",
        &format!("spec: {{configPatches: [{patch}, {patch}]}}"),
    );
    let analysis = analyze(&read(&[filter]), &AnalyzeOptions::default());
    let relative: Vec<_> = analysis
        .messages()
        .iter()
        .filter(|message| message.kind.number() == 151)
        .collect();
    assert_eq!(relative.len(), 1);
    let more: Vec<String> = relative[0].more_paths.iter().map(ToString::to_string).collect();
    assert_eq!(more, ["spec.configPatches[1].patch.operation"]);
    // two routes to one unknown host on two lines are two
    let spec = "spec:\n  hosts: [x.com]\n  tcp:\n  - match: [{port: 1}]\n    route: [{destination: {host: y.com}}]\n  - route: [{destination: {host: y.com}}]";
    let twice = object("VirtualService shop/a", "", spec);
    assert_eq!(
        codes_of(&[twice], &AnalyzeOptions::istioctl()),
        ["IST0101", "IST0101"]
    );
}

#[test]
fn the_order_of_input_does_not_matter() {
    let mut objects: Vec<String> = super::cases::all()
        .into_iter()
        .filter(|case| case.code == "IST0109" || case.code == "IST0145" || case.code == "IST0002")
        .flat_map(|case| case.fire)
        .collect();
    objects.sort();
    objects.dedup_by_key(|object| {
        object
            .split("metadata")
            .nth(1)
            .map(|meta| meta.split('}').next().map(str::to_owned))
    });
    let set: ObjectSet = read(&objects).iter().map(|(_, object)| object.clone()).collect();
    let forwards = analyze(&set, &AnalyzeOptions::istioctl());
    let backwards: ObjectSet = set
        .iter()
        .map(|(_, object)| object.clone())
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert_eq!(forwards, analyze(&backwards, &AnalyzeOptions::istioctl()));
    assert!(forwards.messages().len() > 3, "{forwards}");
}

#[test]
fn a_limit_ends_what_is_quadratic() {
    let labels = "{app: a}";
    let mut objects: Vec<String> = Vec::new();
    for at in 0..40 {
        let spec = format!("spec: {{workloadSelector: {{labels: {labels}}}, egress: [{{hosts: ['./*']}}]}}");
        objects.push(object(&format!("Sidecar shop/s{at}"), "", &spec));
        objects.push(object(
            &format!("Pod shop/p{at}"),
            &format!("labels: {labels}"),
            "",
        ));
    }
    let options = AnalyzeOptions {
        max_messages: 100,
        ..AnalyzeOptions::default()
    };
    let analysis = analyze(&read(&objects), &options);
    assert!(analysis.is_cut() && analysis.messages().len() <= 100);
    let whole = analyze(&read(&objects), &AnalyzeOptions::default());
    let conflicts = whole
        .messages()
        .iter()
        .filter(|message| message.kind.number() == 110)
        .count();
    assert!(!whole.is_cut() && conflicts == 1600, "{conflicts}");
    assert!(whole.messages().iter().all(|message| message.text().len() < 500));
}

#[test]
fn messages_become_findings_with_a_place() {
    let analysis = analyze(&read(&[vs("", "g")]), &AnalyzeOptions::default());
    let report = analysis.report();
    let finding = report.errors().next().unwrap();
    assert_eq!(finding.code, Code::new("IST0101"));
    assert_eq!(
        finding.to_string(),
        "test.yaml:4:35: referenced gateway not found: `g` [IST0101]"
    );
    assert_eq!(analysis.worst(), Some(Severity::Error));
    let user_text = object(
        "VirtualService shop/a",
        "",
        "spec: {hosts: [x.com], gateways: [\"a\\nb\"]}",
    );
    let analysis = analyze(&read(&[user_text]), &AnalyzeOptions::default());
    assert!(analysis.to_string().contains("not found: `a\\nb`"), "{analysis}");
    assert!(
        analysis
            .messages()
            .iter()
            .all(|message| !message.to_string().contains('\n'))
    );
}

#[test]
fn the_mesh_configuration_is_looked_at_too() {
    // IST0002
    for (text, path) in [
        (
            "{extensionProviders: [{name: old, lightstep: {service: s, port: 1}}], defaultProviders: {tracing: [old]}}",
            "defaultProviders.tracing",
        ),
        (
            "{defaultConfig: {tracing: {lightstep: {address: a}}}}",
            "defaultConfig.tracing.lightstep",
        ),
    ] {
        let options = AnalyzeOptions {
            mesh: crate::decode_value("mesh.yaml", text.as_bytes()).0,
            ..AnalyzeOptions::default()
        };
        let analysis = analyze(&ObjectSet::new(), &options);
        let [message] = analysis.messages() else {
            panic!("{analysis}");
        };
        assert_eq!(message.origin(), "MeshConfig istio-system/meshconfig");
        assert_eq!(
            (message.kind.number(), message.path.to_string().as_str()),
            (2, path)
        );
    }
    assert!(
        analyze(&ObjectSet::new(), &AnalyzeOptions::default())
            .messages()
            .is_empty()
    );
}
