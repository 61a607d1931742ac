//! The trace of a verification.

use std::fmt;

use super::Verified;
use super::error::VerifyError;
use crate::certificate::Certificate;

/// Everything that a verification looked at, and what came of it: from the same evaluator as
/// [`verify`](crate::TrustBundle::verify).
///
/// `Display` gives one line for each step, indented by depth, and the verdict at the end.
///
/// Source: ca.md §12.
#[derive(Debug, Clone)]
pub struct PathTrace {
    pub(super) steps: Vec<Step>,
    pub(super) verdict: Result<Verified, VerifyError>,
}

impl PathTrace {
    /// The steps, in the order in which they were taken.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What `verify` returns.
    ///
    /// # Errors
    /// Those of `verify`.
    pub fn verdict(&self) -> Result<&Verified, &VerifyError> {
        self.verdict.as_ref()
    }
}

impl fmt::Display for PathTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{:indent$}{step}", "", indent = step.depth.min(16) * 2)?;
        }
        match &self.verdict {
            Ok(verified) => write!(f, "=> accepted as {}", verified.spiffe_id()),
            Err(error) => write!(f, "=> refused, {}: {error}", error.code()),
        }
    }
}

/// One certificate that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The place in the path that it was tried for: 0 is the leaf.
    pub depth: usize,
    /// Its subject; empty where no certificate was found.
    pub subject: String,
    /// Its serial number in hexadecimal digits.
    pub serial: String,
    /// What came of it.
    pub outcome: Outcome,
}

impl Step {
    pub(super) fn new(depth: usize, certificate: Option<&Certificate<'_>>, outcome: Outcome) -> Self {
        Self {
            depth,
            subject: certificate.map_or(String::new(), |found| found.subject().to_string()),
            serial: certificate
                .and_then(Certificate::serial_number)
                .map_or(String::new(), |serial| serial.to_string()),
            outcome,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.subject.is_empty() || !self.serial.is_empty() {
            write!(f, "`{}` serial {}: ", self.subject, self.serial)?;
        }
        match &self.outcome {
            Outcome::Anchor => f.write_str("an anchor, the path is complete"),
            Outcome::Issuer => f.write_str("the issuer"),
            Outcome::Leaf => f.write_str("the leaf"),
            Outcome::Refused(error) => write!(f, "{error}"),
        }
    }
}

/// What came of looking at a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It ends a path that is accepted.
    Anchor,
    /// It is the issuer of the certificate before.
    Issuer,
    /// It is the leaf, and good by itself.
    Leaf,
    /// It does not lead further, or the path that ends here is not accepted.
    Refused(VerifyError),
}
