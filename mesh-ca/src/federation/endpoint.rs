use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The URL of a bundle endpoint: scheme `https`, a host, no user information; all else is free.
///
/// A fragment is no part of a request and is cut off; [`had_fragment`](Self::had_fragment) tells.
///
/// ```
/// use mesh_ca::federation::EndpointUrl;
///
/// let url: EndpointUrl = "https://spire.example.org:8443/bundle?v=1#top".parse()?;
/// assert_eq!(url.as_str(), "https://spire.example.org:8443/bundle?v=1");
/// assert_eq!((url.host(), url.had_fragment()), ("spire.example.org", true));
/// for refused in ["http://example.org/", "https://me@example.org/", "https:///bundle", "https://a b/"] {
///     assert!(refused.parse::<EndpointUrl>().is_err(), "{refused}");
/// }
/// # Ok::<(), mesh_ca::federation::EndpointUrlError>(())
/// ```
///
/// Spec: SPIFFE Federation §5.1. Source: ca.md C-FED-2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointUrl {
    text: String,
    // INVARIANT: where the host stands in the text.
    host: (usize, usize),
    had_fragment: bool,
}

impl EndpointUrl {
    /// The URL to ask, without a fragment.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, an IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        self.text.get(self.host.0..self.host.1).unwrap_or_default()
    }

    /// Whether a fragment was cut off, which says that whoever wrote it expected something of it.
    pub fn had_fragment(&self) -> bool {
        self.had_fragment
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointUrlError;

    fn from_str(text: &str) -> Result<Self, EndpointUrlError> {
        const SCHEME: &str = "https://";
        if let Some(at) = text.bytes().position(|byte| !byte.is_ascii_graphic()) {
            return Err(EndpointUrlError::Character(at));
        }
        match text.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => {}
            _ => return Err(EndpointUrlError::NotHttps),
        }
        let (url, had_fragment) = match text.split_once('#') {
            Some((url, _)) => (url, true),
            None => (text, false),
        };
        let rest = url.get(SCHEME.len()..).unwrap_or_default();
        let authority = rest.split(['/', '?', '\\']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(EndpointUrlError::UserInformation);
        }
        let host = split_port(authority)?;
        if host.is_empty() || host == "[]" {
            return Err(EndpointUrlError::NoHost);
        }
        Ok(Self {
            host: (SCHEME.len(), SCHEME.len() + host.len()),
            text: url.to_owned(),
            had_fragment,
        })
    }
}

/// The host of an authority whose port, if there is one, is a number.
fn split_port(authority: &str) -> Result<&str, EndpointUrlError> {
    let (host, port) = match authority.split_once(']') {
        Some((host, port)) if host.starts_with('[') => {
            (authority.get(..host.len() + 1).unwrap_or_default(), port)
        }
        _ => match authority.find(':') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        },
    };
    let digits = match port.strip_prefix(':') {
        Some(digits) => digits,
        None if port.is_empty() => return Ok(host),
        None => return Err(EndpointUrlError::Port),
    };
    let is_port = digits.is_empty()
        || digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
    if is_port {
        Ok(host)
    } else {
        Err(EndpointUrlError::Port)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = EndpointUrlError;

    fn try_from(text: String) -> Result<Self, EndpointUrlError> {
        text.parse()
    }
}

impl From<EndpointUrl> for String {
    fn from(url: EndpointUrl) -> Self {
        url.text
    }
}

/// Why a text is no URL of a bundle endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointUrlError {
    /// A character that no URL has, at this byte.
    #[error("a character at byte {0} is none of a URL")]
    Character(usize),
    /// There is no host.
    #[error("the URL has no host")]
    NoHost,
    /// The scheme is not `https`.
    #[error("the scheme of a bundle endpoint is `https`")]
    NotHttps,
    /// The port is no number below 65536.
    #[error("the port is no number below 65536")]
    Port,
    /// A user name or password stands in it.
    #[error("the URL of a bundle endpoint has no user information")]
    UserInformation,
}

impl EndpointUrlError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Character(_) => "endpoint_url.character",
            Self::NoHost => "endpoint_url.no_host",
            Self::NotHttps => "endpoint_url.not_https",
            Self::Port => "endpoint_url.port",
            Self::UserInformation => "endpoint_url.user_information",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-FED-2, scenario 97.
    #[test]
    fn urls_are_https_with_a_host_and_no_user() {
        let refused = |text: &str| text.parse::<EndpointUrl>().unwrap_err();
        assert_eq!(refused("http://example.org"), EndpointUrlError::NotHttps);
        assert_eq!(refused("example.org"), EndpointUrlError::NotHttps);
        assert_eq!(refused(""), EndpointUrlError::NotHttps);
        assert_eq!(refused("https://"), EndpointUrlError::NoHost);
        assert_eq!(refused("https://:443/"), EndpointUrlError::NoHost);
        assert_eq!(refused("https://[]/"), EndpointUrlError::NoHost);
        assert_eq!(refused("https://u:p@h/"), EndpointUrlError::UserInformation);
        assert_eq!(refused("https://h:65536/"), EndpointUrlError::Port);
        assert_eq!(refused("https://h:+1/"), EndpointUrlError::Port);
        assert_eq!(refused("https://[::1]x/"), EndpointUrlError::Port);
        assert_eq!(refused("https://h/\u{e4}"), EndpointUrlError::Character(10));
        assert_eq!(refused("https://h/\0"), EndpointUrlError::Character(10));
        let host = |text: &str| text.parse::<EndpointUrl>().unwrap().host().to_owned();
        assert_eq!(host("HTTPS://Example.org?x=a@b"), "Example.org");
        assert_eq!(host("https://[::1]:8443/"), "[::1]");
        assert_eq!(host("https://h:/"), "h");
    }

    #[test]
    fn the_text_is_its_saved_form() {
        let url: EndpointUrl = "https://h/#f".parse().unwrap();
        assert_eq!(serde_json::to_string(&url).unwrap(), r#""https://h/""#);
        assert!(serde_json::from_str::<EndpointUrl>(r#""http://h/""#).is_err());
    }
}
