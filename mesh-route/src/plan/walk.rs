//! A visit to the origins of all nodes: which objects a part is made of, and equality apart from origins.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesh_api::object::ObjectKey;

use super::{
    Action, Cluster, DirectResponse, FilterChain, Forward, ForwardPolicy, Listener, Mirror, Origin,
    PortClusters, Redirect, Route, RouteExtras, RouteTable, ServiceClusters, Split, SubsetRef, Terminal,
    TrafficPlan, VirtualHost, WeightedDestination,
};

/// Shows every [`Origin`] of a node and of the nodes below it, in order.
pub trait Origins {
    /// Calls `visit` for each origin.
    fn origins(&self, visit: &mut dyn FnMut(&Origin));

    /// The objects that the node is made of.
    fn objects(&self) -> BTreeSet<Arc<ObjectKey>> {
        let mut objects = BTreeSet::new();
        self.origins(&mut |origin| objects.extend(origin.object.clone()));
        objects
    }
}

impl Origins for TrafficPlan {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            proxy: _,
            listeners,
            route_tables,
            clusters,
            own_clusters,
            endpoints: _,
            caveats: _,
        } = self;
        listeners.iter().for_each(|(_, listener)| listener.origins(visit));
        route_tables.iter().for_each(|(_, table)| table.origins(visit));
        clusters.iter().for_each(|(_, service)| service.origins(visit));
        own_clusters.iter().for_each(|cluster| cluster.origins(visit));
    }
}

impl Origins for Listener {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            role: _,
            bind: _,
            capture: _,
            inspect: _,
            chains,
            default_chain,
            origin,
        } = self;
        visit(origin);
        chains
            .iter()
            .chain(default_chain.as_ref())
            .for_each(|chain| chain.origins(visit));
    }
}

impl Origins for FilterChain {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            class: _,
            matching: _,
            tls: _,
            terminal,
            origin,
        } = self;
        visit(origin);
        match terminal {
            Terminal::Http(connection) => {
                if let super::RouteSource::Inline(table) = &connection.routes {
                    table.origins(visit);
                }
            }
            Terminal::Tcp(proxy) => visit_split(&proxy.split, visit),
            Terminal::Foreign(_) => {}
        }
    }
}

impl Origins for RouteTable {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            port: _,
            hosts: _,
            catch_all: _,
            ignore_port: _,
            attempt_count: _,
            origin,
        } = self;
        visit(origin);
        self.virtual_hosts().for_each(|host| host.origins(visit));
    }
}

impl Origins for VirtualHost {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            domains: _,
            routes,
            require_tls: _,
            origin,
        } = self;
        visit(origin);
        routes.iter().for_each(|route| route.origins(visit));
    }
}

impl Origins for Route {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            matcher: _,
            action,
            extras,
            origin,
        } = self;
        visit(origin);
        if let Some(extras) = extras {
            let RouteExtras {
                headers: _,
                fault: _,
                cors: _,
                stat_prefix: _,
                parent,
                foreign: _,
            } = &**extras;
            parent.iter().for_each(&mut *visit);
        }
        match action {
            Action::Forward(Forward {
                split,
                rewrite: _,
                policy,
                unknown_cluster: _,
            }) => {
                visit_split(split, visit);
                policy.origins(visit);
            }
            Action::Redirect(redirect) => {
                let Redirect {
                    scheme: _,
                    host: _,
                    port: _,
                    path: _,
                    code: _,
                } = &**redirect;
            }
            Action::Respond(response) => {
                let DirectResponse { status: _, body: _ } = &**response;
            }
            Action::NonForwarding | Action::Nothing | Action::Foreign(_) => {}
        }
    }
}

impl Origins for ForwardPolicy {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            timeout: _,
            retry: _,
            hash: _,
            mirrors,
        } = self;
        for Mirror {
            cluster: _,
            share: _,
            origin,
        } in mirrors
        {
            visit(origin);
        }
    }
}

impl Origins for ServiceClusters {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self { service, ports } = self;
        visit(&service.origin);
        for PortClusters {
            port: _,
            default,
            subsets,
            sni_dnat,
        } in ports
        {
            default.origins(visit);
            subsets
                .iter()
                .chain(&**sni_dnat)
                .for_each(|cluster| cluster.origins(visit));
        }
    }
}

impl Origins for Cluster {
    fn origins(&self, visit: &mut dyn FnMut(&Origin)) {
        let Self {
            name: _,
            discovery: _,
            upstream: _,
            policy: _,
            tls: _,
            locality: _,
            endpoints: _,
            affinity: _,
            rule,
            subset,
            foreign: _,
        } = self;
        rule.iter().for_each(&mut *visit);
        if let Some(subset) = subset {
            let SubsetRef {
                name: _,
                labels: _,
                origin,
            } = &**subset;
            visit(origin);
        }
    }
}

fn visit_split(split: &Split, visit: &mut dyn FnMut(&Origin)) {
    match split {
        Split::One(_) | Split::ByHeader(_) => {}
        Split::Weighted(destinations) => {
            for WeightedDestination {
                cluster: _,
                weight: _,
                headers: _,
                host: _,
                origin,
            } in destinations
            {
                visit(origin);
            }
        }
    }
}
