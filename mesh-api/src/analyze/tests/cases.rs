//! One firing and one silent case per code, and more where a code has several triggers.

mod gateways;
mod istio;
mod kubernetes;
mod own;
mod services;

use super::{AnalyzeOptions, object};

pub(super) struct Case {
    pub(super) code: &'static str,
    /// Object and field of each message of the code.
    pub(super) at: Vec<String>,
    pub(super) fire: Vec<String>,
    pub(super) silent: Vec<String>,
    pub(super) options: fn(&mut AnalyzeOptions),
}

fn case(
    code: &'static str,
    at: &[&str],
    fire: impl IntoIterator<Item = String>,
    silent: impl IntoIterator<Item = String>,
) -> Case {
    Case {
        code,
        at: at.iter().map(|at| (*at).to_owned()).collect(),
        fire: fire.into_iter().collect(),
        silent: silent.into_iter().collect(),
        options: |_| {},
    }
}

impl Case {
    fn with(mut self, options: fn(&mut AnalyzeOptions)) -> Self {
        self.options = options;
        self
    }
}

pub(super) fn all() -> Vec<Case> {
    [
        istio::cases(),
        gateways::cases(),
        kubernetes::cases(),
        services::cases(),
        own::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An object with a `spec`.
fn o(name: &str, spec: &str) -> String {
    object(name, "", &format!("spec: {spec}"))
}

/// A pod of the proxy's version 1 with labels.
fn pod(name: &str, labels: &str) -> String {
    let spec = "spec: {containers: [{name: app, image: app}, {name: istio-proxy, image: hub/proxyv2:1}]}";
    object(&format!("Pod {name}"), &format!("labels: {labels}"), spec)
}
