//! The mesh's own configuration: the ConfigMap document `mesh`.

mod config;
mod label_selector;
mod visibility;

pub use config::{
    AccessLogEncoding, DefaultProviders, DefaultTrafficPolicy, H2UpgradePolicy, InboundTrafficPolicy,
    InboundTrafficPolicyMode, IngressControllerMode, MeshConfig, NormalizationType, OutboundTrafficPolicy,
    OutboundTrafficPolicyMode, ProxyPathNormalization, TlsConfig, TlsProtocol,
};
pub use label_selector::{LabelSelector, LabelSelectorRequirement};
pub use visibility::{MatchRule, ServiceEntryVisibility, Visibility, VisibilityPolicy};
