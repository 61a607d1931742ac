//! The delta variant of the SDS agent (C-SDS-11): the rules that differ from the other variant, and that both deliver the same.

mod sds_host;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use mesh_ca::agent::{
    AgentAlarm, CertificateSecret, DEFAULT_SECRET, DeltaSdsRequest, NamedSecret, PrivateKeyProvider,
    ROOT_SECRET, SdsAgent, SdsAgentConfig, SdsRequest, Secret, StreamId,
};
use mesh_ca::rotation::SvidRotationConfig;
use mesh_ca::{Authority, KeyFormat, KeyPair, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use sds_host::{Host, down, id, secs};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn subscribe(list: &[&str]) -> DeltaSdsRequest {
    DeltaSdsRequest {
        subscribe: names(list),
        ..DeltaSdsRequest::default()
    }
}

fn unsubscribe(list: &[&str]) -> DeltaSdsRequest {
    DeltaSdsRequest {
        unsubscribe: names(list),
        ..DeltaSdsRequest::default()
    }
}

fn answer(nonce: &str, error: Option<&str>) -> DeltaSdsRequest {
    DeltaSdsRequest {
        nonce: nonce.to_owned(),
        error: error.map(str::to_owned),
        ..DeltaSdsRequest::default()
    }
}

fn delta(host: &mut Host, stream: u64, request: &DeltaSdsRequest) {
    host.agent
        .handle_delta_request(host.now, StreamId(stream), request);
    host.serve();
}

/// The names that were sent on delta streams, one after the other.
fn sent(host: &Host) -> Vec<&str> {
    let secrets = host.deltas.iter().flat_map(|(_, secrets, ..)| secrets);
    secrets.map(|secret| secret.name.as_str()).collect()
}

fn nonce(host: &Host) -> String {
    host.deltas.last().unwrap().3.clone()
}

/// One that serves both secrets on delta stream 1, which has answered.
fn serving() -> Host {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET, ROOT_SECRET]));
    host.sign();
    for _ in 0..2 {
        let nonce = nonce(&host);
        delta(&mut host, 1, &answer(&nonce, None));
    }
    assert_eq!(
        sent(&host),
        [ROOT_SECRET, DEFAULT_SECRET],
        "C-SDS-6: authorities first"
    );
    host
}

/// C-SDS-11, C-SDS-5: one response for each change, a version for each secret, and nothing for an answer.
#[test]
fn a_delta_stream_is_served() {
    let mut host = serving();
    assert!(host.sent.is_empty(), "nothing of the other variant");
    let held = host.agent.held(&names(&[ROOT_SECRET, DEFAULT_SECRET]));
    let versions: Vec<String> = host
        .deltas
        .iter()
        .map(|(_, secrets, ..)| secrets[0].resource_version())
        .collect();
    assert_eq!(versions, [held[0].resource_version(), held[1].resource_version()]);
    assert!(versions.iter().all(|version| version.len() == 32) && versions[0] != versions[1]);
    host.wake();
    host.sign();
    assert_eq!(
        sent(&host),
        [ROOT_SECRET, DEFAULT_SECRET, DEFAULT_SECRET],
        "the authorities are the same"
    );
    assert_ne!(host.deltas[2].1[0].resource_version(), versions[1]);
    let nonces: BTreeSet<&String> = host.deltas.iter().map(|(.., nonce)| nonce).collect();
    assert_eq!(nonces.len(), 3);

    // A fetch without a stream has the same (C-SDS-11).
    assert_eq!(host.agent.held(&names(&[DEFAULT_SECRET])), host.deltas[2].1);
    assert!(host.agent.held(&names(&["other"])).is_empty());
}

/// C-SDS-5: what was refused is not sent again, and the alarm names it; also when another response was sent meanwhile.
#[test]
fn refusals_name_the_response_that_they_answer() {
    let mut host = serving();
    host.agent
        .handle_bundle(host.now, vec![host.ca.certificate_der().to_vec(), other_root(1)]);
    host.serve();
    delta(&mut host, 1, &subscribe(&["file-root:/r"]));
    host.file("/r", "roots");
    assert_eq!(sent(&host)[2..], [ROOT_SECRET, "file-root:/r"]);
    let (first, second) = (host.deltas[2].3.clone(), host.deltas[3].3.clone());
    delta(&mut host, 1, &answer(&first, Some("no")));
    delta(&mut host, 1, &answer(&second, Some("neither")));
    delta(&mut host, 1, &answer(&first, Some("too late")));
    delta(&mut host, 1, &answer("77", Some("of another stream")));
    let nacked = |name: &str, message: &str| AgentAlarm::Nacked {
        stream: StreamId(1),
        names: names(&[name]),
        message: message.to_owned(),
    };
    assert_eq!(
        host.alarms,
        [nacked(ROOT_SECRET, "no"), nacked("file-root:/r", "neither")]
    );
    assert_eq!(host.deltas.len(), 4, "nothing is sent again");
    host.file("/r", "other roots");
    assert_eq!(host.deltas.len(), 5, "new content is");
}

