//! What conversion has to say beside the resources.

use std::fmt;
use std::sync::Arc;

use mesh_api::names::Text;
use mesh_route::plan::{Foreign, ForeignEffect, ForeignParts, Origin, RuleId};

use crate::pb::Kind;

/// A resource, by kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Something that the plan says and the resources do not.
#[derive(Clone, Debug, PartialEq)]
pub struct NotExpressed {
    /// The resource that lacks it; `None` for what concerns the whole proxy.
    pub resource: Option<ResourceKey>,
    /// The object that asked for it.
    pub origin: Origin,
    /// What it is.
    pub part: Part,
}

impl fmt::Display for NotExpressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(resource) = &self.resource {
            write!(f, "{resource}: ")?;
        }
        write!(f, "{} ({})", self.part, self.origin)
    }
}

/// What is not expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Something that the plan itself only names, and why.
    Caveat(&'static str),
    /// An imported part, by name. If it is a condition or an action, what it belongs to is left out.
    Foreign(Text),
    /// A condition on a query parameter that Envoy has no matcher for: a number in a range. The route is left out.
    QueryRange(Text),
    /// The filter that resolves the host of a request, which dynamic forwarding needs beside its cluster.
    DynamicForwardFilter,
    /// A cluster named by a request header, on a TCP connection; the chain is left out.
    ClusterByHeader(Text),
    /// A codec that Envoy as released does not have.
    Codec(&'static str),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Caveat(reason) => f.write_str(reason),
            Part::Foreign(name) => write!(f, "imported part `{name}`"),
            Part::QueryRange(name) => write!(f, "number range of query parameter `{name}`"),
            Part::DynamicForwardFilter => f.write_str("filter for dynamic forwarding"),
            Part::ClusterByHeader(name) => write!(f, "cluster named by header `{name}`"),
            Part::Codec(name) => write!(f, "codec `{name}`"),
        }
    }
}

/// Something that Envoy would refuse, and that is left out or changed so that it does not (X-IN-15).
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// The resource.
    pub resource: ResourceKey,
    /// The object that asked for it, if one did.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.problem)?;
        match &self.origin {
            Some(origin) => write!(f, " ({origin})"),
            None => Ok(()),
        }
    }
}

/// What Envoy would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A resource of that kind and name exists already; this one is left out.
    DuplicateName,
    /// Two virtual hosts serve the domain; the later one loses it.
    DuplicateDomain(Text),
    /// Two chains take the same connections; the later one is left out.
    DuplicateChain,
    /// The route does nothing; it is left out.
    NoAction,
    /// No destination has a weight, or the weights exceed what Envoy can add up; the route or chain is left out.
    BadWeights,
    /// A cluster that is resolved or listed has no endpoint; it is left out (X-CDS-10).
    NoEndpoints,
    /// Logical DNS takes one endpoint; so many others are left out (X-CDS-12).
    ExtraEndpoints(usize),
    /// An endpoint has no address; it is left out.
    NoAddress,
    /// The cluster's type does not bring a balancer of its own; round robin is used.
    NoOwnBalancer,
    /// A listener without chains, which is left out.
    NoChains,
    /// QUIC without TLS; the chain is left out.
    QuicWithoutTls,
    /// A cipher suite that Envoy does not know; it is left out.
    UnknownCipher(Text),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::DuplicateName => f.write_str("name in use already, left out"),
            Problem::DuplicateDomain(domain) => write!(f, "domain `{domain}` in use already, left out"),
            Problem::DuplicateChain => f.write_str("filter chain with the match of another one, left out"),
            Problem::NoAction => f.write_str("route without an action, left out"),
            Problem::BadWeights => f.write_str("no usable weights, left out"),
            Problem::NoEndpoints => f.write_str("no endpoints, left out"),
            Problem::ExtraEndpoints(more) => write!(f, "one endpoint allowed, {more} left out"),
            Problem::NoAddress => f.write_str("endpoint without an address, left out"),
            Problem::NoOwnBalancer => f.write_str("no balancer of its own, round robin used"),
            Problem::NoChains => f.write_str("listener without filter chains, left out"),
            Problem::UnknownCipher(name) => write!(f, "unknown cipher suite `{name}`, left out"),
            Problem::QuicWithoutTls => f.write_str("QUIC without TLS, left out"),
        }
    }
}

/// Collects what is to be said about one resource.
pub(super) struct Notes {
    resource: ResourceKey,
    not_expressed: Vec<NotExpressed>,
    warnings: Vec<Warning>,
}

impl Notes {
    pub(super) fn new(kind: Kind, name: &str) -> Notes {
        Notes {
            resource: ResourceKey {
                kind,
                name: Arc::from(name),
            },
            not_expressed: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn warn(&mut self, origin: Option<&Origin>, problem: Problem) {
        self.warnings.push(Warning {
            resource: self.resource.clone(),
            origin: origin.cloned(),
            problem,
        });
    }

    pub(super) fn not_expressed(&mut self, origin: &Origin, part: Part) {
        self.not_expressed.push(NotExpressed {
            resource: Some(self.resource.clone()),
            origin: origin.clone(),
            part,
        });
    }

    /// Lists imported parts, if there are any. Says whether the node means the same without them; one that does not is
    /// to be left out, since it would apply where it should not.
    #[must_use]
    pub(super) fn foreign(&mut self, origin: &Origin, foreign: &Foreign) -> bool {
        match foreign {
            None => true,
            Some(parts) => self.foreign_parts(origin, parts),
        }
    }

    pub(super) fn foreign_parts(&mut self, origin: &Origin, parts: &ForeignParts) -> bool {
        let ForeignParts {
            type_url: _,
            bytes: _,
            name,
            effect,
        } = parts;
        self.not_expressed(origin, Part::Foreign(name.clone()));
        *effect == ForeignEffect::None
    }

    pub(super) fn into_parts(self) -> (Vec<NotExpressed>, Vec<Warning>) {
        (self.not_expressed, self.warnings)
    }
}

/// The origin of what no object asked for.
pub(super) fn built_in() -> Origin {
    Origin::at(mesh_route::plan::At::Default(RuleId::FixedClusters))
}
