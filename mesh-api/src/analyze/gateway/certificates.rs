//! Certificates that several gateways of one workload use. Source: Istio analysis certificate.go.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::index::list;
use super::super::path;
use super::super::sink::Sink;
use super::super::view::View;
use crate::networking::{Gateway, ServerTlsSettings};
use crate::object::Object;

/// What tells a certificate: the secret, or the file where no secret is named.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Source<'a> {
    Credential(&'a str),
    File(&'a str),
}

/// IST0138
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut users: BTreeMap<Source<'_>, Vec<&Object<Gateway>>> = BTreeMap::new();
    for gateway in view.objects.gateways() {
        let servers = gateway.spec.servers.iter();
        let sources: BTreeSet<Source<'_>> = servers
            .filter_map(|server| server.tls.as_deref().and_then(source))
            .collect();
        for source in sources {
            users.entry(source).or_default().push(gateway);
        }
    }
    for gateways in users.values().filter(|gateways| gateways.len() > 1) {
        for gateway in gateways {
            for other in gateways.iter().filter(|other| !std::ptr::eq(**other, *gateway)) {
                if sink.is_full() {
                    return;
                }
                if overlap(&gateway.spec, &other.spec) {
                    let names = [path::qualified(&gateway.meta), path::qualified(&other.meta)];
                    sink.report(
                        codes::GATEWAY_DUPLICATE_CERTIFICATE,
                        gateway,
                        path::name(),
                        [list(names)],
                    );
                }
            }
        }
    }
}

fn source(tls: &ServerTlsSettings) -> Option<Source<'_>> {
    match (tls.credential_name.as_str(), tls.server_certificate.as_str()) {
        ("", "") => None,
        ("", file) => Some(Source::File(file)),
        (credential, _) => Some(Source::Credential(credential)),
    }
}

/// Whether both may select one workload: one of the selectors asks for nothing that the other does not ask for.
fn overlap(a: &Gateway, b: &Gateway) -> bool {
    let within = |a: &Gateway, b: &Gateway| {
        let mut labels = a.selector.iter();
        labels.all(|(key, value)| b.selector.get(key) == Some(value))
    };
    within(a, b) || within(b, a)
}
