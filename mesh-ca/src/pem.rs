//! PEM: blocks of base64 between `-----BEGIN` and `-----END` lines.
//!
//! Reading is strict inside a block and easy between blocks: any text may stand there, lines may end in LF or CRLF with
//! white space before, and a byte order mark at the start is skipped. Begin and end labels must agree, base64 must be
//! padded and canonical, and lines of a block have at most 1,024 bytes.
//!
//! ```
//! use mesh_ca::pem::{self, PemLabel};
//!
//! let text = pem::encode(PemLabel::Certificate, &[0x30, 0x00]);
//! assert_eq!(text, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
//! assert_eq!(pem::parse_one(text.as_bytes(), PemLabel::Certificate)?, [0x30, 0x00]);
//! # Ok::<(), pem::PemError>(())
//! ```
//!
//! Spec: RFC 7468; ca.md C-PEM-1, C-PEM-2, C-PEM-3, C-PEM-5.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Limits;

/// The longest line of a block, in bytes.
const MAX_LINE: usize = 1_024;

/// What a block holds.
///
/// Source: ca.md C-PEM-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PemLabel {
    /// `CERTIFICATE`. The old `X509 CERTIFICATE` and OpenSSL's `TRUSTED CERTIFICATE` are not taken for it.
    Certificate,
    /// `CERTIFICATE REQUEST`; `NEW CERTIFICATE REQUEST` is taken too.
    CertificateRequest,
    /// `X509 CRL`.
    Crl,
    /// `EC PARAMETERS`, which some programs write before an EC key.
    EcParameters,
    /// `EC PRIVATE KEY`: SEC1.
    EcPrivateKey,
    /// `ENCRYPTED PRIVATE KEY`: PKCS#8 under a password.
    EncryptedPrivateKey,
    /// `PRIVATE KEY`: PKCS#8.
    PrivateKey,
    /// `PUBLIC KEY`: SubjectPublicKeyInfo.
    PublicKey,
    /// `RSA PRIVATE KEY`: PKCS#1.
    RsaPrivateKey,
}

impl PemLabel {
    /// The text of the label, as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::CertificateRequest => "CERTIFICATE REQUEST",
            Self::Crl => "X509 CRL",
            Self::EcParameters => "EC PARAMETERS",
            Self::EcPrivateKey => "EC PRIVATE KEY",
            Self::EncryptedPrivateKey => "ENCRYPTED PRIVATE KEY",
            Self::PrivateKey => "PRIVATE KEY",
            Self::PublicKey => "PUBLIC KEY",
            Self::RsaPrivateKey => "RSA PRIVATE KEY",
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"CERTIFICATE" => Self::Certificate,
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            b"X509 CRL" => Self::Crl,
            b"EC PARAMETERS" => Self::EcParameters,
            b"EC PRIVATE KEY" => Self::EcPrivateKey,
            b"ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            b"PRIVATE KEY" => Self::PrivateKey,
            b"PUBLIC KEY" => Self::PublicKey,
            b"RSA PRIVATE KEY" => Self::RsaPrivateKey,
            _ => return None,
        })
    }
}

impl fmt::Display for PemLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not the PEM that was asked for, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PemError {
    kind: PemErrorKind,
    line: usize,
}

impl PemError {
    pub(crate) fn new(kind: PemErrorKind, line: usize) -> Self {
        Self { kind, line }
    }

    /// The rule that is broken.
    pub fn kind(&self) -> PemErrorKind {
        self.kind
    }

    /// The line, counted from 1; for faults of a whole block its first line, for those of the whole text 0.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())?;
        match self.line {
            0 => Ok(()),
            line => write!(f, " (at line {line})"),
        }
    }
}

impl std::error::Error for PemError {}

