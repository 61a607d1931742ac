//! Text as JSON and as YAML.

/// Appends a JSON string.
pub(super) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        push_escape(out, char::from(byte));
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// Appends a YAML scalar of one line: plain where every reader takes that for text, else in double quotes.
pub(super) fn push_yaml(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => push_escape(out, c),
            c if is_printable(c) => out.push(c),
            c => push_escape(out, c),
        }
    }
    out.push('"');
}

/// Whether text of several lines can stand in a `|` block as it is.
pub(super) fn suits_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    text.contains('\n')
        && !body.is_empty()
        && !body.ends_with('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && body.split('\n').all(|line| !line.ends_with([' ', '\t']))
        && text.chars().all(|c| is_printable(c) || matches!(c, '\n' | '\t'))
}

/// Appends a `|` block whose lines stand in this column. The last line break is that of whatever follows.
pub(super) fn push_block(out: &mut String, text: &str, column: usize) {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    out.push_str(header);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out.push_str(line);
        }
    }
}

fn push_escape(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) <= 0xFFFF => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// What YAML 1.1 lets stand in quotes and blocks, without the line breaks of its own and the byte order mark.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
        || c > '\u{ffff}'
}

/// Whether a scalar without quotes is this text to every reader (A-WIRE-15). Cautious: some quotes are not needed.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let starts = first.is_alphanumeric() || matches!(first, '/' | '_' | '.' | '$' | '(');
    let mut before = ' ';
    for c in text.chars() {
        let ends_scalar = (c == ' ' && before == ':') || (c == '#' && before == ' ');
        if ends_scalar || !(c.is_alphanumeric() || (c.is_ascii() && is_printable(c))) {
            return false;
        }
        before = c;
    }
    starts && !matches!(before, ' ' | ':') && !is_word(text) && !may_be_number(text)
}

/// The words that are null or boolean to some reader, in any letter case.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether text could be a number, a date or a time: it starts like one and holds nothing that none of them has.
fn may_be_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.chars().all(|c| {
            c.is_ascii_hexdigit()
                || matches!(
                    c,
                    'x' | 'X' | 'o' | 'O' | '_' | '.' | ':' | '+' | '-' | 't' | 'T' | 'z' | 'Z' | ' '
                )
                || matches!(c, 'i' | 'I' | 'n' | 'N' | 'f' | 'F')
        })
}
