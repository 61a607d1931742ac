//! Every kind of bad input has its own finding, at its place, with a fix where one is known.

use crate::{decode, decode_as, marked, place, places, virtual_service};
use mesh_api::Profile;
use mesh_api::codec::DecodeOptions;

/// The one finding of a spec, which stands at its mark `^`: its code, its message and its help.
fn only_finding(spec: &str) -> (String, String, String) {
    let (text, at) = marked(&virtual_service(spec));
    let decoded = decode(&text);
    let findings: Vec<_> = decoded.report().iter().collect();
    let [finding] = findings.as_slice() else {
        panic!("{spec}\n{}", decoded.report())
    };
    assert!(decoded.objects().is_empty(), "{spec}");
    assert_eq!(place(finding), format!("{at} {}", finding.code), "{spec}");
    (
        finding.code.to_string(),
        finding.message.clone(),
        finding.help.clone().unwrap_or_default(),
    )
}

#[test]
fn wrong_types_say_what_is_needed_and_how_to_write_it() {
    for (spec, code, message, help) in [
        // A-PAR-7, A-WIRE-8
        (
            "http: [{match: [{uri: {exact: ^on}}]}]",
            "A-WIRE-8",
            "`on` is a boolean in YAML 1.1, a string is needed here",
            "write \"on\"",
        ),
        (
            "http: [{name: ^1.20}]",
            "A-WIRE-8",
            "`1.20` is a number, a string is needed here",
            "write \"1.20\"",
        ),
        (
            "http: [{name: ^true}]",
            "A-WIRE-8",
            "`true` is a boolean, a string is needed here",
            "write \"true\"",
        ),
        (
            "http: [{name: ^[a]}]",
            "A-WIRE-8",
            "a list stands where a string is needed",
            "",
        ),
        // A-PAR-13
        (
            "hosts: ^a.com",
            "A-PAR-13",
            "`a.com` is a string, a list is needed here",
            "write [a.com]",
        ),
        ("http: ^{}", "A-PAR-13", "a map stands where a list is needed", ""),
        (
            "http: [^a]",
            "A-PAR-13",
            "`a` is a string, a map is needed here",
            "",
        ),
        // A-WIRE-7
        (
            "http: [{match: [{ignoreUriCase: ^\"true\"}]}]",
            "A-WIRE-7",
            "`true` is a string, a boolean is needed here",
            "remove the quotes",
        ),
        // A-WIRE-5
        (
            "http: [{match: [{port: ^80.5}]}]",
            "A-WIRE-5",
            "`80.5` is a number, an integer from 0 to 4294967295 is needed here",
            "",
        ),
        (
            "http: [{match: [{port: ^-1}]}]",
            "A-WIRE-5",
            "`-1` is out of range, an integer from 0 to 4294967295 is needed here",
            "",
        ),
        (
            "http: [{match: [{port: ^\"80\"}]}]",
            "A-WIRE-5",
            "`80` is a string, a number is needed here",
            "remove the quotes",
        ),
        // A-WIRE-3
        (
            "http: [{timeout: ^\"5\"}]",
            "A-WIRE-3",
            "`5` is no duration: a unit is missing, such as s or ms",
            "",
        ),
        (
            "http: [{timeout: ^5}]",
            "A-WIRE-3",
            "`5` is a number, a duration such as `1.5s` is needed here",
            "write \"5\"",
        ),
        // A-WIRE-4
        (
            "http: [{redirect: {derivePort: ^from_protocol_default}}]",
            "A-WIRE-4",
            "unknown value `from_protocol_default`",
            "did you mean `FROM_PROTOCOL_DEFAULT`?",
        ),
        // A-WIRE-11
        (
            "hosts: [a, ^null]",
            "A-WIRE-11",
            "null stands where a value is needed",
            "remove it, or write the value",
        ),
        // A-WIRE-13
        (
            "http: [{match: [{uri: {prefix: /a, ^exact: /b}}]}]",
            "A-WIRE-13",
            "`exact` and `prefix` are both set, only one may be",
            "remove one",
        ),
        // A-WIRE-1
        (
            "http: [{^mirror_percentage: {value: 1}}]",
            "A-WIRE-1",
            "the field `mirror_percentage` is not known by this spelling",
            "write `mirrorPercentage`",
        ),
    ] {
        let found = only_finding(spec);
        assert_eq!(
            found,
            (code.to_owned(), message.to_owned(), help.to_owned()),
            "{spec}"
        );
    }
}

