//! Objects that are read straight from JSON are those that the tree gives, places included.

use mesh_api::codec::scanners::{count_typed, decode_by_trees};
use mesh_api::codec::{DecodeOptions, Limits, Node, NodeKind, Tree};
use mesh_api::extensions::{TrafficExtension, WasmPlugin};
use mesh_api::kubernetes::{
    ConfigMap, CustomResourceDefinition, Deployment, EndpointSlice, MutatingWebhookConfiguration, Namespace,
    Pod, Secret, Service, ValidatingWebhookConfiguration,
};
use mesh_api::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use mesh_api::object::Model;
use mesh_api::operator::IstioOperator;
use mesh_api::report::FieldPath;
use mesh_api::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use mesh_api::telemetry::Telemetry;
use mesh_api::{Object, ObjectMeta, Profile, decode_with};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::random::value_from;

type Writer = fn(ObjectMeta, &[u8]) -> String;

fn written<T: Model>(meta: ObjectMeta, bytes: &[u8]) -> String {
    Object::<T>::new(meta, value_from(bytes)).to_json().unwrap()
}

/// All kinds with a model.
const WRITERS: [Writer; 26] = [
    written::<AuthorizationPolicy>,
    written::<ConfigMap>,
    written::<CustomResourceDefinition>,
    written::<Deployment>,
    written::<DestinationRule>,
    written::<EndpointSlice>,
    written::<EnvoyFilter>,
    written::<Gateway>,
    written::<IstioOperator>,
    written::<MutatingWebhookConfiguration>,
    written::<Namespace>,
    written::<PeerAuthentication>,
    written::<Pod>,
    written::<ProxyConfig>,
    written::<RequestAuthentication>,
    written::<Secret>,
    written::<Service>,
    written::<ServiceEntry>,
    written::<Sidecar>,
    written::<Telemetry>,
    written::<TrafficExtension>,
    written::<ValidatingWebhookConfiguration>,
    written::<VirtualService>,
    written::<WasmPlugin>,
    written::<WorkloadEntry>,
    written::<WorkloadGroup>,
];

/// Objects of any kind as JSON.
fn object() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(WRITERS.to_vec());
    (kinds, value_of(["a", "b"]), vec(any::<u8>(), 0..300)).prop_map(|(write, name, bytes)| {
        let meta = ObjectMeta::new(name, "shop")
            .with_label("app", "é\"\\\n")
            .with_label("v", "1")
            .with_annotation("a b", "");
        write(meta, &bytes)
    })
}

