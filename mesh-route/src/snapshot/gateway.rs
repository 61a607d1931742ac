//! Gateways with their server hosts resolved.

use std::sync::Arc;

use mesh_api::names::{GatewayRef, Host, Labels, Namespace, Protocol, Text};
use mesh_api::networking as model;
use mesh_api::object::ObjectKey;

use super::Age;

/// A Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// The object.
    pub key: Arc<ObjectKey>,
    /// Its name, as VirtualServices refer to it.
    pub reference: GatewayRef,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name.
    pub name: Text,
    /// Its age.
    pub age: Age,
    /// The proxies it is for; `None`: all.
    pub selector: Option<Labels>,
    /// The services whose workloads it is for, instead of a selector; Gateways made from the Gateway API name them in
    /// the annotation [`Gateway::SERVICES`].
    pub services: Option<Vec<Host>>,
    /// Its servers, in order.
    pub servers: Vec<Server>,
}

/// A server of a Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Its position in the object.
    pub position: usize,
    /// The declared port.
    pub port: u16,
    /// The name of the port.
    pub port_name: Text,
    /// What is spoken.
    pub protocol: Protocol,
    /// `protocol` as written.
    pub protocol_text: Text,
    /// The address it binds; empty: all.
    pub bind: Text,
    /// Its name; may be empty.
    pub name: Text,
    /// Hosts as `ns/h` or `h` (R-GW-2).
    pub hosts: Vec<Text>,
    /// TLS settings, if any.
    pub tls: Option<model::ServerTlsSettings>,
}

impl Gateway {
    /// The annotation that names the services of a Gateway made from the Gateway API, separated by commas (X-GW-2).
    pub const SERVICES: &str = "internal.istio.io/gateway-service";

    /// Whether proxies with these labels run it (R-GW-1).
    pub fn selects(&self, labels: &Labels) -> bool {
        self.selector
            .as_ref()
            .is_none_or(|selector| selector.is_subset_of(labels))
    }
}

impl Server {
    /// Resolves the host forms of a server (R-GW-2).
    pub fn resolve_hosts(hosts: &[String], namespace: &Namespace) -> Vec<Text> {
        let mut resolved = Vec::with_capacity(hosts.len());
        for host in hosts {
            match host.split_once('/') {
                Some(("*", "*")) => return vec![Text::new("*")],
                Some((".", name)) => resolved.push(Text::from(format!("{namespace}/{name}"))),
                Some(("*", name)) => resolved.push(Text::new(name)),
                _ => resolved.push(Text::new(host)),
            }
        }
        resolved
    }

    /// Whether it speaks plaintext: no `tls` block, or an HTTP-class protocol (R-GW-5).
    pub fn is_plaintext(&self) -> bool {
        self.tls.is_none() || self.protocol.is_http()
    }

    /// Whether plaintext requests are sent to HTTPS.
    pub fn https_redirect(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.https_redirect)
    }

    /// Whether it passes TLS through without looking into it.
    pub fn is_passthrough(&self) -> bool {
        use model::ServerTlsMode::{AutoPassthrough, Passthrough};
        self.tls
            .as_ref()
            .is_some_and(|tls| matches!(tls.mode, Passthrough | AutoPassthrough))
    }

    /// Whether it terminates TLS and routes by HTTP (R-GW-4).
    pub fn terminates_https(&self) -> bool {
        self.protocol == Protocol::Https && self.tls.is_some() && !self.is_passthrough()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_forms() {
        // R-GW-2
        let namespace = Namespace::new("ns");
        let resolve = |hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            let resolved = Server::resolve_hosts(&hosts, &namespace);
            resolved.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            resolve(&["./a.com", "*/b.com", "x/c.com", "d.com"]),
            ["ns/a.com", "b.com", "x/c.com", "d.com"]
        );
        assert_eq!(resolve(&["a.com", "*/*"]), ["*"]);
    }
}
