use serde_json::json;

use super::*;
use crate::codec::Profile;
use crate::mesh::{
    AttemptCount, AuthenticationPolicy, ForwardClientCertDetails, MeshConfig, MeshProxyConfig,
    OutboundTrafficPolicyMode, Provider, ProxyClusterName, ProxyHeaders, RequestId, TracingServiceName,
};
use crate::meta::ObjectMeta;
use crate::names::Labels;
use crate::networking;
use crate::object_set::ObjectSet;
use crate::report::{FieldPath, Report};

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

/// A mesh of documents that must be fine.
fn mesh_of(documents: &[&str]) -> EffectiveMesh {
    let mut mesh = EffectiveMesh::new();
    for (index, document) in documents.iter().enumerate() {
        let report = mesh.apply(&format!("mesh-{index}.yaml"), document.as_bytes());
        assert!(report.is_ok(), "{report}");
    }
    mesh
}

fn place(mesh: &EffectiveMesh, field: &str) -> Option<String> {
    mesh.location(&path(field)).map(|location| location.to_string())
}

fn codes(report: &Report) -> Vec<&str> {
    report.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn fields_replace_whole() {
    // A-MRG-1, A-MRG-3
    let mesh = mesh_of(&[
        "outboundTrafficPolicy: {tls: {mode: SIMPLE}}\ndefaultServiceExportTo: []\nrootNamespace: null\n",
        "enable_tracing: false\nlocalityLbSetting: {}\n",
        "# nothing\n",
    ]);
    let config = mesh.config();
    assert_eq!(
        config.outbound_traffic_policy.mode,
        OutboundTrafficPolicyMode::RegistryOnly
    );
    assert!(config.default_service_export_to.is_empty() && !config.enable_tracing);
    assert_eq!(config.root_namespace, "istio-system");
    assert_eq!(config.locality_lb_setting.enabled, None);
    assert_eq!(
        place(&mesh, "outboundTrafficPolicy.tls.mode").unwrap(),
        "mesh-0.yaml:1:37"
    );
    assert_eq!(place(&mesh, "enableTracing").unwrap(), "mesh-1.yaml:1:17");
    assert_eq!(place(&mesh, "rootNamespace"), None);
}

#[test]
fn exceptions_merge_by_parts() {
    // A-MRG-1 (a) to (d)
    let mesh = mesh_of(&[
        "defaultConfig: {proxyMetadata: {A: '1', B: '1'}, concurrency: 3}\n\
         defaultProviders: {metrics: [prometheus], tracing: [zipkin]}\n\
         extensionProviders: [{name: zipkin, zipkin: {service: a.b, port: 1}}]\n\
         trustDomainAliases: [z, b]\n",
        "defaultConfig: {proxyMetadata: {B: '2'}, tracing: {}}\n\
         defaultProviders: {tracing: []}\n\
         extensionProviders: [{name: new, prometheus: {}}, {name: envoy, prometheus: {}}]\n\
         trustDomainAliases: [b, a]\n",
    ]);
    let config = mesh.config();
    let proxies = config.default_config.as_ref().unwrap();
    assert_eq!(json!(proxies.proxy_metadata), json!({"A": "1", "B": "2"}));
    assert_eq!((proxies.concurrency, proxies.proxy_admin_port), (Some(3), 15000));
    assert_eq!(
        json!(config.default_providers),
        json!({"metrics": ["prometheus"]})
    );
    let names: Vec<&str> = config
        .extension_providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    assert_eq!(names, ["prometheus", "stackdriver", "envoy", "zipkin", "new"]);
    assert!(matches!(
        config.provider("envoy").unwrap().provider,
        Some(Provider::Prometheus(_))
    ));
    assert_eq!(config.trust_domain_aliases, ["a", "b", "z"]);
    assert_eq!(
        place(&mesh, "defaultConfig.proxyMetadata.A").unwrap(),
        "mesh-0.yaml:1:36"
    );
    assert_eq!(
        place(&mesh, "defaultConfig.proxyMetadata.B").unwrap(),
        "mesh-1.yaml:1:36"
    );
    assert_eq!(place(&mesh, "defaultConfig.configPath"), None);
    assert_eq!(
        place(&mesh, "defaultProviders.metrics").unwrap(),
        "mesh-0.yaml:2:20"
    );
}

#[test]
fn two_fields_are_looked_up_by_their_camel_case_name() {
    // A-MRG-1 [compat]
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply(
        "mesh.yaml",
        b"default_config: {concurrency: 1}\ndefault_providers: {metrics: [prometheus]}\n",
    );
    assert_eq!(codes(&report), ["A-MRG-1", "A-MRG-1"]);
    assert!(report.is_ok());
    assert_eq!(*mesh.config(), MeshConfig::default());
}

#[test]
fn a_document_with_errors_changes_nothing() {
    // A-MRG-4
    for (document, code) in [
        ("trustDomain: a\nconnectTimeout: 5\n", "A-WIRE-3"),
        ("trustDomain: a\nproxyListenPort: 0\n", "A-MC-1"),
        ("trustDomain: a\ndefaultConfig: {statusPort: 0}\n", "A-MP-15"),
        ("trustDomain: {\n", "A-PAR-12"),
        ("apiVersion: v1\nkind: Service\n", "A-PAR-5"),
        ("[]", "A-WIRE-2"),
    ] {
        let mut mesh = EffectiveMesh::new();
        let report = mesh.apply("mesh.yaml", document.as_bytes());
        assert!(!report.is_ok(), "{document}");
        if document != "[]" {
            assert_eq!(codes(&report), [code], "{document}: {report}");
        }
        assert_eq!(*mesh.config(), MeshConfig::default(), "{document}");
    }
    // unknown fields are tolerated, except by the strict
    let document = b"trustDomian: a\n";
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply("mesh.yaml", document);
    assert!(report.is_ok() && codes(&report) == ["A-WIRE-2"], "{report}");
    let report = EffectiveMesh::new()
        .with_profile(Profile::Strict)
        .apply("mesh.yaml", document);
    assert!(!report.is_ok());
}

#[test]
fn the_strict_warn_of_a_mode_that_is_reset() {
    // A-MRG-1
    let report = EffectiveMesh::new()
        .with_profile(Profile::Strict)
        .apply("mesh.yaml", b"outboundTrafficPolicy: {}\n");
    assert_eq!(codes(&report), ["A-MRG-1"]);
    assert!(report.is_ok());
}

const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
data:
  mesh: |-
    # a comment
    trustDomain: example.org

    defaultConfig:
      # more
      concurrency: 2
      tracing: {zipkin: {address: zipkin}}
  meshNetworks: 'networks: {east: {gateways: [{address: 203.0.113.7, port: 0}]}}'
";

#[test]
fn a_config_map_holds_both_documents_with_places_in_the_file() {
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply("istio.yaml", CONFIG_MAP.as_bytes());
    let findings: Vec<String> = report.iter().map(|finding| finding.to_string()).collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(
        findings[0].starts_with("istio.yaml:14:35: `zipkin` is not of the form"),
        "{findings:?}"
    );
    assert!(
        findings[1].starts_with("istio.yaml (data.meshNetworks):1:"),
        "{findings:?}"
    );

    let fine = CONFIG_MAP
        .replace("address: zipkin", "address: 'zipkin:9411'")
        .replace("port: 0", "port: 443");
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply("istio.yaml", fine.as_bytes());
    assert!(report.is_empty(), "{report}");
    assert_eq!(mesh.networks().networks["east"].gateways[0].port, 443);
    assert_eq!(
        place(&mesh, "defaultConfig.concurrency").unwrap(),
        "istio.yaml:13:20"
    );
    let location = mesh.location(&path("trustDomain")).unwrap();
    assert_eq!(&fine[location.span.clone()], "example.org");
    assert_eq!(location.excerpt.text, "    trustDomain: example.org");

    // the same among objects
    let decoded = crate::decode("istio.yaml", fine.as_bytes());
    let mut other = EffectiveMesh::new();
    assert!(other.apply_objects(decoded.objects()).is_empty());
    assert_eq!(
        (other.config(), other.networks()),
        (mesh.config(), mesh.networks())
    );
    assert_eq!(
        place(&other, "defaultConfig.concurrency"),
        place(&mesh, "defaultConfig.concurrency")
    );
}

#[test]
fn an_operator_and_a_list_hold_mesh_configuration() {
    let text = "\
apiVersion: v1
kind: List
items:
- apiVersion: install.istio.io/v1alpha1
  kind: IstioOperator
  metadata: {name: mesh}
  spec:
    meshConfig:
      trustDomain: example.org
";
    let mesh = mesh_of(&[text]);
    assert_eq!(mesh.config().trust_domain, "example.org");
    assert_eq!(place(&mesh, "trustDomain").unwrap(), "mesh-0.yaml:9:20");
}

#[test]
fn texts_in_quotes_and_odd_blocks_are_read_too() {
    for mesh in [
        "\"trustDomain: example.org\\n\"",
        ">\n    trustDomain:\n      example.org\n",
        "|2\n    trustDomain: example.org\n",
        "|+\n    trustDomain: example.org\n\n\n",
        "|\n    ---\n    trustDomain: example.org\n",
        "'{\"trustDomain\": \"example.org\"}'",
    ] {
        let text =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio}}\ndata:\n  mesh: {mesh}\n");
        let mut applied = EffectiveMesh::new();
        let report = applied.apply("istio.yaml", text.as_bytes());
        assert!(report.is_ok(), "{mesh}: {report}");
        assert_eq!(applied.config().trust_domain, "example.org", "{mesh}");
        assert!(applied.location(&path("trustDomain")).is_some());
    }
}

