use std::collections::BTreeMap;
use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::RawResponse;
use super::wire::{self, Framing, Head};

/// Upstreams on loopback, one port for each name, that answer every request with what they received.
///
/// An answer has status 200, the headers `x-echo-upstream` (the name), `x-echo-path` and `x-reply: echo`, and a JSON body: `upstream`,
/// `method`, `path`, and `headers`, a list of pairs in the order received. Text has one character for each byte.
///
/// Ports are opened at first use and kept: [`rename`](Self::rename) hands them to the names of the next batch, so that the
/// number of threads follows the largest batch, not the number of batches.
pub struct EchoPool {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    by_name: BTreeMap<String, SocketAddr>,
}

impl EchoPool {
    /// A pool without ports.
    pub fn new() -> Self {
        Self {
            shared: Arc::default(),
            slots: Vec::new(),
            by_name: BTreeMap::new(),
        }
    }

    /// The address that answers with `name`, the same one for the same name.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn upstream(&mut self, name: &str) -> io::Result<SocketAddr> {
        if let Some(address) = self.by_name.get(name) {
            return Ok(*address);
        }
        let next = self.by_name.len();
        if next == self.slots.len() {
            self.slots.push(Slot::open(&self.shared)?);
        }
        let slot = &self.slots[next];
        lock(&slot.name).replace_range(.., name);
        self.by_name.insert(name.to_owned(), slot.address);
        Ok(slot.address)
    }

    /// Forgets all names; the ports serve the names that are asked for next. Only for when no Envoy uses them any more.
    pub fn rename(&mut self) {
        self.by_name.clear();
    }

    /// The number of requests that were answered so far.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }
}

