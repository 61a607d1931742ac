//! The program, apart from the process: arguments and standard input in, text and an exit code out.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use mesh_api::report::{Diagnostic, Severity};
use mesh_api::validate::{ValidateOptions, validate_all};
use mesh_api::{FieldPath, Kind, ObjectKey, ObjectSet};
use mesh_route::{MeshSnapshot, Request, Router, Workload};
use serde_json::{Value, json};

use crate::answer::{Answer, Asked, Client, Stage};
use crate::args::{self, Args, USAGE};
use crate::places::Places;
use crate::stages::{Teller, short_key};
use crate::text::{self, Paint};
use crate::{clients, input};

/// What a process gives a program.
pub(crate) struct Process<'a> {
    pub(crate) stdin: &'a mut dyn Read,
    pub(crate) stdout: &'a mut dyn Write,
    pub(crate) stderr: &'a mut dyn Write,
    /// Whether standard output is a terminal that takes colour.
    pub(crate) colour: bool,
}

/// Everything was answered.
const ANSWERED: u8 = 0;
/// The input has findings of severity error.
const FINDINGS: u8 = 1;
/// The program was used wrongly.
const USAGE_ERROR: u8 = 2;

/// Runs the program and gives its exit code.
pub(crate) fn run(arguments: &[String], process: &mut Process<'_>) -> io::Result<u8> {
    match args::parse(arguments) {
        Ok(args) if args.help => {
            writeln!(process.stdout, "{USAGE}")?;
            Ok(ANSWERED)
        }
        Ok(args) => answer_all(&args, process),
        Err(error) => wrong_usage(process, &error),
    }
}

fn wrong_usage(process: &mut Process<'_>, error: &str) -> io::Result<u8> {
    writeln!(process.stderr, "error: {error}")?;
    Ok(USAGE_ERROR)
}

fn answer_all(args: &Args, process: &mut Process<'_>) -> io::Result<u8> {
    let decoded = match input::read(&args.files, process.stdin) {
        Ok(decoded) => decoded,
        Err(error) => return wrong_usage(process, &error),
    };
    let mesh = Mesh::new(decoded.objects(), decoded.report().diagnostics());
    for finding in &mesh.findings {
        write!(process.stderr, "{}", finding.render())?;
    }
    let answers = match questions(args).and_then(|questions| mesh.answers(&questions)) {
        Ok(answers) => answers,
        Err(error) => return wrong_usage(process, &error),
    };
    if args.json {
        writeln!(process.stdout, "{:#}", mesh.to_json(&answers, args.explain))?;
    } else {
        let out = tell(
            args,
            &mesh,
            &answers,
            Paint {
                enabled: process.colour,
            },
        );
        process.stdout.write_all(out.as_bytes())?;
    }
    let has_error = mesh
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    Ok(if has_error { FINDINGS } else { ANSWERED })
}

/// A request and who is meant to send it.
struct Question {
    asked: Asked,
    client: args::Client,
}

/// What the user asks; without a URL and files, what the bundled mesh is good for.
fn questions(args: &Args) -> Result<Vec<Question>, String> {
    let question = |url: &str, headers: &[(String, String)], client: args::Client| Question {
        asked: Asked {
            method: args.method.clone().unwrap_or_else(|| "GET".to_owned()),
            url: url.to_owned(),
            headers: headers.to_vec(),
            draw: args.draw,
        },
        client,
    };
    if let Some(url) = &args.url {
        return Ok(vec![question(url, &args.headers, args.client.clone())]);
    }
    let Args {
        files,
        client,
        method,
        headers,
        draw,
        explain: _,
        json: _,
        help: _,
        url: _,
    } = args;
    if method.is_some() || !headers.is_empty() || draw.is_some() || *client != args::Client::Inferred {
        return Err("there is no URL to ask for, e.g. http://reviews:9080/".to_owned());
    }
    if !files.is_empty() {
        return Ok(Vec::new());
    }
    let page = [("app".to_owned(), "productpage".to_owned())];
    let page = args::Client::Workload {
        namespace: "shop".to_owned(),
        labels: page.into(),
    };
    Ok(vec![
        question(
            "http://shop.example.com/reviews/7",
            &[("end-user".to_owned(), "jason".to_owned())],
            args::Client::Inferred,
        ),
        question("http://reviews:9080/reviews/7", &[], page),
        question("http://shop.example.com/admin", &[], args::Client::Inferred),
    ])
}

