//! Character classes of RE2: ASCII classes, POSIX names, Unicode categories and scripts.

use mesh_api::names::re2::SCRIPTS;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::parse::push_char;

/// A set of characters that is being put together.
pub(super) struct CharSet {
    set: ClassUnicode,
    fold: bool,
}

impl CharSet {
    /// An empty set; with `fold`, what is added brings its other cases along.
    pub(super) fn new(fold: bool) -> Self {
        Self {
            set: ClassUnicode::empty(),
            fold,
        }
    }

    pub(super) fn add(&mut self, low: char, high: char) {
        self.set.push(ClassUnicodeRange::new(low, high));
    }

    /// Adds a named set, or what is not in it. The other cases are those of the named set, before it is negated.
    pub(super) fn add_set(&mut self, ranges: impl IntoIterator<Item = (char, char)>, negated: bool) {
        let ranges = ranges
            .into_iter()
            .map(|(low, high)| ClassUnicodeRange::new(low, high));
        let mut set = ClassUnicode::new(ranges);
        if negated {
            self.fold_case(&mut set);
            set.negate();
        }
        self.set.union(&set);
    }

    pub(super) fn finish(mut self, negated: bool) -> ClassUnicode {
        let mut set = std::mem::replace(&mut self.set, ClassUnicode::empty());
        self.fold_case(&mut set);
        if negated {
            set.negate();
        }
        set
    }

    fn fold_case(&self, set: &mut ClassUnicode) {
        if self.fold {
            // The tables are compiled in, so this does not fail; if it did, the cases would stay as written.
            let _ = set.try_case_fold_simple();
        }
    }
}

/// Writes a set in the engine's dialect, and tells its weight.
pub(super) fn write(set: &ClassUnicode, out: &mut String) -> u64 {
    if set.ranges().is_empty() {
        out.push_str(r"[^\x{0}-\x{10FFFF}]");
        return 1;
    }
    out.push('[');
    for range in set.ranges() {
        push_char(range.start(), out);
        if range.end() != range.start() {
            out.push('-');
            push_char(range.end(), out);
        }
    }
    out.push(']');
    let wide = set
        .ranges()
        .iter()
        .filter(|range| !range.end().is_ascii())
        .count();
    1 + 8 * u64::try_from(wide).unwrap_or(u64::MAX)
}

/// `d`, `s`, `w`: ASCII in RE2, and `\s` without the vertical tab.
pub(super) fn perl(letter: char) -> Option<&'static [(char, char)]> {
    Some(match letter {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    })
}

/// The name between `[:` and `:]`.
pub(super) fn posix(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

/// The name of `\p{..}`: a general category, a script, or `Any`, spelled exactly as RE2 does.
pub(super) fn unicode(name: &str) -> Option<Vec<(char, char)>> {
    if name == "Cs" {
        return Some(Vec::new());
    }
    let query = if name == "Any" {
        r"\p{Any}".to_owned()
    } else if CATEGORIES.contains(&name) {
        format!(r"\p{{gc={name}}}")
    } else if SCRIPTS.binary_search(&name).is_ok() {
        format!(r"\p{{sc={name}}}")
    } else {
        return None;
    };
    let hir = regex_syntax::parse(&query).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(
            class
                .ranges()
                .iter()
                .map(|range| (range.start(), range.end()))
                .collect(),
        ),
        _ => None,
    }
}

/// The general categories that RE2 knows. Surrogates are no characters here, so `Cs` is handled apart.
const CATEGORIES: [&str; 36] = [
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];
