//! The committed list of the models' fields, spread out per kind.

use std::collections::BTreeMap;

use crate::Failure;

/// Messages by name: their fields with types in the notation of the list.
pub(super) type Messages<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

pub(super) fn parse(text: &str) -> Result<Messages<'_>, Failure> {
    let mut messages = Messages::new();
    let mut current = None;
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match (line.strip_prefix("  "), current) {
            (None, _) => {
                messages.insert(line, Vec::new());
                current = Some(line);
            }
            (Some(field), Some(message)) => {
                let field = field
                    .split_once(' ')
                    .ok_or_else(|| format!("`{line}` has no type"))?;
                messages.entry(message).or_default().push(field);
            }
            (Some(_), None) => return Err(format!("`{line}` belongs to no message").into()),
        }
    }
    Ok(messages)
}

/// Adds a line for each field of a type and of all below it: path, type and enum.
pub(super) fn expand(
    messages: &Messages<'_>,
    type_name: &str,
    path: &str,
    out: &mut Vec<String>,
) -> Result<(), Failure> {
    let type_name = type_name.strip_prefix('?').unwrap_or(type_name);
    if let Some(item) = type_name.strip_prefix("[]") {
        out.push(format!("{path} list"));
        return expand(messages, item, &format!("{path}[]"), out);
    }
    if let Some(entry) = type_name
        .strip_prefix('{')
        .and_then(|entry| entry.strip_suffix('}'))
    {
        let (_, value) = entry
            .split_once(':')
            .ok_or_else(|| format!("`{type_name}` is no map"))?;
        if value == "any" {
            out.push(format!("{path} any")); // a JSON object that nobody looks into
            return Ok(());
        }
        out.push(format!("{path} map"));
        return expand(messages, value, &format!("{path}{{}}"), out);
    }
    if let Some(names) = type_name.strip_prefix("enum ") {
        let mut names: Vec<&str> = names.split(' ').collect();
        names.sort_unstable();
        out.push(format!("{path} string enum={}", names.join("|")));
        return Ok(());
    }
    let scalar = match type_name {
        "any" => "any",
        "bool" => "boolean",
        "bytes" | "dur" | "str" => "string",
        "f64" => "number",
        "i32" | "i64" | "u32" | "u64" => "integer",
        _ => {
            let fields = messages
                .get(type_name)
                .ok_or_else(|| format!("`{type_name}` is no message of the inventory"))?;
            out.push(format!("{path} message"));
            return fields
                .iter()
                .try_for_each(|(name, field)| expand(messages, field, &format!("{path}.{name}"), out));
        }
    };
    out.push(format!("{path} {scalar}"));
    Ok(())
}
