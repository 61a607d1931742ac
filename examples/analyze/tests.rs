//! The program as its users see it: what it prints, and how it ends.

use mesh_api::analyze::codes;

use super::run::{CLEAN, FOUND, Process, UNREADABLE, USAGE, run};

/// 2025-06-01
const NOW: i64 = 1_748_736_000;

struct Outcome {
    code: u8,
    stdout: String,
    stderr: String,
}

fn analyze_text(arguments: &[&str], mut stdin: &[u8]) -> Outcome {
    let words: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut process = Process {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        now: NOW,
    };
    let code = run(&words, &mut process).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        code,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn analyze(arguments: &[&str]) -> Outcome {
    analyze_text(arguments, b"")
}

#[test]
fn the_bundled_mesh_is_broken_in_many_ways() {
    let Outcome { code, stdout, stderr } = analyze(&[]);
    assert_eq!((code, stderr.as_str()), (FOUND, ""));
    let gateway =
        "Error [IST0101] (VirtualService shop/reviews mesh.yaml:81) Referenced gateway not found: `publik`";
    assert!(stdout.contains(gateway), "{stdout}");
    for code in [
        "IST0101", "IST0103", "IST0111", "IST0118", "IST0125", "IST0128", "IST0132", "IST0162", "IST0173",
    ] {
        assert!(
            codes::find(code).is_some() && stdout.contains(&format!("[{code}]")),
            "{code}: {stdout}"
        );
    }
    let last = stdout.lines().last().unwrap();
    assert!(last.ends_with(" in 11 objects"), "{last}");
    // errors come first
    let levels: Vec<&str> = stdout
        .lines()
        .filter_map(|line| line.split_once(" ["))
        .map(|(level, _)| level)
        .collect();
    let rank = |level: &&str| {
        ["Error", "Warning", "Info"]
            .iter()
            .position(|known| known == level)
    };
    assert!(levels.is_sorted_by_key(rank), "{levels:?}");
}

#[test]
fn nothing_is_said_of_what_was_not_given() {
    let virtual_service = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a.com], http: [{route: [{destination: {host: reviews}}]}]}
";
    let open = analyze_text(&["-"], virtual_service.as_bytes());
    assert_eq!(
        (open.code, open.stdout.as_str()),
        (CLEAN, "no issues found in 1 object\n")
    );
    let complete = analyze_text(&["-", "--complete"], virtual_service.as_bytes());
    assert_eq!(complete.code, FOUND);
    assert!(
        complete
            .stdout
            .starts_with("Error [IST0101] (VirtualService default/a -:4) Referenced host not found"),
        "{}",
        complete.stdout
    );
    assert_eq!(
        analyze_text(
            &["-", "--complete", "-S", "IST0101=VirtualService *.default"],
            virtual_service.as_bytes()
        )
        .code,
        CLEAN
    );
}

#[test]
fn strict_looks_for_more_than_istioctl() {
    let weights = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a.com]
  http:
  - route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]
";
    assert_eq!(analyze_text(&["-"], weights.as_bytes()).code, CLEAN);
    let strict = analyze_text(&["-", "--strict"], weights.as_bytes()).stdout;
    assert!(strict.contains("[MESH0"), "{strict}");
}

#[test]
fn formats_say_the_same() {
    let json = analyze(&["--output", "json"]).stdout;
    let messages: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let text = analyze(&["--output=text"]).stdout;
    assert_eq!(messages.len() + 1, text.lines().count());
    let first = &messages[0];
    assert_eq!(first["code"], "IST0101");
    assert_eq!(first["level"], "error");
    assert_eq!(first["parameters"]["what"], "gateway");
    assert_eq!(
        first["documentationUrl"],
        "https://istio.io/latest/docs/reference/config/analysis/ist0101/"
    );
    let yaml = analyze(&["-o", "yaml"]).stdout;
    assert!(
        yaml.starts_with("- code: \"IST0101\"\n  documentationUrl: \"https://"),
        "{yaml}"
    );
    assert_eq!(
        yaml.lines().filter(|line| line.starts_with("- ")).count(),
        messages.len()
    );
    assert_eq!(analyze_text(&["-", "-o", "yaml"], b"").stdout, "[]\n");
}

#[test]
fn one_analyzer_can_be_run() {
    let only = analyze(&["--analyzer", "sidecar.SelectorAnalyzer"]);
    assert_eq!(
        only.stdout
            .lines()
            .filter(|line| line.contains("[IST0111]"))
            .count(),
        2
    );
    assert_eq!(only.stdout.lines().count(), 3, "{}", only.stdout);
    let listed = analyze(&["--list-analyzers"]).stdout;
    assert!(
        listed.contains("annotations.AlphaAnalyzer: annotations of alpha status (when it is named)\n"),
        "{listed}"
    );
    assert_eq!(listed.lines().count(), mesh_api::analyze::ANALYZERS.len());
}

#[test]
fn exit_codes_are_istioctls() {
    let warning = "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec: {host: a.com, trafficPolicy: {tls: {mode: SIMPLE}}}
";
    let code = |arguments: &[&str], stdin: &str| analyze_text(arguments, stdin.as_bytes()).code;
    assert_eq!(code(&["-"], warning), CLEAN);
    assert_eq!(code(&["-", "--failure-threshold", "Warning"], warning), FOUND);
    assert_eq!(code(&["-"], "kind: [\n"), UNREADABLE);
    assert_eq!(code(&["/there/is/no/such/file.yaml"], ""), USAGE);
    let folder = analyze(&["/"]);
    assert!(
        folder.code == USAGE && folder.stderr.contains("is a folder: name its files"),
        "{}",
        folder.stderr
    );
    let wrong = analyze(&["--supress", "x"]);
    assert_eq!(wrong.code, USAGE);
    assert!(
        wrong.stderr.contains("did you mean `--suppress`?"),
        "{}",
        wrong.stderr
    );
    let wrong = analyze(&["--suppress", "IST0101"]);
    assert!(
        wrong.code == USAGE && wrong.stderr.contains("it has no `=`"),
        "{}",
        wrong.stderr
    );
    assert!(analyze(&["--help"]).stdout.starts_with("usage: analyze"));
    let mesh = analyze_text(&["--mesh", "-"], b"rootNamespace: [");
    assert_eq!(mesh.code, UNREADABLE);
}

#[test]
fn lines_fit_the_help() {
    assert!(super::args::HELP.lines().all(|line| line.chars().count() <= 125));
}
