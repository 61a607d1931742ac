//! Reading an AdmissionReview.

use std::sync::Arc;

use crate::codec::{DecodeOptions, Limits, Node, NodeKind, Profile, Tree, read_trees};
use crate::report::Diagnostic;

/// Most bytes of a request that is answered: 6 MiB. An object has at most 1.5 MiB where it is stored, and an update brings
/// the older one along.
pub const MAX_REQUEST_BYTES: usize = 6 << 20;

/// The versions of reviews that are understood, the one of answers to unreadable reviews first.
pub(super) const VERSIONS: [&str; 2] = ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"];

/// A review that was read.
pub(super) struct Request {
    pub(super) tree: Arc<Tree>,
    /// The version of the review, and of its answer.
    pub(super) api_version: &'static str,
    /// The API server's id of the question.
    pub(super) uid: String,
    /// `CREATE`, `UPDATE`, or another.
    pub(super) operation: String,
    /// The namespace of the request; empty where there is none.
    pub(super) namespace: String,
    /// Whether nothing is to be stored.
    pub(super) dry_run: bool,
}

impl Request {
    /// Reads a review. The error is what the answer says.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let tree = read_tree(bytes)?;
        let root = tree.root();
        let word = |key: &str| root.get(key).and_then(|node| node.as_str()).unwrap_or_default();
        if word("kind") != "AdmissionReview" {
            return Err("the kind is not AdmissionReview".to_owned());
        }
        let version = word("apiVersion");
        let Some(api_version) = VERSIONS.into_iter().find(|known| *known == version) else {
            return Err("the version is neither admission.k8s.io/v1 nor v1beta1".to_owned());
        };
        let request = root.get("request").filter(|node| node.kind() == NodeKind::Map);
        let request = request.ok_or("it has no request")?;
        let text = |key: &str| match request.get(key).filter(|node| !node.is_null()) {
            None => Ok(String::new()),
            Some(node) => match node.as_str() {
                Some(text) => Ok(text.to_owned()),
                None => Err(format!(
                    "`request.{key}` is {}, not a string",
                    node.kind().describe()
                )),
            },
        };
        let dry_run = match request.get("dryRun").filter(|node| !node.is_null()) {
            None => false,
            Some(node) => node.as_bool().ok_or("`request.dryRun` is not a boolean")?,
        };
        let (uid, operation, namespace) = (text("uid")?, text("operation")?, text("namespace")?);
        Ok(Self {
            tree,
            api_version,
            uid,
            operation,
            namespace,
            dry_run,
        })
    }

    /// The object that is to be stored. The older one of an update is not looked at (A-ADM-3).
    pub(super) fn object(&self) -> Option<Node<'_>> {
        let object = self.tree.root().get("request")?.get("object")?;
        Some(object).filter(|object| !object.is_null())
    }
}

fn read_tree(bytes: &[u8]) -> Result<Arc<Tree>, String> {
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if start != Some(&b'{') {
        return Err("it is no JSON object".to_owned());
    }
    let limits = Limits {
        input_bytes: MAX_REQUEST_BYTES,
        document_bytes: MAX_REQUEST_BYTES,
        depth: Limits::default().depth + 2,
        nodes: 3 * Limits::default().nodes,
        ..Limits::default()
    };
    let options = DecodeOptions {
        profile: Profile::Istiod,
        limits,
        ..DecodeOptions::default()
    };
    let (trees, report) = read_trees("review", bytes, &options);
    if let Some(error) = report.errors().next() {
        let Diagnostic {
            message, location, ..
        } = error;
        return Err(match location {
            Some(place) => format!("line {}, column {}: {message}", place.line, place.column),
            None => message.clone(),
        });
    }
    trees.into_iter().next().ok_or_else(|| "it is empty".to_owned())
}
