use super::*;

pub(super) fn cases() -> Vec<Case> {
    [service_entries(), resolutions(), workload_entries()]
        .into_iter()
        .flatten()
        .collect()
}

/// A valid service entry, changed.
fn entry(patch: Value) -> Value {
    let ports = json!([{"number": 80, "name": "http", "protocol": "HTTP"}]);
    patched(
        json!({"hosts": ["a.com"], "ports": ports, "resolution": "STATIC"}),
        patch,
    )
}

/// The same with its one port changed.
fn port(patch: Value) -> Value {
    entry(json!({"ports": [patched(json!({"number": 80, "name": "http", "protocol": "HTTP"}), patch)]}))
}

fn entry_case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &Kind::ServiceEntry, pass, fail, path)
}

fn service_entries() -> Vec<Case> {
    let case = entry_case;
    let selector = |labels: Value| json!({"workloadSelector": {"labels": labels}});
    let two = |number: u32, name: &str| {
        entry(json!({"ports": [
            {"number": 80, "name": "http", "protocol": "HTTP"},
            {"number": number, "name": name, "protocol": "HTTP"},
        ]}))
    };
    vec![
        case(
            "A-SE-1",
            entry(selector(json!({"a": "b"}))),
            entry(selector(json!({"a": "*"}))),
            "spec.workloadSelector.labels.a",
        ),
        case(
            "A-SE-2",
            entry(selector(json!({"a": "b"}))),
            entry(selector(json!({}))),
            "spec.workloadSelector.labels",
        ),
        case(
            "A-SE-3",
            entry(selector(json!({"a": "b"}))),
            patched(
                entry(selector(json!({"a": "b"}))),
                json!({"endpoints": [{"address": "1.1.1.1"}]}),
            ),
            "spec.workloadSelector",
        ),
        case(
            "A-SE-4",
            entry(json!({})),
            entry(json!({"hosts": []})),
            "spec.hosts",
        ),
        case(
            "A-SE-5",
            entry(json!({"hosts": ["*.a.com"]})),
            entry(json!({"hosts": ["*"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-6",
            entry(json!({"hosts": ["a"]})),
            entry(json!({"hosts": ["a_b"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-7",
            entry(json!({"hosts": ["*.a.com"]})),
            entry(json!({"hosts": ["*a.com"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-8",
            entry(json!({"addresses": ["10.0.0.1", "10.0.0.1/8"]})),
            entry(json!({"addresses": ["10.0.0"]})),
            "spec.addresses[0]",
        ),
        case(
            "A-SE-9",
            entry(json!({"addresses": ["10.0.0.0/8"]})),
            entry(json!({"resolution": "DNS", "addresses": ["10.0.0.1", "10.0.0.0/8"]})),
            "spec.addresses[1]",
        ),
        case("A-SE-11", two(81, "other"), two(81, "http"), "spec.ports[1].name"),
        case(
            "A-SE-12",
            two(81, "other"),
            two(80, "other"),
            "spec.ports[1].number",
        ),
        case(
            "A-SE-13",
            port(json!({"targetPort": 8080})),
            port(json!({"targetPort": 65536})),
            "spec.ports[0].targetPort",
        ),
        case(
            "A-SE-14",
            port(json!({"protocol": "TCP"})),
            patched(port(json!({"protocol": "TCP"})), json!({"resolution": null})),
            "spec.ports[0]",
        ),
        case(
            "A-SE-15",
            port(json!({"name": "http"})),
            port(json!({"name": "ht_tp"})),
            "spec.ports[0].name",
        ),
        case(
            "A-SE-16",
            port(json!({"protocol": ""})),
            port(json!({"protocol": "SMTP"})),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-17",
            port(json!({"number": 1})),
            port(json!({"number": 0})),
            "spec.ports[0].number",
        ),
        case(
            "A-SE-34",
            entry(json!({})),
            entry(json!({"resolution": 9})),
            "spec.resolution",
        ),
        case(
            "A-SE-35",
            entry(json!({"hosts": ["a.com", "b.com"]})),
            patched(
                port(json!({"protocol": "TCP"})),
                json!({"hosts": ["a.com", "b.com"], "addresses": ["1.1.1.1"]}),
            ),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-36",
            entry(json!({"exportTo": ["~"]})),
            entry(json!({"exportTo": ["~", "*"]})),
            "spec.exportTo",
        ),
    ]
}

fn resolutions() -> Vec<Case> {
    let case = entry_case;
    let none = |patch: Value| entry(patched(json!({"resolution": null}), patch));
    let dns = |patch: Value| entry(patched(json!({"resolution": "DNS"}), patch));
    let endpoint = |endpoint: Value| dns(json!({"endpoints": [endpoint]}));
    let dynamic = |patch: Value| {
        entry(patched(
            json!({"resolution": "DYNAMIC_DNS", "hosts": ["*.a.com"]}),
            patch,
        ))
    };
    let tcp = json!([{"number": 80, "name": "tcp", "protocol": "TCP"}]);
    let internal = |waypoint: &'static str| {
        let mut object = Object::new(Kind::ServiceEntry, dynamic(json!({"location": "MESH_INTERNAL"})));
        object.meta = object.meta.with_label("istio.io/use-waypoint", waypoint);
        object
    };
    vec![
        case(
            "A-SE-18",
            none(json!({})),
            none(json!({"endpoints": [{"address": "1.1.1.1"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-19",
            entry(json!({"workloadSelector": {"labels": {"a": "b"}}})),
            none(json!({"workloadSelector": {"labels": {"a": "b"}}})),
            "spec.workloadSelector",
        ),
        case(
            "A-SE-21",
            dns(json!({})),
            dns(json!({"hosts": ["*.a.com"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-22",
            dns(json!({"endpoints": [{"address": "a"}, {"address": "b"}]})),
            dns(json!({"resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "a"}, {"address": "b"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-23",
            endpoint(json!({"address": "b.com"})),
            endpoint(json!({"address": "unix:///x"})),
            "spec.endpoints[0].address",
        ),
        case(
            "A-SE-24",
            endpoint(json!({"address": "b", "labels": {"a": "b"}})),
            endpoint(json!({"address": "b", "labels": {"a": "b c"}})),
            "spec.endpoints[0].labels.a",
        ),
        case(
            "A-SE-25",
            endpoint(json!({"address": "b", "ports": {"http": 80}})),
            endpoint(json!({"address": "b", "ports": {"other": 80}})),
            "spec.endpoints[0].ports.other",
        ),
        case(
            "A-SE-26",
            endpoint(json!({"address": "b", "ports": {"http": 80}})),
            endpoint(json!({"address": "b", "ports": {"http": 0}})),
            "spec.endpoints[0].ports.http",
        ),
        case(
            "A-SE-27",
            dns(json!({"ports": tcp.clone(), "addresses": ["1.1.1.1"]})),
            dns(json!({"ports": tcp.clone(), "addresses": ["1.1.1.1"], "hosts": ["a.com", "b.com"]})),
            "spec.hosts",
        ),
        case(
            "A-SE-28",
            dynamic(json!({})),
            dynamic(json!({"hosts": ["*.a.com", "a.com"]})),
            "spec.hosts[1]",
        ),
        case(
            "A-SE-29",
            dynamic(json!({})),
            dynamic(json!({"addresses": ["1.1.1.1"]})),
            "spec.addresses",
        ),
        case(
            "A-SE-30",
            dynamic(json!({})),
            dynamic(json!({"endpoints": [{"address": "a"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-31",
            dynamic(json!({})),
            dynamic(json!({ "ports": tcp })),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-32",
            dynamic(json!({"location": 1})),
            dynamic(json!({"location": 2})),
            "spec.location",
        ),
        Case {
            id: "A-SE-33",
            pass: internal("none"),
            fail: internal("waypoint"),
            path: "metadata.labels[\"istio.io/use-waypoint\"]",
        },
    ]
}

fn workload_entries() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::WorkloadEntry, pass, fail, path);
    let workload = |patch: Value| patched(json!({"address": "1.1.1.1"}), patch);
    let endpoint = |endpoint: Value| entry(json!({"endpoints": [endpoint]}));
    vec![
        case("A-WE-1", workload(json!({})), json!({}), "spec.address"),
        case(
            "A-WE-2",
            workload(json!({"network": "n"})),
            json!({"network": "n"}),
            "spec.address",
        ),
        case(
            "A-WE-3",
            workload(json!({"address": "unix:///a"})),
            workload(json!({"address": "unix://"})),
            "spec.address",
        ),
        case(
            "A-WE-4",
            workload(json!({"ports": {"http": 80}})),
            workload(json!({"address": "unix:///a", "ports": {"http": 80}})),
            "spec.ports",
        ),
        case(
            "A-WE-5",
            workload(json!({"address": "a.com"})),
            workload(json!({"address": "a_b"})),
            "spec.address",
        ),
        entry_case(
            "A-WE-6",
            endpoint(workload(json!({"ports": {"http": 80}}))),
            endpoint(workload(json!({"ports": {"other": 80}}))),
            "spec.endpoints[0].ports.other",
        ),
        case(
            "A-WE-7",
            workload(json!({"ports": {"a": 1}})),
            workload(json!({"ports": {"a.b": 1}})),
            "spec.ports[\"a.b\"]",
        ),
        case(
            "A-WE-8",
            workload(json!({"ports": {"a": 1}})),
            workload(json!({"ports": {"a": 70000}})),
            "spec.ports.a",
        ),
        case(
            "A-WE-9",
            workload(json!({"labels": {"a": "b"}})),
            workload(json!({"labels": {"": "b"}})),
            "spec.labels[\"\"]",
        ),
        entry_case(
            "A-WE-10",
            endpoint(json!({"address": "unix:///a"})),
            patched(endpoint(json!({"address": "unix:///a"})), json!({"ports": []})),
            "spec.endpoints[0].address",
        ),
    ]
}