impl Default for EchoPool {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for EchoPool {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for slot in &self.slots {
            // Wakes the thread from `accept`; it sees the flag and ends.
            let _ = TcpStream::connect_timeout(&slot.address, Duration::from_secs(1));
        }
        for connection in std::mem::take(&mut *lock(&self.shared.connections)).into_values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        for slot in &mut self.slots {
            if let Some(thread) = slot.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// What an upstream received, read from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The name of the upstream.
    pub upstream: String,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The header lines in order, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Echo {
    /// Reads what the upstream received; `None` when the answer is none of an upstream's (Envoy answered itself).
    pub fn of(response: &RawResponse) -> Option<Self> {
        response.header("x-echo-upstream")?;
        let body: Value = serde_json::from_slice(&response.body).ok()?;
        let text = |key: &str| body.get(key)?.as_str().map(str::to_owned);
        let pair = |line: &Value| {
            Some((
                line.get(0)?.as_str()?.to_lowercase(),
                line.get(1)?.as_str()?.to_owned(),
            ))
        };
        Some(Self {
            upstream: text("upstream")?,
            method: text("method")?,
            path: text("path")?,
            headers: body
                .get("headers")?
                .as_array()?
                .iter()
                .map(pair)
                .collect::<Option<_>>()?,
        })
    }

    /// All values of a header in order, by its lower-case name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Connections at once, over all upstreams; more are closed unanswered.
const MAX_CONNECTIONS: usize = 1024;
const STACK: usize = 256 * 1024;

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    answered: AtomicU64,
    /// The open connections by number, so that the end of the pool can close them.
    connections: Mutex<BTreeMap<u64, TcpStream>>,
    next: AtomicU64,
}

struct Slot {
    address: SocketAddr,
    name: Arc<Mutex<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Slot {
    fn open(shared: &Arc<Shared>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let name = Arc::new(Mutex::new(String::new()));
        let (shared, named) = (Arc::clone(shared), Arc::clone(&name));
        let thread = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || accept(&listener, &shared, &named))?;
        Ok(Self {
            address,
            name,
            thread: Some(thread),
        })
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, name: &Arc<Mutex<String>>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        threads.retain(|thread| !thread.is_finished());
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        {
            let mut connections = lock(&shared.connections);
            if connections.len() >= MAX_CONNECTIONS {
                continue;
            }
            let Ok(clone) = stream.try_clone() else { continue };
            connections.insert(number, clone);
        }
        let (shared_too, name) = (Arc::clone(shared), Arc::clone(name));
        let serve = move || {
            // An error is a peer that went away or sent no HTTP: its connection ends, and the test that waits sees it.
            let _ = serve(stream, &shared_too, &name);
            lock(&shared_too.connections).remove(&number);
        };
        match thread::Builder::new().stack_size(STACK).spawn(serve) {
            Ok(thread) => threads.push(thread),
            Err(_) => drop(lock(&shared.connections).remove(&number)),
        }
    }
    // `Drop` has taken the streams out and shut them down; those that came in between are shut here.
    for connection in std::mem::take(&mut *lock(&shared.connections)).into_values() {
        let _ = connection.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

fn serve(stream: TcpStream, shared: &Shared, name: &Mutex<String>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = wire::read_head(&mut reader)? {
        let framing = wire::framing(&head.headers)?.unwrap_or(Framing::Length(0));
        wire::read_body(&mut reader, framing)?;
        let answer = answer(&lock(name), &head);
        // Counted before the answer is out, so that whoever has the answer finds it counted.
        shared.answered.fetch_add(1, Ordering::Relaxed);
        writer.write_all(&answer)?;
    }
    Ok(())
}

fn answer(name: &str, head: &Head) -> Vec<u8> {
    let mut parts = head.start.split(|byte| *byte == b' ');
    let method = parts.next().unwrap_or_default();
    let path = parts.next().unwrap_or_default();
    let headers: Vec<Value> = head
        .headers
        .iter()
        .map(|(name, value)| json!([wire::latin1(name), wire::latin1(value)]))
        .collect();
    let body = json!({
        "upstream": name, "method": wire::latin1(method), "path": wire::latin1(path), "headers": headers,
    });
    let body = body.to_string();
    let mut bytes = format!("HTTP/1.1 200 OK\r\nx-echo-upstream: {name}\r\nx-echo-path: ").into_bytes();
    bytes.extend_from_slice(path);
    bytes.extend_from_slice(
        format!(
            "\r\nx-reply: echo\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    if method != b"HEAD" {
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::RawRequest;

    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn an_upstream_answers_with_its_name_and_what_it_received() {
        let mut pool = EchoPool::new();
        let address = pool.upstream("outbound|80||a.b").unwrap();
        assert_eq!(pool.upstream("outbound|80||a.b").unwrap(), address);
        let request = RawRequest::new("POST", "/x%2F?q")
            .with_header("X-A", "1")
            .with_header("x-a", "2")
            .with_body("hello");
        let echo = Echo::of(&request.send(address, SOON).unwrap()).unwrap();
        assert_eq!(
            (echo.upstream.as_str(), echo.method.as_str()),
            ("outbound|80||a.b", "POST")
        );
        assert_eq!(echo.path, "/x%2F?q");
        assert_eq!(echo.all("x-a"), ["1", "2"]);
        assert_eq!(pool.answered(), 1);
    }

    #[test]
    fn ports_are_used_again_under_new_names() {
        let mut pool = EchoPool::new();
        let first = pool.upstream("first").unwrap();
        pool.rename();
        assert_eq!(pool.upstream("second").unwrap(), first);
        let response = RawRequest::new("HEAD", "/").send(first, SOON).unwrap();
        assert_eq!(response.header("x-echo-upstream").as_deref(), Some("second"));
        assert!(response.body.is_empty());
    }

    #[test]
    fn the_end_of_the_pool_closes_what_is_open() {
        let mut pool = EchoPool::new();
        let address = pool.upstream("a").unwrap();
        let idle = TcpStream::connect(address).unwrap();
        RawRequest::new("GET", "/").send(address, SOON).unwrap();
        drop(pool);
        assert!(TcpStream::connect_timeout(&address, SOON).is_err());
        drop(idle);
    }
}
