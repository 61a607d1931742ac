//! The search for a path from the leaf to an anchor.

use super::cache::SignatureCache;
use super::checks::{Checks, Role};
use super::constraints;
use super::error::{Budget, VerifyError};
use super::trace::{Outcome, Step};
use crate::bundle::TrustBundle;
use crate::certificate::Certificate;
use crate::revocation;
use crate::{DistinguishedName, SignatureError};

/// A certificate that may be an issuer.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) certificate: Certificate<'a>,
    pub(super) role: Role,
}

/// The candidates of a verification: peer-sent and configured intermediates, and the anchors that can be met.
///
/// Left out are the leaf, repeated certificates, and copies of anchors: an anchor is taken from the bundle and never from
/// the peer (C-VFY-4, C-VFY-5).
pub(super) fn candidates<'a>(
    leaf: &Certificate<'a>,
    intermediates: impl IntoIterator<Item = Certificate<'a>>,
    bundle: &'a TrustBundle,
) -> Vec<Candidate<'a>> {
    let intermediates = intermediates.into_iter();
    // One anchor is the usual number.
    let room = intermediates.size_hint().1.unwrap_or(0).saturating_add(1);
    let mut found: Vec<Candidate<'a>> = Vec::with_capacity(room);
    for certificate in intermediates {
        let is_known = certificate.der() == leaf.der()
            || found
                .iter()
                .any(|other| other.certificate.der() == certificate.der())
            || bundle.holds_key(certificate.subject().der(), certificate.public_key_der());
        if !is_known {
            found.push(Candidate {
                certificate,
                role: Role::Intermediate,
            });
        }
    }
    let mut issuers: Vec<DistinguishedName<'a>> = Vec::with_capacity(found.len().saturating_add(1));
    issuers.push(leaf.issuer());
    issuers.extend(found.iter().map(|candidate| candidate.certificate.issuer()));
    issuers.sort_unstable();
    issuers.dedup();
    for issuer in issuers {
        // INVARIANT: a bundle holds only certificates that can be read.
        let anchors = bundle.with_subject(issuer.der()).filter_map(|authority| {
            Some(Candidate {
                certificate: authority.certificate().ok()?,
                role: Role::Anchor,
            })
        });
        found.extend(anchors);
    }
    found
}

/// One search, with what it has used up and what it has found out.
pub(super) struct Search<'s, 'a> {
    pub(super) checks: Checks<'s, 'a>,
    pub(super) candidates: &'s [Candidate<'a>],
    pub(super) cache: Option<&'s mut SignatureCache>,
    pub(super) trace: Option<Vec<Step>>,
    /// Leaf first.
    pub(super) path: Vec<&'s Certificate<'a>>,
    /// For each certificate of the path its number among the candidates; the leaf has none.
    chosen: Vec<usize>,
    /// Signature checks that were made: certificate, issuer, result.
    signatures: Vec<(usize, usize, Result<(), SignatureError>)>,
    visits: usize,
    name_comparisons: usize,
    /// The failure that is reported if no path is found, and how far its path got.
    failure: Option<(usize, VerifyError)>,
    /// A budget was exceeded: the search is over.
    is_over: bool,
}

/// The number of the leaf, beside those of the candidates.
const LEAF: usize = usize::MAX;

/// How far a path got that is complete.
const COMPLETE: usize = usize::MAX;

/// A list for a path of usual length, with its first element.
fn with_room<T>(first: T) -> Vec<T> {
    let mut list = Vec::with_capacity(4);
    list.push(first);
    list
}