#[test]
fn networks_stand_alone_too() {
    let (networks, report) =
        decode_mesh_networks("n.yaml", b"networks: {east: {endpoints: [{fromRegistry: a.b}]}}");
    assert_eq!(codes(&report), ["A-MN-2"]);
    assert!(networks.networks.is_empty());
    assert!(
        report
            .iter()
            .next()
            .unwrap()
            .to_string()
            .starts_with("n.yaml:1:46: "),
        "{report}"
    );
}

#[test]
fn there_is_a_limit_on_documents() {
    let many = "trustDomain: a\n---\n".repeat(70);
    let mut mesh = EffectiveMesh::new();
    let report = mesh.apply("mesh.yaml", many.as_bytes());
    assert_eq!(report.errors().count(), 6);
    assert!(codes(&report).iter().all(|code| *code == "A-PAR-11"));
}

#[test]
fn layers_of_proxy_configuration_replace_whole_except_two() {
    // A-MRG-2
    let header = |id: Option<bool>, attempts: Option<bool>, cert| ProxyHeaders {
        request_id: id.map(|disabled| RequestId {
            disabled: Some(disabled),
        }),
        attempt_count: attempts.map(|disabled| AttemptCount {
            disabled: Some(disabled),
        }),
        forwarded_client_cert: cert,
        preserve_http1_header_case: id,
        ..ProxyHeaders::default()
    };
    let base = MeshProxyConfig {
        proxy_headers: Some(Box::new(header(
            Some(true),
            Some(true),
            ForwardClientCertDetails::Sanitize,
        ))),
        cluster_name: Some(ProxyClusterName::ServiceCluster("a".into())),
        extra_stat_tags: vec!["a".into()],
        ..MeshProxyConfig::built_in()
    };
    let layer = MeshProxyConfig {
        proxy_headers: Some(Box::new(header(
            None,
            Some(false),
            ForwardClientCertDetails::Undefined,
        ))),
        cluster_name: Some(ProxyClusterName::TracingServiceName(
            TracingServiceName::AppLabelAndNamespace,
        )),
        extra_stat_tags: vec!["b".into()],
        ..MeshProxyConfig::default()
    };
    let merged = base.clone().with_layer(&layer);
    let headers = merged.proxy_headers.as_ref().unwrap();
    assert_eq!(headers.request_id, Some(RequestId { disabled: Some(true) }));
    assert_eq!(
        headers.attempt_count,
        Some(AttemptCount {
            disabled: Some(false)
        })
    );
    assert_eq!(headers.forwarded_client_cert, ForwardClientCertDetails::Sanitize);
    assert_eq!(headers.preserve_http1_header_case, None, "not one of the five");
    assert_eq!(merged.cluster_name, layer.cluster_name);
    assert_eq!(merged.extra_stat_tags, ["b"]);
    assert_eq!(base.clone().with_layer(&MeshProxyConfig::default()), base);

    // what a text has is set, zero or not
    let (merged, report) = merge_proxy_config(
        "p.yaml",
        b"control_plane_auth_policy: NONE\nextraStatTags: []",
        &base,
    );
    assert!(report.is_ok());
    assert_eq!(merged.control_plane_auth_policy, AuthenticationPolicy::None);
    assert!(merged.extra_stat_tags.is_empty());
    let (merged, report) = merge_proxy_config("p.yaml", b"concurrency: many", &base);
    assert!(!report.is_ok() && merged == base);
}

