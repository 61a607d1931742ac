//! What was decided and what lost, as typed events (routing.md 21).
//!
//! Compile functions and the evaluator take a [`Recorder`] and tell it what they decide, in order of evaluation. With
//! `()` nothing is recorded and no event is even made; with a [`Trace`] the events are kept. Recording never changes a
//! decision.
//!
//! Events of authorization and authentication policies come with those policies.

use std::fmt;

use crate::plan::Origin;

mod display;
mod event;

pub use event::*;

/// One thing that was decided, or one candidate that lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The rule that decided, as numbered in the documentation of behaviour, e.g. `R-VH-9`.
    pub rule: &'static str,
    /// Whom it is about: an object and a place in it.
    pub subject: Origin,
    /// What happened.
    pub kind: EventKind,
}

impl Event {
    /// An event about `subject`, decided by `rule`.
    pub fn new(rule: &'static str, subject: Origin, kind: EventKind) -> Self {
        Self { rule, subject, kind }
    }
}

/// Takes events. Implemented by `()`, which takes none, and by [`Trace`].
///
/// ```
/// use mesh_route::plan::{At, Origin, RuleId};
/// use mesh_route::trace::{Event, EventKind, Recorder, Trace};
///
/// fn decide(recorder: &mut impl Recorder) -> u16 {
///     let quirk = EventKind::ConfigQuirk { expected: "another answer" };
///     recorder.record(|| Event::new("R-TO-1", Origin::at(At::Default(RuleId::RouteTimeout)), quirk));
///     42
/// }
///
/// let mut trace = Trace::default();
/// assert_eq!(decide(&mut trace), decide(&mut ()));
/// assert_eq!(trace.events().len(), 1);
/// ```
pub trait Recorder {
    /// Takes the event that `event` makes; a recorder that takes none does not call it.
    fn record(&mut self, event: impl FnOnce() -> Event);

    /// Whether events are taken, for work that is only done to explain.
    fn is_recording(&self) -> bool;
}

impl Recorder for () {
    #[inline]
    fn record(&mut self, _: impl FnOnce() -> Event) {}

    #[inline]
    fn is_recording(&self) -> bool {
        false
    }
}

impl<R: Recorder> Recorder for &mut R {
    fn record(&mut self, event: impl FnOnce() -> Event) {
        (**self).record(event);
    }

    fn is_recording(&self) -> bool {
        (**self).is_recording()
    }
}

/// Keeps events, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace(Vec<Event>);

impl Trace {
    /// An empty trace.
    pub fn new() -> Self {
        Self::default()
    }

    /// All events.
    pub fn events(&self) -> &[Event] {
        &self.0
    }

    /// The events, taken out.
    pub fn into_events(self) -> Vec<Event> {
        self.0
    }
}

impl Recorder for Trace {
    fn record(&mut self, event: impl FnOnce() -> Event) {
        self.0.push(event());
    }

    fn is_recording(&self) -> bool {
        true
    }
}

impl Extend<Event> for Trace {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        self.0.extend(events);
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}
