//! What the agent is told, and what it asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::key::SecretBytes;
use crate::rotation::{RequestId, SvidAlarm};
use crate::spiffe_id::SpiffeId;
use crate::status::Status;

use super::secret::NamedSecret;

/// The number of a proxy's stream, given by the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub u64);

/// A request of a proxy on its stream: a state-of-the-world discovery request for secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdsRequest {
    /// The secrets that are wanted from now on.
    pub names: Vec<String>,
    /// The version that the proxy has.
    pub version: String,
    /// The nonce of the response that this answers; empty in the first request.
    pub nonce: String,
    /// Why the proxy refused that response.
    pub error: Option<String>,
}

/// A request of a proxy on its stream, in the delta variant: what changes, and not all that is wanted.
///
/// Spec: xDS protocol, incremental variant; xds.md X-SRV-14..18.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaSdsRequest {
    /// The secrets that are wanted too from now on. One that was wanted before is sent again.
    pub subscribe: Vec<String>,
    /// The secrets that are not wanted any more.
    pub unsubscribe: Vec<String>,
    /// In the first request: what the proxy has from an earlier stream, each with its
    /// [`resource_version`](super::NamedSecret::resource_version). It is wanted too, and not sent where it is the same.
    pub initial_versions: BTreeMap<String, String>,
    /// The nonce of the response that this answers; empty where it answers none.
    pub nonce: String,
    /// Why the proxy refused that response.
    pub error: Option<String>,
}

/// A new key with its signing request.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The key in PEM.
    pub key: SecretBytes,
    /// Its public key: SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// The signing request in PEM.
    pub csr: String,
}

/// What goes to the CA: Istio's `IstioCertificateRequest`, and what goes along with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsrRequest {
    /// The signing request in PEM.
    pub csr: String,
    /// The lifetime that is asked for, in seconds.
    pub validity_duration: i64,
    /// Named signer and impersonated identity, where there are any.
    pub metadata: BTreeMap<String, String>,
    /// The audience of the token that has to be shown.
    pub token_audience: String,
    /// Headers of the call.
    pub headers: BTreeMap<String, String>,
}

/// What the embedder has to do, or to know.
#[derive(Debug, Clone)]
#[must_use]
pub enum AgentOutput {
    /// Somebody should look.
    Alarm(AgentAlarm),
    /// End the stream of a proxy with this status; it will come back.
    CloseStream {
        /// The stream.
        stream: StreamId,
        /// Why.
        status: Status,
    },
    /// Make a fresh key and a signing request for it, then call [`handle_key`](super::SdsAgent::handle_key) (step 3 of 5).
    MakeKey {
        /// The request that it is for.
        request: RequestId,
        /// The identity.
        id: SpiffeId,
    },
    /// Read these files, and watch them: call [`handle_file`](super::SdsAgent::handle_file) now and at each change.
    ReadFiles {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Send this to the CA, then call [`handle_signed`](super::SdsAgent::handle_signed) or
    /// [`handle_failed`](super::SdsAgent::handle_failed) (step 4 of 5).
    SendCsr {
        /// The request to answer with.
        request: RequestId,
        /// What is sent.
        csr: CsrRequest,
    },
    /// Send these secrets on a stream that speaks the delta variant (step 5 of 5).
    SendDelta {
        /// The stream.
        stream: StreamId,
        /// The secrets, each with its [`resource_version`](super::NamedSecret::resource_version).
        secrets: Vec<NamedSecret>,
        /// Names of secrets that are there no more.
        removed: Vec<String>,
        /// The version of the whole, for people.
        version: String,
        /// The nonce of the response.
        nonce: String,
    },
    /// Send these secrets on a stream that speaks the state-of-the-world variant (step 5 of 5).
    SendSecrets {
        /// The stream.
        stream: StreamId,
        /// The secrets.
        secrets: Vec<NamedSecret>,
        /// The version of the response.
        version: String,
        /// The nonce of the response.
        nonce: String,
    },
    /// Write these three files at once, the key readable by its owner alone (C-SDS-13).
    WriteFiles {
        /// Where to.
        dir: String,
        /// The key in PEM.
        key: SecretBytes,
        /// The chain in PEM.
        chain: String,
        /// The authorities in PEM.
        roots: String,
    },
}

/// What somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AgentAlarm {
    /// The key and the certificate of these files do not belong together; what was served before stays.
    FilesDoNotMatch {
        /// The name of the secret.
        name: String,
    },
    /// A proxy refused secrets.
    Nacked {
        /// Its stream.
        stream: StreamId,
        /// What it refused.
        names: Vec<String>,
        /// Why.
        message: String,
    },
    /// The rotation has something to report.
    Rotation(SvidAlarm),
    /// A proxy asks for something that no agent has; secrets of the control plane are not served here.
    UnknownResource {
        /// Its stream.
        stream: StreamId,
        /// The name.
        name: String,
    },
    /// The CA failed, for so long the next attempt waits.
    CaFailed {
        /// What went wrong.
        failure: crate::rotation::SvidFailure,
        /// The wait.
        retry_in: Duration,
    },
}
