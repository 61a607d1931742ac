//! Rules of ProxyConfig (A-PC).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::targets;
use crate::networking::ProxyConfig;

rules! {
    PC_1 "A-PC-1" Error "the selector has labels without wildcards" cites "A-X-24";
    PC_2 "A-PC-2" Error "the number of worker threads is not negative";
}

pub(super) fn check(spec: &ProxyConfig, at: At<'_>, context: &mut Context<'_>) {
    let ProxyConfig {
        selector,
        concurrency,
        environment_variables: _,
        image: _,
    } = spec;
    if let Some(selector) = selector {
        targets::selector(context, &PC_1, &at.field("selector"), selector);
    }
    if let Some(threads) = concurrency.filter(|threads| *threads < 0) {
        let message = format!("the number of worker threads is negative: {threads}");
        context.report_with_help(&PC_2, &at.field("concurrency"), message, "0 means one per core");
    }
}
