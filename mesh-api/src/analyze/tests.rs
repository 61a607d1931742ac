//! Every code has objects that it is reported for and objects that it is not, and the message names the place.

mod behaviour;
mod cases;

use std::collections::BTreeSet;

use super::*;
use crate::kind::Kind;
use crate::{DecodeOptions, Profile, decode_with};

/// An object as YAML: `Kind namespace/name`, more metadata, and what stands beside it.
pub(super) fn object(name: &str, meta: &str, body: &str) -> String {
    let (kind, name) = name.split_once(' ').unwrap();
    let api_version = match kind.split_once('.') {
        Some((_, group)) => format!("{group}/v1"),
        None => {
            let known = Kind::known().find(|known| known.name() == kind);
            known.unwrap_or_else(|| panic!("{kind}")).api_version().unwrap()
        }
    };
    let kind = kind.split_once('.').map_or(kind, |(kind, _)| kind);
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    let namespace = match namespace {
        "" => String::new(),
        namespace => format!(", namespace: {namespace}"),
    };
    let meta = if meta.is_empty() {
        String::new()
    } else {
        format!(", {meta}")
    };
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}{namespace}{meta}}}\n{body}\n")
}

/// Reads objects that must be readable.
pub(super) fn read(objects: &[String]) -> ObjectSet {
    let options = DecodeOptions {
        profile: Profile::Istiod,
        default_namespace: None,
        ..DecodeOptions::default()
    };
    let text = objects.join("---\n");
    let decoded = decode_with("test.yaml", text.as_bytes(), &options);
    assert!(decoded.report().is_empty(), "{}{text}", decoded.report());
    assert_eq!(decoded.objects().len(), objects.len(), "{text}");
    decoded.into_parts().0
}

pub(super) fn all() -> Vec<&'static Analyzer> {
    ANALYZERS.iter().collect()
}

#[test]
fn every_code_has_a_firing_and_a_silent_case() {
    // A-AN-1: each message type, its place and its parameters
    let mut covered = BTreeSet::new();
    let mut wrong = Vec::new();
    for (nth, case) in cases::all().into_iter().enumerate() {
        let kind = codes::find(case.code).unwrap_or_else(|| panic!("{} is no code", case.code));
        covered.insert(case.code);
        let mut options = AnalyzeOptions {
            default_ingress: true,
            ..AnalyzeOptions::default()
        };
        (case.options)(&mut options);
        let firing = analyze_with(&all(), &read(&case.fire), &options);
        let found = || firing.messages().iter().filter(|message| message.kind == kind);
        let places: Vec<String> = found()
            .map(|message| format!("{} {}", message.object, message.path))
            .collect();
        if places != case.at {
            wrong.push(format!(
                "case {nth}: {} at {:?} and not at {places:?}: {firing}",
                case.code, case.at
            ));
        }
        for message in found() {
            let is_optional = |name: &str| matches!(name, "hint" | "address");
            let is_made = message.object.kind.name().starts_with("Mesh");
            assert_eq!(message.parameters.len(), kind.parameters().count(), "{message}");
            assert!(!message.text().contains(['{', '}']), "{message}");
            let mut values = message.named_parameters();
            assert!(
                values.all(|(name, value)| is_optional(name) || !value.is_empty()),
                "{message}"
            );
            assert!(message.location.is_some() || is_made, "{message}");
        }
        let silent = analyze_with(&all(), &read(&case.silent), &options);
        let heard = silent.messages().iter().filter(|message| message.kind == kind);
        wrong.extend(heard.map(|message| format!("case {nth}: {message}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<&str> = codes::ALL.iter().map(|kind| kind.code.as_str()).collect();
    let missing: Vec<_> = all.difference(&covered).collect();
    assert!(missing.is_empty(), "codes without cases: {missing:?}");
}

#[test]
fn types_are_told_apart_and_sorted() {
    assert!(codes::ALL.is_sorted_by_key(|kind| (!kind.is_istio(), kind.number())));
    let codes: BTreeSet<&str> = codes::ALL.iter().map(|kind| kind.code.as_str()).collect();
    assert_eq!(codes.len(), codes::ALL.len());
    let istio = || codes::ALL.iter().filter(|kind| kind.is_istio());
    let needs = |needs| istio().filter(|kind| kind.needs == needs).count();
    assert_eq!((needs(Needs::Istio), needs(Needs::Kubernetes)), (26, 34));
    for kind in codes::ALL {
        let prefix = if kind.is_istio() { "IST" } else { "MESH" };
        assert_eq!(kind.code.as_str(), format!("{prefix}{:04}", kind.number()));
        assert!(
            !kind.template.ends_with('.')
                && kind
                    .template
                    .starts_with(|c: char| !c.is_uppercase() || c == 'A' || c == 'R')
        );
    }
}

#[test]
fn analyzers_are_told_apart_by_name() {
    let names: BTreeSet<&str> = ANALYZERS
        .iter()
        .flat_map(|one| [one.name, one.type_name])
        .collect();
    let aliases = ANALYZERS.iter().filter(|one| one.name != one.type_name).count();
    assert_eq!(names.len(), ANALYZERS.len() + aliases);
    assert_eq!(
        ANALYZERS
            .iter()
            .filter(|one| one.name.starts_with("schema."))
            .count(),
        15
    );
    // A-AN-3: what istioctl does not look for is off
    let off: Vec<&str> = ANALYZERS
        .iter()
        .filter(|one| !one.by_default)
        .map(|one| one.name)
        .collect();
    let own: Vec<&str> = ANALYZERS
        .iter()
        .filter(|one| one.name.starts_with("own."))
        .map(|one| one.name)
        .collect();
    assert_eq!(off, [&["annotations.AlphaAnalyzer"], &own[..]].concat());
    for one in ANALYZERS {
        assert_eq!(
            one.runs_in(Profile::Strict),
            one.name != "annotations.AlphaAnalyzer",
            "{}",
            one.name
        );
        assert_eq!(one.runs_in(Profile::Cluster), one.by_default, "{}", one.name);
    }
}