#[test]
fn unknown_fields_come_with_the_field_that_was_meant() {
    // A-WIRE-2, A-WIRE-14
    for (spec, rule, help) in [
        (
            "http: [{match: [{uri: {^perfix: /a}}]}]",
            "A-WIRE-2",
            "did you mean `prefix`?",
        ),
        (
            "http: [{^retry: {attempts: 1}}]",
            "A-WIRE-2",
            "did you mean `retries`?",
        ),
        (
            "http: [{match: [{^retries: {attempts: 1}}]}]",
            "A-WIRE-2",
            "`retries` belongs further up",
        ),
        (
            "http: [{route: [{^subset: v1, destination: {host: a, subset: v2}}]}]",
            "A-WIRE-2",
            "`subset` belongs further down",
        ),
        (
            "http: [{^websocketUpgrade: true}]",
            "A-WIRE-2",
            "remove it, upgrades are always allowed",
        ),
        ("http: [{^xyz: 1}]", "A-WIRE-2", ""),
        ("^Hosts: [a]", "A-WIRE-2", "did you mean `hosts`?"),
    ] {
        let (code, _, found) = only_finding(spec);
        assert_eq!((code.as_str(), found.as_str()), (rule, help), "{spec}");
    }
    // istiod drops them with a warning
    let text = virtual_service("hosts: [a]\nhtpp: []");
    let decoded = decode_as(Profile::Istiod, &text);
    assert_eq!(decoded.objects().len(), 1);
    assert_eq!(places(&decoded), ["6:3 A-WIRE-2"]);
    assert_eq!(decoded.report().warnings().count(), 1);
}

#[test]
fn keys_that_stand_twice_are_reported_at_every_depth_with_both_places() {
    // A-PAR-6
    let text = virtual_service("hosts: [a]\nhttp:\n- name: x\n  name: y\nhttp: []");
    let decoded = decode(&text);
    assert_eq!(places(&decoded), ["8:5 A-PAR-6", "9:3 A-PAR-6"]);
    assert!(
        decoded
            .report()
            .iter()
            .nth(1)
            .unwrap()
            .message
            .contains("first at 6:3")
    );
    assert!(decoded.objects().is_empty());
    // in a large map, where hashing finds them
    let many: String = (0..20).map(|n| format!("k{n}: {{}}\n")).collect();
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{many}k7: 1\n");
    assert_eq!(places(&decode(&text)), ["24:1 A-PAR-6"]);
    // quirk A-PAR-6: istiod keeps the last
    let istiod = decode_as(Profile::Istiod, &virtual_service("hosts: [a]\nhosts: [b]"));
    assert!(istiod.report().is_empty());
    assert_eq!(
        istiod.objects().virtual_services().next().unwrap().spec.hosts,
        ["b"]
    );
}

