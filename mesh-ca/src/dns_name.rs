//! DNS names of certificates.

use crate::kubernetes::is_dns_label;

/// A DNS name as an SVID carries it, in lower case: labels of letters, digits and inner dashes, each at most 63 bytes, 253
/// in all; the first one may be `*`. No trailing dot, nothing beyond ASCII. Spec: ca.md C-SIGN-9.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let labels = name.strip_prefix("*.").unwrap_or(&name);
    (name.len() <= 253 && labels.split('.').all(is_dns_label)).then_some(name)
}

/// Names in their order, each once (C-SIGN-9). The first that is none is returned as it is.
pub(crate) fn canonical_all<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Vec<String>, &'n str> {
    let mut known = std::collections::BTreeSet::new();
    let mut list = Vec::new();
    for name in names {
        let canonical = canonical(name).ok_or(name)?;
        if known.insert(canonical.clone()) {
            list.push(canonical);
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-SIGN-9, scenario 46.
    #[test]
    fn names_are_strict_and_in_order() {
        let long = format!("{}.{}", "a".repeat(63), "b".repeat(63));
        for good in ["a", "a.b", "*.a", "xn--bcher-kva.example", "1.2", &long] {
            assert_eq!(canonical(good).as_deref(), Some(good));
        }
        assert_eq!(canonical("A.Example").as_deref(), Some("a.example"));
        let too_long = ["a".repeat(63).as_str(); 4].join(".");
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "*",
            "*.",
            "*a.b",
            "a.*.b",
            "*.*.b",
            "a_b",
            "a b",
            "bücher.example",
            "-a",
            "a-",
            "a\0b",
            "spiffe://td/a",
            &too_long,
            &"a".repeat(64),
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
        assert_eq!(
            canonical_all(["b.x", "A.x", "a.x", "b.x"]).unwrap(),
            ["b.x", "a.x"]
        );
        assert_eq!(canonical_all(["b.x", "a_x"]), Err("a_x"));
    }
}
