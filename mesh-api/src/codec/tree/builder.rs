//! Building the arena, from whichever scanner reads the text.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::super::fault::{Fault, codes, quote};
use super::super::options::{DecodeOptions, Limits, YamlVersion};
use super::super::resolve::{self, Resolved};
use super::super::source::Source;
use super::{NONE, OWNED, PLAIN, Raw, Tag, Tree};

/// Takes nodes in the order of the text and makes a [`Tree`]: the seam between scanners and the arena.
///
/// It enforces the limits of depth, size and alias expansion (A-PAR-9, A-PAR-11), makes keys text (A-PAR-8), reports keys
/// that stand twice (A-PAR-6) and applies merge keys. An `Err` ends the document; other faults are collected.
pub(crate) struct Builder<'o> {
    source: Arc<Source>,
    options: &'o DecodeOptions,
    /// The size of the document, against which alias expansion is measured.
    document: usize,
    nodes: Vec<Raw>,
    owned: String,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    expanded: Measure,
    faults: Vec<Fault>,
}

/// The text of a scalar.
pub(crate) enum ScalarText<'a> {
    /// A range of the source.
    Slice(Range<usize>),
    /// Text that differs from the source.
    Owned(&'a str),
}

/// A list or map whose end has not come yet.
struct Frame {
    id: u32,
    first: u32,
    last: u32,
    count: u32,
    anchor: usize,
    measure: Measure,
}

/// What a subtree amounts to when aliases are followed.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl Measure {
    fn add(&mut self, child: Measure) {
        self.nodes = self.nodes.saturating_add(child.nodes);
        self.bytes = self.bytes.saturating_add(child.bytes);
        self.height = self.height.max(child.height + 1);
    }
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    id: u32,
    /// `None` while the anchored node is still open.
    measure: Option<Measure>,
}

type Step = Result<(), Fault>;

impl<'o> Builder<'o> {
    pub(crate) fn new(source: Arc<Source>, document: usize, options: &'o DecodeOptions) -> Self {
        Self {
            source,
            options,
            document,
            // a node takes about a dozen bytes of text; of JSON in a row, the document's size is not known yet
            nodes: Vec::with_capacity((document / 12).min(4096)),
            owned: String::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            expanded: Measure::default(),
            faults: Vec::new(),
        }
    }

    /// Reports something that does not end the document.
    pub(crate) fn report(&mut self, fault: Fault) {
        if self.faults.len() < self.options.limits.findings {
            self.faults.push(fault);
        }
    }

    /// Whether no node came yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether no list or map is open.
    pub(crate) fn is_at_top(&self) -> bool {
        self.open.is_empty()
    }

    /// A scalar without quotes or tag, resolved by its text.
    pub(crate) fn plain(&mut self, span: Range<usize>, text: ScalarText<'_>, anchor: usize) -> Step {
        let resolved = match &text {
            ScalarText::Slice(range) => resolve::resolve(self.source.slice(range.clone()), self.options.yaml),
            ScalarText::Owned(text) => resolve::resolve(text, self.options.yaml),
        };
        self.scalar(resolved, PLAIN, span, text, anchor)
    }

    /// A scalar whose type is known: quoted, tagged, or from JSON.
    pub(crate) fn typed(
        &mut self,
        resolved: Resolved,
        span: Range<usize>,
        text: ScalarText<'_>,
        anchor: usize,
    ) -> Step {
        self.scalar(resolved, 0, span, text, anchor)
    }

    /// The start of a map.
    pub(crate) fn open_map(&mut self, start: usize, anchor: usize) -> Step {
        self.open_container(Tag::Map, start, anchor)
    }

    /// The start of a list.
    pub(crate) fn open_list(&mut self, start: usize, anchor: usize) -> Step {
        self.open_container(Tag::List, start, anchor)
    }

    /// The end of the list or map that was opened last. `end` is known for brackets and braces.
    pub(crate) fn close(&mut self, end: Option<usize>) -> Step {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let last_end = self.nodes.get(frame.last as usize).map(|raw| raw.end);
        let end = end.map(clamp).or(last_end);
        let Some(raw) = self.nodes.get_mut(frame.id as usize) else {
            return Ok(());
        };
        raw.end = end.unwrap_or(raw.end).max(raw.start);
        (raw.a, raw.b) = (frame.first, frame.count);
        let map = raw.tag == Tag::Map;
        if frame.anchor != 0 {
            self.anchors.insert(
                frame.anchor,
                Anchor {
                    id: frame.id,
                    measure: Some(frame.measure),
                },
            );
        }
        if let Some(parent) = self.open.last_mut() {
            parent.measure.add(frame.measure);
        }
        if map { self.settle_map(frame.id) } else { Ok(()) }
    }

