//! Simulated traffic: each call is a request to the router of the proxy, and every name in its result is compared.

use std::net::{IpAddr, SocketAddr};

use mesh_route::decide::{ClientHello, NotFound, RedirectTo};
use mesh_route::plan::{Action, ClientAuth, DownstreamTls, FilterChain, Split, Terminal};
use mesh_route::{Decision, Outcome, Request};
use serde_json::{Map, Value, json};

use super::scene::Scene;
use crate::corpus::answer::{Given, NoAnswer};
use crate::corpus::{Area, AreaReport, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case, report: &mut AreaReport) -> Verdict {
    let calls = case.expect()["calls"].as_array().map_or(&[][..], Vec::as_slice);
    if calls.is_empty() || case.expect().as_object().is_some_and(|expect| expect.len() != 1) {
        return Verdict::Unsupported("`expect` is not a list of calls alone".to_owned());
    }
    let scene = Scene::read(area, case);
    let (mut failures, mut reasons) = (Vec::new(), Vec::new());
    for call in calls {
        let answer = match &scene {
            Ok(scene) => compare(scene, call),
            Err(NoAnswer::Refused(why)) => Err(NoAnswer::Refused(why.clone())),
            Err(NoAnswer::Unsupported(why)) => Err(NoAnswer::Unsupported(why.clone())),
        };
        report.count_calls(&format!("simulation {}", class(call)), answer.is_ok());
        let name = call["name"].as_str().unwrap_or_default();
        match answer {
            Ok(()) => {}
            Err(NoAnswer::Refused(why)) => failures.push(format!("call `{name}`: {why}")),
            Err(NoAnswer::Unsupported(why)) => reasons.push(format!("call `{name}`: {why}")),
        }
    }
    if !failures.is_empty() {
        return Verdict::Failed(failures.join("; "));
    }
    reasons.dedup();
    match reasons.is_empty() {
        true => Verdict::Passed,
        false => Verdict::Unsupported(reasons.join("; ")),
    }
}

/// What a call speaks, and which way it goes.
fn class(call: &Value) -> String {
    let word = |key: &str, default| call["call"][key].as_str().unwrap_or(default).to_owned();
    let way = match call["call"]["callMode"].as_str() {
        Some("inbound") => "inbound",
        _ => "not-inbound",
    };
    format!("{}-{}-{way}", word("protocol", "tcp"), word("tls", "plaintext"))
}

/// Compares one call: the error, and every name that is given.
fn compare(scene: &Scene, case: &Value) -> Result<(), NoAnswer> {
    let call = Call::read(&case["call"])?;
    let request = call.request()?;
    let decision = scene.router.decide(&request);
    call.check_askable(&decision)?;
    let found = call.result(&decision)?;
    let wanted = case["result"].as_object().cloned().unwrap_or_default();
    let names = [
        "listener",
        "filterChain",
        "routeConfig",
        "virtualHost",
        "route",
        "cluster",
        "error",
    ];
    let strict = wanted.get("strict").and_then(Value::as_bool).unwrap_or_default();
    if let Some(key) = wanted
        .keys()
        .find(|key| !names.contains(&key.as_str()) && *key != "strict")
    {
        return Err(NoAnswer::Unsupported(format!(
            "the runner has no answer to `{key}`"
        )));
    }
    for name in names {
        let (wanted, found) = (&wanted.get(name), found.get(name).filter(|found| **found != ""));
        let asserted = wanted.is_some() || name == "error" || strict;
        if asserted && *wanted != found {
            let show = |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
            let why = format!("{name}: expected {}, found {}", show(*wanted), show(found));
            return Err(NoAnswer::Refused(why));
        }
    }
    Ok(())
}

/// Where the listener for inbound traffic listens.
const INBOUND_PORT: u16 = 15006;

