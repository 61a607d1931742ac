//! Kinds of the group `security.istio.io`, one module per kind, data only.
//!
//! So far PeerAuthentication; AuthorizationPolicy and RequestAuthentication are decoded as opaque objects.

mod peer_authentication;

pub use peer_authentication::{MutualTls, MutualTlsMode, PeerAuthentication};
