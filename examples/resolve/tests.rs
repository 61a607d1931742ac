//! The whole program, run in process.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::input::BUNDLED;
use crate::run::{Process, run};

struct Ran {
    code: u8,
    out: String,
    err: String,
}

fn resolve_with(arguments: &[&str], stdin: &str, colour: bool) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdin = stdin.as_bytes();
    let mut process = Process {
        stdin: &mut stdin,
        stdout: &mut out,
        stderr: &mut err,
        colour,
    };
    let code = run(&arguments, &mut process).expect("writing to memory succeeds");
    Ran {
        code,
        out: String::from_utf8(out).expect("text"),
        err: String::from_utf8(err).expect("text"),
    }
}

fn resolve(arguments: &[&str]) -> Ran {
    resolve_with(arguments, "", false)
}

fn json(arguments: &[&str]) -> Value {
    let ran = resolve(&[arguments, &["--json"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&ran.out).expect("--json prints JSON")
}

/// The line of the output that begins with `name`, and the line of the bundled mesh that it points at.
fn stage<'a>(out: &'a str, name: &str) -> (&'a str, &'static str) {
    let line = out
        .lines()
        .find(|line| line.trim_start().starts_with(name))
        .unwrap_or_else(|| panic!("{name} in\n{out}"));
    (line, pointed_at(line))
}

/// The line of the bundled mesh that `mesh.yaml:N` at the end of a line of output points at; empty without it.
fn pointed_at(line: &str) -> &'static str {
    let Some((_, number)) = line.trim_end().rsplit_once("mesh.yaml:") else {
        return "";
    };
    let number: usize = number.parse().expect("a line number");
    BUNDLED.lines().nth(number - 1).expect("a line of the file")
}

/// A folder of its own for the test, with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mesh-resolve-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for (file, text) in files {
        fs::write(folder.join(file), text).expect("a file");
    }
    folder
}