/// C-SDS-5, xDS: only what is new is answered, what is not wanted any more is not pushed, and what is subscribed to again is
/// sent again. A change counts whatever response the request answers.
#[test]
fn subscriptions_change() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    host.sign();
    assert_eq!(sent(&host), [DEFAULT_SECRET]);
    delta(&mut host, 1, &subscribe(&[ROOT_SECRET]));
    assert_eq!(sent(&host), [DEFAULT_SECRET, ROOT_SECRET]);
    let root_nonce = nonce(&host);
    delta(&mut host, 1, &answer(&root_nonce, None));
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    assert_eq!(sent(&host), [DEFAULT_SECRET, ROOT_SECRET, DEFAULT_SECRET]);
    let stale = DeltaSdsRequest {
        nonce: "1".to_owned(),
        ..unsubscribe(&[DEFAULT_SECRET, "never wanted"])
    };
    delta(&mut host, 1, &stale);
    host.wake();
    host.sign();
    assert_eq!(host.deltas.len(), 3, "not wanted any more");
    delta(
        &mut host,
        1,
        &DeltaSdsRequest {
            unsubscribe: names(&["file-root:/r"]),
            ..subscribe(&["file-root:/r"])
        },
    );
    assert!(host.reads.is_empty(), "subscribed and unsubscribed at once");
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    assert_eq!(sent(&host)[3..], [DEFAULT_SECRET]);
}

/// C-SDS-11, X-SRV-18: a proxy that comes back gets only what it does not have, from a restarted agent too.
#[test]
fn a_proxy_that_comes_back_says_what_it_has() {
    let files = ["file-root:/a", "file-root:/b", "file-root:/c"];
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    delta(&mut host, 1, &subscribe(&files));
    for path in ["/a", "/b", "/c"] {
        host.file(path, path);
    }
    let held: BTreeMap<String, String> = host
        .agent
        .held(&names(&files))
        .iter()
        .map(|secret| (secret.name.clone(), secret.resource_version()))
        .collect();

    for restarts in [false, true] {
        let mut host = Host {
            deltas: Vec::new(),
            ..Host::new(SdsAgentConfig::new(id()))
        };
        if !restarts {
            host.open(1);
            delta(&mut host, 1, &subscribe(&files));
            for path in ["/a", "/b", "/c"] {
                host.file(path, path);
            }
            host.deltas.clear();
        }
        host.open(2);
        let initial_versions = held
            .clone()
            .into_iter()
            .chain([("file-cert:x".to_owned(), "1".to_owned())]);
        let request = DeltaSdsRequest {
            initial_versions: initial_versions.collect(),
            nonce: "17".to_owned(),
            ..subscribe(&files[..1])
        };
        delta(&mut host, 2, &request);
        host.agent.close_stream(StreamId(1));
        let removed: Vec<_> = host
            .deltas
            .iter()
            .map(|(_, secrets, removed, _)| (secrets.len(), removed.clone()))
            .collect();
        assert_eq!(
            removed,
            [(0, names(&["file-cert:x"]))],
            "what no agent has is removed"
        );
        assert!(
            matches!(&host.alarms[..], [AgentAlarm::UnknownResource { name, .. }] if name == "file-cert:x")
        );
        for (path, content) in [("/a", "/a"), ("/b", "something else"), ("/c", "/c")] {
            host.file(path, content);
        }
        assert_eq!(sent(&host), ["file-root:/b"], "only what changed");
        host.file("/a", "new");
        assert_eq!(sent(&host), ["file-root:/b", "file-root:/a"]);
        // Later in the stream the versions mean nothing.
        delta(
            &mut host,
            2,
            &DeltaSdsRequest {
                initial_versions: held.clone(),
                ..subscribe(&files[2..])
            },
        );
        assert_eq!(sent(&host).len(), 3);
    }
}

