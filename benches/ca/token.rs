//! Verification of JWT-SVIDs, against checking the same signatures over the same bytes with the same provider.
//!
//! The bare side has the keys parsed, and the bytes and signatures (in DER, as the provider takes ECDSA) at hand. The other
//! side begins with the text of a token: base64url, strict JSON, the choice of the key by `kid`, and the claims are in it.

use std::hint::black_box;

use benches::{medians, ratio};
use mesh_ca::jwt::{JwtBundle, JwtMinter, JwtRequest, JwtSvid, JwtVerifyOptions};
use mesh_ca::{
    InsecureSeededEntropy, KeyPair, PublicKeyInfo, SignatureAlgorithm, Signer, SpiffeId, TrustDomain,
    UnixTime, default_verifier,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A token, with what the bare check needs of it.
struct Token {
    text: String,
    /// Header and payload as they were signed.
    signed: usize,
    signature: Vec<u8>,
}

pub(crate) fn run(full: bool) {
    let (count, passes) = if full { (500, 15) } else { (3, 1) };
    let mut entropy = InsecureSeededEntropy::new(9);
    let key = KeyPair::generate(&mut entropy).expect("a key");
    let spki = key.spki_der().to_vec();
    let public = PublicKeyInfo::parse(&spki).expect("a public key");
    // In two steps, so that the signature can be kept as the provider made it.
    let minter = JwtMinter::remote("here", &spki, key.algorithm()).expect("a minter");
    let tokens: Vec<Token> = (0..count)
        .map(|number| {
            let account = format!("workload-{number}");
            let id = SpiffeId::istio(&TrustDomain::istio_default(), "shop", &account).expect("an id");
            let request = JwtRequest::new(id, ["spiffe://cluster.local/ns/shop/sa/ratings"]);
            let (job, to_sign) = minter.begin(&request, NOW, &mut entropy).expect("a job");
            let signature = key.sign(&to_sign.message).expect("a signature");
            let text = job.finish(&signature, mesh_ca::SignatureFormat::Der, NOW);
            Token {
                text: text.expect("a token"),
                signed: to_sign.message.len(),
                signature,
            }
        })
        .collect();
    let mut bundle = JwtBundle::new();
    bundle.insert(minter.key_id(), minter.public_key().clone());
    let options = JwtVerifyOptions::new(NOW, ["spiffe://cluster.local/ns/shop/sa/ratings"]);
    let verifier = default_verifier();
    let [bare, verified] = medians(
        passes,
        count,
        [
            &mut || {
                for token in &tokens {
                    let message = &token.text.as_bytes()[..token.signed];
                    let algorithm = SignatureAlgorithm::EcdsaSha256;
                    let verdict = verifier.verify(algorithm, &public, message, &token.signature);
                    assert!(verdict.is_ok());
                }
            },
            &mut || {
                for token in &tokens {
                    let svid = JwtSvid::verify(&token.text, |_| Some(&bundle), &options);
                    black_box(svid.expect("a good token"));
                }
            },
        ],
    );
    println!("jwt: {count} tokens of ES256, one checked {verified:.0} ns, its signature alone {bare:.0} ns");
    ratio(
        "ca/jwt/verify",
        bare / verified,
        ">=0.95",
        "checking the signature with the same provider",
    );
}
