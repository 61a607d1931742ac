//! What must be true of any chain: the input is a program that makes a chain and spoils it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mesh_ca::{
    BundleSet, Certificate, KeyPurpose, Profile, PublicKeyInfo, SignatureCache, SpiffeId, TrustBundle,
    UnixTime, Verified, VerifyError, VerifyOptions, check_svid, default_verifier,
};

use super::bytes::Bytes;
use super::certificate_facts::Facts;
use crate::pki::{Authority, Extension, NOW, Template, YEAR, der, extension, name};

/// A chain that is accepted is one: read anew with another reader, each certificate is signed by the next one and valid, the
/// issuers are authorities that allow what stands below them, and the leaf names one id, of the trust domain whose anchor the
/// chain ends at. Bundles of other trust domains never accept it. The verdict does not depend on the order of the chain, on a
/// cache or on being explained; and a chain that nobody spoiled is accepted (C-VFY-1..18).
pub fn verify_chain(bytes: &[u8]) {
    let case = Case::read(&mut Bytes::new(bytes));
    let options = VerifyOptions::at(UnixTime::from_secs(case.now))
        .with_profile(case.profile.clone())
        .with_purpose(case.purpose);
    let verdict = case.set.verify(&case.chain, &options);
    assert_same_verdict(&case, &options, verdict.as_ref().map_err(|error| error.code()));
    match &verdict {
        Ok(verified) => assert_is_chain(&case, verified, &options),
        Err(error) => assert!(case.is_spoiled, "{error}"),
    }
}

/// However it is asked, the answer is the same.
fn assert_same_verdict(case: &Case, options: &VerifyOptions<'_>, verdict: Result<&Verified, &'static str>) {
    let Case { set, chain, .. } = case;
    let id = verdict.map(Verified::spiffe_id);
    let assert_same = |other: Result<&Verified, &VerifyError>, how: &str| {
        let other = other.map(Verified::spiffe_id);
        assert_eq!(other.map_err(VerifyError::code), id, "{how}");
    };
    let trace = set.explain(chain, options);
    assert_same(trace.verdict(), "explained");
    assert!(!trace.to_string().is_empty());
    let mut cache = SignatureCache::new(8);
    for _ in 0..2 {
        assert_same(
            set.verify_cached(chain, options, &mut cache).as_ref(),
            "from a cache",
        );
    }
    if let [leaf, others @ ..] = &chain[..] {
        let mut turned = vec![leaf.clone()];
        turned.extend(others.iter().rev().cloned());
        assert_same(set.verify(&turned, options).as_ref(), "in another order");
    }
}

/// Everything that an accepted chain promises.
fn assert_is_chain(case: &Case, verified: &Verified, options: &VerifyOptions<'_>) {
    let id = verified.spiffe_id();
    let path: Vec<Facts> = verified.path().iter().map(|der| Facts::read(der)).collect();
    assert_eq!(*verified.path()[0], case.chain[0][..]);
    let domain = id.trust_domain().as_str();
    assert!(
        case.roots[domain].iter().any(|root| *root == *verified.root()),
        "{domain}"
    );
    assert!(path.len() >= 2 && path.len() <= 10);

    let leaf = &path[0];
    assert_eq!(leaf.uris(), [id.as_str()]);
    assert!(id.as_str().starts_with(&format!("spiffe://{domain}/")));
    assert!(leaf.is_ca != Some(true) && !leaf.may_sign_certificates() && leaf.constraints.is_none());
    for facts in &path {
        assert!(
            facts.not_before <= case.now && case.now <= facts.not_after,
            "{facts:?}"
        );
        assert!(facts.allows(case.purpose), "{facts:?}");
        assert_eq!(facts.unknown_critical, [""; 0]);
    }
    let earliest = path.iter().map(|facts| facts.not_after).min();
    assert_eq!(Some(verified.not_after().as_secs()), earliest);
    for (below, above) in path.iter().zip(&path[1..]) {
        assert_eq!(below.issuer, above.subject);
        assert!(is_signed(below, above), "{below:?}");
    }
    let anchor = path.len() - 1;
    for (at, issuer) in path.iter().enumerate().skip(1) {
        // An anchor may be bare, to Istio.
        let may_be_bare = at == anchor && case.profile == Profile::ISTIO_COMPAT;
        assert!(issuer.is_ca.unwrap_or(may_be_bare), "{issuer:?}");
        assert!(issuer.may_sign_certificates() || at == anchor && issuer.key_usage.is_none());
        let between = path[1..at].iter().filter(|one| one.issuer != one.subject).count() as u64;
        assert!(issuer.path_len.is_none_or(|limit| between <= limit));
        let below = path[..at].iter().enumerate();
        for (_, below) in below.filter(|(at, one)| *at == 0 || one.issuer != one.subject) {
            assert!(
                below.uris().iter().all(|uri| issuer.permits(uri)),
                "{below:?} {issuer:?}"
            );
        }
    }
    assert_is_of_no_other_domain(case, id, options);
    let own = &verified.path()[..path.len() - 1];
    assert_eq!(check_svid(own, options).as_ref(), Ok(id));
}

