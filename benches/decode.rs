//! How fast configuration is read, against what a reader would take otherwise: `serde_json` for JSON and the serde crate of
//! libyaml for YAML, both into the same structs. They know neither positions nor duplicate keys, unknown fields, the dialect
//! and limits; the decoder looks after all of that in the time that is measured. One thing it puts off: JSON objects in which
//! there is nothing to find are read without a tree, and where their fields stand is worked out when somebody asks for it.
//! What that costs is in `decode/json-located`, where one place in each object is asked for, and in
//! `decode/json-and-validation`, since the API server's layer looks at the text.
//!
//! Every object has its own names, paths and weights. Without `--bench` (as `cargo test` runs it) few objects are read once.
//! Arguments that are paths are read as well, and the share of their documents that the direct scanner takes is printed.

use std::fmt::Write;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use benches::{Numbers, medians, ratio, time_of};
use mesh_api::codec::DecodeOptions;
use mesh_api::codec::scanners::{Scanner, count_typed, scan};
use mesh_api::names::Text;
use mesh_api::networking::VirtualService;
use mesh_api::report::{FieldPath, SourceLocation};
use mesh_api::validate::{ValidateOptions, validate_all};
use mesh_api::{ObjectMeta, ObjectSet};
use serde::Deserialize;

const MIB: usize = 1 << 20;

/// The same objects in three forms.
struct Data {
    json: String,
    /// Block style, as tools write it.
    plain: String,
    /// With an anchor and an alias in each document, so that it takes a parser.
    other: String,
    objects: usize,
}

/// What the peers read: the envelope that the decoder reads too.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: Text,
    kind: Text,
    metadata: ObjectMeta,
    spec: VirtualService,
}

/// How often each candidate runs in a row. The first run meets the heap as the candidate before has left it, which is no
/// candidate's own cost.
const RUNS: usize = 5;

