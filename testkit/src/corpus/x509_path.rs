//! Certificate path validation: cases of x509-limbo.
//!
//! They speak of hosts and mail addresses, not of SPIFFE ids, so a small harness stands where the library takes the id of
//! a leaf: it asks for the same path with the same parser, path search, revocation and budgets, and then compares the
//! names itself. Cases about names alone, and about rules of the web's certificate authorities, say nothing about the
//! library and are unsupported.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mesh_ca::{
    Certificate, Crl, CrlSet, GeneralName, KeyPurpose, Limits, Profile, RevocationPolicy, Severity,
    TrustBundle, UnixTime, UnknownStatus, VerifyOptions, danger,
};
use serde_json::Value;

use super::{Area, Case, Verdict};

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    if case.kind != "x509-limbo" {
        return Verdict::Unsupported(format!("the runner does not know the type `{}`", case.kind));
    }
    if let Some(reason) = not_asked(&case.id) {
        return Verdict::Unsupported(reason.to_owned());
    }
    let wanted = match case.expect()["result"].as_str() {
        Some("SUCCESS") => true,
        Some("FAILURE") => false,
        other => return Verdict::Unsupported(format!("the runner does not know the result {other:?}")),
    };
    let limbo = match find(area, case) {
        Ok(limbo) => limbo,
        Err(why) => return Verdict::Failed(why),
    };
    for key in ["signature_algorithms", "key_usage"] {
        if limbo[key].as_array().is_some_and(|list| !list.is_empty()) {
            return Verdict::Unsupported(format!("the library takes no `{key}` from its caller"));
        }
    }
    match (wanted, validate(&case.id, &limbo)) {
        (true, Ok(())) | (false, Err(_)) => Verdict::Passed,
        (true, Err(why)) => Verdict::Failed(format!("expected to be accepted: {why}")),
        (false, Ok(())) => Verdict::Failed("expected to be refused".to_owned()),
    }
}

/// Which cases ask for rules that neither SPIFFE nor RFC 5280 has.
fn not_asked(id: &str) -> Option<&'static str> {
    match id {
        "webpki::san::no-san" => None,
        _ if id.starts_with("webpki::aki::root-with-aki-") => Some(
            "a rule of the CA/Browser Forum about root certificates; SPIFFE and RFC 5280 allow such an authorityKeyIdentifier",
        ),
        _ if id.starts_with("webpki::cn::") => {
            Some("common names are never read: SPIFFE has no use for them")
        }
        _ if id.starts_with("webpki::eku::") => Some(
            "a rule of the CA/Browser Forum: anyExtendedKeyUsage, and extKeyUsage of an authority, are legal here (C-VFY-2, C-VFY-3)",
        ),
        _ if id.starts_with("webpki::san::") => Some(
            "matching of host names and wildcards, which the verification of SPIFFE ids does not do; only the harness would be asked",
        ),
        _ => None,
    }
}

fn find(area: &Area, case: &Case) -> Result<Value, String> {
    let name = case.inputs.first().ok_or("the case has no input")?;
    let bytes = area.file(name).map_err(|error| error.to_string())?;
    let limbo: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    limbo["testcases"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|test| test["id"] == case.id.as_str())
        .cloned()
        .ok_or_else(|| format!("{name} has no such case"))
}

