//! Verification of peers: the scenarios of the specification by number, and the attacks on chains.

mod certificates;
mod paths;
mod revocation;

use mesh_ca::{KeyPurpose, Profile, TrustBundle, Verified, VerifyError, VerifyOptions};
use testkit::pki::{Authority, Extension, Template, der, now};

const WEB: &str = "spiffe://td/web";

fn bundle_of(domain: &str, roots: &[&[u8]]) -> TrustBundle {
    let mut bundle = TrustBundle::new(domain.parse().unwrap());
    for root in roots {
        bundle.insert_x509(root).unwrap();
    }
    bundle
}

fn bundle(roots: &[&Authority]) -> TrustBundle {
    let roots: Vec<&[u8]> = roots.iter().map(|root| &root.certificate[..]).collect();
    bundle_of("td", &roots)
}

fn options() -> VerifyOptions<'static> {
    VerifyOptions::at(now()).with_purpose(KeyPurpose::ServerAuth)
}

/// Verifies with the profile of a mesh.
fn verify(chain: &[Vec<u8>], roots: &[&Authority]) -> Result<Verified, VerifyError> {
    bundle(roots).verify(chain, &options())
}

fn code(result: Result<Verified, VerifyError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "ok")
}

/// What becomes of a leaf that is changed before it is signed.
fn leaf_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root("root");
    let leaf = root.leaf_with(WEB, change);
    code(bundle(&[&root]).verify(&[leaf], &options().with_profile(profile)))
}

/// What becomes of an intermediate that is changed before it is signed.
fn intermediate_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root("root");
    let middle = root.intermediate_with("middle", change);
    let chain = [middle.leaf(WEB), middle.certificate.clone()];
    code(bundle(&[&root]).verify(&chain, &options().with_profile(profile)))
}

/// What becomes of a root that is changed before it is signed.
fn root_code(profile: Profile, change: impl FnOnce(&mut Template)) -> &'static str {
    let root = Authority::root_with("root", change);
    let chain = [root.leaf(WEB)];
    code(bundle(&[&root]).verify(&chain, &options().with_profile(profile)))
}

fn unknown(critical: bool) -> Extension {
    Extension {
        oid: "1.2.3.4",
        critical,
        value: vec![5, 0],
    }
}

/// Ed25519 inside, and the next algorithm outside.
fn other_algorithm_outside(signed: &[u8]) -> Vec<u8> {
    let identifier = der::sequence([der::oid("1.3.101.112")]);
    let at = signed
        .windows(identifier.len())
        .rposition(|part| part == identifier);
    let mut other = signed.to_vec();
    other[at.unwrap() + identifier.len() - 1] += 1;
    other
}

fn replaced_first(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|part| part == old).unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}
