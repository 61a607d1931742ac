//! Shared by the examples: input files, nearest names and text in columns.

pub mod files;

/// The name among `known` that `wanted` was probably meant to be, if one is near: at most a third of its letters differ.
///
/// ```
/// assert_eq!(examples::nearest("--explian", ["--explain", "--json"]), Some("--explain"));
/// assert_eq!(examples::nearest("rewievs", ["details", "reviews"]), Some("reviews"));
/// assert_eq!(examples::nearest("payments", ["details", "reviews"]), None);
/// ```
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = wanted.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|name| (distance(wanted, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // rows[i][j]: the distance of the first i letters of `a` and the first j of `b`.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// A line of at most `width` columns (in characters): `left`, and `right` at the end where there is room for it, else on
/// a line of its own.
///
/// ```
/// assert_eq!(examples::with_source("a b", "mesh.yaml:3", 20), "a b      mesh.yaml:3");
/// assert_eq!(examples::with_source("a b", "", 20), "a b");
/// assert_eq!(examples::with_source("a long text", "mesh.yaml:3", 20), "a long text\n         mesh.yaml:3");
/// ```
pub fn with_source(left: &str, right: &str, width: usize) -> String {
    let left = left.trim_end();
    if right.is_empty() {
        return left.to_owned();
    }
    let (used, wanted) = (left.chars().count(), right.chars().count());
    if used + 2 + wanted <= width {
        format!("{left}{right:>rest$}", rest = width - used)
    } else {
        format!("{left}\n{right:>width$}")
    }
}

/// Breaks `text` at spaces into lines: the first of at most `first` columns, the others of at most `rest`; a single word
/// that is longer stays whole.
///
/// ```
/// assert_eq!(examples::wrap("one two three four", 8, 12), ["one two", "three four"]);
/// ```
pub fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let width = if lines.len() == 1 { first } else { rest };
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The front page of the repository: what it shows is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct FrontPage;
