//! The delta variant of the streams (C-SDS-11).

use std::collections::BTreeMap;

use crate::status::StatusCode;
use crate::time::Now;

use super::output::{DeltaSdsRequest, StreamId};
use super::stream::Variant;
use super::{MAX_NAMES, SdsAgent, TOO_MANY_NAMES, TWO_VARIANTS, is_known};

impl SdsAgent {
    /// A proxy changes what it asks for, or answers a response, in the delta variant. The answers are
    /// [`AgentOutput::SendDelta`](super::AgentOutput::SendDelta). A stream speaks the variant of its first request; one that
    /// changes it is closed with `INVALID_ARGUMENT`, and one that wants more than 64 secrets with `RESOURCE_EXHAUSTED`.
    ///
    /// Unlike in the other variant, what changes is taken whatever response the request answers: it would be lost otherwise.
    /// Names that no agent has are reported, and only removed from a proxy that says to have them; a secret that is not there
    /// yet is waited for.
    ///
    /// ```
    /// use mesh_ca::agent::{DeltaSdsRequest, SdsAgent, SdsAgentConfig, AgentOutput, StreamId};
    /// use mesh_ca::{MonotonicTime, Now, UnixTime};
    ///
    /// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
    /// let mut agent = SdsAgent::new(SdsAgentConfig::new("spiffe://cluster.local/ns/shop/sa/reviews".parse()?));
    /// agent.open_stream(StreamId(1));
    /// let subscribe = vec!["default".to_owned()];
    /// agent.handle_delta_request(now, StreamId(1), &DeltaSdsRequest { subscribe, ..Default::default() });
    /// assert!(matches!(agent.poll_output(), Some(AgentOutput::MakeKey { .. })), "a certificate is needed first");
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// Spec: xDS protocol, incremental variant; ca.md C-SDS-11; xds.md X-SDS-7, X-SRV-14..18.
    pub fn handle_delta_request(&mut self, now: Now, id: StreamId, request: &DeltaSdsRequest) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let no_versions = BTreeMap::new();
        let held = match stream.variant {
            None => &request.initial_versions,
            Some(Variant::Delta) => &no_versions,
            Some(Variant::StateOfTheWorld) => {
                return self.refuse(id, StatusCode::InvalidArgument, TWO_VARIANTS);
            }
        };
        stream.variant = Some(Variant::Delta);
        stream.release(&request.nonce);
        if let Some(names) = stream.answered(&request.nonce) {
            self.note_refusal(id, names, request.error.as_ref());
        }
        if request.subscribe.len() > MAX_NAMES || held.len() > MAX_NAMES {
            return self.refuse(id, StatusCode::ResourceExhausted, TOO_MANY_NAMES);
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let unknown = stream.change(request, held, is_known);
        if stream.wanted.len() > MAX_NAMES {
            return self.refuse(id, StatusCode::ResourceExhausted, TOO_MANY_NAMES);
        }
        let wanted: Vec<String> = stream.wanted.keys().cloned().collect();
        if !request.unsubscribe.is_empty() {
            self.forget_unwanted();
        }
        self.serve(now, id, &wanted, unknown);
    }
}
