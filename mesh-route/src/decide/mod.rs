//! What happens to a request: the plain evaluator over a traffic plan, and its explanations.
//!
//! [`Router::decide`] walks the plan in the order in which a proxy does: listener, filter chain, virtual host, route,
//! faults, action, cluster. [`Router::explain`] is the same walk with a recorder on, so an explanation cannot differ
//! from the decision.

mod chain;
mod decision;
mod effects;
mod evaluate;
mod explain;
mod observe;
mod owned;
mod request;
mod router;

pub use decision::{Decision, NotFound, Outcome, RedirectTo, Rejection, Target, Unavailable};
pub use effects::Effects;
pub use explain::{Explanation, Line};
pub use owned::{OwnedDecision, OwnedOutcome, OwnedTarget};
pub use request::{ClientHello, Destination, Draws, Request, RequestError};
pub use router::Router;
