//! The verification of paths beside rustls-webpki and the command line of OpenSSL, on chains that were changed: bytes
//! flipped, extensions swapped or dropped, times shifted. Where the verdicts differ, the difference is one of those listed
//! here, with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{KeyPurpose, TrustBundle, VerifyOptions};
use rustls::pki_types::{CertificateDer, UnixTime};
use testkit::pki::reference::Random;
use testkit::pki::{Authority, NOW, Template, YEAR, der, extension, name, now};

/// How many chains are compared with webpki. The variable `CA_DIFFERENTIAL_CASES` asks for another number, here and below, and
/// `CA_DIFFERENTIAL_SEED` for other chains.
const CASES: u64 = 6_000;

/// How many chains OpenSSL is started for.
const OPENSSL_CASES: u64 = 2_000;

const ID: &str = "spiffe://td/web";

/// What we refuse and others need not, by our code, and why.
const STRICTER: &[(&str, &str)] = &[
    ("verify.no_uri_san", "an SVID has a URI name"),
    ("verify.multiple_uri_sans", "an SVID has one URI name"),
    ("verify.invalid_spiffe_id", "an SVID names a SPIFFE id"),
    ("verify.leaf_is_trust_domain_id", "an SVID names a workload"),
    (
        "verify.unknown_issuer",
        "names of issuers are compared byte by byte, not without regard to case",
    ),
    ("verify.untrusted_domain", "the trust domain chooses the bundle"),
    (
        "verify.leaf_has_key_usage",
        "the profile wants keyUsage of a leaf",
    ),
    ("verify.leaf_may_sign", "a leaf signs handshakes"),
    ("verify.leaf_is_no_ca", "a leaf is no authority"),
    ("verify.malformed", "DER is read strictly, all of it"),
    (
        "verify.serial_number",
        "serial numbers are positive and at most 20 bytes long",
    ),
    ("verify.key_usage", "an issuer has keyCertSign"),
    ("verify.cert_sign_without_ca", "keyCertSign is for authorities"),
    ("verify.empty_name", "issuers have names"),
    ("verify.empty_subject_has_critical_names", "RFC 5280 §4.2.1.6"),
    ("verify.key_id_critical", "RFC 5280 §4.2.1.1 and §4.2.1.2"),
    ("verify.name_constraints_in_leaf", "RFC 5280 §4.2.1.10"),
    (
        "verify.policy_rules",
        "rules about policies are refused, not ignored",
    ),
    ("verify.public_key", "the key of the leaf is looked at too"),
    ("verify.unique_ids", "unique identifiers are refused"),
    ("verify.version", "certificates are of version 3"),
    ("verify.unknown_critical_extension", "anchors are asked as well"),
    ("verify.anchor_has_basic_constraints", "anchors are asked as well"),
    ("verify.not_ca", "anchors are asked as well"),
    ("verify.expired", "anchors are asked as well"),
    ("verify.not_yet_valid", "anchors are asked as well"),
    ("verify.path_len", "anchors are asked as well"),
    (
        "verify.purpose",
        "extKeyUsage of issuers counts, anchors included",
    ),
    (
        "verify.name_constraint",
        "URI names are compared with constraints, and wildcards as RFC 5280 means it",
    ),
    (
        "verify.malformed_name_constraints",
        "constraints that cannot be read are refused whether or not a name occurs",
    ),
];

/// What webpki refuses and we need not, by a part of its error, and why.
const WEBPKI_STRICTER: &[(&str, &str)] = &[
    (
        "NameConstraintViolation",
        "it refuses URI names under any URI constraint, and does not compare directory names",
    ),
    ("UnsupportedNameConstraint", "it refuses what it does not compare"),
    (
        "UnsupportedCriticalExtension",
        "it does not know critical policies, distribution points and key identifiers",
    ),
    ("CaUsedAsEndEntity", "a profile may allow it"),
    (
        "MalformedDnsIdentifier",
        "DNS names of an SVID are not compared, their form is a note",
    ),
    (
        "ExtensionValueInvalid",
        "it checks the values of extensions that we do not know",
    ),
    ("UnsupportedCertVersion", "version 1 roots"),
    ("BadDerTime", "it knows no times before 1970"),
];

