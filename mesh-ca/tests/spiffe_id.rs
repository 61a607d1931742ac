//! SPIFFE ids and trust domains against the rules C-ID and C-IST, one by one and at random.

use std::collections::{BTreeSet, HashMap};

use mesh_ca::{IdErrorKind, SpiffeId, SpiffeIdRef, TrustDomain, TrustDomainRef};
use proptest::prelude::*;

fn refused(text: &str) -> (IdErrorKind, usize) {
    let error = text.parse::<SpiffeId>().expect_err(text);
    (error.kind(), error.offset())
}

fn domain(name: &str) -> TrustDomain {
    name.parse().expect(name)
}

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

// C-ID-2, C-ID-9
#[test]
fn parts_of_an_id_are_borrowed_from_it() {
    let both = id("spiffe://cluster.local/ns/Shop/sa/reviews");
    assert_eq!(both.trust_domain().as_str(), "cluster.local");
    assert_eq!(both.path(), "/ns/Shop/sa/reviews");
    assert_eq!(both.principal(), "cluster.local/ns/Shop/sa/reviews");
    assert!(both.is_workload_id() && !both.is_trust_domain_id());
    assert_eq!(both.to_string(), "spiffe://cluster.local/ns/Shop/sa/reviews");
    assert_eq!(
        format!("{both:?}"),
        r#"SpiffeId("spiffe://cluster.local/ns/Shop/sa/reviews")"#
    );

    let bare = id("spiffe://td");
    assert_eq!((bare.trust_domain().as_str(), bare.path()), ("td", ""));
    assert!(
        bare.is_trust_domain_id() && bare.is_member_of(&domain("td")) && !bare.is_member_of(&domain("t"))
    );
}

// C-ID-7: the order in which rules are reported, and C-ID-8: where.
#[test]
fn each_rule_is_reported_at_its_place() {
    use IdErrorKind::*;
    let cases = [
        ("", Empty, 0),
        ("s", SchemeInvalid, 1),
        ("spiffe:/td", SchemeInvalid, 8),
        ("Spiffe://td", SchemeInvalid, 0),
        ("https://td/a", SchemeInvalid, 0),
        ("spiffe://", TrustDomainMissing, 9),
        ("spiffe:///p", TrustDomainMissing, 9),
        ("spiffe://Td", TrustDomainChar, 9),
        ("spiffe://td:80/x", TrustDomainChar, 11),
        ("spiffe://u@td/x", TrustDomainChar, 10),
        ("spiffe://td?q", TrustDomainChar, 11),
        ("spiffe://td#f", TrustDomainChar, 11),
        ("spiffe://[::1]/x", TrustDomainChar, 9),
        ("spiffe://tö/x", TrustDomainChar, 10),
        ("spiffe://td/", TrailingSlash, 11),
        ("spiffe://td/a/", TrailingSlash, 13),
        ("spiffe://td//", EmptySegment, 12),
        ("spiffe://td/a//b", EmptySegment, 14),
        ("spiffe://td//%", EmptySegment, 12),
        ("spiffe://td/.", DotSegment, 12),
        ("spiffe://td/..", DotSegment, 12),
        ("spiffe://td/a/./b", DotSegment, 14),
        ("spiffe://td/a/../", DotSegment, 14),
        ("spiffe://td/a%/../b", PathChar, 13),
        ("spiffe://td/a/b?q", PathChar, 15),
        ("spiffe://td/a\\b", PathChar, 13),
        ("spiffe://td/a b/", PathChar, 13),
        ("spiffe://td/ä", PathChar, 12),
        ("spiffe://td/\0", PathChar, 12),
    ];
    for (text, kind, offset) in cases {
        assert_eq!(refused(text), (kind, offset), "{text:?}");
        assert_eq!(
            SpiffeIdRef::parse_bytes(text.as_bytes()).map_err(|e| e.kind()),
            Err(kind),
            "{text:?} as bytes"
        );
    }
}

// C-ID-6
#[test]
fn odd_names_that_the_grammar_allows_are_accepted() {
    for text in [
        "spiffe://td/...",
        "spiffe://td/.a",
        "spiffe://td/..a",
        "spiffe://td/-",
        "spiffe://td/_",
        "spiffe://.",
        "spiffe://..",
        "spiffe://-",
        "spiffe://a..b",
        "spiffe://.a/x",
        "spiffe://a./x",
        "spiffe://1.2.3.4/x",
    ] {
        assert_eq!(id(text).as_str(), text);
    }
}

