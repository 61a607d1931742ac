//! Where a plan node comes from: the object and the place in it, and the level that gave a value.

use std::fmt;
use std::sync::Arc;

use mesh_api::object::ObjectKey;

/// The object a plan node was compiled from, and the place in that object.
///
/// An origin holds no file position and no resource version, so that applying the same text again compiles to equal
/// parts; `file:line` is looked up in the `ObjectSet`.
///
/// ```
/// use mesh_route::plan::{At, Index, Origin};
///
/// let built_in = Origin::at(At::Default(mesh_route::plan::RuleId::RouteTimeout));
/// assert_eq!(built_in.to_string(), "default (R-TO-1)");
/// assert_eq!(At::HttpRule { entry: 2, matching: Index::some(0) }.to_string(), "spec.http[2].match[0]");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The configuration object; `None` for a mesh default, something built in, or an import.
    pub object: Option<Arc<ObjectKey>>,
    /// The place in it.
    pub at: At,
}

impl Origin {
    /// An origin without an object.
    pub fn at(at: At) -> Self {
        Self { object: None, at }
    }

    /// An origin in `object`.
    pub fn new(object: Arc<ObjectKey>, at: At) -> Self {
        Self {
            object: Some(object),
            at,
        }
    }

    /// The same object, another place.
    pub fn moved(&self, at: At) -> Self {
        Self {
            object: self.object.clone(),
            at,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            None => write!(f, "{}", self.at),
            Some(object) if self.at == At::Object => write!(f, "{object}"),
            Some(object) => write!(f, "{object} {}", self.at),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// An optional position in a list, two bytes wide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(u16);

impl Index {
    /// No position.
    pub const NONE: Self = Self(u16::MAX);

    /// The position `at`; positions past 65,534 are given as the last one, so that an origin never points elsewhere
    /// than at an existing item of a list that long.
    pub fn some(at: usize) -> Self {
        Self(clamp(at))
    }

    /// The position, if there is one.
    pub fn get(self) -> Option<usize> {
        (self != Self::NONE).then_some(usize::from(self.0))
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

/// Narrows a list position to the two bytes an origin keeps of it.
pub fn clamp(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX).min(u16::MAX - 1)
}

/// A place in an object. Prints as a field path, e.g. `spec.http[2].match[0]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// The object as a whole.
    Object,
    /// An entry of `spec.http`, and which of its matches.
    HttpRule {
        /// Position in `spec.http`.
        entry: u16,
        /// Position in `match`, if the entry has one.
        matching: Index,
    },
    /// A destination of an entry of `spec.http`.
    HttpDestination {
        /// Position in `spec.http`.
        entry: u16,
        /// Position in `route`.
        destination: u16,
    },
    /// A mirror of an entry of `spec.http`.
    Mirror {
        /// Position in `spec.http`.
        entry: u16,
        /// Position in `mirrors`; none for the single `mirror` field.
        mirror: Index,
    },
    /// A match of an entry of `spec.tls`.
    TlsRule {
        /// Position in `spec.tls`.
        entry: u16,
        /// Position in `match`.
        matching: Index,
    },
    /// A match of an entry of `spec.tcp`.
    TcpRule {
        /// Position in `spec.tcp`.
        entry: u16,
        /// Position in `match`, if the entry has one.
        matching: Index,
    },
    /// A traffic policy of a DestinationRule.
    TrafficPolicy {
        /// Position in `spec.subsets`; none for the top level.
        subset: Index,
        /// Position in `portLevelSettings`; none for the policy itself.
        port: Index,
    },
    /// A subset of a DestinationRule.
    Subset(u16),
    /// A server of a Gateway.
    Server(u16),
    /// A rule of a policy.
    PolicyRule(u16),
    /// A port of a service.
    ServicePort(u16),
    /// An egress listener of a Sidecar.
    EgressListener(u16),
    /// An ingress listener of a Sidecar.
    IngressListener(u16),
    /// A field of the mesh configuration.
    Mesh(MeshField),
    /// A built-in default, by the rule that states it.
    Default(RuleId),
    /// An imported resource, by position in the import's own list.
    Imported(u32),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Object => f.write_str("(object)"),
            Self::HttpRule { entry, matching } => write_rule(f, "http", entry, matching),
            Self::HttpDestination { entry, destination } => {
                write!(f, "spec.http[{entry}].route[{destination}]")
            }
            Self::Mirror { entry, mirror } => match mirror.get() {
                None => write!(f, "spec.http[{entry}].mirror"),
                Some(at) => write!(f, "spec.http[{entry}].mirrors[{at}]"),
            },
            Self::TlsRule { entry, matching } => write_rule(f, "tls", entry, matching),
            Self::TcpRule { entry, matching } => write_rule(f, "tcp", entry, matching),
            Self::TrafficPolicy { subset, port } => {
                f.write_str("spec")?;
                if let Some(at) = subset.get() {
                    write!(f, ".subsets[{at}]")?;
                }
                f.write_str(".trafficPolicy")?;
                match port.get() {
                    None => Ok(()),
                    Some(at) => write!(f, ".portLevelSettings[{at}]"),
                }
            }
            Self::Subset(at) => write!(f, "spec.subsets[{at}]"),
            Self::Server(at) => write!(f, "spec.servers[{at}]"),
            Self::PolicyRule(at) => write!(f, "spec.rules[{at}]"),
            Self::ServicePort(at) => write!(f, "spec.ports[{at}]"),
            Self::EgressListener(at) => write!(f, "spec.egress[{at}]"),
            Self::IngressListener(at) => write!(f, "spec.ingress[{at}]"),
            Self::Mesh(field) => write!(f, "mesh {}", field.as_str()),
            Self::Default(rule) => write!(f, "default ({})", rule.as_str()),
            Self::Imported(at) => write!(f, "imported[{at}]"),
        }
    }
}

fn write_rule(f: &mut fmt::Formatter<'_>, block: &str, entry: u16, matching: Index) -> fmt::Result {
    write!(f, "spec.{block}[{entry}]")?;
    match matching.get() {
        None => Ok(()),
        Some(at) => write!(f, ".match[{at}]"),
    }
}

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The text under which it is known.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

named! {
    /// A field of the mesh configuration that gave a value.
    MeshField {
        /// `connectTimeout`.
        ConnectTimeout => "connectTimeout",
        /// `defaultHttpRetryPolicy`.
        DefaultHttpRetryPolicy => "defaultHttpRetryPolicy",
        /// `defaultTrafficPolicy`.
        DefaultTrafficPolicy => "defaultTrafficPolicy",
        /// `enableAutoMtls`.
        EnableAutoMtls => "enableAutoMtls",
        /// `localityLbSetting`.
        LocalityLbSetting => "localityLbSetting",
        /// `outboundTrafficPolicy`.
        OutboundTrafficPolicy => "outboundTrafficPolicy",
        /// `tcpKeepalive`.
        TcpKeepalive => "tcpKeepalive",
        /// `zoneAwareLbSetting`.
        ZoneAwareLbSetting => "zoneAwareLbSetting",
    }
}

named! {
    /// The rule that states a built-in default.
    RuleId {
        /// Catch-all virtual host.
        CatchAll => "R-VH-17",
        /// Default virtual host and route of a service.
        ServiceRoute => "R-VH-7",
        /// Virtual host of a gateway port without routes.
        GatewayBlackHole => "R-GW-16",
        /// TCP counterpart of the catch-all.
        PassthroughChain => "R-VH-18",
        /// Automatic mutual TLS.
        AutoMtls => "R-TP-9",
        /// Balancer, limits, connect timeout.
        TrafficPolicy => "R-TP-6",
        /// Default port of a destination.
        DestinationPort => "R-DST-1",
        /// Retries.
        Retry => "R-RTY-1",
        /// No route timeout.
        RouteTimeout => "R-TO-1",
        /// Fixed clusters of every proxy.
        FixedClusters => "X-NAME-5",
        /// Virtual listeners of a sidecar.
        VirtualListeners => "X-LDS-20",
        /// Default locality failover.
        Locality => "R-LOC-1",
    }
}

/// Which level of configuration gave a value. The owning node's [`Origin`] and the level together name object and
/// field; shared values hold a level instead of an origin, since an origin would make every one of them unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The node's own object and place.
    Own,
    /// The root VirtualService of a delegate merge (R-DEL-8).
    Root,
    /// `trafficPolicy` of the DestinationRule.
    Top,
    /// `trafficPolicy.portLevelSettings` of the DestinationRule.
    Port,
    /// `subsets[].trafficPolicy`.
    Subset,
    /// `subsets[].trafficPolicy.portLevelSettings`.
    SubsetPort,
    /// The ServiceEntry of the service.
    ServiceEntry,
    /// The Kubernetes Service (e.g. its traffic distribution).
    Service,
    /// The mesh configuration.
    Mesh,
    /// A built-in default, by the rule that states it.
    Default(RuleId),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::Root => "root",
            Self::Top => "top",
            Self::Port => "port",
            Self::Subset => "subset",
            Self::SubsetPort => "subset port",
            Self::ServiceEntry => "service entry",
            Self::Service => "service",
            Self::Mesh => "mesh",
            Self::Default(_) => "default",
        })
    }
}

/// A value and the level that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Who gave it.
    pub level: Level,
}

impl<T> Sourced<T> {
    /// `value`, given by `level`.
    pub fn new(value: T, level: Level) -> Self {
        Self { value, level }
    }
}
