//! Rules of extension providers (A-EP). Upstream logs what they find and goes on, so they are warnings, errors in
//! [`Profile::Strict`](crate::Profile::Strict) (A-MC-18).

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::{Rule, rules};
use crate::mesh::{
    EnvoyExternalAuthorizationGrpcProvider, EnvoyExternalAuthorizationHttpProvider, ExtensionProvider,
    Provider,
};
use crate::names::check::{self, HostScope};

rules! {
    EP_1 "A-EP-1" Warning "an extension provider has a name";
    EP_2 "A-EP-2" Warning "no two extension providers have one name";
    EP_3 "A-EP-3" Warning "an extension provider is of a kind that istiod's validation knows";
    EP_4 "A-EP-4" Warning "the service of a provider is a domain name, an address or namespace/host";
    EP_5 "A-EP-5" Warning "the port of a provider is 1 to 65535";
    EP_6 "A-EP-6" Warning "statusOnError is one of Envoy's HTTP statuses";
    EP_7 "A-EP-7" Warning "pathPrefix is a path of a URL";
    EP_8 "A-EP-8" Warning "pathPrefix starts with a slash";
    EP_9 "A-EP-9" Warning "lightstep has an access token";
    EP_10 "A-EP-10" Warning "http and grpc of a provider exclude each other";
}

/// Checks all providers of a mesh; true if they keep to the rules.
pub(super) fn check_all(providers: &[ExtensionProvider], at: &At<'_>, context: &mut Context<'_>) -> bool {
    let mut names = BTreeSet::new();
    let mut fits = true;
    for (index, provider) in providers.iter().enumerate() {
        let at = at.index(index);
        if !names.insert(provider.name.as_str()) {
            let message = format!("there is an extension provider `{}` already", provider.name);
            report(&EP_2, &at.field("name"), message, context);
            fits = false;
        }
        fits &= check(provider, &at, context);
    }
    fits
}

/// Notes a violation: a warning, in `Strict` an error.
pub(super) fn report(rule: &Rule, at: &At<'_>, message: impl Into<String>, context: &mut Context<'_>) {
    match context.is_strict() {
        true => context.error(rule, at, message),
        false => context.report(rule, at, message),
    }
}

/// Checks one provider; true if it keeps to the rules.
pub(super) fn check(provider: &ExtensionProvider, at: &At<'_>, context: &mut Context<'_>) -> bool {
    let ExtensionProvider { name, provider } = provider;
    let mut checker = Checker { fits: true, context };
    if name.is_empty() {
        checker.report(&EP_1, &at.field("name"), "the extension provider has no name");
    }
    let Some(provider) = provider else {
        checker.report(&EP_3, at, "the extension provider is of no kind");
        return checker.fits;
    };
    let at = at.field(provider.kind().as_str());
    if let Provider::Sds(_) = provider {
        // quirk A-EP-3: the kind is newer than the validation
        checker.report(&EP_3, &at, "istiod's validation does not know the kind sds");
        return checker.fits;
    }
    if let Some((service, port)) = provider.service() {
        checker.service(service, port, &at);
    }
    match provider {
        Provider::EnvoyExtAuthzHttp(provider) => checker.authorization_http(provider, &at),
        Provider::EnvoyExtAuthzGrpc(provider) => {
            let EnvoyExternalAuthorizationGrpcProvider {
                service: _,
                port: _,
                timeout: _,
                fail_open: _,
                clear_route_cache: _,
                status_on_error,
                include_request_body_in_check: _,
            } = provider;
            checker.status_on_error(status_on_error, &at);
        }
        Provider::Lightstep(provider) if provider.access_token.is_empty() => {
            checker.report(&EP_9, &at.field("accessToken"), "the access token is missing");
        }
        Provider::OpenTelemetry(provider) if provider.http.is_some() && provider.grpc.is_some() => {
            checker.report(&EP_10, &at.field("grpc"), "http and grpc exclude each other");
        }
        Provider::Lightstep(_)
        | Provider::OpenTelemetry(_)
        | Provider::Zipkin(_)
        | Provider::Datadog(_)
        | Provider::Stackdriver(_)
        | Provider::OpenCensus(_)
        | Provider::SkyWalking(_)
        | Provider::Prometheus(_)
        | Provider::EnvoyFileAccessLog(_)
        | Provider::EnvoyHttpAls(_)
        | Provider::EnvoyTcpAls(_)
        | Provider::EnvoyOtelAls(_)
        | Provider::Sds(_) => {}
    }
    checker.fits
}

