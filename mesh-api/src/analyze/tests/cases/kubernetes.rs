use super::*;

pub(super) fn cases() -> Vec<Case> {
    [
        namespaces_and_pods(),
        annotations(),
        policies(),
        webhooks(),
        definitions(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn namespace(labels: &str) -> String {
    object("Namespace shop", &format!("labels: {labels}"), "")
}

fn namespaces_and_pods() -> Vec<Case> {
    let bare = |meta: &str| {
        object(
            "Pod shop/p",
            meta,
            "spec: {containers: [{name: app, image: app}]}",
        )
    };
    let user = |user: u32| {
        let context = format!("securityContext: {{runAsUser: {user}}}");
        object(
            "Pod shop/p",
            "",
            &format!("spec: {{{context}, containers: [{{name: app, {context}}}]}}"),
        )
    };
    let values = |values: &str| {
        object(
            "ConfigMap istio-system/istio-sidecar-injector",
            "",
            &format!("data: {{values: '{values}'}}"),
        )
    };
    let by_default = |on: bool| {
        values(&format!(
            "{{\"sidecarInjectorWebhook\":{{\"enableNamespacesByDefault\":{on}}}}}"
        ))
    };
    let image = values("{\"global\":{\"hub\":\"hub\",\"tag\":\"1\",\"proxy\":{\"image\":\"proxyv2\"}}}");
    let running = |image: &str| {
        object(
            "Pod shop/p",
            "",
            &format!("spec: {{containers: [{{name: istio-proxy, image: 'hub/{image}'}}]}}"),
        )
    };
    let auto = "spec: {containers: [{name: istio-proxy, image: auto}]}";
    let deployment = |labels: &str| {
        let template = format!("{{metadata: {{labels: {labels}}}, {auto}}}");
        object(
            "Deployment shop/d",
            "",
            &format!("spec: {{template: {template}}}"),
        )
    };
    let injector = || {
        let hook = "{name: a.istio.io, objectSelector: {matchLabels: {inject: yes-please}}}";
        object(
            "MutatingWebhookConfiguration i",
            "",
            &format!("webhooks: [{hook}]"),
        )
    };
    let enabled = "{istio-injection: enabled}";
    let distroless: fn(&mut AnalyzeOptions) = |options| {
        let text = "{defaultConfig: {image: {imageType: distroless}}}";
        options.mesh = crate::decode_value("mesh.yaml", text.as_bytes()).0;
    };
    let (at_namespace, at_pod) = ("Namespace shop metadata.name", "Pod shop/p metadata.name");
    vec![
        case(
            "IST0102",
            &[at_namespace],
            [namespace("{a: b}")],
            [namespace(enabled)],
        ),
        case(
            "IST0102",
            &[at_namespace],
            [namespace("{istio-injection: ''}")],
            [namespace("{istio-injection: '', istio.io/rev: a}")],
        ),
        case(
            "IST0103",
            &[at_pod],
            [namespace(enabled), bare("")],
            [
                namespace(enabled),
                bare("labels: {sidecar.istio.io/inject: 'false'}"),
                pod("shop/q", "{}"),
            ],
        ),
        case(
            "IST0123",
            &[at_namespace],
            [namespace("{istio-injection: enabled, istio.io/rev: canary}")],
            [namespace("{istio.io/rev: canary}")],
        ),
        case(
            "IST0144",
            &["Pod shop/p spec.securityContext.runAsUser"],
            [user(1337)],
            [user(1338)],
        ),
        case(
            "IST0146",
            &["Deployment shop/d spec.template.spec.containers[0].image"],
            [deployment("{a: b}"), injector(), namespace(enabled)],
            [deployment("{inject: yes-please}"), injector(), namespace(enabled)],
        ),
        case(
            "IST0147",
            &["Pod shop/p spec.containers[0].image"],
            [object("Pod shop/p", "", auto)],
            [pod("shop/p", "{}")],
        ),
        case(
            "IST0148",
            &[at_namespace],
            [namespace("{a: b}"), by_default(true)],
            [namespace("{a: b}"), by_default(false)],
        ),
        case(
            "IST0158",
            &[at_namespace],
            [namespace(enabled), image.clone(), running("proxyv2:2")],
            [namespace(enabled), image.clone(), running("proxyv2:1")],
        ),
        case(
            "IST0158",
            &[at_namespace],
            [namespace(enabled), image.clone(), running("proxyv2:1-debug")],
            [namespace(enabled), image, running("proxyv2:1-distroless")],
        )
        .with(distroless),
    ]
}

fn annotations() -> Vec<Case> {
    let pod = |annotation: &str| object("Pod shop/p", &format!("annotations: {{{annotation}}}"), "");
    let service = |annotation: &str| object("Service shop/s", &format!("annotations: {{{annotation}}}"), "");
    let at = |key: &str| format!("Pod shop/p metadata.annotations[\"{key}\"]");
    let on_service = "Service shop/s metadata.annotations[\"sidecar.istio.io/proxyImage\"]";
    let mut cases = vec![
        case(
            "IST0107",
            &[on_service],
            [service("sidecar.istio.io/proxyImage: x")],
            [pod("sidecar.istio.io/proxyImage: x")],
        ),
        case(
            "IST0108",
            &[&at("sidecar.istio.io/proxyImag")],
            [pod("sidecar.istio.io/proxyImag: x")],
            [pod("example.com/proxyImag: x")],
        ),
        case(
            "IST0135",
            &[&at("sidecar.istio.io/statsCompression")],
            [pod("sidecar.istio.io/statsCompression: 'true'")],
            [pod("sidecar.istio.io/proxyCPU: 100m")],
        ),
        // whoever has the label as well is left alone
        case(
            "IST0135",
            &[&at("sidecar.istio.io/inject")],
            [pod("sidecar.istio.io/inject: 'true'")],
            [object(
                "Pod shop/p",
                "labels: {sidecar.istio.io/inject: 'true'}, annotations: {sidecar.istio.io/inject: 'true'}",
                "",
            )],
        ),
        case(
            "IST0136",
            &[&at("sidecar.istio.io/proxyImage")],
            [pod("sidecar.istio.io/proxyImage: x")],
            [pod("proxy.istio.io/config: '{}'")],
        ),
    ];
    for (key, wrong, right) in [
        (
            "istio.io/reroute-virtual-interfaces",
            "a-name-that-is-too-long",
            "net0,net1",
        ),
        ("prometheus.istio.io/merge-metrics", "on", "true"),
        ("proxy.istio.io/config", "[", "concurrency: 2"),
        (
            "proxy.istio.io/config",
            "drainDuration: 1.5s",
            "drainDuration: 2s",
        ),
        ("readiness.status.sidecar.istio.io/periodSeconds", "1s", "1"),
        ("sidecar.istio.io/interceptionMode", "redirect", "TPROXY"),
        ("sidecar.istio.io/proxyCPU", "100 m", "100m"),
        ("status.sidecar.istio.io/port", "65536", "15020"),
        ("traffic.sidecar.istio.io/excludeInboundPorts", "*", "80,81"),
        ("traffic.sidecar.istio.io/includeInboundPorts", "x", "*"),
        (
            "traffic.sidecar.istio.io/includeOutboundIPRanges",
            "10.0.0.0",
            "10.0.0.0/8,1.0.0.0/8",
        ),
        (
            "traffic.sidecar.istio.io/excludeOutboundIPRanges",
            "10.0.0.0/8, 1.0.0.0/8",
            "10.0.0.0/8,fd00::/8",
        ),
        (
            "traffic.sidecar.istio.io/excludeOutboundPorts",
            "80,,81",
            "80, 81",
        ),
    ] {
        let annotated = |value: &str| [pod(&format!("{key}: '{value}'"))];
        cases.push(case("IST0125", &[&at(key)], annotated(wrong), annotated(right)));
    }
    cases
}

fn policies() -> Vec<Case> {
    let policy = |spec: &str| o("AuthorizationPolicy shop/a", &format!("{{{spec}}}"));
    let selector = "selector: {matchLabels: {app: a}}";
    let from = |name: &str| {
        policy(&format!(
            "rules: [{{from: [{{source: {{namespaces: [{name}]}}}}]}}]"
        ))
    };
    let labels = "AuthorizationPolicy shop/a spec.selector.matchLabels.app";
    let gateway = || pod("shop/p", "{app: a, gateway.networking.k8s.io/gateway-name: gw}");
    let istiod = |env: &str| {
        let container = format!("{{name: discovery, env: [{env}]}}");
        let spec = format!("spec: {{template: {{spec: {{containers: [{container}]}}}}}}");
        object("Deployment istio-system/istiod", "labels: {app: istiod}", &spec)
    };
    let authn = || o("RequestAuthentication shop/a", "{}");
    vec![
        case(
            "IST0101",
            &["AuthorizationPolicy shop/a spec.rules[0].from[0].source.namespaces[0]"],
            [from("missing"), namespace("{a: b}")],
            [from("sh*"), namespace("{a: b}")],
        ),
        case(
            "IST0127",
            &[labels],
            [policy(selector), pod("shop/p", "{app: b}")],
            [policy(selector), pod("shop/p", "{app: a}")],
        ),
        case(
            "IST0166",
            &[labels],
            [policy(selector), gateway()],
            [policy(selector), pod("shop/p", "{app: a}")],
        ),
        case(
            "IST0175",
            &["Deployment istio-system/istiod metadata.name"],
            [authn(), istiod("")],
            [
                authn(),
                istiod("{name: BLOCKED_CIDRS_IN_JWKS_URIS, value: 10.0.0.0/8}"),
            ],
        ),
    ]
}

fn webhooks() -> Vec<Case> {
    let injector = |name: &str, client: &str, selector: &str| {
        let hook =
            format!("{{name: {name}.istio.io, clientConfig: {client}, namespaceSelector: {selector}}}");
        object(
            &format!("MutatingWebhookConfiguration istio-sidecar-injector-{name}"),
            "",
            &format!("webhooks: [{hook}]"),
        )
    };
    let istiod = "{service: {name: istiod, namespace: istio-system}}";
    let service = || o("Service istio-system/istiod", "{}");
    let revision = |revision: &str| format!("{{matchLabels: {{istio.io/rev: {revision}}}}}");
    let disabled = "{matchExpressions: [{key: istio.io/rev, operator: DoesNotExist}]}";
    let url = |url: &str| injector("a", &format!("{{url: '{url}'}}"), "{}");
    let at = |name: &str, field: &str| {
        format!("MutatingWebhookConfiguration istio-sidecar-injector-{name} {field}")
    };
    let address = at("a", "webhooks[0].clientConfig.url");
    vec![
        case(
            "IST0139",
            &[&at("a", "webhooks[0].clientConfig.service.name")],
            [
                injector("a", "{service: {name: gone, namespace: istio-system}}", "{}"),
                service(),
            ],
            [injector("a", istiod, "{}"), service()],
        ),
        case(
            "IST0139",
            &[&at("a", "metadata.name"), &at("b", "metadata.name")],
            [injector("a", istiod, &revision("x")), injector("b", istiod, "{}")],
            [
                injector("a", istiod, &revision("x")),
                injector("b", istiod, &revision("z")),
                injector("c", istiod, disabled),
                injector("d", istiod, "{matchLabels: {istio.io/deactivated: never-match}}"),
            ],
        ),
        case(
            "IST0163",
            &[&address],
            [url("")],
            [url("https://istiod.example.com:15017/inject")],
        ),
        case(
            "IST0163",
            &[&address],
            [injector("a", "{}", "{}")],
            [injector("a", istiod, "{}")],
        ),
        case(
            "IST0163",
            &[&address],
            [url("https://a:b/")],
            [url("https://a@b:1/")],
        ),
        case(
            "IST0164",
            &[&address],
            [url("https://[::1]:15017/inject")],
            [url("https://istiod:15017/inject")],
        ),
    ]
}

fn definitions() -> Vec<Case> {
    let definition = |name: &str, version: &str| {
        let annotation = format!("annotations: {{gateway.networking.k8s.io/bundle-version: {version}}}");
        object(&format!("CustomResourceDefinition {name}"), &annotation, "")
    };
    let grpc = "grpcroutes.gateway.networking.k8s.io";
    let at = format!(
        "CustomResourceDefinition {grpc} metadata.annotations[\"gateway.networking.k8s.io/bundle-version\"]"
    );
    let removed = "serviceroles.rbac.istio.io";
    vec![
        case(
            "IST0002",
            &[&format!("CustomResourceDefinition {removed} metadata.name")],
            [definition(removed, "v1")],
            [definition("gateways.networking.istio.io", "v1")],
        ),
        case(
            "IST0176",
            &[&at],
            [definition(grpc, "v1.0.9")],
            [definition(grpc, "v1.1.0-rc1")],
        ),
        case(
            "IST0176",
            &[&at],
            [definition(grpc, "v0.9.0")],
            [definition(grpc, "unknown")],
        ),
    ]
}
