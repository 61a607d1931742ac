//! What the renderers print.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::kind::Kind;
use crate::object::ObjectKey;
use crate::report::{Code, Diagnostic, Excerpt, Report, Rule, Severity, SourceLocation};

const UNKNOWN: Code = Code::new("A-WIRE-2");

fn location(line: u32, text: &str, before: usize, width: usize) -> SourceLocation {
    SourceLocation {
        file: "the shop.yaml".into(),
        line,
        column: u32::try_from(before).unwrap() + 1,
        span: 100..106,
        excerpt: Excerpt {
            text: text.into(),
            before,
            width,
        },
    }
}

fn finding() -> Diagnostic {
    Diagnostic::new(UNKNOWN, Severity::Error, "unknown field `perfix`")
        .with_object(ObjectKey::new(Kind::VirtualService, "shop", "reviews"))
        .with_path("spec.http[0].match[0].uri.perfix".parse().unwrap())
        .with_help("did you mean `prefix`?")
}

fn report() -> Report {
    let warning = Diagnostic::new(Code::new("A-VS-10"), Severity::Warning, "no routes");
    let info = Diagnostic::new(Code::new("A-EF-25"), Severity::Info, "a note");
    let info = info
        .with_object(ObjectKey::new(Kind::EnvoyFilter, "", "f"))
        .with_help("read it");
    [
        finding().with_location(location(23, "        perfix: /reviews", 8, 6)),
        warning,
        info,
    ]
    .into_iter()
    .collect()
}

#[test]
fn text_is_as_compilers_print_it() {
    let expected = "\
error[A-WIRE-2]: unknown field `perfix`
  --> the shop.yaml:23:9   VirtualService shop/reviews   spec.http[0].match[0].uri.perfix
   |
23 |         perfix: /reviews
   |         ^^^^^^ did you mean `prefix`?

warning[A-VS-10]: no routes

info[A-EF-25]: a note
 --> EnvoyFilter f
  = read it
";
    assert_eq!(report().to_text(&TextStyle::default()), expected);
}

#[test]
fn narrow_text_is_broken() {
    let style = TextStyle {
        width: 40,
        ..TextStyle::default()
    };
    let report: Report =
        [finding().with_location(location(7, &format!("{}perfix: /reviews", " ".repeat(70)), 70, 6))]
            .into_iter()
            .collect();
    let expected = "\
error[A-WIRE-2]: unknown field `perfix`
 --> the shop.yaml:7:71
     VirtualService shop/reviews
     spec.http[0].match[0].uri.perfix
  |
7 |          perfix: /reviews
  |          ^^^^^^
  = did you mean `prefix`?
";
    assert_eq!(report.to_text(&style), expected);
}

#[test]
fn colour_only_adds_sequences() {
    let plain = report().to_text(&TextStyle::default());
    let coloured = report().to_text(&TextStyle {
        colour: true,
        ..TextStyle::default()
    });
    assert!(coloured.contains("\u{1b}[1;31merror[A-WIRE-2]\u{1b}[0m: unknown"));
    let mut stripped = String::new();
    for (index, part) in coloured.split('\u{1b}').enumerate() {
        stripped.push_str(if index == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        });
    }
    assert_eq!(stripped, plain);
}

#[test]
fn json_holds_everything() {
    let document: Value = serde_json::from_str(&report().to_json()).unwrap();
    assert_eq!(
        document["summary"],
        serde_json::json!({"errors": 1, "warnings": 1, "infos": 1})
    );
    let expected = serde_json::json!({
        "code": "A-WIRE-2",
        "severity": "error",
        "message": "unknown field `perfix`",
        "help": "did you mean `prefix`?",
        "object": {"group": "networking.istio.io", "kind": "VirtualService", "namespace": "shop", "name": "reviews"},
        "path": "spec.http[0].match[0].uri.perfix",
        "location": {
            "file": "the shop.yaml", "line": 23, "column": 9, "start": 100, "end": 106,
            "text": "        perfix: /reviews", "before": 8, "width": 6,
        },
    });
    assert_eq!(document["findings"][0], expected);
    assert_eq!(document["findings"][1]["location"], Value::Null);
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(3));
}

#[test]
fn sarif_has_what_its_schema_requires() {
    // sarif-schema-2.1.0: `required` of sarifLog, run, tool, toolComponent, reportingDescriptor, result, message, region
    let rule = Rule {
        code: UNKNOWN,
        severity: Severity::Error,
        doc: "fields are known",
        cites: &[],
    };
    let log: Value = serde_json::from_str(&report().to_sarif([&rule])).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "mesh-api");
    let rules = driver["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (3, 3));
    for result in results {
        assert!(result["message"]["text"].is_string());
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    }
    assert_eq!(rules[2]["shortDescription"]["text"], "fields are known");
    assert_eq!(rules[2]["help"]["text"], "A-WIRE-2: fields are known");
    let place = &results[0]["locations"][0];
    assert_eq!(
        place["physicalLocation"]["artifactLocation"]["uri"],
        "the%20shop.yaml"
    );
    let region = serde_json::json!({"startLine": 23, "startColumn": 9, "endColumn": 15, "byteOffset": 100, "byteLength": 6});
    assert_eq!(place["physicalLocation"]["region"], region);
    let name = &place["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(
        name,
        "VirtualService shop/reviews spec.http[0].match[0].uri.perfix"
    );
    assert_eq!(results[1]["locations"], serde_json::json!([]));
}

#[test]
fn an_empty_report_is_empty_in_all_forms() {
    let empty = Report::new();
    assert_eq!(empty.to_text(&TextStyle::default()), "");
    assert!(empty.to_json().contains("\"findings\": []"));
    let log: Value = serde_json::from_str(&empty.to_sarif(&[] as &[Rule])).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}

proptest! {
    #[test]
    fn lines_keep_to_the_width(
        message in "[a-zä ]{0,300}", help in proptest::option::of("[a-z ]{0,200}"), text in "[ -~ä]{0,160}",
        before in 0usize..160, length in 1usize..160, width in 40usize..130,
    ) {
        let mut finding = Diagnostic::new(UNKNOWN, Severity::Warning, message)
            .with_object(ObjectKey::new(Kind::ServiceEntry, "n".repeat(63), "m".repeat(200)))
            .with_location(location(12345, &text, before, length));
        finding.help = help;
        let report: Report = [finding].into_iter().collect();
        let rendered = report.to_text(&TextStyle { width, ..TextStyle::default() });
        for line in rendered.lines() {
            prop_assert!(line.chars().count() <= width, "{} > {width}: {line}", line.chars().count());
        }
        prop_assert!(rendered.contains('^'));
    }
}
