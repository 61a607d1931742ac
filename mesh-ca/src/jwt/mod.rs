//! JWT-SVIDs: tokens that name a workload, signed by an authority of its trust domain.
//!
//! Verification is strict by default: compact form only, a short list of algorithms that is fixed here and bound to the kind
//! of the key, no header that could point at a key, no JSON member twice, and the signature before any claim. There is no
//! clock: the time comes in with [`JwtVerifyOptions`].
//!
//! [`Jws`], [`JsonWebKey`] and [`JwsAlgorithm`] are the core beneath, for tokens that are no SVIDs.
//!
//! Source: SPIFFE JWT-SVID standard; RFC 7515, 7517, 7518, 7519; ca.md C-JWT-1..11.

mod algorithm;
mod bundle;
mod claims;
mod error;
mod jws;
mod mint;
mod svid;

#[cfg(test)]
mod mint_tests;
#[cfg(test)]
mod tests;

pub use algorithm::JwsAlgorithm;
pub use bundle::{JsonWebKey, JwtBundle};
pub use error::JwtError;
pub use jws::{HeaderPolicy, Jws};
pub use mint::{JwtJob, JwtMintError, JwtMinter, JwtRequest, RemoteJwtKey, jwt_key_id};
pub use svid::{InsecureJwtSvid, JwtSvid, JwtVerifyOptions};
