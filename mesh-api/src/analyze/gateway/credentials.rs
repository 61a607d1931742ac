//! The secrets that gateways take their certificates from. Source: Istio analysis secret.go.

use super::super::codes;
use super::super::path::field;
use super::super::sink::Sink;
use super::super::view::View;
use super::x509;
use crate::kind::Kind;
use crate::kubernetes::Secret;
use crate::networking::ServerTlsSettings;
use crate::report::FieldPath;

/// IST0101 and IST0161
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows_gateway_pods() {
        return;
    }
    let now = view.options.now.as_ref().map(|now| now.unix_seconds());
    for gateway in view.objects.gateways() {
        // upstream takes the namespace of the first pod that it finds
        let Some((pod, _)) = view.pods().anywhere(&gateway.spec.selector).next() else {
            super::no_workload(gateway, sink);
            continue;
        };
        if !view.knows(&Kind::Secret) {
            continue;
        }
        for (at, server) in gateway.spec.servers.iter().enumerate() {
            let tls = server.tls.iter();
            for (name, path) in tls.flat_map(|tls| names(tls, &field!["spec", "servers", at, "tls"])) {
                let Some(secret) = view.objects.object::<Secret>(pod.namespace.as_str(), name) else {
                    let parameters = ["credentialName".to_owned(), name.to_owned()];
                    sink.report(codes::REFERENCED_RESOURCE_NOT_FOUND, gateway, path, parameters);
                    continue;
                };
                if let Err(reason) = fault(&secret.spec, now) {
                    let parameters = [name.to_owned(), gateway.meta.name.to_string(), reason.to_owned()];
                    sink.report(codes::INVALID_GATEWAY_CREDENTIAL, gateway, path, parameters);
                }
            }
        }
    }
}

/// The secrets that a server names. Names like `builtin://` stand for something else.
fn names<'a>(tls: &'a ServerTlsSettings, path: &FieldPath) -> Vec<(&'a str, FieldPath)> {
    let one = (tls.credential_name.as_str(), path.with_field("credentialName"));
    let several = tls.credential_names.iter().enumerate();
    let several =
        several.map(|(at, name)| (name.as_str(), path.with_field("credentialNames").with_index(at)));
    std::iter::once(one)
        .chain(several)
        .filter(|(name, _)| !name.is_empty() && !name.contains("://"))
        .collect()
}

/// Whether a certificate and its key are in the secret, under one of the names that istiod knows, and fit each other.
fn fault(secret: &Secret, now: Option<i64>) -> Result<(), &'static str> {
    let pair = |certificate, key| secret.value(certificate).zip(secret.value(key));
    let (certificate, key) = pair("cert", "key")
        .or_else(|| pair("tls.crt", "tls.key"))
        .ok_or("it holds neither `tls.crt` and `tls.key` nor `cert` and `key`")?;
    let certificate = x509::Certificate::from_pem(certificate).ok_or("its certificate cannot be read")?;
    let key = x509::PrivateKey::from_pem(key).ok_or("its private key cannot be read")?;
    if !key.fits(&certificate) {
        return Err("its private key belongs to another certificate");
    }
    match now {
        Some(now) if now > certificate.not_after => Err("its certificate has expired"),
        _ => Ok(()),
    }
}
