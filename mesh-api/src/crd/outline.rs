//! Schemas as lines of text, to be compared.

use super::schema::{Language, Schema, Shape, Size};

/// Adds the lines of a value and of all below it.
pub(super) fn write(path: &str, schema: &Schema, mandatory: bool, out: &mut Vec<String>) {
    let mut words = vec![path.to_owned(), type_name(schema.shape).to_owned()];
    if mandatory {
        words.push("mandatory".to_owned());
    }
    if schema.nullable {
        words.push("nullable".to_owned());
    }
    words.extend(bounds(schema.shape));
    for check in schema.checks {
        let language = match check.language {
            Language::Cel => "cel",
            Language::Pattern => "pattern",
        };
        words.push(format!("{language}={:016x}", check.digest));
    }
    // the order in which a CRD states its constraints means nothing
    if let Some(constraints) = words.get_mut(2..) {
        constraints.sort();
    }
    out.push(words.join(" "));
    match schema.shape {
        Shape::List { items, .. } => write(&format!("{path}[]"), items, false, out),
        Shape::Map { values, .. } => write(&format!("{path}{{}}"), values, false, out),
        Shape::Message { fields, .. } => {
            for field in fields {
                write(&format!("{path}.{}", field.name), field.schema, false, out);
            }
        }
        Shape::Any
        | Shape::Base64
        | Shape::Boolean
        | Shape::Integer(_)
        | Shape::Name(_)
        | Shape::Number { .. }
        | Shape::Text(_) => {}
    }
}

fn type_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Any => "any",
        Shape::Base64 => "base64",
        Shape::Boolean => "boolean",
        Shape::Integer(_) => "integer",
        Shape::List { .. } => "list",
        Shape::Map { .. } => "map",
        Shape::Message { .. } => "message",
        Shape::Name(_) | Shape::Text(_) => "string",
        Shape::Number { .. } => "number",
    }
}

fn bounds(shape: Shape) -> Vec<String> {
    match shape {
        Shape::Any | Shape::Base64 | Shape::Boolean => Vec::new(),
        Shape::Integer(bounds) => range(bounds.min, bounds.max),
        Shape::Number { min, max } => range(min, max),
        Shape::Name(names) => vec![format!("enum={}", sorted(names, "|"))],
        Shape::Text(size) => range_of(size),
        Shape::Map { size, .. } => range_of(size),
        Shape::List { size, key, .. } => {
            let mut words = range_of(size);
            words.extend(key.map(|key| format!("key={key}")));
            words
        }
        Shape::Message { fields, oneofs } => {
            let required: Vec<&str> = fields
                .iter()
                .filter(|field| field.required)
                .map(|field| field.name)
                .collect();
            let mut words: Vec<String> = oneofs
                .iter()
                .map(|members| format!("oneof={}", sorted(members, "|")))
                .collect();
            if !required.is_empty() {
                words.push(format!("required={}", sorted(&required, ",")));
            }
            words
        }
    }
}

fn range_of(size: Size) -> Vec<String> {
    range(Some(size.min).filter(|min| *min > 0), size.max)
}

fn range<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> Vec<String> {
    let mut words: Vec<String> = min.map(|min| format!("min={min}")).into_iter().collect();
    words.extend(max.map(|max| format!("max={max}")));
    words
}

fn sorted(names: &[&str], separator: &str) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.join(separator)
}
