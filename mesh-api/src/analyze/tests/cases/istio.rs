use super::*;

pub(super) fn cases() -> Vec<Case> {
    [
        virtual_services(),
        bound_to_gateways(),
        destination_rules(),
        entries(),
        filters(),
        sidecars(),
        telemetries(),
        schema(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn vs(name: &str, spec: &str) -> String {
    o(&format!("VirtualService {name}"), spec)
}

fn route(destination: &str) -> String {
    format!("http: [{{route: [{{destination: {{{destination}}}}}]}}]")
}

fn virtual_services() -> Vec<Case> {
    let to = |name: &str, destination: &str| vs(name, &format!("{{hosts: [x.com], {}}}", route(destination)));
    let service = || {
        o(
            "Service shop/reviews",
            "{ports: [{name: http, port: 80}, {name: http-b, port: 81}]}",
        )
    };
    let percent = |field: &str| {
        let fault = format!("fault: {{delay: {{{field}, fixedDelay: 1s}}}}");
        vs(
            "shop/a",
            &format!("{{hosts: [x.com], http: [{{{fault}, route: [{{destination: {{host: reviews}}}}]}}]}}"),
        )
    };
    let mesh = |name: &str, host: &str, export: &str| {
        vs(
            name,
            &format!(
                "{{hosts: ['{host}'], exportTo: [{export}], {}}}",
                route("host: reviews")
            ),
        )
    };
    let at = "VirtualService shop/a spec.http[0].route[0].destination.host";
    let both = [
        "VirtualService other/b spec.hosts",
        "VirtualService shop/a spec.hosts",
    ];
    let subset = |name: &str| {
        o(
            "DestinationRule shop/reviews",
            &format!("{{host: reviews, subsets: [{{name: {name}, labels: {{a: b}}}}]}}"),
        )
    };
    let full = "reviews.shop.svc.cluster.local";
    vec![
        case(
            "IST0002",
            &["VirtualService shop/a spec.http[0].fault.delay.percent"],
            [percent("percent: 5")],
            [percent("percentage: {value: 5}")],
        ),
        case(
            "IST0101",
            &[at],
            [to("shop/a", "host: ratings"), service()],
            [
                to("shop/a", "host: reviews, port: {number: 80}"),
                to("other/b", &format!("host: {full}, port: {{number: 81}}")),
                service(),
            ],
        ),
        // no service is supplied: then nothing can be said of hosts of services
        case(
            "IST0101",
            &[],
            [to("shop/a", "host: ratings")],
            [to("shop/a", "host: ratings.example.com")],
        ),
        case(
            "IST0101",
            &[at],
            [to("shop/a", "host: reviews, port: {number: 90}"), service()],
            [to("shop/a", "host: reviews, port: {number: 80}"), service()],
        ),
        case(
            "IST0101",
            &[at],
            [to("shop/a", "host: reviews, subset: v2"), subset("v1")],
            [to("shop/a", "host: reviews, subset: v2"), subset("v2")],
        ),
        case(
            "IST0109",
            &both,
            [mesh("shop/a", "reviews", "'*'"), mesh("other/b", full, "'*'")],
            [mesh("shop/a", "reviews", "."), mesh("other/b", full, ".")],
        ),
        case(
            "IST0109",
            &both,
            [
                mesh("shop/a", "*.example.com", "'*'"),
                mesh("other/b", "x.example.com", "."),
            ],
            [
                mesh("shop/a", "*.example.com", "'*'"),
                mesh("other/b", "x.example.com", "'*'"),
            ],
        ),
        case(
            "IST0112",
            &[at],
            [to("shop/a", "host: reviews"), service()],
            [to("shop/a", "host: reviews, port: {number: 80}"), service()],
        ),
    ]
}

fn bound_to_gateways() -> Vec<Case> {
    let gateway = |hosts: &str| {
        let server = format!("{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: [{hosts}]}}");
        o(
            "Gateway shop/gw",
            &format!("{{selector: {{istio: ingressgateway}}, servers: [{server}]}}"),
        )
    };
    let bound = |hosts: &str, gateway: &str| {
        vs(
            "shop/a",
            &format!(
                "{{hosts: [{hosts}], gateways: [{gateway}], {}}}",
                route("host: reviews")
            ),
        )
    };
    let chooser = |host: &str| {
        vs(
            "shop/b",
            &format!("{{hosts: [{host}], {}}}", route("host: reviews, subset: v1")),
        )
    };
    let claim = |key: &str| {
        let header = format!("match: [{{headers: {{'{key}': {{exact: dev}}}}}}]");
        let http = format!("http: [{{{header}, route: [{{destination: {{host: reviews}}}}]}}]");
        vs("shop/a", &format!("{{hosts: [x.com], gateways: [gw], {http}}}"))
    };
    let authn = |labels: &str| {
        o(
            "RequestAuthentication istio-system/a",
            &format!("{{selector: {{matchLabels: {labels}}}}}"),
        )
    };
    let at = "VirtualService shop/a spec.gateways[0]";
    let host = "VirtualService shop/a spec.http[0].route[0].destination.host";
    let header = "VirtualService shop/a spec.http[0].match[0].headers[\"@request.auth.claims.group\"]";
    let internal = "shop/gw~istio-autogenerated-k8s-gateway~http";
    vec![
        case(
            "IST0101",
            &[at],
            [bound("x.com", "missing")],
            [bound("x.com", "shop/gw"), gateway("'*'")],
        ),
        case(
            "IST0132",
            &[at],
            [bound("x.com", "gw"), gateway("other/x.com, '*.org'")],
            [bound("x.com, b.com", "gw"), gateway("'shop/*.com'")],
        ),
        case(
            "IST0140",
            &[host],
            [bound("x.com", "gw"), gateway("'*'"), chooser("reviews")],
            [bound("x.com", "gw"), gateway("'*'"), chooser("ratings")],
        ),
        case(
            "IST0149",
            &[header],
            [
                claim("@request.auth.claims.group"),
                gateway("'*'"),
                authn("{istio: egress}"),
            ],
            [
                claim("@request.auth.claims.group"),
                gateway("'*'"),
                authn("{istio: ingressgateway}"),
            ],
        ),
        // without a claim's name it is a header like others (A-X-19)
        case(
            "IST0149",
            &[&header.replace("claims.group", "claims[group]")],
            [
                claim("@request.auth.claims[group]"),
                gateway("'*'"),
                authn("{istio: egress}"),
            ],
            [
                claim("@request.auth.claims"),
                gateway("'*'"),
                authn("{istio: egress}"),
            ],
        ),
        case(
            "IST0165",
            &[at],
            [bound("x.com", internal)],
            [bound("x.com", "shop/gw")],
        ),
    ]
}

fn destination_rules() -> Vec<Case> {
    let rule = |policy: &str| {
        o(
            "DestinationRule shop/a",
            &format!("{{host: db.com, trafficPolicy: {{{policy}}}}}"),
        )
    };
    let port = |tls: &str| {
        rule(&format!(
            "portLevelSettings: [{{port: {{number: 80}}, tls: {tls}}}]"
        ))
    };
    let subset = |labels: &str| {
        o(
            "DestinationRule shop/a",
            &format!("{{host: reviews, subsets: [{{name: v1, labels: {labels}}}]}}"),
        )
    };
    let service = || {
        o(
            "Service shop/reviews",
            "{selector: {app: reviews}, ports: [{name: http, port: 80}]}",
        )
    };
    let node = || object("Node node-1", "labels: {topology.kubernetes.io/zone: a}", "");
    let placed = || object("Pod shop/p", "labels: {app: reviews}", "spec: {nodeName: node-1}");
    let host = |host: &str| o("DestinationRule shop/a", &format!("{{host: '{host}'}}"));
    let at = |field: &str| format!("DestinationRule shop/a spec.{field}");
    let zone = |zone: &str| subset(&format!("{{topology.kubernetes.io/zone: {zone}}}"));
    vec![
        case(
            "IST0128",
            &[&at("trafficPolicy.tls.mode")],
            [rule("tls: {mode: SIMPLE}")],
            [rule("tls: {mode: SIMPLE, caCertificates: /ca.pem}")],
        ),
        case(
            "IST0129",
            &[&at("trafficPolicy.portLevelSettings[0].tls.mode")],
            [port("{mode: MUTUAL, clientCertificate: /c, privateKey: /k}")],
            [port("{mode: ISTIO_MUTUAL}")],
        ),
        case(
            "IST0173",
            &[&at("subsets[0].name")],
            [
                subset("{version: v1}"),
                service(),
                pod("shop/p", "{app: reviews, version: v2}"),
            ],
            [
                subset("{version: v1}"),
                service(),
                pod("shop/p", "{app: reviews, version: v1}"),
            ],
        ),
        case(
            "IST0173",
            &[&at("subsets[0].name")],
            [zone("b"), service(), placed(), node()],
            [zone("a"), service(), placed(), node()],
        ),
        case(
            "IST0174",
            &[&at("host")],
            [host("ratings"), service()],
            [host("*.local"), service()],
        ),
    ]
}

fn entries() -> Vec<Case> {
    let entry = |name: &str, protocol: &str, more: &str| {
        let port = format!("ports: [{{number: 80, name: p, protocol: {protocol}}}]");
        o(
            &format!("ServiceEntry {name}"),
            &format!("{{hosts: [x.com], {port}, resolution: DNS{more}}}"),
        )
    };
    let status = |reason: &str, value: &str| {
        let condition =
            format!("{{type: istio.io/WaypointBound, status: '{value}', reason: {reason}, message: none}}");
        let body = format!("spec: {{hosts: [x.com]}}\nstatus: {{conditions: [{condition}]}}");
        object("ServiceEntry shop/a", "", &body)
    };
    let policy = |status: &str| {
        object(
            "AuthorizationPolicy shop/a",
            "",
            &format!("spec: {{action: DENY}}\nstatus: {{conditions: [{status}]}}"),
        )
    };
    let route = |value: &str| {
        let condition = format!("{{type: Accepted, status: '{value}', reason: a, message: b}}");
        let body = format!("status: {{parents: [{{conditions: [{condition}]}}]}}");
        object("HTTPRoute.gateway.networking.k8s.io shop/a", "", &body)
    };
    let partial = "{type: WaypointAccepted, status: 'True', reason: PartiallyInvalid, message: b}";
    let name = "ServiceEntry shop/a spec.ports[0].name";
    let protocols = [
        "ServiceEntry other/b spec.ports[0].protocol",
        "ServiceEntry shop/a spec.ports[0].protocol",
    ];
    vec![
        case(
            "IST0134",
            &[name],
            [entry("shop/a", "TCP", "")],
            [
                entry("shop/a", "TCP", ", addresses: [1.2.3.4]"),
                entry("shop/b", "HTTP", ""),
            ],
        ),
        case(
            "IST0134",
            &[name],
            [entry("shop/a", "''", "")],
            [entry("shop/a", "TLS", "")],
        ),
        case(
            "IST0177",
            &protocols,
            [
                entry("shop/a", "HTTP", ""),
                entry("other/b", "TLS", ", exportTo: [shop]"),
            ],
            [
                entry("shop/a", "HTTP", ", exportTo: ['.']"),
                entry("other/b", "TLS", ", exportTo: ['.']"),
            ],
        ),
        case(
            "IST0171",
            &["ServiceEntry shop/a status.conditions[0].type"],
            [status("NoWaypoint", "False")],
            [status("Fine", "True")],
        ),
        case(
            "IST0171",
            &["AuthorizationPolicy shop/a status.conditions[0].type"],
            [policy(partial)],
            [policy("{type: Ready, status: 'False', reason: a, message: b}")],
        ),
        case(
            "IST0171",
            &["HTTPRoute shop/a status.parents[0].conditions[0].type"],
            [route("False")],
            [route("True")],
        ),
    ]
}

fn filters() -> Vec<Case> {
    let patch = |apply_to: &str, operation: &str, proxy: &str| {
        let matches = format!("match: {{context: ANY{proxy}}}");
        let patch = format!("patch: {{operation: {operation}, value: {{name: filter}}}}");
        format!("{{applyTo: {apply_to}, {matches}, {patch}}}")
    };
    let filter = |priority: &str, patches: &[String]| {
        let body = format!("{{{priority}configPatches: [{}]}}", patches.join(", "));
        o("EnvoyFilter shop/a", &body)
    };
    let one =
        |priority: &str, apply_to: &str, operation: &str| filter(priority, &[patch(apply_to, operation, "")]);
    let version = ", proxy: {proxyVersion: '^1.*'}";
    let at = |nth: usize| format!("EnvoyFilter shop/a spec.configPatches[{nth}].patch.operation");
    let (first, second) = (at(0), at(1));
    vec![
        case(
            "IST0151",
            &[&first],
            [one("", "HTTP_FILTER", "INSERT_BEFORE")],
            [one("priority: 1, ", "HTTP_FILTER", "INSERT_BEFORE")],
        ),
        case(
            "IST0152",
            &[&first],
            [one("", "CLUSTER", "REPLACE")],
            [one("", "VIRTUAL_HOST", "REPLACE")],
        ),
        case(
            "IST0153",
            &[&first],
            [one("", "HTTP_ROUTE", "ADD")],
            [one("", "CLUSTER", "ADD")],
        ),
        case(
            "IST0154",
            &[&first],
            [one("", "ROUTE_CONFIGURATION", "REMOVE")],
            [one("", "CLUSTER", "REMOVE")],
        ),
        case(
            "IST0155",
            &[&second],
            [filter(
                "",
                &[
                    patch("HTTP_FILTER", "ADD", version),
                    patch("HTTP_FILTER", "INSERT_AFTER", ""),
                ],
            )],
            [filter(
                "",
                &[
                    patch("HTTP_FILTER", "INSERT_AFTER", version),
                    patch("HTTP_FILTER", "MERGE", ""),
                ],
            )],
        ),
    ]
}

fn sidecars() -> Vec<Case> {
    let sidecar = |name: &str, selector: &str| {
        o(
            &format!("Sidecar {name}"),
            &format!("{{{selector}egress: [{{hosts: ['./*']}}]}}"),
        )
    };
    let app = "workloadSelector: {labels: {app: a}}, ";
    let ambient = |label: &str| {
        object(
            "Namespace shop",
            &format!("labels: {{istio.io/dataplane-mode: {label}}}"),
            "",
        )
    };
    let redirected = || {
        object(
            "Pod shop/p",
            "labels: {app: a}, annotations: {ambient.istio.io/redirection: enabled}",
            "",
        )
    };
    let proxy = |proxy: &str| {
        o(
            "Sidecar shop/a",
            &format!("{{outboundTrafficPolicy: {{mode: ALLOW_ANY{proxy}}}}}"),
        )
    };
    let at = "Sidecar shop/a metadata.name";
    let both = [at, "Sidecar shop/b metadata.name"];
    vec![
        case(
            "IST0002",
            &["Sidecar shop/a spec.outboundTrafficPolicy.egressProxy"],
            [proxy(", egressProxy: {host: a.com, port: {number: 1}}")],
            [proxy("")],
        ),
        case(
            "IST0101",
            &["Sidecar shop/a spec.workloadSelector.labels.app"],
            [sidecar("shop/a", app), pod("other/p", "{app: a}")],
            [sidecar("shop/a", app), pod("shop/p", "{app: a}")],
        ),
        case(
            "IST0110",
            &both,
            [
                sidecar("shop/a", app),
                sidecar("shop/b", app),
                pod("shop/p", "{app: a}"),
            ],
            [
                sidecar("shop/a", app),
                sidecar("other/b", app),
                pod("shop/p", "{app: a}"),
            ],
        ),
        case(
            "IST0111",
            &both,
            [sidecar("shop/a", ""), sidecar("shop/b", "")],
            [sidecar("shop/a", ""), sidecar("shop/b", app)],
        ),
        case(
            "IST0167",
            &[at],
            [sidecar("shop/a", ""), ambient("ambient")],
            [sidecar("shop/a", ""), ambient("none")],
        ),
        case(
            "IST0167",
            &[at],
            [sidecar("shop/a", app), redirected()],
            [sidecar("shop/a", app), pod("shop/p", "{app: a}")],
        ),
    ]
}

fn telemetries() -> Vec<Case> {
    let telemetry = |name: &str, spec: &str| o(&format!("Telemetry {name}"), &format!("{{{spec}}}"));
    let selector = "selector: {matchLabels: {app: a}}";
    let lightstep: fn(&mut AnalyzeOptions) = |options| {
        let text = "{extensionProviders: [{name: old, lightstep: {service: s, port: 1}}, {name: new, zipkin: {service: s, port: 1}}]}";
        options.mesh = crate::decode_value("mesh.yaml", text.as_bytes()).0;
    };
    let traced = |name: &str| telemetry("shop/a", &format!("tracing: [{{providers: [{{name: {name}}}]}}]"));
    let logged = |log: &str| telemetry("shop/a", &format!("accessLogging: [{{{log}}}]"));
    let both = ["Telemetry shop/a metadata.name", "Telemetry shop/b metadata.name"];
    vec![
        case(
            "IST0002",
            &["Telemetry shop/a spec.tracing[0].providers[0].name"],
            [traced("old")],
            [traced("new")],
        )
        .with(lightstep),
        case(
            "IST0101",
            &["Telemetry shop/a spec.selector.matchLabels.app"],
            [telemetry("shop/a", selector), pod("other/p", "{app: a}")],
            [telemetry("shop/a", selector), pod("shop/p", "{app: a}")],
        ),
        case(
            "IST0157",
            &["Telemetry shop/a spec.accessLogging[0]"],
            [logged("disabled: false")],
            [logged("providers: [{name: envoy}]")],
        ),
        case(
            "IST0159",
            &both,
            [
                telemetry("shop/a", selector),
                telemetry("shop/b", selector),
                pod("shop/p", "{app: a}"),
            ],
            [
                telemetry("shop/a", selector),
                telemetry("other/b", selector),
                pod("shop/p", "{app: a}"),
            ],
        ),
        case(
            "IST0160",
            &both,
            [telemetry("shop/a", ""), telemetry("shop/b", "")],
            [
                telemetry("shop/a", ""),
                telemetry("shop/b", "targetRefs: [{kind: Service, name: s}]"),
                telemetry("other/b", ""),
            ],
        ),
    ]
}

fn schema() -> Vec<Case> {
    let routes = |http: &str| vs("shop/a", &format!("{{hosts: [x.com], http: [{http}]}}"));
    let to = "route: [{destination: {host: reviews}}]";
    let prefix = |prefix: &str| format!("{{match: [{{uri: {{prefix: {prefix}}}}}], {to}}}");
    let rule = |spec: &str| o("DestinationRule shop/a", spec);
    let at = |field: &str| format!("VirtualService shop/a spec.{field}");
    vec![
        case(
            "IST0106",
            &[&at("http[0]")],
            [routes("{name: nowhere}")],
            [routes(&format!("{{{to}}}"))],
        ),
        case(
            "IST0130",
            &[&at("http[1]")],
            [routes(&format!("{{{to}}}, {{{to}}}"))],
            [routes(&format!("{}, {{{to}}}", prefix("/a")))],
        ),
        case(
            "IST0131",
            &[&at("http[1].match[0]")],
            [routes(&format!("{}, {}", prefix("/a"), prefix("/a/b")))],
            [routes(&format!("{}, {}", prefix("/a/b"), prefix("/a")))],
        ),
        case(
            "IST0133",
            &["DestinationRule shop/a spec.trafficPolicy.outlierDetection.consecutiveErrors"],
            [rule(
                "{host: a.com, trafficPolicy: {outlierDetection: {consecutiveErrors: 1}}}",
            )],
            [rule(
                "{host: a.com, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 1}}}",
            )],
        ),
    ]
}