/// X-SDS-7: a secret that is not there yet is waited for, also by a proxy that has an old one.
#[test]
fn a_secret_that_is_not_there_yet_is_not_removed() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    let initial_versions = BTreeMap::from([(DEFAULT_SECRET.to_owned(), "0".repeat(32))]);
    delta(
        &mut host,
        1,
        &DeltaSdsRequest {
            initial_versions,
            ..subscribe(&[DEFAULT_SECRET])
        },
    );
    assert!(host.deltas.is_empty() && host.keys_made == 1);
    host.sign();
    assert_eq!(sent(&host), [DEFAULT_SECRET]);
    assert!(host.deltas[0].2.is_empty());
}

/// C-WR-10, C-SDS-11: a certificate that is withdrawn is removed from delta streams, and the next one is sent.
#[test]
fn a_withdrawn_certificate_is_removed() {
    let rotation = SvidRotationConfig {
        withdraw_expired: true,
        ..SvidRotationConfig::default()
    };
    let mut host = Host::new(SdsAgentConfig {
        rotation,
        ..SdsAgentConfig::new(id())
    });
    host.open(1);
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    host.open(2);
    host.ask(2, &[DEFAULT_SECRET], "");
    host.sign();
    assert_eq!((host.deltas.len(), host.sent.len()), (1, 1));
    host.now = host.now + secs(90_000);
    host.agent.handle_timeout(host.now, &mut host.entropy).unwrap();
    host.serve();
    let (stream, secrets, removed, _) = &host.deltas[1];
    assert_eq!(
        (*stream, secrets.len(), removed.clone()),
        (StreamId(1), 0, names(&[DEFAULT_SECRET]))
    );
    assert_eq!(host.sent.len(), 1, "the other variant cannot say it");
    host.sign();
    assert_eq!(sent(&host), [DEFAULT_SECRET, DEFAULT_SECRET]);
    assert_eq!(host.names(), [DEFAULT_SECRET, DEFAULT_SECRET]);
}

/// C-SDS-6 on a delta stream: the certificate follows the answer to the authorities, or comes after 5 s.
#[test]
fn authorities_go_before_the_certificate() {
    for answers in [true, false] {
        let mut host = serving();
        host.ca = Authority::self_signed(
            "cluster.local".parse().unwrap(),
            host.now.wall + secs(40_000),
            &mut host.entropy,
        )
        .unwrap();
        host.wake();
        host.sign();
        assert_eq!(sent(&host)[2..], [ROOT_SECRET]);
        // A change of the subscription alone is no answer.
        delta(&mut host, 1, &subscribe(&["file-root:/r"]));
        assert_eq!(sent(&host)[2..], [ROOT_SECRET]);
        let before = host.now.mono;
        if answers {
            let nonce = nonce(&host);
            delta(
                &mut host,
                1,
                &answer(&nonce, Some("refused, and that is an answer too")),
            );
        } else {
            host.wake();
            assert_eq!(host.now.mono.saturating_since(before), secs(5));
        }
        assert_eq!(sent(&host)[2..], [ROOT_SECRET, DEFAULT_SECRET]);
    }
}

