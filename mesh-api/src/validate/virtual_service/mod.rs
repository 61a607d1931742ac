//! Rules of VirtualService (A-VS).

mod http;
mod http_policy;
mod l4;
mod overlap;

pub(super) use http_policy::check_retries;

use std::collections::BTreeMap;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::shared::{self, ExportScope};
use crate::names::check::{self, GatewayVsDomain};
use crate::names::{Host, HostIndex, Text};
use crate::networking::{Destination, TlsRoute, VirtualService};

/// The annotation that marks objects made from Gateway API routes (A-MV-7).
pub(super) const SEMANTICS: &str = "internal.istio.io/route-semantics";

rules! {
    VS_1 "A-VS-1" Error "a delegate has no gateways";
    VS_2 "A-VS-2" Error "a delegate has no TLS routes";
    VS_3 "A-VS-3" Error "a delegate has no TCP routes";
    VS_4 "A-VS-4" Error "a gateway is named as `namespace/name` or by a domain name" cites "A-X-29";
    VS_5 "A-VS-5" Error "conditions on JWT claims need a gateway" cites "A-X-19";
    VS_6 "A-VS-6" Error "a host is a domain name, perhaps with a wildcard, or an IP address" cites "A-X-3" "A-X-9";
    VS_7 "A-VS-7" Error "a host of a gateway is a domain name, perhaps with a wildcard, or an IP address" cites "A-X-4" "A-X-9";
    VS_8 "A-VS-8" Error "the host `*` needs a gateway";
    VS_9 "A-VS-9" Error "hosts do not overlap" cites "A-X-21";
    VS_10 "A-VS-10" Error "there is at least one of http, tls and tcp";
    VS_12 "A-VS-12" Error "exportTo holds `.`, `*` or namespaces, none twice" cites "A-X-22";
    VS_13 "A-VS-13" Error "a route with a delegate has no redirect";
    VS_14 "A-VS-14" Error "a route with a delegate has no destinations";
    VS_15 "A-VS-15" Error "a delegate does not delegate further";
    VS_16 "A-VS-16" Error "redirect and destinations exclude each other";
    VS_17 "A-VS-17" Error "redirect and fault exclude each other";
    VS_18 "A-VS-18" Error "redirect and rewrite exclude each other";
    VS_19 "A-VS-19" Error "redirect and direct response exclude each other";
    VS_20 "A-VS-20" Error "direct response and destinations exclude each other";
    VS_21 "A-VS-21" Error "direct response and fault exclude each other";
    VS_22 "A-VS-22" Error "direct response and rewrite exclude each other";
    VS_23 "A-VS-23" Error "a route has destinations, a redirect or a direct response";
    VS_24 "A-VS-24" Error "mirror and mirrors exclude each other";
    VS_26 "A-VS-26" Error "the key of a header condition is a header name, a pseudo header or a JWT claim" cites "A-X-15" "A-X-19";
    VS_27 "A-VS-27" Error "the key of a header exclusion is a header name, a pseudo header or a JWT claim" cites "A-X-15" "A-X-19";
    VS_28 "A-VS-28" Error "a prefix to match is not empty";
    VS_29 "A-VS-29" Error "a regular expression to match is not empty";
    VS_30 "A-VS-30" Error "a regular expression has RE2's syntax and at most 1024 bytes" cites "A-X-20";
    VS_31 "A-VS-31" Error "the port of a condition is 1 to 65535" cites "A-X-8";
    VS_32 "A-VS-32" Error "source labels are valid labels" cites "A-X-12";
    VS_33 "A-VS-33" Error "a gateway of a condition is named as `namespace/name` or by a domain name" cites "A-X-29";
    VS_34 "A-VS-34" Error "the source namespace is a DNS label" cites "A-X-1";
    VS_35 "A-VS-35" Error "the name of a request header to set is not empty";
    VS_36 "A-VS-36" Error "of the pseudo headers only `:authority` can be set";
    VS_37 "A-VS-37" Error "the value of a header is free of control characters, its substitutions are well formed" cites "A-X-18";
    VS_38 "A-VS-38" Error "the name of a header to change is not empty";
    VS_39 "A-VS-39" Error "the header `host` cannot be removed or set on responses";
    VS_40 "A-VS-40" Error "pseudo headers cannot be removed or set on responses";
    VS_41 "A-VS-41" Error "an allowed origin says what to match";
    VS_42 "A-VS-42" Error "the regular expression of an origin has RE2's syntax and at most 1024 bytes" cites "A-X-20";
    VS_43 "A-VS-43" Error "an allowed method is an HTTP method or `*`";
    VS_44 "A-VS-44" Error "an allowed or exposed header is a header name or `*`" cites "A-X-15";
    VS_45 "A-VS-45" Error "maxAge is at least 1 ms, in whole milliseconds" cites "A-X-11";
    VS_46 "A-VS-46" Error "maxAge is in whole seconds";
    VS_47 "A-VS-47" Error "a fault has an abort or a delay";
    VS_48 "A-VS-48" Error "the share of a fault is 0, or 0.0001 to 100 percent" cites "A-X-31";
    VS_49 "A-VS-49" Error "the gRPC status of an abort is known" cites "A-X-33";
    VS_50 "A-VS-50" Error "aborts with HTTP/2 errors are not supported";
    VS_51 "A-VS-51" Error "the HTTP status of an abort is 200 to 599" cites "A-X-32";
    VS_52 "A-VS-52" Warning "an abort without error has no effect";
    VS_53 "A-VS-53" Error "a delay is at least 1 ms, in whole milliseconds" cites "A-X-11";
    VS_54 "A-VS-54" Error "exponential delays are not supported";
    VS_55 "A-VS-55" Error "mirrorPercent is at most 100";
    VS_56 "A-VS-56" Warning "mirrorPercent is deprecated";
    VS_57 "A-VS-57" Error "the share of a mirror is at most 100 percent";
    VS_58 "A-VS-58" Error "the share of a mirror is not negative";
    VS_59 "A-VS-59" Error "the host of a destination is a domain name, not `*`" cites "A-X-3";
    VS_60 "A-VS-60" Error "the subset of a destination is a DNS label" cites "A-X-1";
    VS_61 "A-VS-61" Error "the port of a destination is 1 to 65535" cites "A-X-8";
    VS_62 "A-VS-62" Error "a mirror has a destination";
    VS_63 "A-VS-63" Error "uri and prefixRewrite of a redirect exclude each other";
    VS_64 "A-VS-64" Error "prefixRewrite needs prefix conditions on the uri";
    VS_65 "A-VS-65" Error "a redirect changes something";
    VS_66 "A-VS-66" Error "the status of a redirect is 300 to 399";
    VS_67 "A-VS-67" Error "the scheme of a redirect is http or https";
    VS_68 "A-VS-68" Error "the port of a redirect is 1 to 65535" cites "A-X-8";
    VS_69 "A-VS-69" Error "the body of a direct response has at most 1 MiB";
    VS_70 "A-VS-70" Warning "a body of more than 100 KiB is a burden to the control plane";
    VS_71 "A-VS-71" Error "the status of a direct response is 200 to 599" cites "A-X-32";
    VS_72 "A-VS-72" Error "the number of retries is not negative";
    VS_73 "A-VS-73" Error "retries that are switched off have no settings";
    VS_74 "A-VS-74" Error "perTryTimeout and backoff are at least 1 ms, in whole milliseconds" cites "A-X-11";
    VS_75 "A-VS-75" Error "retryOn lists known conditions or HTTP statuses";
    VS_76 "A-VS-76" Error "uri and uriRegexRewrite of a rewrite exclude each other";
    VS_77 "A-VS-77" Error "a rewrite changes something";
    VS_78 "A-VS-78" Error "a rewrite by regular expression has both parts";
    VS_79 "A-VS-79" Error "the regular expression of a rewrite has RE2's syntax and at most 1024 bytes" cites "A-X-20";
    VS_80 "A-VS-80" Error "the authority is set once";
    VS_81 "A-VS-81" Error "a route entry has a destination";
    VS_82 "A-VS-82" Error "weights are not negative";
    VS_83 "A-VS-83" Error "the weights of several destinations do not sum to zero";
    VS_84 "A-VS-84" Error "the timeout is at least 1 ms, in whole milliseconds" cites "A-X-11";
    VS_85 "A-VS-85" Error "a TLS route has conditions";
    VS_87 "A-VS-87" Error "a TLS condition has server names";
    VS_88 "A-VS-88" Error "a server name is a domain name, perhaps with a wildcard" cites "A-X-3" "A-X-4" "A-X-9";
    VS_89 "A-VS-89" Warning "a server name is no IP address" cites "A-X-9";
    VS_90 "A-VS-90" Error "a server name lies within a host of the object" cites "A-X-21";
    VS_91 "A-VS-91" Error "a destination subnet is an IP address or range" cites "A-X-10";
    VS_92 "A-VS-92" Error "the port of a condition is 1 to 65535" cites "A-X-8";
    VS_93 "A-VS-93" Error "source labels are valid labels" cites "A-X-12";
    VS_94 "A-VS-94" Error "a gateway of a condition is named as `namespace/name` or by a domain name" cites "A-X-29";
    VS_95 "A-VS-95" Error "a TLS or TCP route has destinations";
    VS_97 "A-VS-97" Warning "only the last route has no conditions";
    VS_98 "A-VS-98" Warning "no route follows one without conditions";
    VS_99 "A-VS-99" Warning "a condition differs from those before";
    VS_100 "A-VS-100" Warning "a route has a condition that is not there before";
    VS_101 "A-VS-101" Warning "a prefix is not covered by one before";
}