/// The output for people.
fn tell(args: &Args, mesh: &Mesh<'_>, answers: &[Answer], paint: Paint) -> String {
    let mut out = String::new();
    for (at, answer) in answers.iter().enumerate() {
        out += &match (args.explain, at == 0 || args.url.is_some()) {
            (true, _) => text::explanation(answer, paint),
            (false, true) => text::full(answer, paint),
            (false, false) => text::short(answer, paint),
        };
    }
    if args.url.is_none() && args.files.is_empty() {
        out += "Try --explain, --json, or your files: cargo run --example resolve -- *.yaml --from shop http://reviews:9080/\n";
    } else if args.url.is_none() {
        let (gateways, services) = clients::known_hosts(mesh.objects);
        out += &format!(
            "{} objects; give a URL to resolve, for one of these hosts\n",
            mesh.objects.len()
        );
        out += &text::list("  by gateways", gateways.iter());
        out += &text::list("  of services", services.iter());
    }
    out
}

/// What was read, and what was made of it.
struct Mesh<'a> {
    objects: &'a ObjectSet,
    snapshot: MeshSnapshot,
    places: Places,
    findings: Vec<Diagnostic>,
}

impl<'a> Mesh<'a> {
    /// Findings come from reading, from the rules of each kind, and from resolving names.
    fn new(objects: &'a ObjectSet, findings: &[Diagnostic]) -> Self {
        let snapshot = MeshSnapshot::build(objects);
        let places = Places::new(objects.clone());
        let mut findings = findings.to_vec();
        findings.extend(validate_all(objects, &ValidateOptions::default()));
        findings.extend(
            snapshot
                .findings()
                .iter()
                .map(|finding| places.diagnostic(finding)),
        );
        Self {
            objects,
            snapshot,
            places,
            findings,
        }
    }

    fn answers(&self, questions: &[Question]) -> Result<Vec<Answer>, String> {
        let mut answers = Vec::new();
        for Question { asked, client } in questions {
            let request = request(asked)?;
            let host = host_of(&request);
            for client in clients::clients_of(client, self.objects, &host, request.destination().port)? {
                answers.push(self.answer(asked, &request, client, &host)?);
            }
        }
        Ok(answers)
    }

    fn answer(&self, asked: &Asked, request: &Request, client: Client, host: &str) -> Result<Answer, String> {
        let router = self.router(&client)?;
        let explanation = router.explain(request);
        let teller = Teller {
            router: &router,
            request,
            decision: router.decide(request),
            explanation: &explanation,
            places: &self.places,
            drawn: asked.draw.is_some(),
        };
        let mut stages = vec![self.entrance(&client, host, request.destination().port)];
        stages.extend(teller.stages());
        let hints = [
            clients::namespace_hint(self.objects, &client),
            clients::host_hint(self.objects, &client, host),
            teller.hint(),
        ];
        let hints = hints.into_iter().flatten().collect();
        Ok(Answer {
            request: asked.clone(),
            stages,
            outcome: teller.outcome(),
            steps: teller.steps(),
            hints,
            client,
        })
    }