fn objects(text: &str) -> ObjectSet {
    let decoded = crate::decode("objects.yaml", text.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    decoded.objects().clone()
}

fn proxy_config(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1beta1\nkind: ProxyConfig\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {spec}\n---\n"
    )
}

#[test]
fn layers_apply_from_the_built_in_to_the_selecting_object() {
    // A-MRG-5, A-MRG-7, A-MRG-8
    let mut mesh = mesh_of(&[
        "defaultConfig: {concurrency: 1, drainDuration: 45s, proxyMetadata: {A: mesh, B: mesh}}\n",
    ]);
    let mut text = proxy_config(
        "root",
        "istio-system",
        "{concurrency: 2, environmentVariables: {B: root, C: root}}",
    );
    text += &proxy_config(
        "ns",
        "shop",
        "{concurrency: 3, environmentVariables: {C: ns, D: ns}}",
    );
    text += &proxy_config(
        "one",
        "shop",
        "{selector: {matchLabels: {app: a}}, concurrency: 0, image: {imageType: debug}}",
    );
    let set = objects(&text);
    let pod = ObjectMeta::new("a-1", "shop")
        .with_label("app", "a")
        .with_annotation(PROXY_CONFIG_ANNOTATION, "{\"concurrency\": 4, \"proxyMetadata\": {\"D\": \"pod\"}, \"holdApplicationUntilProxyStarts\": true}");
    let effective = mesh.proxy_config(&set, &pod);
    let config = effective.config();
    assert_eq!(config.concurrency, Some(0), "0 is a value");
    assert_eq!(
        json!(config.proxy_metadata),
        json!({"A": "mesh", "B": "root", "C": "ns", "D": "pod"})
    );
    assert!(effective.report().is_empty());

    let layer = |effective: &EffectiveProxyConfig, field: &str| {
        effective.layer(&path(field)).map(ToString::to_string)
    };
    for (field, expected) in [
        ("configPath", "built in"),
        ("drainDuration", "mesh defaultConfig"),
        ("proxyMetadata.A", "mesh defaultConfig"),
        (
            "proxyMetadata.B",
            "ProxyConfig istio-system/root (root namespace)",
        ),
        ("proxyMetadata.C", "ProxyConfig shop/ns (namespace)"),
        ("proxyMetadata.D", "annotation proxy.istio.io/config"),
        ("concurrency", "ProxyConfig shop/one (selector)"),
        ("image.imageType", "ProxyConfig shop/one (selector)"),
        (
            "holdApplicationUntilProxyStarts",
            "annotation proxy.istio.io/config",
        ),
    ] {
        assert_eq!(layer(&effective, field).as_deref(), Some(expected), "{field}");
    }
    assert_eq!(layer(&effective, "meshId"), None);
    let location = |field: &str| {
        effective
            .location(&path(field), &mesh, &set)
            .map(|location| location.to_string())
    };
    assert_eq!(location("drainDuration").unwrap(), "mesh-0.yaml:1:48");
    assert_eq!(location("concurrency").unwrap(), "objects.yaml:14:56");
    assert_eq!(location("proxyMetadata.C").unwrap(), "objects.yaml:9:50");
    assert_eq!(location("configPath"), None);

    // without the selecting object the annotation is the highest layer; A-MRG-9: without objects it is over the mesh alone
    let other = ObjectMeta {
        labels: Labels::new(),
        ..pod.clone()
    };
    assert_eq!(mesh.proxy_config(&set, &other).config().concurrency, Some(4));
    assert_eq!(
        json!(mesh.proxy_config(&ObjectSet::new(), &pod).config().proxy_metadata),
        json!({"A": "mesh", "B": "mesh", "D": "pod"})
    );

    // in the root namespace its object counts once, and for others' namespaces it counts for the mesh
    let root = ObjectMeta::new("x", "istio-system");
    let effective = mesh.proxy_config(&set, &root);
    assert_eq!(
        layer(&effective, "concurrency").unwrap(),
        "ProxyConfig istio-system/root (root namespace)"
    );
    let report = mesh.apply("mesh-1.yaml", b"rootNamespace: shop");
    assert!(report.is_ok());
    let effective = mesh.proxy_config(&set, &other);
    assert_eq!(
        layer(&effective, "proxyMetadata.C").unwrap(),
        "ProxyConfig shop/ns (root namespace)"
    );
}

