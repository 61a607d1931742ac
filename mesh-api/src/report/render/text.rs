//! The long form, several lines for each finding.

use std::fmt::{self, Write};

use crate::report::{Diagnostic, Excerpt, Report, Severity, SourceLocation};

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether severities and carets are coloured by ANSI sequences; no meaning is carried by colour alone. Default false.
    pub colour: bool,
    /// Columns of a line, at least 40. Default 110.
    pub width: usize,
}

impl Default for TextStyle {
    fn default() -> Self {
        Self {
            colour: false,
            width: 110,
        }
    }
}

impl Report {
    /// All findings in the form of [`Diagnostic::render`], with an empty line between them.
    ///
    /// ```
    /// use mesh_api::report::TextStyle;
    ///
    /// let text = "\
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   host: [reviews]
    /// ";
    /// let decoded = mesh_api::decode("shop.yaml", text.as_bytes());
    /// assert_eq!(decoded.report().to_text(&TextStyle::default()), "\
    /// error[A-WIRE-2]: unknown field `host`
    ///  --> shop.yaml:5:3   VirtualService shop/reviews   spec.host
    ///   |
    /// 5 |   host: [reviews]
    ///   |   ^^^^ did you mean `hosts`?
    /// ");
    /// ```
    pub fn to_text(&self, style: &TextStyle) -> String {
        let mut out = String::new();
        for finding in self {
            if !out.is_empty() {
                out.push('\n');
            }
            // writing to a string has no errors
            let _ = write_finding(finding, style, &mut out);
        }
        out
    }
}

impl Diagnostic {
    /// The long form, several lines, as compilers print it, without colours:
    ///
    /// ```text
    /// error[A-WIRE-2]: unknown field `perfix`
    ///   --> shop.yaml:23:9   VirtualService shop/reviews   spec.http[0].match[0].uri.perfix
    ///    |
    /// 23 |         perfix: /reviews
    ///    |         ^^^^^^ did you mean `prefix`?
    /// ```
    pub fn render(&self) -> String {
        let mut out = String::new();
        let _ = write_finding(self, &TextStyle::default(), &mut out);
        out
    }
}

fn write_finding(finding: &Diagnostic, style: &TextStyle, out: &mut String) -> fmt::Result {
    let pen = Pen::new(style, finding);
    pen.title(finding, out)?;
    pen.place(finding, out)?;
    match (&finding.location, &finding.help) {
        (Some(location), help) => pen.excerpt(location, help.as_deref(), out),
        (None, Some(help)) => pen.help(help, out),
        (None, None) => Ok(()),
    }
}

/// What all lines of one finding share.
struct Pen {
    width: usize,
    /// Columns of the line number.
    gutter: usize,
    severity: &'static str,
    frame: &'static str,
    reset: &'static str,
}

impl Pen {
    fn new(style: &TextStyle, finding: &Diagnostic) -> Self {
        let coloured = |sequence: &'static str| if style.colour { sequence } else { "" };
        let line = finding
            .location
            .as_ref()
            .map(|location| location.line.to_string());
        Self {
            width: style.width.max(40),
            gutter: line.map_or(1, |line| line.len()),
            severity: coloured(match finding.severity {
                Severity::Error => "\u{1b}[1;31m",
                Severity::Warning => "\u{1b}[1;33m",
                Severity::Info => "\u{1b}[1;36m",
            }),
            frame: coloured("\u{1b}[1;34m"),
            reset: coloured("\u{1b}[0m"),
        }
    }

    /// `error[A-WIRE-2]: unknown field`
    fn title(&self, finding: &Diagnostic, out: &mut String) -> fmt::Result {
        let head = format!("{}[{}]", finding.severity, finding.code);
        let mut lines = wrap(&format!("{head}: {}", finding.message), self.width, 4).into_iter();
        let first = lines.next().unwrap_or_default();
        // the colour is for severity and code
        let rest = first.strip_prefix(head.as_str()).unwrap_or_default();
        writeln!(out, "{}{head}{}{rest}", self.severity, self.reset)?;
        lines.try_for_each(|line| writeln!(out, "{line}"))
    }

    /// `--> file:line:column   object   path`, on more lines where one is too short.
    fn place(&self, finding: &Diagnostic, out: &mut String) -> fmt::Result {
        let path = Some(finding.path.to_string()).filter(|path| !path.is_empty());
        let place = finding.location.as_ref().map(ToString::to_string);
        let object = finding.object.as_ref().map(ToString::to_string);
        let about: Vec<String> = [place, object, path].into_iter().flatten().collect();
        let room = self.width.saturating_sub(self.gutter + 4);
        let line = about.join("   ");
        let lines = if line.chars().count() <= room {
            vec![line]
        } else {
            about
        };
        for (index, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
            let arrow = if index == 0 { "-->" } else { "   " };
            let line = end_of(line, room);
            writeln!(
                out,
                "{:gutter$}{}{arrow}{} {line}",
                "",
                self.frame,
                self.reset,
                gutter = self.gutter
            )?;
        }
        Ok(())
    }

    fn excerpt(&self, location: &SourceLocation, help: Option<&str>, out: &mut String) -> fmt::Result {
        let Self {
            gutter, frame, reset, ..
        } = *self;
        let Excerpt { text, before, width } = &location.excerpt;
        let room = self.width.saturating_sub(gutter + 3);
        // a line that is too long is shown from a little before the place
        let skipped = if before + width > room {
            before.saturating_sub(room / 4)
        } else {
            0
        };
        let shown: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .skip(skipped)
            .take(room)
            .collect();
        let before = before - skipped;
        let carets = "^".repeat((*width).min(room.saturating_sub(before)).max(1));
        let beside = help.filter(|help| before + carets.len() + 1 + help.chars().count() <= room);
        let advice = beside.map(|help| format!(" {help}")).unwrap_or_default();
        writeln!(out, "{:gutter$} {frame}|{reset}", "")?;
        writeln!(out, "{frame}{} |{reset} {}", location.line, shown.trim_end())?;
        writeln!(
            out,
            "{:gutter$} {frame}|{reset} {:before$}{}{carets}{advice}{reset}",
            "", "", self.severity
        )?;
        match (help, beside) {
            (Some(help), None) => self.help(help, out),
            _ => Ok(()),
        }
    }

    /// ` = advice`
    fn help(&self, help: &str, out: &mut String) -> fmt::Result {
        let Self {
            gutter, frame, reset, ..
        } = *self;
        let lines = wrap(help, self.width.saturating_sub(gutter + 3), 0);
        for (index, line) in lines.iter().enumerate() {
            let sign = if index == 0 { "=" } else { " " };
            writeln!(out, "{:gutter$} {frame}{sign}{reset} {line}", "")?;
        }
        Ok(())
    }
}

/// The text, of a long one its end, which tells paths apart.
fn end_of(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length + 1 - width).collect();
    format!("…{end}")
}

/// Lines of at most `width` columns, broken between words where that is possible; the ones after the first are indented.
fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let (mut lines, mut line, mut columns) = (Vec::new(), String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if columns > 0 && columns + 1 + length > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            columns = indent;
        } else if columns > 0 {
            line.push(' ');
            columns += 1;
        }
        for c in word.chars() {
            if columns >= width {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                columns = indent;
            }
            line.push(c);
            columns += 1;
        }
    }
    lines.push(line);
    lines
}
