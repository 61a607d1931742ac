//! Secrets for Envoy: what an agent of mesh-ca hands out, as resources of SDS (feature `sds`).
//!
//! ```
//! use mesh_ca::agent::{NamedSecret, Secret, ValidationSecret};
//! use mesh_xds::secret;
//!
//! let roots = NamedSecret {
//!     name: "ROOTCA".to_owned(),
//!     version: 3,
//!     secret: Secret::Validation(ValidationSecret { trusted_ca: "-----BEGIN ...".to_owned(), crl: None }).into(),
//! };
//! let response = secret::response(&[roots], "3", "1");
//! assert_eq!(response.type_url, "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret");
//! assert_eq!((response.version_info.as_str(), response.resources.len()), ("3", 1));
//! ```
//!
//! Source: Istio security/pkg/nodeagent/sds `toEnvoySecret`; xds.md X-SDS-6, X-SDS-8.

use mesh_ca::agent::{
    CertificateSecret, DeltaSdsRequest, NamedSecret, PrivateKeyProvider, SdsRequest, Secret, ValidationSecret,
};
use prost_types::Any;

use crate::pb::envoy::config::core::v3::{DataSource, data_source};
use crate::pb::envoy::extensions::transport_sockets::tls::v3 as tls;
use crate::pb::envoy::service::discovery::v3::{
    self as discovery, DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use crate::pb::{self, Kind};
use crate::resource::Resource;

/// A secret as Envoy's message, with its content inline. It holds the private key in the clear: encode it, send it over the
/// Unix socket, and let go of it; for people there is [`redacted`].
pub fn message(named: &NamedSecret) -> tls::Secret {
    let NamedSecret {
        name,
        version: _,
        secret,
    } = named;
    let kind = match &**secret {
        Secret::Certificate(certificate) => tls::secret::Type::TlsCertificate(tls_certificate(certificate)),
        Secret::Validation(validation) => {
            tls::secret::Type::ValidationContext(validation_context(validation))
        }
    };
    tls::Secret {
        name: name.clone(),
        r#type: Some(kind),
    }
}

/// A secret as a resource of SDS.
pub fn resource(named: &NamedSecret) -> Resource {
    Resource::new(Kind::Secret, named.name.as_str(), &message(named))
}

/// The response that carries these secrets, as the agent's `SendSecrets` says.
pub fn response(secrets: &[NamedSecret], version: &str, nonce: &str) -> DiscoveryResponse {
    DiscoveryResponse {
        version_info: version.to_owned(),
        resources: secrets.iter().map(|secret| pb::pack(&message(secret))).collect(),
        type_url: Kind::Secret.type_url(),
        nonce: nonce.to_owned(),
        ..DiscoveryResponse::default()
    }
}

/// A request of Envoy, as the agent takes it. `None` when it asks for something else than secrets.
///
/// ```
/// use mesh_xds::pb::envoy::service::discovery::v3::DiscoveryRequest;
/// use mesh_xds::secret;
///
/// let mut request = DiscoveryRequest { resource_names: vec!["default".to_owned()], ..Default::default() };
/// assert_eq!(secret::request(&request).map(|request| request.names), Some(vec!["default".to_owned()]));
/// request.type_url = "type.googleapis.com/envoy.config.cluster.v3.Cluster".to_owned();
/// assert_eq!(secret::request(&request), None);
/// ```
pub fn request(request: &DiscoveryRequest) -> Option<SdsRequest> {
    is_of_secrets(&request.type_url).then(|| SdsRequest {
        names: request.resource_names.clone(),
        version: request.version_info.clone(),
        nonce: request.response_nonce.clone(),
        error: request.error_detail.as_ref().map(|status| status.message.clone()),
    })
}

/// The response that carries these secrets on a delta stream, as the agent's `SendDelta` says. Each has a version of its own.
///
/// ```
/// use mesh_ca::agent::{NamedSecret, Secret, ValidationSecret};
/// use mesh_xds::secret;
///
/// let roots = NamedSecret {
///     name: "ROOTCA".to_owned(),
///     version: 3,
///     secret: Secret::Validation(ValidationSecret { trusted_ca: "-----BEGIN ...".to_owned(), crl: None }).into(),
/// };
/// let response = secret::delta_response(&[roots.clone()], &["default".to_owned()], "3", "1");
/// assert_eq!(response.resources[0].version, roots.resource_version());
/// assert_eq!(response.removed_resources, ["default"]);
/// ```
pub fn delta_response(
    secrets: &[NamedSecret],
    removed: &[String],
    version: &str,
    nonce: &str,
) -> DeltaDiscoveryResponse {
    let resources = secrets.iter().map(|secret| discovery::Resource {
        name: secret.name.clone(),
        version: secret.resource_version(),
        resource: Some(pb::pack(&message(secret))),
        ..discovery::Resource::default()
    });
    DeltaDiscoveryResponse {
        system_version_info: version.to_owned(),
        resources: resources.collect(),
        removed_resources: removed.to_vec(),
        type_url: Kind::Secret.type_url(),
        nonce: nonce.to_owned(),
        ..DeltaDiscoveryResponse::default()
    }
}

/// A request of Envoy on a delta stream, as the agent takes it. `None` when it asks for something else than secrets.
///
/// ```
/// use mesh_xds::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;
/// use mesh_xds::secret;
///
/// let names = vec!["default".to_owned()];
/// let mut request = DeltaDiscoveryRequest { resource_names_subscribe: names.clone(), ..Default::default() };
/// assert_eq!(secret::delta_request(&request).map(|request| request.subscribe), Some(names));
/// request.type_url = "type.googleapis.com/envoy.config.cluster.v3.Cluster".to_owned();
/// assert_eq!(secret::delta_request(&request), None);
/// ```
pub fn delta_request(request: &DeltaDiscoveryRequest) -> Option<DeltaSdsRequest> {
    is_of_secrets(&request.type_url).then(|| DeltaSdsRequest {
        subscribe: request.resource_names_subscribe.clone(),
        unsubscribe: request.resource_names_unsubscribe.clone(),
        initial_versions: request.initial_resource_versions.clone(),
        nonce: request.response_nonce.clone(),
        error: request.error_detail.as_ref().map(|status| status.message.clone()),
    })
}

/// The same secret without what nobody may see: keys, passwords, ticket keys and generic secrets are replaced by
/// `[redacted]`, as Envoy does in its configuration dump. For JSON that people read (X-DUMP-7).
///
/// ```
/// use mesh_xds::pb::envoy::extensions::transport_sockets::tls::v3::{Secret, TlsCertificate, secret::Type};
/// # use mesh_xds::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
///
/// let key = DataSource { specifier: Some(Specifier::InlineString("very secret".to_owned())), ..Default::default() };
/// let certificate = TlsCertificate { private_key: Some(key), ..Default::default() };
/// let secret = Secret { name: "default".to_owned(), r#type: Some(Type::TlsCertificate(certificate)) };
/// let shown = format!("{:?}", mesh_xds::secret::redacted(&secret));
/// assert!(shown.contains("[redacted]") && !shown.contains("very secret"));
/// ```
pub fn redacted(secret: &tls::Secret) -> tls::Secret {
    let mut secret = secret.clone();
    match &mut secret.r#type {
        Some(tls::secret::Type::TlsCertificate(certificate)) => {
            let hidden = [
                &mut certificate.private_key,
                &mut certificate.pkcs12,
                &mut certificate.password,
            ];
            for source in hidden.into_iter().flatten() {
                *source = inline_string(REDACTED);
            }
            if let Some(provider) = &mut certificate.private_key_provider {
                // Its configuration holds the key.
                provider.config_type = None;
            }
        }
        Some(tls::secret::Type::SessionTicketKeys(keys)) => {
            for key in &mut keys.keys {
                *key = inline_string(REDACTED);
            }
        }
        Some(tls::secret::Type::GenericSecret(generic)) => {
            *generic = tls::GenericSecret {
                secret: Some(inline_string(REDACTED)),
                ..tls::GenericSecret::default()
            };
        }
        Some(tls::secret::Type::ValidationContext(_)) | None => {}
    }
    secret
}

