//! The corpus runner on a small corpus of its own: right answers pass, wrong ones fail, and what was not compared is neither.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use testkit::corpus;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn ids(list: &[(String, String)]) -> Vec<&str> {
    list.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_case_passes_only_if_all_of_it_was_compared() {
    let reports = corpus::run(&directory(), &["routes".to_owned()]).unwrap();
    let [routes] = reports.as_slice() else {
        panic!("{} areas", reports.len())
    };
    assert_eq!(
        routes.passed,
        ["right", "sim-right", "sim-registry-only", "table-right"]
    );
    assert_eq!(
        ids(&routes.failed),
        [
            "wrong",
            "sim-wrong-cluster",
            "sim-wrong-success",
            "sim-wrong-strict",
            "table-wrong-order",
            "table-wrong-absence"
        ]
    );
    assert_eq!(
        ids(&routes.unsupported),
        [
            "more-asked",
            "more-given",
            "switched",
            "other-table",
            "sim-inbound",
            "sim-unknown-result",
            "sim-unknown-proxy",
            "table-gateway-api",
            "other-type"
        ]
    );
    let reason = |id: &str| &routes.unsupported.iter().find(|(case, _)| case == id).unwrap().1;
    assert!(
        reason("more-asked").contains("`cost`"),
        "{}",
        reason("more-asked")
    );
    assert!(
        reason("more-given").contains("`ignoreCase`"),
        "{}",
        reason("more-given")
    );
    assert!(
        reason("other-type").contains("`dance`"),
        "{}",
        reason("other-type")
    );
    let plain = &routes.calls["simulation http-plaintext-not-inbound"];
    assert_eq!((plain.passed, plain.total), (5, 10));
    let inbound = &routes.calls["simulation tcp-plaintext-inbound"];
    assert_eq!((inbound.passed, inbound.total), (0, 1));
}

#[test]
fn files_are_counted_by_document_and_kind() {
    let reports = corpus::run(&directory(), &["samples".to_owned()]).unwrap();
    assert_eq!(reports[0].passed, ["two-kinds"]);
    assert_eq!(ids(&reports[0].failed), ["miscounted", "no-file", "outside"]);
    assert!(
        reports[0].failed[2].1.contains("not inside"),
        "{}",
        reports[0].failed[2].1
    );
}

#[test]
fn files_must_be_refused_and_routes_must_be_as_given() {
    let reports = corpus::run(&directory(), &["realworld".to_owned()]).unwrap();
    assert_eq!(
        reports[0].passed,
        ["refused", "redirect", "delegated", "other-redirect", "checked"]
    );
    assert_eq!(
        ids(&reports[0].failed),
        [
            "not-refused",
            "second-call-differs",
            "no-mismatch",
            "wrongly-checked"
        ]
    );
    assert!(reports[0].failed[1].1.starts_with("calls[1]: redirect: expected"));
    assert_eq!(ids(&reports[0].unsupported), ["unknown-field"]);
}

#[test]
fn resources_and_values_are_judged() {
    let reports = corpus::run(&directory(), &["validation".to_owned()]).unwrap();
    assert_eq!(
        reports[0].passed,
        [
            "good",
            "bad",
            "unreadable",
            "warned",
            "unknown-field",
            "table-name",
            "table-fragment"
        ]
    );
    assert_eq!(
        ids(&reports[0].failed),
        ["wrongly-good", "wrongly-silent", "table-wrong"]
    );
    assert_eq!(
        ids(&reports[0].unsupported),
        [
            "more-asked",
            "two-documents",
            "other-level",
            "table-more-given",
            "other-table"
        ]
    );
}

#[test]
fn an_unknown_area_is_unsupported_and_a_wanted_one_must_exist() {
    let all = corpus::run(&directory(), &[]).unwrap();
    let names: Vec<&str> = all.iter().map(|report| report.area.as_str()).collect();
    assert_eq!(names, ["realworld", "routes", "samples", "strange", "validation"]);
    assert_eq!(ids(&all[3].unsupported), ["unheard-of"]);
    let error = corpus::run(&directory(), &["rutes".to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no area `rutes`; there are realworld, routes, samples, strange, validation"),
        "{error}"
    );
}

#[test]
fn the_program_prints_lines_or_json_and_ends_with_0_when_it_ran() {
    let output = run(&["--area", "routes", "--list-failures"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "conformance routes passed=4 failed=6 unsupported=9 total=19"
    );
    assert!(lines.contains(&"conformance-calls simulation http-plaintext-not-inbound passed=5 total=10"));
    assert!(lines.contains(&"  failed wrong: out: expected true, found false"));

    let output = run(&["--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        json["areas"]["routes"]["passed"],
        serde_json::json!(["right", "sim-right", "sim-registry-only", "table-right"])
    );
    assert_eq!(json["areas"]["routes"]["failed"][0]["id"], "wrong");
    assert_eq!(
        json["areas"]["strange"]["unsupported"][0]["why"],
        "the runner knows no area `strange`"
    );

    assert_eq!(run(&["--what"]).status.code(), Some(2));
    assert_eq!(run(&["--area", "rutes"]).status.code(), Some(1));
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance"))
        .arg(directory())
        .args(arguments)
        .output()
        .unwrap()
}
