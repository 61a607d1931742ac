//! An agent with its CA, for tests.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::Duration;

use mesh_ca::agent::{
    AgentAlarm, AgentOutput, CsrRequest, DEFAULT_SECRET, NamedSecret, NewKey, ROOT_SECRET, SdsAgent,
    SdsAgentConfig, SdsRequest, StreamId,
};
use mesh_ca::rotation::{RequestId, SvidFailure};
use mesh_ca::{
    Authority, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyFormat, KeyPair, MonotonicTime, Now,
    SpiffeId, StatusCode, UnixTime,
};

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn id() -> SpiffeId {
    "spiffe://cluster.local/ns/shop/sa/reviews".parse().unwrap()
}

/// An agent with its CA.
pub(crate) struct Host {
    pub(crate) agent: SdsAgent,
    pub(crate) ca: Authority,
    pub(crate) entropy: InsecureSeededEntropy,
    pub(crate) now: Now,
    /// What the CA was asked and has not answered.
    pub(crate) asked: Vec<(RequestId, CsrRequest)>,
    pub(crate) keys_made: usize,
    pub(crate) sent: Vec<(StreamId, Vec<NamedSecret>, String, String)>,
    pub(crate) deltas: Vec<(StreamId, Vec<NamedSecret>, Vec<String>, String)>,
    pub(crate) closed: Vec<(StreamId, StatusCode)>,
    pub(crate) alarms: Vec<AgentAlarm>,
    pub(crate) reads: Vec<String>,
    pub(crate) written: Vec<(String, String, String)>,
}

impl Host {
    pub(crate) fn new(config: SdsAgentConfig) -> Self {
        let mut entropy = InsecureSeededEntropy::new(1);
        let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
        let ca = Authority::self_signed("cluster.local".parse().unwrap(), now.wall, &mut entropy).unwrap();
        Self {
            agent: SdsAgent::new(config),
            ca,
            entropy,
            now,
            asked: Vec::new(),
            keys_made: 0,
            sent: Vec::new(),
            deltas: Vec::new(),
            closed: Vec::new(),
            alarms: Vec::new(),
            reads: Vec::new(),
            written: Vec::new(),
        }
    }

    /// One that serves both secrets on stream 1.
    pub(crate) fn serving() -> Self {
        let mut host = Self::new(SdsAgentConfig::new(id()));
        host.open(1);
        host.ask(1, &[DEFAULT_SECRET, ROOT_SECRET], "");
        host.sign();
        host.ack(1);
        host.ack(1);
        assert_eq!(host.names(), [&[ROOT_SECRET][..], &[DEFAULT_SECRET]].concat());
        host.sent.clear();
        host
    }

    pub(crate) fn serve(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                AgentOutput::MakeKey { request, id } => {
                    self.keys_made += 1;
                    let key = KeyPair::generate(&mut self.entropy).unwrap();
                    let csr = CsrBuilder::new(&id).build(&key).unwrap().to_pem();
                    let public_key = key.public_key().der().to_vec();
                    let key = key.to_pem(KeyFormat::Pkcs8);
                    self.agent.handle_key(request, NewKey { key, public_key, csr });
                }
                AgentOutput::SendCsr { request, csr } => self.asked.push((request, csr)),
                AgentOutput::SendDelta {
                    stream,
                    secrets,
                    removed,
                    nonce,
                    ..
                } => self.deltas.push((stream, secrets, removed, nonce)),
                AgentOutput::SendSecrets {
                    stream,
                    secrets,
                    version,
                    nonce,
                } => {
                    self.sent.push((stream, secrets, version, nonce));
                }
                AgentOutput::CloseStream { stream, status } => self.closed.push((stream, status.code())),
                AgentOutput::Alarm(alarm) => self.alarms.push(alarm),
                AgentOutput::ReadFiles { paths } => self.reads.extend(paths),
                AgentOutput::WriteFiles {
                    dir,
                    key,
                    chain,
                    roots,
                } => {
                    assert!(key.expose_text().contains("PRIVATE KEY"));
                    self.written.push((dir, chain, roots));
                }
            }
        }
    }

    pub(crate) fn open(&mut self, stream: u64) {
        self.agent.open_stream(StreamId(stream));
    }

    pub(crate) fn request(&mut self, stream: u64, request: &SdsRequest) {
        self.agent.handle_request(self.now, StreamId(stream), request);
        self.serve();
    }

    pub(crate) fn ask(&mut self, stream: u64, names: &[&str], nonce: &str) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.request(
            stream,
            &SdsRequest {
                names,
                nonce: nonce.to_owned(),
                ..SdsRequest::default()
            },
        );
    }

    pub(crate) fn last_nonce(&self, stream: u64) -> String {
        let mut sent = self.sent.iter().rev();
        sent.find(|(to, ..)| *to == StreamId(stream))
            .map(|(_, _, _, nonce)| nonce.clone())
            .expect("something was sent")
    }

    pub(crate) fn ack(&mut self, stream: u64) {
        let nonce = self.last_nonce(stream);
        self.ask(stream, &[DEFAULT_SECRET, ROOT_SECRET], &nonce);
    }

    pub(crate) fn answer(&mut self, csr: &CsrRequest) -> Vec<String> {
        let valid = CsrPolicy::istio().check(csr.csr.as_bytes()).unwrap();
        let grant = valid.authorize(&Caller::from(&id())).unwrap();
        self.ca
            .issue(&grant, self.now.wall, &mut self.entropy)
            .unwrap()
            .response_chain()
    }

    /// The CA answers what it was asked last.
    pub(crate) fn sign(&mut self) {
        let (request, csr) = self.asked.pop().expect("the CA was asked");
        let chain = self.answer(&csr);
        self.agent
            .handle_signed(self.now, request, &chain, &mut self.entropy)
            .unwrap();
        self.serve();
    }

    pub(crate) fn fail(&mut self, failure: SvidFailure) {
        let (request, _) = self.asked.pop().expect("the CA was asked");
        self.agent
            .handle_failed(self.now, request, failure, &mut self.entropy)
            .unwrap();
        self.serve();
    }

    pub(crate) fn wake(&mut self) {
        let wake = self.agent.poll_timeout().expect("something is planned");
        self.now = self.now + wake.saturating_since(self.now.mono);
        self.agent.handle_timeout(self.now, &mut self.entropy).unwrap();
        self.serve();
    }

    pub(crate) fn file(&mut self, path: &str, content: &str) {
        self.agent
            .handle_file(self.now, path, Some(content.as_bytes().to_vec()));
        self.serve();
    }

    /// The names that were sent, one after the other.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.sent
            .iter()
            .flat_map(|(_, secrets, ..)| secrets.iter().map(|secret| secret.name.as_str()))
            .collect()
    }

    /// A key and its certificate in PEM.
    pub(crate) fn pair(&mut self) -> (String, String) {
        let key = KeyPair::generate(&mut self.entropy).unwrap();
        let csr = CsrBuilder::new(&id()).build(&key).unwrap();
        let grant = CsrPolicy::istio()
            .check(csr.der())
            .unwrap()
            .authorize(&Caller::from(&id()))
            .unwrap();
        let svid = self.ca.issue(&grant, self.now.wall, &mut self.entropy).unwrap();
        (
            svid.to_pem(),
            key.to_pem(KeyFormat::Pkcs8).expose_text().to_owned(),
        )
    }
}

pub(crate) fn down() -> SvidFailure {
    SvidFailure::status(StatusCode::Unavailable)
}