// C-ID-1
#[test]
fn lengths_are_limited_when_parsed_and_when_built() {
    let longest = format!("spiffe://td/{}", "a".repeat(2048 - 12));
    assert_eq!(id(&longest).as_str().len(), 2048);
    assert_eq!(refused(&format!("{longest}a")), (IdErrorKind::TooLong, 2048));
    let grown = id(&longest).append_segments(["b"]).unwrap_err();
    assert_eq!(grown.kind(), IdErrorKind::TooLong);
    assert!(SpiffeId::from_path(&domain("td"), &format!("/{}", "a".repeat(2037))).is_err());

    let name = "a".repeat(255);
    assert_eq!(id(&format!("spiffe://{name}/x")).trust_domain().as_str(), name);
    assert_eq!(
        refused(&format!("spiffe://{name}a/x")),
        (IdErrorKind::TrustDomainTooLong, 9 + 255)
    );
    assert_eq!(
        TrustDomainRef::parse(&format!("{name}a")).unwrap_err().offset(),
        255
    );
}

// C-ID-7: the total length comes before the rest, and a wrong character before the name's length.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported() {
    assert_eq!(
        refused(&format!("spiffe:///{}", "%".repeat(2048))).0,
        IdErrorKind::TooLong
    );
    assert_eq!(
        refused(&format!("spiffe://{}%", "a".repeat(300))).0,
        IdErrorKind::TrustDomainChar
    );
}

// C-ID-8: every byte, in both parts.
#[test]
fn every_byte_is_allowed_or_refused_in_each_part() {
    for byte in 0..=u8::MAX {
        let in_name = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        let in_path = in_name || byte.is_ascii_uppercase();
        let name = [b"spiffe://t".as_slice(), &[byte], b"d/x"].concat();
        // A slash ends the name.
        assert_eq!(
            SpiffeIdRef::parse_bytes(&name).is_ok(),
            in_name || byte == b'/',
            "{byte:#x} in the name"
        );
        let path = [b"spiffe://td/p".as_slice(), &[byte], b"q"].concat();
        let parsed = SpiffeIdRef::parse_bytes(&path);
        assert_eq!(parsed.is_ok(), in_path || byte == b'/', "{byte:#x} in the path");
        if let Err(error) = parsed {
            assert_eq!((error.kind(), error.offset()), (IdErrorKind::PathChar, 13));
        }
    }
}

// C-ID-3
#[test]
fn configuration_may_be_in_upper_case() {
    assert_eq!(
        SpiffeId::parse_normalized("SpIfFe://Example.ORG/Path").unwrap(),
        id("spiffe://example.org/Path")
    );
    assert_eq!(
        SpiffeId::parse_normalized("SPIFFE://EXAMPLE.ORG").unwrap(),
        id("spiffe://example.org")
    );
    assert_eq!(
        SpiffeId::parse_normalized("").unwrap_err().kind(),
        IdErrorKind::Empty
    );
    assert_eq!(
        SpiffeId::parse_normalized("SPIFFE:").unwrap_err().kind(),
        IdErrorKind::SchemeInvalid
    );
    assert_eq!(
        SpiffeId::parse_normalized("ü://ü/ü/ü").unwrap_err().kind(),
        IdErrorKind::SchemeInvalid
    );
}

// C-ID-10, C-IST-2
#[test]
fn a_trust_domain_is_read_from_its_name_or_from_an_id() {
    assert_eq!(domain("spiffe://td/p"), domain("td"));
    assert_eq!(
        "spiffe:/td".parse::<TrustDomain>().unwrap_err().kind(),
        IdErrorKind::SchemeInvalid
    );
    assert_eq!(
        "".parse::<TrustDomain>().unwrap_err().kind(),
        IdErrorKind::TrustDomainMissing
    );
    assert_eq!(
        "Td".parse::<TrustDomain>().unwrap_err().kind(),
        IdErrorKind::TrustDomainChar
    );
    assert_eq!(
        TrustDomain::from_config("Td@Example").unwrap().as_str(),
        "td.example"
    );
    assert_eq!(TrustDomain::istio_default(), domain("cluster.local"));
    assert!(domain("td") == TrustDomainRef::parse("spiffe://td/x").unwrap());
}

