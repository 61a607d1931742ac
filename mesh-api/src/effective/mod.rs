//! What holds in the end: documents of the mesh configuration laid over each other, the proxy configuration of a workload,
//! and answers from the mesh configuration that other parts need.
//!
//! ```text
//! built in ──▶ ConfigMap `istio` ──▶ EffectiveMesh ──▶ MeshConfig, MeshNetworks
//!                                         │
//!       ProxyConfig objects, annotation ──┴──▶ EffectiveProxyConfig   every field with the layer that set it
//! ```
//!
//! All of it is pure functions. Errors never leave a part of a document behind: what cannot be used is left out as a whole,
//! and the report says why.
//!
//! # Proxy configuration
//!
//! The layers from the lowest to the highest (A-MRG-5):
//!
//! 1. what Istio builds in,
//! 2. `defaultConfig` of the mesh,
//! 3. the ProxyConfig object of the root namespace without selector,
//! 4. that of the workload's namespace without selector, unless it is the root namespace,
//! 5. the annotation `proxy.istio.io/config` of the pod,
//! 6. the ProxyConfig object of the workload's namespace whose selector matches its labels.
//!
//! The annotation is *not* the strongest layer, although it is often said to be. Of several objects in a place the oldest
//! counts alone. An object says no more than `concurrency`, `environmentVariables` and `image`, so
//! `holdApplicationUntilProxyStarts` comes from the mesh or the annotation.
//!
//! ```
//! use mesh_api::ObjectMeta;
//! use mesh_api::effective::{EffectiveMesh, ProxyConfigLayer};
//!
//! let mut mesh = EffectiveMesh::new();
//! let report = mesh.apply("mesh.yaml", b"defaultConfig: {concurrency: 2, drainDuration: 30s}");
//! assert!(report.is_ok());
//!
//! let decoded = mesh_api::decode("proxies.yaml", b"
//! apiVersion: networking.istio.io/v1beta1
//! kind: ProxyConfig
//! metadata: {name: reviews, namespace: shop}
//! spec: {selector: {matchLabels: {app: reviews}}, concurrency: 0}
//! ");
//! let pod = ObjectMeta::new("reviews-1", "shop")
//!     .with_label("app", "reviews")
//!     .with_annotation("proxy.istio.io/config", "concurrency: 8\nholdApplicationUntilProxyStarts: true");
//! let effective = mesh.proxy_config(decoded.objects(), &pod);
//! assert_eq!(effective.config().concurrency, Some(0)); // the object beats the annotation
//! assert_eq!(effective.config().hold_application_until_proxy_starts, Some(true));
//! let layer = effective.layer(&"drainDuration".parse()?).ok_or("it is set")?;
//! assert_eq!(*layer, ProxyConfigLayer::MeshDefault);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exports;
mod layered;
mod mesh;
mod place;
mod providers;
mod proxy_config;
mod trust_domains;

#[cfg(test)]
mod tests;

pub use exports::ExportTo;
pub(crate) use mesh::document_key;
pub use mesh::{EffectiveMesh, decode_mesh_config, decode_mesh_networks};
pub use providers::{ProviderCapability, ProviderError, ProviderKind};
pub use proxy_config::{EffectiveProxyConfig, PROXY_CONFIG_ANNOTATION, ProxyConfigLayer, merge_proxy_config};
pub use trust_domains::TrustDomains;
