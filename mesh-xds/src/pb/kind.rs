//! The kinds of xDS resources.

use std::fmt;

use prost::Name;

use super::any::message_name;
use super::envoy::config::{cluster, core, endpoint, listener, route};
use super::envoy::extensions::transport_sockets::tls;

/// A kind of xDS resource that this crate makes or serves.
///
/// The order is that in which a control plane must push them (clusters before their endpoints, listeners before the
/// routes that they ask for), so sorting by kind sorts into push order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `Cluster`, of CDS.
    Cluster,
    /// `ClusterLoadAssignment`, of EDS.
    Endpoint,
    /// `Listener`, of LDS.
    Listener,
    /// `RouteConfiguration`, of RDS.
    Route,
    /// `ScopedRouteConfiguration`, of SRDS.
    ScopedRoute,
    /// `Secret`, of SDS.
    Secret,
    /// `TypedExtensionConfig`, of ECDS.
    Extension,
}

impl Kind {
    /// Every kind, in push order.
    pub const ALL: [Kind; 7] = [
        Kind::Cluster,
        Kind::Endpoint,
        Kind::Listener,
        Kind::Route,
        Kind::ScopedRoute,
        Kind::Secret,
        Kind::Extension,
    ];

    /// The type URL that discovery requests and `Any` values carry.
    ///
    /// ```
    /// use mesh_xds::pb::Kind;
    /// assert_eq!(Kind::Cluster.type_url(), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
    /// ```
    pub fn type_url(self) -> String {
        match self {
            Kind::Cluster => cluster::v3::Cluster::type_url(),
            Kind::Endpoint => endpoint::v3::ClusterLoadAssignment::type_url(),
            Kind::Listener => listener::v3::Listener::type_url(),
            Kind::Route => route::v3::RouteConfiguration::type_url(),
            Kind::ScopedRoute => route::v3::ScopedRouteConfiguration::type_url(),
            Kind::Secret => tls::v3::Secret::type_url(),
            Kind::Extension => core::v3::TypedExtensionConfig::type_url(),
        }
    }

    /// The kind that a type URL names; only what follows the last `/` counts.
    ///
    /// ```
    /// use mesh_xds::pb::Kind;
    /// assert_eq!(Kind::from_type_url("type.googleapis.com/envoy.config.listener.v3.Listener"), Some(Kind::Listener));
    /// assert_eq!(Kind::from_type_url("type.googleapis.com/envoy.api.v2.Listener"), None);
    /// ```
    pub fn from_type_url(type_url: &str) -> Option<Kind> {
        let name = message_name(type_url);
        Kind::ALL
            .into_iter()
            .find(|kind| message_name(&kind.type_url()) == name)
    }

    /// The short name of its discovery service.
    pub fn service(self) -> &'static str {
        match self {
            Kind::Cluster => "CDS",
            Kind::Endpoint => "EDS",
            Kind::Listener => "LDS",
            Kind::Route => "RDS",
            Kind::ScopedRoute => "SRDS",
            Kind::Secret => "SDS",
            Kind::Extension => "ECDS",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.service())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_type_url() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_type_url(&kind.type_url()), Some(kind));
        }
        assert!(Kind::ALL.is_sorted());
    }
}
