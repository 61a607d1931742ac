//! Proposals for misspelled names (A-WIRE-14).

/// The best candidate for a misspelled field: the smallest Damerau-Levenshtein distance on the names in lower case and
/// without underscores, if it is at most a third of the length (at least 1) or the first four characters agree; among
/// equals the first.
pub(crate) fn field<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = fold(written);
    // no field name is this long, and distances cost the product of the lengths
    if written.is_empty() || written.len() > 64 {
        return None;
    }
    let allowed = (written.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let folded = fold(candidate);
        let near = folded.len().abs_diff(written.len()) <= allowed;
        let alike =
            written.len() >= 4 && folded.iter().zip(&written).take_while(|(a, b)| a == b).count() >= 4;
        if !near && !alike {
            continue;
        }
        let distance = distance(&written, &folded);
        if (distance <= allowed || alike) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The renames and misplacements that are seen often, and what to write instead.
pub(crate) fn known_rename(written: &str) -> Option<&'static str> {
    match written {
        "websocketUpgrade" | "websocket_upgrade" => Some("remove it, upgrades are always allowed"),
        "appendHeaders" | "appendRequestHeaders" | "append_headers" => Some("write `headers.request.add`"),
        "appendResponseHeaders" => Some("write `headers.response.add`"),
        "removeRequestHeaders" => Some("write `headers.request.remove`"),
        "removeResponseHeaders" | "remove_response_headers" => Some("write `headers.response.remove`"),
        _ => None,
    }
}

fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Optimal string alignment: insertions, deletions, replacements and transpositions of neighbours cost 1 each.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut left_a = None;
    for (i, &in_a) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        let mut left = i + 1;
        row.push(left);
        let mut left_b = None;
        for (j, &in_b) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(in_a != in_b);
            let mut cost = replaced.min(at(&last, j + 1) + 1).min(left + 1);
            if j > 0 && left_a == Some(in_b) && left_b == Some(in_a) {
                cost = cost.min(at(&before_last, j - 1) + 1);
            }
            row.push(cost);
            left = cost;
            left_b = Some(in_b);
        }
        before_last = std::mem::replace(&mut last, row);
        left_a = Some(in_a);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&fold(a), &fold(b))
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("perfix", "prefix", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
            ("port_number", "portNumber", 0),
        ] {
            assert_eq!(between(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_wire_14_proposes_the_nearest_field() {
        let fields = [
            "exact", "prefix", "regex", "retries", "route", "timeout", "exportTo",
        ];
        for (written, expected) in [
            ("perfix", Some("prefix")),
            ("retry", Some("retries")), // four characters in common
            ("export_to", Some("exportTo")),
            ("Route", Some("route")),
            ("time", Some("timeout")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(field(written, fields), expected, "{written}");
        }
    }
}