/// C-SDS-7, C-SDS-1, C-GEN-8: streams that end, names that no agent has, and bounds.
#[test]
fn streams_end_as_in_the_other_variant() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    host.fail(down());
    assert_eq!(host.closed, [(StreamId(1), StatusCode::Unavailable)]);
    delta(&mut host, 1, &subscribe(&[DEFAULT_SECRET]));
    assert!(host.deltas.is_empty(), "the stream is gone");

    host.open(2);
    delta(&mut host, 2, &subscribe(&["*", "kubernetes://x"]));
    assert!(host.deltas.is_empty(), "secrets are asked for by name");
    let unknown = host
        .alarms
        .iter()
        .filter(|alarm| matches!(alarm, AgentAlarm::UnknownResource { .. }));
    assert_eq!(unknown.count(), 2);
    host.closed.clear();
    host.request(
        2,
        &SdsRequest {
            names: names(&[DEFAULT_SECRET]),
            ..SdsRequest::default()
        },
    );
    host.open(3);
    host.ask(3, &["file-root:/r"], "");
    delta(&mut host, 3, &subscribe(&["file-root:/r"]));
    let invalid = StatusCode::InvalidArgument;
    assert_eq!(
        host.closed,
        [(StreamId(2), invalid), (StreamId(3), invalid)],
        "one variant for one stream"
    );

    host.closed.clear();
    let many: Vec<String> = (0..65).map(|number| format!("file-root:/{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let versions = many
        .iter()
        .map(|name| ((*name).to_owned(), String::new()))
        .collect();
    host.open(4);
    delta(&mut host, 4, &subscribe(&many));
    host.open(5);
    delta(
        &mut host,
        5,
        &DeltaSdsRequest {
            initial_versions: versions,
            ..DeltaSdsRequest::default()
        },
    );
    host.open(6);
    delta(&mut host, 6, &subscribe(&many[..64]));
    delta(
        &mut host,
        6,
        &DeltaSdsRequest {
            unsubscribe: names(&many[..1]),
            ..subscribe(&many[64..])
        },
    );
    assert_eq!(host.closed.len(), 2, "64 are wanted");
    delta(&mut host, 6, &subscribe(&many[..1]));
    let exhausted = StatusCode::ResourceExhausted;
    assert_eq!(host.closed, [4, 5, 6].map(|stream| (StreamId(stream), exhausted)));
    assert!(host.agent.held(&names(&many)).is_empty());
}

/// C-GEN-7: versions are printed, so that the key is no part of them; all else is.
#[test]
fn versions_say_nothing_of_the_key() {
    let key = |seed: u64| {
        KeyPair::generate(&mut mesh_ca::InsecureSeededEntropy::new(seed))
            .unwrap()
            .to_pem(KeyFormat::Pkcs8)
    };
    let version = |chain: &str, seed: u64, provider: Option<PrivateKeyProvider>| {
        let secret = Secret::Certificate(CertificateSecret {
            chain: chain.to_owned(),
            key: key(seed),
            provider,
        });
        NamedSecret {
            name: DEFAULT_SECRET.to_owned(),
            version: 1,
            secret: secret.into(),
        }
        .resource_version()
    };
    assert_eq!(version("a", 1, None), version("a", 2, None));
    let provider = |delay: u64| {
        Some(PrivateKeyProvider::Qat {
            poll_delay: secs(delay),
        })
    };
    let others = [
        version("a", 1, None),
        version("b", 1, None),
        version("a", 1, provider(1)),
        version("a", 1, provider(2)),
        version("a", 1, Some(PrivateKeyProvider::Cryptomb { poll_delay: secs(1) })),
    ];
    assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
}

fn other_root(seed: u64) -> Vec<u8> {
    let mut entropy = mesh_ca::InsecureSeededEntropy::new(seed);
    let now = mesh_ca::UnixTime::from_secs(1_800_000_000);
    Authority::self_signed("cluster.local".parse().unwrap(), now, &mut entropy)
        .unwrap()
        .certificate_der()
        .to_vec()
}

/// Something that happens to an agent with two proxies.
#[derive(Debug, Clone)]
enum Event {
    /// The CA answers, or fails.
    Ca {
        signs: bool,
    },
    File {
        number: usize,
        content: u8,
    },
    /// A proxy takes one response, and refuses it perhaps.
    Take {
        is_delta: bool,
        refuses: bool,
    },
    /// A proxy loses its stream, and with it what is under way.
    Reconnect {
        is_delta: bool,
    },
    Restart,
    Roots {
        which: u8,
    },
    Rotate,
    /// Both proxies want these of the four names.
    Want {
        which: u8,
    },
    Wake,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => any::<bool>().prop_map(|signs| Event::Ca { signs }),
        4 => (0usize..3, 0u8..3).prop_map(|(number, content)| Event::File { number, content }),
        6 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(is_delta, refuses)| Event::Take { is_delta, refuses }),
        2 => any::<bool>().prop_map(|is_delta| Event::Reconnect { is_delta }),
        1 => Just(Event::Restart),
        2 => (0u8..4).prop_map(|which| Event::Roots { which }),
        2 => Just(Event::Rotate),
        3 => (0u8..16).prop_map(|which| Event::Want { which }),
        2 => Just(Event::Wake),
    ]
}

const NAMES: [&str; 4] = [DEFAULT_SECRET, ROOT_SECRET, "file-root:/r", "file-cert:/c~/k"];
const PATHS: [&str; 3] = ["/r", "/c", "/k"];

/// A proxy: what it wants, what it got, and what is on its way to it.
struct Proxy {
    is_delta: bool,
    stream: u64,
    wants: BTreeSet<String>,
    /// Whatever it was sent last, taken or not.
    got: BTreeMap<String, Arc<Secret>>,
    /// The versions of what it took, as it names them when it comes back.
    took: BTreeMap<String, String>,
    nonce: String,
    inbox: VecDeque<(Vec<NamedSecret>, Vec<String>, String)>,
}

