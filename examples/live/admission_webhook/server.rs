//! The HTTPS server: a thread per connection, and not many of them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mesh_api::admission::{AdmissionOptions, HttpHint, respond};
use mesh_ca::rustls::SvidResolver;
use rustls::crypto::ring;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::{self, Failure, Request};
use crate::identity::Identity;

/// Connections at a time; more are closed at once.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may be silent.
const IDLE: Duration = Duration::from_secs(10);

/// A webhook that listens.
pub(crate) struct Server {
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    options: AdmissionOptions,
}

impl Server {
    /// Listens at the address. Clients need no certificate, as the API server has none unless it is told to.
    pub(crate) fn bind(address: &str, identity: &Identity) -> Result<Self, Box<dyn std::error::Error>> {
        let provider = Arc::new(ring::default_provider());
        let svid = SvidResolver::new(identity.chain.clone(), identity.key.expose(), &provider)?;
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(svid));
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            listener: TcpListener::bind(address)?,
            tls: Arc::new(tls),
            options: AdmissionOptions::default(),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is set; then [`wake`](Self::wake) ends the wait for the next client.
    pub(crate) fn serve(&self, stop: &AtomicBool) {
        let open = &AtomicUsize::new(0);
        thread::scope(|scope| {
            for stream in self.listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                if open.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
                    open.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                scope.spawn(move || {
                    if let Err(error) = self.converse(stream) {
                        eprintln!("a connection ended: {error}");
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    /// Makes [`serve`](Self::serve) look at its `stop`.
    pub(crate) fn wake(&self) {
        if let Ok(address) = self.address() {
            drop(TcpStream::connect(address));
        }
    }

    /// Answers the requests of one connection.
    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(IDLE))?;
        stream.set_write_timeout(Some(IDLE))?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        let mut buffer = Vec::new();
        loop {
            let (hint, is_last) = match http::read_request(&mut stream, &mut buffer) {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => (self.answer(&request), !request.keeps_alive),
                Err(Failure::Io(error)) => return Err(error),
                // where the next request begins is not known
                Err(Failure::Refused(status, text)) => (plain(status, text), true),
            };
            stream.write_all(&http::response(&hint, is_last))?;
            stream.flush()?;
            if is_last {
                stream.conn.send_close_notify();
                stream.flush()?;
                return part(&stream.sock);
            }
        }
    }

    fn answer(&self, request: &Request) -> HttpHint {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/ready") => plain(200, "ready"),
            ("POST", "/validate") => {
                respond(request.content_type.as_deref(), &request.body, &self.options).http
            }
            (_, "/validate") => plain(405, "ask with POST"),
            _ => plain(404, "there is nothing here but /validate and /ready"),
        }
    }
}

/// Ends a connection without cutting off the answer, which happens when a socket is closed with something unread in it.
fn part(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut rest = [0; 8 << 10];
    for _ in 0..64 {
        match stream.read(&mut rest) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(())
}

fn plain(status: u16, text: &str) -> HttpHint {
    HttpHint {
        status,
        content_type: "text/plain",
        body: text.as_bytes().to_vec(),
    }
}
