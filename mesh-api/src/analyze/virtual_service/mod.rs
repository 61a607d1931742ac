//! What VirtualServices refer to, and how they stand to each other.

mod claims;
mod destinations;
mod gateways;
mod ingress;
mod mesh_hosts;
mod subsets;

pub(super) use claims::check as claims;
pub(super) use destinations::check as destinations;
pub(super) use gateways::{check as gateways, resolve as gateway_key};
pub(super) use mesh_hosts::check as mesh_hosts;
pub(super) use subsets::check as subsets;

use super::path::field;
use crate::networking::{Destination, VirtualService};
use crate::report::FieldPath;

/// A destination of a route, and where it stands.
pub(super) struct Target<'a> {
    pub(super) destination: &'a Destination,
    path: FieldPath,
    /// Whether traffic is copied to it only.
    is_mirror: bool,
}

/// All destinations of an object.
pub(super) fn targets(spec: &VirtualService) -> Vec<Target<'_>> {
    let mut targets = Vec::new();
    let mut add = |destination, path, is_mirror| {
        targets.push(Target {
            destination,
            path,
            is_mirror,
        });
    };
    for (at, route) in spec.http.iter().enumerate() {
        for (to, target) in route.route.iter().enumerate() {
            if let Some(destination) = &target.destination {
                add(
                    destination,
                    field!["spec", "http", at, "route", to, "destination"],
                    false,
                );
            }
        }
        if let Some(mirror) = &route.mirror {
            add(mirror, field!["spec", "http", at, "mirror"], true);
        }
        for (to, mirror) in route.mirrors.iter().enumerate() {
            if let Some(destination) = &mirror.destination {
                add(
                    destination,
                    field!["spec", "http", at, "mirrors", to, "destination"],
                    true,
                );
            }
        }
    }
    for (at, route) in spec.tcp.iter().enumerate() {
        for (to, target) in route.route.iter().enumerate() {
            if let Some(destination) = &target.destination {
                add(
                    destination,
                    field!["spec", "tcp", at, "route", to, "destination"],
                    false,
                );
            }
        }
    }
    for (at, route) in spec.tls.iter().enumerate() {
        for (to, target) in route.route.iter().enumerate() {
            if let Some(destination) = &target.destination {
                add(
                    destination,
                    field!["spec", "tls", at, "route", to, "destination"],
                    false,
                );
            }
        }
    }
    targets
}
