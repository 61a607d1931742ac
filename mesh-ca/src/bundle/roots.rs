//! Root certificates from files that are not all good.

use std::fmt;

use super::{BundleError, TrustBundle, X509Authority};
use crate::pem::{Blocks, PemError, PemErrorKind, PemLabel};
use crate::{Limits, TrustDomain};

/// What a file of root certificates gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LenientRoots {
    /// The good ones; at least one.
    pub bundle: TrustBundle,
    /// What was passed over, in the order of the file.
    pub errors: Vec<RootError>,
}

impl TrustBundle {
    /// Takes the root certificates that are good from a PEM text, and reports the others: as the agent of Istio does with
    /// the certificates of a system, where one that nobody uses must not take the rest down.
    ///
    /// A certificate that cannot be read or has a negative serial number is passed over; a broken PEM frame ends the
    /// reading, and what came before is kept.
    ///
    /// ```
    /// use mesh_ca::{Limits, TrustBundle};
    ///
    /// const ROOT: &str = include_str!("../../tests/data/root.pem");
    /// let text = format!("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n{ROOT}");
    /// let roots = TrustBundle::from_pem_lenient("example.org".parse()?, text.as_bytes(), &Limits::default())?;
    /// assert_eq!(roots.bundle.x509_authorities().len(), 1);
    /// assert_eq!(roots.errors[0].line, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first error, when there is no good certificate at all.
    ///
    /// Source: Istio security/pkg/nodeagent/cache; ca.md C-PEM-4.
    pub fn from_pem_lenient(
        trust_domain: TrustDomain,
        text: &[u8],
        limits: &Limits,
    ) -> Result<LenientRoots, RootError> {
        let mut bundle = Self::new(trust_domain);
        let mut errors = Vec::new();
        let blocks = Blocks::new(text, limits).map_err(|error| RootError::new(0, error))?;
        for block in blocks {
            let block = match block {
                Ok(block) => block,
                Err(error) => {
                    errors.push(RootError::new(error.line(), error));
                    break;
                }
            };
            if bundle.x509.len() >= limits.pem_certificates {
                let error = PemError::new(PemErrorKind::TooMany, block.line);
                errors.push(RootError::new(block.line, error));
                break;
            }
            let root = match block.label() {
                Some(PemLabel::Certificate) => root(&block.decode(), limits),
                _ => Err(PemError::new(PemErrorKind::UnexpectedLabel, block.line).into()),
            };
            match root {
                Ok(root) => {
                    bundle.insert(root);
                }
                Err(error) => errors.push(RootError {
                    line: block.line,
                    kind: error,
                }),
            }
        }
        if bundle.x509.is_empty() {
            let none = RootError::new(0, PemError::new(PemErrorKind::NoBlock, 0));
            return Err(errors.into_iter().next().unwrap_or(none));
        }
        Ok(LenientRoots { bundle, errors })
    }
}

fn root(der: &Result<Vec<u8>, PemError>, limits: &Limits) -> Result<X509Authority, RootErrorKind> {
    let der = der.as_ref().map_err(|error| BundleError::Pem(*error))?;
    let root = X509Authority::parse(der, limits)?;
    let certificate = root.certificate().map_err(BundleError::Certificate)?;
    match certificate.serial_bytes().first() {
        Some(first) if first & 0x80 != 0 => Err(RootErrorKind::NegativeSerialNumber),
        _ => Ok(root),
    }
}

/// A root certificate that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootError {
    /// The line that its block begins at; 0 for faults of the whole text.
    pub line: usize,
    /// What is wrong.
    pub kind: RootErrorKind,
}

impl RootError {
    fn new(line: usize, error: PemError) -> Self {
        Self {
            line,
            kind: error.into(),
        }
    }
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl std::error::Error for RootError {}

/// Why a root certificate was passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootErrorKind {
    /// It cannot be read or used, or is no certificate.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Its serial number is negative.
    #[error("the serial number is negative")]
    NegativeSerialNumber,
}

impl From<PemError> for RootErrorKind {
    fn from(error: PemError) -> Self {
        Self::Bundle(BundleError::Pem(error))
    }
}

impl RootErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.code(),
            Self::NegativeSerialNumber => "bundle.negative_serial_number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = include_str!("../../tests/data/root.pem");

    fn read(text: &str) -> Result<LenientRoots, RootError> {
        TrustBundle::from_pem_lenient("td".parse().unwrap(), text.as_bytes(), &Limits::default())
    }

    /// C-PEM-4, scenario 17: bad certificates are passed over, a broken frame ends the reading.
    #[test]
    fn what_is_good_is_kept() {
        let other = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let bad_base64 = other.replace('=', "");
        let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n";
        let der = crate::pem::parse_one(ROOT.as_bytes(), PemLabel::Certificate).unwrap();
        let at = der.windows(3).position(|window| window == [2, 1, 1]).unwrap();
        let mut negative = der.clone();
        negative[at + 2] = 0x81;
        let negative = crate::pem::encode(PemLabel::Certificate, &negative);
        let text = format!("{other}{bad_base64}{negative}{ROOT}{broken}{ROOT}");
        let roots = read(&text).unwrap();
        assert_eq!(roots.bundle.x509_authorities().len(), 1);
        let codes: Vec<_> = roots.errors.iter().map(|error| error.kind.code()).collect();
        assert_eq!(
            codes,
            [
                "der.truncated",
                "pem.base64",
                "bundle.negative_serial_number",
                "pem.boundary"
            ]
        );
        assert_eq!(read(other).unwrap_err().kind.code(), "der.truncated");
        assert_eq!(read("").unwrap_err().kind.code(), "pem.no_block");
    }
}
