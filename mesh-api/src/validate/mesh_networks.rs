//! Rules of MeshNetworks (A-MN).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use crate::mesh::{
    EndpointSource, MeshNetworks, Network, NetworkEndpoints, NetworkGateway, NetworkGatewayAddress,
};
use crate::names::check;

rules! {
    MN_1 "A-MN-1" Error "fromCidr is an address or a range of addresses";
    MN_2 "A-MN-2" Error "fromRegistry is a DNS label";
    MN_3 "A-MN-3" Error "registryServiceName is a domain name";
    MN_4 "A-MN-4" Error "the address of a gateway is an IP address or a domain name";
    MN_5 "A-MN-5" Error "the port of a gateway is 1 to 65535";
}

pub(super) fn check(networks: &MeshNetworks, context: &mut Context<'_>) {
    let MeshNetworks { networks } = networks;
    let at = At::root();
    for (name, Network { endpoints, gateways }) in networks {
        let at = at.entry("networks", name);
        for (index, NetworkEndpoints { source }) in endpoints.iter().enumerate() {
            let at = at.item("endpoints", index);
            match source {
                Some(EndpointSource::FromCidr(range)) => {
                    context.check(&MN_1, &at.field("fromCidr"), check::ip_subnet(range));
                }
                Some(EndpointSource::FromRegistry(registry)) => {
                    context.check(&MN_2, &at.field("fromRegistry"), check::dns_label(registry));
                }
                None => {}
            }
        }
        for (index, gateway) in gateways.iter().enumerate() {
            check_gateway(gateway, &at.item("gateways", index), context);
        }
    }
}

fn check_gateway(gateway: &NetworkGateway, at: &At<'_>, context: &mut Context<'_>) {
    let NetworkGateway {
        gateway,
        port,
        locality: _,
    } = gateway;
    match gateway {
        Some(NetworkGatewayAddress::RegistryServiceName(name)) => {
            context.check(&MN_3, &at.field("registryServiceName"), check::fqdn(name));
        }
        Some(NetworkGatewayAddress::Address(address)) if check::ip_address(address).is_err() => {
            let verdict = check::fqdn(address)
                .map_err(|error| format!("`{address}` is neither an address nor a host name: {error}"));
            context.check(&MN_4, &at.field("address"), verdict);
        }
        Some(NetworkGatewayAddress::Address(_)) | None => {}
    }
    context.check(&MN_5, &at.field("port"), check::port(*port));
}
