//! Certificates, chains and bundles of the area `pki`.

use std::time::Duration;

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    BundleError, Certificate, Crl, CrlSet, DocumentMode, GeneralName, KeyPair, KeyPurpose, Limits, Profile,
    PublicKeyError, TrustBundle, TrustDomain, UnixTime, VerifyOptions, check_svid, danger, default_verifier,
};
use serde_json::Value;

use super::super::{Area, Case, Verdict};

/// The clock of the tables that have one: 2026-01-01.
const CLOCK: UnixTime = UnixTime::from_secs(1_767_225_600);

/// What can be expected of a leaf.
const FIELDS: [&str; 6] = ["extKeyUsage", "host", "isCA", "keyUsage", "org", "ttl"];

/// What a question comes to: the answer, or a refusal.
type Answer = Result<Value, String>;

/// Runs a case that is one of these, or says that it is not.
pub(super) fn run(area: &Area, case: &Case) -> Option<Verdict> {
    let table = match case.kind.as_str() {
        "bundle-parse" => case.value["given"]["function"].as_str()?,
        _ => case.value["table"].as_str()?,
    };
    let files = Files {
        area,
        given: &case.value["given"],
    };
    let fields = files.given["expectedFields"].as_object().into_iter().flatten();
    if let Some((field, _)) = fields
        .into_iter()
        .find(|(field, _)| !FIELDS.contains(&field.as_str()))
    {
        return Some(Verdict::Unsupported(format!(
            "the runner does not know the field `{field}`"
        )));
    }
    let answer = match table {
        "spiffebundle.Parse" => files.document(&case.inputs),
        "x509bundle.Parse" => match files.bundle_parse(&case.inputs) {
            Err(why) => Err(why),
            Ok(Err(BundleError::PublicKey(PublicKeyError::RsaModulus { bits: bits @ ..2048 })))
                if case.expect()["ok"] == true =>
            {
                return Some(Verdict::Unsupported(format!(
                    "an RSA key of {bits} bits; keys below 2048 bits are refused everywhere, those of roots too (C-KEY-1)"
                )));
            }
            Ok(bundle) => bundle
                .map(|bundle| serde_json::json!({ "authorities": bundle.x509_authorities().len() }))
                .map_err(|error| error.to_string()),
        },
        "Parse" => files.svid(),
        "ParsePemEncodedCertificate" => files.certificate(),
        "ParsePemEncodedCertificateChain" => files.chain(),
        "AppendRootCerts" => files.append_roots(),
        "CertExpired" => files.expired(),
        "VerifyCert" => files.verify(),
        "NewVerifiedKeyCertBundleFromFile" | "NewVerifiedKeyCertBundleFromFileWithCrl" => {
            files.key_cert_bundle()
        }
        "KeyCertBundleWithRootCertFromFile" => files.root(),
        _ => return None,
    };
    Some(compare(case.expect(), answer))
}

/// Every key of `expect`: verdicts, and the values of the answer. The wording of errors is the source's own.
fn compare(expect: &Value, answer: Answer) -> Verdict {
    let Some(expect) = expect.as_object().filter(|expect| !expect.is_empty()) else {
        return Verdict::Unsupported("`expect` asserts nothing".to_owned());
    };
    for (key, wanted) in expect {
        let is_met = match (key.as_str(), &answer) {
            ("errorContains", answer) => answer.is_err(),
            ("error", answer) => wanted.as_bool() == Some(answer.is_err()),
            ("ok", answer) => wanted.as_bool() == Some(answer.is_ok()),
            (key, Ok(answer)) => match answer.get(key) {
                Some(found) => found == wanted,
                None => return Verdict::Unsupported(format!("the runner has no answer to `{key}`")),
            },
            (_, Err(_)) => false,
        };
        if !is_met {
            return Verdict::Failed(format!("{key}: expected {wanted}, found {answer:?}"));
        }
    }
    Verdict::Passed
}

struct Files<'c> {
    area: &'c Area,
    given: &'c Value,
}

