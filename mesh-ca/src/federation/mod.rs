//! Federation: fetching the bundles of other trust domains, as their publishers ask for it, and publishing the own one.
//!
//! [`BundlePublisher`] is the own bundle endpoint without its network: it answers consumers, and keeps keys from being used
//! too early or leaving too early.
//!
//! [`FederationClient`] is a machine without I/O. It says when to fetch what and how to authenticate the endpoint; the
//! embedder fetches and hands in what came back.
//!
//! # What happens when
//!
//! | event | outcome | outputs |
//! |---|---|---|
//! | a relationship is added | its first poll is due at once | – |
//! | [`handle_timeout`](FederationClient::handle_timeout), a poll is due | the fetch is under way | [`Output::Fetch`] |
//! | the bundle that authenticates an endpoint is missing | the poll waits until that bundle is there | – |
//! | fetched, newer | the bundle is held; next poll after its refresh hint | [`Output::Store`] |
//! | fetched, the same | next poll after its refresh hint | – |
//! | fetched, older | not taken; the third time in a row is an alarm | [`Output::Alarm`] |
//! | failed, not answered, refused | next poll after a whole interval | [`Output::Alarm`] once it is stale |
//! | a relationship is removed | the bundle is gone at once | [`Output::Withdraw`] |
//!
//! A bundle that cannot be fetched anew stays in use, until its certificates run out.
//!
//! Spec: SPIFFE Federation. Source: ca.md C-FED-1..9.

mod client;
mod endpoint;
mod publisher;
mod relationship;

#[cfg(test)]
mod publisher_tests;
#[cfg(test)]
mod tests;

pub use client::{Alarm, AlarmKind, FederationClient, FederationState, FetchId, Fetched, Output};
pub use endpoint::{EndpointUrl, EndpointUrlError};
pub use publisher::{BundlePublisher, BundleResponse, InUse, PublishError, PublisherState};
pub use relationship::{EndpointProfile, FederationConfigError, FederationOptions, FetchAuth, Relationship};
