use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::wire::{self, Framing, Headers};

/// A request as bytes: any target, header lines in any number and order, with or without `Host`.
///
/// Nothing is added but `content-length` where there is a body and no such line.
///
/// ```
/// use testkit::envoy::RawRequest;
///
/// let request = RawRequest::new("GET", "/a?b").with_header("host", "reviews:9080").with_header("x", "1");
/// assert_eq!(request.to_bytes(), b"GET /a?b HTTP/1.1\r\nhost: reviews:9080\r\nx: 1\r\n\r\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRequest {
    /// The method.
    pub method: Vec<u8>,
    /// The target, in any of its forms (`/path?query`, `http://host/path`, `*`).
    pub target: Vec<u8>,
    /// The header lines in order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RawRequest {
    /// A request without headers, not even `Host`.
    pub fn new(method: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header line.
    pub fn with_header(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The request as HTTP/1.1 writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"] {
            bytes.extend_from_slice(part);
        }
        for (name, value) in &self.headers {
            for part in [&name[..], b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        if !self.body.is_empty() && wire::values(&self.headers, "content-length").next().is_none() {
            bytes.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends the request over a connection of its own and reads the answer.
    ///
    /// # Errors
    /// When the peer cannot be reached, does not answer within `timeout` (for each read), or answers something else than
    /// HTTP/1.1.
    pub fn send(&self, to: SocketAddr, timeout: Duration) -> io::Result<RawResponse> {
        let mut stream = TcpStream::connect_timeout(&to, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        stream.set_nodelay(true)?;
        stream.write_all(&self.to_bytes())?;
        let mut reader = BufReader::new(stream);
        loop {
            let head = wire::read_head(&mut reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let status = status_of(&head.start)?;
            if (100..200).contains(&status) {
                continue; // an interim answer, such as 100 Continue
            }
            let bodiless = self.method == b"HEAD" || matches!(status, 204 | 304);
            let framing = if bodiless {
                Framing::Length(0)
            } else {
                wire::framing(&head.headers)?.unwrap_or(Framing::UntilClose)
            };
            let body = wire::read_body(&mut reader, framing)?;
            return Ok(RawResponse {
                status,
                headers: head.headers,
                body,
            });
        }
    }
}

/// What came back for a [`RawRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    /// The header lines in order.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl RawResponse {
    /// The first value of a header, one character for each byte.
    pub fn header(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    /// All values of a header in order, one character for each byte.
    pub fn all(&self, name: &str) -> Vec<String> {
        wire::values(&self.headers, name).map(wire::latin1).collect()
    }

    /// The body, one character for each byte.
    pub fn text(&self) -> String {
        wire::latin1(&self.body)
    }
}

fn status_of(start: &[u8]) -> io::Result<u16> {
    let code = start.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let code = code
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|text| text.parse().ok());
    code.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("bad status line {:?}", wire::latin1(start)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_gets_its_length_unless_the_caller_wrote_one() {
        let request = RawRequest::new("POST", "*").with_body("ab");
        assert_eq!(
            request.to_bytes(),
            b"POST * HTTP/1.1\r\ncontent-length: 2\r\n\r\nab"
        );
        let request = request.with_header("Content-Length", "1");
        assert_eq!(
            request.to_bytes(),
            b"POST * HTTP/1.1\r\nContent-Length: 1\r\n\r\nab"
        );
    }

    #[test]
    fn status_lines_other_than_http_1_1_are_refused() {
        assert_eq!(status_of(b"HTTP/1.1 503 Service Unavailable").unwrap(), 503);
        assert!(status_of(b"HTTP/1.1 5x").is_err());
        assert!(status_of(b"\x00\x00\x12").is_err());
    }
}
