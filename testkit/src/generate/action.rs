//! What routes do: destinations, redirects, direct responses, rewrites, header operations, faults.

use std::collections::BTreeMap;

use mesh_api::networking::{
    Abort, AbortErrorType, Delay, Destination, HeaderOperations, Headers, HttpBody, HttpDelayType,
    HttpDirectResponse, HttpFaultInjection, HttpMirrorPolicy, HttpRedirect, HttpRewrite, HttpRoute,
    HttpRouteDestination, Percent, RedirectPort, RedirectPortSelection, RegexRewrite,
};
use mesh_api::scalar::Duration;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::words::{self, EXTERNAL, HEADERS, PORTS, SERVICES, UNKNOWN, VALUES, VERSIONS, word};

/// A header that upstreams of the oracle send, so that there is something to remove.
pub const REPLY_HEADER: (&str, &str) = ("x-reply", "echo");
const HOST: &str = "Host";
pub(super) const RESPONSE_HEADERS: [&str; 2] = [REPLY_HEADER.0, "x-new"];

/// A route without conditions.
pub(super) fn route() -> impl Strategy<Value = HttpRoute> {
    let action = prop_oneof![
        10 => forward(),
        1 => redirect().prop_map(|redirect| HttpRoute {
            redirect: Some(Box::new(redirect)),
            ..HttpRoute::default()
        }),
        1 => direct_response().prop_map(|response| HttpRoute {
            direct_response: Some(Box::new(response)),
            ..HttpRoute::default()
        }),
    ];
    (action, option::weighted(0.3, headers(&HEADERS))).prop_map(|(route, headers)| {
        one_authority(HttpRoute {
            headers: headers.map(Box::new),
            ..route
        })
    })
}

/// The authority is set in one place: the rewrite, or else the headers of the route.
fn one_authority(mut route: HttpRoute) -> HttpRoute {
    let rewrites = route
        .rewrite
        .as_ref()
        .is_some_and(|rewrite| !rewrite.authority.is_empty());
    if let Some(request) = route
        .headers
        .as_mut()
        .and_then(|headers| headers.request.as_mut())
        && rewrites
    {
        request.set.remove(HOST);
    }
    route
}

fn forward() -> impl Strategy<Value = HttpRoute> {
    let parts = (
        destinations(),
        option::weighted(0.35, rewrite()),
        option::weighted(0.1, mirror()),
        option::weighted(0.2, Just(Duration::from_secs(5))),
        option::weighted(0.12, fault()),
    );
    parts.prop_map(|(route, rewrite, mirror, timeout, fault)| HttpRoute {
        route,
        fault: fault.map(Box::new),
        rewrite: rewrite.map(Box::new),
        mirrors: mirror.into_iter().collect(),
        timeout,
        ..HttpRoute::default()
    })
}

/// One destination, or several of which one has a weight above 0.
fn destinations() -> impl Strategy<Value = Vec<HttpRouteDestination>> {
    let weighted = (
        destination(),
        select(&[0, 1, 20, 100][..]),
        option::weighted(0.3, headers(&HEADERS)),
    );
    vec(weighted, 1..4).prop_map(|destinations| {
        let make = |(at, (destination, weight, headers)): (usize, (_, i32, Option<Headers>))| {
            let weight = if at == 0 { weight.max(1) } else { weight };
            HttpRouteDestination {
                headers: headers.map(Box::new),
                ..HttpRouteDestination::from(destination).with_weight(weight)
            }
        };
        destinations.into_iter().enumerate().map(make).collect()
    })
}

/// Mostly something that exists.
fn destination() -> impl Strategy<Value = Destination> {
    let service =
        select(&SERVICES[..]).prop_map(|(name, namespace)| format!("{name}.{namespace}.svc.cluster.local"));
    let host = prop_oneof![
        24 => service,
        3 => Just(EXTERNAL.to_owned()),
        2 => select(&["a", "b"][..]).prop_map(str::to_owned),
        1 => Just(UNKNOWN.to_owned()),
    ];
    let subset = option::weighted(0.4, prop_oneof![6 => word(&VERSIONS), 1 => Just("v7".to_owned())]);
    let port = option::weighted(0.5, select(&PORTS[..]));
    (host, subset, port).prop_map(|(host, subset, port)| {
        let mut destination = Destination::new(host);
        if let Some(subset) = subset {
            destination = destination.with_subset(subset);
        }
        match port {
            Some(port) => destination.with_port(port.into()),
            None => destination,
        }
    })
}

/// All requests or none, so that no draw of another party decides.
fn all_or_none() -> impl Strategy<Value = Option<Percent>> {
    prop_oneof![4 => Just(100.0), 1 => Just(0.0)].prop_map(|share| Some(Percent::new(share)))
}

fn mirror() -> impl Strategy<Value = HttpMirrorPolicy> {
    (destination(), all_or_none()).prop_map(|(destination, percentage)| HttpMirrorPolicy {
        destination: Some(destination),
        percentage,
    })
}

