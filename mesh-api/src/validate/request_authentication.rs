//! Rules of RequestAuthentication (A-RA).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::targets::Targets;
use super::{jwks, shared, url};
use crate::security::{ClaimToHeader, JwtHeader, JwtRule, RequestAuthentication};

rules! {
    RA_1 "A-RA-1" Error "the object is for workloads by labels without wildcards, or for objects that can be targets" cites "A-X-24" "A-X-25" "A-X-26";
    RA_2 "A-RA-2" Error "an audience is not empty";
    RA_3 "A-RA-3" Error "a rule names the issuer or where its keys are";
    RA_4 "A-RA-4" Error "the address of keys is a URL of http or https";
    RA_5 "A-RA-5" Error "the keys are a JWK or a set of them";
    RA_6 "A-RA-6" Error "a header with a token has a name";
    RA_7 "A-RA-7" Error "a query parameter with a token has a name";
    RA_8 "A-RA-8" Error "a cookie with a token has a name";
    RA_9 "A-RA-9" Error "a claim that is copied names claim and header";
    RA_10 "A-RA-10" Error "a claim is copied to a header of letters, digits, hyphens and underscores" cites "A-X-16";
    RA_11 "A-RA-11" Error "the time to fetch keys is at least 1 ms, in whole milliseconds" cites "A-X-11";
    RA_12 "A-RA-12" Warning "the keys have no secret parts";
}

pub(super) fn check(spec: &RequestAuthentication, at: At<'_>, context: &mut Context<'_>) {
    let RequestAuthentication {
        selector,
        target_ref,
        target_refs,
        jwt_rules,
    } = spec;
    let targets = Targets {
        selector: selector.as_ref(),
        target_ref: target_ref.as_ref(),
        target_refs,
    };
    targets.check(&RA_1, &at, context);
    for (index, rule) in jwt_rules.iter().enumerate() {
        check_rule(rule, &at.item("jwtRules", index), context);
    }
}

fn check_rule(rule: &JwtRule, at: &At<'_>, context: &mut Context<'_>) {
    let JwtRule {
        issuer,
        audiences,
        jwks_uri,
        jwks,
        from_headers,
        from_params,
        output_payload_to_header: _,
        from_cookies,
        forward_original_token: _,
        output_claim_to_headers,
        timeout,
        space_delimited_claims: _,
        presence: _, // new upstream, without a rule
    } = rule;
    if issuer.is_empty() && jwks_uri.is_empty() {
        context.report(&RA_3, &at.field("issuer"), "issuer and jwksUri are both missing");
    }
    check_not_empty(&RA_2, audiences, &at.field("audiences"), context);
    if !jwks_uri.is_empty() {
        context.check(&RA_4, &at.field("jwksUri"), check_uri(jwks_uri));
    }
    if !jwks.is_empty() {
        check_keys(jwks, &at.field("jwks"), context);
    }
    for (index, JwtHeader { name, prefix: _ }) in from_headers.iter().enumerate() {
        if name.is_empty() {
            let at = at.item("fromHeaders", index);
            context.report(&RA_6, &at.field("name"), "the name of the header is missing");
        }
    }
    check_not_empty(&RA_7, from_params, &at.field("fromParams"), context);
    check_not_empty(&RA_8, from_cookies, &at.field("fromCookies"), context);
    for (index, ClaimToHeader { header, claim }) in output_claim_to_headers.iter().enumerate() {
        let at = at.item("outputClaimToHeaders", index);
        for (field, value) in [("header", header), ("claim", claim)] {
            if value.is_empty() {
                context.report(&RA_9, &at.field(field), format!("the {field} is missing"));
            }
        }
        if !header.is_empty() {
            context.check(&RA_10, &at.field("header"), shared::strict_header_name(header));
        }
    }
    shared::optional_duration(context, &RA_11, &at.field("timeout"), *timeout);
}

fn check_not_empty(rule: &super::Rule, values: &[String], at: &At<'_>, context: &mut Context<'_>) {
    for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
        context.report(rule, &at.index(index), "the value is empty");
    }
}

/// A-RA-4
fn check_uri(text: &str) -> Result<(), String> {
    let url = url::parse(text).map_err(|why| format!("`{text}` is no URL: {why}"))?;
    if url.scheme != "http" && url.scheme != "https" {
        return Err(match url.scheme.as_str() {
            "" => format!("`{text}` has no scheme, http or https is needed"),
            scheme => format!("`{text}` has the scheme `{scheme}`, http or https is needed"),
        });
    }
    match url.port.is_empty() || url.port.parse::<i64>().is_ok() {
        true => Ok(()),
        false => Err(format!("`{text}`: the port is no number that fits")),
    }
}

/// A-RA-5 and A-RA-12
fn check_keys(text: &str, at: &At<'_>, context: &mut Context<'_>) {
    match jwks::check(text) {
        Err(why) => context.report(&RA_5, at, format!("the text is no key set: {why}")),
        Ok(secrets) => {
            for (index, secret) in secrets {
                let message =
                    format!("key {index} is {secret}, which everybody who reads the object can use");
                context.report_with_help(&RA_12, at, message, "leave only the public keys");
            }
        }
    }
}
