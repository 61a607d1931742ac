//! As much of HTTP/1.1 as the API server speaks: requests with a length, one after the other.

use std::io::{self, Read};

use mesh_api::admission::{HttpHint, MAX_REQUEST_BYTES};

const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Whether another request may follow.
    pub(crate) keeps_alive: bool,
}

/// Why there is no request.
pub(crate) enum Failure {
    Io(io::Error),
    /// What to answer instead.
    Refused(u16, &'static str),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A request before its body.
struct Head {
    request: Request,
    /// The bytes of the head, and of the body.
    bytes: usize,
    body: usize,
}

/// Reads the next request; `None` if the client has gone. `buffer` holds what was read of it so far.
pub(crate) fn read_request(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Option<Request>, Failure> {
    let head = loop {
        if let Some(head) = parse_head(buffer)? {
            break head;
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(Failure::Refused(431, "the header is too large"));
        }
        if read_more(stream, buffer)? == 0 {
            return match buffer.is_empty() {
                true => Ok(None),
                false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            };
        }
    };
    let Head {
        mut request,
        bytes,
        body,
    } = head;
    while buffer.len() < bytes + body {
        if read_more(stream, buffer)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
    let rest = buffer.split_off(bytes + body);
    request.body = buffer.split_off(bytes);
    *buffer = rest;
    Ok(Some(request))
}

/// A client may close without saying so once nothing is under way.
fn read_more(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 8 << 10];
    match stream.read(&mut chunk) {
        Ok(count) => {
            buffer.extend_from_slice(&chunk[..count]);
            Ok(count)
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && buffer.is_empty() => Ok(0),
        Err(error) => Err(error),
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<Head>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let bytes = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Failure::Refused(431, "there are too many headers"));
        }
        Err(_) => return Err(Failure::Refused(400, "this is no HTTP request")),
    };
    let all = |name: &'static str| {
        let headers = parsed
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        headers.map(|header| String::from_utf8_lossy(header.value).into_owned())
    };
    if all("transfer-encoding").next().is_some() {
        return Err(Failure::Refused(411, "send a Content-Length"));
    }
    let mut lengths = all("content-length");
    let body = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(length), None) => length
            .parse()
            .map_err(|_| Failure::Refused(400, "Content-Length is no number"))?,
        (Some(_), Some(_)) => return Err(Failure::Refused(400, "there are two lengths")),
    };
    if body > MAX_REQUEST_BYTES {
        return Err(Failure::Refused(413, "the body is too large"));
    }
    let mut connection = all("connection").flat_map(|value| {
        value
            .split(',')
            .map(|word| word.trim().to_ascii_lowercase())
            .collect::<Vec<_>>()
    });
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed
            .path
            .unwrap_or_default()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned(),
        content_type: all("content-type").next(),
        body: Vec::new(),
        keeps_alive: parsed.version == Some(1) && !connection.any(|word| word == "close"),
    };
    Ok(Some(Head { request, bytes, body }))
}

/// A response, with its head.
pub(crate) fn response(hint: &HttpHint, is_last: bool) -> Vec<u8> {
    let HttpHint {
        status,
        content_type,
        body,
    } = hint;
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        _ => "",
    };
    let close = if is_last { "connection: close\r\n" } else { "" };
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 {status} {reason}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n{close}\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
