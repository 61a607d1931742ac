//! Envoy's messages, generated, and the packing of them into `Any`.
//!
//! The modules follow the packages of the proto files: `envoy.config.route.v3.Route` is
//! [`envoy::config::route::v3::Route`]. Each message is whole, every wrapper and message field is an `Option` (absent and
//! zero stay apart), and every map is a `BTreeMap`, so that equal messages have equal bytes. The well-known types of
//! `google.protobuf` are those of the crate `prost-types`, re-exported as [`well_known`].
//!
//! ```
//! use mesh_xds::pb::envoy::config::route::v3::RouteConfiguration;
//! use mesh_xds::pb::{Kind, pack, unpack};
//!
//! let routes = RouteConfiguration { name: "8080".to_owned(), ..Default::default() };
//! let any = pack(&routes);
//! assert_eq!(any.type_url, "type.googleapis.com/envoy.config.route.v3.RouteConfiguration");
//! assert_eq!(Kind::from_type_url(&any.type_url), Some(Kind::Route));
//! assert_eq!(unpack::<RouteConfiguration>(&any)?, routes);
//! # Ok::<(), mesh_xds::pb::UnpackError>(())
//! ```

mod any;
#[allow(
    clippy::all,
    deprecated,
    missing_docs,
    unreachable_pub,
    rustdoc::all,
    reason = "generated code"
)]
mod generated;
mod kind;

#[cfg(feature = "reflect")]
pub(crate) use any::message_name;
pub use any::{UnpackError, pack, unpack};
#[doc(inline)]
pub use generated::{envoy, google, opentelemetry, udpa, xds};
pub use kind::Kind;
pub use prost_types as well_known;

/// The descriptors of every generated message and of what they refer to.
#[cfg(feature = "reflect")]
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("descriptors.bin");
