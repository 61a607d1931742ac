//! Verification of chains beside rustls-webpki on the same chain with the same provider for signatures, and the look-up in
//! a CRL of a million entries.

use std::time::Duration;

use benches::{Numbers, medians, ratio, time_of};
use mesh_ca::{
    Crl, InsecureSeededEntropy, KeyAlgorithm, KeyPair, KeyPurpose, Limits, SerialNumber, SignatureCache,
    TrustBundle, VerifyOptions,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use testkit::pki::{Authority, CrlTemplate, NOW, Template, extension, name, now, serial};

const ID: &str = "spiffe://cluster.local/ns/shop/sa/reviews";

pub(crate) fn run(full: bool) {
    chains(full);
    revoked(full);
}

/// A chain of leaf and intermediate with P-256 keys, and its root.
struct Chain {
    certificates: Vec<Vec<u8>>,
    root: Vec<u8>,
}

fn key(seed: u64) -> KeyPair {
    KeyPair::generate_for(KeyAlgorithm::EcdsaP256, &mut InsecureSeededEntropy::new(seed)).expect("a key")
}

/// A certificate of an authority or of a workload, signed by another key.
fn certificate(subject: &str, issuer: &str, key: &KeyPair, signer: &KeyPair, id: Option<&str>) -> Vec<u8> {
    let key_id = key.public_key().key_id();
    let mut extensions = match id {
        None => vec![
            extension::basic_constraints(true, None),
            extension::key_usage(extension::SIGNS),
            extension::subject_key_id(key_id.as_bytes()),
        ],
        Some(id) => vec![
            extension::basic_constraints(false, None),
            extension::key_usage(extension::DIGITAL_SIGNATURE),
            extension::extended_key_usage(&[extension::SERVER_AUTH, extension::CLIENT_AUTH]),
            extension::subject_alt_name(&[extension::uri(id)]),
        ],
    };
    extensions.push(extension::authority_key_id(
        signer.public_key().key_id().as_bytes(),
    ));
    let template = Template {
        version: 3,
        serial: serial(subject),
        issuer: name(issuer),
        subject: name(subject),
        not_before: NOW - 3_600,
        not_after: NOW + 3_600,
        public_key: key.public_key().der().to_vec(),
        extensions,
    };
    template.sign(signer)
}

/// Chains of distinct leaves below one intermediate, as a mesh has them. ECDSA signatures differ each time, so the
/// intermediate is signed once.
fn make_chains(count: u64) -> Vec<Chain> {
    let (root, middle) = (key(1), key(2));
    let issuer = certificate("middle", "root", &middle, &root, None);
    let anchor = certificate("root", "root", &root, &root, None);
    (0..count)
        .map(|number| chain(number, &middle, &issuer, &anchor))
        .collect()
}

fn chain(number: u64, middle: &KeyPair, issuer: &[u8], root: &[u8]) -> Chain {
    let leaf = key(number + 10);
    Chain {
        certificates: vec![
            certificate("workload", "middle", &leaf, middle, Some(ID)),
            issuer.to_vec(),
        ],
        root: root.to_vec(),
    }
}

fn chains(full: bool) {
    let (count, passes) = if full { (400, 15) } else { (4, 1) };
    let chains = make_chains(count);
    let mut bundle = TrustBundle::new("cluster.local".parse().expect("a trust domain"));
    bundle.insert_x509(&chains[0].root).expect("a root");
    let options = VerifyOptions::at(now()).with_purpose(KeyPurpose::ClientAuth);
    let mut cache = SignatureCache::new(100);
    let anchors: Vec<CertificateDer<'_>> = chains
        .iter()
        .map(|chain| CertificateDer::from(&chain.root[..]))
        .collect();
    let anchors = [webpki::anchor_from_trusted_cert(&anchors[0]).expect("an anchor")];
    let [ours, cached, theirs] = medians(
        passes,
        chains.len(),
        [
            &mut || {
                for chain in &chains {
                    bundle
                        .verify(&chain.certificates, &options)
                        .expect("a good chain");
                }
            },
            &mut || {
                for chain in &chains {
                    bundle
                        .verify_cached(&chain.certificates, &options, &mut cache)
                        .expect("a good chain");
                }
            },
            &mut || {
                for chain in &chains {
                    webpki_verifies(chain, &anchors);
                }
            },
        ],
    );
    println!(
        "verify a chain of two: {ours:.0} ns, with the cache {cached:.0} ns; rustls-webpki {theirs:.0} ns"
    );
    ratio(
        "ca.verify_chain.vs_webpki",
        theirs / ours,
        ">=0.95",
        "rustls-webpki on the same chains, by rate",
    );
    ratio(
        "ca.verify_chain_cached.vs_webpki",
        theirs / cached,
        ">=1.7",
        "rustls-webpki on the same chains, by rate",
    );
}

fn webpki_verifies(chain: &Chain, anchors: &[rustls_pki_types::TrustAnchor<'_>]) {
    let leaf = CertificateDer::from(&chain.certificates[0][..]);
    let middle = [CertificateDer::from(&chain.certificates[1][..])];
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    webpki::EndEntityCert::try_from(&leaf)
        .expect("a certificate")
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            anchors,
            &middle,
            time,
            webpki::KeyUsage::client_auth(),
            None,
            None,
        )
        .expect("a good chain");
}

fn revoked(full: bool) {
    let entries: usize = if full { 1_000_000 } else { 1_000 };
    let mut numbers = Numbers::new(5);
    let serials: Vec<[u8; 16]> = (0..entries)
        .map(|_| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&numbers.next_number().to_be_bytes());
            bytes[8..].copy_from_slice(&numbers.next_number().to_be_bytes());
            bytes[0] = bytes[0] & 0x7f | 0x40;
            bytes
        })
        .collect();
    let limits = Limits {
        crl: 64 << 20,
        ..Limits::default()
    };
    let root = Authority::root("root");
    let mut template: CrlTemplate = root.crl();
    template.entries = serials
        .iter()
        .map(|serial| (serial.to_vec(), NOW, Vec::new()))
        .collect();
    let crl = template.sign(&root.key);
    let (time, crl) = time_of(|| Crl::parse(&crl, &limits).expect("a CRL"));
    println!(
        "read and index a CRL of {entries} entries: {} ms",
        time.as_millis()
    );
    let wanted: Vec<SerialNumber> = numbers
        .order(entries)
        .into_iter()
        .take(200_000)
        .map(|at| {
            let mut serial = serials[at];
            // Every second one is not revoked.
            serial[15] ^= u8::from(at % 2 == 0) << 7;
            SerialNumber::from_bytes(&serial).expect("in range")
        })
        .collect();
    let mut found = 0;
    let [lookup] = medians(
        if full { 9 } else { 1 },
        wanted.len(),
        [&mut || found = wanted.iter().filter(|serial| crl.entry(serial).is_some()).count()],
    );
    assert!(found > 0 && found < wanted.len());
    println!("look up one of {entries} entries: {lookup:.0} ns");
    ratio(
        "ca.crl_lookup",
        lookup / 1_000.0,
        "<=1.0",
        "1 µs, in random order",
    );
}
