//! Every rule of the wire and of parsing has a case that passes and one that fails (api.md 1.4).

use std::collections::BTreeSet;

use mesh_api::codec::DecodeOptions;
use mesh_api::{Profile, decode_with};

use crate::{decode_as, virtual_service};

/// What a rule says about one text.
struct Case {
    rule: &'static str,
    profile: Profile,
    text: String,
    /// The code, severity and a part of message or help of the only finding; `None` if there is none.
    finding: Option<(&'static str, &'static str, &'static str)>,
}

/// A VirtualService with a spec, read as by `kubectl apply`.
fn spec(rule: &'static str, spec: &str, finding: Option<(&'static str, &'static str)>) -> Case {
    let finding = finding.map(|(code, words)| (code, "error", words));
    Case {
        rule,
        profile: Profile::Cluster,
        text: virtual_service(spec),
        finding,
    }
}

/// The same, with another verdict.
fn by(profile: Profile, severity: &'static str, case: Case) -> Case {
    let finding = case.finding.map(|(code, _, words)| (code, severity, words));
    Case {
        profile,
        finding,
        ..case
    }
}

/// A whole document.
fn document(rule: &'static str, text: &str, finding: Option<(&'static str, &'static str)>) -> Case {
    let finding = finding.map(|(code, words)| (code, "error", words));
    Case {
        rule,
        profile: Profile::Cluster,
        text: text.to_owned(),
        finding,
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
const MTLS: &str = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p}\nspec: ";

#[rustfmt::skip]
fn wire() -> Vec<Case> {
    use Profile::{ApiServer, Istiod, Strict};
    vec![
        spec("A-WIRE-1", "http: [{mirrorPercentage: {value: 1}}]", None),
        spec("A-WIRE-1", "http: [{mirror_percentage: {value: 1}}]", Some(("A-WIRE-1", "write `mirrorPercentage`"))),
        by(Istiod, "", spec("A-WIRE-1", "http: [{mirror_percentage: {value: 1}}]", None)),
        by(Istiod, "", spec("A-WIRE-1", "export_to: ['*']\nexportTo: [.]", None)),
        by(Strict, "error", spec("A-WIRE-1", "export_to: ['*']\nexportTo: [.]", Some(("A-WIRE-1", "both spellings")))),
        spec("A-WIRE-2", "http: [{timeout: 1s}]", None),
        spec("A-WIRE-2", "http: [{timeuot: 1s}]", Some(("A-WIRE-2", "did you mean `timeout`?"))),
        by(ApiServer, "error", spec("A-WIRE-2", "nope: 1", Some(("A-WIRE-2", "unknown field")))),
        by(Istiod, "warning", spec("A-WIRE-2", "nope: 1", Some(("A-WIRE-2", "unknown field")))),
        spec("A-WIRE-3", "http: [{timeout: 1h30m}, {timeout: 1.5s}, {timeout: .5s}, {timeout: 1.s}, {timeout: 2µs}, {timeout: 2μs}, {timeout: '0'}, {timeout: -2s}]", None),
        spec("A-WIRE-3", "http: [{timeout: 5}]", Some(("A-WIRE-3", "a duration"))),
        spec("A-WIRE-3", "http: [{timeout: '5'}]", Some(("A-WIRE-3", "a unit is missing"))),
        spec("A-WIRE-3", "http: [{timeout: ''}]", Some(("A-WIRE-3", "no duration"))),
        spec("A-WIRE-3", "http: [{timeout: 9999999999h}]", Some(("A-WIRE-3", "no duration"))),
        spec("A-WIRE-4", "http: [{redirect: {derivePort: FROM_REQUEST_PORT}}]", None),
        spec("A-WIRE-4", "http: [{redirect: {derivePort: from_request_port}}]", Some(("A-WIRE-4", "did you mean `FROM_REQUEST_PORT`?"))),
        spec("A-WIRE-4", "http: [{redirect: {derivePort: 1}}]", Some(("A-WIRE-4", "a name is needed"))),
        by(Istiod, "", spec("A-WIRE-4", "http: [{redirect: {derivePort: 1}}, {redirect: {derivePort: 77}}]", None)),
        by(Istiod, "error", spec("A-WIRE-4", "http: [{redirect: {derivePort: 99999999999}}]", Some(("A-WIRE-5", "out of range")))),
        spec("A-WIRE-5", "http: [{match: [{port: 80}]}]", None),
        by(Istiod, "", spec("A-WIRE-5", "http: [{match: [{port: '80'}]}]", None)),
        spec("A-WIRE-5", "http: [{match: [{port: '80'}]}]", Some(("A-WIRE-5", "remove the quotes"))),
        spec("A-WIRE-5", "http: [{match: [{port: 80.0}]}]", None),
        by(ApiServer, "", spec("A-WIRE-5", "http: [{match: [{port: 80.00}]}]", None)),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: 80.0}]}]", Some(("A-WIRE-5", "80.0")))),
        by(ApiServer, "error", spec("A-WIRE-5", "http: [{match: [{port: 80.01}]}]", Some(("A-WIRE-5", "80.01")))),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: '0x50'}]}]", Some(("A-WIRE-5", "0x50")))),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: '+80'}]}]", Some(("A-WIRE-5", "+80")))),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: 1e2}]}]", Some(("A-WIRE-5", "1e2")))),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: 80.5}]}]", Some(("A-WIRE-5", "80.5")))),
        by(Istiod, "error", spec("A-WIRE-5", "http: [{match: [{port: 4294967296}]}]", Some(("A-WIRE-5", "out of range")))),
        spec("A-WIRE-6", "http: [{mirrorPercentage: {value: 1.5}}, {mirrorPercentage: {value: 7}}]", None),
        by(Istiod, "", spec("A-WIRE-6", "http: [{mirrorPercentage: {value: '1.5'}}, {mirrorPercentage: {value: NaN}}, {mirrorPercentage: {value: -Infinity}}]", None)),
        spec("A-WIRE-6", "http: [{mirrorPercentage: {value: '1.5'}}]", Some(("A-WIRE-6", "remove the quotes"))),
        by(Istiod, "error", spec("A-WIRE-6", "http: [{mirrorPercentage: {value: much}}]", Some(("A-WIRE-6", "a number")))),
        spec("A-WIRE-7", "http: [{match: [{ignoreUriCase: true}]}]", None),
        by(Istiod, "error", spec("A-WIRE-7", "http: [{match: [{ignoreUriCase: 'true'}]}]", Some(("A-WIRE-7", "remove the quotes")))),
        by(Istiod, "error", spec("A-WIRE-7", "http: [{match: [{ignoreUriCase: 1}]}]", Some(("A-WIRE-7", "a boolean is needed")))),
        spec("A-WIRE-8", "http: [{name: '1.20'}]", None),
        by(Istiod, "error", spec("A-WIRE-8", "http: [{name: 1.20}]", Some(("A-WIRE-8", "write \"1.20\"")))),
        by(Istiod, "error", spec("A-WIRE-8", "http: [{name: yes}]", Some(("A-WIRE-8", "write \"yes\"")))),
        spec("A-WIRE-9", "http: [{directResponse: {status: 200, body: {bytes: aGk=}}}]", None),
        by(Istiod, "error", spec("A-WIRE-9", "http: [{directResponse: {status: 200, body: {bytes: '???'}}}]", Some(("A-WIRE-9", "base64")))),
        spec("A-WIRE-10", "hosts: null\nhttp: [{timeout: ~, retries: null}]", None),
        spec("A-WIRE-10", "http: [{retries: 0}]", Some(("A-PAR-13", "a map is needed"))),
        by(Istiod, "", spec("A-WIRE-11", "http: [null, {}]", None)),
        spec("A-WIRE-11", "http: [null]", Some(("A-WIRE-11", "remove it"))),
        by(Strict, "error", spec("A-WIRE-11", "http: [{headers: {request: {set: {a: null}}}}]", Some(("A-WIRE-11", "null")))),
        document("A-WIRE-12", &format!("{MTLS}{{portLevelMtls: {{}}}}\n"), None),
        document("A-WIRE-12", &format!("{MTLS}{{portLevelMtls: []}}\n"), Some(("A-PAR-13", "a list stands where a map is needed"))),
        spec("A-WIRE-13", "http: [{match: [{uri: {prefix: /a}}]}]", None),
        spec("A-WIRE-13", "http: [{match: [{uri: {prefix: /a, exact: /b}}]}]", Some(("A-WIRE-13", "`exact` and `prefix` are both set"))),
        by(Istiod, "warning", spec("A-WIRE-13", "http: [{match: [{uri: {prefix: /a, exact: /b}}]}]", Some(("A-WIRE-13", "`prefix` is taken")))),
        spec("A-WIRE-14", "http: [{retries: {}}]", None),
        spec("A-WIRE-14", "http: [{match: [{retries: {}}]}]", Some(("A-WIRE-2", "`retries` belongs further up"))),
        spec("A-WIRE-14", "http: [{route: [{subset: v1, destination: {host: a}}]}]", Some(("A-WIRE-2", "`subset` belongs further down"))),
        spec("A-WIRE-14", "http: [{websocketUpgrade: true}]", Some(("A-WIRE-2", "upgrades are always allowed"))),
        spec("A-WIRE-14", "http: [{appendHeaders: {}}]", Some(("A-WIRE-2", "write `headers.request.add`"))),
        spec("A-WIRE-14", "http: [{removeResponseHeaders: {}}]", Some(("A-WIRE-2", "write `headers.response.remove`"))),
        spec("A-WIRE-14", "http: [{corsPolicy: {allowOriginss: []}}]", Some(("A-WIRE-2", "did you mean `allowOrigins`?"))),
        spec("A-WIRE-14", "http: [{tiemout: 1s}]", Some(("A-WIRE-2", "did you mean `timeout`?"))),
        spec("A-WIRE-14", "http: [{xyzzy: 1s}]", Some(("A-WIRE-2", "unknown field `xyzzy`"))),
        document("A-WIRE-14", &format!("{MTLS}{{mtls: {{mode: ALLOW}}}}\n"), Some(("A-WIRE-4", "write `PERMISSIVE`"))),
    ]
}

