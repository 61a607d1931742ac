//! What a caller can choose about decoding.

use super::Profile;
use crate::names::Namespace;

/// How to decode.
///
/// ```
/// use mesh_api::codec::{DecodeOptions, Limits};
/// use mesh_api::{Profile, decode_with};
///
/// let options = DecodeOptions { profile: Profile::Istiod, ..DecodeOptions::default() };
/// let decoded = decode_with("empty.yaml", b"# nothing here\n", &options);
/// assert!(decoded.report().is_empty() && decoded.objects().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Whose verdict to give; what one of them refuses, another accepts.
    pub profile: Profile,
    /// The namespace of objects that name none and live in one, as `kubectl -n` sets it; `default` by default. With
    /// `None` they keep none (A-MET-3).
    pub default_namespace: Option<Namespace>,
    /// Which YAML version's words are booleans and numbers.
    pub yaml: YamlVersion,
    /// Where to stop.
    pub limits: Limits,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            default_namespace: Some(Namespace::new("default")),
            yaml: YamlVersion::default(),
            limits: Limits::default(),
        }
    }
}

/// Which plain scalars are not text (A-PAR-7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum YamlVersion {
    /// YAML 1.1 as the Kubernetes tools read it: `on`, `no` and `y` are booleans, `0o17`, `017` and `1_000` numbers.
    #[default]
    Kubernetes,
    /// The core schema of YAML 1.2: only `true` and `false` are booleans.
    Core12,
}

/// Limits of the decoder; each is an error of its own (A-PAR-11, code `A-PAR-11`), and nothing is read past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole input; 16 MiB.
    pub input_bytes: usize,
    /// Bytes of one document; 1 MiB.
    pub document_bytes: usize,
    /// Documents of one input, JSON values in a row and items of lists of objects included; 10 000.
    pub documents: usize,
    /// Depth of lists and maps in each other, aliases included; 64.
    pub depth: usize,
    /// Nodes of one document as written; 200 000.
    pub nodes: usize,
    /// Bytes of one scalar; 1 MiB.
    pub scalar_bytes: usize,
    /// Bytes of one key; 4 KiB.
    pub key_bytes: usize,
    /// Nodes that aliases may add to one document; 100 000 (A-PAR-9).
    pub alias_nodes: usize,
    /// How many times its own size aliases may add to a document, where they add more than 64 KiB; 10 (A-PAR-9).
    pub alias_ratio: usize,
    /// How many times the size of the input the typed values in it may take in memory, where they take more than 16 MiB; 14
    /// (A-PAR-20). A list of empty messages is short as text, and large as values.
    pub value_ratio: usize,
    /// Findings kept of one object or document; 100. Of the whole input, a hundred times as many. One more finding says that
    /// there are more.
    pub findings: usize,
}

impl Limits {
    /// The bytes that the typed values of an input of this size may take.
    pub(crate) fn values_of(&self, input: usize) -> usize {
        self.value_ratio.saturating_mul(input).max(16 << 20)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 16 << 20,
            document_bytes: 1 << 20,
            documents: 10_000,
            depth: 64,
            nodes: 200_000,
            scalar_bytes: 1 << 20,
            key_bytes: 4 << 10,
            alias_nodes: 100_000,
            alias_ratio: 10,
            value_ratio: 14,
            findings: 100,
        }
    }
}
