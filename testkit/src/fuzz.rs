//! What must be true of any input. The targets of `fuzz/` forward bytes to these functions, and the test `fuzz_replay`
//! runs kept inputs through them. Each panics when something is wrong.

mod admission;
mod bundle_map;
mod bytes;
mod certificate_facts;
mod chain;
mod identity;
mod key;
mod pem;
mod sds;
mod token;

pub use admission::admission;
pub use bundle_map::bundle_map;
pub use chain::verify_chain;
pub use identity::{certificate, crl, csr};
pub use key::private_key;
pub use pem::pem;
pub use sds::sds_trace;
pub use token::{bundle, jwt};

use mesh_api::codec::scanners::{Scanned, Scanner, scan};
use mesh_api::codec::{DecodeOptions, Limits, Node};
use mesh_api::report::SourceLocation;
use mesh_api::validate::{ValidateOptions, rule, validate_all};
use mesh_api::{Decoded, Diagnostic, FieldPath, Profile};
use mesh_ca::{SpiffeId, SpiffeIdRef};
use mesh_route::{MeshSnapshot, Request, Workload};

/// A function that takes any bytes, and the name under which its inputs are kept.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("admission", admission),
    ("bundle", bundle),
    ("bundle_map", bundle_map),
    ("certificate", certificate),
    ("crl", crl),
    ("csr", csr),
    ("decide", decide),
    ("decode", decode),
    ("jwt", jwt),
    ("pem", pem),
    ("private_key", private_key),
    ("sds_trace", sds_trace),
    ("spiffe_id", spiffe_id),
    ("validate", validate),
    ("verify_chain", verify_chain),
];

/// Any text is read into objects and findings: each finding is one line and points into the text, each object was
/// accepted from a document and is found again where it is said to be, and reading twice gives the same. Both scanners of
/// YAML make the same trees, and what is written is read again as the same objects.
pub fn decode(bytes: &[u8]) {
    let decoded = mesh_api::decode("input", bytes);
    for finding in decoded.report() {
        assert!(!finding.to_string().contains('\n'), "{finding}");
        assert!(!finding.message.is_empty() && !finding.render().is_empty());
        let location = place(finding, bytes);
        assert!(location.line >= 1 && location.column >= 1, "{finding}");
    }
    let accepted = decoded
        .documents()
        .iter()
        .filter(|document| document.accepted)
        .count();
    assert!(decoded.objects().len() <= accepted);
    for (key, object) in decoded.objects().iter() {
        assert_eq!(object.key(), *key);
        assert!(
            decoded.objects().location(key, &FieldPath::root()).is_some(),
            "{key} was read from nowhere"
        );
    }
    let again = mesh_api::decode("input", bytes);
    assert_eq!(again.report(), decoded.report());
    assert!(
        again
            .objects()
            .iter()
            .map(|(key, _)| key)
            .eq(decoded.objects().iter().map(|(key, _)| key))
    );
    if let Ok(text) = str::from_utf8(bytes) {
        assert_scanners_agree(text);
    }
    assert_written_is_read(&decoded);
}

/// What the direct scanner reads, it reads as the parser's events do (A-PAR-12).
fn assert_scanners_agree(text: &str) {
    let options = DecodeOptions::default();
    let direct = scan(text, Scanner::Direct, &options);
    let events = scan(text, Scanner::Events, &options);
    assert_eq!(direct.len(), events.len());
    for pair in direct.iter().zip(&events) {
        if let (Some(direct), Some(events)) = pair {
            assert_eq!(nodes_of(direct), nodes_of(events));
            assert_eq!(direct.1, events.1);
        }
    }
}

/// Kind, place and text of every node of a tree.
fn nodes_of((tree, _): &Scanned) -> Vec<String> {
    fn add(node: Node<'_>, into: &mut Vec<String>) {
        into.push(format!(
            "{:?} {:?} {:?} {}",
            node.kind(),
            node.span(),
            node.text(),
            node.len()
        ));
        node.items().for_each(|item| add(item, into));
        for (key, value) in node.entries() {
            add(key, into);
            add(value, into);
        }
    }
    let mut nodes = Vec::new();
    if let Some(tree) = tree {
        add(tree.root(), &mut nodes);
    }
    nodes
}

