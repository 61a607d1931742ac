//! Where analyzers put their messages.

use std::collections::BTreeMap;

use super::suppress::is_suppressed_by_annotation;
use super::{AnalyzeOptions, Message, MessageType};
use crate::object::{Model, Object, ObjectKey};
use crate::object_set::ObjectSet;
use crate::report::FieldPath;

/// Collects messages, up to a limit.
pub(super) struct Sink<'a> {
    objects: &'a ObjectSet,
    options: &'a AnalyzeOptions,
    analyzer: &'static str,
    messages: Vec<Message>,
    is_cut: bool,
}

impl<'a> Sink<'a> {
    pub(super) fn new(objects: &'a ObjectSet, options: &'a AnalyzeOptions) -> Self {
        Self {
            objects,
            options,
            analyzer: "",
            messages: Vec::new(),
            is_cut: false,
        }
    }

    /// Who the next messages come from.
    pub(super) fn set_analyzer(&mut self, name: &'static str) {
        self.analyzer = name;
    }

    /// Adds a message about a field of an object, unless the object or the caller does not want to hear it.
    pub(super) fn report<T: Model, const N: usize>(
        &mut self,
        kind: &'static MessageType,
        object: &Object<T>,
        path: FieldPath,
        parameters: [String; N],
    ) {
        self.report_key(kind, object.key(), path, parameters);
    }

    /// The same for an object known by its key.
    pub(super) fn report_key<const N: usize>(
        &mut self,
        kind: &'static MessageType,
        object: ObjectKey,
        path: FieldPath,
        parameters: [String; N],
    ) {
        debug_assert_eq!(kind.parameters().count(), N, "{}", kind.code);
        if self.is_full() {
            return;
        }
        let meta = self.objects.get(&object).map(|object| object.meta());
        if meta.is_some_and(|meta| is_suppressed_by_annotation(meta, kind))
            || self
                .options
                .suppressions
                .iter()
                .any(|rule| rule.covers(kind, &object))
        {
            return;
        }
        self.messages.push(Message {
            kind,
            analyzer: self.analyzer,
            location: self.objects.location(&object, &path),
            object,
            path,
            more_paths: Vec::new(),
            parameters: parameters.into(),
        });
    }

    /// Whether no more messages are taken; loops that are not linear stop then.
    pub(super) fn is_full(&mut self) -> bool {
        self.is_cut |= self.messages.len() >= self.options.max_messages;
        self.is_cut
    }

    /// The messages, each once (A-AN-1), in their order; and whether some were not taken.
    pub(super) fn finish(self) -> (Vec<Message>, bool) {
        let mut sorted = self.messages;
        sorted.sort_by_cached_key(Message::sort_key);
        let mut seen = BTreeMap::new();
        let mut messages: Vec<Message> = Vec::with_capacity(sorted.len());
        for message in sorted {
            match seen
                .get(&message.identity())
                .copied()
                .and_then(|at: usize| messages.get_mut(at))
            {
                Some(first) => {
                    if first.path != message.path && !first.more_paths.contains(&message.path) {
                        first.more_paths.push(message.path);
                    }
                }
                None => {
                    seen.insert(message.identity(), messages.len());
                    messages.push(message);
                }
            }
        }
        (messages, self.is_cut)
    }
}