/// What the routes need to know of the object.
struct Scope<'a> {
    hosts: &'a [String],
    /// The hosts, if there are TLS routes, whose server names are looked up in it.
    index: HostIndex<()>,
    is_delegate: bool,
    /// Bound to gateways alone: there are some, and the word `mesh` is not among them.
    gateway_bound: bool,
    /// Made from Gateway API routes.
    gateway_api: bool,
}

pub(super) fn check(spec: &VirtualService, at: At<'_>, context: &mut Context<'_>) {
    let VirtualService {
        hosts,
        gateways,
        http,
        tls,
        tcp,
        export_to,
    } = spec;
    let indexed = if tls.is_empty() { &[] } else { hosts.as_slice() };
    let scope = Scope {
        hosts,
        index: indexed
            .iter()
            .map(|host| (Host::new(Text::new(host)), ()))
            .collect(),
        is_delegate: hosts.is_empty(),
        gateway_bound: !gateways.is_empty() && gateways.iter().all(|name| name != "mesh"),
        gateway_api: context.gateway_api(SEMANTICS),
    };
    if scope.is_delegate {
        for (rule, field, is_set) in [
            (&VS_1, "gateways", !gateways.is_empty()),
            (&VS_2, "tls", !tls.is_empty()),
            (&VS_3, "tcp", !tcp.is_empty()),
        ] {
            if is_set {
                context.report(
                    rule,
                    &at.field(field),
                    format!("a delegate (without hosts) has no {field}"),
                );
            }
        }
    }
    check_hosts(&scope, tls, &at.field("hosts"), context);
    shared::gateway_refs(context, &VS_4, &at.field("gateways"), gateways);
    for (index, route) in http.iter().enumerate() {
        http::check(route, &scope, &at.item("http", index), context);
    }
    for (index, route) in tls.iter().enumerate() {
        l4::check_tls(route, &scope, &at.item("tls", index), context);
    }
    for (index, route) in tcp.iter().enumerate() {
        l4::check_tcp(route, &at.item("tcp", index), context);
    }
    if http.is_empty() && tls.is_empty() && tcp.is_empty() {
        context.report(&VS_10, &at, "http, tls and tcp are all empty");
    }
    shared::export_to(
        context,
        &VS_12,
        &at.field("exportTo"),
        export_to,
        ExportScope::Other,
    );
    overlap::check(spec, &at, context);
}

