//! The other side: a client that trusts one root, as the API server does by a `caBundle`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A connection to a webhook.
pub(crate) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    name: String,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects to a server that must prove to have the DNS name, by a certificate that ends in the root.
    pub(crate) fn connect(address: SocketAddr, name: &str, root: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned())?)?;
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self {
            stream: StreamOwned::new(connection, stream),
            name: name.to_owned(),
            buffer: Vec::new(),
        })
    }

    /// Sends a request with a body, and gives the status and the body of the answer.
    pub(crate) fn post(
        &mut self,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<(u16, Vec<u8>), Box<dyn Error>> {
        let Self { name, .. } = self;
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {name}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    /// Sends these bytes, and gives the status and the body of the answer.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>), Box<dyn Error>> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut response = httparse::Response::new(&mut headers);
            if let httparse::Status::Complete(head) = response.parse(&self.buffer)? {
                let status = response.code.unwrap_or_default();
                let length = response
                    .headers
                    .iter()
                    .find(|header| header.name.eq_ignore_ascii_case("content-length"));
                let length: usize =
                    std::str::from_utf8(length.ok_or("an answer without a length")?.value)?.parse()?;
                while self.buffer.len() < head + length {
                    self.read_more()?;
                }
                let rest = self.buffer.split_off(head + length);
                let body = self.buffer.split_off(head);
                self.buffer = rest;
                return Ok((status, body));
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Result<(), Box<dyn Error>> {
        let mut chunk = [0; 8 << 10];
        match self.stream.read(&mut chunk)? {
            0 => Err("the server has closed the connection".into()),
            count => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(())
            }
        }
    }
}
