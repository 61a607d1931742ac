//! How much input is taken.

use serde::{Deserialize, Serialize};

/// Upper bounds on input, all asked before anything is allocated in proportion to it (C-GEN-8). Sizes are in bytes.
///
/// ```
/// use mesh_ca::Limits;
///
/// let limits = Limits { chain: 4, ..Limits::default() };
/// assert_eq!((limits.csr, limits.chain), (16 * 1024, 4));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// A signing request in DER. Default 16 KiB.
    pub csr: usize,
    /// One certificate in DER. Default 64 KiB.
    pub certificate: usize,
    /// Certificates that a peer may send, its own included. Default 10.
    pub chain: usize,
    /// A PEM bundle. Default 4 MiB.
    pub pem_bundle: usize,
    /// Certificates of a PEM bundle. Default 2,000.
    pub pem_certificates: usize,
    /// A SPIFFE bundle document (JWKS). Default 1 MiB.
    pub jwks: usize,
    /// Keys of a SPIFFE bundle document. Default 1,000.
    pub jwks_keys: usize,
    /// A bundle map document. Default 16 MiB.
    pub bundle_map: usize,
    /// A CRL in DER. Default 16 MiB.
    pub crl: usize,
    /// Entries of a CRL. Default 1,000,000.
    pub crl_entries: usize,
    /// A JWT-SVID. Default 16 KiB.
    pub jwt: usize,
    /// Subject alternative names of a certificate or signing request. Default 64.
    pub subject_alt_names: usize,
    /// DNS names of an issued SVID. Default 32.
    pub dns_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            csr: 16 << 10,
            certificate: 64 << 10,
            chain: 10,
            pem_bundle: 4 << 20,
            pem_certificates: 2_000,
            jwks: 1 << 20,
            jwks_keys: 1_000,
            bundle_map: 16 << 20,
            crl: 16 << 20,
            crl_entries: 1_000_000,
            jwt: 16 << 10,
            subject_alt_names: 64,
            dns_names: 32,
        }
    }
}
