//! Keys, signing requests, and the certificate of a signer.

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    Certificate, CsrPolicy, GeneralName, KeyAlgorithm, KeyPair, UnixTime, default_verifier,
    dual_use_common_name,
};
use serde_json::{Value, json};

use super::super::{Area, Case, Verdict};
use super::{file, judge, text_of};

/// The clock of the tables: 2026-01-01.
const CLOCK: UnixTime = UnixTime::from_secs(1_767_225_600);

pub(super) fn run(area: &Area, case: &Case) -> Option<Verdict> {
    let given = &case.value["given"];
    let (outcome, refused) = match case.value["table"].as_str()? {
        "DualUseCommonName" | "GenCSRTemplateForDualUse" => {
            let hosts = given["host"].as_str().unwrap_or_default().split(',');
            let name = dual_use_common_name(hosts).ok_or_else(|| "no common name".to_owned());
            (name.map(|name| json!({ "expectedCN": name })), Value::Null)
        }
        "GenCSR" => return Some(Verdict::Unsupported(
            "the library builds requests for SPIFFE ids, with further names that are DNS names; `test_ca.com` is neither".to_owned(),
        )),
        "GetRSAKeySize" => (rsa_key_size(&given["pem"]), json!({ "size": 0 })),
        "ParsePemEncodedCSR" => {
            let valid = text_of(&given["pem"])
                .and_then(|pem| CsrPolicy::istio().check(&pem).map_err(|error| error.to_string()));
            (valid.map(|_| json!({})), Value::Null)
        }
        "ParsePemEncodedKey" => (private_key(text_of(&given["pem"])).map(|_| json!({})), Value::Null),
        "LoadSignerCredsFromFiles" => (credentials(area, given).map(|_| json!({})), Value::Null),
        "CertOptionsAndRetrieveID" => (options(area, given), Value::Null),
        _ => return None,
    };
    Some(judge(case.expect(), outcome, &refused))
}

fn private_key(pem: Result<Vec<u8>, String>) -> Result<KeyPair, String> {
    KeyPair::from_pem(&pem?).map_err(|error| error.to_string())
}

fn rsa_key_size(pem: &Value) -> Result<Value, String> {
    match private_key(text_of(pem))?.key_algorithm() {
        KeyAlgorithm::Rsa(bits) => Ok(json!({ "size": bits })),
        other => Err(format!("a key of {other}")),
    }
}

fn credentials(area: &Area, given: &Value) -> Result<(Vec<u8>, KeyPair), String> {
    let certificate = pem::parse_one(&file(area, &given["certFile"])?, PemLabel::Certificate)
        .map_err(|error| error.to_string())?;
    Certificate::parse(&certificate).map_err(|error| error.to_string())?;
    Ok((certificate, private_key(file(area, &given["keyFile"]))?))
}

/// The certificate of a signer belongs to its key and is signed by the root; then its options, read back.
fn options(area: &Area, given: &Value) -> Result<Value, String> {
    if !given["certChainFile"].is_null() {
        return Err("the runner knows no chain here".to_owned());
    }
    let read = |key: &str| {
        pem::parse_one(&file(area, &given[key])?, PemLabel::Certificate).map_err(|error| error.to_string())
    };
    let (der, root) = (read("caCertFile")?, read("rootCertFile")?);
    let certificate = Certificate::parse(&der).map_err(|error| error.to_string())?;
    let root = Certificate::parse(&root).map_err(|error| error.to_string())?;
    let key = private_key(file(area, &given["caKeyFile"]))?;
    let public_key = certificate.public_key().map_err(|error| error.to_string())?;
    if !key.matches(&public_key) {
        return Err("the key is another one".to_owned());
    }
    let root_key = root.public_key().map_err(|error| error.to_string())?;
    certificate
        .verify_signature(&root_key, default_verifier())
        .map_err(|error| error.to_string())?;
    if certificate.issuer() != root.subject()
        || CLOCK < certificate.not_before()
        || CLOCK > certificate.not_after()
    {
        return Err("not issued by the root, or not valid".to_owned());
    }
    let host = match certificate.subject_alt_names().next() {
        Some(GeneralName::Dns(name) | GeneralName::Uri(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => return Err("there is no name".to_owned()),
    };
    let life = certificate.not_after().saturating_since(certificate.not_before());
    let subject = certificate.subject().to_string();
    let organization = subject.split(", ").find_map(|part| part.strip_prefix("O="));
    let mut options = json!({
        "host": host,
        "ttl": format!("{}s", life.as_secs()),
        "org": organization.unwrap_or_default(),
        "isCA": certificate.basic_constraints().is_some_and(|constraints| constraints.ca),
    });
    match public_key.algorithm() {
        KeyAlgorithm::Rsa(bits) => options["rsaKeySize"] = json!(bits),
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => options["ecSigAlg"] = json!("ECDSA"),
        _ => {}
    }
    Ok(json!({ "certOptions": options }))
}
