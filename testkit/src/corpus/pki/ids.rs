//! SPIFFE ids, trust domains, and Istio's form of an identity.

use mesh_ca::{IdError, SpiffeId, TrustDomain, expand_with};
use serde_json::{Value, json};

use super::super::{Case, Verdict};
use super::judge;

pub(super) fn run(case: &Case) -> Option<Verdict> {
    let given = &case.value["given"];
    if case.kind == "spiffe-id" {
        let Some(outcome) = ask(given, &case.value["profile"]) else {
            let function = &given["function"];
            return Some(Verdict::Unsupported(format!(
                "the runner does not know {function}"
            )));
        };
        let outcome = outcome.map(|results| json!({ "results": results }));
        return Some(judge(
            case.expect(),
            outcome.map_err(|error| error.to_string()),
            &Value::Null,
        ));
    }
    Some(match case.value["table"].as_str()? {
        "ExpandWithTrustDomains" => expand(case),
        "GenSpiffeURI" => {
            let text = |key: &str| given[key].as_str().unwrap_or_default();
            let id = TrustDomain::from_config(text("trustDomain"))
                .and_then(|domain| SpiffeId::istio(&domain, text("namespace"), text("serviceAccount")));
            let outcome = id.map(|id| json!({ "expectedURI": id.as_str() }));
            judge(
                case.expect(),
                outcome.map_err(|error| error.to_string()),
                &Value::Null,
            )
        }
        "Identity" => identity(case),
        _ => return None,
    })
}

/// What a function of go-spiffe or rust-spiffe gives; the latter folds upper case, as our parser for configuration does.
fn ask(given: &Value, profile: &Value) -> Option<Result<Vec<String>, IdError>> {
    let argument = |at: usize| given["args"][at].as_str().unwrap_or_default();
    let segments = |at: usize| {
        let list = given["args"][at].as_array().into_iter().flatten();
        list.map(|segment| segment.as_str().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let folds = profile == "rust-spiffe";
    let id = |text: &str| {
        if folds {
            SpiffeId::parse_normalized(text)
        } else {
            text.parse()
        }
    };
    let domain = |text: &str| -> Result<TrustDomain, IdError> {
        // A name without a scheme has no path either, so that folding all of it folds no path.
        if !folds {
            text.parse()
        } else if text.contains(":/") {
            SpiffeId::parse_normalized(text).map(|id| id.trust_domain().to_owned())
        } else {
            text.to_ascii_lowercase().parse()
        }
    };
    let parts = |id: SpiffeId| vec![id.trust_domain().to_string(), id.path().to_owned()];
    Some(match given["function"].as_str()? {
        "FromString" | "FromURI" => id(argument(0)).map(parts),
        "TrustDomainFromString" => domain(argument(0)).map(|domain| vec![domain.to_string()]),
        "TrustDomainFromURI" => id(argument(0)).map(|id| vec![id.trust_domain().to_string()]),
        "FromSegments" => {
            domain(argument(0)).and_then(|domain| SpiffeId::from_segments(&domain, segments(1)).map(parts))
        }
        "IDAppendPath" => id(argument(0)).and_then(|id| id.append_path(argument(1)).map(parts)),
        "IDReplacePath" => id(argument(0)).and_then(|id| id.replace_path(argument(1)).map(parts)),
        "IDAppendSegments" => id(argument(0)).and_then(|id| id.append_segments(segments(1)).map(parts)),
        "IDReplaceSegments" => id(argument(0)).and_then(|id| id.replace_segments(segments(1)).map(parts)),
        "JoinPathSegments" => {
            let any = TrustDomain::istio_default();
            SpiffeId::from_segments(&any, segments(0)).map(|id| vec![id.path().to_owned()])
        }
        _ => return None,
    })
}

/// `want` is a set.
fn expand(case: &Case) -> Verdict {
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let given = &case.value["given"];
    let domains: Result<Vec<TrustDomain>, IdError> = list(&given["trustDomains"])
        .iter()
        .map(|name| name.parse())
        .collect();
    let outcome = domains.map(|domains| {
        let mut expanded = expand_with(list(&given["spiffeURI"]), &domains);
        expanded.sort();
        json!({ "want": expanded })
    });
    let mut expect = case.expect().clone();
    if let Some(want) = expect["want"].as_array_mut() {
        want.sort_by_key(ToString::to_string);
    }
    judge(&expect, outcome.map_err(|error| error.to_string()), &Value::Null)
}

fn identity(case: &Case) -> Verdict {
    let input = case.value["given"]["input"].as_str().unwrap_or_default();
    let expected = &case.expect()["expected"];
    let wants_empty = |key: &str| expected[key].as_str() == Some("");
    if wants_empty("namespace") || wants_empty("serviceAccount") {
        return Verdict::Unsupported(
            "Istio takes empty names; an id with empty path segments is none in SPIFFE, and is refused here (C-IST-1)".to_owned(),
        );
    }
    let id: Option<SpiffeId> = input.parse().ok();
    let found = id
        .as_ref()
        .and_then(SpiffeId::istio_identity)
        .map_or(Value::Null, |istio| {
            json!({
                "trustDomain": istio.trust_domain.as_str(),
                "namespace": istio.namespace,
                "serviceAccount": istio.service_account,
            })
        });
    if id.is_some_and(|id| id.to_string() != input) {
        return Verdict::Failed("the id does not print as it was written".to_owned());
    }
    judge(case.expect(), Ok(json!({ "expected": found })), &Value::Null)
}
