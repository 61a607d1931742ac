//! Building and matching routes (R-RT, R-MATCH, R-DST, R-W).

use super::bench::*;

#[test]
fn e1_nothing_follows_a_catch_all() {
    let router = sidecar(&known(
        "[{match: [{uri: {prefix: /}}], route: [{destination: {host: known}}]},
          {match: [{uri: {prefix: /x}}], route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/x")), KNOWN);
}

#[test]
fn e2_a_filtered_catch_all_does_not_stop() {
    let router = sidecar(&known(
        "[{match: [{uri: {prefix: /}, port: 8080}], route: [{destination: {host: known}}]},
          {route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/x")), ALT);
    assert_eq!(
        cluster(&router, &get("http://known:8080/x")),
        "outbound|8080||known.default.svc.cluster.local"
    );
}

#[test]
fn e3_an_entry_without_match_ends_the_list() {
    let router = sidecar(&known(
        "[{route: [{destination: {host: known}}]},
          {match: [{uri: {prefix: /x}}], route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/x")), KNOWN);
}

#[test]
fn e4_a_gateway_list_switches_source_filters_off() {
    let router = sidecar(&known(
        "[{match: [{gateways: [mesh], sourceLabels: {app: z}, uri: {prefix: /a}}], route: [{destination: {host: alt-known}}]},
          {route: [{destination: {host: known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/a")), ALT);
    assert_eq!(cluster(&router, &get("http://known/b")), KNOWN);
}

#[test]
fn e5_an_unusable_virtual_service_shadows_nothing() {
    let router = sidecar(&known(
        "[{match: [{sourceLabels: {app: z}}], route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/")), KNOWN);
    let request = get("http://known/");
    assert_eq!(
        router.decide(&request).origin().to_string(),
        "Service default/known spec.ports[0]"
    );
}

#[test]
fn e17_a_destination_without_port_takes_the_listeners() {
    // R-DST-2 (quirk): the service has 9080 only, the listener is 80.
    let router = sidecar(&known("[{route: [{destination: {host: b}}]}]"));
    assert_eq!(
        answer(&router, &get("http://known/")),
        "503 outbound|80||b.default.svc.cluster.local"
    );
}

#[test]
fn e19_an_unknown_subset_answers_503() {
    let router = sidecar(&known(
        "[{match: [{uri: {prefix: /x}}], route: [{destination: {host: known, subset: v9}}]},
          {route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(
        answer(&router, &get("http://known/x")),
        "503 outbound|80|v9|known.default.svc.cluster.local"
    );
}

#[test]
fn e20_e21_weights() {
    let router = sidecar(&known(
        "[{route: [{destination: {host: known}, weight: 0}, {destination: {host: alt-known}, weight: 100}]}]",
    ));
    for draw in [0, 1, 99, 100] {
        assert_eq!(cluster(&router, &get("http://known/").with_draw(draw)), ALT);
    }
    let router = sidecar(&known("[{route: [{destination: {host: alt-known}, weight: 0}]}]"));
    assert_eq!(cluster(&router, &get("http://known/")), ALT);
}

/// Whether `/...` with one header or without takes the route of a match.
fn takes(matching: &str, path: &str, header: Option<(&str, &str)>) -> bool {
    let router = sidecar(&known(&format!(
        "[{{match: [{matching}], route: [{{destination: {{host: alt-known}}}}]}},
          {{route: [{{destination: {{host: known}}}}]}}]"
    )));
    let request = get(&format!("http://known{path}"));
    let request = match header {
        Some((name, value)) => request.with_header(name, value),
        None => request,
    };
    cluster(&router, &request) == ALT
}

#[test]
fn e22_e23_e24_paths() {
    assert!(!takes("{uri: {regex: \"/foo\"}}", "/foobar", None)); // R-MATCH-3
    assert!(takes("{uri: {regex: \"/foo.*\"}}", "/foobar", None));
    assert!(takes("{uri: {prefix: /foo}}", "/foobar", None));
    assert!(!takes(
        "{ignoreUriCase: true, uri: {regex: \"/foo\"}}",
        "/FOO",
        None
    )); // R-MATCH-5
    assert!(takes("{ignoreUriCase: true, uri: {exact: /foo}}", "/FOO", None));
    assert!(takes("{uri: {exact: /foo}}", "/foo?a=b", None)); // R-MATCH-2
}

#[test]
fn e25_presence() {
    for empty in ["{headers: {x: {}}}", "{headers: {x: {regex: \"*\"}}}"] {
        assert!(takes(empty, "/", Some(("x", ""))), "{empty}");
        assert!(!takes(empty, "/", None), "{empty}");
    }
}

#[test]
fn e26_e27_without_headers() {
    let exact = "{withoutHeaders: {x: {exact: a}}}";
    assert!(takes(exact, "/", None));
    assert!(takes(exact, "/", Some(("x", "b"))));
    assert!(!takes(exact, "/", Some(("x", "a"))));
    assert!(!takes("{withoutHeaders: {x: {regex: \".*\"}}}", "/", None));
    assert!(takes("{withoutHeaders: {x: {}}}", "/", None));
    assert!(!takes("{withoutHeaders: {x: {}}}", "/", Some(("x", ""))));
}

#[test]
fn e28_e29_query_parameters_are_raw_and_first() {
    assert!(!takes("{queryParams: {p: {exact: \"a b\"}}}", "/?p=a%20b", None));
    assert!(takes("{queryParams: {p: {exact: \"a%20b\"}}}", "/?p=a%20b", None));
    assert!(!takes("{queryParams: {p: {exact: a}}}", "/?p=b&p=a", None));
    assert!(takes("{queryParams: {p: {}}}", "/?p", None));
}

#[test]
fn e30_authority_keeps_its_port() {
    let router = sidecar(&known(
        "[{match: [{authority: {exact: known}}], route: [{destination: {host: alt-known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/")), ALT);
    assert_eq!(
        answer(&router, &get("http://known/").with_authority("known:80")),
        "404"
    );
}

#[test]
fn e31_header_lines_are_tested_one_by_one() {
    let router = sidecar(&known(
        "[{match: [{headers: {x: {exact: b}}}], route: [{destination: {host: alt-known}}]},
          {route: [{destination: {host: known}}]}]",
    ));
    let request = get("http://known/").with_header("x", "a").with_header("x", "b");
    assert_eq!(cluster(&router, &request), ALT);
    assert_eq!(
        cluster(&router, &get("http://known/").with_header("x", "a,b")),
        KNOWN
    );
}

#[test]
fn an_invalid_regex_drops_its_match_only() {
    // R-ENV-9: RE2 knows no look-ahead. Admission refuses it; where it got through, the other routes stay.
    let router = sidecar(&known(
        "[{match: [{uri: {regex: \"(?=a)b\"}}], route: [{destination: {host: alt-known}}]},
          {route: [{destination: {host: known}}]}]",
    ));
    assert_eq!(cluster(&router, &get("http://known/b")), KNOWN);
}

#[test]
fn s37_redirect_codes() {
    let code = |code: u16| {
        let router = sidecar(&known(&format!(
            "[{{redirect: {{uri: /x, redirectCode: {code}}}}}]"
        )));
        router.decide(&get("http://known/")).status()
    };
    assert_eq!((code(0), code(308), code(302)), (Some(301), Some(308), Some(302)));
    assert_ne!(code(317), Some(317));
}

#[test]
fn r_rt_9_redirect_before_response_before_destinations() {
    let router = sidecar(&known(
        "[{redirect: {uri: /x}, directResponse: {status: 418}, route: [{destination: {host: known}}]}]",
    ));
    assert_eq!(router.decide(&get("http://known/")).status(), Some(301));
    let router = sidecar(&known(
        "[{directResponse: {status: 418}, route: [{destination: {host: known}}]}]",
    ));
    assert_eq!(router.decide(&get("http://known/")).status(), Some(418));
}
