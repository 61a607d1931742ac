//! Names of parts: the keys by which parts of a plan refer to one another. They sort as their rendered text, since
//! the order of output is the order of text (X-RDS-2).

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mesh_api::names::{Host, Namespace, SubsetName, Text};

/// The name of a cluster, shared: cloning costs a counter.
///
/// ```
/// use mesh_api::names::{Host, SubsetName};
/// use mesh_route::plan::ClusterName;
///
/// let host = Host::new("reviews.default.svc.cluster.local");
/// let name = ClusterName::outbound(9080, Some(SubsetName::new("v1")), host);
/// assert_eq!(name.to_string(), "outbound|9080|v1|reviews.default.svc.cluster.local");
/// assert_eq!(ClusterName::parse(&name.to_string()), name);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClusterName(Arc<ClusterKey>);

/// What a cluster name is made of (X-NAME-1 to X-NAME-5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterKey {
    /// Which family of names.
    pub style: ClusterStyle,
    /// The service's hostname; empty for inbound and fixed clusters.
    pub host: Host,
    /// The service port; the target port for inbound clusters; 0 for fixed ones.
    pub port: u16,
    /// The subset, if any.
    pub subset: Option<SubsetName>,
}

/// The family a cluster name belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClusterStyle {
    /// `outbound|PORT|SUBSET|HOST`.
    Outbound,
    /// `outbound_.PORT_.SUBSET_.HOST`: AUTO_PASSTHROUGH servers, and the SNI of mesh TLS.
    SniDnat,
    /// `inbound|PORT||`.
    Inbound,
    /// `inbound-vip|PORT|..|HOST`: a waypoint's own services. Reserved (PLAN 9).
    InboundVip,
    /// One of the names that every proxy has.
    Fixed(FixedCluster),
    /// A name of no known form, kept as it is.
    Other(Text),
}

/// Clusters that do not belong to a service (X-NAME-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixedCluster {
    /// Drops everything.
    BlackHole,
    /// Sends to the original destination.
    Passthrough,
    /// Inbound traffic to the original port.
    InboundPassthrough,
    /// Resolves the host of the request by DNS.
    AllowAnyDynamicDns,
    /// What a destination without a host is routed to; never exists (R-DST-3).
    UnknownService,
}

impl FixedCluster {
    const ALL: [Self; 5] = [
        Self::BlackHole,
        Self::Passthrough,
        Self::InboundPassthrough,
        Self::AllowAnyDynamicDns,
        Self::UnknownService,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlackHole => "BlackHoleCluster",
            Self::Passthrough => "PassthroughCluster",
            Self::InboundPassthrough => "InboundPassthroughCluster",
            Self::AllowAnyDynamicDns => "AllowAnyDynamicDNSCluster",
            Self::UnknownService => "UnknownService",
        }
    }
}

impl ClusterName {
    /// The name made of `key`.
    pub fn new(key: ClusterKey) -> Self {
        Self(Arc::new(key))
    }

    /// `outbound|PORT|SUBSET|HOST`.
    pub fn outbound(port: u16, subset: Option<SubsetName>, host: Host) -> Self {
        Self::new(ClusterKey {
            style: ClusterStyle::Outbound,
            host,
            port,
            subset,
        })
    }

    /// `inbound|PORT||`, with the target port.
    pub fn inbound(port: u16) -> Self {
        Self::new(ClusterKey {
            style: ClusterStyle::Inbound,
            host: Host::new(""),
            port,
            subset: None,
        })
    }

    /// One of the fixed names.
    pub fn fixed(cluster: FixedCluster) -> Self {
        let style = ClusterStyle::Fixed(cluster);
        Self::new(ClusterKey {
            style,
            host: Host::new(""),
            port: 0,
            subset: None,
        })
    }

    /// The parts of the name.
    pub fn key(&self) -> &ClusterKey {
        &self.0
    }

    /// The hostname; empty for inbound and fixed clusters.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// The port; 0 for fixed clusters.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// The subset, if any.
    pub fn subset(&self) -> Option<&SubsetName> {
        self.0.subset.as_ref()
    }

