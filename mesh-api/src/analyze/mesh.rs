//! What analysis reads of the mesh configuration.

use std::collections::BTreeSet;

use crate::mesh::{ExtensionProvider, MeshConfig, Provider, Tracer};

/// The settings that analyzers ask for.
pub(super) struct MeshFacts {
    /// Providers of the tracer Lightstep, which is gone.
    pub(super) lightstep_providers: BTreeSet<String>,
    /// Names of the default tracing providers.
    pub(super) default_tracing: Vec<String>,
    /// Whether there is a default access log provider.
    pub(super) has_default_access_log: bool,
    /// `defaultConfig.image.imageType`; empty if none.
    pub(super) image_type: String,
    /// Whether proxies answer DNS, and give automatic addresses to the hosts of ServiceEntries.
    pub(super) allocates_addresses: bool,
    /// Whether the tracer of `defaultConfig` is Lightstep.
    pub(super) default_config_uses_lightstep: bool,
}

impl MeshFacts {
    pub(super) fn new(mesh: &MeshConfig) -> Self {
        let is_lightstep =
            |provider: &&ExtensionProvider| matches!(provider.provider, Some(Provider::Lightstep(_)));
        let lightstep = mesh.extension_providers.iter().filter(is_lightstep);
        let config = mesh.default_config.as_deref();
        let is_true = |key: &str| {
            let value = config.and_then(|config| config.proxy_metadata.get(key));
            value.is_some_and(|value| value == "true")
        };
        let image = config.and_then(|config| config.image.as_ref());
        let tracer = config.and_then(|config| config.tracing.as_ref()?.tracer.as_ref());
        Self {
            lightstep_providers: lightstep.map(|provider| provider.name.clone()).collect(),
            default_tracing: mesh.default_providers.tracing.clone(),
            has_default_access_log: !mesh.default_providers.access_logging.is_empty(),
            image_type: image.map(|image| image.image_type.clone()).unwrap_or_default(),
            allocates_addresses: is_true("ISTIO_META_DNS_CAPTURE")
                && (is_true("ISTIO_META_DNS_AUTO_ALLOCATE") || is_true("PILOT_ENABLE_IP_AUTOALLOCATE")),
            default_config_uses_lightstep: matches!(tracer, Some(Tracer::Lightstep(_))),
        }
    }
}
