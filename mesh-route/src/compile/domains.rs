//! The domains under which a service is reached (R-VH-11 to R-VH-15).

use std::net::IpAddr;

use mesh_api::names::{Host, Text};

use crate::snapshot::service::Service;

/// A domain, and whether it is an expansion of the service's hostname.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceDomain {
    /// Lower-cased text.
    pub(super) text: Text,
    /// Whether it is a short form, which yields to a service of exactly that name (R-VH-10).
    pub(super) expanded: bool,
}

/// All domains of a service for a proxy with that DNS search domain: the hostname and its alternates, the same of each
/// alias, subdomains for headless Kubernetes services, and addresses.
pub(super) fn service_domains(
    service: &Service,
    dns_domain: &str,
    addresses: &[IpAddr],
) -> Vec<ServiceDomain> {
    let mut domains = Vec::new();
    for host in std::iter::once(&service.host).chain(&service.aliases) {
        add_names(&mut domains, host, dns_domain);
    }
    if service.is_headless() && service.is_kubernetes() {
        // R-VH-14
        let subdomains: Vec<_> = domains
            .iter()
            .map(|domain| ServiceDomain {
                text: Text::from(format!("*.{}", domain.text)),
                expanded: domain.expanded,
            })
            .collect();
        domains.extend(subdomains);
    }
    for address in addresses {
        let text = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        domains.push(ServiceDomain {
            text: Text::from(text),
            expanded: false,
        });
    }
    domains
}

fn add_names(domains: &mut Vec<ServiceDomain>, host: &Host, dns_domain: &str) {
    let lower = host.to_lowercase();
    domains.push(ServiceDomain {
        text: lower.as_text().clone(),
        expanded: false,
    });
    for alternate in alternates(lower.as_str(), dns_domain) {
        domains.push(ServiceDomain {
            text: Text::from(alternate),
            expanded: true,
        });
    }
}

/// Other names of a host (R-VH-13).
///
/// ```
/// use mesh_route::compile::alternates;
///
/// let names = alternates("echo.default.svc.cluster.local", "default.svc.cluster.local");
/// assert_eq!(names, ["echo.default.svc.cluster.local.", "echo", "echo.default.svc", "echo.default"]);
/// ```
pub fn alternates(host: &str, dns_domain: &str) -> Vec<String> {
    let is_ip = host.parse::<IpAddr>().is_ok();
    let mut names = Vec::new();
    if !is_ip {
        names.push(format!("{host}."));
    }
    if let Some(at) = dns_domain.find(".svc.") {
        let (namespace, suffix) = dns_domain.split_at_checked(at).unwrap_or((dns_domain, ""));
        let Some(unique) = host.strip_suffix(suffix) else {
            return names;
        };
        let Some((name, own)) = unique.split_once('.').filter(|(_, own)| !own.contains('.')) else {
            return names;
        };
        if own == namespace {
            names.extend([
                name.to_owned(),
                format!("{name}.{own}.svc"),
                format!("{name}.{own}"),
            ]);
        } else {
            names.extend([format!("{name}.{own}"), format!("{name}.{own}.svc")]);
        }
        return names;
    }
    names.extend(shared_suffix_names(host, dns_domain));
    names
}

/// For other domains: the part that is not shared with the proxy's domain, and that part with the first shared label
/// when it has exactly two labels (R-VH-13c).
fn shared_suffix_names(host: &str, dns_domain: &str) -> Vec<String> {
    let labels: Vec<&str> = host.split('.').collect();
    let shared = labels
        .iter()
        .rev()
        .zip(dns_domain.rsplit('.'))
        .take_while(|(mine, theirs)| **mine == *theirs)
        .count();
    let (unique, common) = labels
        .split_at_checked(labels.len().saturating_sub(shared))
        .unwrap_or_default();
    if shared == 0 || unique.is_empty() {
        return Vec::new();
    }
    let mut names = vec![unique.join(".")];
    if let ([_, _], Some(first)) = (unique, common.first()) {
        names.push(format!("{}.{first}", unique.join(".")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternates_of_other_domains() {
        // S-25
        let names = alternates("foo.local.campus.net", "remote.campus.net");
        assert_eq!(names, ["foo.local.campus.net.", "foo.local", "foo.local.campus"]);
        assert_eq!(
            alternates("foo.example.org", "remote.campus.net"),
            ["foo.example.org."]
        );
    }

    #[test]
    fn alternates_across_namespaces() {
        // S-27
        let names = alternates("echo.default.svc.cluster.local", "other.svc.cluster.local");
        assert_eq!(
            names,
            [
                "echo.default.svc.cluster.local.",
                "echo.default",
                "echo.default.svc"
            ]
        );
        assert_eq!(
            alternates("10.0.0.1", "other.svc.cluster.local"),
            Vec::<String>::new()
        );
    }
}