/// Objects survive being written, as YAML and as JSON, and the text does not change the second time (A-GEN-5).
fn assert_written_is_read(decoded: &Decoded) {
    // written without blanks and comments, an object is shorter, and with aliases written out it may be longer
    let limits = Limits {
        value_ratio: usize::MAX,
        nodes: usize::MAX,
        ..Limits::default()
    };
    let options = DecodeOptions {
        limits,
        ..DecodeOptions::default()
    };
    for (key, object) in decoded.objects().iter() {
        let yaml = object.to_yaml().expect("an object can be written");
        let json = object.to_json().expect("an object can be written");
        for text in [&yaml, &json] {
            let again = mesh_api::decode_with("again", text.as_bytes(), &options);
            assert!(again.report().is_ok(), "{}\n{text}", again.report());
            let read = again
                .objects()
                .get(key)
                .unwrap_or_else(|| panic!("{key} is not in {text}"));
            assert_eq!(read, object, "{text}");
            assert_eq!(read.to_yaml().as_ref(), Ok(&yaml));
            assert_eq!(read.to_json().as_ref(), Ok(&json));
        }
    }
}

/// Any objects are judged in all profiles, twice alike: each finding is one line and points into the text, and istiod's rules
/// are all known by their ids.
pub fn validate(bytes: &[u8]) {
    for profile in [
        Profile::ApiServer,
        Profile::Cluster,
        Profile::Istiod,
        Profile::Strict,
    ] {
        let options = DecodeOptions {
            profile,
            ..DecodeOptions::default()
        };
        let decoded = mesh_api::decode_with("input", bytes, &options);
        let options = ValidateOptions::new(profile);
        let report = validate_all(decoded.objects(), &options);
        for finding in &report {
            assert!(!finding.to_string().contains('\n'), "{finding}");
            assert!(
                !finding.message.is_empty() && !finding.message.ends_with('.'),
                "{finding}"
            );
            assert!(!finding.render().is_empty());
            assert!(
                profile != Profile::Istiod || rule(finding.code.as_str()).is_some(),
                "{finding}"
            );
            place(finding, bytes);
        }
        assert_eq!(validate_all(decoded.objects(), &options), report);
    }
}

/// The place of a finding, which lies within the text.
fn place<'f>(finding: &'f Diagnostic, bytes: &[u8]) -> &'f SourceLocation {
    let location = finding
        .location
        .as_ref()
        .unwrap_or_else(|| panic!("{finding} has no place"));
    let span = &location.span;
    assert!(span.start <= span.end && span.end <= bytes.len(), "{finding}");
    location
}

/// A request on a mesh is decided, twice alike; its explanation comes to the same answer, and a destination that exists is
/// one of the plan.
///
/// The input is `sidecar NAMESPACE [LABEL=VALUE]` or `gateway ...`, then `METHOD URL`, then headers, each a line; then a
/// line `====`, and the objects.
pub fn decide(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, objects)) = text.split_once("\n====\n") else {
        return;
    };
    let mut lines = head.lines();
    let (Some(client), Some(line)) = (lines.next().and_then(workload), lines.next()) else {
        return;
    };
    let Some(request) = line
        .split_once(' ')
        .and_then(|(method, url)| Request::new(method, url).ok())
    else {
        return;
    };
    let request = lines
        .filter_map(|line| line.split_once(": "))
        .fold(request, |request, (name, value)| request.with_header(name, value));

    let snapshot = MeshSnapshot::build(mesh_api::decode("input", objects.as_bytes()).objects());
    let router = snapshot.router_for(&client);
    let decision = router.decide(&request).to_owned(&request);
    assert_eq!(router.decide(&request).to_owned(&request), decision);
    assert_eq!(*router.explain(&request).decision(), decision);
    assert!(!router.explain(&request).to_string().is_empty());
    if let Some(target) = decision.destination() {
        assert_eq!(
            router.plan().cluster(&target.name).is_some(),
            target.cluster.is_some()
        );
    }
    assert_eq!(snapshot.plan_for(&client), *router.plan());
}

/// `sidecar NAMESPACE [LABEL=VALUE]...` or `gateway NAMESPACE [LABEL=VALUE]...`
fn workload(line: &str) -> Option<Workload> {
    let mut words = line.split(' ');
    let role = words.next()?;
    let namespace = words.next()?.parse().ok()?;
    let workload = match role {
        "gateway" => Workload::gateway(namespace),
        "sidecar" => Workload::new(namespace),
        _ => return None,
    };
    Some(
        words
            .filter_map(|word| word.split_once('='))
            .fold(workload, |workload, (key, value)| workload.with_label(key, value)),
    )
}

/// An id that parses is rebuilt from its parts; one that does not is refused at a place within the text.
pub fn spiffe_id(bytes: &[u8]) {
    match SpiffeIdRef::parse_bytes(bytes) {
        Ok(id) => {
            assert_eq!(id.as_str().as_bytes(), bytes);
            let owned = id.to_owned();
            assert_eq!(owned.to_string().parse::<SpiffeId>().as_ref(), Ok(&owned));
            let rebuilt = SpiffeId::from_path(&owned.trust_domain().to_owned(), owned.path());
            assert_eq!(rebuilt, Ok(owned));
        }
        Err(error) => assert!(error.offset() <= bytes.len()),
    }
}