impl Files<'_> {
    /// An argument as bytes: a file of the area, a list of files put together, text in base64, or text.
    fn bytes(&self, key: &str) -> Result<Vec<u8>, String> {
        self.content(&self.given[key])
    }

    fn content(&self, value: &Value) -> Result<Vec<u8>, String> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(parts) => {
                let parts: Result<Vec<String>, String> = parts
                    .iter()
                    .map(|part| String::from_utf8(self.content(part)?).map_err(|error| error.to_string()))
                    .collect();
                Ok(pem::concat(parts?.iter().map(String::as_str)).into_bytes())
            }
            Value::Object(_) => decode(
                value["$base64"]
                    .as_str()
                    .ok_or("an object that is no text")?
                    .as_bytes(),
            ),
            Value::String(text) if !text.contains('\n') && text.contains('/') => {
                // A name that is not in the corpus stands for a file that is no PEM.
                let Ok(bytes) = self.area.file(text) else {
                    return Ok(b"not PEM".to_vec());
                };
                if text.ends_with(".b64") {
                    decode(&bytes)
                } else {
                    Ok(bytes)
                }
            }
            Value::String(text) => Ok(text.clone().into_bytes()),
            other => Err(format!("no text: {other}")),
        }
    }

    /// The first file of a case, and the trust domain that it is of.
    fn of_domain(&self, inputs: &[String]) -> Result<(TrustDomain, Vec<u8>), String> {
        let input = Value::String(inputs.first().cloned().unwrap_or_default());
        let domain = self.given["trustDomain"].as_str().unwrap_or_default();
        let domain = domain.parse().map_err(|error| format!("{error}"))?;
        Ok((domain, self.content(&input)?))
    }

    fn bundle_parse(&self, inputs: &[String]) -> Result<Result<TrustBundle, BundleError>, String> {
        let (domain, text) = self.of_domain(inputs)?;
        Ok(TrustBundle::from_pem(domain, &text, &Limits::default()))
    }

    /// A bundle document, as strictly as its source reads it.
    fn document(&self, inputs: &[String]) -> Answer {
        let (domain, text) = self.of_domain(inputs)?;
        let document = TrustBundle::from_spiffe_json(domain, &text, DocumentMode::Strict, &Limits::default());
        let bundle = document.map_err(|error| error.to_string())?.bundle;
        Ok(serde_json::json!({
            // The source counts the keys of tokens.
            "keysCount": bundle.jwt().len(),
            "refreshHint": format!("{}s", bundle.refresh_hint().as_secs()),
            "sequenceNumber": bundle.sequence(),
        }))
    }

    /// An X.509-SVID from its certificates and key, without trust: the profile is the standard's, and the clock does not
    /// matter.
    fn svid(&self) -> Answer {
        let certificates = pem::parse_chain_skip_other(&self.bytes("certsPath")?, &Limits::default());
        let certificates = certificates.map_err(|error| error.to_string())?;
        let leaf = parse(&certificates[0])?;
        let id = check_svid(&certificates, &VerifyOptions::at(leaf.not_before()))
            .map_err(|error| error.to_string())?;
        let key = private_key(&self.bytes("keyPath")?)?;
        match_key(&key, &leaf)?;
        Ok(serde_json::json!({ "expID": id.as_str(), "expNumCerts": certificates.len() }))
    }

    fn certificate(&self) -> Answer {
        let der =
            pem::parse_one(&self.bytes("pem")?, PemLabel::Certificate).map_err(|error| error.to_string())?;
        parse(&der)?;
        Ok(Value::Null)
    }

    fn chain(&self) -> Answer {
        for der in
            pem::parse_chain(&self.bytes("pem")?, &Limits::default()).map_err(|error| error.to_string())?
        {
            parse(&der)?;
        }
        Ok(Value::Null)
    }

    fn append_roots(&self) -> Answer {
        let text = |key: &str| String::from_utf8(self.bytes(key)?).map_err(|error| error.to_string());
        let all = pem::concat([text("pemCert")?.as_str(), text("rootFile")?.as_str()]);
        Ok(serde_json::json!({ "expectedRootCert": all }))
    }

    fn expired(&self) -> Answer {
        let der = pem::parse_one(&self.bytes("filepath")?, PemLabel::Certificate)
            .map_err(|error| error.to_string())?;
        Ok(serde_json::json!({ "expected": parse(&der)?.not_after() < CLOCK }))
    }

    /// A chain, its root, its key, and what the leaf must be.
    fn verify(&self) -> Answer {
        let anchors = anchors(&self.bytes("rootCertPem")?)?;
        let chain = pem::parse_chain(&self.bytes("certChainPem")?, &Limits::default())
            .map_err(|error| error.to_string())?;
        let leaf = parse(&chain[0])?;
        let options = VerifyOptions::at(CLOCK).with_profile(authority_profile());
        danger::verify_path(&chain, &anchors, &options).map_err(|error| error.to_string())?;
        if !self.given["privPem"].is_null() {
            match_key(&private_key(&self.bytes("privPem")?)?, &leaf)?;
        }
        expected_fields(&leaf, &self.given["expectedFields"])?;
        Ok(Value::Null)
    }

    /// A certificate of an authority with its key, chain and root: a path that ends at the root, from whatever it is.
    fn key_cert_bundle(&self) -> Answer {
        let certificate = pem::parse_one(&self.bytes("caCertFile")?, PemLabel::Certificate)
            .map_err(|error| error.to_string())?;
        let key = private_key(&self.bytes("caKeyFile")?)?;
        match_key(&key, &parse(&certificate)?)?;
        let anchors = anchors(&self.bytes("rootCertFile")?)?;
        let mut chain = vec![certificate.clone()];
        let rest = self.bytes("certChainFile")?;
        if !rest.is_empty() {
            chain.extend(pem::parse_chain(&rest, &Limits::default()).map_err(|error| error.to_string())?);
        }
        let is_anchor = anchors.contains_x509(&certificate);
        if !is_anchor {
            let options = VerifyOptions::at(CLOCK).with_profile(authority_profile());
            danger::verify_path(&chain, &anchors, &options).map_err(|error| error.to_string())?;
        }
        if !self.given["crlFile"].is_null() {
            self.check_crls(&chain, &anchors)?;
        }
        Ok(Value::Null)
    }

    /// Each authority of the chain has a CRL that it signed.
    fn check_crls(&self, chain: &[Vec<u8>], anchors: &TrustBundle) -> Result<(), String> {
        let mut crls = CrlSet::new();
        crls.update_from_pem(&self.bytes("crlFile")?, &Limits::default())
            .map_err(|error| error.to_string())?;
        let roots = anchors.x509_authorities().iter().map(|root| root.der());
        for der in chain.iter().map(Vec::as_slice).chain(roots) {
            let issuer = parse(der)?;
            let is_signer = |crl: &Crl| crl.clone().authenticate(&issuer, default_verifier()).is_ok();
            if !crls.crls().iter().any(is_signer) {
                return Err(format!("there is no CRL of `{}`", issuer.subject()));
            }
        }
        Ok(())
    }

    fn root(&self) -> Answer {
        anchors(&self.bytes("rootCertFile")?)?;
        Ok(Value::Null)
    }
}