/// What OpenSSL refuses and we need not, by a part of its message, and why.
const OPENSSL_STRICTER: &[(&str, &str)] = &[
    (
        "unsupported name constraint type",
        "it does not compare some kinds of names",
    ),
    (
        "unsupported or invalid name",
        "it reads names of other kinds more strictly",
    ),
    (
        "unhandled critical extension",
        "it does not know some extensions when they are critical",
    ),
    (
        "unable to get issuer certificate",
        "it looks for the issuer of an anchor that is not self-signed",
    ),
    (
        "unable to get local issuer certificate",
        "it compares key identifiers and does not try other certificates",
    ),
    (
        "certificate has expired",
        "notAfter is the last second of validity, not the first one after it",
    ),
    (
        "invalid or inconsistent certificate extension",
        "it reads the values of extensions that we do not need",
    ),
    (
        "Field=value, Type=X509_NAME_ENTRY",
        "values in names are strings to it, while X.501 leaves their type open",
    ),
    (
        "ASN1_mbstring_ncopy:illegal characters",
        "it decodes the strings in names, which are compared as bytes",
    ),
];

/// A chain and its root, in DER.
struct Case {
    chain: Vec<Vec<u8>>,
    root: Vec<u8>,
    what: String,
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(bytes.len() as u64) as usize;
    bytes[at] ^= 1 << random.below(8);
}

/// A change to a certificate before it is signed.
fn change(random: &mut Random, template: &mut Template) -> &'static str {
    let count = template.extensions.len() as u64;
    match random.below(14) {
        0 => {
            let (a, b) = (random.below(count) as usize, random.below(count) as usize);
            template.extensions.swap(a, b);
            "extensions swapped"
        }
        1 => {
            template.extensions.remove(random.below(count) as usize);
            "an extension dropped"
        }
        2 => {
            let at = random.below(count) as usize;
            template.extensions[at].critical ^= true;
            "an extension's criticality changed"
        }
        3 => {
            let (a, b) = (random.below(count) as usize, random.below(count) as usize);
            template.extensions[a].value = template.extensions[b].value.clone();
            "values of extensions swapped"
        }
        4 => {
            let at = random.below(count) as usize;
            let again = template.extensions[at].clone();
            template.extensions.push(again);
            "an extension twice"
        }
        5 => {
            let shift = random.pick(&[-2 * YEAR, -YEAR - 1, -YEAR, YEAR, YEAR + 1, 2 * YEAR]);
            template.not_before += shift;
            template.not_after += shift;
            match template.not_after {
                NOW => "validity shifted to end now",
                _ => "validity shifted",
            }
        }
        6 => {
            template.serial = random.pick(&[vec![0], vec![0x80], vec![1; 20], vec![1; 21], vec![0, 0x80]]);
            "serial number changed"
        }
        7 => {
            let limit = random.below(2);
            template.set(extension::basic_constraints(random.once_in(2), Some(limit)));
            "basicConstraints changed"
        }
        8 => {
            let usage: &[u8] = random.pick(&[&[7, 0x80][..], &[2, 0x04], &[1, 0x06], &[1, 0x86], &[5, 0xa0]]);
            template.set(extension::key_usage(usage));
            "keyUsage changed"
        }
        9 => {
            let purposes = random.pick(&[
                extension::SERVER_AUTH,
                extension::CLIENT_AUTH,
                extension::EMAIL_PROTECTION,
            ]);
            template.set(extension::extended_key_usage(&[purposes]));
            "extKeyUsage changed"
        }
        10 => {
            let base = random.pick(&["td", "example.org", "a.example.org", "other.org"]);
            let bases = [random.pick(&[extension::dns(base), extension::uri(base)])];
            let constraints = match random.once_in(2) {
                true => extension::name_constraints(&bases, &[]),
                false => extension::name_constraints(&[], &bases),
            };
            template.set(constraints);
            "nameConstraints added"
        }
        11 => {
            let names = [
                extension::uri(ID),
                extension::dns(random.pick(&["a.example.org", "*.example.org", "b_c.example.org"])),
            ];
            template.set(extension::subject_alt_name(&names));
            "names changed"
        }
        12 => {
            template.subject = random.pick(&[name(""), name("another")]);
            "subject changed"
        }
        _ => {
            let at = random.below(count) as usize;
            let mut value = std::mem::take(&mut template.extensions[at].value);
            flip(random, &mut value);
            template.extensions[at].value = value;
            "a value of an extension damaged"
        }
    }
}