/// The rule of PEM that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PemErrorKind {
    /// The content is not padded, canonical base64.
    Base64,
    /// A `-----BEGIN` or `-----END` line is cut off, or an end stands without a beginning.
    Boundary,
    /// The text ends within a block.
    EndMissing,
    /// A block has headers, which only encrypted private keys have.
    Headers,
    /// The labels of beginning and end differ.
    LabelMismatch,
    /// A line of a block is longer than 1,024 bytes.
    LineTooLong,
    /// There is more than one block of the kind.
    MoreThanOne,
    /// There is no block of the kind.
    NoBlock,
    /// The text is larger than the limit.
    TooLarge,
    /// There are more blocks than the limit.
    TooMany,
    /// A block of another kind is in the way.
    UnexpectedLabel,
}

impl PemErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Base64 => "pem.base64",
            Self::Boundary => "pem.boundary",
            Self::EndMissing => "pem.end_missing",
            Self::Headers => "pem.headers",
            Self::LabelMismatch => "pem.label_mismatch",
            Self::LineTooLong => "pem.line_too_long",
            Self::MoreThanOne => "pem.more_than_one",
            Self::NoBlock => "pem.no_block",
            Self::TooLarge => "pem.too_large",
            Self::TooMany => "pem.too_many",
            Self::UnexpectedLabel => "pem.unexpected_label",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Base64 => "the content is not padded, canonical base64",
            Self::Boundary => "a BEGIN or END line is malformed or out of place",
            Self::EndMissing => "the text ends within a block",
            Self::Headers => "the block has headers",
            Self::LabelMismatch => "the labels of BEGIN and END differ",
            Self::LineTooLong => "a line is longer than 1024 bytes",
            Self::MoreThanOne => "there is more than one block of the kind",
            Self::NoBlock => "there is no block of the kind",
            Self::TooLarge => "the text is too large",
            Self::TooMany => "there are too many blocks",
            Self::UnexpectedLabel => "a block of another kind is in the way",
        }
    }
}

/// The one block of a kind. Blocks of other kinds may stand beside it, certificates excepted.
///
/// # Errors
/// [`NoBlock`](PemErrorKind::NoBlock), [`MoreThanOne`](PemErrorKind::MoreThanOne),
/// [`UnexpectedLabel`](PemErrorKind::UnexpectedLabel) for a certificate beside another kind, and whatever is wrong with
/// the text. Texts above the default limit of a bundle are [`TooLarge`](PemErrorKind::TooLarge).
pub fn parse_one(text: &[u8], label: PemLabel) -> Result<Vec<u8>, PemError> {
    let mut found = None;
    for block in Blocks::new(text, &Limits::default())? {
        let block = block?;
        match block.label() {
            Some(other) if other == label && found.is_some() => {
                return Err(PemError::new(PemErrorKind::MoreThanOne, block.line));
            }
            Some(other) if other == label => found = Some(block.decode()?),
            Some(PemLabel::Certificate) => {
                return Err(PemError::new(PemErrorKind::UnexpectedLabel, block.line));
            }
            _ => {}
        }
    }
    found.ok_or(PemError::new(PemErrorKind::NoBlock, 0))
}

/// The certificates of a chain file, in the order of the file.
///
/// # Errors
/// [`UnexpectedLabel`](PemErrorKind::UnexpectedLabel) for any other block, [`NoBlock`](PemErrorKind::NoBlock) if there
/// is none, and whatever is wrong with the text.
pub fn parse_chain(text: &[u8], limits: &Limits) -> Result<Vec<Vec<u8>>, PemError> {
    parse_all(text, PemLabel::Certificate, Others::Refuse, limits)
}

/// As [`parse_chain`], from a file that may hold other blocks too, such as a key: they are passed over.
///
/// # Errors
/// As [`parse_chain`]; `X509 CERTIFICATE` and `TRUSTED CERTIFICATE` are refused even so.
pub fn parse_chain_skip_other(text: &[u8], limits: &Limits) -> Result<Vec<Vec<u8>>, PemError> {
    parse_all(text, PemLabel::Certificate, Others::Skip, limits)
}

