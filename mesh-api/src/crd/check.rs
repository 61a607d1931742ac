//! Walks an object and its schema together.

use std::collections::BTreeSet;
use std::ops::Range;

use super::rules::{CR_2, CR_37};
use super::schema::{Bounds, Check, Field, I32, Language, Schema, Shape, Size, Test, U32, U64};
use crate::codec::{Node, NodeKind, codes, is_same_name, quote, suggest};
use crate::object::ObjectKey;
use crate::report::{Diagnostic, FieldPath, Rule, Segment};

/// Findings kept of one object; one more says that there are others.
const MAX_FINDINGS: usize = 100;

/// Collects what is wrong with one object, in the order of the text where the structure is sound.
pub(super) struct Checker<'t> {
    object: Node<'t>,
    key: &'t ObjectKey,
    steps: Vec<Step<'t>>,
    found: Vec<Diagnostic>,
}

/// One step down from the object.
#[derive(Clone, Copy)]
enum Step<'t> {
    /// To an item of a list.
    Item(usize, Node<'t>),
    /// To the value at a key of a map.
    Key(Node<'t>),
}

impl<'t> Step<'t> {
    /// What is shown of a value that one comes to by this step.
    fn shown(self) -> Range<usize> {
        let (Self::Item(_, node) | Self::Key(node)) = self;
        node.span()
    }

    fn to(self) -> To<'t> {
        match self {
            Self::Item(index, _) => To::Index(index),
            Self::Key(key) => To::Name(key.text()),
        }
    }
}

/// A step in a path.
enum To<'t> {
    Index(usize),
    Name(&'t str),
}

impl<'t> Checker<'t> {
    pub(super) fn new(object: Node<'t>, key: &'t ObjectKey) -> Self {
        Self {
            object,
            key,
            steps: Vec::new(),
            found: Vec::new(),
        }
    }

    pub(super) fn into_findings(self) -> Vec<Diagnostic> {
        self.found
    }

    /// Looks at one field of the object with a schema; an absent one only has to be optional.
    pub(super) fn field(
        &mut self,
        name: &'static str,
        schema: &'static Schema,
        required: Option<&'static Rule>,
    ) {
        let entry = self.object.entries().find(|(key, _)| key.text() == name);
        match entry.filter(|(_, value)| !value.is_null()) {
            Some((key, value)) => {
                self.step(Step::Key(key), |checker| {
                    checker.visit(value, schema, schema.rule.unwrap_or(&CR_2))
                });
            }
            None => {
                if let Some(rule) = required {
                    self.missing(name, rule);
                }
            }
        }
    }

    /// Looks at a value that is not `null`. Whether its structure is sound, and with that of everything in it.
    fn visit(&mut self, node: Node<'t>, schema: &'static Schema, rule: &'static Rule) -> bool {
        if self.found.len() > MAX_FINDINGS {
            return false;
        }
        let rule = schema.rule.unwrap_or(rule);
        let structure = self.structure(node, schema, rule);
        // A-CR-1: CEL is asked only where the structure is sound
        if !structure || schema.checks.is_empty() {
            return structure;
        }
        let patterns = self.checks(node, schema, rule, Language::Pattern);
        if patterns {
            self.checks(node, schema, rule, Language::Cel);
        }
        patterns
    }

    fn structure(&mut self, node: Node<'t>, schema: &'static Schema, rule: &'static Rule) -> bool {
        match (schema.shape, node.kind()) {
            (Shape::Any, NodeKind::Map) | (Shape::Boolean, NodeKind::Bool) => true,
            (Shape::Text(size), NodeKind::String) => self.text(node, size, rule),
            (Shape::Name(names), NodeKind::String) => self.name(node, names),
            (Shape::Base64, NodeKind::String) => self.base64(node, rule),
            (Shape::Integer(bounds), NodeKind::Int) => {
                self.integer(node, node.as_int(), bounds, schema, rule)
            }
            (Shape::Integer(bounds), NodeKind::Float) => match whole(node) {
                Some(number) => self.integer(node, Some(number), bounds, schema, rule),
                None => self.wrong_type(node, schema),
            },
            (Shape::Number { min, max }, NodeKind::Int | NodeKind::Float) => {
                self.number(node, min, max, rule)
            }
            (Shape::List { items, size, key }, NodeKind::List) => {
                let size = self.size(node, node.len(), size, "items", rule);
                let items = self.items(node, items, rule);
                let keys = key.is_none_or(|key| self.keys(node, key, rule));
                size && items && keys
            }
            (Shape::Map { values, size }, NodeKind::Map) => {
                let size = self.size(node, node.len(), size, "entries", rule);
                self.entries(node, values, rule) && size
            }
            (Shape::Message { fields, oneofs }, NodeKind::Map) => {
                let fields = self.fields(node, fields, rule);
                oneofs.iter().fold(fields, |sound, members| {
                    self.members(node, members, rule) && sound
                })
            }
            _ => self.wrong_type(node, schema),
        }
    }