    /// What decides for the client: its sidecar, or the proxies that the Gateway's selector chooses.
    fn router(&self, client: &Client) -> Result<Router, String> {
        let named = |namespace: &str| {
            namespace
                .parse()
                .map_err(|error| format!("`{namespace}`: {error}"))
        };
        let workload = match client {
            Client::Workload { namespace, labels } => labels
                .iter()
                .fold(Workload::new(named(namespace)?), |workload, (key, value)| {
                    workload.with_label(key, value)
                }),
            Client::Gateway { namespace, name } => {
                let empty = BTreeMap::new();
                let selector = clients::gateway(self.objects, namespace, name)
                    .map_or(&empty, |gateway| &gateway.spec.selector);
                // The proxies live where their Pods do; without Pods, beside the Gateway.
                let pod = self.objects.pods().find(|pod| {
                    !selector.is_empty()
                        && selector
                            .iter()
                            .all(|(key, value)| pod.meta.labels.get(key) == Some(value.as_str()))
                });
                let proxy = pod.map_or(namespace.as_str(), |pod| pod.meta.namespace.as_str());
                let labels = pod.map_or_else(|| selector.iter().collect(), |pod| pod.meta.labels.clone());
                Workload::gateway(named(proxy)?).with_labels(labels)
            }
        };
        Ok(self.snapshot.router_for(&workload))
    }

    /// Where the request enters: a server of the Gateway, or the sidecar of the client.
    fn entrance(&self, client: &Client, host: &str, port: u16) -> Stage {
        match client {
            Client::Gateway { namespace, name } => self.server(namespace, name, host, port),
            Client::Workload { namespace, labels } => {
                let text = format!(
                    "sidecar in {namespace}{}",
                    if labels.is_empty() {
                        ", of a workload without labels"
                    } else {
                        ""
                    }
                );
                let key = ObjectKey::new(Kind::Namespace, "", namespace.as_str());
                Stage::new("client", text, self.places.of_object(&key, &FieldPath::root()))
                    .with("namespace", namespace.as_str())
            }
        }
    }

    fn server(&self, namespace: &str, name: &str, host: &str, port: u16) -> Stage {
        let key = ObjectKey::new(Kind::Gateway, namespace, name);
        let servers =
            clients::gateway(self.objects, namespace, name).map_or(&[][..], |gateway| &gateway.spec.servers);
        let found = servers.iter().enumerate().find_map(|(at, server)| {
            let it = server.port.as_ref().filter(|it| it.number == u32::from(port))?;
            let pattern = server
                .hosts
                .iter()
                .find(|pattern| clients::serves_host(pattern, host))?;
            Some((at, it, pattern))
        });
        let Some((at, it, pattern)) = found else {
            let text = format!("{}  no server for {host} on port {port}", short_key(&key));
            return Stage::new("gateway", text, self.places.of_object(&key, &FieldPath::root()))
                .with("object", short_key(&key));
        };
        let path = FieldPath::spec().with_field("servers").with_index(at);
        let text = format!("{}  server {}, host {pattern}", short_key(&key), it.name);
        Stage::new("gateway", text, self.places.of_object(&key, &path))
            .with("object", short_key(&key))
            .with("server", it.name.as_str())
            .with("port", port)
            .with("host", pattern.as_str())
    }

    fn to_json(&self, answers: &[Answer], explain: bool) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(finding_to_json).collect();
        let (gateways, services) = clients::known_hosts(self.objects);
        json!({
            "answers": answers.iter().map(|answer| answer.to_json(explain)).collect::<Vec<_>>(),
            "findings": findings,
            "hosts": { "by_gateways": gateways, "of_services": services },
        })
    }
}

/// The request that the user describes.
fn request(asked: &Asked) -> Result<Request, String> {
    let request = Request::new(&asked.method, &asked.url).map_err(|error| error.to_string())?;
    let request = asked.headers.iter().fold(request, |request, (name, value)| {
        match name.to_ascii_lowercase().as_str() {
            "host" | ":authority" => request.with_authority(value),
            _ => request.with_header(name, value),
        }
    });
    Ok(match asked.draw {
        Some(draw) => request.with_draw(draw),
        None => request,
    })
}

/// The host that is asked for, in lower case, without port.
fn host_of(request: &Request) -> String {
    let authority = String::from_utf8_lossy(request.authority().unwrap_or_default()).to_lowercase();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        _ => authority,
    }
}

fn finding_to_json(finding: &Diagnostic) -> Value {
    let place = finding.location.as_ref();
    json!({
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "help": finding.help,
        "object": finding.object.as_ref().map(ToString::to_string),
        "path": finding.path.to_string(),
        "file": place.map(|place| place.file.to_string()),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
    })
}