    /// The same cluster without a subset, or with another one.
    pub fn with_subset(&self, subset: Option<SubsetName>) -> Self {
        let ClusterKey {
            style,
            host,
            port,
            subset: _,
        } = &*self.0;
        Self::new(ClusterKey {
            style: style.clone(),
            host: host.clone(),
            port: *port,
            subset,
        })
    }

    /// The server name that mesh TLS uses for this cluster (X-NAME-2).
    pub fn sni(&self) -> String {
        let ClusterKey {
            style: _,
            host,
            port,
            subset,
        } = &*self.0;
        let subset = subset.as_ref().map_or("", SubsetName::as_str);
        format!("outbound_.{port}_.{subset}_.{host}")
    }

    /// Reads a name. Total (X-NAME-4): a bad port reads as 0, a host that holds the separator reads as empty, and a
    /// text of another form is kept whole as [`ClusterStyle::Other`].
    pub fn parse(text: &str) -> Self {
        if let Some(fixed) = FixedCluster::ALL.into_iter().find(|f| f.as_str() == text) {
            return Self::fixed(fixed);
        }
        let (style, separator) = match text {
            t if t.starts_with("outbound_.") => (ClusterStyle::SniDnat, "_."),
            t if t.starts_with("outbound|") => (ClusterStyle::Outbound, "|"),
            t if t.starts_with("inbound_.") => (ClusterStyle::Inbound, "_."),
            t if t.starts_with("inbound|") => (ClusterStyle::Inbound, "|"),
            t if t.starts_with("inbound-vip|") => (ClusterStyle::InboundVip, "|"),
            _ => return Self::other(text),
        };
        let parts: Vec<&str> = text.split(separator).collect();
        let [_, port, subset, hosts @ ..] = parts.as_slice() else {
            return Self::other(text);
        };
        let host = match hosts {
            [] => return Self::other(text),
            [host] => *host,
            _ => "",
        };
        let subset = (!subset.is_empty()).then(|| SubsetName::new(*subset));
        Self::new(ClusterKey {
            style,
            host: Host::new(host),
            port: port.parse().unwrap_or(0),
            subset,
        })
    }

    fn other(text: &str) -> Self {
        let style = ClusterStyle::Other(Text::new(text));
        Self::new(ClusterKey {
            style,
            host: Host::new(""),
            port: 0,
            subset: None,
        })
    }

    fn with_pieces<R>(&self, use_pieces: impl FnOnce(&[&str]) -> R) -> R {
        let ClusterKey {
            style,
            host,
            port,
            subset,
        } = &*self.0;
        let subset = subset.as_ref().map_or("", SubsetName::as_str);
        let mut digits = [0_u8; 5];
        let port = decimal(*port, &mut digits);
        match style {
            ClusterStyle::Outbound => use_pieces(&["outbound|", port, "|", subset, "|", host.as_str()]),
            ClusterStyle::SniDnat => use_pieces(&["outbound_.", port, "_.", subset, "_.", host.as_str()]),
            ClusterStyle::Inbound => use_pieces(&["inbound|", port, "|", subset, "|", host.as_str()]),
            ClusterStyle::InboundVip => use_pieces(&["inbound-vip|", port, "|", subset, "|", host.as_str()]),
            ClusterStyle::Fixed(fixed) => use_pieces(&[fixed.as_str()]),
            ClusterStyle::Other(text) => use_pieces(&[text.as_str()]),
        }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_pieces(|pieces| pieces.iter().try_for_each(|piece| f.write_str(piece)))
    }
}

impl fmt::Debug for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterName({self})")
    }
}

impl Ord for ClusterName {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.with_pieces(|mine| other.with_pieces(|theirs| compare_pieces(mine, theirs)))
    }
}

impl PartialOrd for ClusterName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes `number` in decimal into `digits` and gives the text of it.
fn decimal(number: u16, digits: &mut [u8; 5]) -> &str {
    let mut rest = number;
    let mut start = digits.len();
    for (at, slot) in digits.iter_mut().enumerate().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        start = at;
        if rest == 0 {
            break;
        }
    }
    digits
        .get(start..)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// Compares two texts that are given in pieces, as if each were joined.