fn repeat<T>(work: impl Fn() -> T) {
    for _ in 0..RUNS {
        drop(black_box(work()));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--bench");
    let (objects, passes) = if full { (320, 15) } else { (20, 1) };
    let data = Data::new(objects);
    let Data {
        json, plain, other, ..
    } = &data;
    println!(
        "decode: {objects} VirtualServices, {} KiB of JSON, {} KiB of plain YAML, {} KiB of other YAML, median of {passes} passes of {RUNS} runs",
        json.len() >> 10,
        plain.len() >> 10,
        other.len() >> 10
    );
    check(&data);
    let [
        ours_json,
        located_json,
        peer_json,
        ours_plain,
        peer_plain,
        ours_other,
        peer_other,
        validated,
        validated_json,
    ] = medians(
        passes,
        RUNS,
        [
            &mut || repeat(|| read(json)),
            &mut || repeat(|| locate(&read(json))),
            &mut || repeat(|| peer_reads_json(json)),
            &mut || repeat(|| read(plain)),
            &mut || repeat(|| peer_reads_yaml(plain)),
            &mut || repeat(|| read(other)),
            &mut || repeat(|| peer_reads_yaml(other)),
            &mut || repeat(|| validate_all(&read(plain), &ValidateOptions::default())),
            &mut || repeat(|| validate_all(&read(json), &ValidateOptions::default())),
        ],
    );
    for (name, text, ours, peer) in [
        ("JSON", json, ours_json, peer_json),
        ("... located", json, located_json, peer_json),
        ("plain YAML", plain, ours_plain, peer_plain),
        ("other YAML", other, ours_other, peer_other),
    ] {
        let rate = |nanoseconds: f64| text.len() as f64 / nanoseconds * 1000.0;
        println!(
            "  {name:<11} decode {:>7.1} MB/s   peer {:>7.1} MB/s",
            rate(ours),
            rate(peer)
        );
    }
    ratio(
        "decode/json",
        peer_json / ours_json,
        ">=0.75",
        "serde_json into the same structs",
    );
    ratio(
        "decode/json-located",
        peer_json / located_json,
        "none",
        "serde_json into the same structs, which knows no places",
    );
    ratio(
        "decode/plain-yaml",
        peer_plain / ours_plain,
        ">=4.0",
        "the serde crate of libyaml into the same structs",
    );
    ratio(
        "decode/other-yaml",
        peer_other / ours_other,
        ">=0.65",
        "the serde crate of libyaml into the same structs",
    );
    ratio(
        "decode/validation",
        (validated - ours_plain) / ours_plain,
        "<=0.5",
        "decoding the same plain YAML",
    );
    ratio(
        "decode/json-and-validation",
        validated_json / validated,
        "none",
        "decoding and validating the same plain YAML",
    );
    whole_way(plain, passes);
    for path in arguments.iter().filter(|argument| !argument.starts_with('-')) {
        count_direct(Path::new(path));
    }
}

/// One MiB decoded, validated and written again.
fn whole_way(plain: &str, passes: usize) {
    let mut text = String::new();
    for document in plain.split_inclusive("---\n") {
        if text.len() + document.len() > MIB {
            break;
        }
        text.push_str(document);
    }
    text.truncate(text.trim_end_matches("---\n").len());
    let run = || {
        let objects = read(&text);
        let report = validate_all(&objects, &ValidateOptions::default());
        (report, objects.to_yaml().expect("objects can be written"))
    };
    let mut times: Vec<f64> = (0..passes)
        .map(|_| time_of(run).0.as_secs_f64() * 1000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    let milliseconds = times.get(times.len() / 2).copied().unwrap_or_default();
    println!(
        "  {} KiB decoded, validated, written: {milliseconds:.1} ms",
        text.len() >> 10
    );
    ratio(
        "decode/whole-way",
        milliseconds / 150.0,
        "<=1.0",
        "150 ms for one MiB",
    );
    let [ours, peer] = medians(
        passes,
        1,
        [
            &mut || {
                black_box(read(&text).to_yaml().expect("objects can be written"));
            },
            &mut || {
                for document in peer_reads_yaml(&text) {
                    black_box(serde_yaml::to_string(&document.spec).expect("specs can be written"));
                }
            },
        ],
    );
    ratio(
        "decode/and-encode",
        peer / ours,
        "none",
        "the serde crate of libyaml, reading and writing",
    );
}

fn read(text: &str) -> ObjectSet {
    let decoded = mesh_api::decode("input", text.as_bytes());
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    decoded.into_parts().0
}

/// One place in each object.
fn locate(objects: &ObjectSet) -> Vec<SourceLocation> {
    let host = FieldPath::spec().with_field("hosts").with_index(0);
    let places = objects.iter().map(|(key, _)| objects.location(key, &host));
    places.map(|place| place.expect("objects were read")).collect()
}

fn peer_reads_json(text: &str) -> Vec<Envelope> {
    let stream = serde_json::Deserializer::from_str(text).into_iter();
    stream.collect::<Result<_, _>>().expect("the peer reads JSON")
}

fn peer_reads_yaml(text: &str) -> Vec<Envelope> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|document| Envelope::deserialize(document).expect("the peer reads YAML"))
        .collect()
}

/// All readers come to the same objects, and the forms are read in the ways that they stand for.
fn check(data: &Data) {
    let objects = read(&data.plain);
    assert_eq!(objects.len(), data.objects);
    for other in [read(&data.json), read(&data.other)] {
        assert_eq!(other, objects);
    }
    for envelopes in [
        peer_reads_json(&data.json),
        peer_reads_yaml(&data.plain),
        peer_reads_yaml(&data.other),
    ] {
        assert_eq!(envelopes.len(), data.objects);
        for Envelope {
            api_version,
            kind,
            metadata,
            spec,
        } in envelopes
        {
            let object = objects
                .object::<VirtualService>(metadata.namespace.as_str(), &metadata.name)
                .expect("the same object");
            assert_eq!(
                (&object.spec, &object.meta, &object.api_version),
                (&spec, &metadata, &api_version)
            );
            assert_eq!(kind, "VirtualService");
        }
    }
    let decoded = mesh_api::decode("input", data.json.as_bytes());
    assert_eq!(count_typed(&decoded), data.objects);
    for place in locate(decoded.objects()) {
        assert!(data.json[place.span].starts_with("\"service-"));
    }
    let direct = |text: &str| {
        let scanned = scan(text, Scanner::Direct, &DecodeOptions::default());
        scanned.iter().filter(|document| document.is_some()).count()
    };
    assert_eq!((direct(&data.plain), direct(&data.other)), (data.objects, 0));
}