fn case(random: &mut Random) -> Case {
    let level = random.below(3);
    let kind = random.below(4);
    let mut what = "nothing".to_owned();
    let mut at_level = |random: &mut Random, number: u64, template: &mut Template| {
        if number == level && kind < 2 {
            what = format!("level {number}: {}", change(random, template));
        }
    };
    let mut source = Random(random.below(u64::MAX));
    let root = Authority::root_with("root", |it| at_level(&mut source, 2, it));
    let middle = root.intermediate_with("middle", |it| at_level(&mut source, 1, it));
    let leaf = middle.leaf_with(ID, |it| at_level(&mut source, 0, it));
    let mut all = [leaf, middle.certificate.clone(), root.certificate.clone()];
    if kind == 2 {
        flip(random, &mut all[level as usize]);
        what = format!("level {level}: a bit flipped");
    }
    if kind == 3 && level < 2 {
        let (signer, damaged) = match level {
            0 => (&middle.key, &mut all[0]),
            _ => (&root.key, &mut all[1]),
        };
        if let Some(resigned) = resign(random, damaged, signer) {
            *damaged = resigned;
            what = format!("level {level}: a bit flipped and signed again");
        }
    }
    let [leaf, middle, root] = all;
    Case {
        chain: vec![leaf, middle],
        root,
        what,
    }
}

/// Flips a bit of the signed part and signs it again.
fn resign(random: &mut Random, certificate: &[u8], signer: &mesh_ca::KeyPair) -> Option<Vec<u8>> {
    let parsed = mesh_ca::Certificate::parse(certificate).ok()?;
    let mut tbs = parsed.tbs_der().to_vec();
    flip(random, &mut tbs);
    let signature = mesh_ca::Signer::sign(signer, &tbs).ok()?;
    Some(der::sequence([
        tbs,
        der::sequence([der::oid("1.3.101.112")]),
        der::bits(&signature),
    ]))
}

fn ours(case: &Case) -> Result<(), &'static str> {
    let mut bundle = TrustBundle::new("td".parse().unwrap());
    if bundle.insert_x509(&case.root).is_err() {
        return Err("verify.malformed");
    }
    let options = VerifyOptions::at(now()).with_purpose(KeyPurpose::ServerAuth);
    bundle
        .verify(&case.chain, &options)
        .map(|_| ())
        .map_err(|error| error.code())
}

fn webpki(case: &Case) -> Result<(), String> {
    let root = CertificateDer::from(case.root.clone());
    let leaf = CertificateDer::from(case.chain[0].clone());
    let middle = [CertificateDer::from(case.chain[1].clone())];
    let anchor = webpki::anchor_from_trusted_cert(&root).map_err(|error| format!("{error:?}"))?;
    let leaf = webpki::EndEntityCert::try_from(&leaf).map_err(|error| format!("{error:?}"))?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        &middle,
        time,
        webpki::KeyUsage::server_auth(),
        None,
        None,
    )
    .map(|_| ())
    .map_err(|error| format!("{error:?}"))
}

/// Reasons that excuse a difference only where the chain was changed in a way that goes with them.
const ONLY_WHERE: &[(&str, &str)] = &[
    ("anchors are asked as well", "level 2"),
    (
        "names of issuers are compared byte by byte, not without regard to case",
        "a bit flipped",
    ),
    (
        "notAfter is the last second of validity, not the first one after it",
        "to end now",
    ),
    ("it knows no times before 1970", "a bit flipped and signed again"),
    (
        "values in names are strings to it, while X.501 leaves their type open",
        "a bit flipped",
    ),
    (
        "it decodes the strings in names, which are compared as bytes",
        "a bit flipped",
    ),
];

