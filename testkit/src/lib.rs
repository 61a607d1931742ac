//! Generators, the corpus runner and the oracles. Not published.

pub mod agreement;
pub mod corpus;
pub mod envoy;
pub mod fuzz;
pub mod generate;
pub mod openssl;
pub mod pki;
