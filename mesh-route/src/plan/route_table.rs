//! Route tables and virtual hosts.

use std::sync::Arc;

use mesh_api::names::Text;

use super::key::{RouteTableName, VirtualHostName};
use super::origin::Origin;
use super::route::Route;
use crate::table::Table;

/// The virtual hosts that serve the HTTP requests of a listener (an Envoy RouteConfiguration).
#[derive(Clone, Debug, PartialEq)]
pub struct RouteTable {
    /// Its name.
    pub name: RouteTableName,
    /// The port that it serves: the listener's, or the first server's; 0 for HTTP proxy and Unix socket listeners.
    pub port: u16,
    /// By name, in order of the name's text.
    pub hosts: Table<VirtualHostName, VirtualHost>,
    /// The virtual host of the domain `*` that takes what no other does (R-VH-17, R-GW-16).
    pub catch_all: Option<Arc<VirtualHost>>,
    /// Whether a port in the request's host is ignored (R-ENVH-2).
    pub ignore_port: bool,
    /// Whether the attempt count is sent upstream.
    pub attempt_count: bool,
    /// What the table belongs to.
    pub origin: Origin,
}

impl RouteTable {
    /// All virtual hosts, the catch-all last.
    pub fn virtual_hosts(&self) -> impl Iterator<Item = &Arc<VirtualHost>> {
        self.hosts
            .iter()
            .map(|(_, host)| host)
            .chain(self.catch_all.as_ref())
    }
}

/// Domains and their routes.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualHost {
    /// Its name, unique in the table.
    pub name: VirtualHostName,
    /// The domains it serves, lower-cased, unique over the table, in order of emission.
    pub domains: Box<[Domain]>,
    /// First match wins. Hosts of one VirtualService share the list; merged gateway hosts share the single routes.
    pub routes: Arc<[Arc<Route>]>,
    /// Whether plaintext requests are sent to HTTPS.
    pub require_tls: RequireTls,
    /// VirtualService, service or gateway server.
    pub origin: Origin,
}

/// Whether a virtual host demands TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RequireTls {
    /// Plaintext is served.
    #[default]
    None,
    /// Every plaintext request is redirected to `https` with 301 (R-GW-14).
    All,
}

/// A domain of a virtual host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Domain {
    /// As written in configuration, e.g. `*.example.com`.
    pub text: Text,
    /// How it is compared.
    pub form: DomainForm,
}

impl Domain {
    /// Reads the form off the text: `*`, `*suffix`, `prefix*`, or exact. The text is expected in lower case.
    pub fn new(text: impl Into<Text>) -> Self {
        let text = text.into();
        let form = match text.as_str() {
            "*" => DomainForm::Any,
            t if t.starts_with('*') => DomainForm::Suffix,
            t if t.ends_with('*') => DomainForm::Prefix,
            _ => DomainForm::Exact,
        };
        Self { text, form }
    }
}

/// Kinds of domains, in order of precedence (R-ENVH-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DomainForm {
    /// The host itself.
    Exact,
    /// `*x`: a host that ends in `x` and is longer; the longest wins.
    Suffix,
    /// `x*`: a host that starts with `x` and is longer; the longest wins.
    Prefix,
    /// `*`.
    Any,
}
