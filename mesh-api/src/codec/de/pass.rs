//! All findings of a value at once, although serde stops at the first.

use std::cell::Cell;

use serde::Deserialize;

use super::super::Profile;
use super::super::fault::{Fault, codes, quote};
use super::super::suggest;
use super::super::tree::Node;
use super::error::{Error, Place};
use super::{Context, Dialect, Hidden, Link, NodeDe, UnknownField};
use crate::report::FieldPath;

/// Decodes a node, passing over what does not fit: an error masks its node, and the rest is decoded again.
///
/// The bytes of the value are taken from `budget`. `base` is the path of the node in its object, `hidden` are keys of it that are not part of the value. The value is what
/// remains without the masked nodes; it is `None` if the node itself does not fit.
pub(crate) fn decode<'t, T: Deserialize<'t>>(
    node: Node<'t>,
    base: &FieldPath,
    hidden: &'static [&'static str],
    dialect: Dialect,
    budget: &Cell<usize>,
    limit: usize,
) -> (Option<T>, Vec<Fault>) {
    let hidden = Hidden {
        node: node.id(),
        keys: hidden,
    };
    // nearly all values have nothing to report, and nobody asks then where which messages were
    let cx = Context::new(dialect, hidden, budget.get(), limit, false);
    match attempt::<T>(node, base, &cx) {
        Ok(value) if cx.is_complete() => {
            budget.set(cx.budget.get().unwrap_or_default());
            return (Some(value), cx.finish());
        }
        _ => {}
    }
    let cx = Context::new(dialect, hidden, budget.get(), limit, true);
    decode_all(node, base, cx, budget, limit)
}

/// Deserializes a node once.
#[inline(never)]
fn attempt<'t, T: Deserialize<'t>>(node: Node<'t>, base: &FieldPath, cx: &Context) -> Result<T, Error> {
    let link = Link::base(cx, base);
    T::deserialize(NodeDe { node, link: &link })
}

/// Deserializes a node as often as it takes to find all that does not fit.
fn decode_all<'t, T: Deserialize<'t>>(
    node: Node<'t>,
    base: &FieldPath,
    mut cx: Context,
    budget: &Cell<usize>,
    limit: usize,
) -> (Option<T>, Vec<Fault>) {
    let mut faults: Vec<Fault> = Vec::new();
    let mut complete = false;
    let mut value = None;
    while faults.len() < limit {
        cx.budget.set(Some(budget.get()));
        let (reason, place) = match attempt::<T>(node, base, &cx) {
            Ok(decoded) => {
                value = Some(decoded);
                complete = true;
                break;
            }
            Err(_) if cx.budget.get().is_none() => {
                let message = "the values take too much memory for the size of the input";
                faults.push(Fault::error(
                    codes::LIMIT,
                    node.span().start..node.span().start,
                    message,
                ));
                complete = true;
                break;
            }
            Err(error) => error.into_parts(),
        };
        let Place {
            node: failed,
            path,
            span,
        } = place.unwrap_or_else(|| Place {
            node: node.id(),
            path: base.clone(),
            span: node.span(),
        });
        // an error around a node that was reported follows from it
        if !faults.iter().any(|fault| path.is_prefix_of(&fault.path)) {
            let wording = reason.word(&node.tree().node(failed));
            let mut fault = Fault::error(wording.code, span, wording.message).with_path(path);
            fault.help = wording.help;
            faults.push(fault);
        }
        if failed == node.id() || !cx.mask(failed) {
            complete = true;
            break;
        }
    }
    budget.set(cx.budget.get().unwrap_or_default());
    let more = !complete || cx.overflow.get();
    faults.extend(cx.finish());
    if more {
        let message = format!("there are more than {limit} findings, the others are not listed");
        faults.push(Fault::error(
            codes::LIMIT,
            node.span().start..node.span().start,
            message,
        ));
    }
    (value, faults)
}

impl Context {
    /// Whether all that there is to report was kept.
    fn is_complete(&self) -> bool {
        self.unknown.borrow().is_empty() && !self.overflow.get()
    }

    /// The findings beside the value; unknown fields get their proposals now that all messages were seen.
    fn finish(self) -> Vec<Fault> {
        let unknown = self.unknown.take();
        let mut faults: Vec<Fault> = self.beside.take().into_values().collect();
        if unknown.is_empty() {
            return faults;
        }
        let mut shapes = self.known_shapes;
        shapes.extend(self.shapes.take());
        for field in unknown.into_values() {
            let inner: Vec<_> = field
                .inner
                .iter()
                .filter_map(|node| shapes.get(node).copied())
                .collect();
            faults.push(unknown_field(field, &inner, self.dialect));
        }
        faults
    }
}

/// A-WIRE-2 with the proposal of A-WIRE-14.
fn unknown_field(field: UnknownField, inner: &[&'static [&'static str]], dialect: Dialect) -> Fault {
    let UnknownField {
        name,
        path,
        span,
        around,
        ..
    } = field;
    let message = format!("unknown field {}", quote(&name));
    let fault = match dialect.profile {
        Profile::Istiod => Fault::warning(codes::UNKNOWN_FIELD, span, message),
        _ => Fault::error(codes::UNKNOWN_FIELD, span, message),
    };
    let own = around.first().copied().unwrap_or_default();
    let above = around
        .get(1..)
        .unwrap_or_default()
        .iter()
        .find(|fields| fields.contains(&name.as_str()));
    let below = inner.iter().find(|fields| fields.contains(&name.as_str()));
    let help = suggest::known_rename(&name)
        .map(str::to_owned)
        .or_else(|| above.map(|_| format!("`{name}` belongs further up")))
        .or_else(|| below.map(|_| format!("`{name}` belongs further down")))
        .or_else(|| suggest::field(&name, own.iter().copied()).map(|near| format!("did you mean `{near}`?")));
    let fault = fault.with_path(path);
    match help {
        Some(help) => fault.with_help(help),
        None => fault,
    }
}