/// The CRLs of a file, in its order. A file without blocks holds none: that is "no revocations" (C-CRL-11).
///
/// # Errors
/// [`UnexpectedLabel`](PemErrorKind::UnexpectedLabel) for any other block, and whatever is wrong with the text.
pub fn parse_crls(text: &[u8], limits: &Limits) -> Result<Vec<Vec<u8>>, PemError> {
    match parse_all(text, PemLabel::Crl, Others::Refuse, limits) {
        Err(error) if error.kind == PemErrorKind::NoBlock => Ok(Vec::new()),
        other => other,
    }
}

/// One block: lines of 64 columns, LF, and one LF at the end.
pub fn encode(label: PemLabel, der: &[u8]) -> String {
    let content = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    text.reserve(content.len() + content.len() / 64 + 64);
    // INVARIANT: base64 is ASCII, so chunks of bytes are texts.
    for line in content.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label.as_str());
    text.push_str("-----\n");
    text
}

/// Puts PEM texts one after another, with the newline that may be missing between them. Empty texts are left out, and byte
/// order marks too: within a text, one would hide the block that begins after it.
///
/// ```
/// assert_eq!(mesh_ca::pem::concat(["a", "", "b\n", "c"]), "a\nb\nc");
/// ```
pub fn concat<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for text in texts {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !all.is_empty() && !all.ends_with('\n') && !text.is_empty() {
            all.push('\n');
        }
        all.push_str(text);
    }
    all
}

/// What becomes of blocks of other kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Refuse,
    Skip,
}

fn parse_all(
    text: &[u8],
    label: PemLabel,
    others: Others,
    limits: &Limits,
) -> Result<Vec<Vec<u8>>, PemError> {
    let mut found = Vec::new();
    for block in Blocks::new(text, limits)? {
        let block = block?;
        if block.label() == Some(label) {
            if found.len() >= limits.pem_certificates {
                return Err(PemError::new(PemErrorKind::TooMany, block.line));
            }
            found.push(block.decode()?);
        } else if others == Others::Refuse || block.label.ends_with(b" CERTIFICATE") {
            return Err(PemError::new(PemErrorKind::UnexpectedLabel, block.line));
        }
    }
    if found.is_empty() {
        return Err(PemError::new(PemErrorKind::NoBlock, 0));
    }
    Ok(found)
}

/// One block, not decoded yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    /// The text of the label.
    pub(crate) label: &'a [u8],
    /// The lines between beginning and end.
    body: &'a [u8],
    /// Its first line.
    pub(crate) line: usize,
}

impl Block<'_> {
    /// The kind, if it is a known one.
    pub(crate) fn label(&self) -> Option<PemLabel> {
        PemLabel::parse(self.label)
    }

    /// Whether headers say that the content is encrypted, as `Proc-Type: 4,ENCRYPTED` does.
    #[allow(dead_code, reason = "asked where keys are imported")]
    pub(crate) fn is_encrypted(&self) -> bool {
        lines(self.body).any(|line| line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"))
    }

    /// The content.
    pub(crate) fn decode(&self) -> Result<Vec<u8>, PemError> {
        // What is in the block may be a private key.
        let mut text = Zeroizing::new(Vec::with_capacity(self.body.len()));
        for (index, line) in lines(self.body).enumerate() {
            let at = self.line.saturating_add(index).saturating_add(1);
            if line.len() > MAX_LINE {
                return Err(PemError::new(PemErrorKind::LineTooLong, at));
            }
            if line.contains(&b':') {
                return Err(PemError::new(PemErrorKind::Headers, at));
            }
            text.extend_from_slice(line);
        }
        STANDARD
            .decode(text.as_slice())
            .map_err(|_| PemError::new(PemErrorKind::Base64, self.line))
    }
}

