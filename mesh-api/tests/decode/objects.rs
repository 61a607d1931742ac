//! Documents, lists, kinds and the set they end up in.

use crate::{decode, decode_as, marked, places, virtual_service};
use mesh_api::codec::DecodeOptions;
use mesh_api::names::Namespace;
use mesh_api::{AnyObject, Kind, ObjectKey, Profile, Severity, decode_with};

#[test]
fn lists_are_expanded_with_the_place_of_each_item() {
    // A-PAR-4
    let item = |name: &str, spec: &str| {
        format!(
            "- apiVersion: networking.istio.io/v1\n  kind: Gateway\n  metadata: {{name: {name}}}\n  spec: {spec}\n"
        )
    };
    let text = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}{}",
        item("a", "{}"),
        item("b", "{nope: 1}"),
        item("c", "{}")
    );
    let decoded = decode(&text);
    assert_eq!(decoded.objects().gateways().count(), 2);
    assert_eq!(places(&decoded), ["11:10 A-WIRE-2"]);
    let infos: Vec<_> = decoded.documents().iter().map(ToString::to_string).collect();
    assert_eq!(infos[1], "document 0, item 1: Gateway default/b");
    // items of a typed list may leave out what the list says
    let typed = "{\"apiVersion\": \"networking.istio.io/v1\", \"kind\": \"GatewayList\", \"items\": [{\"metadata\": {\"name\": \"x\"}}]}";
    assert_eq!(decode(typed).objects().gateways().count(), 1);
    let fifth = nested_list(5).replacen(
        "[{\"apiVersion\":\"v1\",\"kind\":\"Pod",
        "^[{\"apiVersion\":\"v1\",\"kind\":\"Pod",
        1,
    );
    for bad in ["apiVersion: v1\nkind: List\nitems: ^{}\n", &fifth] {
        let (bad, at) = marked(bad);
        assert_eq!(places(&decode(&bad)), [format!("{at} A-PAR-4")], "{bad}");
    }
    assert_eq!(decode(&nested_list(4)).objects().len(), 1);
}

