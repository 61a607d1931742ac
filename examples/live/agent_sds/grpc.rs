//! Envoy's secret discovery service over a Unix socket: gRPC frames on HTTP/2.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use mesh_xds::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use mesh_xds::secret;
use prost::Message;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::node::{Node, Result, ToProxy};

/// An agent that streams share, and what wakes them.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) node: Rc<RefCell<Node>>,
    pub(crate) changed: Rc<Notify>,
}

impl Shared {
    pub(crate) fn new(node: Node) -> Self {
        Self {
            node: Rc::new(RefCell::new(node)),
            changed: Rc::new(Notify::new()),
        }
    }

    /// Accepts proxies at this path, and calls the agent when it wants to be called. Runs until it is dropped.
    pub(crate) async fn serve(self, path: &Path) -> Result<()> {
        let listener = UnixListener::bind(path)?;
        loop {
            let wait = self.node.borrow().wait().unwrap_or(Duration::from_secs(60));
            tokio::select! {
                accepted = listener.accept() => {
                    let (socket, _) = accepted?;
                    tokio::task::spawn_local(self.clone().connection(socket));
                }
                () = self.changed.notified() => {}
                () = tokio::time::sleep(wait) => {
                    self.node.borrow_mut().tick()?;
                    self.changed.notify_waiters();
                }
            }
        }
    }

    async fn connection(self, socket: UnixStream) {
        let Ok(mut connection) = h2::server::handshake(socket).await else {
            return;
        };
        while let Some(Ok((request, respond))) = connection.accept().await {
            tokio::task::spawn_local(self.clone().stream(request, respond));
        }
    }

    async fn stream(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let method = match request.uri().path() {
            "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets" => Some(Method::DeltaSecrets),
            "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets" => Some(Method::StreamSecrets),
            _ => None,
        };
        let mut response = Response::new(());
        response
            .headers_mut()
            .insert("content-type", HeaderValue::from_static("application/grpc"));
        let Ok(mut send) = respond.send_response(response, false) else {
            return;
        };
        let Some(method) = method else {
            return close(&mut send, "12", "only StreamSecrets and DeltaSecrets are served");
        };
        let stream = self.node.borrow_mut().open();
        // A proxy that goes away, or sends nonsense, ends its stream; nothing else.
        let _ = self.talk(method, stream, request.into_body(), &mut send).await;
        self.node.borrow_mut().close(stream);
    }

    async fn talk(
        &self,
        method: Method,
        stream: mesh_ca::agent::StreamId,
        mut body: RecvStream,
        send: &mut SendStream<Bytes>,
    ) -> Result<()> {
        let mut received = BytesMut::new();
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the queue is looked at, so that nothing is missed in between.
            changed.as_mut().enable();
            let queued = match self.node.borrow_mut().queues.get_mut(&stream) {
                Some(queue) => std::mem::take(queue),
                None => return Ok(()),
            };
            for message in queued {
                match message {
                    ToProxy::Delta {
                        secrets,
                        removed,
                        version,
                        nonce,
                    } => {
                        let message = secret::delta_response(&secrets, &removed, &version, &nonce);
                        send.send_data(frame(&message.encode_to_vec()), false)?;
                    }
                    ToProxy::Secrets {
                        secrets,
                        version,
                        nonce,
                    } => {
                        let message = secret::response(&secrets, &version, &nonce).encode_to_vec();
                        send.send_data(frame(&message), false)?;
                    }
                    ToProxy::Close(status) => {
                        close(send, &status.code().number().to_string(), status.message());
                        return Ok(());
                    }
                }
            }
            tokio::select! {
                data = body.data() => {
                    let Some(data) = data else { return Ok(()) };
                    let data = data?;
                    body.flow_control().release_capacity(data.len())?;
                    received.extend_from_slice(&data);
                    while let Some(message) = next_message(&mut received)? {
                        self.hand_over(method, stream, message)?;
                        self.changed.notify_waiters();
                    }
                }
                () = changed => {}
            }
        }
    }

    /// Gives a request of a proxy to the agent.
    fn hand_over(&self, method: Method, stream: mesh_ca::agent::StreamId, message: Bytes) -> Result<()> {
        const NO_SECRETS: &str = "not a request for secrets";
        match method {
            Method::DeltaSecrets => {
                let message = DeltaDiscoveryRequest::decode(message)?;
                let request = secret::delta_request(&message).ok_or(NO_SECRETS)?;
                self.node.borrow_mut().delta_request(stream, &request)
            }
            Method::StreamSecrets => {
                let message = DiscoveryRequest::decode(message)?;
                let request = secret::request(&message).ok_or(NO_SECRETS)?;
                self.node.borrow_mut().request(stream, &request)
            }
        }
    }
}

/// How a stream speaks.
#[derive(Clone, Copy)]
enum Method {
    DeltaSecrets,
    StreamSecrets,
}

/// A message in its gRPC frame: no compression, length, content.
fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// The next whole message of what was received.
fn next_message(received: &mut BytesMut) -> Result<Option<Bytes>> {
    let Some(&[compressed, a, b, c, d]) = received.first_chunk() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if compressed != 0 || length > LONGEST_REQUEST {
        return Err("a frame that is compressed or too long".into());
    }
    if received.len() < length + 5 {
        return Ok(None);
    }
    received.advance(5);
    Ok(Some(received.split_to(length).freeze()))
}

fn close(send: &mut SendStream<Bytes>, status: &str, message: &str) {
    let mut trailers = HeaderMap::new();
    for (name, value) in [("grpc-status", status), ("grpc-message", message)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            trailers.insert(name, value);
        }
    }
    let _ = send.send_trailers(trailers);
}

/// A request of Envoy has a few hundred bytes, its node included a few thousand.
const LONGEST_REQUEST: usize = 1 << 20;
