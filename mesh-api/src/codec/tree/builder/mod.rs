//! Building the arena, from whichever scanner reads the text.

mod keys;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::{EMPTY, OWNED, PLAIN, Raw, Tag, Tree};
use crate::codec::fault::{Fault, codes, quote};
use crate::codec::options::{DecodeOptions, Limits, YamlVersion};
use crate::codec::resolve::{self, Resolved};
use crate::codec::source::Source;
use keys::{bit_of, fingerprint};

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
    /// The list or map that was opened last.
    frame: Frame,
    /// Those around it, and what stands for the document.
    open: Vec<Frame>,
    /// Where the last node ended.
    last_end: u32,
    /// What the open lists and maps amount to; empty where no anchor can stand.
    measures: Vec<Measure>,
    measures_anchors: bool,
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
#[derive(Clone, Copy, Default)]
struct Frame {
    id: u32,
    count: u32,
    anchor: usize,
    /// A bit for each key of a map that came, by its fingerprint.
    keys: u64,
    /// Whether the keys of a map must be looked at: two may be alike, or one is no plain text.
    unsettled: bool,
}

/// What a subtree amounts to when aliases are followed.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl Measure {
    fn scalar(bytes: usize) -> Self {
        Self {
            nodes: 1,
            bytes,
            height: 0,
        }
    }

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

/// A fault that ends the document; in a box, since there is none nearly always.
type Step<T = ()> = Result<T, Box<Fault>>;

impl<'o> Builder<'o> {
    pub(crate) fn new(source: Arc<Source>, options: &'o DecodeOptions) -> Self {
        Self {
            source,
            options,
            document: 0,
            nodes: Vec::new(),
            owned: String::new(),
            frame: Frame::default(),
            open: Vec::new(),
            last_end: 0,
            measures: Vec::new(),
            measures_anchors: false,
            anchors: HashMap::new(),
            expanded: Measure::default(),
            faults: Vec::new(),
        }
    }