fn value_of<const N: usize>(values: [&'static str; N]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values.to_vec())
}

/// Pieces of JSON, to be put behind a bracket, a comma or a colon, or anywhere.
const PIECES: [&str; 44] = [
    "null,",
    "null",
    "\"1\",",
    "1,",
    "1.5,",
    "-0,",
    "1e999,",
    "99999999999999999999,",
    "true,",
    "{},",
    "[],",
    "[[[]]],",
    "\"\\u00e9\",",
    "\"\\ud83d\",",
    "\"\\ud83e\\udd80\",",
    "\"a\\tb\",",
    "\"a\tb\",",
    "\"hosts\":null,",
    "\"hosts\":[],",
    "\"x\":1,",
    "\"x\":{\"y\":1,\"y\":2},",
    "\"kind\":\"a\",",
    "\"metadata\":null,",
    "\"metadata\":{},",
    "\"spec\":{},",
    "\"spec\":null,",
    "\"status\":null,",
    "\"status\":{\"a\":[1,-2,0.5,null,\"x\"]},",
    "\"name\":\"\",",
    "\"creationTimestamp\":null,",
    "\"managedFields\":[{\"a\":1}],",
    "\"export_to\":[\".\"],",
    "\"exact\":\"a\",\"prefix\":\"b\",",
    "\"a\":\"1\",\"a\":\"2\",",
    "\"<<\":{},",
    "\"\\u0061pp\":\"x\",",
    " ",
    "\n\t",
    "}",
    "]",
    "{",
    ",",
    "\"",
    "#",
];

/// A piece, and which place of a sort it goes to.
fn change() -> impl Strategy<Value = (&'static str, u8, usize)> {
    (
        value_of(PIECES),
        prop::sample::select(b"{[:,a".to_vec()),
        0..60usize,
    )
}

fn changed(text: &str, changes: &[(&str, u8, usize)]) -> String {
    let mut text = text.to_owned();
    for (piece, sort, number) in changes {
        let mut places = text
            .char_indices()
            .filter(|(at, _)| *sort == b'a' || text.as_bytes()[*at] == *sort);
        let count = places.clone().count().max(1);
        if let Some((at, c)) = places.nth(number % count) {
            text.insert_str(at + c.len_utf8(), piece);
        }
    }
    text
}

/// The paths of the nodes, of long lists only of the first ones.
fn paths(node: Node<'_>, path: &FieldPath, out: &mut Vec<FieldPath>) {
    out.push(path.clone());
    match node.kind() {
        NodeKind::List => {
            for (index, item) in node.items().enumerate().take(20) {
                paths(item, &path.clone().with_index(index), out);
            }
        }
        NodeKind::Map => {
            for (key, value) in node.entries() {
                paths(value, &path.clone().with_key(key.text()), out);
            }
        }
        _ => {}
    }
}

/// Compares both ways, and says how many objects were read without a tree.
fn compare(text: &str, options: &DecodeOptions) -> usize {
    let typed = decode_with("a.json", text.as_bytes(), options);
    let by_trees = decode_by_trees("a.json", text.as_bytes(), options);
    assert_eq!(count_typed(&by_trees), 0);
    let count = count_typed(&typed);
    assert_eq!(typed.report(), by_trees.report(), "{text}");
    assert_eq!(typed.documents(), by_trees.documents(), "{text}");
    assert_eq!(typed.objects(), by_trees.objects(), "{text}");
    for (key, object) in typed.objects().iter() {
        let other = by_trees.objects().get(key).unwrap();
        assert_eq!(object.api_version(), other.api_version());
        assert_eq!(object.to_json(), other.to_json(), "{text}");
        let mut all = vec![FieldPath::root().with_field("nowhere")];
        if let Ok(tree) = Tree::parse("b.json", &object.to_json().unwrap()) {
            paths(tree.root(), &FieldPath::root(), &mut all);
        }
        for path in all {
            let places = [&typed, &by_trees].map(|decoded| decoded.objects().location(key, &path));
            assert_eq!(places[0], places[1], "{path} in {text}");
            assert!(places[0].is_some());
        }
    }
    count
}

fn of_profile(profile: Profile) -> DecodeOptions {
    DecodeOptions {
        profile,
        ..DecodeOptions::default()
    }
}

fn profile() -> impl Strategy<Value = Profile> {
    use Profile::{ApiServer, Cluster, Istiod, Strict};
    prop::sample::select(vec![ApiServer, Cluster, Istiod, Strict])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_objects_are_read_alike(
        object in object(),
        changes in vec(change(), 0..4),
        pretty in any::<bool>(),
        profile in profile(),
    ) {
        let object = match pretty {
            true => format!("{:#}", serde_json::from_str::<serde_json::Value>(&object).unwrap()),
            false => object,
        };
        compare(&changed(&object, &changes), &of_profile(profile));
    }

    #[test]
    fn streams_are_read_alike(
        objects in vec((object(), vec(change(), 0..2), any::<bool>()), 1..5),
        separators in vec(value_of(["", " ", "\n", "\n---\n", "\n...\n", " # c\n", ": x\n", ",", " 1 ", "[]", "\"a\"", "\"a\": b"]), 4),
        profile in profile(),
    ) {
        let mut text = String::new();
        for ((object, changes, whole), separator) in objects.iter().zip(separators) {
            text.push_str(&if *whole { object.clone() } else { changed(object, changes) });
            text.push_str(separator);
        }
        compare(&text, &of_profile(profile));
    }

    #[test]
    fn limits_are_kept_alike(
        object in object(),
        depth in 1..12usize,
        nodes in 1..80usize,
        bytes in 1..600usize,
        key in 5..30usize,
        documents in 1..6usize,
        which in 0..6u8,
    ) {
        let mut limits = Limits::default();
        match which {
            0 => limits.depth = depth,
            1 => limits.nodes = nodes,
            2 => limits.document_bytes = bytes,
            3 => limits.scalar_bytes = bytes / 10,
            4 => limits.documents = documents,
            _ => limits.key_bytes = key,
        }
        let options = DecodeOptions { limits, ..DecodeOptions::default() };
        compare(&object, &options);
        let list = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{object},{object}]}}");
        compare(&format!("{object}\n{object}{list}{object}\n---\n{object}{object}"), &options);
    }
}

