//! The same agents without Envoy: two proxies in this process ask for their secrets, and check each other with them.

use std::io::Write;
use std::time::Duration;

use live_examples::{Clock, Device};
use mesh_ca::agent::{
    CertificateSecret, DEFAULT_SECRET, DeltaSdsRequest, ROOT_SECRET, SdsRequest, Secret, StreamId,
    ValidationSecret,
};
use mesh_ca::{Authority, Limits, TrustBundle, VerifyOptions, pem};

use super::node::{Node, Result, ToProxy};

/// Runs both proxies, and prints the steps.
pub(crate) fn run(out: &mut dyn Write) -> Result<()> {
    let clock = Clock::start();
    let ca = Authority::self_signed("cluster.local".parse()?, clock.now().wall, &mut Device::open()?)?;
    let mut server = Proxy::start(
        "server",
        "spiffe://cluster.local/ns/shop/sa/reviews",
        &ca,
        clock,
        Variant::StateOfTheWorld,
    )?;
    let mut client = Proxy::start(
        "client",
        "spiffe://cluster.local/ns/shop/sa/productpage",
        &ca,
        clock,
        Variant::Delta,
    )?;
    server.receive(out)?;
    client.receive(out)?;
    client.check(&server, clock, out)?;
    server.check(&client, clock, out)?;

    writeln!(out, "client's agent is told to rotate")?;
    let before = client.chain().to_owned();
    client.node.rotate()?;
    for _ in 0..10 {
        std::thread::sleep(client.node.wait().unwrap_or(Duration::from_millis(10)));
        client.node.tick()?;
        client.receive(out)?;
        if client.chain() != before {
            break;
        }
    }
    if client.chain() == before {
        return Err("the certificate is still the same".into());
    }
    writeln!(out, "the certificate is another one")?;
    server.check(&client, clock, out)?;

    let second = Authority::self_signed("cluster.local".parse()?, clock.now().wall, &mut Device::open()?)?;
    writeln!(out, "a second authority is to be trusted")?;
    server.node.trust(&[&ca, &second])?;
    server.receive(out)?;
    server.check(&client, clock, out)
}

/// How a proxy asks.
#[derive(Clone, Copy)]
enum Variant {
    Delta,
    StateOfTheWorld,
}

/// A proxy with its agent.
struct Proxy {
    name: &'static str,
    variant: Variant,
    node: Node,
    stream: StreamId,
    certificate: Option<CertificateSecret>,
    validation: Option<ValidationSecret>,
}

impl Proxy {
    fn start(name: &'static str, id: &str, ca: &Authority, clock: Clock, variant: Variant) -> Result<Self> {
        let mut node = Node::start(id, ca, clock)?;
        let stream = node.open();
        let mut proxy = Self {
            name,
            variant,
            node,
            stream,
            certificate: None,
            validation: None,
        };
        proxy.ask("", "")?;
        Ok(proxy)
    }

    /// Asks for both secrets, or answers a response.
    fn ask(&mut self, version: &str, nonce: &str) -> Result<()> {
        let names = vec![DEFAULT_SECRET.to_owned(), ROOT_SECRET.to_owned()];
        match self.variant {
            Variant::Delta => {
                let request = DeltaSdsRequest {
                    subscribe: if nonce.is_empty() { names } else { Vec::new() },
                    nonce: nonce.to_owned(),
                    ..DeltaSdsRequest::default()
                };
                self.node.delta_request(self.stream, &request)
            }
            Variant::StateOfTheWorld => {
                let request = SdsRequest {
                    names,
                    version: version.to_owned(),
                    nonce: nonce.to_owned(),
                    error: None,
                };
                self.node.request(self.stream, &request)
            }
        }
    }

    /// Takes what the agent sent, and says so to it.
    fn receive(&mut self, out: &mut dyn Write) -> Result<()> {
        loop {
            let queue = self
                .node
                .queues
                .get_mut(&self.stream)
                .map(std::mem::take)
                .unwrap_or_default();
            if queue.is_empty() {
                return Ok(());
            }
            for message in queue {
                let (secrets, version, nonce) = match message {
                    ToProxy::Delta {
                        secrets,
                        removed: _,
                        version,
                        nonce,
                    }
                    | ToProxy::Secrets {
                        secrets,
                        version,
                        nonce,
                    } => (secrets, version, nonce),
                    ToProxy::Close(status) => return Err(status.message().to_owned().into()),
                };
                for secret in secrets {
                    writeln!(
                        out,
                        "{} gets {}, version {}",
                        self.name, secret.name, secret.version
                    )?;
                    match &*secret.secret {
                        Secret::Certificate(certificate) => self.certificate = Some(certificate.clone()),
                        Secret::Validation(validation) => self.validation = Some(validation.clone()),
                    }
                }
                self.ask(&version, &nonce)?;
            }
        }
    }

    fn chain(&self) -> &str {
        self.certificate
            .as_ref()
            .map_or("", |certificate| &certificate.chain)
    }

    /// What a TLS handshake would check of the peer.
    fn check(&self, peer: &Self, clock: Clock, out: &mut dyn Write) -> Result<()> {
        let limits = Limits::default();
        let validation = self.validation.as_ref().ok_or("the authorities are here")?;
        let bundle = TrustBundle::from_pem(
            "cluster.local".parse()?,
            validation.trusted_ca.as_bytes(),
            &limits,
        )?;
        let chain = pem::parse_chain(peer.chain().as_bytes(), &limits)?;
        let verified = bundle.verify(&chain, &VerifyOptions::at(clock.now().wall))?;
        writeln!(out, "{} accepts {}", self.name, verified.spiffe_id())?;
        Ok(())
    }
}