#[rustfmt::skip]
fn parsing() -> Vec<Case> {
    use Profile::{Istiod, Strict};
    let list = |depth: usize| (0..depth).fold("{apiVersion: v1, kind: Pod, metadata: {name: p}}".to_owned(), |item, _| format!("{{apiVersion: v1, kind: List, items: [{item}]}}"));
    vec![
        document("A-PAR-1", &format!("\u{feff}{POD}"), None),
        document("A-PAR-1", &format!("{POD}a: \u{0}\n"), Some(("A-PAR-1", "control character 0x00"))),
        document("A-PAR-1", &format!("{POD}a: \u{1b}\n"), Some(("A-PAR-1", "control character 0x1b"))),
        document("A-PAR-2", " {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}", None),
        document("A-PAR-2", "{\"apiVersion\": \"v1\" \"kind\": \"Pod\"}", Some(("A-PAR-12", "`,` or `}` is needed"))),
        document("A-PAR-3", &format!("# c\n---\n{POD}...\n---\nnull\n---\n# nothing\n"), None),
        document("A-PAR-3", &format!("{POD}--- x\n"), Some(("A-PAR-5", "a string stands where an object is needed"))),
        document("A-PAR-4", &list(4), None),
        document("A-PAR-4", &list(5), Some(("A-PAR-4", "nested deeper than 4"))),
        document("A-PAR-4", "{apiVersion: v1, kind: PodList, items: [{metadata: {name: p}}]}", None),
        document("A-PAR-4", "apiVersion: v1\nkind: List\nitems: {}\n", Some(("A-PAR-4", "`items` must be a list"))),
        document("A-PAR-5", POD, None),
        document("A-PAR-5", "apiVersion: v1\nmetadata: {name: p}\n", Some(("A-PAR-5", "no `kind`"))),
        document("A-PAR-5", "apiVersion: ''\nkind: Pod\n", Some(("A-PAR-5", "`apiVersion` must be"))),
        document("A-PAR-5", "- a\n", Some(("A-PAR-5", "a list stands where"))),
        by(Istiod, "", document("A-PAR-6", &format!("{POD}spec: {{a: 1, a: 2}}\n"), None)),
        document("A-PAR-6", &format!("{POD}spec: {{a: 1, a: 2}}\n"), Some(("A-PAR-6", "first at 4:8"))),
        spec("A-PAR-7", "hosts: ['on', \"no\", 12:30, 2024-01-01, v1]", None),
        spec("A-PAR-7", "hosts: [on]", Some(("A-WIRE-8", "write \"on\""))),
        document("A-PAR-7", &format!("{POD}a: .inf\n"), Some(("A-PAR-7", "no form in JSON"))),
        document("A-PAR-8", &format!("{POD}a: {{8080: a, true: b, 1.5: c}}\n"), None),
        by(Profile::Cluster, "warning", document("A-PAR-8", &format!("{POD}a: {{on: b}}\n"), Some(("A-PAR-8", "becomes `true`")))),
        document("A-PAR-8", &format!("{POD}a: {{~: b}}\n"), Some(("A-PAR-8", "the key is null"))),
        document("A-PAR-8", &format!("{POD}a: {{[b]: c}}\n"), Some(("A-PAR-8", "a list or map"))),
        document("A-PAR-9", &format!("{POD}a: &a {{b: 1}}\nc: [*a, {{<<: *a}}, {{<<: [*a, *a]}}]\n"), None),
        document("A-PAR-9", &format!("{POD}a: &a [*a]\n"), Some(("A-PAR-9", "inside the node"))),
        document("A-PAR-9", &format!("{POD}a: {{<<: 1}}\n"), Some(("A-PAR-9", "takes a map"))),
        document("A-PAR-10", &format!("{POD}a: [!!str 1, !!int \"2\", !!float 3, !!bool yes, !!null ~, !!map {{}}, !!seq [], !!binary aGk=, !x y]\n"), None),
        document("A-PAR-10", &format!("{POD}a: !!int x\n"), Some(("A-PAR-10", "does not fit the tag !!int"))),
        document("A-PAR-10", &format!("{POD}a: !!seq {{}}\n"), Some(("A-PAR-10", "does not fit here"))),
        by(Strict, "error", document("A-PAR-10", &format!("{POD}a: !x y\n"), Some(("A-PAR-10", "is not known")))),
        document("A-PAR-12", &format!("{}# c\r\na: \tx\r\nb: >-\r\n  x\r\nc: [\r\n  1, # c\r\n  2]\r\n", POD.replace('\n', "\r\n")), None),
        document("A-PAR-12", &format!("{POD}a:\tx\nb: {{c:\td, e:\t\tf}}\n"), None),
        document("A-PAR-12", &format!("{POD}a:\n\tb: 1\n"), Some(("A-PAR-12", "tab"))),
        document("A-PAR-12", &format!("{POD}a: [1\n"), Some(("A-PAR-12", ""))),
        spec("A-PAR-13", "hosts: [a.com]", None),
        spec("A-PAR-13", "hosts: a.com", Some(("A-PAR-13", "write [a.com]"))),
        spec("A-PAR-13", "http: [{match: [{port: \"80\"}]}]", Some(("A-WIRE-5", "remove the quotes"))),
        spec("A-PAR-13", "hosts: [a, ~]", Some(("A-WIRE-11", "remove it"))),
    ]
}