fn nested_list(depth: usize) -> String {
    let inner = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#.to_owned();
    (0..depth).fold(inner, |inner, _| {
        format!(r#"{{"apiVersion":"v1","kind":"List","items":[{inner}]}}"#)
    })
}

#[test]
fn json_comes_alone_in_a_row_or_in_an_array() {
    // A-PAR-2
    let object = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME","labels":{"a":"\u00e9\ud83d\ude00\n"}}}"#;
    let (a, b) = (object.replace("NAME", "a"), object.replace("NAME", "b"));
    for text in [
        format!("{a} {b}"),
        format!("[{a},\n{b}]"),
        format!("---\n{a}\n---\n{b}"),
        format!("{a}\n---\nkind: Pod\napiVersion: v1\nmetadata: {{name: b}}"),
    ] {
        let decoded = decode(&text);
        assert_eq!(
            (decoded.objects().pods().count(), decoded.report().len()),
            (2, 0),
            "{text}\n{}",
            decoded.report()
        );
    }
    let pod = decode(&a).objects().pods().next().unwrap().clone();
    assert_eq!(pod.meta.labels.get("a"), Some("é😀\n"));
    // a broken one does not take those before it along
    let decoded = decode(&format!("{a} {{\"kind\": tru}}"));
    assert_eq!((decoded.objects().len(), decoded.report().len()), (1, 1));
    for bad in [
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a" 1}"#,
        "{\"a\":\"\t\"}",
        r#"{"a":1"#,
    ] {
        assert!(!decode(bad).report().is_ok(), "{bad}");
    }
}

#[test]
fn flow_style_that_is_no_json_is_yaml() {
    let decoded = decode("{apiVersion: v1, kind: Pod, metadata: {name: a}}");
    assert_eq!((decoded.objects().len(), decoded.report().len()), (1, 0));
    let decoded = decode("{\"apiVersion\": v1, \"kind\": Pod, # comment\n metadata: {name: a}}");
    assert_eq!(
        (decoded.objects().len(), decoded.report().len()),
        (1, 0),
        "{}",
        decoded.report()
    );
}

#[test]
fn kinds_that_are_not_understood_are_carried() {
    // A-RES-2
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {listeners: [{port: 80}]}\n";
    let decoded = decode(text);
    assert!(decoded.report().is_empty() && decoded.objects().gateways().next().is_none());
    let (key, object) = decoded.objects().iter().next().unwrap();
    assert_eq!(
        (key.kind.group(), key.to_string().as_str()),
        ("gateway.networking.k8s.io", "Gateway default/g")
    );
    let AnyObject::Opaque(object) = object else {
        panic!("not opaque")
    };
    let port = object
        .root()
        .get("spec")
        .unwrap()
        .get("listeners")
        .unwrap()
        .items()
        .next()
        .unwrap()
        .get("port");
    assert_eq!(port.unwrap().as_int(), Some(80));
}

#[test]
fn a_kind_that_istio_does_not_have_is_carried_with_a_warning() {
    // A-RES-2: no object is refused for it, and nobody takes silence for praise
    let of = |api_version: &str, kind: &str| {
        let text =
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{hosts: 1}}\n");
        let decoded = decode(&text);
        assert_eq!(
            (decoded.objects().len(), decoded.report().is_ok()),
            (1, true),
            "{kind}"
        );
        let findings = decoded.report().iter();
        findings.map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let finding = of("networking.istio.io/v1", "VirtualServices");
    assert!(
        finding.ends_with("did you mean `VirtualService`? [A-RES-2]") && finding.contains(":2:7: "),
        "{finding}"
    );
    assert!(of("security.istio.io/v1", "virtualservice").ends_with("it goes unjudged [A-RES-2]"));
    assert_eq!(of("example.com/v1", "VirtualService"), "");
    assert_eq!(of("config.istio.io/v1alpha2", "handler"), "");
}

#[test]
fn tabs_behind_colons_are_blanks_and_those_in_texts_stay() {
    // A-PAR-12
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name:\ta\ndata:\n  b:\t\tx:\ty\n";
    assert!(!decode(text).report().is_ok(), "a map has no place there");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name:\ta\ndata:\n  b: |\n    k:\tv\n  c:\tx\n  d: 'k:\tv'\n";
    let decoded = decode(text);
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    let config = decoded
        .objects()
        .object::<mesh_api::kubernetes::ConfigMap>("default", "a")
        .unwrap();
    let values: Vec<&str> = config.spec.data.values().map(String::as_str).collect();
    assert_eq!(values, ["k:\tv\n", "x", "k:\tv"]);
}

#[test]
fn objects_without_a_name_are_no_doubles() {
    // A-RES-3, A-MET-4
    let object =
        "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {generateName: a-, namespace: b}\n";
    let decoded = decode(&format!("{object}---\n{object}"));
    assert_eq!(decoded.report().warnings().count(), 0, "{}", decoded.report());
    let finding = decoded.report().iter().next().unwrap();
    assert!(
        finding.message.starts_with("Sidecar has no name yet"),
        "{finding}"
    );
}

#[test]
fn fields_of_kubernetes_that_the_mesh_does_not_read_are_no_findings() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop, selfLink: x}\nspec: {sessionAffinity: None, ports: [{port: 80, targetPort: http}]}\n";
    let decoded = decode(text);
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    assert_eq!(
        decoded.objects().services().next().unwrap().spec.spec.ports.len(),
        1
    );
}

#[test]
fn objects_without_a_namespace_get_the_default_one() {
    // A-MET-3
    let text = format!(
        "{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: shop}}\n",
        virtual_service("hosts: [a]")
    );
    let keys = |decoded: &mesh_api::Decoded| {
        decoded
            .objects()
            .iter()
            .map(|(key, _)| key.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&decode(&text)),
        ["Namespace shop", "VirtualService default/a"]
    );
    let options = DecodeOptions {
        default_namespace: None,
        ..DecodeOptions::default()
    };
    let bare = decode_with("a.yaml", text.as_bytes(), &options);
    assert_eq!(keys(&bare), ["Namespace shop", "VirtualService a"]);
    let moved = bare.objects().with_default_namespace(&Namespace::new("shop"));
    let key = ObjectKey::new(Kind::VirtualService, "shop", "a");
    assert_eq!(moved.get(&key).unwrap().meta().namespace, "shop");
    assert_eq!(
        moved
            .location(&key, &"spec.hosts[0]".parse().unwrap())
            .unwrap()
            .to_string(),
        "a.yaml:5:11"
    );
}

