//! The whole program, run in process.

use std::fs;

use serde_json::Value;

use crate::run::{BUNDLED, Process, run};

struct Ran {
    code: u8,
    out: String,
    err: String,
}

fn ask_with(arguments: &[&str], stdin: &str) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdin = stdin.as_bytes();
    let mut process = Process {
        stdin: &mut stdin,
        stdout: &mut out,
        stderr: &mut err,
    };
    let code = run(&arguments, &mut process).expect("writing to memory succeeds");
    Ran {
        code,
        out: String::from_utf8(out).expect("text"),
        err: String::from_utf8(err).expect("text"),
    }
}

fn ask(arguments: &[&str]) -> Ran {
    ask_with(arguments, "")
}

/// Value, layer and place of a field of the first workload.
fn field(answer: &Value, path: &str) -> (Value, String, Option<String>) {
    let fields = answer["workloads"][0]["fields"].as_array().expect("fields");
    let field = fields.iter().find(|field| field["path"] == path);
    let field = field.unwrap_or_else(|| panic!("{path} in {fields:#?}"));
    (
        field["value"].clone(),
        field["layer"].as_str().expect("a layer").to_owned(),
        field["place"].as_str().map(str::to_owned),
    )
}

/// The line of the bundled file that a place points at.
fn pointed_at(place: Option<String>) -> &'static str {
    let place = place.expect("a place");
    let (_, line) = place.rsplit_once(':').expect("file:line");
    let line: usize = line.parse().expect("a number");
    BUNDLED.lines().nth(line - 1).expect("a line").trim()
}

#[test]
fn without_arguments_every_pod_of_the_bundled_file_is_told() {
    let ran = ask(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.starts_with("pod shop/cart-1 {app: cart}\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("pod shop/reviews-1 {app: reviews}\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("Try ")),
        "{}",
        ran.out
    );
    // The place stands at the end of the line, or on a line of its own where there is no room.
    let mut lines = ran.out.lines().skip_while(|line| !line.contains(" concurrency "));
    let line: String = lines.by_ref().take(2).collect();
    assert!(
        line.contains("ProxyConfig shop/cart (selector)") && line.contains("mesh.yaml:"),
        "{line}"
    );
    assert!(ran.out.contains("passed over: "), "{}", ran.out);
    let long: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| !line.starts_with("Try ") && !line.contains("passed over"))
        .filter(|line| line.chars().count() > 110)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_layer_is_told_with_its_place() {
    let ran = ask(&["--pod", "shop/cart-1", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&ran.out).expect("--json prints JSON");
    for (path, layer, line) in [
        ("concurrency", "workload", "concurrency: 0"),
        ("image.imageType", "workload", "imageType: debug"),
        (
            "holdApplicationUntilProxyStarts",
            "annotation",
            "holdApplicationUntilProxyStarts: false",
        ),
        (
            "terminationDrainDuration",
            "annotation",
            "terminationDrainDuration: 20s",
        ),
        ("proxyMetadata.TEAM", "namespace", "TEAM: shop"),
        (
            "proxyMetadata.ISTIO_META_DNS_CAPTURE",
            "meshDefault",
            "ISTIO_META_DNS_CAPTURE: \"true\"",
        ),
        (
            "tracing.zipkin.address",
            "meshDefault",
            "address: zipkin.tracing:9411",
        ),
    ] {
        let (_, found, place) = field(&answer, path);
        assert_eq!((found.as_str(), pointed_at(place)), (layer, line), "{path}");
    }
    assert_eq!(
        field(&answer, "statusPort"),
        (15020.into(), "builtIn".to_owned(), None)
    );
    let passed_over = answer["workloads"][0]["passedOver"].as_array().expect("a list");
    assert!(
        passed_over.len() == 1 && passed_over[0].as_str().is_some_and(|note| note.contains("older")),
        "{passed_over:?}"
    );
}

#[test]
fn a_workload_need_not_be_in_the_files() {
    let ran = ask(&[
        "--for",
        "shop/app=cart",
        "--config",
        "{\"concurrency\": 4}",
        "--json",
    ]);
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(field(&answer, "concurrency").0, Value::from(0));
    let ran = ask(&["--for=shop", "--config={concurrency: 4}", "--json"]);
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        field(&answer, "concurrency"),
        (4.into(), "annotation".to_owned(), None)
    );
    let ran = ask(&["--pod", "shop/cart-1", "--without-objects", "--json"]);
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(field(&answer, "concurrency").0, Value::from(8));
}

#[test]
fn files_and_mesh_configuration_are_read() {
    let folder = std::env::temp_dir().join(format!("mesh-effective-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path("mesh.yaml"), "defaultConfig: {concurrency: 3}\n").expect("a file");
    fs::write(path("bad.yaml"), "defaultConfig: {statusPort: 0}\n").expect("a file");
    let mesh = path("mesh.yaml");
    let ran = ask(&["--mesh", &mesh, "--for", "shop", "--json"]);
    let answer: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        field(&answer, "concurrency"),
        (3.into(), "meshDefault".to_owned(), Some(format!("{mesh}:1")))
    );
    let ran = ask(&["--mesh", &path("bad.yaml"), "--for", "shop"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("error[A-MP-15]") && ran.err.contains("bad.yaml:1:"),
        "{}",
        ran.err
    );
    let ran = ask_with(
        &["-", "--pod", "a/b"],
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: a}\n",
    );
    assert!(ran.code == 0 && ran.out.starts_with("pod a/b "), "{}", ran.out);
    fs::remove_dir_all(folder).expect("the folder goes");
}

#[test]
fn wrong_usage_is_answered_with_what_is_near() {
    for (arguments, message) in [
        (&["--jsn"][..], "there is no option --jsn, did you mean --json?"),
        (&["--pod", "shop/card-1"], "did you mean `shop/cart-1`?"),
        (&["--pod", "shop"], "is not of the form NAMESPACE/NAME"),
        (&["--for", "/a=b"], "needs a namespace"),
        (&["--for", "shop/a"], "is no label"),
        (
            &["--for", "a", "--pod", "a/b"],
            "one of --for and --pod is enough",
        ),
        (&["--config", "x"], "--config is for the workload of --for"),
        (&["--mesh"], "--mesh needs a file"),
        (&["no-such-file.yaml"], "cannot read `no-such-file.yaml`"),
        (&["/"], "`/` is a folder: name its files, such as /*.yaml"),
        (&["--json=1"], "--json takes no value"),
        (&["-", "--mesh", "-"], "can be read once only"),
    ] {
        let ran = ask(arguments);
        assert!(
            ran.code == 2 && ran.err.contains(message) && ran.out.is_empty(),
            "{arguments:?}: {}",
            ran.err
        );
    }
    assert!(ask(&["--help"]).out.contains("usage: "));
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_one_without_pods() {
    let ran = ask_with(&["-"], "kind: [\n");
    let (first, last) = (ran.err.find("[A-PAR-12]"), ran.err.find("there is no Pod"));
    assert!(ran.code == 2 && first.is_some() && first < last, "{}", ran.err);
}