fn check(case: &Case) {
    let Case {
        rule,
        profile,
        text,
        finding,
    } = case;
    let decoded = decode_as(*profile, text);
    let found: Vec<_> = decoded.report().iter().collect();
    match (finding, found.as_slice()) {
        (None, []) => assert!(!decoded.objects().is_empty(), "{rule}: no object in\n{text}"),
        (Some((code, severity, words)), [one]) => {
            assert_eq!(
                (one.code.as_str(), one.severity.to_string().as_str()),
                (*code, *severity),
                "{rule}: {one}\n{text}"
            );
            let said = format!("{} {}", one.message, one.help.as_deref().unwrap_or_default());
            assert!(said.contains(words), "{rule}: {said}\n{text}");
        }
        _ => panic!("{rule} ({profile:?}): {}\n{text}", decoded.report()),
    }
}

#[test]
fn every_rule_of_the_wire_and_of_parsing() {
    let cases: Vec<Case> = wire().into_iter().chain(parsing()).collect();
    cases.iter().for_each(check);
    let rules = |failing: bool| -> BTreeSet<&str> {
        let cases = cases.iter().filter(|case| case.finding.is_some() == failing);
        cases.map(|case| case.rule).collect()
    };
    // A-WIRE-15 is about writing (`emit`), A-PAR-11 has limits below, A-PAR-14 places in `objects`
    let all: Vec<String> = (1..15)
        .map(|n| format!("A-WIRE-{n}"))
        .chain((1..14).filter(|n| *n != 11).map(|n| format!("A-PAR-{n}")))
        .collect();
    for rule in &all {
        assert!(rules(true).contains(rule.as_str()), "{rule} has no failing case");
        assert!(rules(false).contains(rule.as_str()), "{rule} has no passing case");
    }
}