    fn fields(&mut self, node: Node<'t>, fields: &'static [Field], rule: &'static Rule) -> bool {
        let mut sound = true;
        for (key, value) in node.entries() {
            let name = key.key_text();
            sound &= match fields
                .iter()
                .find(|field| is_same_name(field.name.as_bytes(), name))
            {
                // the API server drops it
                Some(_) if value.is_null() => true,
                Some(field) => {
                    is_any_text(value, field.schema)
                        || self.step(Step::Key(key), |checker| checker.visit(value, field.schema, rule))
                }
                None => self.step(Step::Key(key), |checker| checker.unknown(key.text(), fields)),
            };
        }
        for field in fields.iter().filter(|field| field.required) {
            if node.get(field.name).is_none_or(|value| value.is_null()) {
                self.missing(field.name, rule);
                sound = false;
            }
        }
        sound
    }

    /// A-WIRE-2.
    fn unknown(&mut self, name: &str, fields: &'static [Field]) -> bool {
        let near = suggest::field(name, fields.iter().map(|field| field.name));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.report_here(&CR_2, format!("unknown field {}", quote(name)), help)
    }

    fn missing(&mut self, name: &'static str, rule: &'static Rule) {
        let help = format!("add `{name}`");
        let span = self.shown();
        let path = self.path([To::Name(name)]);
        self.report(
            rule,
            path,
            span,
            format!("the field `{name}` is required"),
            Some(help),
        );
    }