fn compare_pieces(left: &[&str], right: &[&str]) -> Ordering {
    left.iter()
        .flat_map(|piece| piece.bytes())
        .cmp(right.iter().flat_map(|piece| piece.bytes()))
}

/// A gateway or listener address in a name: absent for the wildcard.
pub type BindText = Option<Text>;

/// The name of a route table: what a listener asks for (X-NAME-9, X-NAME-10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteTableName {
    /// `PORT`: shared by all HTTP services of the port.
    Port(u16),
    /// `HOST:PORT`: a sniffed service with an address of its own.
    HostPort {
        /// The service's hostname.
        host: Host,
        /// The service port.
        port: u16,
    },
    /// `http_proxy`.
    HttpProxy,
    /// A Unix domain socket bind.
    Uds(Text),
    /// `http.PORT[.BIND]`.
    GatewayHttp {
        /// The resolved port.
        port: u16,
        /// The server's bind, if given.
        bind: BindText,
    },
    /// `https.PORT.NAME.GATEWAY.NAMESPACE[.BIND]`.
    GatewayHttps {
        /// The server's declared port.
        port: u16,
        /// The server's port name.
        port_name: Text,
        /// The Gateway's name.
        gateway: Text,
        /// The Gateway's namespace.
        namespace: Namespace,
        /// The server's bind, if given.
        bind: BindText,
    },
    /// The inline table of an inbound chain, named like its cluster.
    Inbound(ClusterName),
    /// The table of a proxyless gRPC target, named like its cluster.
    Grpc(ClusterName),
    /// A name of no known form (imports).
    Other(Text),
}

impl fmt::Display for RouteTableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "{port}"),
            Self::HostPort { host, port } => write!(f, "{host}:{port}"),
            Self::HttpProxy => f.write_str("http_proxy"),
            Self::Uds(text) | Self::Other(text) => write!(f, "{text}"),
            Self::GatewayHttp { port, bind } => {
                write!(f, "http.{port}")?;
                write_bind(f, bind)
            }
            Self::GatewayHttps {
                port,
                port_name,
                gateway,
                namespace,
                bind,
            } => {
                write!(f, "https.{port}.{port_name}.{gateway}.{namespace}")?;
                write_bind(f, bind)
            }
            Self::Inbound(cluster) | Self::Grpc(cluster) => write!(f, "{cluster}"),
        }
    }
}

fn write_bind(f: &mut fmt::Formatter<'_>, bind: &BindText) -> fmt::Result {
    bind.as_ref().map_or(Ok(()), |bind| write!(f, ".{bind}"))
}

/// The name of a listener (X-NAME-7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenerName {
    /// `BIND_PORT`.
    Bound {
        /// The first address it binds.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// `udp_BIND_PORT`.
    Quic {
        /// The first address it binds.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// A Unix domain socket.
    Uds(Text),
    /// `virtualOutbound`.
    VirtualOutbound,
    /// `virtualInbound`.
    VirtualInbound,
    /// A name of no known form (imports, HBONE).
    Other(Text),
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { address, port } => write!(f, "{address}_{port}"),
            Self::Quic { address, port } => write!(f, "udp_{address}_{port}"),
            Self::Uds(text) | Self::Other(text) => write!(f, "{text}"),
            Self::VirtualOutbound => f.write_str("virtualOutbound"),
            Self::VirtualInbound => f.write_str("virtualInbound"),
        }
    }
}

/// The name of a virtual host: `HOST:PORT`, or one of the fixed ones (X-NAME-11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VirtualHostName {
    /// `HOST:PORT`, an IPv6 host in brackets.
    Host {
        /// The host as it is served, lower-cased.
        host: Host,
        /// The listener's or server's port.
        port: u16,
    },
    /// `allow_any`.
    AllowAny,
    /// `allow_any_dynamic_dns`.
    AllowAnyDynamicDns,
    /// `block_all`.
    BlockAll,
    /// `blackhole:PORT`.
    BlackHole(u16),
    /// `inbound|http|PORT`.
    Inbound(u16),
    /// A name of no known form (imports).
    Other(Text),
}