fn check_hosts(scope: &Scope<'_>, tls: &[TlsRoute], at: &At<'_>, context: &mut Context<'_>) {
    let sni = tls
        .iter()
        .flat_map(|route| &route.matches)
        .any(|condition| !condition.sni_hosts.is_empty());
    let mut all_fit = true;
    for (index, host) in scope.hosts.iter().enumerate() {
        let at = at.index(index);
        if check::ip_address(host).is_ok() {
            continue;
        }
        all_fit &= if scope.gateway_bound {
            let form = if sni {
                GatewayVsDomain::Sni
            } else {
                GatewayVsDomain::Host
            };
            context.check(&VS_7, &at, check::gateway_vs_domain(host, form))
        } else if host == "*" {
            let message = "the host `*` needs a gateway: sidecars cannot take all traffic for one service";
            context.report_with_help(&VS_8, &at, message, "name gateways other than `mesh`");
            false
        } else {
            context.check(&VS_6, &at, check::wildcard_domain(host))
        };
    }
    if !all_fit {
        return;
    }
    for (later, earlier) in overlaps(scope.hosts) {
        if let (Some(host), Some(other)) = (scope.hosts.get(later), scope.hosts.get(earlier)) {
            context.report(
                &VS_9,
                &at.index(later),
                format!("`{host}` overlaps with `{other}`"),
            );
        }
    }
}