// C-ID-11
#[test]
fn builders_check_what_they_join() {
    let td = domain("td");
    assert_eq!(
        SpiffeId::from_segments::<&str>(&td, []).unwrap(),
        id("spiffe://td")
    );
    assert_eq!(
        SpiffeId::from_segments(&td, ["a", "b"]).unwrap(),
        id("spiffe://td/a/b")
    );
    for (segments, kind, offset) in [
        (["x", "/"], IdErrorKind::PathChar, 14),
        (["x", "b/c"], IdErrorKind::PathChar, 15),
        (["", "x"], IdErrorKind::EmptySegment, 12),
        (["x", ""], IdErrorKind::EmptySegment, 14),
        (["x", "."], IdErrorKind::DotSegment, 14),
    ] {
        let error = SpiffeId::from_segments(&td, segments).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{segments:?}");
    }
    assert_eq!(SpiffeId::from_path(&td, "/a/b").unwrap(), id("spiffe://td/a/b"));
    assert_eq!(SpiffeId::from_path(&td, "").unwrap(), id("spiffe://td"));
    assert_eq!(
        SpiffeId::from_path(&td, "a").unwrap_err().kind(),
        IdErrorKind::PathWithoutSlash
    );
    assert_eq!(
        SpiffeId::from_path(&td, "/").unwrap_err().kind(),
        IdErrorKind::TrailingSlash
    );
    assert_eq!(
        id("spiffe://td/a").append_segments(["b", "c"]).unwrap(),
        id("spiffe://td/a/b/c")
    );
    assert_eq!(
        id("spiffe://td/a").replace_path("/z").unwrap(),
        id("spiffe://td/z")
    );
    assert_eq!(
        id("spiffe://td/a").replace_segments(["y", "z"]).unwrap(),
        id("spiffe://td/y/z")
    );
    assert_eq!(
        id("spiffe://td/a").append_path("/b/c").unwrap(),
        id("spiffe://td/a/b/c")
    );
    for (path, kind, offset) in [
        ("b", IdErrorKind::PathWithoutSlash, 13),
        ("/b/", IdErrorKind::TrailingSlash, 15),
        ("//b", IdErrorKind::EmptySegment, 14),
    ] {
        let error = id("spiffe://td/a").append_path(path).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{path}");
    }
}

// C-IST-1
#[test]
fn the_istio_form_has_exactly_four_segments() {
    let built = SpiffeId::istio(&domain("td"), "shop", "reviews").unwrap();
    let parts = built.istio_identity().unwrap();
    assert_eq!(
        (
            parts.trust_domain.as_str(),
            parts.namespace,
            parts.service_account
        ),
        ("td", "shop", "reviews")
    );
    for other in [
        "",
        "/ns/a",
        "/ns/a/sa",
        "/ns/a/sa/b/c",
        "/sa/a/ns/b",
        "/NS/a/sa/b",
        "/ns/a/SA/b",
        "/x/ns/a/sa/b",
    ] {
        assert_eq!(
            id(&format!("spiffe://td{other}")).istio_identity(),
            None,
            "{other}"
        );
    }
    for (namespace, account) in [
        ("", "a"),
        ("a", ""),
        ("a,b", "c"),
        ("a", "b/c"),
        ("a b", "c"),
        ("a", ".."),
    ] {
        assert!(
            SpiffeId::istio(&domain("td"), namespace, account).is_err(),
            "{namespace:?} {account:?}"
        );
    }
}

// C-ID-12
#[test]
fn a_reserved_prefix_is_compared_by_segments() {
    for (path, reserved) in [
        ("/spire", true),
        ("/spire/agent", true),
        ("/spirex", false),
        ("/x/spire", false),
        ("", false),
    ] {
        assert_eq!(
            id(&format!("spiffe://td{path}")).is_reserved(SpiffeId::RESERVED_PREFIX),
            reserved,
            "{path}"
        );
    }
}

