//! What holds for any input of a kind.

use mesh_api::codec::{DecodeOptions, Limits, Node, NodeKind, Tree};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::generate::{Writer, text, value};
use crate::{decode, places};

fn options() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// All scalars of a tree, keys included.
fn scalars<'t>(node: Node<'t>, found: &mut Vec<Node<'t>>) {
    match node.kind() {
        NodeKind::List => node.items().for_each(|item| scalars(item, found)),
        NodeKind::Map => node.entries().for_each(|(key, item)| {
            found.push(key);
            scalars(item, found);
        }),
        _ => found.push(node),
    }
}

proptest! {
    #![proptest_config(options())]

    #[test]
    fn yaml_in_any_style_is_the_value_and_so_is_json(value in value(), choices in prop::collection::vec(any::<u8>(), 1..64)) {
        let mut writer = Writer::new(&choices);
        writer.document(&value);
        let tree = Tree::parse("a.yaml", &format!("---\n{}", writer.out));
        let tree = tree.unwrap_or_else(|error| panic!("{}\n{}", writer.out, error.render()));
        prop_assert_eq!(tree.root().to_json(), value.clone(), "{}", writer.out);
        for pretty in [value.to_string(), format!("{value:#}")] {
            if pretty.starts_with(['{', '[']) {
                let tree = Tree::parse("a.json", &pretty).unwrap();
                prop_assert_eq!(tree.root().to_json(), value.clone(), "{}", pretty);
            }
        }
    }

    #[test]
    fn the_span_of_every_scalar_is_its_text(value in value(), choices in prop::collection::vec(any::<u8>(), 1..64)) {
        let mut writer = Writer::new(&choices);
        writer.document(&json!({"spec": [value]}));
        let tree = Tree::parse("a.yaml", &writer.out).unwrap();
        let mut found = Vec::new();
        scalars(tree.root(), &mut found);
        prop_assert!(!found.is_empty());
        for node in found {
            let slice = tree.source().slice(node.span());
            if slice.contains('\n') {
                // a block scalar: its lines without their indentation
                let lines: Vec<_> = slice.lines().map(str::trim_start).collect();
                prop_assert_eq!(lines.join("\n"), node.text().trim_end());
            } else {
                // read alone, the piece is the same scalar
                let again = Tree::parse("b.yaml", &format!("--- {slice}\n")).unwrap();
                prop_assert_eq!(again.root().text(), node.text(), "{:?} in\n{}", slice, writer.out);
                prop_assert_eq!(again.source().slice(again.root().span()), slice);
            }
        }
    }

    #[test]
    fn objects_from_json_and_from_yaml_are_equal(
        annotations in prop::collection::btree_map(text(), text(), 0..4),
        specs in prop::collection::vec(prop::sample::select(routes()), 0..6),
        choices in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let object = json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "a", "annotations": annotations},
            "spec": {"hosts": ["a", "*.b.com"], "http": specs},
        });
        let mut writer = Writer::new(&choices);
        writer.document(&object);
        let (yaml, json) = (decode(&writer.out), decode(&object.to_string()));
        prop_assert!(yaml.report().is_empty() && json.report().is_empty(), "{}{}\n{}", yaml.report(), json.report(), writer.out);
        prop_assert_eq!(yaml.objects().len(), 1);
        prop_assert_eq!(yaml.objects(), json.objects());
    }

    #[test]
    fn every_planted_fault_is_found_where_it_is(
        documents in prop::collection::vec(prop::collection::vec(0usize..FAULTS.len() + 3, 0..8), 1..5)
    ) {
        let mut text = String::new();
        let mut planted = Vec::new();
        let mut good = 0;
        for (number, faults) in documents.iter().enumerate() {
            text.push_str(&format!("---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v{number}}}\nspec:\n  http:\n"));
            let before = planted.len();
            for fault in faults {
                let (line, column, code) = FAULTS.get(*fault).copied().unwrap_or(("timeout: 1s", 0, ""));
                text.push_str(&format!("  - name: é\n    {line}\n"));
                if column > 0 {
                    planted.push(format!("{}:{} {code}", text.lines().count(), column + 4));
                }
            }
            good += usize::from(planted.len() == before);
        }
        let decoded = decode(&text);
        prop_assert_eq!(places(&decoded), planted, "{}\n{}", text, decoded.report());
        prop_assert_eq!(decoded.objects().len(), good);
    }

    #[test]
    fn broken_documents_cost_no_others(kinds in prop::collection::vec(0usize..BROKEN.len() + 3, 0..12)) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (number, kind) in kinds.iter().enumerate() {
            text.push_str("---\n");
            match BROKEN.get(*kind) {
                Some(broken) => text.push_str(broken),
                None => {
                    text.push_str(&format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number:02}}}\n"));
                    expected.push(format!("Pod default/p{number:02}"));
                }
            }
        }
        let decoded = decode(&text);
        let found: Vec<_> = decoded.objects().iter().map(|(key, _)| key.to_string()).collect();
        prop_assert_eq!(&found, &expected);
        let broken = kinds.iter().filter(|kind| **kind < BROKEN.len()).count();
        prop_assert_eq!(decoded.documents().iter().filter(|info| !info.accepted).count(), broken);
        prop_assert_eq!(decoded.report().is_ok(), broken == 0);
    }

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60), small in any::<bool>()) {
        let text: String = pieces.concat();
        let limits = if small { Limits { depth: 3, nodes: 9, findings: 2, ..Limits::default() } } else { Limits::default() };
        let decoded = mesh_api::decode_with("a", text.as_bytes(), &DecodeOptions { limits, ..DecodeOptions::default() });
        for finding in decoded.report() {
            let location = finding.location.as_ref().expect("a place");
            prop_assert!(text.get(location.span.clone()).is_some(), "{:?} {}", text, finding);
            prop_assert!(location.line as usize <= text.split('\n').count());
            prop_assert!(finding.render().lines().count() >= 2);
        }
    }
}

