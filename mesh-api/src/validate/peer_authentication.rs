//! Rules of PeerAuthentication (A-PA).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::targets;
use crate::names::check;
use crate::security::PeerAuthentication;

rules! {
    PA_1 "A-PA-1" Error "modes of ports need a selector with labels";
    PA_2 "A-PA-2" Error "the map of modes of ports is not empty";
    PA_3 "A-PA-3" Error "a port is 1 to 65535";
    PA_4 "A-PA-4" Error "the selector has labels without wildcards" cites "A-X-24";
}

pub(super) fn check(spec: &PeerAuthentication, at: At<'_>, context: &mut Context<'_>) {
    let PeerAuthentication {
        selector,
        mtls: _,
        port_level_mtls,
    } = spec;
    let selects = selector
        .as_ref()
        .is_some_and(|selector| !selector.match_labels.is_empty());
    if let Some(selector) = selector {
        targets::selector(context, &PA_4, &at.field("selector"), selector);
    }
    let Some(ports) = port_level_mtls else {
        return;
    };
    let at = at.field("portLevelMtls");
    if ports.is_empty() {
        context.report(&PA_2, &at, "the modes of ports are there and empty");
    } else if !selects {
        context.report(&PA_1, &at, "modes of ports need a selector with labels");
    }
    for port in ports.keys() {
        context.check(&PA_3, &at.key(&port.to_string()), check::port(*port));
    }
}