#[test]
fn a_par_11_the_defaults_hold_at_their_edge() {
    let head = "apiVersion: v1\nkind: X\nmetadata: {name: x}\na: ";
    let tail = |nodes: usize| format!("{head}[{}]\n", vec!["1"; nodes].join(","));
    for (inside, outside) in [
        (
            format!("{head}{}\n", "x".repeat((1 << 20) - head.len() - 1)),
            format!("{head}{}\n", "x".repeat(1 << 20)),
        ),
        (
            format!("{head}{}1{}\n", "[".repeat(63), "]".repeat(63)),
            format!("{head}{}1{}\n", "[".repeat(64), "]".repeat(64)),
        ),
        (tail(199_980), tail(200_001)),
        (
            format!("{head}1\n{}: 1\n", "k".repeat(1000)),
            format!("{{\"{}\": 1}}", "k".repeat(5000)),
        ),
        (
            format!("{head}1\n{}", "---\n".repeat(9_999)),
            format!("{head}1\n{}a: 1\n", "---\n".repeat(10_001)),
        ),
    ] {
        for (text, fine) in [(inside, true), (outside, false)] {
            let decoded = decode_with("a.yaml", text.as_bytes(), &DecodeOptions::default());
            let codes: Vec<_> = decoded
                .report()
                .iter()
                .map(|finding| finding.code.as_str())
                .collect();
            let expected: &[&str] = if fine { &[] } else { &["A-PAR-11"] };
            assert_eq!(codes, expected, "{} bytes, {:?}", text.len(), &text[..80]);
        }
    }
}
