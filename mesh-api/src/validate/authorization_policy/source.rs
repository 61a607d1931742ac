//! Sources: who sends (A-AP-11..19).

use super::*;
use crate::names::check;
use crate::validate::rule::Rule;

/// Most service accounts of a list.
const ACCOUNTS_LIMIT: usize = 16;

/// Longest service account in bytes: a namespace, a slash and a name.
const ACCOUNT_LIMIT: usize = 320;

pub(super) fn check(spec: &Source, at: &At<'_>, context: &mut Context<'_>) {
    let Source {
        principals,
        not_principals,
        request_principals,
        not_request_principals,
        namespaces,
        not_namespaces,
        service_accounts,
        not_service_accounts,
        ip_blocks,
        not_ip_blocks,
        remote_ip_blocks,
        not_remote_ip_blocks,
        trust_domains,
        not_trust_domains,
    } = spec;
    let lists = [
        ("principals", principals),
        ("notPrincipals", not_principals),
        ("requestPrincipals", request_principals),
        ("notRequestPrincipals", not_request_principals),
        ("namespaces", namespaces),
        ("notNamespaces", not_namespaces),
        ("serviceAccounts", service_accounts),
        ("notServiceAccounts", not_service_accounts),
        ("ipBlocks", ip_blocks),
        ("notIpBlocks", not_ip_blocks),
        ("remoteIpBlocks", remote_ip_blocks),
        ("notRemoteIpBlocks", not_remote_ip_blocks),
        ("trustDomains", trust_domains),
        ("notTrustDomains", not_trust_domains),
    ];
    if lists.iter().all(|(_, values)| values.is_empty()) {
        context.report(&AP_12, at, "the source says nothing");
    }
    let by_account = !service_accounts.is_empty() || !not_service_accounts.is_empty();
    let others = [principals, not_principals, namespaces, not_namespaces];
    if by_account && others.iter().any(|values| !values.is_empty()) {
        let field = match service_accounts.is_empty() {
            true => "notServiceAccounts",
            false => "serviceAccounts",
        };
        let message = "service accounts exclude principals and namespaces";
        context.report(&AP_11, &at.field(field), message);
    }
    for (field, values) in lists {
        let at = at.field(field);
        for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
            context.report(&AP_14, &at.index(index), "the value is empty");
        }
        match field {
            "ipBlocks" | "notIpBlocks" | "remoteIpBlocks" | "notRemoteIpBlocks" => {
                check_each(&AP_13, values, &at, context, check::ip_subnet);
            }
            "serviceAccounts" | "notServiceAccounts" => {
                check_accounts(&[&AP_15, &AP_16, &AP_17, &AP_18], values, &at, context);
            }
            "trustDomains" | "notTrustDomains" => {
                check_each(&AP_19, values, &at, context, trust_domain);
            }
            _ => {}
        }
    }
}

/// The lists that CUSTOM does not support (A-AP-4).
pub(super) fn identities(source: &Source) -> [(&'static str, &[String]); 10] {
    [
        ("principals", &source.principals),
        ("notPrincipals", &source.not_principals),
        ("requestPrincipals", &source.request_principals),
        ("notRequestPrincipals", &source.not_request_principals),
        ("namespaces", &source.namespaces),
        ("notNamespaces", &source.not_namespaces),
        ("serviceAccounts", &source.service_accounts),
        ("notServiceAccounts", &source.not_service_accounts),
        ("trustDomains", &source.trust_domains),
        ("notTrustDomains", &source.not_trust_domains),
    ]
}

/// Whether a connection that is not HTTP can be told apart by the source; trust domains do not count (A-AP-36).
pub(super) fn knows_tcp(source: &Source) -> bool {
    let lists = [
        &source.principals,
        &source.not_principals,
        &source.namespaces,
        &source.not_namespaces,
        &source.service_accounts,
        &source.not_service_accounts,
        &source.ip_blocks,
        &source.not_ip_blocks,
        &source.remote_ip_blocks,
        &source.not_remote_ip_blocks,
    ];
    lists.iter().any(|values| !values.is_empty())
}

/// Checks all values but empty ones, which have a rule of their own.
pub(super) fn check_each<E: std::fmt::Display>(
    rule: &Rule,
    values: &[String],
    at: &At<'_>,
    context: &mut Context<'_>,
    verdict: impl Fn(&str) -> Result<(), E>,
) {
    for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
        context.check(rule, &at.index(index), verdict(value));
    }
}

/// A-AP-15..18, or all of them under A-AP-33.
pub(super) fn check_accounts(
    [count, wildcard, form, length]: &[&Rule; 4],
    values: &[String],
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    if values.len() > ACCOUNTS_LIMIT {
        let message = format!(
            "there are {} service accounts, at most {ACCOUNTS_LIMIT} are allowed",
            values.len()
        );
        context.report(count, at, message);
    }
    for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
        let at = at.index(index);
        if value.contains('*') {
            let message = format!("`{value}`: service accounts have no wildcards");
            context.report(wildcard, &at, message);
        }
        let parts = value.split('/');
        if parts.clone().count() > 2 || parts.into_iter().any(str::is_empty) {
            let message = format!("`{value}` is neither `name` nor `namespace/name`");
            context.report(form, &at, message);
        }
        if value.len() > ACCOUNT_LIMIT {
            let message = format!(
                "the service account has {} bytes, at most {ACCOUNT_LIMIT} are allowed",
                value.len()
            );
            context.report(length, &at, message);
        }
    }
}

/// A-AP-19
fn trust_domain(value: &str) -> Result<(), String> {
    if value.contains('/') {
        return Err(format!("`{value}`: a trust domain has no slash"));
    }
    wildcard_at_end(value)
}

/// One `*` at most, at the beginning or the end.
pub(super) fn wildcard_at_end(value: &str) -> Result<(), String> {
    let inner = value
        .strip_prefix('*')
        .or_else(|| value.strip_suffix('*'))
        .unwrap_or(value);
    match inner.contains('*') {
        true => Err(format!(
            "`{value}`: a wildcard may stand once, at the beginning or the end"
        )),
        false => Ok(()),
    }
}
