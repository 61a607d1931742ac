//! Rules as data.

use super::{Code, Severity};

/// One condition that is checked, by its stable id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The stable id, such as `A-VS-8`.
    pub code: Code,
    /// How grave a violation is. A rule that cites a helper with warnings of its own may also give a warning.
    pub severity: Severity,
    /// What an object must keep to.
    pub doc: &'static str,
    /// Ids of the shared conditions that the rule applies, such as `A-X-3` for domain names with wildcards.
    pub cites: &'static [&'static str],
}

/// Declares rules, and `RULES`, the list of all of them.
///
/// A line is `NAME "id" Severity "doc";`, or ends in `cites "A-X-1" "A-X-2";`.
macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $doc:literal $(cites $($cited:literal)+)?;)*) => {
        $(pub(super) const $name: $crate::report::Rule = $crate::report::Rule {
            code: $crate::report::Code::new($id),
            severity: $crate::report::Severity::$severity,
            doc: $doc,
            cites: &[$($($cited),+)?],
        };)*

        /// The rules of this module, in the order of their ids.
        pub(super) const RULES: &[$crate::report::Rule] = &[$($name),*];
    };
}
pub(crate) use rules;
