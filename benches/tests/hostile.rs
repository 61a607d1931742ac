//! What hostile input costs in time and memory (A-PAR-11, A-PAR-15, A-PAR-20). Here, since only this package may count
//! allocations.

use std::time::Duration;

use benches::{CountingAllocator, allocations_of, peak_bytes_of, time_of};
use mesh_api::Decoded;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const MIB: usize = 1 << 20;

fn decode(text: &str) -> Decoded {
    mesh_api::decode("hostile.yaml", text.as_bytes())
}

fn codes(decoded: &Decoded) -> Vec<&str> {
    decoded
        .report()
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

/// The least of a few times: what the machine did meanwhile does not count.
fn least(text: &str) -> Duration {
    (0..5)
        .map(|_| time_of(|| decode(text)).0)
        .min()
        .unwrap_or_default()
}

#[test]
fn nesting_is_refused_at_once() {
    for text in [
        "{a: ".repeat(20_000),
        "{\"a\":".repeat(16_000),
        "[".repeat(80_000),
        "- ".repeat(40_000),
    ] {
        assert_eq!(codes(&decode(&text)), ["A-PAR-11"]);
        let time = least(&text);
        assert!(time < Duration::from_millis(10), "{time:?} for {}", &text[..8]);
    }
}

#[test]
fn an_alias_bomb_is_refused_at_once() {
    let mut bomb = String::from("a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for (name, previous) in ('b'..='i').zip('a'..) {
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            format!("*{previous},").repeat(9)
        ));
    }
    let merges: String = (1..200)
        .map(|n| format!("a{n}: &a{n} {{<<: [*a{}, *a{}], y{n}: 1}}\n", n - 1, n / 2))
        .collect();
    for text in [bomb, format!("a0: &a0 {{x: 1}}\n{merges}")] {
        let (peak, decoded) = peak_bytes_of(|| decode(&text));
        assert!(codes(&decoded).contains(&"A-PAR-9"), "{}", decoded.report());
        assert!(peak < 10 * MIB as i64, "{peak} bytes");
        let time = least(&text);
        assert!(time < Duration::from_millis(5), "{time:?}");
    }
}

/// Repeats documents up to 16 MiB.
fn full(document: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(16 * MIB);
    for number in 0.. {
        let next = document(number);
        if text.len() + next.len() > 16 * MIB {
            break;
        }
        text.push_str(&next);
    }
    text
}