#[test]
fn the_oldest_object_counts_alone() {
    // A-MRG-6
    let at = |name: &str, time: &str, spec: &str| {
        proxy_config(name, "shop", spec).replace(
            "namespace: shop",
            &format!("namespace: shop, creationTimestamp: \"{time}\""),
        )
    };
    let mut text = at("a", "2024-01-02T00:00:00Z", "{concurrency: 1}");
    text += &at("b", "2024-01-01T00:00:00Z", "{environmentVariables: {B: b}}");
    text += &at("c", "2023-01-01T00:00:00Z", "{selector: {}, concurrency: 9}");
    let set = objects(&text);
    let effective = EffectiveMesh::new().proxy_config(&set, &ObjectMeta::new("p", "shop"));
    assert_eq!(effective.config().concurrency, None);
    assert_eq!(json!(effective.config().proxy_metadata), json!({"B": "b"}));
    let findings: Vec<String> = effective.report().iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(
        findings[0].contains("selects nothing") && findings[1].contains("ProxyConfig shop/b is older"),
        "{findings:?}"
    );
    // elsewhere nothing is said
    let elsewhere = EffectiveMesh::new().proxy_config(&set, &ObjectMeta::new("p", "bar"));
    assert!(elsewhere.report().is_empty());
    assert_eq!(*elsewhere.config(), MeshProxyConfig::built_in());
}

