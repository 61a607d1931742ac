//! Decisions.

mod request;

pub use request::{ClientHello, Destination, Draws, Request, RequestError};
