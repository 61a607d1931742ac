//! Findings for programs.

use serde_json::{Value, json};

use crate::report::{Diagnostic, Report, Severity};

impl Report {
    /// All findings as JSON, indented, with these keys:
    ///
    /// | key | value |
    /// |---|---|
    /// | `summary` | counts: `errors`, `warnings`, `infos` |
    /// | `findings` | the findings in order |
    /// | `findings[].code` | the rule, such as `A-WIRE-2` |
    /// | `findings[].severity` | `error`, `warning` or `info` |
    /// | `findings[].message` | what is wrong |
    /// | `findings[].help` | what to do, or `null` |
    /// | `findings[].object` | `group`, `kind`, `namespace`, `name`, or `null` |
    /// | `findings[].path` | the field, such as `spec.http[0].timeout`; empty for the object itself |
    /// | `findings[].location` | `file`, `line` and `column` from 1, `start` and `end` in bytes, `text` of the line (a part of a long one), `before` and `width` of the place in it in characters; or `null` |
    ///
    /// Keys are only ever added.
    pub fn to_json(&self) -> String {
        let findings: Vec<Value> = self.iter().map(finding).collect();
        let count = |severity| self.iter().filter(|finding| finding.severity == severity).count();
        let document = json!({
            "summary": {
                "errors": count(Severity::Error),
                "warnings": count(Severity::Warning),
                "infos": count(Severity::Info),
            },
            "findings": findings,
        });
        format!("{document:#}")
    }
}

fn finding(finding: &Diagnostic) -> Value {
    let object = finding.object.as_ref().map(|key| {
        json!({
            "group": key.kind.group(),
            "kind": key.kind.name(),
            "namespace": key.namespace.as_str(),
            "name": key.name.as_str(),
        })
    });
    let location = finding.location.as_ref().map(|location| {
        json!({
            "file": location.file.as_str(),
            "line": location.line,
            "column": location.column,
            "start": location.span.start,
            "end": location.span.end,
            "text": location.excerpt.text.as_str(),
            "before": location.excerpt.before,
            "width": location.excerpt.width,
        })
    });
    json!({
        "code": finding.code.as_str(),
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "help": finding.help,
        "object": object,
        "path": finding.path.to_string(),
        "location": location,
    })
}