/// The signature with the key of the issuer, by the algorithm of the certificate, and that one fits the key.
fn is_signed(below: &Facts, above: &Facts) -> bool {
    let Ok(key) = PublicKeyInfo::parse(&above.public_key) else {
        return false;
    };
    let Ok(certificate) = Certificate::parse(&below.der) else {
        return false;
    };
    let Ok(algorithm) = certificate.signature_algorithm() else {
        return false;
    };
    default_verifier()
        .verify(algorithm, &key, &below.tbs, &below.signature)
        .is_ok()
}

/// The same authorities vouch for nobody of another name.
fn assert_is_of_no_other_domain(case: &Case, id: &SpiffeId, options: &VerifyOptions<'_>) {
    for (domain, roots) in &case.roots {
        let mut others: Vec<&str> = DOMAINS.to_vec();
        others.retain(|other| *other != id.trust_domain().as_str());
        for other in others {
            let verdict = bundle(other, roots).verify(&case.chain, options);
            let code = verdict.map_err(|error| error.code());
            assert_eq!(code.err(), Some("verify.untrusted_domain"), "{domain} as {other}");
        }
    }
}

/// An authority of another trust domain.
static STRANGER: LazyLock<Authority> = LazyLock::new(|| Authority::root("stranger"));

const DOMAINS: [&str; 4] = ["td", "sub.td", "td2", "other"];

/// A chain, and who is trusted.
struct Case {
    chain: Vec<Vec<u8>>,
    set: BundleSet,
    /// The anchors by trust domain.
    roots: BTreeMap<&'static str, Vec<Vec<u8>>>,
    now: i64,
    profile: Profile,
    purpose: KeyPurpose,
    /// Whether anything was done that may make it a bad chain.
    is_spoiled: bool,
}

impl Case {
    fn read(bytes: &mut Bytes<'_>) -> Self {
        let depth = bytes.below(4);
        let profile = bytes.pick(&[Profile::MESH, Profile::STRICT_SPIFFE, Profile::ISTIO_COMPAT]);
        let purpose = bytes.pick(&[KeyPurpose::ServerAuth, KeyPurpose::ClientAuth]);
        let mut spoiler = Spoiler { bytes, count: 0 };
        let stranger = &*STRANGER;
        let root = Authority::root_with("root", |template| spoiler.change(template));
        let mut authorities = vec![root];
        for name in ["first", "second", "third"].iter().take(depth) {
            let above = &authorities[authorities.len() - 1];
            let next = above.intermediate_with(name, |template| spoiler.change(template));
            authorities.push(next);
        }
        let last = &authorities[authorities.len() - 1];
        let leaf = last.leaf_with("spiffe://td/ns/shop/sa/web", |template| spoiler.change(template));
        let mut chain = vec![leaf];
        chain.extend(
            authorities
                .iter()
                .skip(1)
                .rev()
                .map(|authority| authority.certificate.clone()),
        );
        spoiler.damage(&mut chain, &authorities, stranger);
        let now = spoiler.time();

        let mut roots = BTreeMap::new();
        let anchors = |authority: &Authority| vec![authority.certificate.clone()];
        roots.insert("td", anchors(&authorities[0]));
        roots.insert("other", anchors(stranger));
        let mut set = BundleSet::new(bundle("td", &roots["td"]));
        set.insert(bundle("other", &roots["other"]))
            .expect("it is no alias");
        Self {
            chain,
            set,
            roots,
            now,
            profile,
            purpose,
            is_spoiled: spoiler.count > 0,
        }
    }
}

