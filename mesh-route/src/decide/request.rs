//! A request, raw: what Envoy takes may be more than a URL type would.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use mesh_ca::SpiffeId;

use crate::matching::{Headers, RequestView};

/// A request and the connection it comes on, as a proxy sees them before it changes anything.
///
/// ```
/// use mesh_route::Request;
///
/// let request = Request::get("http://reviews:9080/reviews/7?page=2")?.with_header("End-User", "jason");
/// assert_eq!(request.authority(), Some(&b"reviews:9080"[..])); // as written
/// assert_eq!(request.destination().port, 9080);
/// assert_eq!(request.target(), b"/reviews/7?page=2");
/// assert_eq!(request.headers().first("end-user"), Some(&b"jason"[..]));
/// # Ok::<(), mesh_route::RequestError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    method: Vec<u8>,
    scheme: Vec<u8>,
    authority: Option<Vec<u8>>,
    target: Vec<u8>,
    headers: Headers,
    http2: bool,
    destination: Destination,
    tls: Option<ClientHello>,
    peer: Option<SpiffeId>,
    draws: Draws,
}

/// Where the connection was going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The address; `None`: not known, so that listeners on all addresses are preferred.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self {
            address: Some(address.ip()),
            port: address.port(),
        }
    }
}

impl From<u16> for Destination {
    fn from(port: u16) -> Self {
        Self { address: None, port }
    }
}

/// What a TLS client says before it is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server name (SNI); compared in lower case. `None`: not sent.
    pub server_name: Option<String>,
    /// Application protocols (ALPN), in order of preference.
    pub alpn: Vec<String>,
}

/// The random numbers of a request, one for each purpose (R-IN-1). All are 0 unless given, so that the first weighted
/// destination is drawn and every fault and mirror with a share above 0 fires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draws {
    /// For the choice among weighted destinations, taken modulo the sum of weights.
    pub weight: u64,
    /// For an injected delay.
    pub fault_delay: u64,
    /// For an injected answer.
    pub fault_abort: u64,
    /// For each mirror, in order; missing ones are 0.
    pub mirrors: Vec<u64>,
}

impl Request {
    /// A `GET` of `url`.
    ///
    /// # Errors
    /// When `url` is not `http://` or `https://`, an authority, and optionally a path.
    pub fn get(url: &str) -> Result<Self, RequestError> {
        Self::new("GET", url)
    }

    /// A request of `url`. The port of the URL, or the scheme's own, is the destination's port. With `https` the
    /// connection begins with TLS, and the server name is the host unless that is an address.
    ///
    /// # Errors
    /// When `url` is not `http://` or `https://`, an authority, and optionally a path.
    pub fn new(method: &str, url: &str) -> Result<Self, RequestError> {
        let error = |kind| RequestError {
            kind,
            url: url.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or(error(ErrorKind::NoScheme))?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(error(ErrorKind::OtherScheme)),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(error(ErrorKind::UserInfo));
        }
        let port = port_of(authority)
            .map_err(|()| error(ErrorKind::Port))?
            .unwrap_or(default_port);
        let target = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let mut request = Self::to_port(method, port);
        request.tls = (scheme == "https").then(|| ClientHello::for_authority(authority));
        request.scheme = scheme.into_bytes();
        request.authority = Some(authority.as_bytes().to_vec());
        request.target = target.into_bytes();
        Ok(request)
    }

    /// A plaintext request of `/` without an authority, to a port.
    fn to_port(method: &str, port: u16) -> Self {
        Self {
            method: method.as_bytes().to_vec(),
            scheme: b"http".to_vec(),
            authority: None,
            target: b"/".to_vec(),
            headers: Headers::new(),
            http2: false,
            destination: port.into(),
            tls: None,
            peer: None,
            draws: Draws::default(),
        }
    }