impl Proxy {
    fn new(is_delta: bool) -> Self {
        Self {
            is_delta,
            stream: 0,
            wants: NAMES[..2].iter().map(|name| (*name).to_owned()).collect(),
            got: BTreeMap::new(),
            took: BTreeMap::new(),
            nonce: String::new(),
            inbox: VecDeque::new(),
        }
    }

    fn connect(&mut self, host: &mut Host, stream: u64) {
        (self.stream, self.nonce) = (stream, String::new());
        self.inbox.clear();
        host.open(stream);
        match self.is_delta {
            false => self.ask(host, None),
            true => {
                let request = DeltaSdsRequest {
                    subscribe: self.wants.iter().cloned().collect(),
                    initial_versions: self.took.clone(),
                    ..DeltaSdsRequest::default()
                };
                delta(host, self.stream, &request);
            }
        }
    }

    /// A request of the state-of-the-world variant.
    fn ask(&mut self, host: &mut Host, error: Option<String>) {
        let request = SdsRequest {
            names: self.wants.iter().cloned().collect(),
            nonce: self.nonce.clone(),
            error,
            ..SdsRequest::default()
        };
        host.request(self.stream, &request);
    }

    fn want(&mut self, host: &mut Host, wants: BTreeSet<String>) {
        let request = DeltaSdsRequest {
            subscribe: wants.difference(&self.wants).cloned().collect(),
            unsubscribe: self.wants.difference(&wants).cloned().collect(),
            ..DeltaSdsRequest::default()
        };
        self.wants = wants;
        self.got.retain(|name, _| self.wants.contains(name));
        self.took.retain(|name, _| self.wants.contains(name));
        match self.is_delta {
            true => delta(host, self.stream, &request),
            false => self.ask(host, None),
        }
    }

    fn take(&mut self, host: &mut Host, refuses: bool) -> bool {
        let Some((secrets, removed, nonce)) = self.inbox.pop_front() else {
            return false;
        };
        assert!(removed.is_empty(), "nothing is withdrawn here");
        for secret in secrets {
            match refuses {
                true => self.took.remove(&secret.name),
                false => self.took.insert(secret.name.clone(), secret.resource_version()),
            };
            self.got.insert(secret.name.clone(), secret.secret);
        }
        self.got.retain(|name, _| self.wants.contains(name));
        self.took.retain(|name, _| self.wants.contains(name));
        let error = refuses.then(|| "no".to_owned());
        match self.is_delta {
            true => delta(host, self.stream, &answer(&nonce, error.as_deref())),
            false => {
                self.nonce = nonce;
                self.ask(host, error);
            }
        }
        true
    }
}

struct World {
    host: Host,
    proxies: [Proxy; 2],
    streams: u64,
    files: BTreeMap<&'static str, String>,
    /// What can be in the files: two pairs of a certificate and its key.
    pairs: [(String, String); 2],
    sent: usize,
}

impl World {
    fn new() -> Self {
        let mut host = Host::new(SdsAgentConfig::new(id()));
        let pairs = [host.pair(), host.pair()];
        let mut world = Self {
            host,
            proxies: [Proxy::new(false), Proxy::new(true)],
            streams: 0,
            files: BTreeMap::new(),
            pairs,
            sent: 0,
        };
        world.reconnect(0);
        world.reconnect(1);
        world
    }

    fn reconnect(&mut self, number: usize) {
        self.host
            .agent
            .close_stream(StreamId(self.proxies[number].stream));
        self.streams += 1;
        self.proxies[number].connect(&mut self.host, self.streams);
        self.deliver();
    }

    /// Gives the agent the files that it asks for, and the proxies what is sent to them.
    fn deliver(&mut self) {
        loop {
            for path in std::mem::take(&mut self.host.reads) {
                let content = self
                    .files
                    .get(path.as_str())
                    .map(|content| content.clone().into_bytes());
                self.host.agent.handle_file(self.host.now, &path, content);
            }
            self.host.serve();
            let sotw = std::mem::take(&mut self.host.sent).into_iter();
            let sotw = sotw.map(|(stream, secrets, _, nonce)| (stream, secrets, Vec::new(), nonce));
            for (stream, secrets, removed, nonce) in sotw.chain(std::mem::take(&mut self.host.deltas)) {
                let proxy = self
                    .proxies
                    .iter_mut()
                    .find(|proxy| StreamId(proxy.stream) == stream);
                self.sent += secrets.len();
                proxy.unwrap().inbox.push_back((secrets, removed, nonce));
            }
            let closed: Vec<StreamId> = std::mem::take(&mut self.host.closed)
                .into_iter()
                .map(|(stream, _)| stream)
                .collect();
            for number in [0, 1] {
                if closed.contains(&StreamId(self.proxies[number].stream)) {
                    self.streams += 1;
                    self.proxies[number].connect(&mut self.host, self.streams);
                }
            }
            if self.host.reads.is_empty() && closed.is_empty() {
                return;
            }
        }
    }

