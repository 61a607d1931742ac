//! Envoy's messages, as far as validation asks for them.

use std::fmt;

use serde_json::{Map, Value};

use crate::networking::envoy_filter::ApplyTo;

/// Envoy's messages, for the rules on the values of EnvoyFilter patches (A-EF-21..24).
///
/// This crate has none of them. Who has implements this and hands it in by
/// [`ValidateOptions::envoy_schema`](super::ValidateOptions::envoy_schema); without it those rules are not run, and a
/// finding says so (A-EF-25).
pub trait EnvoySchema: fmt::Debug + Send + Sync {
    /// Reads the value of a patch as the message that `apply_to` means, as istiod does: unknown fields are passed over, but
    /// named. Gives what is wrong, in an order that depends on the value alone.
    fn check(&self, apply_to: ApplyTo, value: &Map<String, Value>) -> Vec<PatchFault>;
}

/// What is wrong with the value of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchFault {
    /// It is not the message, or holds an unknown `@type`; and why (A-EF-21).
    Unreadable(String),
    /// A field that the message does not have, as a path in the value (A-EF-22).
    UnknownField(String),
    /// The name of a type of a frozen package, such as `envoy.api.v2.Cluster` (A-EF-23).
    DeprecatedType(String),
    /// The name of a filter that has neither `typedConfig` nor `configDiscovery` (A-EF-24).
    NameOnly(String),
}

/// Two are equal if they are the same one.
impl PartialEq for dyn EnvoySchema {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self, other)
    }
}

impl Eq for dyn EnvoySchema {}