    /// With one more header line. `host` is the authority, and so are pseudo headers what they name; of those the last
    /// one stays.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        match name.to_ascii_lowercase().as_str() {
            "host" | ":authority" => self.authority = Some(value.to_vec()),
            ":method" => self.method = value.to_vec(),
            ":path" => self.target = value.to_vec(),
            ":scheme" => self.scheme = value.to_vec(),
            "cookie" if self.http2 => self.headers.append_joined(name, value, Some(b"; ")),
            _ => self.headers.append(name, value),
        }
        self
    }

    /// With the request target as it stands in the request line: a path, `*`, or an absolute URL, whose authority then
    /// replaces the one given (R-ENV-3).
    pub fn with_target(mut self, target: impl AsRef<[u8]>) -> Self {
        let target = target.as_ref();
        let rest = [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
            let (head, rest) = target.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        });
        let Some(rest) = rest else {
            self.target = target.to_vec();
            return self;
        };
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.authority = Some(authority.to_vec());
        self.target = if path.starts_with(b"/") {
            path.to_vec()
        } else {
            [b"/", path].concat()
        };
        self
    }

    /// With the host as sent, its port included; may be empty.
    pub fn with_authority(mut self, authority: impl AsRef<[u8]>) -> Self {
        self.authority = Some(authority.as_ref().to_vec());
        self
    }

    /// Without any host, which a proxy answers with 400 (R-ENVH-4).
    pub fn without_authority(mut self) -> Self {
        self.authority = None;
        self
    }

    /// Over HTTP/2, where cookie lines are joined (R-ENV-5).
    pub fn with_http2(mut self) -> Self {
        self.http2 = true;
        self.headers.join("cookie", b"; ");
        self
    }

    /// To another address or port than the URL's.
    ///
    /// ```
    /// let request = mesh_route::Request::get("http://reviews/")?.with_destination(9080);
    /// assert_eq!(request.destination().port, 9080);
    /// # Ok::<(), mesh_route::RequestError>(())
    /// ```
    pub fn with_destination(mut self, destination: impl Into<Destination>) -> Self {
        self.destination = destination.into();
        self
    }

    /// On a connection that begins with TLS, or on a plaintext one.
    pub fn with_tls(mut self, tls: Option<ClientHello>) -> Self {
        self.tls = tls;
        self
    }

    /// From a client with a verified identity.
    pub fn with_peer(mut self, peer: &SpiffeId) -> Self {
        self.peer = Some(peer.clone());
        self
    }

    /// With the number that draws among weighted destinations.
    pub fn with_draw(mut self, draw: u64) -> Self {
        self.draws.weight = draw;
        self
    }

    /// With the numbers for all draws.
    pub fn with_draws(mut self, draws: Draws) -> Self {
        self.draws = draws;
        self
    }

    /// The method.
    pub fn method(&self) -> &[u8] {
        &self.method
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &[u8] {
        &self.scheme
    }

    /// The host as sent; `None` if there is none, which differs from an empty one.
    pub fn authority(&self) -> Option<&[u8]> {
        self.authority.as_deref()
    }

    /// Path and query as sent.
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// All headers but the host.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Where the connection was going.
    pub fn destination(&self) -> Destination {
        self.destination
    }

    /// What the client said in TLS; `None`: plaintext.
    pub fn tls(&self) -> Option<&ClientHello> {
        self.tls.as_ref()
    }

    /// The client's verified identity.
    pub fn peer(&self) -> Option<&SpiffeId> {
        self.peer.as_ref()
    }

    /// Whether it is over HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.http2
    }

    /// The random numbers.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }

    /// As conditions see it, with `target` normalised.
    #[allow(dead_code, reason = "the evaluator reads requests through it")]
    pub(crate) fn view<'r>(&'r self, authority: &'r [u8], target: &'r [u8]) -> RequestView<'r> {
        RequestView {
            method: &self.method,
            scheme: &self.scheme,
            authority,
            target,
            headers: &self.headers,
        }
    }
}

impl ClientHello {
    /// The hello of a client that wants this server.
    pub fn for_server(name: impl Into<String>) -> Self {
        Self {
            server_name: Some(name.into()),
            alpn: Vec::new(),
        }
    }

    fn for_authority(authority: &str) -> Self {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let is_address = authority.starts_with('[') || host.parse::<IpAddr>().is_ok();
        Self {
            server_name: (!is_address).then(|| host.to_owned()),
            alpn: Vec::new(),
        }
    }
}

impl From<&http::request::Parts> for Request {
    /// Takes the `host` header where the URI has no authority. The destination's port is that of the authority, or the
    /// scheme's own.
    fn from(parts: &http::request::Parts) -> Self {
        let mut request = Self::to_port(parts.method.as_str(), 80);
        request.http2 = parts.version == http::Version::HTTP_2;
        if let Some(scheme) = parts.uri.scheme_str() {
            request.scheme = scheme.as_bytes().to_vec();
        }
        request.target = match parts.uri.path_and_query() {
            Some(target) if !target.as_str().is_empty() => target.as_str().as_bytes().to_vec(),
            _ => b"/".to_vec(),
        };
        for (name, value) in &parts.headers {
            request = request.with_header(name.as_str(), value.as_bytes());
        }
        if let Some(authority) = parts.uri.authority() {
            request.authority = Some(authority.as_str().as_bytes().to_vec());
        }
        let authority = request
            .authority()
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default();
        let is_https = request.scheme == b"https";
        let port = port_of(authority)
            .ok()
            .flatten()
            .unwrap_or(if is_https { 443 } else { 80 });
        request.tls = is_https.then(|| ClientHello::for_authority(authority));
        request.destination = port.into();
        request
    }
}

