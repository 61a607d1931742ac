//! Rules of WasmPlugin (A-WP); those on the module and on traffic are for TrafficExtension as well.

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::targets::Targets;
use super::url;
use crate::extensions::{EnvValueSource, EnvVar, TrafficSelector, VmConfig, WasmPlugin};
use crate::names::check;
use crate::type_::PortSelector;

rules! {
    WP_1 "A-WP-1" Error "the plugin is for workloads by labels without wildcards, or for objects that can be targets" cites "A-X-24" "A-X-25" "A-X-26";
    WP_2 "A-WP-2" Error "the module has a URL";
    WP_3 "A-WP-3" Error "the URL of the module can be read";
    WP_4 "A-WP-4" Error "the scheme of the URL is oci, http, https, file or none";
    WP_5 "A-WP-5" Error "the digest of the module has 64 digits";
    WP_6 "A-WP-6" Error "the digits of the digest are hexadecimal, in lower case";
    WP_7 "A-WP-7" Error "the name of the secret has at most 253 bytes";
    WP_8 "A-WP-8" Error "the name of the plugin has at most 256 bytes";
    WP_9 "A-WP-9" Error "an environment variable has a name";
    WP_10 "A-WP-10" Error "the name of an environment variable has at most 256 bytes";
    WP_11 "A-WP-11" Error "the names of environment variables are unique";
    WP_12 "A-WP-12" Error "only INLINE variables have a value";
    WP_13 "A-WP-13" Error "a port is 1 to 65535";
}

pub(super) fn check(spec: &WasmPlugin, at: At<'_>, context: &mut Context<'_>) {
    let WasmPlugin {
        selector,
        target_ref,
        target_refs,
        url,
        sha256,
        image_pull_policy: _,
        image_pull_secret,
        verification_key: _,
        plugin_config: _,
        plugin_name,
        phase: _,
        priority: _,
        fail_strategy: _,
        vm_config,
        matches,
        type_: _,
    } = spec;
    let targets = Targets {
        selector: selector.as_ref(),
        target_ref: target_ref.as_ref(),
        target_refs,
    };
    targets.check(&WP_1, &at, context);
    let module = Module {
        url,
        sha256,
        image_pull_secret,
        plugin_name,
        vm_config: vm_config.as_ref(),
    };
    module.check(&at, context);
    check_traffic(matches, &at.field("match"), context);
}

/// What a WasmPlugin and the `wasm` of a TrafficExtension have in common.
pub(super) struct Module<'a> {
    pub(super) url: &'a str,
    pub(super) sha256: &'a str,
    pub(super) image_pull_secret: &'a str,
    pub(super) plugin_name: &'a str,
    pub(super) vm_config: Option<&'a VmConfig>,
}

impl Module<'_> {
    /// A-WP-2..12
    pub(super) fn check(&self, at: &At<'_>, context: &mut Context<'_>) {
        let Self {
            url,
            sha256,
            image_pull_secret,
            plugin_name,
            vm_config,
        } = self;
        check_url(url, &at.field("url"), context);
        check_digest(sha256, &at.field("sha256"), context);
        for (rule, field, value, limit) in [
            (&WP_7, "imagePullSecret", image_pull_secret, 253),
            (&WP_8, "pluginName", plugin_name, 256),
        ] {
            if value.len() > limit {
                let message = format!("{field} has {} bytes, at most {limit} are allowed", value.len());
                context.report(rule, &at.field(field), message);
            }
        }
        if let Some(VmConfig { env }) = vm_config {
            check_variables(env, &at.field("vmConfig").field("env"), context);
        }
    }
}

/// A-WP-2..4
fn check_url(text: &str, at: &At<'_>, context: &mut Context<'_>) {
    if text.is_empty() {
        return context.report(&WP_2, at, "the URL of the module is missing");
    }
    let prefixed = format!("http://{text}");
    match url::parse(text).or_else(|why| url::parse(&prefixed).map_err(|_| why)) {
        Err(why) => context.report(&WP_3, at, format!("`{text}` is no URL: {why}")),
        Ok(url) if !matches!(url.scheme.as_str(), "" | "file" | "http" | "https" | "oci") => {
            let message = format!(
                "`{text}` is read with the scheme `{}`, which is not supported",
                url.scheme
            );
            let help = match text.split_once(':') {
                // `registry:5000/image` looks like a scheme and a path
                Some((_, rest)) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("write `oci://{text}`")
                }
                _ => "the schemes are oci, http, https and file".to_owned(),
            };
            context.report_with_help(&WP_4, at, message, help);
        }
        Ok(_) => {}
    }
}

/// A-WP-5 and A-WP-6
fn check_digest(text: &str, at: &At<'_>, context: &mut Context<'_>) {
    const LENGTH: usize = 64;
    if text.is_empty() {
        return;
    }
    if text.len() != LENGTH {
        let message = format!("the digest has {} digits, {LENGTH} are needed", text.len());
        context.report(&WP_5, at, message);
    } else if text
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii_hexdigit())
    {
        context.report(&WP_6, at, "the digest is not hexadecimal in lower case");
    }
}

/// A-WP-9..12, the first failure only.
fn check_variables(variables: &[EnvVar], at: &At<'_>, context: &mut Context<'_>) {
    const NAME_LIMIT: usize = 256;
    let mut names = BTreeSet::new();
    for (index, variable) in variables.iter().enumerate() {
        let at = at.index(index);
        let EnvVar {
            name,
            value_from,
            value,
        } = variable;
        if name.is_empty() {
            return context.report(&WP_9, &at.field("name"), "the name of the variable is missing");
        }
        if name.len() > NAME_LIMIT {
            let message = format!(
                "the name has {} bytes, at most {NAME_LIMIT} are allowed",
                name.len()
            );
            return context.report(&WP_10, &at.field("name"), message);
        }
        if !names.insert(name) {
            let message = format!("the variable `{name}` is there twice");
            return context.report(&WP_11, &at.field("name"), message);
        }
        if *value_from != EnvValueSource::Inline && !value.is_empty() {
            let message = format!("the value of `{name}` is taken from {value_from}, none may be given");
            return context.report(&WP_12, &at.field("value"), message);
        }
    }
}

/// A-WP-13, the first failure only.
pub(super) fn check_traffic(selectors: &[TrafficSelector], at: &At<'_>, context: &mut Context<'_>) {
    for (index, TrafficSelector { mode: _, ports }) in selectors.iter().enumerate() {
        let at = at.index(index);
        for (index, PortSelector { number }) in ports.iter().enumerate() {
            let at = at.item("ports", index);
            if !context.check(&WP_13, &at.field("number"), check::port(*number)) {
                return;
            }
        }
    }
}