/// A stream of SDS can leave the type out: it carries nothing else.
fn is_of_secrets(type_url: &str) -> bool {
    type_url.is_empty() || type_url == Kind::Secret.type_url()
}

fn tls_certificate(secret: &CertificateSecret) -> tls::TlsCertificate {
    let CertificateSecret { chain, key, provider } = secret;
    let key = inline_bytes(key.expose());
    let mut certificate = tls::TlsCertificate {
        certificate_chain: Some(inline_bytes(chain.as_bytes())),
        ..tls::TlsCertificate::default()
    };
    match provider {
        Some(provider) => certificate.private_key_provider = Some(private_key_provider(provider, key)),
        None => certificate.private_key = Some(key),
    }
    certificate
}

fn validation_context(secret: &ValidationSecret) -> tls::CertificateValidationContext {
    let ValidationSecret { trusted_ca, crl } = secret;
    tls::CertificateValidationContext {
        trusted_ca: Some(inline_bytes(trusted_ca.as_bytes())),
        crl: crl.as_ref().map(|crl| inline_bytes(crl.as_bytes())),
        ..tls::CertificateValidationContext::default()
    }
}

fn private_key_provider(provider: &PrivateKeyProvider, key: DataSource) -> tls::PrivateKeyProvider {
    let (name, type_url, poll_delay) = match provider {
        PrivateKeyProvider::Cryptomb { poll_delay } => ("cryptomb", CRYPTOMB, poll_delay),
        PrivateKeyProvider::Qat { poll_delay } => ("qat", QAT, poll_delay),
    };
    let config = KeyMethodConfig {
        private_key: Some(key),
        poll_delay: prost_types::Duration::try_from(*poll_delay).ok(),
    };
    let config = Any {
        type_url: type_url.to_owned(),
        value: prost::Message::encode_to_vec(&config),
    };
    tls::PrivateKeyProvider {
        provider_name: name.to_owned(),
        fallback: false,
        config_type: Some(tls::private_key_provider::ConfigType::TypedConfig(config)),
    }
}