/// The blocks of a text. After an error there are no more.
#[derive(Debug, Clone)]
pub(crate) struct Blocks<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Blocks<'a> {
    /// # Errors
    /// [`PemErrorKind::TooLarge`].
    pub(crate) fn new(text: &'a [u8], limits: &Limits) -> Result<Self, PemError> {
        if text.len() > limits.pem_bundle {
            return Err(PemError::new(PemErrorKind::TooLarge, 0));
        }
        let rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        Ok(Self { rest, line: 0 })
    }

    /// The next line without its end, and the white space before that.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match self.rest.iter().position(|byte| *byte == b'\n') {
            Some(at) => (
                self.rest.get(..at).unwrap_or_default(),
                self.rest.get(at.saturating_add(1)..).unwrap_or_default(),
            ),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.line = self.line.saturating_add(1);
        Some(line.trim_ascii_end())
    }

    /// Reads on to the end of a block that has begun.
    fn finish_block(&mut self, label: &'a [u8]) -> Result<Block<'a>, PemError> {
        let begin = self.line;
        let body = self.rest;
        loop {
            let before = self.rest.len();
            let Some(line) = self.next_line() else {
                return Err(PemError::new(PemErrorKind::EndMissing, begin));
            };
            if let Some(end) = line.strip_prefix(b"-----END ") {
                return match end.strip_suffix(b"-----") {
                    Some(end) if end == label => Ok(Block {
                        label,
                        body: body.get(..body.len().saturating_sub(before)).unwrap_or_default(),
                        line: begin,
                    }),
                    Some(_) => Err(PemError::new(PemErrorKind::LabelMismatch, self.line)),
                    None => Err(PemError::new(PemErrorKind::Boundary, self.line)),
                };
            }
            if line.starts_with(b"-----") {
                return Err(PemError::new(PemErrorKind::Boundary, self.line));
            }
        }
    }

    fn next_block(&mut self) -> Option<Result<Block<'a>, PemError>> {
        while let Some(line) = self.next_line() {
            if let Some(label) = line.strip_prefix(b"-----BEGIN ") {
                return Some(match label.strip_suffix(b"-----") {
                    Some(label) => self.finish_block(label),
                    None => Err(PemError::new(PemErrorKind::Boundary, self.line)),
                });
            }
            if line.starts_with(b"-----END ") {
                return Some(Err(PemError::new(PemErrorKind::Boundary, self.line)));
            }
        }
        None
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_block();
        if matches!(next, Some(Err(_))) {
            self.rest = &[];
        }
        next
    }
}

