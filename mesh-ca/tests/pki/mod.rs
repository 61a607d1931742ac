//! Authorities and certificates for tests.

use std::sync::Arc;

use mesh_ca::{
    Authority, CaProfile, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, IssuedSvid, KeyPair,
    SpiffeId, TrustDomain, UnixTime,
};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// An intermediate below `above`, with a key of its own.
pub(crate) fn below(
    above: &mut Authority,
    domain: &TrustDomain,
    profile: &CaProfile,
    seed: u64,
) -> Authority {
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap();
    let csr = CsrBuilder::for_intermediate(domain).unwrap().build(&key).unwrap();
    let server = SpiffeId::from_path(domain, "/server").unwrap();
    let caller = Caller::from(&server).with_downstream(true);
    let grant = CsrPolicy::istio()
        .check_ca(csr.der())
        .unwrap()
        .authorize(&caller)
        .unwrap();
    let mut entropy = InsecureSeededEntropy::new(seed);
    let issued = above
        .issue_intermediate(&grant, profile, NOW, &mut entropy)
        .unwrap();
    above.intermediate(&issued, Arc::new(key)).unwrap()
}

/// The certificate of a workload.
pub(crate) fn issue(ca: &mut Authority, id: &SpiffeId, seed: u64) -> IssuedSvid {
    let mut entropy = InsecureSeededEntropy::new(seed);
    let csr = CsrBuilder::new(id)
        .build(&KeyPair::generate(&mut entropy).unwrap())
        .unwrap();
    let grant = CsrPolicy::istio()
        .check(csr.der())
        .unwrap()
        .authorize(&Caller::from(id))
        .unwrap();
    ca.issue(&grant, NOW, &mut entropy).unwrap()
}
