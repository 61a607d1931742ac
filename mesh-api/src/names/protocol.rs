//! Application protocols of ports.

use std::fmt;

/// The transport protocol of a Kubernetes Service port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// SCTP; the mesh does not handle it.
    Sctp,
    /// TCP, the default.
    #[default]
    Tcp,
    /// UDP; the mesh lets it pass.
    Udp,
}

impl Transport {
    /// Reads the `protocol` of a Service port; empty and unknown texts are TCP, as Kubernetes defaults it.
    pub fn parse(text: &str) -> Self {
        match text {
            "UDP" => Self::Udp,
            "SCTP" => Self::Sctp,
            _ => Self::Tcp,
        }
    }
}

/// The application protocol of a port (A-X-14, R-PROTO-4).
///
/// ```
/// use mesh_api::names::{Protocol, Transport};
///
/// assert_eq!(Protocol::parse("http_proxy"), Protocol::HttpProxy);
/// assert_eq!(Protocol::for_service_port("grpc-reviews", None, Transport::Tcp, 9080), Protocol::Grpc);
/// assert_eq!(Protocol::Https.to_string(), "HTTPS");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// gRPC over HTTP/2.
    Grpc,
    /// gRPC-Web over HTTP/1.1.
    GrpcWeb,
    /// HTTP/1.1, or HTTP/2 without TLS where the peer starts it.
    Http,
    /// HTTP/2.
    Http2,
    /// An HTTP forward proxy port.
    HttpProxy,
    /// HTTP over TLS; opaque on a service, terminated on a gateway.
    Https,
    /// MongoDB.
    Mongo,
    /// MySQL, where the server speaks first.
    MySql,
    /// Redis.
    Redis,
    /// Opaque bytes.
    Tcp,
    /// TLS, routed by server name.
    Tls,
    /// UDP, outside the mesh.
    Udp,
    /// Not stated or not known: the proxy looks at the first bytes.
    #[default]
    Unsupported,
}

impl Protocol {
    /// Reads a whole `protocol` field of a Gateway, ServiceEntry or Sidecar port, in any letter case (A-X-14).
    /// No prefix rule, unlike [`for_service_port`](Self::for_service_port).
    pub fn parse(text: &str) -> Self {
        Self::TABLE
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map_or(Self::Unsupported, |&(_, protocol)| protocol)
    }

    /// The protocol of a Kubernetes Service port (R-PROTO-1..3).
    ///
    /// `appProtocol` decides if it is there, even when it is unknown; else the part of the port's name before the first
    /// `-`. Ports of protocols where the server speaks first are TCP when nothing is said.
    pub fn for_service_port(
        name: &str,
        app_protocol: Option<&str>,
        transport: Transport,
        port: u16,
    ) -> Protocol {
        if transport == Transport::Udp {
            return Self::Udp;
        }
        let protocol = match app_protocol {
            Some("kubernetes.io/h2c") => Self::Http2,
            Some("kubernetes.io/ws") => Self::Http,
            Some("kubernetes.io/wss") => Self::Https,
            // quirk R-PROTO-2: an unknown appProtocol does not fall back to the name
            Some(text) => Self::parse_prefix(text),
            None => Self::parse_prefix(name),
        };
        match (protocol, port) {
            (Self::Unsupported, 25 | 53 | 3306 | 27017) => Self::Tcp, // R-PROTO-3
            _ => protocol,
        }
    }