impl Data {
    fn new(objects: usize) -> Self {
        let mut numbers = Numbers::new(7);
        let (mut json, mut plain, mut other) = (String::new(), String::new(), String::new());
        for number in 0..objects {
            let document = virtual_service(number, &mut numbers);
            let value: serde_json::Value = serde_yaml::from_str(&document).expect("a document");
            json.push_str(&value.to_string());
            json.push('\n');
            plain.push_str(&document);
            plain.push_str("---\n");
            let anchored = document
                .replacen("  gateways:\n", "  gateways: &gateways\n", 1)
                .replacen("  exportTo:\n  - \"*\"\n", "  exportTo: [\"*\"]\n", 1);
            other.push_str(&anchored);
            other.push_str("---\n");
        }
        let trim = |text: &mut String| text.truncate(text.trim_end_matches("---\n").len());
        trim(&mut plain);
        trim(&mut other);
        Self {
            json,
            plain,
            other,
            objects,
        }
    }
}

/// A VirtualService as people write them: a few hosts, some routes with matches, weights, retries and headers.
fn virtual_service(number: usize, numbers: &mut Numbers) -> String {
    let mut text = format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: service-{number}\n  namespace: team-{}\n  \
         labels:\n    app: service-{number}\n    release: r{}\n  annotations:\n    example.com/owner: \"team {number} (on call)\"\nspec:\n  \
         hosts:\n  - service-{number}.example.com\n  - service-{number}.team.svc.cluster.local\n  gateways:\n  - mesh\n  - ingress/gateway-{}\n  \
         exportTo:\n  - \"*\"\n  http:\n",
        number % 40,
        numbers.below(9000),
        numbers.below(50),
    );
    for route in 0..2 + numbers.below(4) {
        let weight = 1 + numbers.below(98);
        write!(
            text,
            "  - name: route-{number}-{route}\n    match:\n    - uri:\n        prefix: /api/v{route}/{}/items\n      headers:\n        \
             x-user-{}:\n          exact: user {}\n        cookie:\n          regex: ^(.*?;)?(session=[a-z{}]+)(;.*)?$\n      \
             method:\n        exact: GET\n    - uri:\n        exact: /static/{}.html\n      ignoreUriCase: true\n    rewrite:\n      \
             uri: /v{route}\n    timeout: {}s\n    retries:\n      attempts: 3\n      perTryTimeout: 250ms\n      \
             retryOn: gateway-error,connect-failure,refused-stream\n    headers:\n      request:\n        set:\n          \
             x-forwarded-service: service-{number}\n        remove:\n        - x-internal-{}\n    route:\n    - destination:\n        \
             host: service-{number}.team.svc.cluster.local\n        subset: v{}\n        port:\n          number: {}\n      weight: {weight}\n    \
             - destination:\n        host: canary-{number}.team.svc.cluster.local\n        subset: v{}\n      weight: {}\n",
            numbers.below(100_000),
            numbers.below(100),
            numbers.below(100_000),
            numbers.below(10),
            numbers.below(100_000),
            1 + numbers.below(30),
            numbers.below(1000),
            numbers.below(10),
            1024 + numbers.below(60_000),
            numbers.below(10),
            100 - weight,
        )
        .expect("text can be written to");
    }
    text
}

/// How many documents below a path the direct scanner takes.
fn count_direct(path: &Path) {
    let (mut read, mut total) = (0, 0);
    let mut left = Vec::new();
    for file in files(path) {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let documents = scan(&text, Scanner::Direct, &DecodeOptions::default());
        let direct = documents.iter().filter(|document| document.is_some()).count();
        if direct < documents.len() {
            left.push(format!(
                "{} ({} of {})",
                file.display(),
                documents.len() - direct,
                documents.len()
            ));
        }
        (read, total) = (read + direct, total + documents.len());
    }
    for file in &left {
        println!("  left to the parser: {file}");
    }
    let share = read as f64 / total.max(1) as f64;
    ratio(
        "decode/direct",
        share,
        ">=0.95",
        format!("{total} documents below {}", path.display()),
    );
}

/// The YAML files below a path, or the path itself.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return vec![path.to_owned()];
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let yaml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(yaml)
        .collect()
}