#[test]
fn an_annotation_that_cannot_be_read_is_passed_over() {
    // A-MRG-5
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: shop
  annotations:
    proxy.istio.io/config: |
      concurrency: 2
      drainDuration: soon
";
    let set = objects(text);
    let pod = set.pods().next().unwrap().meta.clone();
    let effective = EffectiveMesh::new().proxy_config(&set, &pod);
    assert_eq!(*effective.config(), MeshProxyConfig::built_in());
    let finding = effective.report().iter().next().unwrap();
    assert_eq!(
        (
            finding.location.as_ref().unwrap().line,
            effective.report().is_ok()
        ),
        (9, true)
    );
    assert!(
        finding
            .path
            .to_string()
            .ends_with("[\"proxy.istio.io/config\"].drainDuration"),
        "{}",
        finding.path
    );

    // what is no YAML at all is told once
    let set = objects(&text.replace("soon", "["));
    let pod = set.pods().next().unwrap().meta.clone();
    let effective = EffectiveMesh::new().proxy_config(&set, &pod);
    assert_eq!(effective.report().len(), 1, "{}", effective.report());

    let set = objects(&text.replace("soon", "5s"));
    let pod = set.pods().next().unwrap().meta.clone();
    let mesh = EffectiveMesh::new();
    let effective = mesh.proxy_config(&set, &pod);
    let place = effective.location(&path("drainDuration"), &mesh, &set).unwrap();
    assert_eq!(place.to_string(), "objects.yaml:9:22");
    // without a file there is no place
    let free = ObjectMeta::new("b", "shop").with_annotation(PROXY_CONFIG_ANNOTATION, "concurrency: 2");
    let effective = mesh.proxy_config(&set, &free);
    assert_eq!(effective.location(&path("concurrency"), &mesh, &set), None);
}

#[test]
fn headers_keep_the_layers_of_what_they_fall_back_to() {
    // A-MRG-2, A-MRG-8
    let mesh = mesh_of(&[
        "defaultConfig: {proxyHeaders: {server: {disabled: true}, xForwardedHost: {enabled: true}}, serviceCluster: a}\n",
    ]);
    let pod = ObjectMeta::new("p", "shop").with_annotation(
        PROXY_CONFIG_ANNOTATION,
        "proxyHeaders: {requestId: {disabled: true}}\ntracingServiceName: CANONICAL_NAME_ONLY\n",
    );
    let effective = mesh.proxy_config(&ObjectSet::new(), &pod);
    let names: Vec<String> = effective
        .layers()
        .filter(|(_, layer)| **layer != ProxyConfigLayer::BuiltIn)
        .map(|(path, layer)| format!("{path} {}", layer.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            "proxyHeaders annotation",
            "proxyHeaders.requestId annotation",
            "proxyHeaders.server meshDefault",
            "tracingServiceName annotation"
        ]
    );
}