#[test]
fn one_bad_document_hides_no_other() {
    // A-PAR-5, A-PAR-12
    let good = virtual_service("hosts: [a]");
    for (bad, code) in [
        ("a: b: c\n", "A-PAR-12"),
        ("a: [1, 2\n", "A-PAR-12"),
        ("a: \"x\n", "A-PAR-12"),
        ("a:\n\tb: 1\n", "A-PAR-12"),
        ("{\"a\": 1,}x\n", "A-PAR-12"),
        ("a: *x\n", "A-PAR-12"),
        ("just text\n", "A-PAR-5"),
        ("- a\n- b\n", "A-PAR-5"),
        ("kind: Gateway\n", "A-PAR-5"),
        ("apiVersion: 1\nkind: Gateway\n", "A-PAR-5"),
        ("apiVersion: v1\nkind: \"\"\n", "A-PAR-5"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "A-MET-4"),
        (
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspecs: {}\n",
            "A-MET-1",
        ),
        (
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: 1\n",
            "A-PAR-13",
        ),
        (
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: [a]\n",
            "A-PAR-13",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, creationTimestamp: yesterday}\n",
            "A-MET-2",
        ),
        ("a: \u{1}\n", "A-PAR-1"),
        (
            "a: .inf\napiVersion: v1\nkind: X\nmetadata: {name: x}\n",
            "A-PAR-7",
        ),
        (
            "? [a]\n: 1\napiVersion: v1\nkind: X\nmetadata: {name: x}\n",
            "A-PAR-8",
        ),
        (
            "a: !!int x\napiVersion: v1\nkind: X\nmetadata: {name: x}\n",
            "A-PAR-10",
        ),
        ("<<: 1\napiVersion: v1\nkind: X\nmetadata: {name: x}\n", "A-PAR-9"),
    ] {
        let decoded = decode(&format!(
            "{good}---\n{bad}---\n{}",
            good.replace("name: a", "name: z")
        ));
        assert_eq!(decoded.objects().len(), 2, "{bad}\n{}", decoded.report());
        let codes: Vec<_> = decoded
            .report()
            .errors()
            .map(|finding| finding.code.as_str())
            .collect();
        assert!(
            !codes.is_empty() && codes.iter().all(|found| *found == code),
            "{bad}\n{}",
            decoded.report()
        );
        let lines = decoded
            .report()
            .iter()
            .map(|finding| finding.location.as_ref().unwrap().line);
        let bad_lines = 7..7 + bad.lines().count() as u32;
        assert!(
            lines.into_iter().all(|line| bad_lines.contains(&line)),
            "{bad}\n{}",
            decoded.report()
        );
        assert_eq!(
            decoded
                .documents()
                .iter()
                .map(|info| info.accepted)
                .collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    // A-PAR-1
    let utf16: Vec<u8> = std::iter::once(0xFEFF)
        .chain("a: 1".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let decoded = mesh_api::decode("a.yaml", &utf16);
    assert_eq!(
        decoded
            .report()
            .iter()
            .map(|finding| finding.message.as_str())
            .collect::<Vec<_>>(),
        ["the text is UTF-16"]
    );
    let mut bytes = virtual_service("hosts: [a]").into_bytes();
    bytes.extend(b"---\na: \xFF\n");
    let decoded = mesh_api::decode("a.yaml", &bytes);
    assert_eq!(
        (places(&decoded), decoded.objects().len()),
        (vec!["7:4 A-PAR-1".to_owned()], 1)
    );
    // what is no text at all does not drown the reader
    let decoded = mesh_api::decode("a.bin", &[1; 100]);
    let findings: Vec<_> = decoded.report().iter().collect();
    assert!(
        findings.len() == 8 && findings[7].help.as_deref() == Some("92 more are not listed: is this a text?")
    );
    // a byte order mark is none of the text
    let marked = format!("\u{feff}{}", virtual_service("hosts: [a]"));
    assert!(decode(&marked).report().is_empty());
}

#[test]
fn all_limits_have_findings_of_their_own() {
    // A-PAR-11
    let with = |change: fn(&mut DecodeOptions), text: &str| {
        let mut options = DecodeOptions::default();
        change(&mut options);
        let decoded = mesh_api::decode_with("a.yaml", text.as_bytes(), &options);
        decoded
            .report()
            .errors()
            .map(|finding| format!("{}: {}", finding.code, finding.message))
            .collect::<Vec<_>>()
    };
    let two = format!(
        "{}---\n{}",
        virtual_service("hosts: [a]"),
        virtual_service("hosts: [b]")
    );
    let limit = |text: &str| vec![format!("A-PAR-11: {text}")];
    let length = two.len();
    assert_eq!(
        with(|options| options.limits.input_bytes = 20, &two),
        limit(&format!("the input has {length} bytes, at most 20 are allowed"))
    );
    let first = with(|options| options.limits.document_bytes = 20, &two);
    assert!(
        first.len() == 2 && first[0].contains("the document has"),
        "{first:?}"
    );
    assert_eq!(
        with(|options| options.limits.documents = 1, &two),
        limit("there are more than 1 documents, the others are not read")
    );
    let one = virtual_service("hosts: [aaaa]");
    assert_eq!(
        with(|options| options.limits.depth = 2, &one),
        limit("lists and maps are nested deeper than 2")
    );
    assert_eq!(
        with(|options| options.limits.nodes = 5, &one),
        limit("the document has more than 5 nodes")
    );
    let long = with(
        |options| options.limits.scalar_bytes = 22,
        &one.replace("aaaa", &"a".repeat(23)),
    );
    assert_eq!(long, limit("the scalar has 23 bytes, at most 22 are allowed"));
    let key = with(|options| options.limits.key_bytes = 9, &one);
    assert_eq!(key, limit("the key has 10 bytes, at most 9 are allowed"));
    let findings = with(
        |options| options.limits.findings = 2,
        &virtual_service("a: 1\nb: 1\nc: 1"),
    );
    assert_eq!(findings.len(), 3);
    assert!(
        findings.contains(&"A-PAR-11: there are more than 2 findings, the others are not listed".to_owned())
    );
}

#[test]
fn a_finding_prints_as_a_line_and_as_a_picture() {
    let text = virtual_service("http:\n- match:\n  - uri:\n      perfix: /reviews");
    let decoded = mesh_api::decode("shop.yaml", text.as_bytes());
    let finding = decoded.report().iter().next().unwrap();
    assert_eq!(
        finding.to_string(),
        "shop.yaml:8:9: unknown field `perfix`, did you mean `prefix`? [A-WIRE-2]"
    );
    let picture = "\
error[A-WIRE-2]: unknown field `perfix`
 --> shop.yaml:8:9   VirtualService default/a   spec.http[0].match[0].uri.perfix
  |
8 |         perfix: /reviews
  |         ^^^^^^ did you mean `prefix`?
";
    assert_eq!(finding.render(), picture);
}
