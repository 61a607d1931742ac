//! A node agent with its CA: what the SDS machine asks for is done here.

use std::collections::BTreeMap;
use std::error::Error;

use live_examples::{Clock, Device};
use mesh_ca::agent::{
    AgentOutput, DeltaSdsRequest, NamedSecret, NewKey, SdsAgent, SdsAgentConfig, SdsRequest, StreamId,
};
use mesh_ca::rotation::SvidFailure;
use mesh_ca::{Authority, Caller, CsrBuilder, CsrPolicy, KeyFormat, KeyPair, SpiffeId, Status, StatusCode};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What goes to a proxy on its stream.
#[derive(Debug)]
pub(crate) enum ToProxy {
    /// On a stream that speaks the delta variant.
    Delta {
        secrets: Vec<NamedSecret>,
        removed: Vec<String>,
        version: String,
        nonce: String,
    },
    Secrets {
        secrets: Vec<NamedSecret>,
        version: String,
        nonce: String,
    },
    Close(Status),
}

/// The agent of one workload.
pub(crate) struct Node {
    pub(crate) agent: SdsAgent,
    id: SpiffeId,
    ca: Authority,
    clock: Clock,
    entropy: Device,
    next_stream: u64,
    /// How many secrets went to proxies, and how many streams began with what the proxy has already.
    pub(crate) sent: usize,
    pub(crate) came_back: usize,
    /// What was not taken by the streams yet.
    pub(crate) queues: BTreeMap<StreamId, Vec<ToProxy>>,
}

impl Node {
    /// An agent that asks for its certificate at once.
    pub(crate) fn start(id: &str, ca: &Authority, clock: Clock) -> Result<Self> {
        let id: SpiffeId = id.parse()?;
        let mut node = Self {
            agent: SdsAgent::new(SdsAgentConfig::new(id.clone())),
            id,
            ca: ca.clone(),
            clock,
            entropy: Device::open()?,
            next_stream: 0,
            sent: 0,
            came_back: 0,
            queues: BTreeMap::new(),
        };
        node.agent.start(clock.now());
        node.serve()?;
        Ok(node)
    }

    pub(crate) fn open(&mut self) -> StreamId {
        self.next_stream += 1;
        let stream = StreamId(self.next_stream);
        self.queues.insert(stream, Vec::new());
        self.agent.open_stream(stream);
        stream
    }

    pub(crate) fn close(&mut self, stream: StreamId) {
        self.queues.remove(&stream);
        self.agent.close_stream(stream);
    }

    pub(crate) fn request(&mut self, stream: StreamId, request: &SdsRequest) -> Result<()> {
        self.agent.handle_request(self.clock.now(), stream, request);
        self.serve()
    }

    pub(crate) fn delta_request(&mut self, stream: StreamId, request: &DeltaSdsRequest) -> Result<()> {
        self.came_back += usize::from(!request.initial_versions.is_empty());
        self.agent.handle_delta_request(self.clock.now(), stream, request);
        self.serve()
    }

    /// Ends all streams; how many they were.
    pub(crate) fn hang_up(&mut self) -> usize {
        for queue in self.queues.values_mut() {
            queue.push(ToProxy::Close(Status::new(StatusCode::Unavailable, "come back")));
        }
        self.queues.len()
    }

    pub(crate) fn rotate(&mut self) -> Result<()> {
        self.agent.rotate(self.clock.now());
        self.serve()
    }

    /// New authorities from elsewhere.
    pub(crate) fn trust(&mut self, authorities: &[&Authority]) -> Result<()> {
        let authorities = authorities
            .iter()
            .map(|ca| ca.certificate_der().to_vec())
            .collect();
        self.agent.handle_bundle(self.clock.now(), authorities);
        self.serve()
    }

    /// How long until the agent wants to be called.
    pub(crate) fn wait(&self) -> Option<std::time::Duration> {
        let wake = self.agent.poll_timeout()?;
        Some(wake.saturating_since(self.clock.now().mono))
    }

    pub(crate) fn tick(&mut self) -> Result<()> {
        self.agent.handle_timeout(self.clock.now(), &mut self.entropy)?;
        self.serve()
    }

    fn serve(&mut self) -> Result<()> {
        while let Some(output) = self.agent.poll_output() {
            match output {
                // Step 3: a key and a signing request.
                AgentOutput::MakeKey { request, id } => {
                    let key = KeyPair::generate(&mut self.entropy)?;
                    let csr = CsrBuilder::new(&id).build(&key)?.to_pem();
                    let public_key = key.public_key().der().to_vec();
                    let key = key.to_pem(KeyFormat::Pkcs8);
                    self.agent.handle_key(request, NewKey { key, public_key, csr });
                }
                // Step 4: the CA authenticates the caller (here: it is us) and signs.
                AgentOutput::SendCsr { request, csr } => {
                    let now = self.clock.now();
                    match self.sign(&csr.csr) {
                        Ok(chain) => {
                            self.agent
                                .handle_signed(now, request, &chain, &mut self.entropy)?;
                        }
                        Err(error) => {
                            eprintln!("{}: the CA does not sign: {error}", self.id);
                            let failure = SvidFailure::status(StatusCode::Internal);
                            self.agent
                                .handle_failed(now, request, failure, &mut self.entropy)?;
                        }
                    }
                }
                // Step 5: certificate and key go to the proxy.
                AgentOutput::SendDelta {
                    stream,
                    secrets,
                    removed,
                    version,
                    nonce,
                } => {
                    self.queue(
                        stream,
                        ToProxy::Delta {
                            secrets,
                            removed,
                            version,
                            nonce,
                        },
                    );
                }
                AgentOutput::SendSecrets {
                    stream,
                    secrets,
                    version,
                    nonce,
                } => {
                    self.queue(
                        stream,
                        ToProxy::Secrets {
                            secrets,
                            version,
                            nonce,
                        },
                    );
                }
                AgentOutput::CloseStream { stream, status } => self.queue(stream, ToProxy::Close(status)),
                AgentOutput::Alarm(alarm) => eprintln!("{}: {alarm:?}", self.id),
                AgentOutput::ReadFiles { .. } | AgentOutput::WriteFiles { .. } => {}
            }
        }
        Ok(())
    }

    fn sign(&mut self, csr: &str) -> Result<Vec<String>> {
        let valid = CsrPolicy::istio().check(csr.as_bytes())?;
        let grant = valid.authorize(&Caller::from(&self.id))?;
        let now = self.clock.now().wall;
        Ok(self.ca.issue(&grant, now, &mut self.entropy)?.response_chain())
    }

    fn queue(&mut self, stream: StreamId, message: ToProxy) {
        if let ToProxy::Delta { secrets, .. } | ToProxy::Secrets { secrets, .. } = &message {
            self.sent += secrets.len();
        }
        if let Some(queue) = self.queues.get_mut(&stream) {
            queue.push(message);
        }
    }
}
