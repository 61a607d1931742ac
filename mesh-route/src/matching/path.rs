//! Path normalisation, as the proxy does it before anything else looks at the path (R-ENV-1 to R-ENV-3).

use std::borrow::Cow;

use super::view::split_target;
use crate::plan::PathNormalization;
use crate::trace::PathStep;

/// A target after normalisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalized<'t> {
    /// Path and query. Borrowed when nothing but a fragment was cut off.
    pub target: Cow<'t, [u8]>,
    /// Where the path ends and the query, if any, starts.
    pub path_len: usize,
}

/// A path that the proxy answers with 400: it holds `%00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPath;

/// Brings a target (path and query) into the form that is routed and forwarded. The fragment goes first, the query is
/// never touched, then slashes are unescaped, dots and escapes resolved, and slashes merged, as far as `level` says. A
/// target that does not begin with a slash (`*`) stays as it is.
///
/// ```
/// use mesh_route::matching::{BadPath, normalize};
/// use mesh_route::plan::PathNormalization;
///
/// let normalized = normalize(b"/a/../b?c#d", PathNormalization::Base).unwrap();
/// assert_eq!(&*normalized.target, b"/b?c");
/// assert_eq!(normalize(b"/a%00", PathNormalization::Base), Err(BadPath));
/// ```
///
/// # Errors
/// [`BadPath`] for a path with `%00`, unless `level` is `None`.
pub fn normalize(target: &[u8], level: PathNormalization) -> Result<Normalized<'_>, BadPath> {
    normalize_with(target, level, |_| {})
}

/// The same, and shows the steps that changed something.
pub(crate) fn normalize_with(
    target: &[u8],
    level: PathNormalization,
    mut step: impl FnMut(PathStep),
) -> Result<Normalized<'_>, BadPath> {
    let end = target
        .iter()
        .position(|byte| *byte == b'#')
        .unwrap_or(target.len());
    if end < target.len() {
        step(PathStep::FragmentStripped); // R-ENV-3
    }
    let target = target.get(..end).unwrap_or_default();
    let (path, _) = split_target(target);
    let merges = level >= PathNormalization::MergeSlashes;
    if level == PathNormalization::None || !path.starts_with(b"/") || is_normal(path, merges) {
        return Ok(Normalized {
            target: Cow::Borrowed(target),
            path_len: path.len(),
        });
    }
    let mut current = Cow::Borrowed(path);
    if level == PathNormalization::DecodeAndMergeSlashes {
        let unescaped = unescape_slashes(&current);
        replace(&mut current, unescaped, PathStep::SlashesUnescaped, &mut step);
    }
    let normal = resolve(&current)?;
    replace(&mut current, normal, PathStep::Normalized, &mut step);
    if merges {
        let merged = merge_slashes(&current);
        replace(&mut current, merged, PathStep::SlashesMerged, &mut step);
    }
    let path_len = current.len();
    let mut whole = current.into_owned();
    whole.extend_from_slice(target.get(path.len()..).unwrap_or_default());
    Ok(Normalized {
        target: Cow::Owned(whole),
        path_len,
    })
}

fn replace(current: &mut Cow<'_, [u8]>, next: Vec<u8>, name: PathStep, step: &mut impl FnMut(PathStep)) {
    if next != **current {
        step(name);
        *current = Cow::Owned(next);
    }
}

/// Whether normalisation surely leaves the path as it is. A cautious look that needs no memory.
fn is_normal(path: &[u8], merges: bool) -> bool {
    let mut previous = 0;
    path.iter().all(|&byte| {
        let suspicious = (previous == b'/' && (byte == b'.' || (merges && byte == b'/')))
            || byte == b'%'
            || class(byte) == Class::Escape
            || byte == b'\\';
        previous = byte;
        !suspicious
    })
}

/// `%2f` and `%5c`, in either case, become the slashes they stand for.
fn unescape_slashes(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        match decode(rest) {
            Some((slash @ (b'/' | b'\\'), after)) => {
                out.push(slash);
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    for &byte in path {
        if byte != b'/' || out.last() != Some(&b'/') {
            out.push(byte);
        }
    }
    out
}

/// RFC 3986: backslashes become slashes, escapes of unreserved characters are decoded, characters that may not stand in
/// a path are escaped, and `.` and `..` segments are resolved.
fn resolve(path: &[u8]) -> Result<Vec<u8>, BadPath> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut rest = path.get(1..).unwrap_or_default();
    out.push(b'/');
    let mut segment = out.len();
    loop {
        let next = rest.split_first();
        if let Some((b'/' | b'\\', _)) | None = next {
            let last = next.is_none();
            match out.get(segment..) {
                // A dot segment goes, and leaves the slash before it; two of them take the segment before along.
                Some(b".") => out.truncate(segment),
                Some(b"..") => {
                    out.truncate(segment.saturating_sub(1));
                    let parent = out
                        .iter()
                        .rposition(|byte| *byte == b'/')
                        .map_or(0, |slash| slash + 1);
                    out.truncate(parent);
                    if out.is_empty() {
                        out.push(b'/');
                    }
                }
                _ if last => {}
                _ => out.push(b'/'),
            }
            segment = out.len();
        }
        let Some((&byte, after)) = next else {
            return Ok(out);
        };
        rest = after;
        match byte {
            b'/' | b'\\' => {}
            b'%' => match decode_after_percent(after) {
                Some((0, _)) => return Err(BadPath),
                Some((decoded, after)) if class(decoded) == Class::Unreserved => {
                    out.push(decoded);
                    rest = after;
                }
                _ => out.push(b'%'), // a reserved escape stays, and so does a broken one
            },
            byte if class(byte) == Class::Escape => {
                out.extend_from_slice(&[b'%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
            byte => out.push(byte),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Decoded when escaped.
    Unreserved,
    /// Left as it is, escaped or not.
    Reserved,
    /// Escaped when not.
    Escape,
}

fn class(byte: u8) -> Class {
    match byte {
        b'-' | b'.' | b'_' | b'~' => Class::Unreserved,
        _ if byte.is_ascii_alphanumeric() => Class::Unreserved,
        b'!' | b'$' | b'&'..=b',' | b'/' | b':' | b';' | b'=' | b'@' | b'[' | b'\\' | b']' | b'%' => {
            Class::Reserved
        }
        _ => Class::Escape,
    }
}

/// The byte that an escape at the start of `text` stands for, and what follows it.
fn decode(text: &[u8]) -> Option<(u8, &[u8])> {
    decode_after_percent(text.strip_prefix(b"%")?)
}

fn decode_after_percent(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    let value = digits.iter().try_fold(0_u8, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value * 16 + u8::try_from(digit).ok()?)
    })?;
    Some((value, rest))
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'A' - 10 + value
    }
}