/// Lines for an HTTP route that are wrong, where the fault shows in the line, and its code.
const FAULTS: [(&str, usize, &str); 10] = [
    ("timeout: 5", 10, "A-WIRE-3"),
    ("timeout: \"1x\"", 10, "A-WIRE-3"),
    ("nope: 1", 1, "A-WIRE-2"),
    ("retries: {attempts: x}", 21, "A-WIRE-5"),
    ("retries: {attempt: 1}", 11, "A-WIRE-2"),
    ("match: {}", 8, "A-PAR-13"),
    ("match: [{uri: {exact: on}}]", 23, "A-WIRE-8"),
    ("redirect: {derivePort: ÄH}", 24, "A-WIRE-4"),
    ("route: [{weight: 1}, {weight: 1.5}]", 31, "A-WIRE-5"),
    ("headers: {request: {set: {é: 1}}}", 30, "A-WIRE-8"),
];

/// Documents that hold no object.
const BROKEN: [&str; 7] = [
    "a: b: c\n",
    "[1, 2\n",
    "text\n",
    "{\"a\":\n",
    "kind: Pod\n",
    "\"no end\n",
    "a: &x [*x]\n",
];

const PIECES: [&str; 46] = [
    "a",
    "b: ",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "\n",
    "\n  ",
    "\n    ",
    " ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "|",
    ">",
    "|2\n",
    "&x ",
    "*x",
    "*x ",
    "<<: ",
    "!!int ",
    "!!binary ",
    "!",
    "#c",
    "---",
    "\n---\n",
    "\n...\n",
    "%YAML 1.2\n",
    "é",
    "😀",
    "\u{feff}",
    "\\",
    "\\u",
    "\u{85}",
    "\r\n",
    "\0",
    "apiVersion: v1\n",
    "kind: List\n",
    "items:\n",
    "metadata: {name: a}\n",
];

/// Routes that are right, as JSON.
fn routes() -> Vec<Value> {
    vec![
        json!({"name": "on", "match": [{"uri": {"prefix": "/a: b"}, "headers": {"x-y": {"exact": "1.20"}}, "port": 80}]}),
        json!({"route": [{"destination": {"host": "é", "subset": "v1", "port": {"number": 9080}}, "weight": 100}]}),
        json!({"timeout": "1h30m", "retries": {"attempts": 0, "perTryTimeout": "0.5s", "retryOn": "5xx"}}),
        json!({"redirect": {"uri": "~", "derivePort": "FROM_REQUEST_PORT"}, "match": [{}]}),
        json!({"directResponse": {"status": 503, "body": {"string": "two\nlines\n"}}}),
        json!({"fault": {"abort": {"httpStatus": 500, "percentage": {"value": 50}}}, "mirrorPercentage": {"value": 12}}),
        json!({"headers": {"request": {"set": {"a": "no", "b": ""}, "remove": ["x", "null"]}}}),
    ]
}
