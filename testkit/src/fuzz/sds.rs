//! What must be true of an agent whatever happens to it: the input is a list of events.

mod host;
mod proxy;
mod rotation;

use std::time::Duration;

use mesh_ca::StatusCode;
use mesh_ca::agent::{AgentOutput, StreamId};
use mesh_ca::rotation::SvidFailure;

use self::host::{Answer, Host};
use super::bytes::Bytes;

/// An agent that lives through any events keeps its promises, which the host and its proxies hold it to; a copy of it that was
/// made at any moment goes on as it does, and so does the rotation within, saved and restored at any moment. When the CA is
/// well again and the proxies answer, each of them ends with what the agent holds (C-SDS-1..14, C-WR-7, C-GEN-6).
pub fn sds_trace(bytes: &[u8]) {
    let bytes = &mut Bytes::new(bytes);
    let mut host = Host::new(bytes);
    for _ in 0..LONGEST {
        if bytes.is_empty() {
            break;
        }
        event(&mut host, bytes);
    }
    host.settle();
}

/// More events than that show nothing new.
const LONGEST: usize = 64;

fn event(host: &mut Host, bytes: &mut Bytes<'_>) {
    let stream = StreamId(bytes.below(3) as u64);
    match bytes.below(16) {
        0 => host.open(stream),
        1..=3 => host.request(stream, bytes),
        4..=6 => host.acknowledge(stream, bytes),
        7 => host.close(stream),
        8 => host.answer(Answer::Good),
        9 => host.answer(Answer::read(bytes)),
        10 => host.fail(SvidFailure::status(bytes.pick(&[
            StatusCode::Unavailable,
            StatusCode::PermissionDenied,
            StatusCode::Unauthenticated,
        ]))),
        11 => host.wake(),
        12 => host.pass(Duration::from_secs(
            bytes.pick(&[0, 1, 4, 5, 60, 3_600, 43_200, 90_000]),
        )),
        13 => host.rotate(),
        14 => host.renew_root(bytes),
        _ => host.bundle(bytes),
    }
}

/// Whether two agents ask for the same.
fn is_same(one: &AgentOutput, other: &AgentOutput) -> bool {
    // Secrets are not printed, and are compared where they are sent.
    let secrets = |output: &AgentOutput| match output {
        AgentOutput::SendSecrets { secrets, .. } | AgentOutput::SendDelta { secrets, .. } => secrets.clone(),
        _ => Vec::new(),
    };
    format!("{one:?}") == format!("{other:?}") && secrets(one) == secrets(other)
}
