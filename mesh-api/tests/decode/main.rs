//! The decoder through its front door: what it reads, what it refuses, and where it says so.

mod bad_input;
mod dialect;
mod emit;
mod generate;
mod hostile;
mod objects;
mod properties;
mod rules;
mod scanners;
mod yaml;

use mesh_api::codec::DecodeOptions;
use mesh_api::networking::VirtualService;
use mesh_api::{Decoded, Diagnostic, Object, Profile};

/// `line:column code` of each finding.
fn places(decoded: &Decoded) -> Vec<String> {
    decoded.report().iter().map(place).collect()
}

fn place(finding: &Diagnostic) -> String {
    let location = finding
        .location
        .as_ref()
        .expect("every finding of the decoder has a place");
    format!("{}:{} {}", location.line, location.column, finding.code)
}

fn decode_as(profile: Profile, text: &str) -> Decoded {
    let options = DecodeOptions {
        profile,
        ..DecodeOptions::default()
    };
    mesh_api::decode_with("a.yaml", text.as_bytes(), &options)
}

fn decode(text: &str) -> Decoded {
    decode_as(Profile::Cluster, text)
}

/// A VirtualService of name `a` with these lines as its spec, indented by two.
fn virtual_service(spec: &str) -> String {
    let head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n";
    let body: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!("{head}{body}")
}

/// Takes the mark `^` out of a text and returns it with the place that was marked, as `line:column`.
fn marked(text: &str) -> (String, String) {
    let (before, after) = text.split_once('^').expect("a mark");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (format!("{before}{after}"), format!("{line}:{column}"))
}

/// The only object, which must have been accepted without a finding.
fn accepted(text: &str) -> Object<VirtualService> {
    let decoded = decode(text);
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    let object = decoded
        .objects()
        .virtual_services()
        .next()
        .expect("a VirtualService");
    Object::clone(object)
}
