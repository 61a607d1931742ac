//! The header `x-forwarded-client-cert`: elements separated by commas, pairs of an element by semicolons, values quoted
//! where they hold one of these. Source: Envoy HTTP connection manager, headers.

/// What one proxy said of its client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) uris: Vec<String>,
    pub(super) dns: Vec<String>,
    pub(super) common_name: Option<String>,
}

/// The elements; nothing if the text is malformed.
pub(super) fn parse(header: &str) -> Option<Vec<Element>> {
    let mut elements = vec![Element::default()];
    let mut rest = header;
    loop {
        let (key, after_key) = rest.split_once('=')?;
        let (value, after_value) = value(after_key)?;
        let element = elements.last_mut()?;
        match key.trim().to_ascii_lowercase().as_str() {
            "uri" => element.uris.push(value),
            "dns" => element.dns.push(value),
            "subject" => element.common_name = common_name(&value),
            // By is the proxy itself; the certificates and their hash are not looked into.
            "by" | "hash" | "cert" | "chain" => {}
            _ => return None,
        }
        rest = match after_value.split_at_checked(1) {
            None => return Some(elements),
            Some((";", rest)) => rest,
            Some((",", rest)) => {
                elements.push(Element::default());
                rest
            }
            Some(_) => return None,
        };
    }
}

/// A value, and what follows it: the end, or a separator.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return Some((value.trim().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at.saturating_add(1)..)?)),
            '\\' => match characters.next()? {
                (_, '"') => value.push('"'),
                // Other escapes are those of the distinguished name inside.
                (_, other) => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// The common name of a distinguished name in the form of RFC 2253: attributes separated by commas.
fn common_name(subject: &str) -> Option<String> {
    let mut attribute = String::new();
    let mut attributes = Vec::new();
    let mut characters = subject.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => attribute.extend(characters.next()),
            ',' => attributes.push(std::mem::take(&mut attribute)),
            other => attribute.push(other),
        }
    }
    attributes.push(attribute);
    let name = attributes
        .iter()
        .find_map(|attribute| attribute.trim_start().strip_prefix("CN="))?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_their_parts() {
        let header = r#"By=spiffe://td/a;Hash=1;Subject="O=Acme\, Inc.,CN=web\"1";URI=spiffe://td/b;DNS=x;DNS=y,URI=spiffe://td/c"#;
        let elements = parse(header).unwrap();
        assert_eq!(elements.len(), 2);
        assert_eq!(elements[0].uris, ["spiffe://td/b"]);
        assert_eq!(elements[0].dns, ["x", "y"]);
        assert_eq!(elements[0].common_name.as_deref(), Some("web\"1"));
        assert_eq!(elements[1].uris, ["spiffe://td/c"]);
        assert_eq!(elements[1].common_name, None);
    }

    #[test]
    fn a_separator_inside_quotes_separates_nothing() {
        let elements = parse(r#"Subject="CN=a,URI=spiffe://td/evil";URI=spiffe://td/b"#).unwrap();
        assert_eq!(elements.len(), 1);
        assert_eq!(elements[0].uris, ["spiffe://td/b"]);
    }

    #[test]
    fn malformed_headers_are_refused() {
        for header in [
            "junk",
            "",
            "URI",
            "URI=a;",
            "URI=a,",
            "Subject=\"a",
            "Subject=\"a\"b",
            "Other=a",
            "Hash=1;;URI=a",
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
    }
}
