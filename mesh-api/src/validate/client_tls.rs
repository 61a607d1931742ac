//! Rules of client TLS (A-CT).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use crate::networking::{ClientTlsMode, ClientTlsSettings};

rules! {
    CT_1 "A-CT-1" Error "a config map is named as `configmap://namespace/name` or `configmap://name`";
    CT_2 "A-CT-2" Error "a config map lies in the object's namespace";
    CT_3 "A-CT-3" Error "insecureSkipVerify in SIMPLE mode excludes what verifies the server";
    CT_4 "A-CT-4" Error "insecureSkipVerify in MUTUAL mode excludes what verifies the server";
    CT_5 "A-CT-5" Error "credentialName and paths of files exclude each other";
    CT_6 "A-CT-6" Error "MUTUAL mode needs a client certificate";
    CT_7 "A-CT-7" Error "MUTUAL mode needs a private key";
}

const CONFIG_MAP: &str = "configmap://";

pub(super) fn check(tls: &ClientTlsSettings, at: &At<'_>, context: &mut Context<'_>) {
    let ClientTlsSettings {
        mode,
        client_certificate,
        private_key,
        ca_certificates,
        credential_name,
        subject_alt_names,
        sni: _,
        insecure_skip_verify,
        ca_crl,
    } = tls;
    check_config_map(credential_name, &at.field("credentialName"), context);
    let simple = *mode == ClientTlsMode::Simple;
    let mutual = *mode == ClientTlsMode::Mutual;
    if *insecure_skip_verify == Some(true) {
        let verifies = !ca_certificates.is_empty() || !subject_alt_names.is_empty();
        let at = at.field("insecureSkipVerify");
        if simple && (verifies || !credential_name.is_empty()) {
            let message = "insecureSkipVerify excludes caCertificates, credentialName and subjectAltNames";
            context.report(&CT_3, &at, message);
        }
        if mutual && verifies {
            context.report(
                &CT_4,
                &at,
                "insecureSkipVerify excludes caCertificates and subjectAltNames",
            );
        }
    }
    if (simple || mutual) && !credential_name.is_empty() {
        if [client_certificate, ca_certificates, private_key, ca_crl]
            .iter()
            .any(|path| !path.is_empty())
        {
            context.report(
                &CT_5,
                &at.field("credentialName"),
                "credentialName and paths of files exclude each other",
            );
        }
        return; // A-CT-5
    }
    if mutual && client_certificate.is_empty() {
        context.report(
            &CT_6,
            &at.field("clientCertificate"),
            "MUTUAL mode needs a client certificate",
        );
    }
    if mutual && private_key.is_empty() {
        context.report(&CT_7, &at.field("privateKey"), "MUTUAL mode needs a private key");
    }
}

fn check_config_map(credential: &str, at: &At<'_>, context: &mut Context<'_>) {
    let Some(reference) = credential.strip_prefix(CONFIG_MAP) else {
        return;
    };
    let own = context.namespace();
    let (namespace, name) = match reference.split_once('/') {
        Some((namespace, name)) => (namespace, name),
        None => (own.as_str(), reference),
    };
    if (namespace.is_empty() && reference.contains('/')) || name.is_empty() || name.contains('/') {
        let message = format!("`{credential}` names no config map: `configmap://namespace/name` is the form");
        context.report(&CT_1, at, message);
    } else if own.is_empty() || namespace != own {
        let message = format!("the config map `{credential}` is not in the object's own namespace `{own}`");
        context.report(&CT_2, at, message);
    }
}