    /// The members of a oneof.
    fn members(&mut self, node: Node<'t>, members: &[&'static str], rule: &'static Rule) -> bool {
        if node.len() < 2 {
            return true;
        }
        let mut set = node
            .entries()
            .filter(|(key, value)| !value.is_null() && members.contains(&key.text()));
        let (Some((first, _)), Some((second, _))) = (set.next(), set.next()) else {
            return true;
        };
        let message = format!(
            "only one of {} may be set, not both `{}` and `{}`",
            list(members),
            first.text(),
            second.text()
        );
        let path = self.path([To::Name(second.text())]);
        self.report(rule, path, second.span(), message, None)
    }

    fn items(&mut self, node: Node<'t>, schema: &'static Schema, rule: &'static Rule) -> bool {
        let mut sound = true;
        for (index, item) in node.items().enumerate() {
            sound &= is_any_text(item, schema)
                || self.step(Step::Item(index, item), |checker| match item.is_null() {
                    true => checker.wrong_type(item, schema),
                    false => checker.visit(item, schema, rule),
                });
        }
        sound
    }

    fn entries(&mut self, node: Node<'t>, schema: &'static Schema, rule: &'static Rule) -> bool {
        let mut sound = true;
        for (key, value) in node.entries() {
            sound &= is_any_text(value, schema)
                || self.step(Step::Key(key), |checker| match value.is_null() {
                    true => checker.wrong_type(value, schema),
                    false => checker.visit(value, schema, rule),
                });
        }
        sound
    }

    /// `x-kubernetes-list-map-keys`: no two items have the same value in a field.
    fn keys(&mut self, node: Node<'t>, key: &'static str, rule: &'static Rule) -> bool {
        let (mut seen, mut sound) = (BTreeSet::new(), true);
        for (index, item) in node.items().enumerate() {
            let Some(value) = item.get(key).filter(|value| !value.is_null()) else {
                continue;
            };
            if !seen.insert(value.text()) {
                let path = self.path([To::Index(index), To::Name(key)]);
                let message = format!("two items have the `{key}` {}", quote(value.text()));
                sound = self.report(rule, path, value.span(), message, None);
            }
        }
        sound
    }

    fn text(&mut self, node: Node<'t>, size: Size, rule: &'static Rule) -> bool {
        let text = node.text();
        if text.is_empty() && size.min > 0 {
            let help = Some("leave the field out, or give it a value".to_owned());
            return self.report_at(node, &CR_37, "the text is empty".to_owned(), help);
        }
        // A-CR-3: code points; no count is needed where even the bytes are few
        let fits = size.max.is_none_or(|max| text.len() <= max);
        let length = if fits { text.len() } else { text.chars().count() };
        self.size(node, length, Size { min: 0, ..size }, "characters", rule)
    }

    fn size(&mut self, node: Node<'t>, length: usize, size: Size, of: &str, rule: &'static Rule) -> bool {
        let bound = match size {
            Size { max: Some(max), .. } if length > max => format!("at most {max} are allowed"),
            Size { min, .. } if length < min => format!("at least {min} must be there"),
            _ => return true,
        };
        self.report_at(node, rule, format!("there are {length} {of}, {bound}"), None)
    }

    fn name(&mut self, node: Node<'t>, names: &'static [&'static str]) -> bool {
        let text = node.text();
        if names.contains(&text) {
            return true;
        }
        let same = names.iter().find(|name| name.eq_ignore_ascii_case(text)).copied();
        let help = match same.or_else(|| suggest::field(text, names.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", names.join(", ")),
        };
        self.report_at(node, &CR_2, format!("unknown value {}", quote(text)), Some(help))
    }

    fn base64(&mut self, node: Node<'t>, rule: &'static Rule) -> bool {
        let digits = node.text().trim_end_matches('=');
        let padding = node.text().len() - digits.len();
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        if node.text().len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit) {
            return true;
        }
        self.report_at(node, rule, format!("{} is no base64", quote(node.text())), None)
    }

    fn integer(
        &mut self,
        node: Node<'t>,
        number: Option<i128>,
        bounds: Bounds,
        schema: &'static Schema,
        rule: &'static Rule,
    ) -> bool {
        let fits = |number: i128| {
            bounds.min.is_none_or(|min| number >= i128::from(min))
                && bounds.max.is_none_or(|max| number <= i128::from(max))
        };
        if number.is_some_and(fits) {
            return true;
        }
        // what only exceeds the type is the type's fault
        let width = [I32, U32, U64]
            .iter()
            .any(|of| matches!(of.shape, Shape::Integer(range) if range == bounds));
        let rule = if width && schema.rule.is_none() {
            &CR_2
        } else {
            rule
        };
        let range = range(bounds.min.map(i128::from), bounds.max.map(i128::from));
        self.report_at(
            node,
            rule,
            format!("{} is out of range, {range}", quote(node.text())),
            None,
        )
    }

    fn number(&mut self, node: Node<'t>, min: Option<u32>, max: Option<u32>, rule: &'static Rule) -> bool {
        let number = node.as_float().unwrap_or(f64::NAN);
        let fits =
            min.is_none_or(|min| number >= f64::from(min)) && max.is_none_or(|max| number <= f64::from(max));
        if fits {
            return true;
        }
        let range = range(min.map(i128::from), max.map(i128::from));
        self.report_at(
            node,
            rule,
            format!("{} is out of range, {range}", quote(node.text())),
            None,
        )
    }

    fn wrong_type(&mut self, node: Node<'t>, schema: &'static Schema) -> bool {
        let needed = match schema.shape {
            Shape::Any | Shape::Map { .. } | Shape::Message { .. } => "a map",
            Shape::Boolean => "a boolean",
            Shape::Integer(_) => "an integer",
            Shape::List { .. } => "a list",
            Shape::Number { .. } => "a number",
            Shape::Base64 | Shape::Name(_) | Shape::Text(_) => "a string",
        };
        let written = match node.kind() {
            NodeKind::Null => "`null`".to_owned(),
            NodeKind::List | NodeKind::Map => node.kind().describe().to_owned(),
            _ => format!("{} is {} and", quote(node.text()), node.kind().describe()),
        };
        let help = match (needed, node.kind()) {
            ("a string", NodeKind::Bool | NodeKind::Int | NodeKind::Float) => {
                Some(format!("write \"{}\"", node.text()))
            }
            ("a list", kind) if kind != NodeKind::Null => Some("write `- ` before it".to_owned()),
            ("a boolean" | "an integer" | "a number", NodeKind::String) => {
                Some("write it without quotes".to_owned())
            }
            _ => None,
        };
        self.report_at(
            node,
            &CR_2,
            format!("{written} stands where {needed} is needed"),
            help,
        )
    }

    /// Asks the conditions of one language; whether all hold.
    fn checks(
        &mut self,
        node: Node<'t>,
        schema: &'static Schema,
        rule: &'static Rule,
        language: Language,
    ) -> bool {
        let mut fine = true;
        for check in schema.checks.iter().filter(|check| check.language == language) {
            fine &= match check.test {
                Test::Text(test) => test(node.text()) || self.broken(node, check, rule),
                Test::Node(test) => test(node) || self.broken(node, check, rule),
                Test::Integer(test) => {
                    node.as_int().or_else(|| whole(node)).is_some_and(test) || self.broken(node, check, rule)
                }
                Test::Keys(test) => self.broken_keys(node, check, test, rule),
            };
        }
        fine
    }

    fn broken(&mut self, node: Node<'t>, check: &Check, rule: &'static Rule) -> bool {
        let message = check.message.replacen("{}", &quote(node.text()), 1);
        let help = check.help.map(str::to_owned);
        match node
            .entries()
            .find(|(key, _)| !check.points_at.is_empty() && key.text() == check.points_at)
        {
            Some((key, value)) => self.step(Step::Key(key), |checker| {
                checker.report_at(value, rule, message, help)
            }),
            None => self.report_at(node, rule, message, help),
        }
    }

    fn broken_keys(
        &mut self,
        node: Node<'t>,
        check: &Check,
        test: fn(&str) -> bool,
        rule: &'static Rule,
    ) -> bool {
        let mut fine = true;
        for (key, _) in node.entries().filter(|(key, _)| !test(key.text())) {
            let message = check.message.replacen("{}", &quote(key.text()), 1);
            let path = self.path([To::Name(key.text())]);
            fine = self.report(rule, path, key.span(), message, check.help.map(str::to_owned));
        }
        fine
    }

    fn step<T>(&mut self, step: Step<'t>, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.steps.push(step);
        let value = inside(self);
        self.steps.pop();
        value
    }

    /// What is shown for the place where the checker stands: the key or item that leads there.
    fn shown(&self) -> Range<usize> {
        let start = self.object.span().start;
        self.steps.last().map_or(start..start, |step| step.shown())
    }

    fn path<const N: usize>(&self, below: [To<'_>; N]) -> FieldPath {
        let steps = self.steps.iter().map(|step| step.to()).chain(below);
        let segments: Vec<Segment> = steps
            .map(|to| match to {
                To::Index(index) => Segment::Index(index),
                To::Name(name) => Segment::Name(name.to_owned().into()),
            })
            .collect();
        FieldPath::from(segments)
    }

    /// A finding about the value where the checker stands.
    fn report_at(
        &mut self,
        node: Node<'t>,
        rule: &'static Rule,
        message: String,
        help: Option<String>,
    ) -> bool {
        let is_scalar = !matches!(node.kind(), NodeKind::List | NodeKind::Map);
        let span = if is_scalar && !node.span().is_empty() {
            node.span()
        } else {
            self.shown()
        };
        self.report(rule, self.path([]), span, message, help)
    }

    /// A finding about the key or item where the checker stands.
    fn report_here(&mut self, rule: &'static Rule, message: String, help: Option<String>) -> bool {
        self.report(rule, self.path([]), self.shown(), message, help)
    }

    /// Always false, so that checks can end with it.
    pub(super) fn report(
        &mut self,
        rule: &Rule,
        path: FieldPath,
        span: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> bool {
        let finding = match self.found.len().cmp(&MAX_FINDINGS) {
            std::cmp::Ordering::Less => Diagnostic::new(rule.code, rule.severity, message),
            std::cmp::Ordering::Equal => Diagnostic::new(
                codes::LIMIT,
                rule.severity,
                "there are more findings about this object",
            ),
            std::cmp::Ordering::Greater => return false,
        };
        let location = self.object.tree().source().location(span);
        let mut finding = finding
            .with_object(self.key.clone())
            .with_path(path)
            .with_location(location);
        finding.help = help;
        self.found.push(finding);
        false
    }
}

/// Whether a value is text, and text is all that is wanted: most values are, and there is nothing to look at.
#[inline]
fn is_any_text(node: Node<'_>, schema: &Schema) -> bool {
    matches!(schema.shape, Shape::Text(Size::ANY))
        && schema.checks.is_empty()
        && node.kind() == NodeKind::String
}

/// A number with a fraction of nothing, such as `80.0`, which counts as an integer (A-WIRE-5).
fn whole(node: Node<'_>) -> Option<i128> {
    let number = node.as_float().filter(|number| number.fract() == 0.0)?;
    // far beyond any bound the exact value does not matter
    (number.abs() < 1e30).then_some(number as i128)
}

fn range(min: Option<i128>, max: Option<i128>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max} is allowed"),
        (Some(min), None) => format!("at least {min} is allowed"),
        (None, Some(max)) => format!("at most {max} is allowed"),
        (None, None) => "a number is needed".to_owned(),
    }
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
