//! A validating webhook that the API server can ask: an HTTPS server that answers as istiod does, with a certificate from a
//! CA of its own.
//!
//! ```text
//! cargo run --example admission_webhook                                   # asks itself about bundled objects
//! cargo run --example admission_webhook -- FILES...                       # asks itself about yours
//! cargo run --example admission_webhook -- --serve 0.0.0.0:8443 --name webhook.example.com
//! ```
//!
//! With `--serve` it prints the ValidatingWebhookConfiguration that leads the API server to it, and goes on until it is
//! ended. The key lives in memory alone, so each start is a new CA.

mod args;
mod ask;
mod client;
mod http;
mod identity;
mod server;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use args::Args;
use identity::Identity;
use mesh_api::admission::ControlPlane;
use mesh_api::scalar::Bytes;
use server::Server;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let args = match Args::parse(&arguments) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&args, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("admission_webhook: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let now = live_examples::Clock::start().now();
    let identity = Identity::issue(&args.name, now.wall, &mut live_examples::Device::open()?)?;
    match &args.serve {
        Some(address) => {
            let server = Server::bind(address, &identity)?;
            let port = server.address()?.port();
            write!(out, "{}", configuration(&args.name, port, &identity)?)?;
            out.flush()?;
            server.serve(&AtomicBool::new(false));
            Ok(())
        }
        None => check(args, &identity, out),
    }
}

/// Starts the server on a port that is free, and asks it about objects, as the API server would.
fn check(args: &Args, identity: &Identity, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let objects = ask::objects(&args.files)?;
    let server = Server::bind("127.0.0.1:0", identity)?;
    let address = server.address()?;
    writeln!(out, "https://{address}/validate")?;
    writeln!(
        out,
        "  certificate  {} until {}",
        identity.names, identity.not_after
    )?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| server.serve(&stop));
        let asked = ask::all(address, &args.name, &identity.root, &objects, out);
        stop.store(true, Ordering::SeqCst);
        server.wake();
        asked
    })
}

/// What leads the API server to this server, by URL instead of by service.
fn configuration(name: &str, port: u16, identity: &Identity) -> Result<String, Box<dyn Error>> {
    let control_plane = ControlPlane {
        ca_bundle: Bytes::new(identity.root_pem()),
        ..ControlPlane::default()
    };
    let mut configuration = control_plane.default_validator();
    configuration.meta.name = "admission-webhook-example".into();
    for webhook in &mut configuration.spec.webhooks {
        webhook.client_config.service = None;
        webhook.client_config.url = Some(format!("https://{name}:{port}/validate"));
    }
    Ok(configuration.to_yaml()?)
}
