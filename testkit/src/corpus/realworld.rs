//! Cases of other projects on the same APIs.

use std::collections::{BTreeMap, BTreeSet};

use mesh_api::names::{GatewayRef, Namespace};
use mesh_api::networking::{
    Gateway, HttpRoute, Port, Resolution, Server, ServiceEntry, ServicePort, VirtualService,
};
use mesh_api::{DecodeOptions, Object, ObjectMeta, ObjectSet, Profile};
use mesh_route::decide::Effects;
use mesh_route::plan::{At, Origin};
use mesh_route::{Decision, MeshSnapshot, Request, Router, Workload};
use serde_json::{Map, Value, json};

use super::answer::{Given, NoAnswer, compare, typed};
use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    match case.kind.as_str() {
        "icv-testcase" => verdict(test_case(area, case)),
        "router-check" => router_check(area, case),
        "strict-parse" => strict_parse(area, case),
        "agentgateway-translation" => {
            Verdict::Unsupported("Gateway API kinds are carried as opaque objects".to_owned())
        }
        other => Verdict::Unsupported(format!("the runner knows no cases of type `{other}`")),
    }
}

fn verdict(answer: Result<(), NoAnswer>) -> Verdict {
    match answer {
        Ok(()) => Verdict::Passed,
        Err(NoAnswer::Refused(why)) => Verdict::Failed(why),
        Err(NoAnswer::Unsupported(why)) => Verdict::Unsupported(why),
    }
}

/// A typed parser must refuse the file (`parse: false`) or accept it.
fn strict_parse(area: &Area, case: &Case) -> Verdict {
    let expect = case.expect();
    if let Some(key) = expect
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .find(|key| !["parse", "reason"].contains(&key.as_str()))
    {
        return Verdict::Unsupported(format!("the runner does not know the expectation `{key}`"));
    }
    let Some(wanted) = expect["parse"].as_bool() else {
        return Verdict::Unsupported("`parse` is no verdict".to_owned());
    };
    for input in &case.inputs {
        let bytes = match area.file(input) {
            Ok(bytes) => bytes,
            Err(error) => return Verdict::Failed(error.to_string()),
        };
        let decoded = mesh_api::decode(input, &bytes);
        if decoded.report().is_ok() != wanted {
            let found = decoded
                .report()
                .errors()
                .next()
                .map_or("no error".to_owned(), ToString::to_string);
            return Verdict::Failed(format!("parse: expected {wanted}, found {found}"));
        }
    }
    Verdict::Passed
}

/// Each request must be taken by a route that is as given (`wantMatch`), or by one that is not.
fn test_case(area: &Area, case: &Case) -> Result<(), NoAnswer> {
    let mut expect = case.expect().as_object().cloned().unwrap_or_default();
    let wanted = match expect.remove("wantMatch") {
        Some(Value::Bool(wanted)) => wanted,
        _ => return Err(NoAnswer::Unsupported("`wantMatch` is no verdict".to_owned())),
    };
    let fields = RouteFields::read(&expect)?;
    let mesh = LoneMesh::read(area, case)?;
    let calls = case.value["calls"].as_array().map_or(&[][..], Vec::as_slice);
    if calls.is_empty() {
        return Err(NoAnswer::Unsupported("there are no calls".to_owned()));
    }
    for (at, call) in calls.iter().enumerate() {
        let request = request(call)?;
        let differs = match mesh.taken(&request) {
            Some(route) => fields.difference(&route),
            None => Some("no route of a VirtualService takes the request".to_owned()),
        };
        match (wanted, differs) {
            (true, Some(why)) => return Err(NoAnswer::Refused(format!("calls[{at}]: {why}"))),
            (false, None) => {
                return Err(NoAnswer::Refused(format!("calls[{at}]: the route is as given")));
            }
            (true, None) | (false, Some(_)) => {}
        }
    }
    Ok(())
}