/// The lines of a block without their ends.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Result<Vec<u8>, PemErrorKind> {
        parse_one(text.as_bytes(), PemLabel::Certificate).map_err(|error| error.kind())
    }

    /// C-PEM-2, scenario 15: line ends, a byte order mark, text around, and a missing last newline.
    #[test]
    fn text_around_blocks_is_passed_over() {
        let block = encode(PemLabel::Certificate, &[7; 100]);
        for text in [
            block.clone(),
            block.replace('\n', "\r\n"),
            block.replace('\n', " \t\n"),
            format!("\u{feff}{block}"),
            format!("subject: someone\n\n{block}issuer: someone else"),
            block.trim_end().to_owned(),
        ] {
            assert_eq!(one(&text), Ok(vec![7; 100]), "{text}");
        }
    }

    /// C-PEM-2, C-PEM-5: no block is lost where texts are put together.
    #[test]
    fn texts_are_put_together() {
        let block = encode(PemLabel::Certificate, &[7; 100]);
        let marked = format!("\u{feff}{block}");
        let text = concat([block.trim_end(), &marked, "", &marked]);
        let read = parse_chain(text.as_bytes(), &Limits::default());
        assert_eq!(read, Ok(vec![vec![7; 100]; 3]));
    }

    /// C-PEM-1, C-PEM-2, scenario 16.
    #[test]
    fn broken_frames_are_refused() {
        for (text, kind) in [
            ("", PemErrorKind::NoBlock),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n", PemErrorKind::EndMissing),
            (
                "-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n",
                PemErrorKind::LabelMismatch,
            ),
            (
                "-----BEGIN CERTIFICATE----\nMAA=\n-----END CERTIFICATE-----\n",
                PemErrorKind::Boundary,
            ),
            (
                "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n",
                PemErrorKind::Boundary,
            ),
            ("MAA=\n-----END CERTIFICATE-----\n", PemErrorKind::Boundary),
            (
                "-----BEGIN CERTIFICATE-----\nMAA\n-----END CERTIFICATE-----\n",
                PemErrorKind::Base64,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMAB=\n-----END CERTIFICATE-----\n",
                PemErrorKind::Base64,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nM A=\n-----END CERTIFICATE-----\n",
                PemErrorKind::Base64,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nA: b\n\nMAA=\n-----END CERTIFICATE-----\n",
                PemErrorKind::Headers,
            ),
        ] {
            assert_eq!(one(text), Err(kind), "{text}");
        }
        let long = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            "A".repeat(1_028)
        );
        assert_eq!(one(&long), Err(PemErrorKind::LineTooLong));
    }

    /// C-PEM-1, C-PEM-3: which blocks may stand beside which.
    #[test]
    fn labels_decide() {
        let certificate = encode(PemLabel::Certificate, &[1]);
        let key = encode(PemLabel::PrivateKey, &[2]);
        let both = format!("{certificate}{key}");
        let limits = Limits::default();
        assert_eq!(one(&both), Ok(vec![1]));
        assert_eq!(
            one(&format!("{certificate}{certificate}")),
            Err(PemErrorKind::MoreThanOne)
        );
        let error = parse_one(both.as_bytes(), PemLabel::PrivateKey).unwrap_err();
        assert_eq!(error.kind(), PemErrorKind::UnexpectedLabel);
        let error = parse_chain(both.as_bytes(), &limits).unwrap_err();
        assert_eq!((error.kind(), error.line()), (PemErrorKind::UnexpectedLabel, 4));
        assert_eq!(
            parse_chain_skip_other(both.as_bytes(), &limits),
            Ok(vec![vec![1]])
        );
        for old in ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"] {
            let text = certificate.replace("CERTIFICATE", old);
            let error = parse_chain_skip_other(text.as_bytes(), &limits).unwrap_err();
            assert_eq!(error.kind(), PemErrorKind::UnexpectedLabel);
        }
        let request = encode(PemLabel::CertificateRequest, &[3]).replace("CERT", "NEW CERT");
        assert_eq!(
            parse_one(request.as_bytes(), PemLabel::CertificateRequest),
            Ok(vec![3])
        );
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END RSA PRIVATE KEY-----\n";
        let mut blocks = Blocks::new(encrypted.as_bytes(), &limits).unwrap();
        assert!(blocks.next().unwrap().unwrap().is_encrypted());
    }

    /// C-GEN-8, C-CRL-11.
    #[test]
    fn limits_and_empty_files() {
        let limits = Limits {
            pem_bundle: 100,
            pem_certificates: 1,
            ..Limits::default()
        };
        let error = parse_chain(&[b' '; 101], &limits).unwrap_err();
        assert_eq!(error.kind(), PemErrorKind::TooLarge);
        let limits = Limits {
            pem_certificates: 1,
            ..Limits::default()
        };
        let two = encode(PemLabel::Certificate, &[1]).repeat(2);
        assert_eq!(
            parse_chain(two.as_bytes(), &limits).unwrap_err().kind(),
            PemErrorKind::TooMany
        );
        assert_eq!(parse_crls(b"", &limits), Ok(Vec::new()));
    }

    proptest! {
        /// C-PEM-5.
        #[test]
        fn written_blocks_read_back(der in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = encode(PemLabel::Certificate, &der);
            prop_assert!(text.lines().all(|line| line.len() <= 64) && text.ends_with("-----\n"));
            prop_assert_eq!(one(&text), Ok(der));
        }

        #[test]
        fn no_text_panics(text in "(-----BEGIN (A|CERTIFICATE)-----\n|-----END (A|CERTIFICATE)-----|MAA=|\n|:| ){0,12}") {
            let _ = one(&text);
        }
    }
}
