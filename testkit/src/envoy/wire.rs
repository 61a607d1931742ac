//! As much of HTTP/1.1 as the raw client and the echo upstreams share: heads, and bodies by length or in chunks.

use std::io::{self, BufRead, Read as _};

/// More than Envoy's own limit of 60 KiB for a head, so that Envoy's limit is what a test meets.
const MAX_HEAD: usize = 256 * 1024;
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Headers as they were received, in order.
pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The start line and the headers of a message.
pub(crate) struct Head {
    pub(crate) start: Vec<u8>,
    pub(crate) headers: Headers,
}

/// Reads a head; `None` when the peer closed before its first byte.
pub(crate) fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut left = MAX_HEAD;
    let Some(start) = read_line(reader, &mut left)? else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader, &mut left)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            return Ok(Some(Head { start, headers }));
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(|| invalid("a header without a colon"))?;
        let (name, value) = line.split_at(colon);
        headers.push((name.to_vec(), value[1..].trim_ascii().to_vec()));
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

/// The framing that the headers ask for; `None` when they say nothing.
pub(crate) fn framing(headers: &Headers) -> io::Result<Option<Framing>> {
    if values(headers, "transfer-encoding").any(|value| value.eq_ignore_ascii_case(b"chunked")) {
        return Ok(Some(Framing::Chunked));
    }
    let Some(length) = values(headers, "content-length").next() else {
        return Ok(None);
    };
    let length = std::str::from_utf8(length)
        .ok()
        .and_then(|text| text.parse().ok());
    length
        .map(|length| Some(Framing::Length(length)))
        .ok_or_else(|| invalid("a bad content-length"))
}

pub(crate) fn read_body(reader: &mut impl BufRead, framing: Framing) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match framing {
        Framing::Length(length) if length > MAX_BODY => return Err(invalid("a body that is too long")),
        Framing::Length(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        Framing::UntilClose => {
            reader.take(MAX_BODY as u64).read_to_end(&mut body)?;
        }
        Framing::Chunked => loop {
            let mut left = MAX_HEAD;
            let line = read_line(reader, &mut left)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(digits)
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            let size = size.ok_or_else(|| invalid("a bad chunk size"))?;
            let start = body.len();
            if start + size > MAX_BODY {
                return Err(invalid("a body that is too long"));
            }
            body.resize(start + size, 0);
            reader.read_exact(&mut body[start..])?;
            // The line after a chunk is empty; after the last chunk come trailers, up to an empty line.
            while read_line(reader, &mut left)?.is_some_and(|line| !line.is_empty()) {}
            if size == 0 {
                break;
            }
        },
    }
    Ok(body)
}

/// The values of a header, by its name in any case.
pub(crate) fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
}

/// Bytes as text, one character for each byte, so that nothing is lost and tests can compare strings.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The line without its end; `None` at the end of the stream.
fn read_line(reader: &mut impl BufRead, left: &mut usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.take(*left as u64).read_until(b'\n', &mut line)?;
    if read == 0 && *left > 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(if read == *left {
            invalid("a head that is too long")
        } else {
            io::ErrorKind::UnexpectedEof.into()
        });
    }
    *left -= read;
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_keep_order_duplicates_and_bytes() {
        let text = b"GET /\xff HTTP/1.1\r\nx-a:  1 \r\nX-A:2\r\n\r\nrest";
        let mut reader = &text[..];
        let head = read_head(&mut reader).unwrap().unwrap();
        assert_eq!(head.start, b"GET /\xff HTTP/1.1");
        assert_eq!(values(&head.headers, "x-a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(reader, b"rest");
    }

    #[test]
    fn a_closed_stream_is_no_head_and_a_cut_one_is_an_error() {
        assert!(read_head(&mut &b""[..]).unwrap().is_none());
        assert!(read_head(&mut &b"GET / HTTP/1.1\r\nhost"[..]).is_err());
        let endless = vec![b'a'; MAX_HEAD + 1];
        assert!(read_head(&mut &endless[..]).is_err());
    }

    #[test]
    fn bodies_end_by_length_or_by_the_last_chunk() {
        let mut reader = &b"abcdef"[..];
        assert_eq!(read_body(&mut reader, Framing::Length(4)).unwrap(), b"abcd");
        assert_eq!(reader, b"ef");
        let mut reader = &b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\ntrailer: 1\r\n\r\nnext"[..];
        assert_eq!(read_body(&mut reader, Framing::Chunked).unwrap(), b"abcd");
        assert_eq!(reader, b"next");
        assert!(read_body(&mut &b"zz\r\n"[..], Framing::Chunked).is_err());
        assert!(read_body(&mut &b"ab"[..], Framing::Length(4)).is_err());
    }

    #[test]
    fn the_framing_is_what_the_headers_say() {
        let headers = |name: &str, value: &str| vec![(name.as_bytes().to_vec(), value.as_bytes().to_vec())];
        assert!(framing(&headers("Transfer-Encoding", "Chunked")).unwrap() == Some(Framing::Chunked));
        assert!(framing(&headers("content-length", "7")).unwrap() == Some(Framing::Length(7)));
        assert!(framing(&headers("x", "7")).unwrap().is_none());
        assert!(framing(&headers("content-length", "-7")).is_err());
    }
}