fn fault() -> impl Strategy<Value = HttpFaultInjection> {
    let delay = all_or_none().prop_map(|percentage| Delay {
        http_delay_type: Some(HttpDelayType::FixedDelay(Duration::from_millis(20))),
        percentage,
        ..Delay::default()
    });
    let abort = (
        select(&[400, 418, 503, 555][..]),
        option::weighted(0.9, all_or_none()),
    );
    let abort = abort.prop_map(|(status, percentage)| Abort {
        error_type: Some(AbortErrorType::HttpStatus(status)),
        percentage: percentage.flatten(),
    });
    (option::weighted(0.3, delay), abort).prop_map(|(delay, abort)| HttpFaultInjection {
        delay,
        abort: Some(abort),
    })
}

fn rewrite() -> impl Strategy<Value = HttpRewrite> {
    let uri = words::path().prop_map(|uri| (uri, None));
    let regex = select(
        &[
            ("/a", "/c"),
            (r"^/(\w)(.*)$", r"/\2/\1"),
            ("b", "<b>"),
            (r"[a-z]", r"\0\0"),
        ][..],
    );
    let regex = regex.prop_map(|(pattern, rewrite)| {
        let rewrite = RegexRewrite {
            r#match: pattern.to_owned(),
            rewrite: rewrite.to_owned(),
        };
        (String::new(), Some(rewrite))
    });
    let path = prop_oneof![3 => uri, 2 => regex];
    let authority = select(&["up.example.com", "a", "up.example.com:81"][..]).prop_map(str::to_owned);
    let both =
        (path.clone(), authority.clone()).prop_map(|((uri, regex), authority)| (uri, regex, authority));
    prop_oneof![
        4 => path.prop_map(|(uri, regex)| (uri, regex, String::new())),
        1 => authority.prop_map(|authority| (String::new(), None, authority)),
        1 => both,
    ]
    .prop_map(|(uri, uri_regex_rewrite, authority)| HttpRewrite {
        uri,
        authority,
        uri_regex_rewrite,
    })
}

fn redirect() -> impl Strategy<Value = HttpRedirect> {
    let port = prop_oneof![
        3 => Just(None),
        1 => select(&[80, 443, 8443][..]).prop_map(|port| Some(RedirectPort::Port(port))),
        1 => Just(Some(RedirectPort::DerivePort(RedirectPortSelection::FromRequestPort))),
        1 => Just(Some(RedirectPort::DerivePort(RedirectPortSelection::FromProtocolDefault))),
    ];
    let uri = option::weighted(
        0.6,
        prop_oneof![3 => words::path(), 1 => Just("/new?from=old".to_owned())],
    );
    let authority = option::weighted(0.4, select(&["new.example.com", "new.example.com:81"][..]));
    let parts = (
        uri,
        authority,
        port,
        select(&["", "", "https", "http"][..]),
        select(&[0, 301, 302, 303, 307, 308][..]),
        option::weighted(0.3, words::path()),
    );
    parts.prop_map(|(uri, authority, redirect_port, scheme, redirect_code, prefix)| {
        let mut redirect = HttpRedirect {
            uri: uri.unwrap_or_default(),
            authority: authority.unwrap_or_default().to_owned(),
            redirect_port,
            scheme: scheme.to_owned(),
            redirect_code,
            prefix_rewrite: String::new(),
        };
        match prefix {
            Some(prefix) => {
                redirect.prefix_rewrite = prefix;
                redirect.uri.clear();
            }
            // A redirect to where the request came from is refused.
            None if redirect.uri.is_empty() && redirect.authority.is_empty() => {
                redirect.uri = "/new".to_owned();
            }
            None => {}
        }
        redirect
    })
}

fn direct_response() -> impl Strategy<Value = HttpDirectResponse> {
    let body = option::weighted(0.7, Just(HttpBody::String("tea\n".to_owned())));
    (select(&[200, 204, 404, 418, 503][..]), body)
        .prop_map(|(status, body)| HttpDirectResponse { status, body })
}

/// Operations on few names, so that they meet. A host in `set` rewrites the authority (R-HDR-2).
fn headers(names: &'static [&'static str]) -> impl Strategy<Value = Headers> {
    let request = (
        operations(names),
        option::weighted(0.1, Just("set.example.com".to_owned())),
    );
    let request = request.prop_map(|(mut operations, host)| {
        operations.set.extend(host.map(|host| (HOST.to_owned(), host)));
        operations
    });
    let response = option::weighted(0.4, operations(&RESPONSE_HEADERS));
    (option::weighted(0.8, request), response).prop_map(|(request, response)| Headers { request, response })
}

fn operations(names: &'static [&'static str]) -> impl Strategy<Value = HeaderOperations> {
    let values =
        || -> BoxedStrategy<BTreeMap<String, String>> { btree_map(word(names), word(&VALUES), 0..2).boxed() };
    let remove = subsequence(names.to_vec(), 0..2);
    (values(), values(), remove).prop_map(|(set, add, remove)| HeaderOperations {
        set,
        add,
        remove: remove.into_iter().map(str::to_owned).collect(),
    })
}
