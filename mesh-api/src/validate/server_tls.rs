//! Rules of server TLS (A-ST), for Gateway and Sidecar.

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::shared;
use crate::networking::{ServerTlsMode, ServerTlsSettings, TlsCertificate, TlsProtocol};

rules! {
    ST_1 "A-ST-1" Warning "TLS 1.0 and 1.1 need cipher suites";
    ST_2 "A-ST-2" Warning "cipher suites are known" cites "A-X-27";
    ST_3 "A-ST-3" Warning "cipher suites are unique";
    ST_4 "A-ST-4" Error "ISTIO_MUTUAL mode takes no certificates";
    ST_5 "A-ST-5" Warning "passthrough modes use no certificates";
    ST_6 "A-ST-6" Error "certificates come from one source";
    ST_8 "A-ST-8" Error "mutual modes need CA certificates";
    ST_9 "A-ST-9" Warning "there are two certificates at most";
    ST_10 "A-ST-10" Error "a server certificate is given";
    ST_11 "A-ST-11" Error "a private key is given";
    ST_12 "A-ST-12" Error "caCrl and credentialName exclude each other";
    ST_13 "A-ST-13" Error "caCrl is for modes that ask for client certificates";
}

pub(super) fn check(tls: &ServerTlsSettings, at: &At<'_>, context: &mut Context<'_>) {
    let ServerTlsSettings {
        https_redirect: _,
        mode,
        server_certificate,
        private_key,
        ca_certificates,
        ca_crl,
        credential_name,
        credential_names,
        ca_cert_credential_name: _,
        tls_certificates,
        subject_alt_names: _,
        verify_certificate_spki: _,
        verify_certificate_hash: _,
        min_protocol_version,
        max_protocol_version: _,
        cipher_suites,
        insecure_skip_verify: _,
        ecdh_curves: _, // new upstream, without a rule
    } = tls;
    if matches!(min_protocol_version, TlsProtocol::TlsV1_0 | TlsProtocol::TlsV1_1) && cipher_suites.is_empty()
    {
        let message =
            format!("{min_protocol_version} needs cipher suites, the default ones are for TLS 1.2 and later");
        context.report(&ST_1, &at.field("minProtocolVersion"), message);
    }
    check_ciphers(cipher_suites, &at.field("cipherSuites"), context);
    let given = [
        ("serverCertificate", !server_certificate.is_empty()),
        ("privateKey", !private_key.is_empty()),
        ("caCertificates", !ca_certificates.is_empty()),
        ("tlsCertificates", !tls_certificates.is_empty()),
        ("credentialName", !credential_name.is_empty()),
        ("credentialNames", !credential_names.is_empty()),
    ];
    if *mode == ServerTlsMode::IstioMutual {
        for (field, _) in given.iter().filter(|(_, is_set)| *is_set) {
            context.report(
                &ST_4,
                &at.field(field),
                format!("ISTIO_MUTUAL mode takes no {field}"),
            );
        }
        return;
    }
    let passes = matches!(mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough);
    if passes {
        for (field, _) in given
            .iter()
            .chain(&[("caCrl", !ca_crl.is_empty())])
            .filter(|(_, is_set)| *is_set)
        {
            context.report(
                &ST_5,
                &at.field(field),
                format!("{mode} mode makes no use of {field}"),
            );
        }
    }
    let sources = [
        !server_certificate.is_empty() && !private_key.is_empty(),
        !credential_name.is_empty(),
        !credential_names.is_empty(),
        !tls_certificates.is_empty(),
    ];
    if sources.iter().filter(|is_set| **is_set).count() > 1 {
        let message = "only one of serverCertificate with privateKey, credentialName, credentialNames and tlsCertificates";
        context.report(&ST_6, at, message);
    }
    if !passes {
        // A-ST-7: with a credential nothing more is looked at, caCrl neither
        if !credential_name.is_empty() || !credential_names.is_empty() {
            return;
        }
        check_files(tls, at, context);
    }
    if !ca_crl.is_empty() {
        if !credential_name.is_empty() {
            context.report(
                &ST_12,
                &at.field("caCrl"),
                "caCrl and credentialName exclude each other",
            );
        }
        if *mode == ServerTlsMode::Simple {
            context.report(
                &ST_13,
                &at.field("caCrl"),
                "SIMPLE mode asks for no client certificate to check",
            );
        }
    }
}

/// A-ST-2 and A-ST-3
fn check_ciphers(names: &[String], at: &At<'_>, context: &mut Context<'_>) {
    let (mut seen, mut unknown, mut repeated) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for name in names {
        if !shared::is_cipher(name) {
            unknown.insert(name.as_str());
        } else if !seen.insert(name) {
            repeated.insert(name.as_str());
        }
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join("`, `");
    if !unknown.is_empty() {
        context.report(
            &ST_2,
            at,
            format!("unknown cipher suites are passed over: `{}`", list(unknown)),
        );
    }
    if !repeated.is_empty() {
        context.report(
            &ST_3,
            at,
            format!("cipher suites are there twice: `{}`", list(repeated)),
        );
    }
}

/// A-ST-8..11, for modes that terminate with files.
fn check_files(tls: &ServerTlsSettings, at: &At<'_>, context: &mut Context<'_>) {
    let mutual = matches!(tls.mode, ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual);
    if mutual && tls.ca_certificates.is_empty() {
        context.report(
            &ST_8,
            &at.field("caCertificates"),
            format!("{} mode needs CA certificates", tls.mode),
        );
    }
    if tls.tls_certificates.len() > 2 {
        let message = format!(
            "there are {} certificates, only the first two are used",
            tls.tls_certificates.len()
        );
        context.report(&ST_9, &at.field("tlsCertificates"), message);
    }
    let mut pair = |certificate: &str, key: &str, at: &At<'_>| {
        if certificate.is_empty() {
            context.report(
                &ST_10,
                &at.field("serverCertificate"),
                "the server certificate is missing",
            );
        }
        if key.is_empty() {
            context.report(&ST_11, &at.field("privateKey"), "the private key is missing");
        }
    };
    if tls.tls_certificates.is_empty() {
        pair(&tls.server_certificate, &tls.private_key, at);
    }
    for (index, certificate) in tls.tls_certificates.iter().enumerate() {
        let TlsCertificate {
            server_certificate,
            private_key,
            ca_certificates: _,
        } = certificate;
        pair(
            server_certificate,
            private_key,
            &at.item("tlsCertificates", index),
        );
    }
}