#[test]
fn of_two_objects_with_one_key_the_later_stays() {
    let text = format!(
        "{}---\n{}",
        virtual_service("hosts: [a]"),
        virtual_service("hosts: [b]")
    );
    let mut decoded = decode(&text);
    assert_eq!(places(&decoded), ["9:18 A-RES-3"]);
    let finding = decoded.report().iter().next().unwrap();
    assert_eq!(
        finding.message,
        "VirtualService default/a is defined twice, first at a.yaml:3:18"
    );
    assert_eq!(
        decoded.objects().virtual_services().next().unwrap().spec.hosts,
        ["b"]
    );
    decoded.extend(decode_as(Profile::Istiod, &virtual_service("hosts: [c]")));
    assert_eq!((decoded.report().len(), decoded.documents().len()), (2, 3));
    assert_eq!(
        decoded.objects().virtual_services().next().unwrap().spec.hosts,
        ["c"]
    );
}

#[test]
fn every_field_has_a_place() {
    // A-PAR-14
    let text = virtual_service(
        "hosts: [a, b.com]\nhttp:\n- route:\n  - destination:\n      host: reviews\n    weight: 5",
    );
    let decoded = decode(&text);
    let key = ObjectKey::new(Kind::VirtualService, "default", "a");
    for (path, place) in [
        ("spec.hosts[1]", "a.yaml:5:14"),
        ("spec.http", "a.yaml:6:3"),
        ("spec.http[0]", "a.yaml:7:5"),
        ("spec.http[0].route[0].destination.host", "a.yaml:9:15"),
        ("spec.http[0].route[0].destination", "a.yaml:8:7"),
        ("spec.http[0].route[0].destination.subset", "a.yaml:8:7"), // not there: the closest above
        ("spec.http[0].route[0].weight", "a.yaml:10:15"),
        ("", "a.yaml:1:1"),
        ("nowhere", "a.yaml:1:1"),
    ] {
        let location = decoded.objects().location(&key, &path.parse().unwrap()).unwrap();
        assert_eq!(location.to_string(), place, "{path}");
    }
}

#[test]
fn the_status_is_carried_and_never_an_error() {
    // A-MET-6
    let text = format!("{}status: [anything]\n", virtual_service("hosts: [a]"));
    let decoded = decode(&text);
    assert!(decoded.report().is_empty());
    assert_eq!(
        decoded.objects().virtual_services().next().unwrap().status,
        Some(serde_json::json!(["anything"]))
    );
}

#[test]
fn a_change_to_a_clone_leaves_the_original_alone() {
    let decoded = decode(&virtual_service("hosts: [a]"));
    let mut changed = decoded.objects().clone();
    let key = ObjectKey::new(Kind::VirtualService, "default", "a");
    assert!(changed.remove(&key).is_some() && changed.remove(&key).is_none());
    assert!(changed.is_empty() && decoded.objects().len() == 1);
    assert_ne!(&changed, decoded.objects());
}

#[test]
fn versions_are_aliases_and_strict_asks_for_a_served_one() {
    // A-RES-1, A-RES-5
    let object = |api_version: &str, kind: &str| {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
    };
    for (api_version, kind, profile, code) in [
        ("networking.istio.io/v1alpha3", "Sidecar", Profile::Strict, None),
        (
            "networking.istio.io/v9",
            "Sidecar",
            Profile::Strict,
            Some("A-RES-1"),
        ),
        ("networking.istio.io/v9", "Sidecar", Profile::Istiod, None),
        ("telemetry.istio.io/v1", "Telemetry", Profile::Strict, None),
        (
            "extensions.istio.io/v1",
            "WasmPlugin",
            Profile::Strict,
            Some("A-RES-1"),
        ),
        (
            "install.istio.io/v1alpha1",
            "IstioOperator",
            Profile::Strict,
            None,
        ),
        (
            "install.istio.io/v1alpha2",
            "IstioOperator",
            Profile::Istiod,
            Some("A-RES-5"),
        ),
        ("apps/v1beta1", "Deployment", Profile::Strict, None),
        ("example.com/v9", "Unknown", Profile::Strict, None),
    ] {
        let decoded = decode_as(profile, &object(api_version, kind));
        assert_eq!(
            decoded.objects().len(),
            1,
            "{api_version} {kind} is read like any other"
        );
        let found: Vec<_> = decoded.report().iter().collect();
        match code {
            None => assert!(found.is_empty(), "{}", decoded.report()),
            Some(code) => {
                let [finding] = found[..] else {
                    panic!("{}", decoded.report())
                };
                assert_eq!(
                    (finding.code.as_str(), finding.severity),
                    (code, Severity::Warning)
                );
                assert_eq!(
                    finding.location.as_ref().map(|place| (place.line, place.column)),
                    Some((1, 13))
                );
                assert!(
                    finding.help.as_deref().unwrap().starts_with("write `"),
                    "{finding}"
                );
            }
        }
    }
}