/// An expectation in the form of Envoy's route checker.
fn router_check(area: &Area, case: &Case) -> Verdict {
    let mesh = match LoneMesh::read(area, case) {
        Ok(mesh) => mesh,
        Err(error) => return verdict(Err(error)),
    };
    let given = &json!({ "request": case.value["request"] });
    compare(&case.expect()["validate"], given, |given| {
        let request = request(given.value("request"))?;
        Ok(mesh.with_decision(&request, |decision| {
            let mut effects = Effects::new();
            decision.effects(&request, &mut effects);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let cluster = decision.target().map(|target| target.cluster_name().to_string());
            json!({
                "cluster_name": cluster.unwrap_or_default(),
                "path_rewrite": text(effects.target()),
                "host_rewrite": text(effects.host()),
                "path_redirect": text(effects.location().unwrap_or_default()),
            })
        }))
    })
}

/// A request with the four fields of the corpus.
fn request(call: &Value) -> Result<Request, NoAnswer> {
    let given = Given::new(call);
    let method = match given.text("method")? {
        "" => "GET",
        method => method,
    };
    let authority = given.text("authority")?;
    let request = Request::new(method, &format!("http://{authority}/"))
        .map_err(|error| NoAnswer::Unsupported(error.to_string()))?;
    let headers: BTreeMap<String, String> = given.typed("headers")?;
    let request = request.with_target(given.text("path")?).with_destination(PORT);
    if let Some(key) = given.unread() {
        return Err(NoAnswer::Unsupported(format!(
            "the runner does not understand `{key}` of a request"
        )));
    }
    let add = |request: Request, (name, value): (&String, &String)| request.with_header(name, value);
    Ok(headers.iter().fold(request, add))
}

/// The port of all requests.
const PORT: u16 = 80;

/// VirtualServices alone: what has to be around them, so that requests arrive at them, is added.
struct LoneMesh {
    objects: ObjectSet,
    /// A sidecar, then a gateway for all Gateways that are named.
    routers: Vec<Router>,
}

impl LoneMesh {
    fn read(area: &Area, case: &Case) -> Result<Self, NoAnswer> {
        let options = DecodeOptions {
            profile: Profile::Istiod,
            ..DecodeOptions::default()
        };
        let mut objects = ObjectSet::new();
        for input in &case.inputs {
            let bytes = area
                .file(input)
                .map_err(|error| NoAnswer::Refused(error.to_string()))?;
            let decoded = mesh_api::decode_with(input, &bytes, &options);
            if let Some(error) = decoded.report().errors().next() {
                return Err(NoAnswer::Refused(error.to_string()));
            }
            objects.extend(decoded.objects());
        }
        let objects = objects.with_default_namespace(&Namespace::new("default"));
        let mut whole = objects.clone();
        whole.insert(listening_service());
        for gateway in named_gateways(&objects) {
            whole.insert(open_gateway(&gateway));
        }
        let snapshot = MeshSnapshot::build(&whole);
        let namespace = Namespace::new("default");
        let workloads = [Workload::new(namespace.clone()), Workload::gateway(namespace)];
        let routers = workloads.iter().map(|workload| snapshot.router_for(workload));
        Ok(Self {
            routers: routers.collect(),
            objects,
        })
    }