    /// In a flow list, YAML 1.2 reads `[001:db8::]` as a list of one map with the key `001:db8:`; the Kubernetes tools
    /// read text, since no white space follows the colon. If the open map is of that form, it ends as that text.
    pub(crate) fn close_colon(&mut self) -> bool {
        let Some(frame) = self.open.last() else {
            return false;
        };
        let (id, map) = (frame.id, self.raw(frame.id));
        let (key, value) = (self.raw(frame.first), self.raw(self.raw(frame.first).next));
        let in_list = self
            .open
            .iter()
            .nth_back(1)
            .is_some_and(|parent| self.raw(parent.id).tag == Tag::List);
        let plain = key.flags & PLAIN != 0 && key.flags & OWNED == 0 && key.start == map.start;
        let empty =
            frame.count == 2 && frame.measure.nodes == 3 && value.tag == Tag::Null && value.a == value.b;
        let after = self.source.text().get(key.end as usize..).unwrap_or_default();
        if !(in_list
            && plain
            && empty
            && after
                .strip_prefix(':')
                .is_some_and(|rest| rest.starts_with([',', ']'])))
        {
            return false;
        }
        self.open.pop();
        let end = key.end + 1;
        if let Some(raw) = self.nodes.get_mut(id as usize) {
            *raw = Raw {
                tag: Tag::Text,
                flags: PLAIN,
                start: key.start,
                end,
                a: key.start,
                b: end,
                next: NONE,
            };
        }
        if let Some(parent) = self.open.last_mut() {
            parent.measure.add(Measure {
                nodes: 1,
                bytes: (end - key.start) as usize,
                height: 0,
            });
        }
        true
    }

    /// A reference to an anchored node.
    pub(crate) fn alias(&mut self, span: Range<usize>, anchor: usize) -> Step {
        let Some(&Anchor { id, measure }) = self.anchors.get(&anchor) else {
            return Err(Fault::error(codes::ALIAS, span, "the alias has no anchor"));
        };
        let Some(measure) = measure else {
            return Err(Fault::error(
                codes::ALIAS,
                span,
                "the alias stands inside the node that it refers to",
            ));
        };
        self.expand(&span, measure)?;
        if self.open.len() + measure.height > self.options.limits.depth {
            return Err(self.too_deep(span));
        }
        self.push(Raw {
            tag: Tag::Alias,
            flags: 0,
            start: clamp(span.start),
            end: clamp(span.end),
            a: id,
            b: 0,
            next: NONE,
        })?;
        if let Some(parent) = self.open.last_mut() {
            parent.measure.add(measure);
        }
        Ok(())
    }

    /// The tree, and what was found. `None` if no node came.
    pub(crate) fn finish(self) -> (Option<Tree>, Vec<Fault>) {
        let Self {
            source,
            options,
            mut nodes,
            owned,
            faults,
            ..
        } = self;
        nodes.shrink_to_fit();
        let tree = (!nodes.is_empty()).then(|| Tree {
            source,
            nodes,
            owned,
            yaml: options.yaml,
        });
        (tree, faults)
    }

    fn scalar(
        &mut self,
        resolved: Resolved,
        flags: u8,
        span: Range<usize>,
        text: ScalarText<'_>,
        anchor: usize,
    ) -> Step {
        let tag = match resolved {
            Resolved::Null => Tag::Null,
            Resolved::Bool(false) => Tag::False,
            Resolved::Bool(true) => Tag::True,
            Resolved::Int => Tag::Int,
            Resolved::Float => Tag::Float,
            Resolved::Text => Tag::Text,
            Resolved::NotFinite => {
                let message = format!("{} has no form in JSON", quote(self.source.slice(span.clone())));
                self.report(
                    Fault::error(codes::SCALAR, span.clone(), message)
                        .with_help("quote it, or write a number"),
                );
                Tag::Float
            }
        };
        let (a, b, owned) = match text {
            ScalarText::Slice(range) => (range.start, range.end, 0),
            ScalarText::Owned(text) => {
                let start = self.owned.len();
                self.owned.push_str(text);
                (start, self.owned.len(), OWNED)
            }
        };
        if b - a > self.options.limits.scalar_bytes {
            let message = format!(
                "the scalar has {} bytes, at most {} are allowed",
                b - a,
                self.options.limits.scalar_bytes
            );
            return Err(Fault::error(codes::LIMIT, span, message));
        }
        let id = self.push(Raw {
            tag,
            flags: flags | owned,
            start: clamp(span.start),
            end: clamp(span.end),
            a: clamp(a),
            b: clamp(b),
            next: NONE,
        })?;
        let measure = Measure {
            nodes: 1,
            bytes: b - a,
            height: 0,
        };
        if anchor != 0 {
            self.anchors.insert(
                anchor,
                Anchor {
                    id,
                    measure: Some(measure),
                },
            );
        }
        if let Some(parent) = self.open.last_mut() {
            parent.measure.add(measure);
        }
        Ok(())
    }

