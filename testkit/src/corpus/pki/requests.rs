//! Keys, signing requests, and the certificate of a signer.

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    Certificate, CsrBuilder, CsrPolicy, GeneralName, InsecureSeededEntropy, KeyAlgorithm, KeyPair, SpiffeId,
    UnixTime, default_verifier, dual_use_common_name,
};
use serde_json::{Value, json};

use super::super::{Area, Case, Verdict};
use super::{file, judge, text_of};
use crate::pki::extension::SUBJECT_ALT_NAME;
use crate::pki::{Authority, Extension};

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
        "GenCSR" => match request(&given["csrOptions"]) {
            Err(why) => return Some(Verdict::Unsupported(why)),
            Ok(built) => (built.map(|()| json!({})), Value::Null),
        },
        "ExtractSANExtension" => (
            with_extensions(&given["exts"])
                .and_then(|der| has_names(&der))
                .map(|found| json!({ "found": found })),
            Value::Null,
        ),
        "ExtractIDs" => (
            with_extensions(&given["exts"]).and_then(|der| ids(&der)),
            json!({ "expectedIDs": null }),
        ),
        "GetRSAKeySize" => (rsa_key_size(&given["pem"]), json!({ "size": 0 })),
        "ParsePemEncodedCSR" => {
            let valid = text_of(&given["pem"])
                .and_then(|pem| CsrPolicy::istio().check(&pem).map_err(|error| error.to_string()));
            (valid.map(|_| json!({})), Value::Null)
        }
        "ParsePemEncodedKey" => (
            private_key(text_of(&given["pem"])).map(|_| json!({})),
            Value::Null,
        ),
        "LoadSignerCredsFromFiles" => (credentials(area, given).map(|_| json!({})), Value::Null),
        "CertOptionsAndRetrieveID" => (options(area, given), Value::Null),
        _ => return None,
    };
    Some(judge(case.expect(), outcome, &refused))
}

/// A signing request by the options of Istio's agents. The outer error says what keeps the library from trying.
fn request(options: &Value) -> Result<Result<(), String>, String> {
    let text = |key: &str| options[key].as_str().unwrap_or_default();
    let bits = u16::try_from(options["rsaKeySize"].as_u64().unwrap_or(0)).unwrap_or(u16::MAX);
    let Some(algorithm) = KeyAlgorithm::from_istio_options(text("ecSigAlg"), text("eccCurve"), bits) else {
        return Ok(Err("the options name no key".to_owned()));
    };
    let host = text("host");
    let Ok(id) = host.parse::<SpiffeId>() else {
        return Err(format!(
            "the library builds requests for SPIFFE ids, with further names that are DNS names; `{host}` alone is no id"
        ));
    };
    let mut entropy = InsecureSeededEntropy::new(1);
    let key = KeyPair::generate_for(algorithm, &mut entropy).map_err(|error| error.to_string())?;
    let built = CsrBuilder::new(&id)
        .build(&key)
        .map_err(|error| error.to_string());
    Ok(built.and_then(|csr| {
        let checked = CsrPolicy::istio().check(csr.der());
        checked.map(|_| ()).map_err(|error| error.to_string())
    }))
}

/// The library reads whole certificates: one that is made around a list of extensions.
fn with_extensions(list: &Value) -> Result<Vec<u8>, String> {
    let authority = Authority::root("root");
    let mut template = authority.leaf_template("spiffe://td/workload");
    let names = template.extensions.iter().find(|one| one.oid == SUBJECT_ALT_NAME);
    let names = names.map(|one| one.value.clone()).unwrap_or_default();
    template.extensions.clear();
    for extension in list.as_array().into_iter().flatten() {
        let arcs: Vec<String> = extension["id"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        // Templates have the names of their extensions in the program; a few texts more are let live as long.
        let oid: &'static str = arcs.join(".").leak();
        let value = match &extension["value"] {
            // What an extension holds is not asked for then, but a certificate with names has some.
            Value::Null if oid == SUBJECT_ALT_NAME => names.clone(),
            Value::Null => Vec::new(),
            Value::Array(bytes) => bytes
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect::<Option<_>>()
                .ok_or("a list that is not of bytes")?,
            text => text_of(text)?,
        };
        template.extensions.push(Extension {
            oid,
            critical: false,
            value,
        });
    }
    Ok(template.sign(&authority.key))
}

fn has_names(der: &[u8]) -> Result<bool, String> {
    let certificate = Certificate::parse(der).map_err(|error| error.to_string())?;
    Ok(certificate.is_subject_alt_name_critical().is_some())
}

/// The names of a certificate that are identities.
fn ids(der: &[u8]) -> Result<Value, String> {
    if !has_names(der)? {
        return Err("there are no names".to_owned());
    }
    let certificate = Certificate::parse(der).map_err(|error| error.to_string())?;
    let ids: Result<Vec<String>, String> = certificate
        .subject_alt_names()
        .map(|name| match name {
            GeneralName::Dns(name) | GeneralName::Uri(name) => Ok(String::from_utf8_lossy(name).into_owned()),
            other => Err(format!("the runner knows no such name: {other:?}")),
        })
        .collect();
    Ok(json!({ "expectedIDs": ids? }))
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