#[test]
fn trust_domains_expand() {
    // A-MSH-2
    let domains = TrustDomains::new("a", ["b", "a", "c"]);
    assert_eq!(domains.iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(domains.own(), "a");
    for (principal, expected) in [
        ("b/ns/x/sa/y", &["a/ns/x/sa/y", "b/ns/x/sa/y", "c/ns/x/sa/y"][..]),
        (
            "cluster.local/ns/x/sa/y",
            &["a/ns/x/sa/y", "b/ns/x/sa/y", "c/ns/x/sa/y"],
        ),
        ("d/ns/x/sa/y", &["d/ns/x/sa/y"]),
        ("*/ns/x/sa/y", &["*/ns/x/sa/y"]),
        ("a/ns/x/sa", &["a/ns/x/sa"]),
        ("a/ns/x/sa/y/z", &["a/ns/x/sa/y/z"]),
        ("*", &["*"]),
    ] {
        assert_eq!(domains.expand_principal(principal), expected, "{principal}");
    }
    assert_eq!(domains.expand_domain("c"), ["a", "b", "c"]);
    assert_eq!(domains.expand_domain("cluster.local"), ["cluster.local"]);
    let wild = TrustDomains::new("td.example", ["old.example"]);
    assert_eq!(wild.expand_principal("*.example/ns/x/sa/y").len(), 2);
    assert_eq!(wild.expand_principal("td*/ns/x/sa/y").len(), 2);
    assert_eq!(wild.expand_principal("x*/ns/x/sa/y").len(), 1);
}

#[test]
fn exports_and_modes() {
    // A-MSH-6
    let everywhere = ["*".to_owned()];
    let resolve = |entries: &[&str], default: &[String]| {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        ExportTo::resolve(&entries, default, "shop")
    };
    assert_eq!(resolve(&[], &everywhere), ExportTo::All);
    assert_eq!(resolve(&[], &[]), ExportTo::All);
    assert_eq!(resolve(&["~"], &everywhere), ExportTo::None);
    let some = resolve(&[".", "bar"], &everywhere);
    assert!(some.includes("shop") && some.includes("bar") && !some.includes("baz"));
    assert!(resolve(&[], &[".".to_owned()]).includes("shop"));
    // A-MSH-4
    let mesh = MeshConfig::default();
    let sidecar = networking::Sidecar {
        outbound_traffic_policy: Some(networking::OutboundTrafficPolicy::default()),
        ..Default::default()
    };
    assert_eq!(mesh.outbound_mode(None), OutboundTrafficPolicyMode::AllowAny);
    assert_eq!(
        mesh.outbound_mode(Some(&networking::Sidecar::default())),
        OutboundTrafficPolicyMode::AllowAny
    );
    assert_eq!(
        mesh.outbound_mode(Some(&sidecar)),
        OutboundTrafficPolicyMode::RegistryOnly
    );
}

#[test]
fn providers_know_what_they_can() {
    // A-MSH-5
    let (mesh, report) = decode_mesh_config(
        "mesh.yaml",
        b"extensionProviders: [{name: check, envoyExtAuthzGrpc: {service: check.shop.svc, port: 9000}}]",
    );
    assert!(report.is_empty(), "{report}");
    let provider = mesh
        .provider_for("check", ProviderCapability::Authorization)
        .unwrap();
    assert_eq!(provider.service(), Some(("check.shop.svc", 9000)));
    let error = mesh
        .provider_for("check", ProviderCapability::Tracing)
        .unwrap_err();
    assert_eq!(error.kind(), Some(ProviderKind::EnvoyExtAuthzGrpc));
    assert_eq!(
        error.to_string(),
        "the extension provider `check` is of the kind envoyExtAuthzGrpc, which cannot do tracing"
    );
    assert!(
        mesh.provider_for("stackdriver", ProviderCapability::Tracing)
            .is_ok()
    );
}