    fn open_container(&mut self, tag: Tag, start: usize, anchor: usize) -> Step {
        if self.open.len() >= self.options.limits.depth {
            return Err(self.too_deep(start..start + 1));
        }
        let position = clamp(start);
        let id = self.push(Raw {
            tag,
            flags: 0,
            start: position,
            end: position,
            a: NONE,
            b: 0,
            next: NONE,
        })?;
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { id, measure: None });
        }
        self.open.push(Frame {
            id,
            first: NONE,
            last: NONE,
            count: 0,
            anchor,
            measure: Measure {
                nodes: 1,
                bytes: 0,
                height: 0,
            },
        });
        Ok(())
    }

    /// Adds a node as the last child of the open list or map.
    fn push(&mut self, raw: Raw) -> Result<u32, Fault> {
        let limit = self.options.limits.nodes;
        if self.nodes.len() >= limit {
            let message = format!("the document has more than {limit} nodes");
            return Err(Fault::error(
                codes::LIMIT,
                raw.start as usize..raw.end as usize,
                message,
            ));
        }
        let id = clamp(self.nodes.len());
        self.nodes.push(raw);
        let Some(frame) = self.open.last_mut() else {
            return Ok(id);
        };
        let last = std::mem::replace(&mut frame.last, id);
        frame.count += 1;
        if last == NONE {
            frame.first = id;
            return Ok(id);
        }
        if let Some(last) = self.nodes.get_mut(last as usize) {
            last.next = id;
        }
        Ok(id)
    }

    /// Counts what an alias stands for against the budget (A-PAR-9).
    fn expand(&mut self, span: &Range<usize>, measure: Measure) -> Step {
        let Limits {
            alias_nodes,
            alias_ratio,
            ..
        } = self.options.limits;
        self.expanded.add(measure);
        let bytes = alias_ratio.saturating_mul(self.document).max(64 << 10);
        if self.expanded.nodes > alias_nodes || self.expanded.bytes > bytes {
            return Err(Fault::error(
                codes::ALIAS,
                span.clone(),
                "the alias expansion is too large",
            ));
        }
        Ok(())
    }

    fn too_deep(&self, span: Range<usize>) -> Fault {
        let message = format!(
            "lists and maps are nested deeper than {}",
            self.options.limits.depth
        );
        Fault::error(codes::LIMIT, span, message)
    }

    fn raw(&self, id: u32) -> Raw {
        self.nodes.get(id as usize).copied().unwrap_or(super::EMPTY)
    }

    fn resolved(&self, mut id: u32) -> Raw {
        loop {
            let raw = self.raw(id);
            if raw.tag != Tag::Alias || raw.a >= id {
                return raw;
            }
            id = raw.a;
        }
    }

    fn text(&self, raw: Raw) -> &str {
        let range = raw.a as usize..raw.b as usize;
        if raw.flags & OWNED != 0 {
            self.owned.get(range).unwrap_or_default()
        } else {
            self.source.slice(range)
        }
    }

    /// Checks the keys of a map that ended: makes them text, drops earlier twins, applies merge keys.
    fn settle_map(&mut self, map: u32) -> Step {
        if self.is_settled(map) {
            return Ok(());
        }
        let mut pairs = self.pairs(map);
        let mut changed = false;
        let mut merges = Vec::new();
        let mut kept = Vec::with_capacity(pairs.len());
        for (key, value) in pairs.drain(..) {
            let raw = self.resolved(key);
            if raw.tag == Tag::Text && raw.flags & PLAIN != 0 && self.text(raw) == "<<" {
                merges.push(value);
                changed = true;
            } else if self.settle_key(key, raw)? {
                kept.push((key, value));
            } else {
                changed = true;
            }
        }
        changed |= self.drop_twins(&mut kept);
        for value in merges {
            self.merge(value, &mut kept)?;
        }
        if changed {
            self.relink(map, &kept);
        }
        Ok(())
    }

    /// Whether all keys of a map are text, none is a merge key and no two are alike. It tells so of nearly all maps, without
    /// allocating; `false` means that it is not sure.
    fn is_settled(&self, map: u32) -> bool {
        let mut seen = [0; 16];
        let mut count = 0;
        let mut next = self.raw(map).a;
        while next != NONE {
            let key = self.raw(next);
            let text = self.text(key);
            let print = fingerprint(text);
            let fits = key.tag == Tag::Text && text != "<<" && text.len() <= self.options.limits.key_bytes;
            if !fits || seen.iter().take(count).any(|other| *other == print) {
                return false;
            }
            let Some(slot) = seen.get_mut(count) else {
                return false;
            };
            *slot = print;
            count += 1;
            next = self.raw(key.next).next;
        }
        true
    }

    fn pairs(&self, map: u32) -> Vec<(u32, u32)> {
        let mut pairs = Vec::with_capacity(self.raw(map).b as usize / 2);
        let mut key = self.raw(map).a;
        while key != NONE {
            let value = self.raw(key).next;
            if value == NONE {
                break;
            }
            pairs.push((key, value));
            key = self.raw(value).next;
        }
        pairs
    }

    /// Makes a key text (A-PAR-8). `false` if it cannot be one.
    fn settle_key(&mut self, key: u32, resolved: Raw) -> Result<bool, Fault> {
        let own = self.raw(key);
        let span = own.start as usize..own.end as usize;
        let written = self.text(resolved);
        if written.len() > self.options.limits.key_bytes {
            let message = format!(
                "the key has {} bytes, at most {} are allowed",
                written.len(),
                self.options.limits.key_bytes
            );
            return Err(Fault::error(codes::LIMIT, span, message));
        }
        let text = match resolved.tag {
            Tag::Text => None,
            Tag::True | Tag::False => Some(if resolved.tag == Tag::True {
                "true".to_owned()
            } else {
                "false".to_owned()
            }),
            Tag::Int => resolve::parse_int(written, self.options.yaml).map(|number| number.to_string()),
            Tag::Float => resolve::parse_float(written).map(|number| number.to_string()),
            Tag::Null | Tag::List | Tag::Map | Tag::Alias => {
                let what = if resolved.tag == Tag::Null {
                    "null"
                } else {
                    "a list or map"
                };
                self.report(Fault::error(
                    codes::KEY,
                    span,
                    format!("the key is {what}, keys are text"),
                ));
                return Ok(false);
            }
        };
        let changed = text.as_deref().filter(|text| *text != written).map(str::to_owned);
        let surprising = matches!(resolved.tag, Tag::True | Tag::False) && changed.is_some();
        if surprising && written.len() <= 3 && self.options.yaml == YamlVersion::Kubernetes {
            let message = format!(
                "the key {} is a boolean in YAML 1.1 and becomes `{}`",
                quote(written),
                text.unwrap_or_default()
            );
            let help = format!("write \"{written}\" in quotes");
            self.report(Fault::warning(codes::KEY, span, message).with_help(help));
        }
        let mut raw = Raw {
            tag: Tag::Text,
            start: own.start,
            end: own.end,
            next: own.next,
            ..resolved
        };
        if let Some(text) = changed {
            raw.a = clamp(self.owned.len());
            self.owned.push_str(&text);
            raw.b = clamp(self.owned.len());
            raw.flags |= OWNED;
        }
        if let Some(slot) = self.nodes.get_mut(key as usize) {
            *slot = raw;
        }
        Ok(true)
    }

    /// Keeps the last of entries with one key, and reports the others (A-PAR-6).
    fn drop_twins(&mut self, pairs: &mut Vec<(u32, u32)>) -> bool {
        if pairs.len() <= 8 {
            let twin = |i: usize, key: u32| {
                let text = self.text(self.raw(key));
                pairs
                    .iter()
                    .skip(i + 1)
                    .any(|(other, _)| self.text(self.raw(*other)) == text)
            };
            if !pairs.iter().enumerate().any(|(i, (key, _))| twin(i, *key)) {
                return false;
            }
        }
        let mut last: HashMap<&str, u32> = HashMap::with_capacity(pairs.len());
        let mut twins = Vec::new();
        for (key, _) in pairs.iter() {
            if let Some(first) = last.insert(self.text(self.raw(*key)), *key) {
                twins.push((first, *key));
            }
        }
        for (first, second) in &twins {
            self.report_twin(*first, *second);
        }
        let dropped: HashSet<u32> = twins.iter().map(|(first, _)| *first).collect();
        pairs.retain(|(key, _)| !dropped.contains(key));
        !dropped.is_empty()
    }

    fn report_twin(&mut self, first: u32, second: u32) {
        if !self.options.profile.has_api_server() {
            return; // quirk A-PAR-6: istiod keeps the last without a word
        }
        let (first, second) = (self.raw(first), self.raw(second));
        let (line, column) = self.source.line_and_column(first.start as usize);
        let message = format!(
            "the key {} stands twice, first at {line}:{column}",
            quote(self.text(second))
        );
        let fault = Fault::error(
            codes::DUPLICATE_KEY,
            second.start as usize..second.end as usize,
            message,
        );
        self.report(fault.with_help("remove one"));
    }

    /// Adds the entries of a merge key's value whose keys are not there yet.
    fn merge(&mut self, value: u32, pairs: &mut Vec<(u32, u32)>) -> Step {
        let target = self.resolved(value);
        let sources = match target.tag {
            Tag::Map => vec![value],
            Tag::List => {
                let mut items = Vec::new();
                let mut item = target.a;
                while item != NONE {
                    items.push(item);
                    item = self.raw(item).next;
                }
                items
            }
            _ => Vec::new(),
        };
        let all_maps = sources.iter().all(|id| self.resolved(*id).tag == Tag::Map);
        if !all_maps || (sources.is_empty() && target.tag != Tag::List) {
            let raw = self.raw(value);
            let span = raw.start as usize..raw.end as usize;
            self.report(Fault::error(
                codes::ALIAS,
                span,
                "a merge key takes a map or a list of maps",
            ));
            return Ok(());
        }
        let mut known: HashSet<String> = pairs
            .iter()
            .map(|(key, _)| self.text(self.raw(*key)).to_owned())
            .collect();
        for source in sources {
            let id = self.map_id(source);
            for (key, value) in self.pairs(id) {
                let text = self.text(self.raw(key)).to_owned();
                if known.insert(text) {
                    pairs.push(self.copy_pair(key, value)?);
                }
            }
        }
        Ok(())
    }

    fn map_id(&self, mut id: u32) -> u32 {
        while self.raw(id).tag == Tag::Alias && self.raw(id).a < id {
            id = self.raw(id).a;
        }
        id
    }

    /// A key again, and an alias for its value.
    fn copy_pair(&mut self, key: u32, value: u32) -> Result<(u32, u32), Fault> {
        let raw = self.raw(value);
        let span = raw.start as usize..raw.end as usize;
        let target = self.map_id(value);
        self.expand(
            &span,
            Measure {
                nodes: 2,
                bytes: 0,
                height: 0,
            },
        )?;
        let first = clamp(self.nodes.len());
        let limit = self.options.limits.nodes;
        if self.nodes.len() + 2 > limit {
            return Err(Fault::error(
                codes::LIMIT,
                span,
                format!("the document has more than {limit} nodes"),
            ));
        }
        self.nodes.push(Raw {
            next: NONE,
            ..self.raw(key)
        });
        self.nodes.push(Raw {
            tag: Tag::Alias,
            flags: 0,
            a: target,
            b: 0,
            next: NONE,
            ..raw
        });
        Ok((first, first + 1))
    }

    fn relink(&mut self, map: u32, pairs: &[(u32, u32)]) {
        let flat: Vec<u32> = pairs.iter().flat_map(|(key, value)| [*key, *value]).collect();
        for (index, id) in flat.iter().enumerate() {
            let next = flat.get(index + 1).copied().unwrap_or(NONE);
            if let Some(raw) = self.nodes.get_mut(*id as usize) {
                raw.next = next;
            }
        }
        if let Some(raw) = self.nodes.get_mut(map as usize) {
            raw.a = flat.first().copied().unwrap_or(NONE);
            raw.b = clamp(flat.len());
        }
    }
}

/// A number that differs for most texts that differ.
fn fingerprint(text: &str) -> u64 {
    let bytes = text.as_bytes();
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let last = u64::from_le_bytes(*last).rotate_left(29);
            u64::from_le_bytes(*first) ^ last ^ (bytes.len() as u64).rotate_left(57)
        }
        _ => bytes
            .iter()
            .fold(bytes.len() as u64, |print, byte| (print << 8) | u64::from(*byte)),
    }
}

/// Positions fit 32 bits: the input's size is checked before (A-PAR-11).
fn clamp(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(NONE - 1)
}