// C-ID-9: maps can be asked by text, and order is the order of the text.
#[test]
fn ids_compare_and_hash_as_their_text() {
    let known = HashMap::from([(id("spiffe://td/a"), 1)]);
    assert_eq!(known.get("spiffe://td/a"), Some(&1));
    let texts = ["spiffe://td/b", "spiffe://td", "spiffe://td-x", "spiffe://td/a"];
    let sorted: Vec<String> = texts
        .map(id)
        .into_iter()
        .collect::<BTreeSet<_>>()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut expected = texts.map(String::from).to_vec();
    expected.sort();
    assert_eq!(sorted, expected);
}

/// C-ID-4: nothing is decoded, folded or normalised; `%` is one more character that is not allowed, and so is each byte of a
/// letter beyond ASCII, however it is written.
#[test]
fn nothing_is_decoded_or_normalised() {
    for (text, kind, offset) in [
        ("spiffe://td%2e/a", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://%74d/a", IdErrorKind::TrustDomainChar, 9),
        ("spiffe://td/%61", IdErrorKind::PathChar, 12),
        ("spiffe://td/a%2fb", IdErrorKind::PathChar, 13),
        ("spiffe://td/a%2Fb", IdErrorKind::PathChar, 13),
        ("spiffe://td/%2e%2e/b", IdErrorKind::PathChar, 12),
        ("spiffe://td/a%00", IdErrorKind::PathChar, 13),
        ("spiffe://td/a%", IdErrorKind::PathChar, 13),
        // The same word, composed and decomposed, and its IDNA form, which is a name of its own.
        ("spiffe://caf\u{e9}/a", IdErrorKind::TrustDomainChar, 12),
        ("spiffe://cafe\u{301}/a", IdErrorKind::TrustDomainChar, 13),
        ("spiffe://td/caf\u{e9}", IdErrorKind::PathChar, 15),
        // A full-width letter and a dot that IDNA would fold.
        ("spiffe://t\u{ff44}/a", IdErrorKind::TrustDomainChar, 10),
        ("spiffe://a\u{3002}b/a", IdErrorKind::TrustDomainChar, 10),
        ("spiffe%3a//td/a", IdErrorKind::SchemeInvalid, 6),
    ] {
        assert_eq!(refused(text), (kind, offset), "{text}");
        let normalized = SpiffeId::parse_normalized(text).unwrap_err();
        assert_eq!((normalized.kind(), normalized.offset()), (kind, offset), "{text}");
        assert!(SpiffeIdRef::parse_bytes(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(
        id("spiffe://xn--caf-dma/a").trust_domain().as_str(),
        "xn--caf-dma"
    );
    // Whoever builds an id from parts gets no decoding either.
    assert!(SpiffeId::from_segments(&domain("td"), ["%61"]).is_err());
    assert!(SpiffeId::from_path(&domain("td"), "/a%2fb").is_err());
    assert!("td%2e".parse::<TrustDomain>().is_err());
}

/// C-ID-5, scenario 4: no user, port, query or fragment, hence no IPv6 address in brackets; an IPv4 address is a name.
#[test]
fn an_id_has_no_other_parts_of_a_url() {
    for (text, kind, offset) in [
        ("spiffe://td:80/x", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://td:/x", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://u@td/x", IdErrorKind::TrustDomainChar, 10),
        ("spiffe://u:p@td/x", IdErrorKind::TrustDomainChar, 10),
        ("spiffe://@td/x", IdErrorKind::TrustDomainChar, 9),
        ("spiffe://td?q/x", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://td#f/x", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://td?", IdErrorKind::TrustDomainChar, 11),
        ("spiffe://td/x?q", IdErrorKind::PathChar, 13),
        ("spiffe://td/x#f", IdErrorKind::PathChar, 13),
        ("spiffe://td/x?", IdErrorKind::PathChar, 13),
        ("spiffe://td/u@x", IdErrorKind::PathChar, 13),
        ("spiffe://td/x:80", IdErrorKind::PathChar, 13),
        ("spiffe://td/x;p=1", IdErrorKind::PathChar, 13),
        ("spiffe://[::1]/x", IdErrorKind::TrustDomainChar, 9),
        ("spiffe://[fe80::1%25eth0]/x", IdErrorKind::TrustDomainChar, 9),
        ("spiffe://::1/x", IdErrorKind::TrustDomainChar, 9),
    ] {
        assert_eq!(refused(text), (kind, offset), "{text}");
        assert!(SpiffeId::parse_normalized(text).is_err(), "{text}");
    }
    // Opaque: neither read as an address nor brought into another form.
    for name in ["192.0.2.1", "192.0.2.001", "256.256.256.256", "1", "0x7f.1"] {
        let text = format!("spiffe://{name}/x");
        assert_eq!(id(&text).trust_domain().as_str(), name);
        assert_eq!(id(&text).as_str(), text);
    }
    assert_ne!(domain("192.0.2.1"), domain("192.0.2.001"));
}

/// C-IST-7: a principal is the id without its scheme, whatever its form.
#[test]
fn principals_are_ids_without_the_scheme() {
    for (text, principal) in [
        (
            "spiffe://cluster.local/ns/shop/sa/reviews",
            "cluster.local/ns/shop/sa/reviews",
        ),
        ("spiffe://td/a/b", "td/a/b"),
        ("spiffe://td", "td"),
        ("spiffe://spiffe/spiffe", "spiffe/spiffe"),
    ] {
        assert_eq!(id(text).principal(), principal);
        assert_eq!(SpiffeIdRef::parse(text).unwrap().principal(), principal);
        assert_eq!(format!("spiffe://{principal}").parse(), Ok(id(text)));
    }
}

/// Texts that are ids, nearly ids, or noise, built of pieces on which the rules turn.
fn near_ids() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-z0-9._-]{1,6}",
        2 => "[A-Za-z0-9._-]{1,4}",
        4 => Just("/".to_owned()),
        1 => prop::sample::select(vec![".", "..", "//", "%", ":", "@", "?", "#", " ", "ä", "\0", "\\", "spiffe://"])
            .prop_map(str::to_owned),
    ];
    let head =
        prop_oneof![8 => Just("spiffe://"), 1 => Just("SPIFFE://"), 1 => Just("spiffe:/"), 1 => Just("")];
    (head, prop::collection::vec(piece, 0..8)).prop_map(|(head, pieces)| format!("{head}{}", pieces.concat()))
}

/// The grammar of ca.md section 2, as a regular expression, plus the rule on dot segments.
fn grammar_accepts(text: &str) -> bool {
    let grammar = regex::Regex::new(r"\Aspiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)*\z").unwrap();
    let dots = regex::Regex::new(r"/\.{1,2}(/|\z)").unwrap();
    let path = text
        .get(9..)
        .and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)))
        .unwrap_or("");
    text.len() <= 2048 && grammar.is_match(text) && !dots.is_match(path)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn parsing_agrees_with_the_grammar(text in near_ids()) {
        let parsed = SpiffeIdRef::parse(&text);
        prop_assert_eq!(parsed.is_ok(), grammar_accepts(&text), "{:?}", text);
        match parsed {
            Ok(parsed) => {
                prop_assert_eq!(parsed.as_str(), &text);
                prop_assert_eq!(
                    format!("spiffe://{}{}", parsed.trust_domain(), parsed.path()), text.clone());
                let owned = parsed.to_owned();
                prop_assert_eq!(owned.to_string().parse::<SpiffeId>(), Ok(owned.clone()));
                prop_assert_eq!(owned.as_id_ref(), parsed);
                let segments: Vec<&str> = owned.path().split('/').skip(1).collect();
                let rebuilt = SpiffeId::from_segments(&owned.trust_domain().to_owned(), segments);
                prop_assert_eq!(rebuilt, Ok(owned));
            }
            Err(error) => prop_assert!(error.offset() <= text.len()),
        }
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let with_scheme = [b"spiffe://".as_slice(), &bytes].concat();
        for input in [&bytes, &with_scheme] {
            if let Ok(parsed) = SpiffeIdRef::parse_bytes(input) {
                prop_assert_eq!(parsed.as_str().as_bytes(), input.as_slice());
            }
        }
    }
}

#[test]
fn the_generator_reaches_both_sides() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..2000 {
        let text = near_ids().new_tree(&mut runner).unwrap().current();
        if grammar_accepts(&text) {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(
        accepted >= 200 && refused >= 200,
        "{accepted} accepted, {refused} refused"
    );
}