/// The reason of a difference, if it is a known one.
fn reason(
    ours: Result<(), &'static str>,
    theirs: &Result<(), String>,
    table: &[(&str, &'static str)],
    what: &str,
) -> Option<&'static str> {
    let reason = match (ours, theirs) {
        (Err(code), Ok(())) => STRICTER.iter().find(|(known, _)| *known == code),
        (Ok(()), Err(error)) => table.iter().find(|(part, _)| error.contains(part)),
        _ => None,
    };
    reason.map(|(_, reason)| *reason).filter(|reason| {
        let mut limits = ONLY_WHERE.iter().filter(|(limited, _)| limited == reason);
        limits.all(|(_, wanted)| what.contains(wanted))
    })
}

/// Compares with somebody, and returns how many were accepted by both, refused by both, and different for a known reason.
fn compare(
    whom: &str,
    cases: u64,
    table: &[(&str, &'static str)],
    other: impl Fn(&Case) -> Result<(), String>,
) -> [u64; 3] {
    let mut random = Random(wanted("CA_DIFFERENTIAL_SEED", 4711));
    let mut counts = [0; 3];
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let mut unknown = Vec::new();
    for _ in 0..cases {
        let case = case(&mut random);
        let (ours, theirs) = (ours(&case), other(&case));
        match (&ours, &theirs) {
            (Ok(()), Ok(())) => counts[0] += 1,
            (Err(_), Err(_)) => counts[1] += 1,
            _ => match reason(ours, &theirs, table, &case.what) {
                Some(reason) => {
                    counts[2] += 1;
                    *reasons.entry(format!("{ours:?} {reason}")).or_default() += 1;
                }
                None => {
                    let file = kept(&case, &format!("{whom}-{}", unknown.len()));
                    unknown.push(format!(
                        "{}: ours {ours:?}, theirs {theirs:?}, kept in {file}",
                        case.what
                    ));
                }
            },
        }
    }
    for (reason, count) in &reasons {
        println!("{count:5} {reason}");
    }
    assert!(
        unknown.is_empty(),
        "differences without a reason:\n{}",
        unknown.join("\n")
    );
    println!("{counts:?} accepted by both, refused by both, different");
    counts
}

/// Where the chain and its root are kept to be looked at.
fn kept(case: &Case, name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("difference-{name}.pem"));
    let certificates = case.chain.iter().chain([&case.root]);
    let text: String = certificates
        .map(|der| pem::encode(PemLabel::Certificate, der))
        .collect();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A number from the environment, where it gives one.
fn wanted(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn webpki_agrees() {
    let cases = wanted("CA_DIFFERENTIAL_CASES", CASES);
    let [accepted, refused, _] = compare("webpki", cases, WEBPKI_STRICTER, webpki);
    assert!(
        accepted > cases / 10 && refused > cases / 4,
        "{accepted} {refused}"
    );
}

#[test]
fn openssl_agrees() {
    if !testkit::openssl::is_there() {
        return;
    }
    let cases = wanted("CA_DIFFERENTIAL_CASES", OPENSSL_CASES);
    let [accepted, refused, _] = compare("openssl", cases, OPENSSL_STRICTER, openssl);
    assert!(
        accepted > cases / 10 && refused > cases / 4,
        "{accepted} {refused}"
    );
}

fn openssl(case: &Case) -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ca_differential");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, der: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, pem::encode(PemLabel::Certificate, der)).unwrap();
        path
    };
    let (root, middle, leaf) = (
        file("root.pem", &case.root),
        file("middle.pem", &case.chain[1]),
        file("leaf.pem", &case.chain[0]),
    );
    let verify = |anchors: &Path| {
        let output = Command::new("openssl")
            .args(["verify", "-purpose", "sslserver", "-attime", &NOW.to_string()])
            .args(["-no-CAfile", "-no-CApath", "-no-CAstore"])
            .arg("-CAfile")
            .arg(anchors)
            .arg("-untrusted")
            .arg(&middle)
            .arg(&leaf)
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).replace('\n', " ")),
        }
    };
    match verify(&root) {
        // Why it cannot read a certificate it says of anchors alone.
        Err(error) if error.contains("Could not read") => [&leaf, &middle]
            .into_iter()
            .filter_map(|unread| verify(unread).err())
            .find(|why| why.contains("Error loading file"))
            .map_or(Err(error), Err),
        verdict => verdict,
    }
}
