//! Who calls: headers, tokens, addresses; and when a certificate has to be renewed.

use std::net::{IpAddr, SocketAddr};

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::rotation::SvidRotationConfig;
use mesh_ca::{
    Caller, CallerSource, Certificate, TrustedProxies, UnixTime, UnverifiedClaims, bearer_token,
    check_audience,
};
use serde_json::{Value, json};

use super::super::{Area, Case, Verdict};
use super::{file, judge};

pub(super) fn run(area: &Area, case: &Case) -> Option<Verdict> {
    let given = &case.value["given"];
    let (outcome, refused) = match case.value["table"].as_str()? {
        // gRPC or HTTP: the header is the same one.
        "XfccAuthenticator" => (xfcc(&given["xfccHeader"]), json!({ "caller": null })),
        "ExtractBearerToken" => {
            let values = given["metadata"]["authorization"]
                .as_array()
                .into_iter()
                .flatten();
            let token = bearer_token(values.filter_map(Value::as_str)).map_err(|error| error.to_string());
            (
                token.map(|token| json!({ "expectedToken": token })),
                json!({ "expectedToken": "" }),
            )
        }
        "CheckAudience" => {
            let (found, accepted) = (texts(&given["audToCheck"]), texts(&given["audExpected"]));
            (
                Ok(json!({ "expectRet": check_audience(&found, &accepted) })),
                Value::Null,
            )
        }
        "IsTrustedAddress" => (trusted(given), Value::Null),
        "GetAud" => (
            claims(given).map(|claims| json!({ "aud": claims.audiences })),
            json!({ "aud": null }),
        ),
        "GetExp" => (
            claims(given)
                .map(|claims| json!({ "expectedExp": claims.expires_at.map(|time| time.to_string()) })),
            json!({ "expectedExp": null }),
        ),
        "GetWaitTime" => (wait_time(area, given), json!({ "expectedWaitTime": 0 })),
        _ => return None,
    };
    Some(judge(case.expect(), outcome, &refused))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn xfcc(header: &Value) -> Result<Value, String> {
    // The peer of the table.
    let peer: SocketAddr = "127.0.0.1:2301".parse().expect("it is an address");
    let header = header.as_str().unwrap_or_default();
    let caller = Caller::from_xfcc(header, peer.ip(), &TrustedProxies::default())
        .map_err(|error| error.to_string())?;
    let identities: Vec<String> = caller.identities().iter().map(ToString::to_string).collect();
    // Istio has one source for both ways of client certificates.
    let source = match caller.source() {
        CallerSource::Xfcc | CallerSource::ClientCertificate => "AuthSourceClientCertificate",
        _ => "other",
    };
    Ok(json!({ "caller": { "authSource": source, "identities": identities } }))
}

fn trusted(given: &Value) -> Result<Value, String> {
    let text = |key: &str| given[key].as_str().unwrap_or_default();
    let proxies = TrustedProxies::parse(text("cidr")).map_err(|error| error.to_string())?;
    let peer = text("peer");
    let address: IpAddr = match peer.parse::<SocketAddr>() {
        Ok(address) => address.ip(),
        Err(_) => peer.parse().map_err(|_| format!("`{peer}` is no address"))?,
    };
    Ok(json!({ "trusted": proxies.contains(address) }))
}

fn claims(given: &Value) -> Result<UnverifiedClaims, String> {
    let token = given["jwt"].as_str().unwrap_or_default();
    UnverifiedClaims::of_token(token).ok_or_else(|| "the claims cannot be read".to_owned())
}

/// Seconds until rotation, with half of the life as grace; none if the certificate has expired, or is due now.
fn wait_time(area: &Area, given: &Value) -> Result<Value, String> {
    let der = pem::parse_one(&file(area, &given["cert"])?, PemLabel::Certificate)
        .map_err(|error| error.to_string())?;
    let certificate = Certificate::parse(&der).map_err(|error| error.to_string())?;
    let now = time(given["now"].as_str().unwrap_or_default())?;
    let (start, end) = (certificate.not_before(), certificate.not_after());
    if now > end {
        return Err("it has expired".to_owned());
    }
    let renew_at = SvidRotationConfig::istio().renew_at(start, start, end, 0);
    if renew_at <= now {
        return Err("it is due now".to_owned());
    }
    Ok(json!({ "expectedWaitTime": renew_at.saturating_since(now).as_secs() }))
}

/// A time in RFC 3339, as the library prints it.
fn time(text: &str) -> Result<UnixTime, String> {
    // Found by bisection: the printed form has the order of the times.
    let (mut low, mut high) = (0_i64, UnixTime::MAX_X509.as_secs());
    while low < high {
        let middle = low + (high - low) / 2;
        if UnixTime::from_secs(middle).to_string().as_str() < text {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let found = UnixTime::from_secs(low);
    if found.to_string() == text {
        Ok(found)
    } else {
        Err(format!("`{text}` is no time"))
    }
}