#[test]
fn memory_is_at_most_forty_times_the_input() {
    let object = |kind: &str, number: usize, spec: &str| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: a{number}}}\nspec: {spec}\n"
        )
    };
    let other = |number: usize, data: &str| {
        format!("---\napiVersion: v1\nkind: X\nmetadata: {{name: a{number}}}\ndata: {data}\n")
    };
    // read without a tree; lists that grow may be half empty
    let json = |number: usize, rest: &str| {
        format!(
            "{{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"VirtualService\",\"metadata\":{{\"name\":\"a{number}\"}},{rest}}}\n"
        )
    };
    let items = |item: &str, items: usize| vec![item; items].join(",");
    let list = |items: usize| format!("[{}]", vec!["1"; items].join(","));
    let hosts = |items: usize| format!("{{hosts: [{}]}}", vec!["a"; items].join(","));
    let routes = |items: usize| format!("{{http: [{}]}}", vec!["{}"; items].join(","));
    let unknown = |keys: usize| {
        format!(
            "{{{}}}",
            (0..keys)
                .map(|key| format!("k{key}: 1"))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let texts = [
        ("many numbers", full(|number| other(number, &list(190_000)))),
        (
            "numbers in JSON",
            full(|number| {
                other(number, &list(100))
                    .replace(
                        "---\napiVersion: v1\nkind: X\nmetadata: {name: ",
                        "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"",
                    )
                    .replace("}\ndata: ", "\"},\"data\":")
                    + "}\n"
            }),
        ),
        (
            "deep lists",
            full(|number| other(number, &format!("{}{}", "[".repeat(60), "]".repeat(60)))),
        ),
        (
            "many maps",
            full(|number| other(number, &format!("[{}]", vec!["{a: 1}"; 60_000].join(",")))),
        ),
        (
            "block lists",
            full(|number| {
                format!(
                    "---\napiVersion: v1\nkind: X\nmetadata: {{name: a{number}}}\ndata:\n{}",
                    "- 1\n".repeat(150_000)
                )
            }),
        ),
        (
            "many hosts",
            full(|number| object("VirtualService", number, &hosts(190_000))),
        ),
        (
            "many routes",
            full(|number| object("VirtualService", number, &routes(60_000))),
        ),
        (
            "few routes, often",
            full(|number| object("VirtualService", number, &routes(500))),
        ),
        (
            "hosts in JSON",
            full(|number| {
                json(
                    number,
                    &format!("\"spec\":{{\"hosts\":[{}]}}", items("\"a\"", 131_073)),
                )
            }),
        ),
        (
            "routes in JSON",
            full(|number| json(number, &format!("\"spec\":{{\"http\":[{}]}}", items("{}", 513)))),
        ),
        (
            "texts in JSON",
            full(|number| {
                json(
                    number,
                    &format!("\"spec\":{{\"hosts\":[{}]}}", items("\"abcdef\"", 65_537)),
                )
            }),
        ),
        (
            "status in JSON",
            full(|number| json(number, &format!("\"status\":{{\"a\":[{}]}}", items("1", 131_073)))),
        ),
        (
            "small objects in JSON",
            full(|number| json(number, "\"spec\":{}")),
        ),
        (
            "unknown fields",
            full(|number| object("VirtualService", number, &unknown(150))),
        ),
        (
            "small objects",
            full(|number| format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a{number}}}\n")),
        ),
        ("small JSON", "{}".repeat(8 * MIB)),
        (
            "items of lists",
            full(|_| format!("---\napiVersion: v1\nkind: List\nitems: {}\n", list(100_000))),
        ),
        (
            "few items, often",
            full(|_| format!("---\napiVersion: v1\nkind: List\nitems: {}\n", list(500))),
        ),
        ("one scalar", format!("a: {}", "x".repeat(16 * MIB - 3))),
        ("no text", "\u{1}".repeat(16 * MIB)),
        ("text and not", "a\u{1}".repeat(8 * MIB)),
        ("nothing", "---\n".repeat(4 * MIB)),
        ("line breaks", "\n".repeat(16 * MIB)),
    ];
    for (name, text) in texts {
        assert!(text.len() > 15 * MIB, "{name}");
        let (peak, decoded) = peak_bytes_of(|| decode(&text));
        let times = peak as f64 / text.len() as f64;
        println!(
            "{name}: {times:.1} times, {} objects, {} findings",
            decoded.objects().len(),
            decoded.report().len()
        );
        assert!(times <= 40.0, "{name}: {times:.1} times its size");
    }
}

