//! Messages in the three formats.

use std::io::{self, Write};

use mesh_api::Severity;
use mesh_api::analyze::{Analysis, Message};
use serde_json::{Map, Value, json};

/// One line for each message, and a summary.
pub(crate) fn text(analysis: &Analysis, objects: usize, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{analysis}")?;
    let count = |severity| {
        let messages = analysis.messages().iter();
        messages
            .filter(|message| message.kind.severity == severity)
            .count()
    };
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let analyzed = plural(objects, "object");
    if analysis.messages().is_empty() {
        return writeln!(out, "no issues found in {analyzed}");
    }
    let [errors, warnings, infos] = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "info"),
    ]
    .map(|(severity, noun)| plural(count(severity), noun));
    writeln!(out, "{errors}, {warnings}, {infos} in {analyzed}")?;
    match analysis.is_cut() {
        true => writeln!(out, "there may be more: analysis ended at its limit"),
        false => Ok(()),
    }
}

/// A list of maps with the keys of istioctl's JSON.
pub(crate) fn json(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let messages: Vec<Value> = analysis.messages().iter().map(Value::from_message).collect();
    writeln!(out, "{:#}", Value::Array(messages))
}

/// The same as YAML; all values are quoted as JSON has it, which is YAML too.
pub(crate) fn yaml(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    if analysis.messages().is_empty() {
        return writeln!(out, "[]");
    }
    for message in analysis.messages() {
        let value = Value::from_message(message);
        let mut dash = "- ";
        for (key, value) in value.as_object().into_iter().flatten() {
            writeln!(out, "{dash}{key}: {value}")?;
            dash = "  ";
        }
    }
    Ok(())
}

trait FromMessage {
    fn from_message(message: &Message) -> Self;
}

impl FromMessage for Value {
    fn from_message(message: &Message) -> Self {
        let parameters: Map<String, Value> = message
            .named_parameters()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let reference = message
            .location
            .as_ref()
            .map(|location| format!("{}:{}", location.file, location.line));
        json!({
            "code": message.kind.code.as_str(),
            "documentationUrl": message.kind.documentation_url(),
            "level": message.kind.severity.as_str(),
            "message": message.text(),
            "name": message.kind.name,
            "origin": message.origin(),
            "parameters": parameters,
            "path": message.path.to_string(),
            "reference": reference,
        })
    }
}