    /// The decision of the first proxy at which a VirtualService has a say.
    fn with_decision<R>(&self, request: &Request, read: impl FnOnce(&Decision<'_>) -> R) -> R {
        let decisions: Vec<_> = self.routers.iter().map(|router| router.decide(request)).collect();
        let spoken = decisions
            .iter()
            .find(|decision| self.entry(decision.origin()).is_some());
        read(spoken.unwrap_or(&decisions[0]))
    }

    /// The entry that takes a request, as written; for the entry of a delegate, with the root's `delegate`.
    fn taken(&self, request: &Request) -> Option<HttpRoute> {
        self.with_decision(request, |decision| {
            let mut route = self.entry(decision.origin())?;
            let parent = decision
                .route
                .and_then(|route| route.extras.as_ref()?.parent.as_ref());
            if let Some(root) = parent.and_then(|origin| self.entry(origin)) {
                route.delegate = root.delegate;
            }
            Some(route)
        })
    }

    fn entry(&self, origin: &Origin) -> Option<HttpRoute> {
        let key = origin.object.as_ref()?;
        let At::HttpRule { entry, .. } = origin.at else {
            return None;
        };
        let service = self.objects.get(key)?.as_object::<VirtualService>()?;
        service.spec.http.get(usize::from(entry)).cloned()
    }
}

/// A service on the port of all requests, so that a sidecar listens there.
fn listening_service() -> Object<ServiceEntry> {
    let port = ServicePort {
        number: u32::from(PORT),
        protocol: "HTTP".to_owned(),
        name: "http".to_owned(),
        ..ServicePort::default()
    };
    let spec = ServiceEntry {
        hosts: vec!["listening.invalid".to_owned()],
        ports: vec![port],
        resolution: Resolution::Static,
        ..ServiceEntry::default()
    };
    Object::new(ObjectMeta::new("listening", "default"), spec)
}

/// The Gateways that VirtualServices name.
fn named_gateways(objects: &ObjectSet) -> BTreeSet<String> {
    let mut gateways = BTreeSet::new();
    for service in objects.virtual_services() {
        let namespace = service.meta.namespace.as_str();
        let named = service.spec.gateways.iter().filter(|name| *name != "mesh");
        gateways.extend(named.map(|name| GatewayRef::resolve(name, namespace).to_string()));
    }
    gateways
}

/// A Gateway for every host, at every proxy.
fn open_gateway(reference: &str) -> Object<Gateway> {
    let (namespace, name) = reference.split_once('/').unwrap_or(("default", reference));
    let server = Server {
        port: Some(Port {
            number: u32::from(PORT),
            protocol: "HTTP".to_owned(),
            name: "http".to_owned(),
            ..Port::default()
        }),
        hosts: vec!["*/*".to_owned()],
        ..Server::default()
    };
    let spec = Gateway {
        servers: vec![server],
        ..Gateway::default()
    };
    Object::new(ObjectMeta::new(name, namespace), spec)
}

/// The fields of a route that are given, to be compared by meaning and not by text.
struct RouteFields {
    given: BTreeSet<String>,
    route: HttpRoute,
}

impl RouteFields {
    fn read(expect: &Map<String, Value>) -> Result<Self, NoAnswer> {
        let known = ["route", "redirect", "rewrite", "fault", "headers", "delegate"];
        let given: BTreeSet<String> = expect.keys().cloned().collect();
        if let Some(key) = given.iter().find(|key| !known.contains(&key.as_str())) {
            return Err(NoAnswer::Unsupported(format!(
                "the runner does not know the expectation `{key}`"
            )));
        }
        let route = typed("expect", &Value::Object(expect.clone()))?;
        match given.is_empty() {
            true => Err(NoAnswer::Unsupported("`expect` asserts nothing".to_owned())),
            false => Ok(Self { given, route }),
        }
    }

    /// The first given field in which a route differs.
    fn difference(&self, found: &HttpRoute) -> Option<String> {
        let wanted = &self.route;
        let differs = |key: &str| match key {
            "route" => wanted.route != found.route,
            "redirect" => wanted.redirect != found.redirect,
            "rewrite" => wanted.rewrite != found.rewrite,
            "fault" => wanted.fault != found.fault,
            "headers" => wanted.headers != found.headers,
            _ => wanted.delegate != found.delegate,
        };
        let key = self.given.iter().find(|key| differs(key))?;
        let show = |route: &HttpRoute| json!(route)[key].to_string();
        Some(format!("{key}: expected {}, found {}", show(wanted), show(found)))
    }
}