/// A call as the corpus has it.
struct Call {
    port: u16,
    address: IpAddr,
    protocol: String,
    tls: String,
    host: Option<String>,
    path: String,
    server_name: Option<String>,
    alpn: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Call {
    fn read(call: &Value) -> Result<Self, NoAnswer> {
        let given = Given::new(call);
        let or = |key: &str, default: &str| -> Result<String, NoAnswer> {
            let text = given.text(key)?;
            Ok(if text.is_empty() { default } else { text }.to_owned())
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mode = given.text("callMode")?;
        // The inbound listener has a socket of its own.
        if mode == "inbound" || given.typed::<u16>("port")? == INBOUND_PORT {
            return Err(NoAnswer::Unsupported(
                "mesh-route compiles no inbound listeners yet".to_owned(),
            ));
        }
        let (protocol, tls) = (or("protocol", "tcp")?, or("tls", "plaintext")?);
        let host = some(given.text("hostHeader")?);
        let default_name = host.clone().filter(|_| tls == "tls");
        let server_name = some(given.text("sni")?).or(default_name);
        let alpn = match (given.text("alpn")?, tls.as_str(), protocol.as_str()) {
            ("", "mtls", "http") => vec!["istio-http/1.1"],
            ("", "mtls", "http2") => vec!["istio-h2"],
            ("", "mtls", _) => vec!["istio"],
            ("", "tls", "http") => vec!["http/1.1"],
            ("", "tls", "http2") => vec!["h2"],
            ("", _, _) => Vec::new(),
            (alpn, _, _) => vec![alpn],
        };
        let headers: Map<String, Value> = given.typed("headers")?;
        let call = Self {
            port: given.typed("port")?,
            address: given
                .typed::<Option<IpAddr>>("address")?
                .unwrap_or(IpAddr::from([1, 3, 3, 7])),
            path: or("path", "/")?,
            alpn: alpn.into_iter().map(str::to_owned).collect(),
            headers: headers.iter().flat_map(header_lines).collect(),
            protocol,
            tls,
            host,
            server_name,
        };
        given.value("customListenerValidations"); // not carried over, says the corpus
        match given.unread() {
            Some(key) => Err(NoAnswer::Unsupported(format!(
                "the runner does not understand `{key}` of a call"
            ))),
            None => Ok(call),
        }
    }

    fn request(&self) -> Result<Request, NoAnswer> {
        let authority = self.host.as_deref().unwrap_or("x");
        let request = Request::get(&format!("http://{authority}/"))
            .map_err(|error| NoAnswer::Unsupported(error.to_string()))?;
        let hello = (self.tls != "plaintext").then(|| ClientHello {
            server_name: self.server_name.clone(),
            alpn: self.alpn.clone(),
        });
        let mut request = request
            .with_target(&self.path)
            .with_destination(SocketAddr::new(self.address, self.port))
            .with_tls(hello);
        if self.protocol == "http2" {
            request = request.with_http2();
        }
        if self.host.is_none() {
            request = request.without_authority();
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value);
        }
        Ok(request)
    }

    /// A request is HTTP to the router. One that is not gets the same answer only where nobody looks for HTTP.
    fn check_askable(&self, decision: &Decision<'_>) -> Result<(), NoAnswer> {
        let looks = decision.listener.is_some_and(|listener| listener.inspect.http);
        if self.protocol == "tcp" && self.tls == "plaintext" && looks {
            return Err(NoAnswer::Unsupported(
                "the router takes plaintext for HTTP, and the listener tells them apart".to_owned(),
            ));
        }
        Ok(())
    }

    /// What came of the call, in the words of the corpus.
    fn result(&self, decision: &Decision<'_>) -> Result<Map<String, Value>, NoAnswer> {
        let mut found = Map::new();
        let mut put = |key: &str, name: Option<String>| {
            if let Some(name) = name {
                found.insert(key.to_owned(), json!(name));
            }
        };
        put(
            "listener",
            decision.listener.map(|listener| listener.name.to_string()),
        );
        put("filterChain", decision.chain.map(|chain| chain.name.to_string()));
        let error = self.error(decision)?;
        // Behind a refused connection nothing is looked at.
        if !matches!(error, Some("protocol-error" | "tls-error" | "mtls-error")) {
            put("routeConfig", decision.table.map(|table| table.name.to_string()));
            put(
                "virtualHost",
                decision.virtual_host.map(|host| host.name.to_string()),
            );
            put("route", decision.route.map(|route| route.name.to_string()));
            put("cluster", cluster(decision));
        }
        put("error", error.map(str::to_owned));
        Ok(found)
    }

    fn error(&self, decision: &Decision<'_>) -> Result<Option<&'static str>, NoAnswer> {
        if decision.listener.is_none() {
            return Ok(Some("no-listener"));
        }
        let Some(chain) = decision.chain else {
            return Ok(Some("no-filter-chain"));
        };
        let handshake = self.handshake(chain);
        if handshake.is_some() {
            return Ok(handshake);
        }
        match decision.outcome() {
            Outcome::NotFound(NotFound::VirtualHost) => Ok(Some("no-virtual-host")),
            Outcome::NotFound(NotFound::Route) => Ok(Some("no-route")),
            Outcome::Redirect(RedirectTo::Tls) => Ok(Some("tls-redirect")),
            Outcome::Rejected(_) | Outcome::Undecided(_) => {
                Err(NoAnswer::Refused(format!("decided {:?}", decision.outcome())))
            }
            _ => Ok(None),
        }
    }

    /// Whether client and chain understand each other.
    fn handshake(&self, chain: &FilterChain) -> Option<&'static str> {
        let is_http = matches!(chain.terminal, Terminal::Http(_));
        let requires_certificate = match &chain.tls {
            DownstreamTls::Plain => {
                let wrong = is_http && (self.tls != "plaintext" || self.protocol == "tcp");
                return wrong.then_some("protocol-error");
            }
            DownstreamTls::Mesh(_) => true,
            DownstreamTls::Server(server) => server.client == ClientAuth::Require,
        };
        match (self.tls.as_str(), requires_certificate) {
            ("plaintext", _) => Some("tls-error"),
            ("tls", true) | ("mtls", false) => Some("mtls-error"),
            _ => (is_http && self.protocol == "tcp").then_some("protocol-error"),
        }
    }
}

/// The cluster that takes the call. Whether anybody is there is not asked.
fn cluster(decision: &Decision<'_>) -> Option<String> {
    if let Some(target) = decision.target() {
        return Some(target.cluster_name().to_string());
    }
    let split = match (
        &decision.chain?.terminal,
        decision.route.map(|route| &route.action),
    ) {
        (_, Some(Action::Forward(forward))) => &forward.split,
        (Terminal::Tcp(proxy), None) => &proxy.split,
        _ => return None,
    };
    match split {
        Split::One(name) => Some(name.to_string()),
        Split::Weighted(destinations) => destinations.first().map(|first| first.cluster.to_string()),
        Split::ByHeader(_) => None,
    }
}

/// A header's lines: one text, or a list.
fn header_lines((name, value): (&String, &Value)) -> Vec<(String, String)> {
    let line = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), text)
    };
    match value {
        Value::Array(values) => values.iter().map(line).collect(),
        value => vec![line(value)],
    }
}
