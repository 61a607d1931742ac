//! What must be true of any PEM text, and of any bytes in PEM.

use std::time::{Duration, Instant};

use mesh_ca::pem::{self, PemErrorKind, PemLabel};
use mesh_ca::{Limits, TrustBundle};

const LABELS: [PemLabel; 9] = [
    PemLabel::Certificate,
    PemLabel::CertificateRequest,
    PemLabel::Crl,
    PemLabel::EcParameters,
    PemLabel::EcPrivateKey,
    PemLabel::EncryptedPrivateKey,
    PemLabel::PrivateKey,
    PemLabel::PublicKey,
    PemLabel::RsaPrivateKey,
];

/// Any bytes can be written in PEM, and are read back. Of any text, the functions read what a plain reader of RFC 7468 reads
/// that shares no code with them, refuse what it refuses, and end in linear time; what was read can be written, alone and
/// put together with the text (C-PEM-1..5).
pub fn pem(bytes: &[u8]) {
    for label in LABELS {
        assert_written_is_read(label, bytes);
    }
    let limits = Limits::default();
    let blocks = reference(bytes);
    let chain = pem::parse_chain(bytes, &limits);
    assert_eq!(chain.clone().ok(), all(&blocks, "CERTIFICATE", false));
    assert_eq!(
        pem::parse_chain_skip_other(bytes, &limits).ok(),
        all(&blocks, "CERTIFICATE", true)
    );
    let crls = match &blocks {
        Ok(blocks) if blocks.is_empty() => Some(Vec::new()),
        blocks => all(blocks, "X509 CRL", false),
    };
    assert_eq!(pem::parse_crls(bytes, &limits).ok(), crls);
    for label in LABELS {
        assert_eq!(pem::parse_one(bytes, label).ok(), one(&blocks, label), "{label}");
    }
    match chain {
        Ok(chain) => assert_chain(bytes, &chain),
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(error.line() <= lines && !error.to_string().contains('\n'));
        }
    }
    assert_lenient(bytes);
    assert_linear(bytes);
}

/// C-PEM-5: lines of 64 columns that end in LF, and the same bytes when read.
fn assert_written_is_read(label: PemLabel, bytes: &[u8]) {
    let text = pem::encode(label, bytes);
    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    assert!(text.ends_with("-----\n") && !text.contains('\r'));
    assert_eq!((lines[0], lines[lines.len() - 1]), (&*first, &*last));
    let content = &lines[1..lines.len() - 1];
    assert!(content.iter().rev().skip(1).all(|line| line.len() == 64));
    assert!(content.last().is_none_or(|line| (1..=64).contains(&line.len())));
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("before\n\n{}", text.trim_end()),
    ] {
        assert_eq!(pem::parse_one(text.as_bytes(), label).as_deref(), Ok(bytes));
    }
}

/// What was read is written, read again, and put together with where it came from; one less than it holds is too small a limit.
fn assert_chain(bytes: &[u8], chain: &[Vec<u8>]) {
    let limits = Limits::default();
    assert!(chain.iter().map(Vec::len).sum::<usize>() <= bytes.len());
    let written: String = chain
        .iter()
        .map(|der| pem::encode(PemLabel::Certificate, der))
        .collect();
    let read = |text: &str| pem::parse_chain(text.as_bytes(), &limits);
    assert_eq!(read(&written).as_deref(), Ok(chain));
    if let Ok(text) = str::from_utf8(bytes) {
        let twice = [chain, chain].concat();
        for order in [[text, &written], [&written, text], [text, text]] {
            assert_eq!(read(&pem::concat(order)).as_ref(), Ok(&twice));
        }
    }
    let fewer = Limits {
        pem_certificates: chain.len() - 1,
        ..Limits::default()
    };
    let shorter = Limits {
        pem_bundle: bytes.len() - 1,
        ..Limits::default()
    };
    for (limits, kind) in [(fewer, PemErrorKind::TooMany), (shorter, PemErrorKind::TooLarge)] {
        let refused = pem::parse_chain(bytes, &limits).map_err(|error| error.kind());
        assert_eq!(refused, Err(kind));
    }
}

