//! The tables that the public API answers without being bent, by package and name.

use serde_json::Value;

use crate::corpus::answer::{Given, NoAnswer, compare};
use crate::corpus::{Area, Case, Verdict};

use super::names;

/// Answers one case of a table: the arguments, and the objects that all cases of the table share.
type Ask = fn(&Given<'_>, &Value) -> Result<Value, NoAnswer>;

const TABLES: &[(&str, &str, Ask)] = &[
    ("pilot/pkg/model", "IsValidSubsetKey", names::is_valid_subset_key),
    (
        "pilot/pkg/model",
        "MostSpecificHostMatch",
        names::most_specific_host_match,
    ),
    ("pilot/pkg/model", "ParseSubsetKey", names::parse_subset_key),
    (
        "pilot/pkg/model",
        "ParseSubsetKeyHostname",
        names::parse_subset_key_hostname,
    ),
    (
        "pilot/pkg/model",
        "ResolveGatewayName",
        names::resolve_gateway_name,
    ),
    (
        "pilot/pkg/model",
        "ResolveShortnameToFQDN",
        names::resolve_shortname_to_fqdn,
    ),
    ("pilot/pkg/model", "SubsetKey", names::subset_key),
    ("pkg/config/host", "MoreSpecific", names::more_specific),
    ("pkg/config/host", "NameMatches", names::name_matches),
    ("pkg/config/host", "NameSubsetOf", names::name_subset_of),
    ("pkg/config/host", "NamesForNamespace", names::names_for_namespace),
    ("pkg/config/host", "NamesIntersection", names::names_intersection),
    ("pkg/config/host", "NamesSortOrder", names::names_sort_order),
    ("pkg/config/labels", "Instance", names::labels_instance),
    ("pkg/config/labels", "InstanceValidate", names::labels_validate),
    ("pkg/config/protocol", "Parse", names::protocol_parse),
];

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    let word = |key: &str| case.value[key].as_str().unwrap_or_default();
    let (package, name) = (word("package"), word("table"));
    let Some((_, _, ask)) = TABLES
        .iter()
        .find(|(known, table, _)| (*known, *table) == (package, name))
    else {
        return Verdict::Unsupported(not_asked(name));
    };
    let table = area.table(package, name);
    if !case.value["features"].is_null() || !table["features"].is_null() {
        return Verdict::Unsupported(
            "the case sets switches of istiod that are no inputs of this API".to_owned(),
        );
    }
    compare(case.expect(), &case.value["given"], |given| {
        ask(given, &table["context"])
    })
}

/// Why a table is not run.
fn not_asked(table: &str) -> String {
    let what = match table {
        "BuildInboundStatPrefix"
        | "BuildStatPrefix"
        | "OutboundNetworkFilterStatPrefix"
        | "TraceOperation" => "names of statistics come with telemetry",
        "ProxyVersion_Compare" | "parseIstioVersion" => {
            "proxy versions decide nothing here: there is no such type"
        }
        "String" => "label sets print in another form here (`{app: a}`)",
        "MatchListener" => "TrafficExtension is carried as an opaque object",
        _ => {
            "the public API answers no such question by itself; what it decides is seen in whole routes only"
        }
    };
    format!("{table}: {what}")
}