    /// Whether requests are routed: HTTP, HTTP2, HTTP_PROXY, GRPC, GRPC-Web.
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Self::Http | Self::Http2 | Self::HttpProxy | Self::Grpc | Self::GrpcWeb
        )
    }

    /// Whether requests travel as HTTP/2 upstream: HTTP2, GRPC, GRPC-Web.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc | Self::GrpcWeb)
    }

    /// GRPC and GRPC-Web.
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::GrpcWeb)
    }

    /// HTTPS and TLS.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// Whether bytes are forwarded unread: TCP, HTTPS, TLS, Mongo, Redis, MySQL.
    pub fn is_tcp(self) -> bool {
        matches!(
            self,
            Self::Tcp | Self::Https | Self::Tls | Self::Mongo | Self::Redis | Self::MySql
        )
    }

    /// Whether the proxy detects the protocol from the first bytes.
    pub fn is_sniffed(self) -> bool {
        self == Self::Unsupported
    }

    /// The name as Istio writes it.
    pub fn as_str(self) -> &'static str {
        Self::TABLE
            .iter()
            .find(|(_, protocol)| *protocol == self)
            .map_or("UnsupportedProtocol", |&(name, _)| name)
    }

    /// R-PROTO-2: the prefix rule of Service ports.
    fn parse_prefix(text: &str) -> Self {
        let starts_with_grpc_web = text
            .get(..8)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("grpc-web"));
        if starts_with_grpc_web {
            return Self::GrpcWeb;
        }
        Self::parse(text.split('-').next().unwrap_or_default())
    }

    const TABLE: [(&'static str, Self); 12] = [
        ("TCP", Self::Tcp),
        ("UDP", Self::Udp),
        ("GRPC", Self::Grpc),
        ("GRPC-Web", Self::GrpcWeb),
        ("HTTP", Self::Http),
        ("HTTP_PROXY", Self::HttpProxy),
        ("HTTP2", Self::Http2),
        ("HTTPS", Self::Https),
        ("TLS", Self::Tls),
        ("Mongo", Self::Mongo),
        ("Redis", Self::Redis),
        ("MySQL", Self::MySql),
    ];
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_ports_follow_r_proto_1_to_3() {
        let tcp = Transport::Tcp;
        for (name, app_protocol, port, expected) in [
            ("http-web", None, 80, Protocol::Http),
            ("HTTP2", None, 80, Protocol::Http2),
            ("grpc-web-x", None, 80, Protocol::GrpcWeb),
            ("gRPC-WEBx", None, 80, Protocol::GrpcWeb),
            ("grpc-x", None, 80, Protocol::Grpc),
            ("httpx", None, 80, Protocol::Unsupported),
            ("", None, 80, Protocol::Unsupported),
            ("http", Some("foo"), 80, Protocol::Unsupported), // quirk R-PROTO-2
            ("tcp", Some("http"), 80, Protocol::Http),
            ("x", Some("kubernetes.io/h2c"), 80, Protocol::Http2),
            ("x", Some("kubernetes.io/ws"), 80, Protocol::Http),
            ("x", Some("kubernetes.io/wss"), 80, Protocol::Https),
            ("", None, 3306, Protocol::Tcp),
            ("http", None, 3306, Protocol::Http),
            ("mysql", None, 1, Protocol::MySql),
        ] {
            assert_eq!(
                Protocol::for_service_port(name, app_protocol, tcp, port),
                expected,
                "{name}"
            );
        }
        assert_eq!(
            Protocol::for_service_port("http", None, Transport::Udp, 80),
            Protocol::Udp
        );
    }

    #[test]
    fn whole_fields_have_no_prefix_rule() {
        assert_eq!(Protocol::parse("http-web"), Protocol::Unsupported); // R-PROTO-2
        assert_eq!(Protocol::parse("grpc-WEB"), Protocol::GrpcWeb);
        assert_eq!(Protocol::parse(""), Protocol::Unsupported);
    }

    #[test]
    fn classes_are_those_of_r_proto_4() {
        assert!(Protocol::HttpProxy.is_http() && !Protocol::Https.is_http());
        assert!(Protocol::Https.is_tls() && Protocol::Https.is_tcp() && !Protocol::Tcp.is_tls());
        assert!(Protocol::Unsupported.is_sniffed() && !Protocol::Unsupported.is_tcp());
        assert!(Protocol::GrpcWeb.is_grpc() && Protocol::GrpcWeb.is_http2() && !Protocol::Http.is_http2());
    }
}