/// Verifies the path, and the expected names.
fn validate(id: &str, limbo: &Value) -> Result<(), String> {
    let limits = Limits::default();
    let mut anchors = TrustBundle::new("limbo".parse().map_err(|error| format!("{error}"))?);
    for root in ders(&limbo["trusted_certs"])? {
        // A root that cannot be used is none; the others are (C-VFY-5).
        let _ = anchors.insert_x509(&root);
    }
    let mut chain = vec![der(&limbo["peer_certificate"])?];
    chain.extend(ders(&limbo["untrusted_intermediates"])?);
    let mut crls = CrlSet::new();
    let policy = RevocationPolicy {
        unknown: UnknownStatus::Fail,
        ..RevocationPolicy::default()
    };
    let mut options = VerifyOptions::at(time(&limbo["validation_time"])?)
        .with_profile(profile(id, &limbo["features"]))
        .with_purpose(match limbo["validation_kind"].as_str() {
            Some("CLIENT") => KeyPurpose::ClientAuth,
            _ => KeyPurpose::ServerAuth,
        });
    if let Some(depth) = limbo["max_chain_depth"].as_u64() {
        options = options.with_max_path_len(depth);
    }
    let lists = ders(&limbo["crls"])?;
    if !lists.is_empty() {
        let lists: Result<Vec<Crl>, _> = lists.iter().map(|crl| Crl::parse(crl, &limits)).collect();
        crls.update(lists.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        options = options.with_crls(&crls, policy);
    }
    let path = danger::verify_path(&chain, &anchors, &options).map_err(|error| error.to_string())?;
    let leaf = Certificate::parse(&path.certificates()[0]).map_err(|error| error.to_string())?;
    let single = std::iter::once(&limbo["expected_peer_name"]).filter(|name| !name.is_null());
    let several = limbo["expected_peer_names"].as_array().into_iter().flatten();
    for name in single.chain(several) {
        if !names(&leaf, name)? {
            return Err(format!("the leaf has no name {name}"));
        }
    }
    Ok(())
}

/// The profile of the group. That a cross-signed anchor must have an authorityKeyIdentifier is a rule of the cases that are
/// marked as pedantic alone: `cve::cve-2024-0567` expects such an anchor without one to be good.
fn profile(id: &str, features: &Value) -> Profile {
    if id.starts_with("webpki::") {
        return Profile::MESH;
    }
    let is_pedantic = features
        .as_array()
        .is_some_and(|list| list.iter().any(|feature| feature == "pedantic-rfc5280"));
    match is_pedantic {
        true => Profile {
            anchor_has_authority_key_id: Severity::Refuse,
            ..Profile::RFC5280
        },
        false => Profile::RFC5280,
    }
}

/// Whether the leaf has the expected name.
fn names(leaf: &Certificate<'_>, wanted: &Value) -> Result<bool, String> {
    let value = wanted["value"].as_str().ok_or("a name without value")?;
    let is_it: Box<dyn Fn(GeneralName<'_>) -> bool> = match wanted["kind"].as_str() {
        Some("DNS") => Box::new(|name| matches!(name, GeneralName::Dns(dns) if is_host(dns, value))),
        Some("IP") => {
            let address: IpAddr = value.parse().map_err(|error| format!("{value}: {error}"))?;
            let bytes = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            Box::new(move |name| matches!(name, GeneralName::IpAddress(address) if address == bytes))
        }
        Some("RFC822") => {
            Box::new(|name| matches!(name, GeneralName::Rfc822(mail) if mail == value.as_bytes()))
        }
        other => return Err(format!("a name of the unknown kind {other:?}")),
    };
    Ok(leaf.subject_alt_names().any(is_it))
}

/// A name of a certificate is the host, or a wildcard for its first label.
fn is_host(name: &[u8], host: &str) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    name.eq_ignore_ascii_case(host)
        || match (name.strip_prefix("*."), host.split_once('.')) {
            (Some(rest), Some((_, domain))) => rest.eq_ignore_ascii_case(domain),
            _ => false,
        }
}

fn ders(list: &Value) -> Result<Vec<Vec<u8>>, String> {
    list.as_array().into_iter().flatten().map(der).collect()
}

/// The bytes of a PEM block, whatever its kind: what is inside may be malformed on purpose.
fn der(pem: &Value) -> Result<Vec<u8>, String> {
    let text = pem.as_str().ok_or("a certificate is no text")?;
    let base64: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    STANDARD.decode(base64).map_err(|error| error.to_string())
}

/// A time in RFC 3339, with the offset `+00:00`; a time at which the certificates are valid where none is given.
fn time(value: &Value) -> Result<UnixTime, String> {
    let Some(text) = value.as_str() else {
        return Ok(UnixTime::from_secs(1_767_225_600));
    };
    let malformed = || format!("`{text}` is no time");
    let (date, clock) = text
        .strip_suffix("+00:00")
        .and_then(|text| text.split_once('T'))
        .ok_or_else(malformed)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let number = |text: &str| text.parse::<u64>().map_err(|_| malformed());
    let parts = |text: &str, separator: char| -> Result<[u64; 3], String> {
        let numbers: Result<Vec<u64>, String> = text.split(separator).map(number).collect();
        numbers?.try_into().map_err(|_| malformed())
    };
    let [year, month, day] = parts(date, '-')?;
    let [hour, minute, second] = parts(clock, ':')?;
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [
        31,
        if is_leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let before: u64 = (1970..year)
        .map(|year| if is_leap(year) { 366 } else { 365 })
        .sum();
    let months: u64 = lengths
        .iter()
        .take(usize::try_from(month).unwrap_or(0).saturating_sub(1))
        .sum();
    let days = before + months + day.saturating_sub(1);
    let seconds = Duration::from_secs(days * 86_400 + hour * 3_600 + minute * 60 + second);
    let millis = Duration::from_millis(number(&format!("{fraction:0<3}")[..3])?);
    Ok(UnixTime::EPOCH + seconds + millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read() {
        let at = |text: &str| time(&json!(text)).unwrap().to_string();
        assert_eq!(
            at("2024-03-01T00:00:00.999+00:00"),
            "2024-03-01T00:00:00.999000000Z"
        );
        assert_eq!(at("1970-01-01T00:00:03+00:00"), "1970-01-01T00:00:03Z");
        assert_eq!(at("2016-09-01T12:34:56+00:00"), "2016-09-01T12:34:56Z");
        assert!(time(&json!("yesterday")).is_err());
    }

    #[test]
    fn hosts_are_compared() {
        assert!(is_host(b"Example.com", "example.com"));
        assert!(is_host(b"*.example.com", "a.example.com"));
        assert!(!is_host(b"*.example.com", "example.com"));
        assert!(!is_host(b"*.example.com", "a.b.example.com"));
    }
}