/// A bundle of those of the roots that can be read.
fn bundle(domain: &str, roots: &[Vec<u8>]) -> TrustBundle {
    let mut bundle = TrustBundle::new(domain.parse().expect("a trust domain"));
    for root in roots {
        let _ = bundle.insert_x509(root);
    }
    bundle
}

/// Spoils things as the input says, and counts.
struct Spoiler<'s, 'b> {
    bytes: &'s mut Bytes<'b>,
    count: usize,
}

impl Spoiler<'_, '_> {
    /// Up to three changes of a certificate before it is signed.
    fn change(&mut self, template: &mut Template) {
        let changes = self.bytes.below(8).saturating_sub(4);
        self.count += changes;
        for _ in 0..changes {
            self.change_once(template);
        }
    }

    fn change_once(&mut self, template: &mut Template) {
        let bytes = &mut *self.bytes;
        let count = template.extensions.len();
        match bytes.below(18) {
            0 if count > 0 => {
                let (one, other) = (bytes.below(count), bytes.below(count));
                template.extensions.swap(one, other);
            }
            1 if count > 0 => drop(template.extensions.remove(bytes.below(count))),
            2 if count > 0 => template.extensions[bytes.below(count)].critical ^= true,
            3 if count > 0 => {
                let again = template.extensions[bytes.below(count)].clone();
                template.extensions.push(again);
            }
            4 if count > 0 => {
                let value = bytes.rest_of(24);
                template.extensions[bytes.below(count)].value = value;
            }
            5 => {
                let shift = bytes.pick(&[-2 * YEAR, -YEAR - 1, -YEAR, -1, 1, YEAR, YEAR + 1, 2 * YEAR]);
                match bytes.below(3) {
                    0 => template.not_before += shift,
                    1 => template.not_after += shift,
                    _ => {
                        template.not_before += shift;
                        template.not_after += shift;
                    }
                }
            }
            6 => {
                template.serial =
                    bytes.pick(&[vec![0], vec![0x80], vec![1; 20], vec![1; 21], vec![0, 1], vec![]]);
            }
            7 => {
                let (is_ca, limit) = (bytes.below(2) == 0, bytes.below(3) as u64);
                template.set(extension::basic_constraints(is_ca, Some(limit)));
            }
            8 => {
                let usage: &[u8] = bytes.pick(&[&[7, 0x80][..], &[2, 0x04], &[1, 0x06], &[1, 0x86], &[0]]);
                template.set(extension::key_usage(usage));
            }
            9 => {
                let purposes = bytes.pick(&[
                    &[extension::SERVER_AUTH][..],
                    &[extension::CLIENT_AUTH],
                    &[extension::EMAIL_PROTECTION],
                    &["2.5.29.37.0"],
                    &[],
                ]);
                template.set(extension::extended_key_usage(purposes));
            }
            10 => {
                template.set(constraints(bytes));
            }
            11 => {
                let names: Vec<Vec<u8>> = (0..bytes.below(3)).map(|_| general_name(bytes)).collect();
                template.set(extension::subject_alt_name(&names));
            }
            12 => template.subject = bytes.pick(&NAMES.map(name)),
            13 => template.issuer = bytes.pick(&NAMES.map(name)),
            14 => template.version = bytes.pick(&[1, 2, 3]),
            15 => {
                let owner = bytes.pick(&["root", "first", "stranger"]);
                template.public_key = Authority::root(owner).key.public_key().der().to_vec();
            }
            16 => {
                let oid = bytes.pick(&["1.2.3.4", "2.5.29.36", "2.5.29.33", "2.5.29.54", "2.5.29.32"]);
                let (critical, value) = (bytes.below(2) == 0, bytes.rest_of(8));
                template.set(Extension { oid, critical, value });
            }
            _ => {
                let oid = bytes.pick(&[extension::SUBJECT_KEY_ID, extension::AUTHORITY_KEY_ID]);
                template.remove(oid);
            }
        }
    }