/// The port at the end of an authority; an error if there is something else in its place.
fn port_of(authority: &str) -> Result<Option<u16>, ()> {
    let after_host = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or(())?.1,
        None => authority
            .find(':')
            .and_then(|at| authority.get(at..))
            .unwrap_or_default(),
    };
    match after_host.strip_prefix(':') {
        None if after_host.is_empty() => Ok(None),
        Some("") => Ok(None),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().map(Some).map_err(|_| ())
        }
        Some(_) | None => Err(()),
    }
}

/// What is wrong with the URL of a request.
///
/// ```
/// let error = mesh_route::Request::get("reviews:9080/x").unwrap_err();
/// assert_eq!(error.to_string(), "`reviews:9080/x` has no scheme: write `http://reviews:9080/x`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    kind: ErrorKind,
    url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    NoScheme,
    OtherScheme,
    Port,
    UserInfo,
}

impl RequestError {
    /// The URL as given.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match self.kind {
            ErrorKind::NoScheme => write!(f, "`{url}` has no scheme: write `http://{url}`"),
            ErrorKind::OtherScheme => write!(f, "`{url}` is neither `http` nor `https`"),
            ErrorKind::Port => write!(f, "`{url}` has no valid port after its host"),
            ErrorKind::UserInfo => write!(f, "`{url}` holds user information, which is no part of a request"),
        }
    }
}

impl std::error::Error for RequestError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let request = Request::new("POST", "HTTPS://[2001:db8::1]:8443?x#y").unwrap();
        assert_eq!(
            (request.method(), request.scheme()),
            (&b"POST"[..], &b"https"[..])
        );
        assert_eq!(request.authority(), Some(&b"[2001:db8::1]:8443"[..]));
        assert_eq!(
            (request.target(), request.destination().port),
            (&b"/?x#y"[..], 8443)
        );
        assert_eq!(request.tls(), Some(&ClientHello::default())); // no server name for an address
        let request = Request::get("https://shop.example.com/").unwrap();
        assert_eq!(
            request.tls().unwrap().server_name.as_deref(),
            Some("shop.example.com")
        );
        assert_eq!(
            request.destination(),
            Destination {
                address: None,
                port: 443
            }
        );
        assert_eq!(Request::get("http://").unwrap().authority(), Some(&b""[..]));
        assert_eq!(Request::get("http://a:/").unwrap().destination().port, 80);
    }

    #[test]
    fn bad_urls_are_named() {
        let error = |url: &str| Request::get(url).unwrap_err().to_string();
        assert_eq!(error("/x"), "`/x` has no scheme: write `http:///x`");
        assert_eq!(error("ftp://a/"), "`ftp://a/` is neither `http` nor `https`");
        for url in [
            "http://a:99999/",
            "http://a:x/",
            "http://[::1/",
            "http://[::1]x/",
            "http://::1/",
        ] {
            assert_eq!(error(url), format!("`{url}` has no valid port after its host"));
        }
        assert!(error("http://u:p@a/").contains("user information"));
    }

    #[test]
    fn the_absolute_form_brings_its_own_authority() {
        // R-ENV-3
        let request = Request::get("http://a/x").unwrap().with_target("http://b:81/y?z");
        assert_eq!(
            (request.authority(), request.target()),
            (Some(&b"b:81"[..]), &b"/y?z"[..])
        );
        assert_eq!(request.destination().port, 80); // the connection stays where it was
        assert_eq!(
            Request::get("http://a/x")
                .unwrap()
                .with_target("http://b")
                .target(),
            b"/"
        );
        assert_eq!(
            Request::get("http://a/x").unwrap().with_target("*").target(),
            b"*"
        );
    }

    #[test]
    fn cookies_are_joined_in_http2_only() {
        // R-ENV-5
        let request = Request::get("http://a/")
            .unwrap()
            .with_header("cookie", "a=1")
            .with_header("cookie", "b=2");
        assert_eq!(request.headers().values("cookie").count(), 2);
        let request = request.with_http2().with_header("Cookie", "c=3");
        assert_eq!(
            request.headers().values("cookie").collect::<Vec<_>>(),
            [b"a=1; b=2; c=3"]
        );
    }

    #[test]
    fn http_parts_are_taken() {
        let (parts, ()) = http::Request::put("/x?y")
            .header("Host", "a.com:81")
            .body(())
            .unwrap()
            .into_parts();
        let request = Request::from(&parts);
        assert_eq!((request.method(), request.target()), (&b"PUT"[..], &b"/x?y"[..]));
        assert_eq!(
            (request.authority(), request.destination().port),
            (Some(&b"a.com:81"[..]), 81)
        );
        let uri = http::Request::get("https://b.com/")
            .header("host", "a.com")
            .body(())
            .unwrap();
        let request = Request::from(&uri.into_parts().0);
        assert_eq!(
            (request.authority(), request.destination().port),
            (Some(&b"b.com"[..]), 443)
        );
        assert_eq!(request.tls().unwrap().server_name.as_deref(), Some("b.com"));
    }
}