#[test]
fn without_arguments_the_bundled_mesh_is_asked() {
    let ran = resolve(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let out = &ran.out;
    let first = out.lines().next().expect("output");
    assert!(
        first.starts_with("GET http://shop.example.com/reviews/7  end-user: jason"),
        "{first}"
    );
    assert!(first.ends_with("gateway istio-system/public"), "{first}");

    let (line, source) = stage(out, "gateway ");
    assert!(
        line.contains("istio-system/public  server http, host shop.example.com"),
        "{line}"
    );
    assert!(source.contains("port: { number: 80, name: http"), "{source}");
    let (line, source) = stage(out, "virtual service");
    assert!(line.contains("shop/reviews  http[0] \"canary\": "), "{line}");
    assert!(
        line.contains("/reviews") && line.contains("end-user") && line.contains("jason"),
        "{line}"
    );
    assert!(
        source.contains("- name: canary") || source.contains("prefix: /reviews"),
        "{source}"
    );
    let (line, source) = stage(out, "destination  ");
    assert!(line.contains("reviews.shop.svc.cluster.local:9080"), "{line}");
    assert_eq!(source.trim(), "- destination: { host: reviews, subset: v2 }");
    let (line, source) = stage(out, "destination rule");
    assert!(line.contains("shop/reviews  subset v2 {version: v2}"), "{line}");
    assert_eq!(source.trim(), "- name: v2");
    let (line, source) = stage(out, "policy");
    assert!(
        line.contains("LEAST_REQUEST (default), max 100 connections (subset)"),
        "{line}"
    );
    assert!(
        source.contains("connectionPool") || source.contains("trafficPolicy"),
        "{source}"
    );
    let (line, source) = stage(out, "timeout 2s (route)");
    assert_eq!(source.trim(), "timeout: 2s");
    assert!(
        line.contains("2 retries (") && line.contains("mTLS (auto)"),
        "{line}"
    );
    let (line, _) = stage(out, "endpoints");
    assert!(
        line.contains("10.0.2.11:9080  10.0.2.12:9080") && line.ends_with("2 of 6"),
        "{line}"
    );
    assert!(
        out.contains("\n  => outbound|9080|v2|reviews.shop.svc.cluster.local\n"),
        "{out}"
    );

    let (line, _) = stage(out, "GET http://reviews:9080/reviews/7");
    assert!(line.contains("from shop {app: productpage}"), "{line}");
    assert!(
        out.contains("=> v1 80 %, v3 20 %") && out.contains("shop/reviews http[2]"),
        "{out}"
    );
    assert!(out.contains("GET http://shop.example.com/admin"), "{out}");
    assert!(
        out.contains("=> 404, no route of shop/reviews or shop/storefront matches"),
        "{out}"
    );
    assert!(
        out.trim_end()
            .lines()
            .last()
            .expect("a hint")
            .contains("--explain"),
        "{out}"
    );
}

#[test]
fn an_explanation_says_why_the_others_lost() {
    let ran = resolve(&[
        "--explain",
        "--from",
        "shop/app=productpage",
        "http://reviews:9080/reviews/7",
        "--draw",
        "42",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lost: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.trim_start().starts_with("lost"))
        .collect();
    let canary = lost
        .iter()
        .find(|line| line.contains("\"canary\""))
        .expect("the canary lost");
    assert!(
        canary.contains("shop/reviews http[0]") && canary.contains("end-user"),
        "{canary}"
    );
    assert!(
        pointed_at(canary).contains("canary") || pointed_at(canary).contains("prefix: /reviews"),
        "{canary}"
    );
    let tablet = lost
        .iter()
        .find(|line| line.contains("\"tablet\""))
        .expect("the tablet rule lost");
    assert!(tablet.contains("user-agent"), "{tablet}");
    assert!(
        lost.iter().any(|line| line.contains("legacy/reviews")),
        "{}",
        ran.out
    );
    let won = ran
        .out
        .lines()
        .find(|line| line.trim_start().starts_with("won"))
        .expect("a winner");
    assert!(
        won.contains("shop/reviews http[2]") && won.contains("\"default\""),
        "{won}"
    );
    assert!(ran.out.contains("draw 42 of 100"), "{}", ran.out);
    assert!(
        ran.out
            .ends_with("=> outbound|9080|v1|reviews.shop.svc.cluster.local\n"),
        "{}",
        ran.out
    );
}

#[test]
fn the_draw_chooses_among_weighted_destinations() {
    for (draw, subset) in [("0", "v1"), ("79", "v1"), ("80", "v3"), ("199", "v3")] {
        let answer = json(&["--from", "shop", "http://reviews:9080/", "--draw", draw]);
        assert_eq!(answer["answers"][0]["stages"][2]["subset"], subset, "draw {draw}");
    }
}

#[test]
fn method_headers_and_host_are_sent() {
    let cluster = |arguments: &[&str]| json(arguments)["answers"][0]["outcome"]["cluster"].clone();
    let url = "http://shop.example.com/api/ratings/3";
    assert_eq!(cluster(&[url]), "outbound|9080||ratings.shop.svc.cluster.local");
    assert_eq!(cluster(&[url, "-X", "POST"]), Value::Null);
    let tablet = [
        "http://shop.example.com/reviews/7",
        "-H",
        "User-Agent: A Tablet 2",
    ];
    assert_eq!(
        cluster(&tablet),
        "outbound|9080|v3|reviews.shop.svc.cluster.local"
    );
    let by_address = [
        "http://10.1.2.3/reviews/7",
        "-H",
        "Host: shop.example.com",
        "-H",
        "end-user: jason",
    ];
    assert_eq!(
        cluster(&by_address),
        "outbound|9080|v2|reviews.shop.svc.cluster.local"
    );
    let out = resolve(&[url]).out;
    let (line, source) = stage(&out, "changes");
    assert!(line.contains("path /api/ratings/3 -> /ratings/3"), "{line}");
    assert_eq!(source.trim(), "rewrite: { uri: /ratings/ }");
}

#[test]
fn answers_of_the_proxy_itself_are_told() {
    let outcome = |url: &str| json(&[url])["answers"][0]["outcome"].clone();
    let moved = outcome("http://shop.example.com/books/7");
    assert_eq!(
        (&moved["kind"], &moved["status"]),
        (&"redirect".into(), &301.into())
    );
    assert_eq!(moved["location"], "http://shop.example.com/productpage");
    let health = outcome("http://shop.example.com/healthz");
    assert_eq!(
        (&health["kind"], &health["status"]),
        (&"respond".into(), &200.into())
    );
    assert_eq!(health["body"], "open for business");
    let admin = outcome("http://shop.example.com/admin");
    assert_eq!(
        (&admin["kind"], &admin["status"]),
        (&"not_found".into(), &404.into())
    );
}

#[test]
fn the_client_is_found_out_or_taken_as_said() {
    let clients = |arguments: &[&str]| -> Vec<String> {
        let answers = json(arguments)["answers"].as_array().expect("answers").clone();
        answers
            .iter()
            .map(|answer| answer["client"]["text"].as_str().expect("text").to_owned())
            .collect()
    };
    assert_eq!(
        clients(&["http://shop.example.com/"]),
        ["gateway istio-system/public"]
    );
    assert_eq!(clients(&["http://details:9080/"]), ["from shop"]);
    assert_eq!(
        clients(&["http://details.shop.svc.cluster.local:9080/"]),
        ["from shop"]
    );
    assert_eq!(
        clients(&["--gateway", "istio-system/public", "http://details/"]),
        ["gateway istio-system/public"]
    );
    // In other namespaces the old, public object decides.
    let legacy = json(&["--from", "legacy", "http://reviews.shop:9080/reviews/7"]);
    assert_eq!(legacy["answers"][0]["outcome"]["by"], "legacy/reviews http[0]");
}

#[test]
fn json_holds_what_the_text_holds() {
    // Words that are no data: the names of stages and columns.
    let labels = "gateway virtual service default route changes destination rule policy endpoints client mirror caveat => \
                  won lost scope listener host routes split forwarding path rewrite redirect fault";
    for arguments in [
        &["http://shop.example.com/reviews/7", "-H", "end-user: jason"][..],
        &["--from", "shop", "http://reviews:9080/reviews/7"],
        &["http://shop.example.com/api/ratings/3"],
        &["http://shop.example.com/books"],
        &["--from", "shop", "http://details:9080/"],
        &["--from", "shop/app=x", "http://nobody/"],
        &["--explain", "--from", "shop", "http://reviews:9080/reviews/7"],
    ] {
        let answer = json(arguments)["answers"][0].clone();
        let mut held = words_of(&answer);
        labels
            .split_whitespace()
            .for_each(|label| *held.entry(label.to_owned()).or_default() += 100);
        let text = resolve(arguments).out;
        assert!(text.split_whitespace().count() > 20, "{text}");
        for word in text.split_whitespace() {
            let left = held.get_mut(word).filter(|left| **left > 0);
            *left.unwrap_or_else(|| panic!("{arguments:?}: JSON lacks `{word}` of\n{text}")) -= 1;
        }
    }
}

/// How often each word stands in the strings of an answer, with places as they are printed.
fn words_of(value: &Value) -> HashMap<String, usize> {
    let mut words: HashMap<String, usize> = HashMap::new();
    let mut add = |text: &str| {
        text.split_whitespace()
            .for_each(|word| *words.entry(word.to_owned()).or_default() += 1);
    };
    match value {
        Value::String(text) => add(text),
        Value::Object(fields) => {
            if let (Some(file), Some(line)) = (fields.get("file"), fields.get("line")) {
                add(&format!("{}:{line}", file.as_str().expect("a file")));
            }
            if let (Some(name), Some(value)) = (fields.get("name"), fields.get("value")) {
                add(&format!(
                    "{}: {}",
                    name.as_str().expect("a name"),
                    value.as_str().expect("a value")
                ));
            }
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    let parts: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    };
    for (word, count) in parts.into_iter().flat_map(words_of) {
        *words.entry(word).or_default() += count;
    }
    words
}

#[test]
fn json_has_the_facts_under_stable_keys() {
    let answer = json(&["http://shop.example.com/reviews/7", "-H", "end-user: jason"])["answers"][0].clone();
    let stage = |name: &str| {
        let stages = answer["stages"].as_array().expect("stages");
        stages
            .iter()
            .find(|stage| stage["stage"] == name)
            .unwrap_or_else(|| panic!("{name}"))
            .clone()
    };
    assert_eq!(stage("virtual service")["object"]["name"], "reviews");
    assert_eq!(stage("virtual service")["rule"], "http[0]");
    assert_eq!(stage("virtual service")["route"], "canary");
    assert_eq!(stage("destination")["host"], "reviews.shop.svc.cluster.local");
    assert_eq!(stage("destination")["port"], 9080);
    assert_eq!(stage("destination rule")["labels"]["version"], "v2");
    assert_eq!(stage("policy")["connection_pool"]["max_connections"], 100);
    assert_eq!(stage("policy")["timeout"]["seconds"], 2.0);
    assert_eq!(stage("policy")["retries"]["attempts"], 2);
    assert_eq!(stage("endpoints")["of"], 6);
    assert_eq!(stage("endpoints")["endpoints"][0]["address"], "10.0.2.11:9080");
    assert_eq!(
        answer["outcome"]["cluster"],
        "outbound|9080|v2|reviews.shop.svc.cluster.local"
    );
    assert_eq!(answer["outcome"]["kind"], "forward");
    assert!(
        answer.get("steps").is_none(),
        "losers are told with --explain only"
    );
}

#[test]
fn lines_are_at_most_110_columns_wide() {
    for arguments in [
        &[][..],
        &["--explain"],
        &["--from", "legacy", "http://isbn.example.org/", "--explain"],
    ] {
        for line in resolve(arguments).out.lines() {
            assert!(
                line.chars().count() <= 110,
                "{} columns: {line}",
                line.chars().count()
            );
        }
    }
}

#[test]
fn colour_adds_no_text() {
    let plain = resolve(&["--explain"]).out;
    let painted = resolve_with(&["--explain"], "", true).out;
    assert!(painted.contains("\u{1b}[1m") && painted.contains("\u{1b}[2m"));
    let stripped = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"]
        .iter()
        .fold(painted, |text, code| text.replace(code, ""));
    assert_eq!(stripped, plain);
}

#[test]
fn wrong_usage_is_answered_with_the_nearest_right_one() {
    let there = folder("near", &[("shop.yaml", BUNDLED)]);
    let wrong_file = there.join("shpo.yaml").display().to_string();
    for (arguments, message) in [
        (&["--explian"][..], "did you mean `--explain`?"),
        (&["http://reviewz:9080/"], "did you mean `reviews`?"),
        (&["http://shop.exmaple.com/"], "did you mean `shop.example.com`?"),
        (
            &["--gateway", "istio-system/publik", "http://shop.example.com/"],
            "did you mean `istio-system/public`?",
        ),
        (&[&wrong_file, "http://reviews:9080/"], "shop.yaml`?"),
        (&["-X", "POST"], "there is no URL"),
        (&["ftp://reviews/"], "ftp"),
        (&["http://reviews:99999/"], "99999"),
    ] {
        let ran = resolve(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ran.err.starts_with("error: ") && ran.err.contains(message),
            "{arguments:?}: {}",
            ran.err
        );
    }
    let asked = resolve(&["--from", "shpo", "http://reviewz:9080/"]);
    assert_eq!(asked.code, 0, "--from asks all the same");
    assert!(asked.out.contains("did you mean `shop`?"), "{}", asked.out);
    assert!(asked.out.contains("did you mean `reviews`?"), "{}", asked.out);
    fs::remove_dir_all(there).expect("the folder goes");
}

#[test]
fn files_may_hold_documents_in_any_order() {
    let documents: Vec<&str> = BUNDLED.split("\n---\n").collect();
    assert!(documents.len() > 20);
    let backwards = |part: &[&str]| part.iter().rev().copied().collect::<Vec<_>>().join("\n---\n");
    let (first, second) = documents.split_at(documents.len() / 2);
    let there = folder(
        "order",
        &[("a.yaml", &backwards(first)), ("b.yaml", &backwards(second))],
    );
    let file = |name: &str| there.join(name).display().to_string();
    let request = ["http://shop.example.com/reviews/7", "-H", "end-user: jason"];
    let facts = |arguments: &[&str]| {
        let mut answer = json(arguments)["answers"][0].clone();
        for stage in answer["stages"].as_array_mut().expect("stages") {
            stage["lines"]
                .as_array_mut()
                .expect("lines")
                .iter_mut()
                .for_each(|line| line["source"] = Value::Null);
        }
        answer
    };
    let bundled = facts(&request);
    for (first, second) in [("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")] {
        assert_eq!(
            facts(&[&request[..], &[&file(first), &file(second)]].concat()),
            bundled
        );
    }
    let from_stdin = resolve_with(&[&request[..], &["-"]].concat(), BUNDLED, false);
    assert!(from_stdin.out.contains("stdin:"), "{}", from_stdin.out);
    fs::remove_dir_all(there).expect("the folder goes");
}

#[test]
fn one_bad_document_hides_no_other_and_is_told() {
    let broken = format!(
        "{BUNDLED}---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{ name: x, namespace: shop }}\nspec: {{ egres: [] }}\n---\n[\n"
    );
    let ran = resolve_with(
        &["-", "http://shop.example.com/reviews/7", "-H", "end-user: jason"],
        &broken,
        false,
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("unknown field `egres`") && ran.err.contains("`egress`"),
        "{}",
        ran.err
    );
    assert!(ran.err.matches("error[").count() >= 2, "{}", ran.err);
    assert!(
        ran.out
            .contains("=> outbound|9080|v2|reviews.shop.svc.cluster.local"),
        "{}",
        ran.out
    );
}

#[test]
fn files_without_a_url_are_told_what_can_be_asked() {
    let ran = resolve_with(&["-"], BUNDLED, false);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for host in ["shop.example.com", "reviews.shop", "isbn.example.org"] {
        assert!(ran.out.contains(host), "{host} in {}", ran.out);
    }
    let nothing = resolve_with(&["-"], "", false);
    assert!(nothing.out.contains("none"), "{}", nothing.out);
}

#[test]
fn help_is_no_error() {
    let ran = resolve(&["--help"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("usage:"));
}

#[test]
fn long_paths_are_printed_by_their_end() {
    let files: Vec<String> = [
        "a/very/long/folder/of/a/shop/mesh.yaml",
        "a/very/long/folder/of/a/bank/mesh.yaml",
        "x.yaml",
    ]
    .map(str::to_owned)
    .to_vec();
    let labels: Vec<String> = files
        .iter()
        .map(|file| examples::files::label(file, &files))
        .collect();
    assert_eq!(labels, ["shop/mesh.yaml", "bank/mesh.yaml", "x.yaml"]);
}