    /// Up to three changes of what was signed.
    fn damage(&mut self, chain: &mut Vec<Vec<u8>>, authorities: &[Authority], stranger: &Authority) {
        let changes = self.bytes.below(8).saturating_sub(4);
        self.count += changes;
        for _ in 0..changes {
            let bytes = &mut *self.bytes;
            let count = chain.len();
            let at = bytes.below(count.max(1));
            match bytes.below(9) {
                0 if count > 0 => {
                    let place = bytes.below(chain[at].len().max(1));
                    let bit = 1 << bytes.below(8);
                    chain[at]
                        .iter_mut()
                        .skip(place)
                        .take(1)
                        .for_each(|byte| *byte ^= bit);
                }
                1 if count > 0 => drop(chain.remove(at)),
                2 if count > 0 && count < 12 => chain.push(chain[at].clone()),
                3 if count > 0 => chain.swap(at, bytes.below(count)),
                4 => chain.push(bytes.rest_of(32)),
                5 => chain.push(authorities[0].certificate.clone()),
                6 if count > 0 => chain[at] = stranger.leaf(bytes.pick(&IDS)),
                7 if count > 0 => chain[at] = authorities[0].leaf(bytes.pick(&IDS)),
                _ => chain.push(stranger.certificate.clone()),
            }
        }
    }

    /// The time of the verification; one outside of the chain's life spoils it.
    fn time(&mut self) -> i64 {
        let honest = [NOW, NOW - YEAR, NOW + YEAR];
        let other = [NOW - YEAR - 1, NOW + YEAR + 1, i64::MIN, i64::MAX, 0];
        match self.bytes.below(16) {
            0..=11 => self.bytes.pick(&honest),
            _ => {
                self.count += 1;
                self.bytes.pick(&other)
            }
        }
    }
}

const NAMES: [&str; 5] = ["", "root", "first", "second", "stranger"];

const IDS: [&str; 9] = [
    "spiffe://td/ns/shop/sa/web",
    "spiffe://td/other",
    "spiffe://td",
    "spiffe://TD/web",
    "spiffe://sub.td/web",
    "spiffe://td2/web",
    "spiffe://other/web",
    "spiffe://other/\0",
    "https://td/web",
];

fn general_name(bytes: &mut Bytes<'_>) -> Vec<u8> {
    match bytes.below(4) {
        0 => extension::dns(bytes.pick(&["a.example.org", "*.example.org", "td", "b_c"])),
        1 => der::value(0x87, &bytes.rest_of(8)),
        _ => extension::uri(bytes.pick(&IDS)),
    }
}

fn constraints(bytes: &mut Bytes<'_>) -> Extension {
    let base = |bytes: &mut Bytes<'_>| {
        let text = bytes.pick(&["td", ".td", "sub.td", "TD", "other", "example.org", "", "."]);
        match bytes.below(4) {
            0 => extension::dns(text),
            _ => extension::uri(text),
        }
    };
    let mut list = |most| (0..bytes.below(most)).map(|_| base(bytes)).collect::<Vec<_>>();
    let permitted = list(3);
    extension::name_constraints(&permitted, &list(2))
}