/// Certificates as the source's own verification takes them: authorities at the place of the leaf, roots without any
/// extension.
fn authority_profile() -> Profile {
    use mesh_ca::Severity::Allow;
    Profile {
        leaf_is_no_ca: Allow,
        leaf_may_sign: Allow,
        leaf_has_key_usage: Allow,
        ..Profile::ISTIO_COMPAT
    }
}

fn anchors(text: &[u8]) -> Result<TrustBundle, String> {
    let domain = "cluster.local".parse().map_err(|error| format!("{error}"))?;
    TrustBundle::from_pem(domain, text, &Limits::default()).map_err(|error| error.to_string())
}

fn parse(der: &[u8]) -> Result<Certificate<'_>, String> {
    Certificate::parse(der).map_err(|error| error.to_string())
}

fn private_key(text: &[u8]) -> Result<KeyPair, String> {
    // The key may stand beside certificates.
    let text = String::from_utf8_lossy(text);
    let start = text.find("-----BEGIN").map_or(0, |_| {
        [
            "-----BEGIN PRIVATE KEY",
            "-----BEGIN RSA PRIVATE KEY",
            "-----BEGIN EC PRIVATE KEY",
        ]
        .iter()
        .filter_map(|label| text.find(label))
        .min()
        .unwrap_or(0)
    });
    let end = text[start..]
        .find("-----BEGIN CERTIFICATE")
        .map_or(text.len(), |at| start + at);
    KeyPair::from_pem(text[start..end].as_bytes()).map_err(|error| error.to_string())
}

fn match_key(key: &KeyPair, certificate: &Certificate<'_>) -> Result<(), String> {
    let public_key = certificate.public_key().map_err(|error| error.to_string())?;
    match key.matches(&public_key) {
        true => Ok(()),
        false => Err("the key is not that of the certificate".to_owned()),
    }
}

/// What the leaf must be, as far as it is given.
fn expected_fields(leaf: &Certificate<'_>, wanted: &Value) -> Result<(), String> {
    let differ = |what: &str| Err(format!("{what} differs"));
    for (key, value) in wanted.as_object().into_iter().flatten() {
        match key.as_str() {
            "host" => {
                let host = value.as_str().unwrap_or_default().as_bytes();
                let is_it =
                    |name| matches!(name, GeneralName::Uri(text) | GeneralName::Dns(text) if text == host);
                if !leaf.subject_alt_names().any(is_it) {
                    return differ(key);
                }
            }
            "ttl" => {
                let seconds: f64 = value
                    .as_str()
                    .unwrap_or_default()
                    .trim_end_matches('s')
                    .parse()
                    .unwrap_or(0.0);
                let life = leaf.not_after().saturating_since(leaf.not_before());
                if life != Duration::from_secs_f64(seconds) {
                    return differ(key);
                }
            }
            "keyUsage" => {
                let bits = leaf.key_usage().map_or(0, |usage| u64::from(usage.bits()));
                if value.as_u64() != Some(bits) {
                    return differ(key);
                }
            }
            "extKeyUsage" => {
                let has = |number: u64, purpose| {
                    value
                        .as_array()
                        .is_some_and(|list| list.iter().any(|item| item.as_u64() == Some(number)))
                        == leaf.names_purpose(purpose)
                };
                if !has(1, KeyPurpose::ServerAuth) || !has(2, KeyPurpose::ClientAuth) {
                    return differ(key);
                }
            }
            "isCA" => {
                let is_ca = leaf.basic_constraints().is_some_and(|constraints| constraints.ca);
                if value.as_bool() != Some(is_ca) {
                    return differ(key);
                }
            }
            "org" => {
                let org = value.as_str().unwrap_or_default();
                if !leaf
                    .subject()
                    .to_string()
                    .split(", ")
                    .any(|part| part == format!("O={org}"))
                {
                    return differ(key);
                }
            }
            other => return Err(format!("the runner does not know the field `{other}`")),
        }
    }
    Ok(())
}

fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    use base64::Engine as _;
    let packed: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(packed)
        .map_err(|error| error.to_string())
}
