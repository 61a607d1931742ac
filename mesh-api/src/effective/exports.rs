//! Answers of the mesh configuration about visibility, namespaces and outbound traffic.

use std::collections::BTreeSet;

use crate::mesh::{MeshConfig, OutboundTrafficPolicyMode};
use crate::names::Labels;
use crate::networking::{self, Sidecar};

/// Where an object can be seen (A-MSH-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTo {
    /// Everywhere.
    All,
    /// Nowhere: `~`.
    None,
    /// In these namespaces.
    Namespaces(BTreeSet<String>),
}

impl ExportTo {
    /// The meaning of an object's `exportTo` in its namespace; an empty list means that of the mesh, which is one of
    /// `default_service_export_to` and its like.
    ///
    /// ```
    /// use mesh_api::effective::ExportTo;
    /// use mesh_api::mesh::MeshConfig;
    ///
    /// let mesh = MeshConfig::default();
    /// let everywhere = ExportTo::resolve(&[], &mesh.default_service_export_to, "shop");
    /// assert_eq!(everywhere, ExportTo::All);
    /// let own = ExportTo::resolve(&[".".into()], &mesh.default_service_export_to, "shop");
    /// assert!(own.includes("shop") && !own.includes("bar"));
    /// ```
    pub fn resolve(export_to: &[String], mesh_default: &[String], namespace: &str) -> Self {
        let entries = if export_to.is_empty() {
            mesh_default
        } else {
            export_to
        };
        if entries.is_empty() || entries.iter().any(|entry| entry == "*") {
            return Self::All;
        }
        let named = entries.iter().filter(|entry| *entry != "~");
        let namespaces: BTreeSet<String> = named
            .map(|entry| if entry == "." { namespace } else { entry })
            .map(str::to_owned)
            .collect();
        match namespaces.is_empty() {
            true => Self::None,
            false => Self::Namespaces(namespaces),
        }
    }

    /// Whether the object can be seen from a namespace.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Namespaces(namespaces) => namespaces.contains(namespace),
        }
    }
}

impl MeshConfig {
    /// Whether the control plane looks at a namespace with these labels (A-MSH-1): there are no `discovery_selectors`, or one
    /// of them matches. Objects outside namespaces are always looked at; the root namespace is asked like any other.
    ///
    /// ```
    /// use mesh_api::names::Labels;
    ///
    /// let (mesh, _) = mesh_api::decode_mesh_config("mesh.yaml", b"discoverySelectors: [{matchLabels: {mesh: 'on'}}]");
    /// assert!(mesh.discovers(&Labels::new().with("mesh", "on")));
    /// assert!(!mesh.discovers(&Labels::new()));
    /// ```
    pub fn discovers(&self, namespace_labels: &Labels) -> bool {
        let selectors = &self.discovery_selectors;
        selectors.is_empty()
            || selectors
                .iter()
                .any(|selector| selector.matches(namespace_labels))
    }

    /// What becomes of outbound traffic to unknown destinations at a workload: the Sidecar's say, else the mesh's (A-MSH-4).
    pub fn outbound_mode(&self, sidecar: Option<&Sidecar>) -> OutboundTrafficPolicyMode {
        match sidecar.and_then(|sidecar| sidecar.outbound_traffic_policy.as_ref()) {
            None => self.outbound_traffic_policy.mode,
            Some(policy) => match policy.mode {
                networking::OutboundTrafficPolicyMode::RegistryOnly => {
                    OutboundTrafficPolicyMode::RegistryOnly
                }
                networking::OutboundTrafficPolicyMode::AllowAny => OutboundTrafficPolicyMode::AllowAny,
                other => OutboundTrafficPolicyMode::from_number(other.number()),
            },
        }
    }
}
