//! Validation of what is no object: the documents of the mesh configuration and their parts.

use super::at::At;
use super::context::Context;
use super::{ValidateOptions, extension_provider, mesh_config, mesh_networks, mesh_proxy_config};
use crate::effective::document_key;
use crate::mesh::{ExtensionProvider, MeshConfig, MeshNetworks, MeshProxyConfig};
use crate::meta::ObjectMeta;
use crate::names::Namespace;
use crate::object::ObjectKey;
use crate::report::Report;

/// Validates a mesh configuration (A-MC, A-MP, A-EP); all findings, in the order of the fields.
///
/// The rules are for the whole configuration, with what is built in, not for a fragment of it. That istiod goes on with
/// extension providers that break their rules makes those findings warnings, errors in
/// [`Profile::Strict`](crate::Profile::Strict).
///
/// ```
/// use mesh_api::mesh::MeshConfig;
/// use mesh_api::validate::{ValidateOptions, validate_mesh_config};
///
/// let mut mesh = MeshConfig::default();
/// assert!(validate_mesh_config(&mesh, &ValidateOptions::default()).is_empty());
/// mesh.trust_domain = "my_domain".into();
/// let report = validate_mesh_config(&mesh, &ValidateOptions::default());
/// let finding = report.errors().next().ok_or("an error")?;
/// assert_eq!((finding.code.as_str(), finding.path.to_string().as_str()), ("A-MC-8", "trustDomain"));
/// # Ok::<(), &str>(())
/// ```
pub fn validate_mesh_config(mesh: &MeshConfig, options: &ValidateOptions) -> Report {
    run(document_key("MeshConfig", "mesh"), options, |context| {
        mesh_config::check(mesh, context);
    })
}

/// Validates MeshNetworks (A-MN); all findings, in the order of the names. Names of hosts are allowed as addresses of
/// gateways, as istiod does by default.
pub fn validate_mesh_networks(networks: &MeshNetworks, options: &ValidateOptions) -> Report {
    run(document_key("MeshNetworks", "meshNetworks"), options, |context| {
        mesh_networks::check(networks, context);
    })
}

/// Validates a proxy configuration (A-MP); all findings, in the order of the fields. The rules are for the configuration
/// that all layers add up to.
pub fn validate_mesh_proxy_config(config: &MeshProxyConfig, options: &ValidateOptions) -> Report {
    run(document_key("ProxyConfig", "defaultConfig"), options, |context| {
        mesh_proxy_config::check(config, &At::root(), context);
    })
}

/// Validates an extension provider (A-EP) alone, so without a look at the names of others.
pub fn validate_extension_provider(provider: &ExtensionProvider, options: &ValidateOptions) -> Report {
    run(
        document_key("ExtensionProvider", "extensionProvider"),
        options,
        |context| {
            extension_provider::check(provider, &At::root(), context);
        },
    )
}

fn run(key: ObjectKey, options: &ValidateOptions, check: impl FnOnce(&mut Context<'_>)) -> Report {
    if !options.profile.has_istiod() {
        return Report::new();
    }
    let meta = ObjectMeta::default();
    // the documents have no namespace (A-MP-11)
    let options = ValidateOptions {
        default_namespace: Namespace::default(),
        ..options.clone()
    };
    let mut context = Context::new(key, &meta, &options);
    check(&mut context);
    context.into_report()
}
