//! Rules of TrafficExtension (A-TE). Those on modules are WasmPlugin's (A-TE-5 is A-WP-2..12, A-TE-6 is A-WP-13).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::targets::Targets;
use super::wasm_plugin::{Module, check_traffic};
use crate::extensions::{FilterConfig, LuaConfig, TrafficExtension, WasmConfig};

rules! {
    TE_1 "A-TE-1" Error "the extension has a filter, wasm or lua";
    TE_2 "A-TE-2" Error "the extension is for workloads by labels without wildcards, or for objects that can be targets" cites "A-X-24" "A-X-25" "A-X-26";
    TE_3 "A-TE-3" Error "a script is not empty";
    TE_4 "A-TE-4" Error "a script has at most 65536 bytes";
}

/// Longest script in bytes.
const SCRIPT_LIMIT: usize = 65536;

pub(super) fn check(spec: &TrafficExtension, at: At<'_>, context: &mut Context<'_>) {
    let TrafficExtension {
        selector,
        target_refs,
        phase: _,
        priority: _,
        matches,
        filter_config,
    } = spec;
    let targets = Targets {
        selector: selector.as_ref(),
        target_ref: None,
        target_refs,
    };
    targets.check(&TE_2, &at, context);
    match filter_config {
        None => context.report(&TE_1, &at, "the filter is missing: one of wasm and lua is needed"),
        Some(FilterConfig::Wasm(wasm)) => check_wasm(wasm, &at.field("wasm"), context),
        Some(FilterConfig::Lua(LuaConfig { inline_code })) => {
            let at = at.field("lua");
            if inline_code.is_empty() {
                context.report(&TE_3, &at.field("inlineCode"), "the script is missing");
            } else if inline_code.len() > SCRIPT_LIMIT {
                let message = format!(
                    "the script has {} bytes, at most {SCRIPT_LIMIT} are allowed",
                    inline_code.len()
                );
                context.report(&TE_4, &at.field("inlineCode"), message);
            }
        }
    }
    check_traffic(matches, &at.field("match"), context);
}

fn check_wasm(wasm: &WasmConfig, at: &At<'_>, context: &mut Context<'_>) {
    let WasmConfig {
        url,
        sha256,
        image_pull_policy: _,
        image_pull_secret,
        verification_key: _,
        plugin_config: _,
        plugin_name,
        fail_strategy: _,
        vm_config,
        type_: _,
    } = wasm;
    let module = Module {
        url,
        sha256,
        image_pull_secret,
        plugin_name,
        vm_config: vm_config.as_ref(),
    };
    module.check(at, context);
}
