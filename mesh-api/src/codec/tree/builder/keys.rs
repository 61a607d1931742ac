//! The keys of a map that ended: all text, each there once, merge keys applied.

use std::collections::{HashMap, HashSet};

use super::{Builder, Measure, Step, position};
use crate::codec::fault::{Fault, codes, quote};
use crate::codec::options::YamlVersion;
use crate::codec::resolve;
use crate::codec::tree::{OWNED, PLAIN, Raw, Tag};

impl Builder<'_> {
    /// Checks the keys of a map that ended: makes them text, drops earlier twins, applies merge keys.
    pub(super) fn settle_map(&mut self, map: u32) -> Step {
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
        // a bit for each print that came
        let mut bits = 0_u64;
        for (count, (key, _)) in self.entries(map).enumerate() {
            let raw = self.raw(key);
            let text = self.text(raw).as_bytes();
            let print = fingerprint(text);
            let fits = raw.tag == Tag::Text && text != b"<<" && text.len() <= self.options.limits.key_bytes;
            let bit = bit_of(print);
            if !fits || (bits & bit != 0 && seen.iter().take(count).any(|other| *other == print)) {
                return false;
            }
            let Some(slot) = seen.get_mut(count) else {
                return false;
            };
            *slot = print;
            bits |= bit;
        }
        true
    }

    fn pairs(&self, map: u32) -> Vec<(u32, u32)> {
        self.entries(map).collect()
    }

    /// The nodes of keys and values.
    fn entries(&self, map: u32) -> impl Iterator<Item = (u32, u32)> {
        let map = self.raw(map);
        let mut key = map.a;
        (0..map.b / 2).map(move |_| {
            let value = self.raw(key).next;
            let next = self.raw(value).next;
            (std::mem::replace(&mut key, next), value)
        })
    }

    /// Makes a key text (A-PAR-8). `false` if it cannot be one.
    fn settle_key(&mut self, key: u32, resolved: Raw) -> Step<bool> {
        let own = self.raw(key);
        let span = own.start as usize..own.end as usize;
        let written = self.text(resolved);
        if written.len() > self.options.limits.key_bytes {
            let message = format!(
                "the key has {} bytes, at most {} are allowed",
                written.len(),
                self.options.limits.key_bytes
            );
            return Err(Fault::error(codes::LIMIT, span, message).into());
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
            raw.a = position(self.owned.len());
            self.owned.push_str(&text);
            raw.b = position(self.owned.len());
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
                let next = |item: &u32| Some(self.raw(*item).next);
                let items = std::iter::successors(Some(target.a), next);
                items.take(target.b as usize).collect()
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
    fn copy_pair(&mut self, key: u32, value: u32) -> Step<(u32, u32)> {
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
        let first = position(self.nodes.len());
        if self.nodes.len() + 2 > self.options.limits.nodes {
            return Err(self.too_many(span));
        }
        self.nodes.push(self.raw(key));
        self.nodes.push(Raw {
            tag: Tag::Alias,
            flags: 0,
            a: target,
            b: 0,
            ..raw
        });
        Ok((first, first + 1))
    }

    fn relink(&mut self, map: u32, pairs: &[(u32, u32)]) {
        let flat: Vec<u32> = pairs.iter().flat_map(|(key, value)| [*key, *value]).collect();
        for (id, next) in flat.iter().zip(flat.iter().skip(1)) {
            if let Some(raw) = self.nodes.get_mut(*id as usize) {
                raw.next = *next;
            }
        }
        let end = self.next_id();
        if let Some(raw) = self.nodes.get_mut(map as usize) {
            raw.a = flat.first().copied().unwrap_or(raw.a);
            raw.b = position(flat.len());
            // merge keys added nodes behind the map
            raw.next = end;
        }
    }
}

/// A number that differs for most texts that differ.
#[inline(always)]
pub(super) fn fingerprint(text: &[u8]) -> u64 {
    let length = (text.len() as u64).rotate_left(57);
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29) ^ length;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) ^ u64::from(last).rotate_left(29) ^ length;
    }
    text.iter()
        .fold(length, |print, byte| (print << 8) ^ u64::from(*byte))
}

/// The bit that stands for a fingerprint in a set of 64.
#[inline(always)]
pub(super) fn bit_of(print: u64) -> u64 {
    1 << (print.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
}
