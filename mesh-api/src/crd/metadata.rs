//! What the API server wants of any object's metadata (A-MET-4, A-MET-5).

use std::ops::Range;

use super::check::Checker;
use super::rules::{MET_4, MET_5};
use crate::codec::{Node, quote};
use crate::names::check;
use crate::report::{FieldPath, Rule};

/// Bytes of all annotations of an object, keys included.
const MAX_ANNOTATIONS: usize = 256 << 10;

pub(super) fn check(object: Node<'_>, checker: &mut Checker<'_>) {
    let Some(metadata) = object.get("metadata") else {
        return;
    };
    let mut report = |rule: &Rule, steps: [&str; 2], span: Range<usize>, message: String| {
        let path = FieldPath::root().with_field("metadata").with_key(steps[0]);
        let path = if steps[1].is_empty() {
            path
        } else {
            path.with_key(steps[1])
        };
        checker.report(rule, path, span, message, None);
    };
    for (key, value) in metadata.entries() {
        let (field, text) = (key.text(), value.text());
        match field {
            // an object that is still to be named has none
            "name" if !text.is_empty() && !is_subdomain(text) => {
                let message = format!(
                    "{} is no name of an object: letters in lower case, digits, `-` and `.`",
                    quote(text)
                );
                report(&MET_4, [field, ""], value.span(), message);
            }
            "namespace" if !text.is_empty() && (text.len() > 63 || !is_lower_label(text)) => {
                let message = format!("{} is no name of a namespace", quote(text));
                report(&MET_4, [field, ""], value.span(), message);
            }
            "labels" => {
                for (key, value) in value.entries() {
                    let (name, text) = (key.text(), value.text());
                    if !is_qualified(name) {
                        report(
                            &MET_5,
                            [field, name],
                            key.span(),
                            format!("{} is no key of a label", quote(name)),
                        );
                    }
                    if text.len() > 63 || check::label_value(text).is_err() {
                        report(
                            &MET_5,
                            [field, name],
                            value.span(),
                            format!("{} is no value of a label", quote(text)),
                        );
                    }
                }
            }
            "annotations" => {
                for (key, _) in value.entries() {
                    let name = key.text();
                    if !is_qualified(&name.to_ascii_lowercase()) {
                        let message = format!("{} is no key of an annotation", quote(name));
                        report(&MET_5, [field, name], key.span(), message);
                    }
                }
                let bytes: usize = value
                    .entries()
                    .map(|(key, value)| key.text().len() + value.text().len())
                    .sum();
                if bytes > MAX_ANNOTATIONS {
                    let message =
                        format!("the annotations have {bytes} bytes, at most {MAX_ANNOTATIONS} are allowed");
                    report(&MET_5, [field, ""], key.span(), message);
                }
            }
            _ => {}
        }
    }
}

/// RFC 1123: labels in lower case between dots, at most 253 bytes.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_lower_label)
}

fn is_lower_label(text: &str) -> bool {
    let inside = text
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    inside && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

/// `(prefix/)?name`, the prefix a subdomain.
fn is_qualified(text: &str) -> bool {
    let (prefix, name) = text
        .split_once('/')
        .map_or((None, text), |(prefix, name)| (Some(prefix), name));
    // without a slash it is the name alone that is looked at
    prefix.is_none_or(is_subdomain) && !name.contains('/') && check::label_key(name).is_ok()
}