/// The configuration of both providers of Envoy's contrib build: they have the same fields, and are not among the generated
/// messages. Source: Envoy contrib `CryptoMbPrivateKeyMethodConfig`, `QatPrivateKeyMethodConfig`.
#[derive(Clone, PartialEq, prost::Message)]
struct KeyMethodConfig {
    #[prost(message, optional, tag = "1")]
    private_key: Option<DataSource>,
    #[prost(message, optional, tag = "2")]
    poll_delay: Option<prost_types::Duration>,
}

fn inline_bytes(bytes: &[u8]) -> DataSource {
    DataSource {
        specifier: Some(data_source::Specifier::InlineBytes(bytes.to_vec())),
        ..DataSource::default()
    }
}

fn inline_string(text: &str) -> DataSource {
    DataSource {
        specifier: Some(data_source::Specifier::InlineString(text.to_owned())),
        ..DataSource::default()
    }
}

const REDACTED: &str = "[redacted]";
const CRYPTOMB: &str = "type.googleapis.com/envoy.extensions.private_key_providers.cryptomb.v3alpha.CryptoMbPrivateKeyMethodConfig";
const QAT: &str =
    "type.googleapis.com/envoy.extensions.private_key_providers.qat.v3alpha.QatPrivateKeyMethodConfig";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mesh_ca::{InsecureSeededEntropy, KeyFormat, KeyPair};

    use super::*;

    fn certificate(provider: Option<PrivateKeyProvider>) -> (NamedSecret, Vec<u8>) {
        let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1)).unwrap();
        let key = key.to_pem(KeyFormat::Pkcs8);
        let bytes = key.expose().to_vec();
        let chain = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let secret = Secret::Certificate(CertificateSecret { chain, key, provider });
        let named = NamedSecret {
            name: "default".to_owned(),
            version: 7,
            secret: secret.into(),
        };
        (named, bytes)
    }

    /// X-SDS-6: certificate and key are inline bytes.
    #[test]
    fn certificates_are_inline() {
        let (named, key) = certificate(None);
        let made: tls::Secret = resource(&named).unpack().unwrap();
        assert_eq!(made.name, "default");
        let Some(tls::secret::Type::TlsCertificate(made)) = made.r#type else {
            panic!("{made:?}")
        };
        assert_eq!(made.private_key, Some(inline_bytes(&key)));
        assert_eq!(
            made.certificate_chain,
            Some(inline_bytes(b"-----BEGIN CERTIFICATE-----\n"))
        );
    }

    /// X-SDS-6, C-SDS-12: a provider wraps the key, and nothing else holds it.
    #[test]
    fn providers_wrap_the_key() {
        for (provider, name) in [
            (
                PrivateKeyProvider::Cryptomb {
                    poll_delay: Duration::from_millis(10),
                },
                "cryptomb",
            ),
            (
                PrivateKeyProvider::Qat {
                    poll_delay: Duration::from_millis(10),
                },
                "qat",
            ),
        ] {
            let (named, key) = certificate(Some(provider));
            let Some(tls::secret::Type::TlsCertificate(made)) = message(&named).r#type else {
                panic!()
            };
            assert_eq!(made.private_key, None);
            let provider = made.private_key_provider.unwrap();
            assert_eq!(provider.provider_name, name);
            let Some(tls::private_key_provider::ConfigType::TypedConfig(config)) = provider.config_type
            else {
                panic!()
            };
            assert!(config.type_url.contains(name));
            let config = <KeyMethodConfig as prost::Message>::decode(&*config.value).unwrap();
            assert_eq!(config.private_key, Some(inline_bytes(&key)));
            assert_eq!(config.poll_delay.unwrap().nanos, 10_000_000);
        }
    }

    /// X-DUMP-7: what people read holds no key, however it is wrapped.
    #[test]
    fn redacted_secrets_hold_no_key() {
        let qat = PrivateKeyProvider::Qat {
            poll_delay: Duration::ZERO,
        };
        for provider in [None, Some(qat)] {
            let (named, key) = certificate(provider);
            let (shown, whole) = (redacted(&message(&named)), message(&named));
            let holds = |secret: &tls::Secret| {
                let bytes = prost::Message::encode_to_vec(secret);
                bytes.windows(key.len()).any(|part| part == key)
            };
            assert!(holds(&whole) && !holds(&shown));
        }
    }

    /// Authorities and CRLs go into a validation context, and its JSON reads as Envoy writes it.
    #[cfg(feature = "reflect")]
    #[test]
    fn authorities_have_a_json_form() {
        let secret = Secret::Validation(ValidationSecret {
            trusted_ca: "roots".to_owned(),
            crl: Some("list".to_owned()),
        });
        let named = NamedSecret {
            name: "ROOTCA".to_owned(),
            version: 1,
            secret: secret.into(),
        };
        let json = crate::json::to_json(&message(&named)).unwrap();
        let expected = serde_json::json!({
            "name": "ROOTCA",
            "validationContext": { "trustedCa": { "inlineBytes": "cm9vdHM=" }, "crl": { "inlineBytes": "bGlzdA==" } }
        });
        assert_eq!(json, expected);
    }

    /// C-SDS-11: requests and responses of the delta variant; every field arrives.
    #[test]
    fn delta_requests_and_responses_fit_the_agent() {
        let text = |text: &str| text.to_owned();
        let asked = DeltaDiscoveryRequest {
            type_url: String::new(),
            resource_names_subscribe: vec![text("default")],
            resource_names_unsubscribe: vec![text("ROOTCA")],
            initial_resource_versions: [(text("default"), text("7"))].into(),
            response_nonce: text("2"),
            error_detail: Some(crate::pb::google::rpc::Status {
                message: text("no"),
                ..Default::default()
            }),
            ..DeltaDiscoveryRequest::default()
        };
        let expected = DeltaSdsRequest {
            subscribe: vec![text("default")],
            unsubscribe: vec![text("ROOTCA")],
            initial_versions: [(text("default"), text("7"))].into(),
            nonce: text("2"),
            error: Some(text("no")),
        };
        assert_eq!(delta_request(&asked), Some(expected));
        let (named, _) = certificate(None);
        let response = delta_response(std::slice::from_ref(&named), &[text("ROOTCA")], "7", "2");
        assert_eq!(
            (response.system_version_info.as_str(), response.nonce.as_str()),
            ("7", "2")
        );
        assert_eq!(response.type_url, Kind::Secret.type_url());
        assert_eq!(response.removed_resources, ["ROOTCA"]);
        let [resource] = &response.resources[..] else {
            panic!()
        };
        assert_eq!(
            (resource.name.as_str(), &resource.version),
            ("default", &named.resource_version())
        );
        let message_of = resource.resource.as_ref().unwrap();
        assert_eq!(pb::unpack::<tls::Secret>(message_of).unwrap(), message(&named));
    }

    /// Requests and responses: nonces, versions, errors.
    #[test]
    fn requests_and_responses_fit_the_agent() {
        let answer = DiscoveryRequest {
            version_info: "7".to_owned(),
            resource_names: vec!["default".to_owned()],
            type_url: Kind::Secret.type_url(),
            response_nonce: "2".to_owned(),
            error_detail: Some(crate::pb::google::rpc::Status {
                message: "no".to_owned(),
                ..Default::default()
            }),
            ..DiscoveryRequest::default()
        };
        let expected = SdsRequest {
            names: vec!["default".to_owned()],
            version: "7".to_owned(),
            nonce: "2".to_owned(),
            error: Some("no".to_owned()),
        };
        assert_eq!(request(&answer), Some(expected));
        let (named, _) = certificate(None);
        let response = response(std::slice::from_ref(&named), "7", "2");
        assert_eq!(
            (response.version_info.as_str(), response.nonce.as_str()),
            ("7", "2")
        );
        assert_eq!(
            pb::unpack::<tls::Secret>(&response.resources[0]).unwrap(),
            message(&named)
        );
    }
}