    fn take(&mut self, number: usize, refuses: bool) -> bool {
        let took = self.proxies[number].take(&mut self.host, refuses);
        self.deliver();
        took
    }

    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Ca { signs } if !self.host.asked.is_empty() => match signs {
                true => self.host.sign(),
                false => self.host.fail(down()),
            },
            Event::Ca { .. } => {}
            Event::File { number, content } => {
                let content = match (number, content) {
                    (0, _) => format!("roots {content}"),
                    (1, _) => self.pairs[usize::from(content) % 2].0.clone(),
                    (_, _) => self.pairs[usize::from(content) % 2].1.clone(),
                };
                self.files.insert(PATHS[number], content.clone());
                self.host.file(PATHS[number], &content);
            }
            Event::Take { is_delta, refuses } => drop(self.take(usize::from(is_delta), refuses)),
            Event::Reconnect { is_delta } => self.reconnect(usize::from(is_delta)),
            Event::Restart => {
                self.host.agent = SdsAgent::new(SdsAgentConfig::new(id()));
                self.host.asked.clear();
                self.reconnect(0);
                self.reconnect(1);
            }
            Event::Roots { which } => {
                let all = [other_root(7), other_root(8)];
                let chosen = all
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| which >> at & 1 == 1)
                    .map(|(_, root)| root);
                let roots = chosen.chain([self.host.ca.certificate_der().to_vec()]).collect();
                self.host.agent.handle_bundle(self.host.now, roots);
            }
            Event::Rotate => self.host.agent.rotate(self.host.now),
            Event::Want { which } => {
                while self.take(0, false) | self.take(1, false) {}
                let wants = NAMES.iter().enumerate().filter(|(at, _)| which >> at & 1 == 1);
                let wants: BTreeSet<String> = wants.map(|(_, name)| (*name).to_owned()).collect();
                for proxy in &mut self.proxies {
                    proxy.want(&mut self.host, wants.clone());
                }
            }
            Event::Wake if self.host.agent.poll_timeout().is_some() => self.host.wake(),
            Event::Wake => {}
        }
        self.deliver();
    }

    /// Until nothing is on its way, and nothing is due for a while.
    fn settle(&mut self) {
        for _ in 0..200 {
            while self.take(0, false) | self.take(1, false) {}
            let soon = self.host.now.mono + secs(200);
            if !self.host.asked.is_empty() {
                self.host.sign();
            } else if self.host.agent.poll_timeout().is_some_and(|at| at <= soon) {
                self.host.wake();
            } else {
                return;
            }
            self.deliver();
        }
        panic!("it does not come to rest");
    }
}

/// C-SDS-11: whatever happens, in the end both variants have delivered the same secrets, those that the agent holds.
#[test]
fn both_variants_deliver_the_same() {
    let (compared, sent, certificates) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config::with_cases(400));
    let events = prop::collection::vec(event(), 0..60);
    let outcome = runner.run(&events, |events| {
        let mut world = World::new();
        for event in &events {
            world.apply(event);
        }
        world.settle();
        let World {
            host,
            proxies: [sotw, delta],
            ..
        } = &world;
        prop_assert_eq!(&sotw.wants, &delta.wants);
        for held in host.agent.held(&sotw.wants.iter().cloned().collect::<Vec<_>>()) {
            // What it does not hold, it cannot send again to a proxy that lost it.
            prop_assert_eq!(sotw.got.get(&held.name), Some(&held.secret), "{}", held.name);
            prop_assert_eq!(delta.got.get(&held.name), Some(&held.secret), "{}", held.name);
            compared.set(compared.get() + 1);
            certificates.set(certificates.get() + usize::from(held.name == DEFAULT_SECRET));
        }
        sent.set(sent.get() + world.sent);
        Ok(())
    });
    outcome.unwrap();
    let counts = (compared.get(), certificates.get(), sent.get());
    assert!(counts.0 > 500 && counts.1 > 150 && counts.2 > 4_000, "{counts:?}");
}
