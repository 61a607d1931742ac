//! The forms of the wire that both readers of an object accept, and where they differ (api.md 1.4).

use crate::{accepted, decode, decode_as, marked, places, virtual_service};
use mesh_api::networking::StringMatch;
use mesh_api::scalar::Duration;
use mesh_api::{Profile, mesh::MeshConfig};

#[test]
fn istiod_takes_more_than_the_api_server() {
    for (spec, code) in [
        ("http: [{match: [{port: \"80\"}]}]", "A-WIRE-5"), // quoted integer
        (
            "http: [{fault: {abort: {percentage: {value: \"5.5\"}}}}]",
            "A-WIRE-6",
        ), // quoted number
        ("http: [{mirror_percentage: {value: 1}}]", "A-WIRE-1"), // original spelling
        ("http: [null]", "A-WIRE-11"),                     // null message
        ("http: [{match: [{uri: {exact: /a, prefix: /b}}]}]", "A-WIRE-13"), // two members
        ("http: [{nme: a}]", "A-WIRE-2"),                  // unknown field
    ] {
        let text = virtual_service(spec);
        for profile in [Profile::ApiServer, Profile::Cluster, Profile::Strict] {
            let refused = decode_as(profile, &text);
            assert!(refused.objects().is_empty(), "{spec}");
            let codes: Vec<_> = refused
                .report()
                .iter()
                .map(|finding| finding.code.as_str())
                .collect();
            assert_eq!(codes, [code], "{spec}");
        }
        let istiod = decode_as(Profile::Istiod, &text);
        assert_eq!(
            (istiod.objects().len(), istiod.report().is_ok()),
            (1, true),
            "{spec}\n{}",
            istiod.report()
        );
    }
}

#[test]
fn istiod_reads_the_values_of_those_forms() {
    let text = virtual_service(
        "http:\n- match: [{port: \"80\", uri: {exact: /a, ^prefix: /b}}, null]\n  mirror_percentage: {value: \"NaN\"}\n  \
         redirect: {derivePort: 1}",
    );
    let (text, at) = marked(&text);
    let decoded = decode_as(Profile::Istiod, &text);
    let route = &decoded.objects().virtual_services().next().unwrap().spec.http[0];
    assert_eq!(route.matches.len(), 2); // A-WIRE-11: null becomes an empty message
    assert_eq!(route.matches[0].port, 80); // A-WIRE-5
    assert_eq!(route.matches[0].uri, Some(StringMatch::prefix("/b"))); // A-WIRE-13: the last declared wins
    assert!(route.mirror_percentage.as_ref().unwrap().value.is_nan()); // A-WIRE-6
    assert_eq!(places(&decoded), [format!("{at} A-WIRE-13")]);
}

#[test]
fn null_is_absent_and_the_zero_of_a_wrapper_is_not() {
    // A-WIRE-10, A-WIRE-12
    let object = accepted(&virtual_service(
        "hosts: null\nhttp:\n- {name: ~, timeout: , match: [], retries: {attempts: 0, perTryTimeout: 1h30m}}",
    ));
    let route = &object.spec.http[0];
    assert!(object.spec.hosts.is_empty() && route.name.is_empty() && route.timeout.is_none());
    let retries = route.retries.as_ref().unwrap();
    assert_eq!(retries.per_try_timeout, Some(Duration::from_secs(5400))); // A-WIRE-3
}

#[test]
fn both_spellings_at_once() {
    // A-WIRE-1: camelCase wins without a word, Strict says so
    let text = virtual_service("http: [{mirrorPercentage: {value: 1}, mirror_percentage: {value: 2}}]");
    let istiod = decode_as(Profile::Istiod, &text);
    assert!(istiod.report().is_empty());
    let route = &istiod.objects().virtual_services().next().unwrap().spec.http[0];
    assert_eq!(route.mirror_percentage.as_ref().unwrap().value, 1.0);
    let strict = decode_as(Profile::Strict, &text);
    assert_eq!(
        strict.report().iter().next().unwrap().message,
        "`mirrorPercentage` is there in both spellings"
    );
}

#[test]
fn two_old_spellings_are_in_the_crds() {
    // api.md 3.3
    let decoded = decode(&virtual_service("http: [{mirror_percent: 5}]"));
    assert!(decoded.report().is_empty(), "{}", decoded.report());
}

#[test]
fn maps_with_integer_keys() {
    let policy = |ports: &str| {
        format!(
            "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: a}}\nspec:\n  \
             portLevelMtls: {ports}\n"
        )
    };
    let decoded = decode(&policy("{8080: {mode: DISABLE}, \"90\": {mode: STRICT}}"));
    let ports = decoded
        .objects()
        .peer_authentications()
        .next()
        .unwrap()
        .spec
        .port_level_mtls
        .clone()
        .unwrap();
    assert_eq!(ports.keys().copied().collect::<Vec<_>>(), [90, 8080]);
    assert_eq!(
        places(&decode(&policy("{http: {mode: STRICT}, 99999999999: {}}"))),
        ["5:19 A-WIRE-5", "5:41 A-WIRE-5"]
    );
    // A-WIRE-12: an empty map is present
    let empty = decode(&policy("{}"));
    assert!(
        empty
            .objects()
            .peer_authentications()
            .next()
            .unwrap()
            .spec
            .port_level_mtls
            .is_some()
    );
}

#[test]
fn values_without_a_kind_are_read_as_istiod_reads_them() {
    let (config, report) = mesh_api::decode_value::<MeshConfig>(
        "mesh.yaml",
        b"rootNamespace: config\naccess_log_file: /dev/stdout\nnope: 1\n",
    );
    assert_eq!(config.root_namespace, "config");
    assert_eq!(
        report.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["mesh.yaml:3:1: unknown field `nope` [A-WIRE-2]"]
    );
    let (config, report) =
        mesh_api::decode_value::<MeshConfig>("mesh.yaml", b"rootNamespace: 1\naccessLogFile: /a\n");
    // a wrong value leaves the default
    assert!(!report.is_ok());
    assert_eq!(
        (config.root_namespace.as_str(), config.access_log_file.as_str()),
        ("istio-system", "/a")
    );
    let (config, report) = mesh_api::decode_value::<MeshConfig>("mesh.yaml", b"# nothing\n");
    assert!(report.is_empty() && config == MeshConfig::default());
    assert!(
        !mesh_api::decode_value::<MeshConfig>("mesh.yaml", b"{}\n---\n{}")
            .1
            .is_ok()
    );
}