/// Checks of one provider, and whether all passed so far.
struct Checker<'c, 'a> {
    fits: bool,
    context: &'c mut Context<'a>,
}

impl Checker<'_, '_> {
    fn report(&mut self, rule: &Rule, at: &At<'_>, message: impl Into<String>) {
        report(rule, at, message, self.context);
        self.fits = false;
    }

    /// A-EP-4, A-EP-5
    fn service(&mut self, service: &str, port: u32, at: &At<'_>) {
        let problem = match service {
            "" => Some("the service of the provider is missing".to_owned()),
            service if service.contains('/') => check::namespace_host(service, HostScope::Sidecar)
                .err()
                .map(|error| format!("`{service}` is not of the form `namespace/host`: {error}")),
            service if check::ip_address(service).is_ok() => None,
            service => check::fqdn(service)
                .err()
                .map(|error| format!("`{service}` is neither a domain name nor an address: {error}")),
        };
        if let Some(message) = problem {
            self.report(&EP_4, &at.field("service"), message);
        }
        if let Err(error) = check::port(port) {
            self.report(&EP_5, &at.field("port"), error.to_string());
        }
    }

    fn authorization_http(&mut self, provider: &EnvoyExternalAuthorizationHttpProvider, at: &At<'_>) {
        let EnvoyExternalAuthorizationHttpProvider {
            service: _,
            port: _,
            timeout: _,
            path_prefix,
            fail_open: _,
            clear_route_cache: _,
            status_on_error,
            include_headers_in_check: _,
            include_request_headers_in_check: _,
            include_additional_headers_in_check: _,
            include_request_body_in_check: _,
            headers_to_upstream_on_allow: _,
            headers_to_downstream_on_deny: _,
            headers_to_downstream_on_allow: _,
        } = provider;
        self.status_on_error(status_on_error, at);
        let at = at.field("pathPrefix");
        if path_prefix.is_empty() {
        } else if !is_url_path(path_prefix) {
            self.report(&EP_7, &at, format!("`{path_prefix}` cannot be part of a URL"));
        } else if !path_prefix.starts_with('/') {
            self.report(&EP_8, &at, format!("`{path_prefix}` does not start with a slash"));
        }
    }

    /// A-EP-6
    fn status_on_error(&mut self, status: &str, at: &At<'_>) {
        if !status.is_empty() && !is_envoy_status(status) {
            let message = format!("`{status}` is not one of Envoy's HTTP statuses");
            self.report(&EP_6, &at.field("statusOnError"), message);
        }
    }
}

/// Whether Go reads the text as a number that Envoy has a status for.
fn is_envoy_status(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('+').unwrap_or(text).parse::<i32>();
    is_number
        && matches!(
            number,
            Ok(
                0
                | 100
                | 200..=208
                | 226
                | 300..=305
                | 307
                | 308
                | 400..=417
                | 421..=424
                | 426
                | 428
                | 429
                | 431
                | 500..=508
                | 510
                | 511,
            )
        )
}

/// Whether Go's `url.Parse` takes a path: no control characters, whole percent escapes outside the query, no colon in the
/// first part of a relative path.
fn is_url_path(text: &str) -> bool {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, _query) = rest.split_once('?').unwrap_or((rest, ""));
    let first = path.split('/').next().unwrap_or_default();
    whole_escapes(fragment) && whole_escapes(path) && (path.starts_with('/') || !first.contains(':'))
}

fn whole_escapes(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_paths() {
        // A-EP-6
        for (text, fits) in [
            ("403", true),
            ("+200", true),
            ("0511", true),
            ("0", true),
            ("418", false),
            ("99", false),
            ("-403", false),
            ("4 3", false),
            ("+-200", false),
            ("abc", false),
        ] {
            assert_eq!(is_envoy_status(text), fits, "{text}");
        }
        // A-EP-7
        for (text, fits) in [
            ("/check", true),
            ("/a%20b?c=%zz", true),
            ("check/a:b", true),
            ("/a:b", true),
            ("a:b", false),
            ("/%2", false),
            ("/%zz", false),
            ("/a#%", false),
            ("/a\tb", false),
        ] {
            assert_eq!(is_url_path(text), fits, "{text}");
        }
    }
}