impl<'s, 'a> Search<'s, 'a> {
    pub(super) fn new(
        checks: Checks<'s, 'a>,
        leaf: &'s Certificate<'a>,
        candidates: &'s [Candidate<'a>],
    ) -> Self {
        Self {
            checks,
            candidates,
            cache: None,
            trace: None,
            path: with_room(leaf),
            chosen: with_room(LEAF),
            signatures: Vec::new(),
            visits: 0,
            name_comparisons: 0,
            failure: None,
            is_over: false,
        }
    }

    /// Finds a path. Afterwards `path` holds it, and the notes of the checks are those of its certificates.
    pub(super) fn run(&mut self) -> Result<(), VerifyError> {
        match self.extend() {
            true => Ok(()),
            // INVARIANT: a search without success has recorded a failure.
            false => Err(self
                .failure
                .take()
                .map_or(VerifyError::EmptyChain, |(_, error)| error)),
        }
    }

    /// Looks for the issuer of the last certificate of the path, and on from there. Whether an anchor was reached.
    fn extend(&mut self) -> bool {
        let depth = self.path.len();
        let Some(last) = self.path.last().copied() else {
            return false;
        };
        let options = self.issuers_of(last);
        if options.is_empty() {
            self.fail(
                depth,
                None,
                VerifyError::UnknownIssuer {
                    depth: depth.saturating_sub(1),
                    issuer: last.issuer().to_string(),
                },
            );
        }
        for number in options {
            let Some(candidate) = self.candidates.get(number) else {
                continue;
            };
            self.visits = self.visits.saturating_add(1);
            if self.visits > self.checks.options.budgets.visits {
                self.end(Budget::Visits);
                return false;
            }
            let notes = self.checks.notes.len();
            if let Err(error) = self.check(number, candidate) {
                self.checks.notes.truncate(notes);
                self.fail(depth, Some(&candidate.certificate), error);
            } else {
                self.path.push(&candidate.certificate);
                self.chosen.push(number);
                if self.continue_from(candidate) {
                    return true;
                }
                self.path.pop();
                self.chosen.pop();
                self.checks.notes.truncate(notes);
            }
            if self.is_over {
                return false;
            }
        }
        false
    }

    /// The last certificate of the path was accepted as an issuer: the path is complete, or goes on.
    fn continue_from(&mut self, candidate: &'s Candidate<'a>) -> bool {
        let depth = self.path.len().saturating_sub(1);
        if candidate.role != Role::Anchor {
            self.record(depth, Some(&candidate.certificate), Outcome::Issuer);
            return self.extend();
        }
        match self.check_complete_path() {
            Ok(()) => {
                self.record(depth, Some(&candidate.certificate), Outcome::Anchor);
                true
            }
            Err(error) => {
                self.fail(COMPLETE, Some(&candidate.certificate), error);
                false
            }
        }
    }

    /// The candidates for the issuer of a certificate, in the canonical order of C-VFY-4: anchors, then those whose key
    /// identifier matches, then later ones, then by their bytes.
    fn issuers_of(&self, certificate: &Certificate<'a>) -> Vec<usize> {
        let is_in_path = |candidate: &Certificate<'_>| {
            self.path.iter().any(|other| {
                other.subject() == candidate.subject() && other.public_key_der() == candidate.public_key_der()
            })
        };
        let wanted = certificate.authority_key_id();
        let mut found: Vec<(usize, &Candidate<'a>)> = self
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| {
                candidate.certificate.subject() == certificate.issuer() && !is_in_path(&candidate.certificate)
            })
            .collect();
        found.sort_by(|(_, a), (_, b)| {
            let order = |candidate: &Candidate<'_>| {
                let is_match = wanted.is_some() && candidate.certificate.subject_key_id() == wanted;
                (candidate.role != Role::Anchor, !is_match)
            };
            order(a)
                .cmp(&order(b))
                .then_with(|| b.certificate.not_after().cmp(&a.certificate.not_after()))
                .then_with(|| a.certificate.der().cmp(b.certificate.der()))
        });
        found.into_iter().map(|(number, _)| number).collect()
    }

    /// Checks a candidate as the issuer of the last certificate of the path.
    fn check(&mut self, number: usize, candidate: &Candidate<'a>) -> Result<(), VerifyError> {
        let depth = self.path.len();
        let intermediates = depth.saturating_sub(1);
        if candidate.role != Role::Anchor && intermediates >= self.checks.options.budgets.intermediates {
            return Err(VerifyError::BudgetExceeded(Budget::Intermediates));
        }
        let counted = self
            .path
            .iter()
            .skip(1)
            .filter(|certificate| !certificate.is_self_issued())
            .count();
        let below = u64::try_from(counted).unwrap_or(u64::MAX);
        self.checks
            .issuer(&candidate.certificate, depth, candidate.role, below)?;
        let key = candidate
            .certificate
            .public_key()
            .map_err(|error| VerifyError::PublicKey { depth, error })?;
        let child = self.chosen.last().copied().unwrap_or(LEAF);
        let known = self
            .signatures
            .iter()
            .find(|(certificate, issuer, _)| (*certificate, *issuer) == (child, number));
        let result = match known {
            Some((_, _, result)) => result.clone(),
            None => {
                if self.signatures.len() >= self.checks.options.budgets.signatures {
                    self.end(Budget::Signatures);
                    return Err(VerifyError::BudgetExceeded(Budget::Signatures));
                }
                let Some(certificate) = self.path.last().copied() else {
                    return Ok(());
                };
                let verifier = self.checks.options.verifier;
                let result = match &mut self.cache {
                    // A leaf is seen once in a while, an intermediate in every chain.
                    Some(cache) if child != LEAF => cache.verify(certificate, &key, verifier),
                    _ => certificate.verify_signature(&key, verifier),
                };
                self.signatures.push((child, number, result.clone()));
                result
            }
        };
        result.map_err(|error| VerifyError::Signature {
            depth: depth.saturating_sub(1),
            error,
        })
    }

    /// What can be asked only when the path is complete: name constraints and revocation.
    fn check_complete_path(&mut self) -> Result<(), VerifyError> {
        let options = self.checks.options;
        let mut left = options
            .budgets
            .name_comparisons
            .saturating_sub(self.name_comparisons);
        let result = constraints::check(&self.path, &mut left);
        self.name_comparisons = options.budgets.name_comparisons.saturating_sub(left);
        if let Err(VerifyError::BudgetExceeded(budget)) = result {
            self.end(budget);
        }
        result?;
        match options.crls {
            Some(crls) => revocation::check_path(
                &self.path,
                crls,
                &options.revocation,
                options.now,
                options.verifier,
            ),
            None => Ok(()),
        }
    }

    /// Ends the search for good: whatever else failed, this is what is reported.
    fn end(&mut self, budget: Budget) {
        self.is_over = true;
        self.failure = Some((COMPLETE, VerifyError::BudgetExceeded(budget)));
    }

    /// Remembers a failure if its path got further than others, or as far and its kind is preferred (C-VFY-17).
    fn fail(&mut self, progress: usize, candidate: Option<&Certificate<'_>>, error: VerifyError) {
        let depth = match candidate {
            Some(_) if progress == COMPLETE => self.path.len().saturating_sub(1),
            _ => self.path.len(),
        };
        self.record(depth, candidate, Outcome::Refused(error.clone()));
        let is_preferred = match &self.failure {
            _ if self.is_over => false,
            None => true,
            Some((best, other)) => progress > *best || (progress == *best && error.rank() < other.rank()),
        };
        if is_preferred {
            self.failure = Some((progress, error));
        }
    }

    fn record(&mut self, depth: usize, certificate: Option<&Certificate<'_>>, outcome: Outcome) {
        if let Some(trace) = &mut self.trace {
            trace.push(Step::new(depth, certificate, outcome));
        }
    }
}
