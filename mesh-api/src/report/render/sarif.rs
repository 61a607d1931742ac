//! Findings for code scanners: SARIF, the Static Analysis Results Interchange Format.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::report::{Code, Diagnostic, Report, Rule, Severity, SourceLocation};

impl Report {
    /// A log in SARIF 2.1.0, with the findings as results and their rules, documented as far as `rules` knows them.
    ///
    /// Columns count characters. The object and field stand as logical location.
    ///
    /// ```
    /// use mesh_api::codec::codes;
    /// use mesh_api::validate;
    ///
    /// let decoded = mesh_api::decode("shop.yaml", b"kind: VirtualService");
    /// let log = decoded.report().to_sarif(codes::RULES.iter().chain(validate::rules()));
    /// assert!(log.contains(r#""version": "2.1.0""#) && log.contains(r#""ruleId": "A-PAR-5""#));
    /// ```
    pub fn to_sarif<'r>(&self, rules: impl IntoIterator<Item = &'r Rule>) -> String {
        let mut known: BTreeMap<Code, &Rule> = BTreeMap::new();
        for rule in rules {
            known.entry(rule.code).or_insert(rule);
        }
        let mut codes: Vec<Code> = self.iter().map(|finding| finding.code).collect();
        codes.sort_unstable();
        codes.dedup();
        let descriptors: Vec<Value> = codes
            .iter()
            .map(|code| descriptor(*code, known.get(code).copied()))
            .collect();
        let results: Vec<Value> = self.iter().map(|finding| result(finding, &codes)).collect();
        let log = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": descriptors,
                }},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        format!("{log:#}")
    }
}

/// A `reportingDescriptor`.
fn descriptor(code: Code, rule: Option<&Rule>) -> Value {
    match rule {
        Some(rule) => json!({
            "id": code.as_str(),
            "shortDescription": {"text": rule.doc},
            "help": {"text": format!("{}: {}", code, rule.doc)},
            "defaultConfiguration": {"level": level(rule.severity)},
        }),
        None => json!({ "id": code.as_str() }),
    }
}

fn result(finding: &Diagnostic, codes: &[Code]) -> Value {
    let help = finding
        .help
        .as_deref()
        .map(|help| format!(": {help}"))
        .unwrap_or_default();
    let object = finding.object.as_ref().map(ToString::to_string);
    let path = Some(finding.path.to_string()).filter(|path| !path.is_empty());
    let about: Vec<String> = [object, path].into_iter().flatten().collect();
    let mut location = Map::new();
    if let Some(place) = &finding.location {
        location.insert("physicalLocation".to_owned(), physical(place));
    }
    if !about.is_empty() {
        let names = json!([{ "fullyQualifiedName": about.join(" ") }]);
        location.insert("logicalLocations".to_owned(), names);
    }
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": codes.binary_search(&finding.code).unwrap_or_default(),
        "level": level(finding.severity),
        "message": {"text": format!("{}{help}", finding.message)},
        "locations": if location.is_empty() { Vec::new() } else { vec![location] },
    })
}

fn physical(place: &SourceLocation) -> Value {
    let width = u32::try_from(place.excerpt.width).unwrap_or(u32::MAX);
    json!({
        "artifactLocation": {"uri": uri(&place.file)},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            // the part of the first line; the bytes say where a longer place ends
            "endColumn": place.column.saturating_add(width),
            "byteOffset": place.span.start,
            "byteLength": place.span.len(),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A file name as a relative reference: what RFC 3986 does not allow in a path is escaped.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
