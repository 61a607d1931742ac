//! The vocabulary of the mesh: hosts, namespaces, subsets, labels, gateway references, protocols.
//!
//! A name type holds text as written: objects may carry invalid names, and reading them must still work. The checked way
//! in is `parse()`; the rules behind it are functions in [`check`], which the validators use too.

pub mod check;
mod gateway_ref;
pub mod host;
mod labels;
mod namespace;
mod protocol;
pub mod re2;
mod text;

pub use check::CheckError;
pub use gateway_ref::GatewayRef;
pub use host::{Host, HostIndex};
pub use labels::Labels;
pub use namespace::{Namespace, SubsetName};
pub use protocol::{Protocol, Transport};
pub use text::{Text, TextPool};
