//! What goes to proxies, and when.

use std::sync::Arc;
use std::time::Duration;

use crate::status::{Status, StatusCode};
use crate::time::Now;

use super::files::FileSecret;
use super::output::{AgentAlarm, AgentOutput, StreamId};
use super::secret::NamedSecret;
use super::stream::{Has, Stream, Variant};
use super::{DEFAULT_SECRET, ROOT_SECRET, SdsAgent};

impl SdsAgent {
    /// Gets what a stream asked for, and sends what is there.
    pub(super) fn serve(&mut self, now: Now, id: StreamId, known: &[String], unknown: Vec<String>) {
        for name in unknown {
            self.outputs
                .push_back(AgentOutput::Alarm(AgentAlarm::UnknownResource {
                    stream: id,
                    name,
                }));
        }
        for name in known {
            match FileSecret::parse(name) {
                Some(file) => self.ask_for_files(&file.paths()),
                None if !self.contents.contains_key(name) && !self.has_files() => self.want(now),
                None => {}
            }
        }
        self.push(now, id);
    }

    /// A proxy answered a response; with an error, if it refused what was in it.
    pub(super) fn note_refusal(&mut self, stream: StreamId, names: Vec<String>, error: Option<&String>) {
        let alarm = error.map(|message| AgentAlarm::Nacked {
            stream,
            names,
            message: message.clone(),
        });
        self.outputs.extend(alarm.map(AgentOutput::Alarm));
    }

    /// Ends a stream whose proxy does what it must not.
    pub(super) fn refuse(&mut self, stream: StreamId, code: StatusCode, why: &'static str) {
        self.close_stream(stream);
        let status = Status::new(code, why);
        self.outputs
            .push_back(AgentOutput::CloseStream { stream, status });
    }

    /// Streams that wait for a first certificate are closed: their proxies come back (C-SDS-7).
    pub(super) fn close_waiting(&mut self) {
        let from_ca = |name: &String| name == DEFAULT_SECRET || name == ROOT_SECRET;
        let contents = &self.contents;
        let waits = |stream: &Stream| {
            stream
                .wanted
                .keys()
                .any(|name| from_ca(name) && !contents.contains_key(name))
        };
        let waiting: Vec<StreamId> = self
            .streams
            .iter()
            .filter(|(_, stream)| waits(stream))
            .map(|(id, _)| *id)
            .collect();
        for stream in waiting {
            self.streams.remove(&stream);
            let status = Status::new(StatusCode::Unavailable, "no certificate yet");
            self.outputs
                .push_back(AgentOutput::CloseStream { stream, status });
        }
    }

    /// Sends what is wanted and was not sent yet: authorities first, and the certificate when they were taken (C-SDS-6). On a
    /// delta stream also the names of what is there no more; in the other variant a proxy keeps what it has.
    pub(super) fn push(&mut self, now: Now, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let is_delta = stream.variant == Some(Variant::Delta);
        if stream.hold.as_ref().is_some_and(|(_, until)| *until <= now.mono) {
            stream.hold = None;
        }
        let mut removed = std::mem::take(&mut stream.gone);
        let mut new: Vec<NamedSecret> = Vec::new();
        for (name, has) in &mut stream.wanted {
            match self.contents.get(name) {
                Some((version, secret)) if has.is(*version, secret) => *has = Has::Version(*version),
                Some((version, secret)) => new.push(NamedSecret {
                    name: name.clone(),
                    version: *version,
                    secret: Arc::clone(secret),
                }),
                None if is_delta && matches!(has, Has::Version(_)) => {
                    removed.push(name.clone());
                    *has = Has::Nothing;
                }
                None => {}
            }
        }
        let roots_first = new.iter().any(|secret| secret.name == ROOT_SECRET);
        if roots_first || stream.hold.is_some() {
            new.retain(|secret| secret.name != DEFAULT_SECRET);
        }
        if new.is_empty() && removed.is_empty() {
            return;
        }
        let nonce = stream.next_nonce();
        for secret in &new {
            stream
                .wanted
                .insert(secret.name.clone(), Has::Version(secret.version));
        }
        if roots_first && stream.wanted.contains_key(DEFAULT_SECRET) {
            stream.hold = Some((nonce.clone(), now.mono + LONGEST_HOLD));
        }
        let names = new.iter().map(|secret| &secret.name).chain(&removed);
        let names = names.cloned().collect();
        stream.sent(&nonce, names);
        let versions = new.iter().map(|secret| secret.version);
        let version = versions.max().unwrap_or(self.version).to_string();
        self.outputs.push_back(match is_delta {
            true => AgentOutput::SendDelta {
                stream: id,
                secrets: new,
                removed,
                version,
                nonce,
            },
            false => AgentOutput::SendSecrets {
                stream: id,
                secrets: new,
                version,
                nonce,
            },
        });
    }
}

/// So long the certificate waits for the answer to the authorities (C-SDS-6).
const LONGEST_HOLD: Duration = Duration::from_secs(5);