    /// A builder for one document without anchors that has so many nodes.
    pub(crate) fn with_capacity(source: Arc<Source>, options: &'o DecodeOptions, nodes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes),
            ..Self::new(source, options)
        }
    }

    /// Begins a document without anchors, and forgets what was there.
    pub(crate) fn start(&mut self) {
        self.nodes.clear();
        self.owned.clear();
        self.frame = Frame::default();
        self.open.clear();
        self.measures.clear();
        self.measures_anchors = false;
        self.anchors.clear();
        self.expanded = Measure::default();
        self.faults.clear();
    }

    /// Begins a document of this size that may have anchors.
    pub(crate) fn start_with_anchors(&mut self, document: usize) {
        self.start();
        self.document = document;
        self.measures_anchors = true;
    }

    /// Reports something that does not end the document.
    pub(crate) fn report(&mut self, fault: Fault) {
        if self.faults.len() < self.options.limits.findings {
            self.faults.push(fault);
        }
    }

    /// The version of YAML that is read.
    pub(crate) fn yaml(&self) -> YamlVersion {
        self.options.yaml
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

    /// Says that the last scalar is a key of the open map, and what its text is. In maps whose scanner does not say so, all
    /// keys are looked at when the map ends.
    #[inline(always)]
    pub(crate) fn note_key(&mut self, text: &[u8]) {
        self.frame.unsettled |= self.nodes.last().is_none_or(|raw| raw.tag != Tag::Text);
        self.note_text_key(text);
    }

    /// As [`note_key`](Self::note_key), for a key that is text for sure.
    #[inline(always)]
    pub(crate) fn note_text_key(&mut self, text: &[u8]) {
        let limit = self.options.limits.key_bytes;
        let frame = &mut self.frame;
        let bit = bit_of(fingerprint(text));
        frame.unsettled |= frame.keys & bit != 0 || text == b"<<" || text.len() > limit;
        frame.keys |= bit;
    }

    /// A text in quotes that stands in the source as it is, in a document without anchors.
    #[inline]
    pub(crate) fn quoted(&mut self, start: usize, end: usize) -> Step {
        self.unanchored(Tag::Text, 0, start..end, start + 1..end - 1)
    }

    /// A text without quotes or tag that stands in the source as it is, in a document without anchors.
    #[inline(always)]
    pub(crate) fn unquoted_text(&mut self, start: usize, end: usize) -> Step {
        self.unanchored(Tag::Text, PLAIN, start..end, start..end)
    }

    /// A scalar without quotes or tag that stands in the source as it is, in a document without anchors.
    #[inline]
    pub(crate) fn unquoted(&mut self, resolved: Resolved, start: usize, end: usize) -> Step {
        let tag = self.tag_of(resolved, start..end);
        self.unanchored(tag, PLAIN, start..end, start..end)
    }

    /// The start of a map.
    #[inline]
    pub(crate) fn open_map(&mut self, start: usize, anchor: usize) -> Step {
        self.open_container(Tag::Map, start, anchor)
    }

    /// The start of a list.
    #[inline]
    pub(crate) fn open_list(&mut self, start: usize, anchor: usize) -> Step {
        self.open_container(Tag::List, start, anchor)
    }

    /// The end of the list or map that was opened last. `end` is known for brackets and braces.
    #[inline]
    pub(crate) fn close(&mut self, end: Option<usize>) -> Step {
        let Some(around) = self.open.pop() else {
            return Ok(());
        };
        let frame = std::mem::replace(&mut self.frame, around);
        let (last_end, next) = (self.last_end, self.next_id());
        let Some(raw) = self.nodes.get_mut(frame.id as usize) else {
            return Ok(());
        };
        let inner_end = if frame.count == 0 { raw.end } else { last_end };
        raw.end = end.map_or(inner_end, position).max(raw.start);
        raw.b = frame.count;
        raw.next = next;
        self.last_end = raw.end;
        let unsettled = raw.tag == Tag::Map && (frame.unsettled || frame.keys == 0);
        if self.measures_anchors
            && let Some(measure) = self.measures.pop()
        {
            self.measured(frame.anchor, frame.id, measure);
        }
        if unsettled && frame.count > 0 {
            self.settle_map(frame.id)
        } else {
            Ok(())
        }
    }

    /// Counts a node that ended, for aliases that may refer to it or to what is around.
    fn measured(&mut self, anchor: usize, id: u32, measure: Measure) {
        if anchor != 0 {
            let measure = Some(measure);
            self.anchors.insert(anchor, Anchor { id, measure });
        }
        if let Some(parent) = self.measures.last_mut() {
            parent.add(measure);
        }
    }

    /// In a flow list, YAML 1.2 reads `[001:db8::]` as a list of one map with the key `001:db8:`; the Kubernetes tools
    /// read text, since no white space follows the colon. If the open map is of that form, it ends as that text.
    pub(crate) fn close_colon(&mut self) -> bool {
        let (Some(measure), [_, .., parent]) = (self.measures.last(), self.open.as_slice()) else {
            return false; // in no list
        };
        let frame = self.frame;
        let (id, map) = (frame.id, self.raw(frame.id));
        let (key, value) = (self.raw(id + 1), self.raw(id + 2));
        let in_list = self.raw(parent.id).tag == Tag::List;
        let plain = key.flags & PLAIN != 0 && key.flags & OWNED == 0 && key.start == map.start;
        let empty = frame.count == 2 && measure.nodes == 3 && value.tag == Tag::Null && value.a == value.b;
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
        self.frame = self.open.pop().unwrap_or_default();
        self.measures.pop();
        let end = key.end + 1;
        let next = position(self.nodes.len());
        if let Some(raw) = self.nodes.get_mut(id as usize) {
            *raw = Raw {
                tag: Tag::Text,
                flags: PLAIN,
                start: key.start,
                end,
                a: key.start,
                b: end,
                next,
            };
        }
        self.last_end = end;
        let bytes = (end - key.start) as usize;
        self.measured(0, id, Measure::scalar(bytes));
        true
    }

    /// A reference to an anchored node.
    pub(crate) fn alias(&mut self, span: Range<usize>, anchor: usize) -> Step {
        let Some(&Anchor { id, measure }) = self.anchors.get(&anchor) else {
            return Err(Fault::error(codes::ALIAS, span, "the alias has no anchor").into());
        };
        let Some(measure) = measure else {
            let message = "the alias stands inside the node that it refers to";
            return Err(Fault::error(codes::ALIAS, span, message).into());
        };
        self.expand(&span, measure)?;
        if self.open.len() + measure.height > self.options.limits.depth {
            return Err(self.too_deep(span));
        }
        let next = self.next_id() + 1;
        self.push(Raw {
            tag: Tag::Alias,
            flags: 0,
            start: position(span.start),
            end: position(span.end),
            a: id,
            b: 0,
            next,
        })?;
        self.measured(0, id, measure);
        Ok(())
    }

    /// The tree, and what was found. `None` if no node came.
    pub(crate) fn finish(&mut self) -> (Option<Tree>, Vec<Fault>) {
        let tree = (!self.nodes.is_empty()).then(|| Tree {
            source: Arc::clone(&self.source),
            nodes: self.nodes.as_slice().into(),
            owned: self.owned.as_str().into(),
            yaml: self.options.yaml,
        });
        (tree, std::mem::take(&mut self.faults))
    }

    /// The tree of the only document. `None` if no node came.
    pub(crate) fn into_tree(self) -> Option<Tree> {
        (!self.nodes.is_empty()).then(|| Tree {
            source: self.source,
            nodes: self.nodes.into_boxed_slice(),
            owned: self.owned.into_boxed_str(),
            yaml: self.options.yaml,
        })
    }

    fn scalar(
        &mut self,
        resolved: Resolved,
        flags: u8,
        span: Range<usize>,
        text: ScalarText<'_>,
        anchor: usize,
    ) -> Step {
        let tag = self.tag_of(resolved, span.clone());
        let (text, owned) = match text {
            ScalarText::Slice(range) => (range, 0),
            ScalarText::Owned(text) => {
                let start = self.owned.len();
                self.owned.push_str(text);
                (start..self.owned.len(), OWNED)
            }
        };
        let (id, bytes) = (self.next_id(), text.len());
        self.unanchored(tag, flags | owned, span, text)?;
        if self.measures_anchors {
            self.measured(anchor, id, Measure::scalar(bytes));
        }
        Ok(())
    }

    #[inline]
    fn tag_of(&mut self, resolved: Resolved, span: Range<usize>) -> Tag {
        match resolved {
            Resolved::Null => Tag::Null,
            Resolved::Bool(false) => Tag::False,
            Resolved::Bool(true) => Tag::True,
            Resolved::Int => Tag::Int,
            Resolved::Float => Tag::Float,
            Resolved::Text => Tag::Text,
            Resolved::NotFinite => {
                self.report_not_finite(span);
                Tag::Float
            }
        }
    }

    #[inline(always)]
    fn unanchored(&mut self, tag: Tag, flags: u8, span: Range<usize>, text: Range<usize>) -> Step {
        if text.len() > self.options.limits.scalar_bytes {
            return Err(self.too_long(span, text.len()));
        }
        self.push(Raw {
            tag,
            flags,
            start: position(span.start),
            end: position(span.end),
            a: position(text.start),
            b: position(text.end),
            next: self.next_id() + 1,
        })
    }

    #[cold]
    fn report_not_finite(&mut self, span: Range<usize>) {
        let message = format!("{} has no form in JSON", quote(self.source.slice(span.clone())));
        let fault = Fault::error(codes::SCALAR, span, message);
        self.report(fault.with_help("quote it, or write a number"));
    }

    #[cold]
    fn too_long(&self, span: Range<usize>, bytes: usize) -> Box<Fault> {
        let limit = self.options.limits.scalar_bytes;
        let message = format!("the scalar has {bytes} bytes, at most {limit} are allowed");
        Fault::error(codes::LIMIT, span, message).into()
    }

    #[inline(always)]
    fn open_container(&mut self, tag: Tag, start: usize, anchor: usize) -> Step {
        if self.open.len() >= self.options.limits.depth {
            return Err(self.too_deep(start..start + 1));
        }
        let id = self.next_id();
        self.push(Raw {
            tag,
            flags: 0,
            start: position(start),
            end: position(start),
            a: id + 1,
            b: 0,
            next: id + 1,
        })?;
        self.open.push(self.frame);
        self.frame = Frame {
            id,
            count: 0,
            anchor,
            keys: 0,
            unsettled: false,
        };
        if self.measures_anchors {
            self.measures.push(Measure::scalar(0));
            if anchor != 0 {
                self.anchors.insert(anchor, Anchor { id, measure: None });
            }
        }
        Ok(())
    }

    fn next_id(&self) -> u32 {
        position(self.nodes.len())
    }

    /// Adds a node as the last child of the open list or map.
    #[inline(always)]
    fn push(&mut self, raw: Raw) -> Step {
        if self.nodes.len() >= self.options.limits.nodes {
            return Err(self.too_many(raw.start as usize..raw.end as usize));
        }
        self.last_end = raw.end;
        self.nodes.push(raw);
        self.frame.count += 1;
        Ok(())
    }

    #[cold]
    fn too_many(&self, span: Range<usize>) -> Box<Fault> {
        let message = format!("the document has more than {} nodes", self.options.limits.nodes);
        Fault::error(codes::LIMIT, span, message).into()
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
            let message = "the alias expansion is too large";
            return Err(Fault::error(codes::ALIAS, span.clone(), message).into());
        }
        Ok(())
    }

    #[cold]
    fn too_deep(&self, span: Range<usize>) -> Box<Fault> {
        let limit = self.options.limits.depth;
        let message = format!("lists and maps are nested deeper than {limit}");
        Fault::error(codes::LIMIT, span, message).into()
    }

    fn raw(&self, id: u32) -> Raw {
        self.nodes.get(id as usize).copied().unwrap_or(EMPTY)
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
}

/// Positions and numbers of nodes fit 32 bits: the input's size is checked before (A-PAR-11).
fn position(at: usize) -> u32 {
    at as u32
}
