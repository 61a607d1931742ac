//! Tables about names: hosts, gateway references, cluster names, labels, protocols.

use mesh_api::names::host::{intersection, names_for_namespace as for_namespace, sort_by_specificity};
use mesh_api::names::{GatewayRef, Host, HostIndex, Labels, Protocol, SubsetName, check};
use mesh_route::plan::{ClusterName, ClusterStyle};
use serde_json::{Value, json};

use crate::corpus::answer::{Given, NoAnswer};

type Answer = Result<Value, NoAnswer>;

/// R-HOST-2.
pub(super) fn name_matches(given: &Given<'_>, _: &Value) -> Answer {
    Ok(json!({ "out": host(given, "a")?.matches(&host(given, "b")?) }))
}

/// R-HOST-3.
pub(super) fn name_subset_of(given: &Given<'_>, _: &Value) -> Answer {
    Ok(json!({ "out": host(given, "a")?.is_subset_of(&host(given, "b")?) }))
}

/// R-HOST-6.
pub(super) fn more_specific(given: &Given<'_>, _: &Value) -> Answer {
    Ok(json!({ "expected": host(given, "host1")?.is_more_specific_than(&host(given, "host2")?) }))
}

/// R-HOST-6.
pub(super) fn names_sort_order(given: &Given<'_>, _: &Value) -> Answer {
    let mut hosts: Vec<Host> = given.typed("in")?;
    sort_by_specificity(&mut hosts);
    Ok(json!({ "want": hosts }))
}

/// R-HOST-7.
pub(super) fn names_intersection(given: &Given<'_>, _: &Value) -> Answer {
    let (a, b): (Vec<Host>, Vec<Host>) = (given.typed("a")?, given.typed("b")?);
    Ok(json!({ "intersection": intersection(&a, &b) }))
}

pub(super) fn names_for_namespace(given: &Given<'_>, _: &Value) -> Answer {
    let hosts: Vec<String> = given.typed("hosts")?;
    Ok(json!({ "want": for_namespace(&hosts, given.text("namespace")?) }))
}

/// R-NAME-1.
pub(super) fn resolve_shortname_to_fqdn(given: &Given<'_>, _: &Value) -> Answer {
    let meta = Given::new(given.value("meta"));
    let full = host(given, "name")?.resolve(meta.text("namespace")?, meta.text("domain")?);
    Ok(json!({ "out": full }))
}

pub(super) fn most_specific_host_match(given: &Given<'_>, _: &Value) -> Answer {
    let hosts: Vec<Host> = given.typed("in")?;
    let index: HostIndex<()> = hosts.into_iter().map(|host| (host, ())).collect();
    let found = index
        .most_specific(&host(given, "needle")?)
        .map(|(host, ())| host.as_str());
    Ok(json!({ "want": found.unwrap_or_default() }))
}

/// R-NAME-2.
pub(super) fn resolve_gateway_name(given: &Given<'_>, _: &Value) -> Answer {
    let resolved = GatewayRef::resolve(given.text("gateway")?, given.text("namespace")?);
    Ok(json!({ "resolved": resolved.to_string() }))
}

/// X-NAME-1.
pub(super) fn subset_key(given: &Given<'_>, _: &Value) -> Answer {
    let subset = given.text("subset")?;
    let subset = (!subset.is_empty()).then(|| SubsetName::new(subset));
    let name = ClusterName::outbound(given.typed("port")?, subset, host(given, "hostname")?);
    Ok(json!({ "want": name.to_string() }))
}

pub(super) fn is_valid_subset_key(given: &Given<'_>, _: &Value) -> Answer {
    let text = given.text("subsetkey")?;
    let name = ClusterName::parse(text);
    let known = !matches!(name.key().style, ClusterStyle::Fixed(_) | ClusterStyle::Other(_));
    // Reading is total: a name that is not well-formed loses something on the way.
    Ok(json!({ "valid": known && name.to_string() == text }))
}

pub(super) fn parse_subset_key(given: &Given<'_>, _: &Value) -> Answer {
    let name = ClusterName::parse(given.text("input")?);
    let direction = match name.key().style {
        ClusterStyle::Outbound | ClusterStyle::SniDnat => "outbound",
        ClusterStyle::Inbound => "inbound",
        ClusterStyle::InboundVip => "inbound-vip",
        ClusterStyle::Fixed(_) | ClusterStyle::Other(_) => "",
    };
    Ok(json!({
        "direction": direction, "port": name.port(), "hostname": name.host(),
        "subsetName": name.subset().map_or("", |subset| subset.as_str()),
    }))
}

pub(super) fn parse_subset_key_hostname(given: &Given<'_>, _: &Value) -> Answer {
    let name = ClusterName::parse(given.text("in")?);
    Ok(json!({ "out": name.host() }))
}

pub(super) fn labels_instance(given: &Given<'_>, _: &Value) -> Answer {
    let (left, right): (Labels, Labels) = (given.typed("left")?, given.typed("right")?);
    let subset_of = left.is_subset_of(&right);
    Ok(json!({ "expected": { "subsetOf": subset_of, "selected": subset_of && !left.is_empty() } }))
}

pub(super) fn labels_validate(given: &Given<'_>, _: &Value) -> Answer {
    let labels: Labels = given.typed("tags")?;
    Ok(json!({ "valid": check::label_map(&labels).is_ok() }))
}

pub(super) fn protocol_parse(given: &Given<'_>, _: &Value) -> Answer {
    Ok(json!({ "out": Protocol::parse(given.text("name")?).as_str() }))
}

fn host(given: &Given<'_>, key: &str) -> Result<Host, NoAnswer> {
    Ok(Host::from(given.text(key)?))
}
