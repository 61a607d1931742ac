//! Two real Envoys on loopback, with secrets from two agents.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use live_examples::{Clock, Device};
use mesh_ca::Authority;
use serde_json::{Value, json};
use testkit::envoy::{Envoy, RawRequest};

use super::grpc::Shared;
use super::node::{Node, Result};

const SERVER: &str = "spiffe://cluster.local/ns/shop/sa/reviews";
const CLIENT: &str = "spiffe://cluster.local/ns/shop/sa/productpage";

/// Runs everything, and prints what happens.
pub(crate) fn run(program: &Path, out: &mut dyn Write) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, talk(program.to_owned(), out))
}

async fn talk(program: PathBuf, out: &mut dyn Write) -> Result<()> {
    let clock = Clock::start();
    let ca = Authority::self_signed("cluster.local".parse()?, clock.now().wall, &mut Device::open()?)?;
    let directory = Sockets::create()?;
    let (server_socket, client_socket) = (directory.path("server"), directory.path("client"));
    let server_agent = Shared::new(Node::start(SERVER, &ca, clock)?);
    let client_agent = Shared::new(Node::start(CLIENT, &ca, clock)?);
    for (agent, path) in [(&server_agent, &server_socket), (&client_agent, &client_socket)] {
        let (agent, path) = (agent.clone(), path.clone());
        tokio::task::spawn_local(async move {
            if let Err(error) = agent.serve(&path).await {
                eprintln!("{}: {error}", path.display());
            }
        });
    }
    writeln!(
        out,
        "agents listen at {} and {}",
        server_socket.display(),
        client_socket.display()
    )?;

    let server = start(program.clone(), server_bootstrap(&server_socket)).await?;
    let server_address = server.listener("server").ok_or("the server listens")?;
    writeln!(
        out,
        "server Envoy terminates mutual TLS at {server_address}, as {SERVER}"
    )?;
    let client = start(
        program.clone(),
        client_bootstrap(&client_socket, server_address, true),
    )
    .await?;
    let client_address = client.listener("client").ok_or("the client listens")?;
    writeln!(
        out,
        "client Envoy sends to it from {client_address}, as {CLIENT}; it asks by the delta variant"
    )?;

    let first = get(client_address).await?;
    writeln!(
        out,
        "GET / through both: {} by {}, serial {}",
        first.status, first.peer, first.serial
    )?;

    client_agent.node.borrow_mut().rotate()?;
    client_agent.changed.notify_waiters();
    // The shortest wait between two certificates of one workload is a second.
    let mut second = first.clone();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        second = get(client_address).await?;
        if second.serial != first.serial {
            break;
        }
    }
    writeln!(
        out,
        "the client's certificate is rotated: {} by {}, serial {}",
        second.status, second.peer, second.serial
    )?;
    let verdict = if second.serial == first.serial {
        "still the same"
    } else {
        "another one"
    };
    writeln!(out, "the serial is {verdict}")?;

    let stranger = start(
        program.clone(),
        client_bootstrap(&client_socket, server_address, false),
    )
    .await?;
    let address = stranger.listener("client").ok_or("the stranger listens")?;
    writeln!(
        out,
        "a client without a certificate: {}",
        get(address).await?.status
    )?;

    let second = Authority::self_signed("cluster.local".parse()?, clock.now().wall, &mut Device::open()?)?;
    for (agent, envoy) in [(&server_agent, &server), (&client_agent, &client)] {
        let before = version_of_roots(envoy)?;
        agent.node.borrow_mut().trust(&[&ca, &second])?;
        agent.changed.notify_waiters();
        wait_for_other_roots(envoy, &before).await?;
    }
    let version = version_of_roots(&client)?;
    if version.len() != 32 {
        return Err(format!("`{version}` is no version of a secret of its own").into());
    }
    let third = get(client_address).await?;
    writeln!(
        out,
        "both trust a second authority, and still talk: {} by {}",
        third.status, third.peer
    )?;
    come_back(&client_agent, out).await
}