/// Most objects that the models write are read without a tree: the comparisons above compare something.
#[test]
fn clean_objects_need_no_tree() {
    let bytes: Vec<u8> = (0..300_usize).map(|at| (at * at % 251) as u8).collect();
    for (number, write) in WRITERS.iter().enumerate() {
        let (mut count, mut total) = (0, 0);
        for start in 0..100 {
            let text = write(ObjectMeta::new("a", "b"), &bytes[start..]);
            count += compare(&text, &of_profile(Profile::Istiod));
            total += 1;
        }
        assert!(count * 10 >= total * 9, "{number}: {count} of {total}");
    }
}

/// What has a finding, or is told by another way, takes the tree.
#[test]
fn only_clean_objects_need_none() {
    let cases = [
        (
            1,
            r#"{"kind":"VirtualService","apiVersion":"networking.istio.io/v1","metadata":{"name":"a","creationTimestamp":null},"spec":{"hosts":["\u0061"],"http":null},"status":{"a":[1]}}"#,
        ),
        (
            1,
            r#" { "apiVersion" : "v1" , "kind" : "Service" , "spec" : { "other" : [ { } ] } , "metadata" : { "name" : "a" , "selfLink" : "/" } } "#,
        ),
        (0, r#"{"apiVersion":"v1","kind":"Other","metadata":{"name":"a"}}"#),
        (
            0,
            r#"{"apiVersion":"v1","metadata":{"name":"a"},"kind":"Service"}"#,
        ),
        (0, r#"{"apiVersion":"v1","kind":"List","items":[]}"#),
        (0, r#"{"apiVersion":"v1","kind":"Service","metadata":{}}"#),
        (
            0,
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","labels":{"a":"1","a":"1"}}}"#,
        ),
        (
            0,
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"x":{"y":1,"y":1}}"#,
        ),
        (
            0,
            r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"http":[null]}}"#,
        ),
        (
            0,
            r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"http":[{"redirect":{"port":1,"derivePort":"FROM_REQUEST_PORT"}}]}}"#,
        ),
        (
            0,
            r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"http":[{"redirect":{"derivePort":1}}]}}"#,
        ),
        (
            0,
            r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{},"more":1}"#,
        ),
        (
            0,
            r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"}} # YAML"#,
        ),
    ];
    for (expected, text) in cases {
        assert_eq!(compare(text, &DecodeOptions::default()), expected, "{text}");
    }
    // of two objects with one key, the place of the first is asked for
    let text = format!("{0}\n{0}", cases[0].1);
    assert_eq!(compare(&text, &DecodeOptions::default()), 1);
}

/// A-PAR-20: the limit on what values take goes for objects with and without a tree, in the order of the text.
#[test]
fn the_budget_is_spent_alike() {
    let object = |number: usize, routes: &str| {
        format!(
            "{{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"VirtualService\",\"metadata\":{{\"name\":\"a{number}\"}},\"spec\":{{\"http\":[{routes}]}}}}\n"
        )
    };
    let routes = vec!["{}"; 40_000].join(",");
    let text: String = (0..20)
        .map(|number| match number % 3 {
            0 => object(number, &format!("{routes},{{\"nope\":1}}")),
            _ => object(number, &routes),
        })
        .collect();
    let options = of_profile(Profile::Istiod);
    let decoded = decode_with("a.json", text.as_bytes(), &options);
    let refused = decoded.documents().iter().filter(|info| !info.accepted).count();
    assert!(refused > 0 && count_typed(&decoded) > 0, "{}", decoded.report());
    compare(&text, &options);
}