impl fmt::Display for VirtualHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.as_str().contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host { host, port } => write!(f, "{host}:{port}"),
            Self::AllowAny => f.write_str("allow_any"),
            Self::AllowAnyDynamicDns => f.write_str("allow_any_dynamic_dns"),
            Self::BlockAll => f.write_str("block_all"),
            Self::BlackHole(port) => write!(f, "blackhole:{port}"),
            Self::Inbound(port) => write!(f, "inbound|http|{port}"),
            Self::Other(text) => write!(f, "{text}"),
        }
    }
}

/// The name of a filter chain (X-NAME-8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChainName {
    /// A chain that has no name of its own.
    Unnamed,
    /// `PassthroughFilterChain`.
    Passthrough,
    /// `virtualOutbound-blackhole`.
    OutboundBlackHole,
    /// `virtualOutbound-catchall-tcp`.
    OutboundCatchAll,
    /// `BIND_PORT` of an inbound chain.
    Inbound(ListenerName),
    /// Any other text.
    Other(Text),
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => Ok(()),
            Self::Passthrough => f.write_str("PassthroughFilterChain"),
            Self::OutboundBlackHole => f.write_str("virtualOutbound-blackhole"),
            Self::OutboundCatchAll => f.write_str("virtualOutbound-catchall-tcp"),
            Self::Inbound(name) => write!(f, "{name}"),
            Self::Other(text) => write!(f, "{text}"),
        }
    }
}

macro_rules! order_by_text {
    ($($name:ident)*) => {$(
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.to_string().cmp(&other.to_string())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )*};
}

order_by_text!(RouteTableName ListenerName ChainName);

impl Ord for VirtualHostName {
    /// By rendered text. Two plain hosts, the frequent case, are compared without rendering.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Host { host: a, port: p }, Self::Host { host: b, port: q })
                if !a.as_str().contains(':') && !b.as_str().contains(':') =>
            {
                let (mut left, mut right) = ([0_u8; 5], [0_u8; 5]);
                let (left, right) = (decimal(*p, &mut left), decimal(*q, &mut right));
                let left = a.as_str().bytes().chain(*b":").chain(left.bytes());
                left.cmp(b.as_str().bytes().chain(*b":").chain(right.bytes()))
            }
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

impl PartialOrd for VirtualHostName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str, port: u16) -> VirtualHostName {
        VirtualHostName::Host {
            host: Host::new(text),
            port,
        }
    }

    #[test]
    fn names_sort_as_their_text() {
        // PLAN 2: `a-b:80` before `a:80`, and the port as text.
        assert!(host("a-b", 80) < host("a", 80));
        assert!(host("a", 100) < host("a", 80));
        assert!(RouteTableName::Port(100) < RouteTableName::Port(80));
        let names = [
            "outbound|80||b",
            "outbound|8080||a",
            "outbound|80|v1|a",
            "BlackHoleCluster",
            "inbound|80||",
        ];
        for left in names {
            for right in names {
                let ordering = ClusterName::parse(left).cmp(&ClusterName::parse(right));
                assert_eq!(ordering, left.cmp(right), "{left} {right}");
            }
        }
    }

    #[test]
    fn parsing_is_total() {
        // X-NAME-4
        let name = ClusterName::parse("outbound|x|v1|a.b");
        assert_eq!((name.port(), name.host().as_str()), (0, "a.b"));
        assert_eq!(ClusterName::parse("outbound|80|v1|a|b").host().as_str(), "");
        assert_eq!(
            ClusterName::parse("outbound_.80_.v1_.a.b").key().style,
            ClusterStyle::SniDnat
        );
        assert_eq!(
            ClusterName::parse("inbound_.80_.v1_.a.b").to_string(),
            "inbound|80|v1|a.b"
        );
        for text in ["", "|", "outbound|80", "whatever", "outbound||||"] {
            let _ = ClusterName::parse(text).to_string();
        }
        assert_eq!(ClusterName::parse("whatever").to_string(), "whatever");
    }

    #[test]
    fn ipv6_hosts_are_bracketed() {
        assert_eq!(host("2001:db8::1", 80).to_string(), "[2001:db8::1]:80"); // R-VH-9
    }
}