/// The proxies of an agent lose their streams, and come back with what they have.
async fn come_back(agent: &Shared, out: &mut dyn Write) -> Result<()> {
    let sent = agent.node.borrow().sent;
    let streams = agent.node.borrow_mut().hang_up();
    agent.changed.notify_waiters();
    for _ in 0..200 {
        if agent.node.borrow().came_back >= streams {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let node = agent.node.borrow();
    writeln!(
        out,
        "the client's agent hangs up: {} of {streams} streams come back with what they have, {} secrets are sent again",
        node.came_back,
        node.sent - sent
    )?;
    Ok(())
}

/// What the server saw.
#[derive(Debug, Clone)]
struct Seen {
    status: u16,
    peer: String,
    serial: String,
}

async fn start(program: PathBuf, bootstrap: Value) -> Result<Envoy> {
    let started = tokio::task::spawn_blocking(move || {
        Envoy::start(&program, &bootstrap).map_err(|error| error.to_string())
    });
    Ok(started.await??)
}

async fn get(address: SocketAddr) -> Result<Seen> {
    let asked = tokio::task::spawn_blocking(move || {
        let request = RawRequest::new("GET", "/")
            .with_header("host", "reviews")
            .with_header("connection", "close");
        request.send(address, Duration::from_secs(10))
    });
    let response = asked.await??;
    let header = |name: &str| response.header(name).unwrap_or_default();
    Ok(Seen {
        status: response.status,
        peer: header("x-peer"),
        serial: header("x-peer-serial"),
    })
}

/// The version of the authorities that an Envoy trusts.
fn version_of_roots(envoy: &Envoy) -> Result<String> {
    let dump = envoy.admin("/config_dump").map_err(|error| error.to_string())?;
    let configs = dump["configs"].as_array().into_iter().flatten();
    let mut secrets =
        configs.flat_map(|config| config["dynamic_active_secrets"].as_array().into_iter().flatten());
    let roots = secrets.find(|secret| secret["name"] == "ROOTCA");
    let version = roots.and_then(|roots| roots["version_info"].as_str());
    Ok(version.ok_or("an Envoy has no authorities")?.to_owned())
}

async fn wait_for_other_roots(envoy: &Envoy, before: &str) -> Result<()> {
    for _ in 0..100 {
        if version_of_roots(envoy)? != before {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("an Envoy does not take the new authorities".into())
}

fn server_bootstrap(socket: &Path) -> Value {
    let header = |name: &str, value: &str| json!({ "header": { "key": name, "value": value } });
    let routes = json!({
        "name": "all",
        "response_headers_to_add": [
            header("x-peer", "%DOWNSTREAM_PEER_URI_SAN%"),
            header("x-peer-serial", "%DOWNSTREAM_PEER_SERIAL%"),
        ],
        "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
            { "match": { "prefix": "/" }, "direct_response": { "status": 200, "body": { "inline_string": "hello\n" } } },
        ] }],
    });
    let tls = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": true,
            "common_tls_context": tls_context(CLIENT, "GRPC"),
        },
    });
    bootstrap(socket, listener("server", &routes, Some(tls)), vec![])
}

fn client_bootstrap(socket: &Path, server: SocketAddr, has_certificate: bool) -> Value {
    let mut tls = tls_context(SERVER, "DELTA_GRPC");
    if !has_certificate {
        tls["tls_certificate_sds_secret_configs"] = json!([]);
    }
    let routes = json!({
        "name": "all",
        "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
            { "match": { "prefix": "/" }, "route": { "cluster": "server" } },
        ] }],
    });
    let cluster = json!({
        "name": "server",
        "type": "STATIC",
        "typed_extension_protocol_options": http_options(&json!({ "explicit_http_config": { "http_protocol_options": {} }, "common_http_protocol_options": { "max_requests_per_connection": 1 } })),
        "load_assignment": assignment("server", &json!({ "socket_address": { "address": server.ip().to_string(), "port_value": server.port() } })),
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": tls,
            },
        },
    });
    bootstrap(socket, listener("client", &routes, None), vec![cluster])
}

/// Own certificate and authorities from the agent, asked for by this variant of xDS; the peer has to have this identity.
fn tls_context(peer: &str, api_type: &str) -> Value {
    let secret = |name: &str| json!({ "name": name, "sds_config": sds_config(api_type) });
    json!({
        "tls_certificate_sds_secret_configs": [secret("default")],
        "combined_validation_context": {
            "default_validation_context": {
                "match_typed_subject_alt_names": [{ "san_type": "URI", "matcher": { "exact": peer } }],
            },
            "validation_context_sds_secret_config": secret("ROOTCA"),
        },
    })
}

fn sds_config(api_type: &str) -> Value {
    json!({
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
        "api_config_source": {
            "api_type": api_type,
            "transport_api_version": "V3",
            "set_node_on_first_message_only": true,
            "grpc_services": [{ "envoy_grpc": { "cluster_name": "sds-grpc" } }],
        },
    })
}

fn bootstrap(socket: &Path, listener: Value, mut clusters: Vec<Value>) -> Value {
    clusters.push(json!({
        "name": "sds-grpc",
        "type": "STATIC",
        "typed_extension_protocol_options": http_options(&json!({ "explicit_http_config": { "http2_protocol_options": {} } })),
        "load_assignment": assignment("sds-grpc", &json!({ "pipe": { "path": socket } })),
    }));
    json!({ "static_resources": { "listeners": [listener], "clusters": clusters } })
}

fn assignment(name: &str, address: &Value) -> Value {
    json!({ "cluster_name": name, "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }] })
}

fn http_options(options: &Value) -> Value {
    let mut options = options.clone();
    options["@type"] = json!("type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options })
}

fn listener(name: &str, routes: &Value, tls: Option<Value>) -> Value {
    let mut chain = json!({
        "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "route_config": routes,
                "http_filters": [{
                    "name": "envoy.filters.http.router",
                    "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                }],
            },
        }],
    });
    if let Some(tls) = tls {
        chain["transport_socket"] = tls;
    }
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [chain],
    })
}

/// A folder for the sockets, removed at the end.
struct Sockets(PathBuf);

impl Sockets {
    fn create() -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        // Keys go through these sockets: the folder is new, and nobody else's. Paths of Unix sockets have at most 107 bytes.
        let time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let path = std::env::temp_dir().join(format!("agent-sds-{}-{time}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
