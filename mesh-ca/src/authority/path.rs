//! What is asked of the certificates from an authority up to its root (C-CA-3).

use crate::{Certificate, KeyUsage, Limits, PublicKeyError, SignatureError, SignatureVerifier, UnixTime};

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathFlaw {
    /// A certificate was not issued by the one that follows, or the last one by no root.
    Gap,
    /// A certificate may not sign others.
    NotAuthority,
    /// A certificate is not valid now.
    NotValid {
        now: UnixTime,
        not_before: UnixTime,
        not_after: UnixTime,
    },
    /// A path length leaves no room for a workload.
    PathLength,
    /// A key is not taken.
    PublicKey(PublicKeyError),
    /// A certificate is not signed by the one that follows.
    Signature(SignatureError),
    /// There are too many certificates.
    TooLong,
}

/// The signing certificate and what is above it, as it was given: without doubles and without roots.
pub(crate) fn without_doubles<'a>(
    signing: &'a [u8],
    chain: impl IntoIterator<Item = &'a [u8]>,
    is_root: impl Fn(&[u8]) -> bool,
) -> Result<Vec<&'a [u8]>, PathFlaw> {
    let mut path = vec![signing];
    for der in chain {
        if !path.contains(&der) && !is_root(der) {
            path.push(der);
        }
    }
    if path.len() > Limits::default().chain {
        return Err(PathFlaw::TooLong);
    }
    Ok(path)
}

/// That each may sign for others now and was issued by the next one. Returns how many authorities are below what issued the
/// last one.
pub(crate) fn check_path(
    path: &[Certificate<'_>],
    now: UnixTime,
    verifier: &dyn SignatureVerifier,
) -> Result<u64, PathFlaw> {
    let mut below = 0_u64;
    let mut issuers = path.iter().skip(1);
    for certificate in path {
        check_authority(certificate, below, now)?;
        if let Some(issuer) = issuers.next() {
            check_link(certificate, issuer, verifier)?;
        }
        below = below.saturating_add(1);
    }
    Ok(below)
}

/// That the root issued the certificate, and may have so many authorities below.
pub(crate) fn check_root(
    certificate: &Certificate<'_>,
    root: &Certificate<'_>,
    below: u64,
    now: UnixTime,
    verifier: &dyn SignatureVerifier,
) -> Result<(), PathFlaw> {
    check_link(certificate, root, verifier)?;
    match root.version() {
        // Old roots have no extensions that could say so.
        1 | 2 => check_valid(root, now),
        _ => check_authority(root, below, now),
    }
}

/// That it may sign for others now, with so many authorities between it and a leaf.
fn check_authority(certificate: &Certificate<'_>, below: u64, now: UnixTime) -> Result<(), PathFlaw> {
    let constraints = certificate
        .basic_constraints()
        .filter(|constraints| constraints.ca)
        .ok_or(PathFlaw::NotAuthority)?;
    if certificate
        .key_usage()
        .is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN))
    {
        return Err(PathFlaw::NotAuthority);
    }
    if constraints.path_len.is_some_and(|path_len| path_len < below) {
        return Err(PathFlaw::PathLength);
    }
    check_valid(certificate, now)
}

fn check_valid(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), PathFlaw> {
    let second = now.floor_to_secs();
    if second < certificate.not_before() || second > certificate.not_after() {
        return Err(PathFlaw::NotValid {
            now,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        });
    }
    Ok(())
}

fn check_link(
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    verifier: &dyn SignatureVerifier,
) -> Result<(), PathFlaw> {
    if certificate.issuer() != issuer.subject() {
        return Err(PathFlaw::Gap);
    }
    let key = issuer.public_key().map_err(PathFlaw::PublicKey)?;
    certificate
        .verify_signature(&key, verifier)
        .map_err(PathFlaw::Signature)
}
