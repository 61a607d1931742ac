//! URLs as Go reads them: `net/url.Parse`, for verdicts on fields that istiod parses with it.
//!
//! Source: Go 1.26 `net/url`.

use std::net::Ipv6Addr;

/// What the rules ask of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    /// In lower case; empty if there is none.
    pub(crate) scheme: String,
    /// The digits after the last colon of the host; empty if there are none.
    pub(crate) port: &'a str,
}

/// Reads a URL or a relative reference.
///
/// # Errors
/// What Go refuses, in words of our own.
pub(crate) fn parse(text: &str) -> Result<Url<'_>, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("it holds a control character".to_owned());
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    unescape(fragment)?;
    if text == "*" {
        return Ok(Url {
            scheme: String::new(),
            port: "",
        });
    }
    let (scheme, rest) = split_scheme(text)?;
    let rest = rest.split_once('?').map_or(rest, |(path, _query)| path);
    let mut url = Url {
        scheme: scheme.to_ascii_lowercase(),
        port: "",
    };
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            return Ok(url); // opaque
        }
        let segment = rest.split_once('/').map_or(rest, |(segment, _)| segment);
        if segment.contains(':') {
            return Err("its first part holds a colon".to_owned());
        }
    }
    let has_authority = !scheme.is_empty() || !rest.starts_with("///");
    let path = match rest.strip_prefix("//").filter(|_| has_authority) {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            url.port = parse_authority(authority)?;
            path
        }
        None => rest,
    };
    unescape(path)?;
    Ok(url)
}

/// The scheme before the first colon, and what follows; what is no scheme is part of the rest.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("its scheme is missing".to_owned()),
            b':' => return Ok(text.split_once(':').unwrap_or(("", text))),
            _ => break,
        }
    }
    Ok(("", text))
}

/// Gives the port.
fn parse_authority(authority: &str) -> Result<&str, String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return parse_host(authority);
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(allowed) {
        return Err("its user name holds a character that is not allowed".to_owned());
    }
    unescape(user)?;
    parse_host(host)
}

/// Gives the port.
fn parse_host(host: &str) -> Result<&str, String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed
                .rsplit_once(']')
                .ok_or_else(|| "the closing bracket of its host is missing".to_owned())?;
            check_address(address)?;
            ("", port)
        }
        None => host
            .find(':')
            .and_then(|at| host.split_at_checked(at))
            .unwrap_or((host, "")),
    };
    check_host_text(name)?;
    let Some(digits) = port.strip_prefix(':') else {
        return match port.is_empty() {
            true => Ok(""),
            false => Err(format!("`{port}` follows its host")),
        };
    };
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(digits),
        false => Err(format!("its port `{digits}` is not a number")),
    }
}

/// An IPv6 address between brackets; a zone follows `%25`.
fn check_address(text: &str) -> Result<(), String> {
    let (address, zone) = match text.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let fits = address.parse::<Ipv6Addr>().is_ok() && zone != Some("");
    match fits {
        true => unescape(zone.unwrap_or_default()),
        false => Err(format!("`{text}` is no IPv6 address")),
    }
}

/// A host name: ASCII beyond letters and digits only as far as Go lets it, `%` only before bytes that are not ASCII.
fn check_host_text(name: &str) -> Result<(), String> {
    let allowed =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c);
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        return Err(format!("its host holds `{c}`"));
    }
    for escaped in name.split('%').skip(1) {
        match hex_pair(escaped) {
            Some(0x80..) => {}
            _ if escaped.starts_with("25") => {}
            _ => return Err("its host holds a `%` that is not allowed".to_owned()),
        }
    }
    Ok(())
}

/// Whether each `%` is followed by two hexadecimal digits.
fn unescape(text: &str) -> Result<(), String> {
    match text.split('%').skip(1).all(|escaped| hex_pair(escaped).is_some()) {
        true => Ok(()),
        false => Err("a `%` is not followed by two hexadecimal digits".to_owned()),
    }
}

fn hex_pair(text: &str) -> Option<u8> {
    let digits = text.get(..2)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_reads_these() {
        for (text, scheme, port) in [
            ("", "", ""),
            ("*", "", ""),
            ("a.com/x", "", ""),
            ("/a:b", "", ""),
            ("./a:b", "", ""),
            ("HTTP://a.com", "http", ""),
            ("https://a.com:8443/x?y=%#z", "https", "8443"),
            ("http://a.com:", "http", ""),
            ("http://user:p%20w@a.com:1", "http", "1"),
            ("http://[::1]:80/", "http", "80"),
            ("http://[fe80::1%25eth0]", "http", ""),
            ("http://\u{e9}.com", "http", ""),
            ("http://%C3%A9.com", "http", ""),
            ("mailto:a b%", "mailto", ""),
            ("reg:5000/img", "reg", ""),
            ("my.registry:5000/img", "my.registry", ""),
            ("docker.io/x:tag", "", ""),
            ("oci://a/b", "oci", ""),
            ("///a b", "", ""),
            ("file:///x", "file", ""),
        ] {
            let expected = Url {
                scheme: scheme.to_owned(),
                port,
            };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn go_refuses_these() {
        for text in [
            ":a",
            "a\nb",
            "\u{7f}",
            "1.2.3.4:5000/img",
            ":b",
            "http://a.com:x",
            "http://a.com:80x",
            "http://a b",
            "http://a.com/%zz",
            "http://a.com/%f",
            "/x#%",
            "http://[::1",
            "http://[::1]x",
            "http://[1.2.3.4]/",
            "http://::1/",
            "http://a:80:80/",
            "http://us er@a",
            "http://%41.com",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