/// C-PEM-4: what is taken strictly is taken leniently too, but for negative serial numbers; and what is taken of a text has
/// no fault when it stands alone.
fn assert_lenient(bytes: &[u8]) {
    let limits = Limits::default();
    let domain = || "td".parse().expect("a trust domain");
    let strict = TrustBundle::from_pem(domain(), bytes, &limits);
    let lenient = TrustBundle::from_pem_lenient(domain(), bytes, &limits);
    if let Ok(lenient) = &lenient {
        let text = lenient.bundle.to_pem();
        let again = TrustBundle::from_pem_lenient(domain(), text.as_bytes(), &limits);
        let again = again.expect("what is written can be read");
        assert!(again.errors.is_empty() && again.bundle == lenient.bundle);
        let alone = TrustBundle::from_pem(domain(), text.as_bytes(), &limits);
        assert_eq!(alone.as_ref(), Ok(&lenient.bundle));
    }
    if let Ok(strict) = strict {
        let (taken, errors) = match lenient {
            Ok(lenient) => (lenient.bundle.x509_authorities().to_vec(), lenient.errors),
            Err(error) => (Vec::new(), vec![error]),
        };
        let is_negative = |code: &str| code == "bundle.negative_serial_number";
        assert!(errors.iter().all(|error| is_negative(error.kind.code())));
        assert!(taken.iter().all(|root| strict.contains_x509(root.der())));
        assert!(errors.is_empty() != (taken.len() < strict.x509_authorities().len()));
    }
}

/// A text of 64 KiB made of the input takes a thousandth of this when each byte is looked at a few times, and a
/// thousandfold of that when each byte is looked at for each one.
fn assert_linear(bytes: &[u8]) {
    const SIZE: usize = 64 << 10;
    if bytes.is_empty() || bytes.len() > SIZE / 8 {
        return;
    }
    let long = bytes.repeat(SIZE / bytes.len());
    let began = Instant::now();
    let _ = pem::parse_chain_skip_other(&long, &Limits::default());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// A block as it stands: its label, and its content where that is good.
type Block = (Vec<u8>, Option<Vec<u8>>);

/// The blocks of a text, and whether the text ends without a fault of its frames.
fn reference(text: &[u8]) -> Result<Vec<Block>, Vec<Block>> {
    let text = match text {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        text => text,
    };
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(Vec<u8>, Vec<Vec<u8>>)> = None;
    for line in text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
        let frame = |word: &str| {
            let start = format!("-----{word} ");
            line.starts_with(start.as_bytes())
                .then(|| line[start.len()..].strip_suffix(b"-----").map(<[u8]>::to_vec))
        };
        open = match (open, frame("BEGIN"), frame("END")) {
            (None, Some(Some(label)), _) => Some((label, Vec::new())),
            (None, None, None) => None,
            (Some((label, lines)), None, Some(Some(end))) if label == end => {
                blocks.push((label, content(&lines)));
                None
            }
            (Some((label, mut lines)), None, None) if !line.starts_with(b"-----") => {
                lines.push(line.to_vec());
                Some((label, lines))
            }
            _ => return Err(blocks),
        };
    }
    match open {
        None => Ok(blocks),
        Some(_) => Err(blocks),
    }
}

/// Padded base64 with one way to write each content, in lines of at most 1,024 characters.
fn content(lines: &[Vec<u8>]) -> Option<Vec<u8>> {
    if lines.iter().any(|line| line.len() > 1_024) {
        return None;
    }
    let text = lines.concat();
    let digits = text.strip_suffix(b"=").unwrap_or(&text);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    if text.len() % 4 != 0 || text.len() - digits.len() > 2 {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0, 0_u32, Vec::new());
    for digit in digits {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(bytes)
}

/// The contents of the blocks with a label, where all blocks are good ones; at least one.
fn all(blocks: &Result<Vec<Block>, Vec<Block>>, label: &str, skip_others: bool) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for (other, content) in blocks.as_ref().ok()? {
        if other == label.as_bytes() {
            found.push(content.clone()?);
        } else if !skip_others || other.ends_with(b" CERTIFICATE") {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The content of the one block with a label, without certificates beside it.
fn one(blocks: &Result<Vec<Block>, Vec<Block>>, label: PemLabel) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    for (other, content) in blocks.as_ref().ok()? {
        let is_old_name = label == PemLabel::CertificateRequest && other == b"NEW CERTIFICATE REQUEST";
        if other == label.as_str().as_bytes() || is_old_name {
            found.push(content.clone()?);
        } else if other == b"CERTIFICATE" {
            return None;
        }
    }
    match found.len() {
        1 => found.pop(),
        _ => None,
    }
}