/// Hosts that overlap with an earlier one, by index, and one that each overlaps with (A-X-21).
///
/// Read backwards and sorted, all names that a wildcard covers follow it, so one pass finds them.
fn overlaps(hosts: &[String]) -> BTreeMap<usize, usize> {
    if hosts.len() < 2 {
        return BTreeMap::new();
    }
    let mut backwards: Vec<(Vec<u8>, bool, usize)> = hosts
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let tail = host.strip_prefix('*');
            (
                tail.unwrap_or(host).bytes().rev().collect(),
                tail.is_none(),
                index,
            )
        })
        .collect();
    backwards.sort();
    let mut found = BTreeMap::new();
    let mut covering: Vec<(&[u8], usize)> = Vec::new();
    let mut previous: Option<(&[u8], usize)> = None;
    for (name, exact, index) in &backwards {
        while covering.last().is_some_and(|(tail, _)| !name.starts_with(tail)) {
            covering.pop();
        }
        let equal = previous.filter(|(previous, _)| exact == &true && previous == name);
        if let Some((_, other)) = covering.first().copied().or(equal) {
            found.entry(other.max(*index)).or_insert(other.min(*index));
        }
        match exact {
            true => previous = Some((name, *index)),
            false => covering.push((name, *index)),
        }
    }
    found
}

/// A-VS-59..61
pub(super) fn check_destination(
    destination: &Destination,
    any_host: bool,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let Destination { host, subset, port } = destination;
    if host == "*" {
        context.report(
            &VS_59,
            &at.field("host"),
            "the host of a destination must not be `*`",
        );
    } else if !any_host {
        context.check(&VS_59, &at.field("host"), check::wildcard_domain(host));
    }
    if !subset.is_empty() {
        context.check(&VS_60, &at.field("subset"), check::dns_label(subset));
    }
    if let Some(port) = port {
        context.check(
            &VS_61,
            &at.field("port").field("number"),
            check::port(port.number),
        );
    }
}

/// A-VS-82 and A-VS-83
fn check_weights(weights: impl ExactSizeIterator<Item = i32>, at: &At<'_>, context: &mut Context<'_>) {
    let several = weights.len() > 1;
    let (mut wrapping, mut exact) = (0i32, 0i64);
    for (index, weight) in weights.enumerate() {
        if weight < 0 {
            context.report(
                &VS_82,
                &at.index(index).field("weight"),
                format!("the weight {weight} is negative"),
            );
        }
        wrapping = wrapping.wrapping_add(weight);
        exact += i64::from(weight);
    }
    // quirk A-VS-83: upstream adds in 32 bits, where large weights may meet zero again
    let sums_to_zero = if context.is_strict() {
        exact == 0
    } else {
        wrapping == 0
    };
    if several && sums_to_zero {
        context.report(&VS_83, at, "the weights of the destinations sum to zero");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_those_of_host_matching() {
        // A-VS-9, A-X-21: every pair of these
        let hosts = [
            "*", "*.com", "*.a.com", "a.com", "b.a.com", "*a.com", "*-x.com", "y-x.com", "com", "", "*.org",
            "a.com",
        ];
        for (a, b) in hosts.iter().flat_map(|a| hosts.iter().map(move |b| (*a, *b))) {
            let expected = Host::new(Text::new(a)).matches(&Host::new(Text::new(b)));
            let found = overlaps(&[a.to_owned(), b.to_owned()]);
            assert_eq!(found.get(&1) == Some(&0), expected, "`{a}` and `{b}`");
        }
    }

    #[test]
    fn one_overlap_is_named_for_each_later_host() {
        let hosts = ["a.com", "*.com", "x.org", "a.com", "*.org"].map(str::to_owned);
        assert_eq!(
            overlaps(&hosts).into_iter().collect::<Vec<_>>(),
            [(1, 0), (3, 1), (4, 2)]
        );
    }
}
