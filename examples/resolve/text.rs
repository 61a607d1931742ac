//! Answers as text: winner first, one line per stage, the source at the end of the line.

use examples::{with_source, wrap};

use crate::answer::{Answer, Outcome, Step};

/// No line is wider than this, in columns, unless it holds a single longer word.
const WIDTH: usize = 110;

/// Where the text of a stage begins.
const INDENT: usize = 20;

/// Paints text on a terminal; never the only carrier of meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) enabled: bool,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.enabled {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// The whole answer.
pub(crate) fn full(answer: &Answer, paint: Paint) -> String {
    let mut out = header(answer, paint);
    for stage in &answer.stages {
        for (at, line) in stage.lines.iter().enumerate() {
            let name = if at == 0 { stage.name } else { "" };
            push_row(
                &mut out,
                &format!("  {name}"),
                INDENT,
                &line.text,
                &line.source.to_string(),
            );
        }
    }
    push_line(&mut out, &paint.strong(&format!("  => {}", answer.outcome.text)));
    push_hints(&mut out, answer);
    out
}

/// The answer in one line, or two where one has no room.
pub(crate) fn short(answer: &Answer, paint: Paint) -> String {
    let Outcome { short, by, .. } = &answer.outcome;
    let left = format!("{}    {}", answer.request, answer.client);
    let told = format!("=> {short}");
    let one = with_source(&format!("{left:<66}   {told}"), by, WIDTH);
    let fits = |line: &str| line.chars().count() <= WIDTH && !line.contains('\n');
    let lines = if fits(&one) {
        one
    } else {
        format!("{left}\n{}", with_source(&format!("  {told}"), by, WIDTH))
    };
    let mut out = lines.replacen(&told, &paint.strong(&told), 1);
    out.push('\n');
    push_hints(&mut out, answer);
    out
}

/// What led to the answer, and why the others lost.
pub(crate) fn explanation(answer: &Answer, paint: Paint) -> String {
    let mut out = header(answer, paint);
    let mut previous = "";
    for step in &answer.steps {
        let label = if step.label == previous && !step.label.starts_with(' ') {
            ""
        } else {
            step.label
        };
        previous = step.label;
        push_step(&mut out, label, step, paint);
    }
    push_line(&mut out, &paint.strong(&format!("=> {}", answer.outcome.text)));
    push_hints(&mut out, answer);
    out
}

/// Names under a heading, in as many lines as they need.
pub(crate) fn list<'a>(heading: &str, names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    };
    let mut out = String::new();
    push_row(&mut out, heading, INDENT, &names, "");
    out
}

fn header(answer: &Answer, paint: Paint) -> String {
    let client = answer.client.to_string();
    let line = with_source(&answer.request.to_string(), &client, WIDTH);
    format!("{}\n", paint.strong(&line))
}

fn push_step(out: &mut String, label: &str, step: &Step, paint: Paint) {
    let indent = if step.label.starts_with(' ') { 9 } else { 14 };
    let source = match (step.rule, step.source.to_string()) {
        (rule, source) if source.is_empty() => rule.to_owned(),
        ("", source) => source,
        (rule, source) => format!("{rule}  {source}"),
    };
    let mut rows = String::new();
    push_row(&mut rows, label, indent, &step.text, &source);
    if step.label.trim() == "lost" {
        rows = rows
            .lines()
            .map(|line| format!("{}\n", paint.faint(line)))
            .collect();
    }
    out.push_str(&rows);
}

/// `lead`, padded to `indent` columns, then `text` in as many lines as it needs; `source` ends the first of them.
fn push_row(out: &mut String, lead: &str, indent: usize, text: &str, source: &str) {
    let taken = if source.is_empty() {
        0
    } else {
        source.chars().count() + 2
    };
    let rest = WIDTH - indent;
    let parts = wrap(text, rest.saturating_sub(taken).max(WIDTH / 3), rest);
    for (at, part) in parts.iter().enumerate() {
        let (lead, source) = if at == 0 { (lead, source) } else { ("", "") };
        push_line(
            out,
            &with_source(&format!("{lead:<indent$}{part}"), source, WIDTH),
        );
    }
}

fn push_hints(out: &mut String, answer: &Answer) {
    for hint in &answer.hints {
        push_row(out, "  hint", INDENT, hint, "");
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
