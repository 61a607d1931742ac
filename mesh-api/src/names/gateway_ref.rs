//! References to gateways in VirtualServices.

use std::fmt;

use super::{Namespace, Text};

/// What an entry of `gateways` in a VirtualService refers to.
///
/// ```
/// use mesh_api::names::GatewayRef;
///
/// assert_eq!(GatewayRef::resolve("mesh", "shop"), GatewayRef::Mesh);
/// assert_eq!(GatewayRef::resolve("public", "shop").to_string(), "shop/public");
/// assert_eq!(GatewayRef::resolve("istio-system/public", "shop").to_string(), "istio-system/public");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayRef {
    /// The reserved word `mesh`: every sidecar.
    Mesh,
    /// One Gateway object.
    Named {
        /// The Gateway's namespace.
        namespace: Namespace,
        /// The Gateway's name.
        name: Text,
    },
}

impl GatewayRef {
    /// Reads a reference as it stands in an object of `namespace` (R-NAME-2).
    ///
    /// `g`, `./g`, `ns/g` and the legacy forms `g.ns` and `g.ns.svc.cluster.local` are understood. Nothing is refused: a
    /// malformed reference names a gateway that does not exist.
    ///
    /// Source: Istio virtualservice.go `resolveGatewayName`.
    pub fn resolve(text: &str, namespace: &str) -> Self {
        let (namespace, name) = match text.split_once('/') {
            None if text == "mesh" => return Self::Mesh,
            Some((".", name)) => (namespace, name),
            Some(pair) => pair,
            None => match text.split_once('.') {
                None => (namespace, text),
                Some((name, rest)) => (rest.split('.').next().unwrap_or_default(), name),
            },
        };
        Self::Named {
            namespace: Namespace::new(namespace),
            name: Text::from(name),
        }
    }
}

impl fmt::Display for GatewayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mesh => f.write_str("mesh"),
            Self::Named { namespace, name } => write!(f, "{namespace}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_r_name_2() {
        for (text, expected) in [
            ("mesh", "mesh"),
            ("./g", "ns/g"),
            ("a/g", "a/g"),
            ("g", "ns/g"),
            ("g.other", "other/g"),
            ("g.other.svc.cluster.local", "other/g"),
            ("./mesh", "ns/mesh"),
            ("", "ns/"),
            ("g.", "/g"),
        ] {
            assert_eq!(GatewayRef::resolve(text, "ns").to_string(), expected, "{text}");
        }
    }
}
