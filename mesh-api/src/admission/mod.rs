//! Admission: the answers of a validating webhook, bytes in and bytes out.
//!
//! The API server asks with an AdmissionReview before it stores an object, and [`review_validate`] gives istiod's answer. There
//! is no server here: an embedder takes the request, and sends back what [`ReviewOutcome::http`] says.
//!
//! ```
//! use mesh_api::admission::{AdmissionOptions, DenialReason, review_validate};
//!
//! let request = br#"{
//!   "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
//!   "request": {
//!     "uid": "705ab4f5", "operation": "CREATE", "namespace": "shop",
//!     "object": {
//!       "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "reviews"},
//!       "spec": {"hosts": ["*"], "http": [{"route": [{"destination": {"host": "reviews"}}]}]}
//!     }
//!   }
//! }"#;
//! let outcome = review_validate(request, &AdmissionOptions::default());
//! let denial = outcome.denial.as_ref().ok_or("denied")?;
//! assert_eq!(denial.reason, DenialReason::Invalid);
//!
//! let answer: serde_json::Value = serde_json::from_slice(&outcome.http.body)?;
//! assert_eq!(answer["response"]["uid"], "705ab4f5");
//! assert_eq!(answer["response"]["allowed"], false);
//! let message = answer["response"]["status"]["message"].as_str().ok_or("a message")?;
//! assert!(message.starts_with("configuration is invalid: spec.hosts[0]: the host `*` needs a gateway"), "{message}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Rules that look at more than one object never deny (A-ADM-7); they are those of [`analyze`](crate::analyze). A dry run gets
//! the same answer as any other request (A-ADM-6). Webhooks are not asked about deletes, whatever introductions say: the
//! configuration of the webhook lists CREATE and UPDATE alone, and a review about anything else is allowed (A-ADM-12).
//!
//! [`ControlPlane`] builds the objects that tell the API server about the webhooks, and [`WebhookReconciler`] keeps those of
//! validation in order: it writes the roots of the webhook's certificate into them, and lets the API server refuse what the
//! webhook did not see once the webhook is known to work.
//!
//! The mutating webhook, injection, is not there yet; its configuration is.

mod outcome;
mod reconciler;
mod request;
mod validating;
mod webhooks;

#[cfg(test)]
mod tests;

pub use outcome::{Denial, DenialReason, HttpHint, ReviewOutcome};
pub use reconciler::{
    CaBundleError, Probe, ProbeResult, ProbeVerb, WebhookOutput, WebhookReconciler, WriteResult,
};
pub use request::MAX_REQUEST_BYTES;
pub use validating::{AdmissionOptions, respond, review_validate};
pub use webhooks::{ControlPlane, selects};