#[test]
fn ten_thousand_documents_are_read() {
    let text: String = (0..10_000)
        .map(|number| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\n---\n"))
        .collect();
    let decoded = decode(text.trim_end_matches("---\n"));
    assert_eq!((decoded.objects().len(), decoded.report().len()), (10_000, 0));
    // and one more is not
    let decoded = decode(&format!(
        "{text}apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\n"
    ));
    assert_eq!(
        (decoded.objects().len(), codes(&decoded)),
        (10_000, vec!["A-PAR-11"])
    );
}

#[test]
fn what_is_no_text_is_named() {
    let object = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(object.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let with = |tail: &[u8]| [object.as_bytes(), b"x: ", tail, b"\n"].concat();
    for (bytes, expected) in [
        (with(b"\xff"), &["A-PAR-1"][..]),
        (with(b"\xe2\x82"), &["A-PAR-1"]),
        (with(b"\xed\xa0\x80"), &["A-PAR-1", "A-PAR-1", "A-PAR-1"]), // half of a pair, in three bytes
        (with(b"a\0"), &["A-PAR-1"]),
        (utf16, &["A-PAR-1"]),
        ([b"\xef\xbb\xbf", object.as_bytes()].concat(), &[]),
        // half of a pair in an escape
        (
            br#"{"apiVersion": "v1", "kind": "Pod", "x": "\ud800"}"#.to_vec(),
            &["A-PAR-12"],
        ),
        (
            br#"{"apiVersion": "v1", "kind": "Pod", "x": "\udc00\ud800"}"#.to_vec(),
            &["A-PAR-12"],
        ),
    ] {
        let decoded = mesh_api::decode("hostile.yaml", &bytes);
        assert_eq!(codes(&decoded), expected, "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(decoded.objects().len(), usize::from(expected.is_empty()));
    }
}

/// Inputs of a sort that grow with a number, about 10 bytes for each.
type Growing = (&'static str, fn(usize) -> String);

const HEAD: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n";

fn lines(head: &str, count: usize, line: impl Fn(usize) -> String) -> String {
    let body: String = (0..count).map(line).collect();
    format!("{head}{body}")
}

const GROWING: [Growing; 18] = [
    ("unknown fields", |n| lines(HEAD, n, |i| format!("  k{i}: v\n"))),
    ("names nearly known", |n| {
        lines(HEAD, n, |i| format!("  gatewaysx{i}: v\n"))
    }),
    ("keys that stand twice", |n| {
        lines(HEAD, n, |i| format!("  k{}: v\n", i / 2))
    }),
    ("one key all the time", |n| {
        lines(HEAD, n, |_| "  hosts: []\n".to_owned())
    }),
    ("keys whose ends are alike", |n| {
        lines(HEAD, n, |i| format!("  aaaaaaaa{i}aaaaaaaa: v\n"))
    }),
    ("long keys", |n| {
        lines(HEAD, n / 400, |i| format!("  {}{i}: v\n", "k".repeat(4000)))
    }),
    ("long scalars", |n| {
        format!("{HEAD}  hosts: [{}]\n", "a".repeat(10 * n))
    }),
    ("escapes", |n| {
        format!("{{\"a\": \"{}\"}}", "\\u00e9\\n".repeat(n))
    }),
    ("wrong types", |n| {
        lines(&format!("{HEAD}  http:\n"), n, |_| "  - match: 1\n".to_owned())
    }),
    ("wrong items", |n| {
        format!("{HEAD}  hosts: [{}]\n", "1, {a: b}, ".repeat(n))
    }),
    ("findings in one line", |n| {
        lines("{\"\u{e9}\": [0", n, |i| format!(", {{\"k{i}\":1,\"k{i}\":2}}")) + "]}"
    }),
    ("objects in one line", |n| {
        let object = |i| {
            format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{i}","labels":{{"a":1}}}}}}"#)
        };
        lines("", n / 9, object)
    }),
    ("documents", |n| {
        lines("", n / 4, |i| {
            format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{i}}}\n")
        })
    }),
    ("bare documents", |n| lines("", n, |_| "--- a\n".to_owned())),
    ("aliases", |n| format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(n))),
    ("merge keys", |n| {
        lines("a: &a {x: 1}\nb:\n", n / 2, |i| {
            format!("- {{<<: *a, y{i}: 1}}\n")
        })
    }),
    ("comments", |n| lines(HEAD, n, |_| "    # nothing\n".to_owned())),
    ("quotes that do not end", |n| {
        lines(HEAD, n, |_| "  a: \"b\n".to_owned())
    }),
];

/// Twice the input may cost three times the time, and no more than thrice the allocations; work that grows with the square
/// would cost four times.
#[test]
fn time_grows_with_the_input() {
    for (name, text) in GROWING {
        let (small, large) = (text(6_000), text(12_000));
        assert!(large.len() < MIB && large.len() > 3 * small.len() / 2, "{name}");
        let (few, _) = allocations_of(|| decode(&small));
        let (many, _) = allocations_of(|| decode(&large));
        assert!(many <= 3 * few + 1000, "{name}: {few}, then {many} allocations");
        // on a busy machine a measurement may fail for no reason of ours, but not each time
        let grows = |_| {
            let (short, long) = (least(&small), least(&large));
            (long > 3 * short + Duration::from_millis(1)).then_some((short, long))
        };
        let times: Vec<_> = (0..4).map_while(grows).collect();
        assert!(times.len() < 4, "{name}: {times:?}");
    }
}
