//! Envoy's messages for mesh-api's rules on the values of EnvoyFilter patches (feature `envoy-schema`).
//!
//! A patch may hold any message of Envoy, extensions that the mesh itself never writes included. So this module brings the
//! descriptors of all of them, apart from those of [`pb`](crate::pb), which are generated for what is converted.
//!
//! ```
//! use mesh_api::validate::{ValidateOptions, validate_decoded};
//! use mesh_xds::envoy_schema::EnvoyMessages;
//!
//! let text = "\
//! apiVersion: networking.istio.io/v1alpha3
//! kind: EnvoyFilter
//! metadata: {name: lua, namespace: shop}
//! spec:
//!   workloadSelector: {labels: {app: web}}
//!   configPatches:
//!   - applyTo: HTTP_FILTER
//!     patch:
//!       operation: ADD
//!       value:
//!         name: envoy.filters.http.lua
//!         typed_config:
//!           '@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
//!           inline_cod: 'function envoy_on_request(handle) end'
//! ";
//! let decoded = mesh_api::decode("lua.yaml", text.as_bytes());
//! let mut options = ValidateOptions::default();
//! options.envoy_schema = Some(EnvoyMessages::shared());
//! let report = validate_decoded(&decoded, &options);
//! // besides the warning that every EnvoyFilter gets (A-EF-1)
//! let lines: Vec<String> = report.iter().skip(1).map(ToString::to_string).collect();
//! assert_eq!(lines, ["lua.yaml:10:7: the field `typed_config.inline_cod` is not known [A-EF-22]"]);
//! ```
//!
//! Source: Istio `xds.BuildXDSObjectFromStruct`, validation `envoyfilter.go`; Spec: A-EF-21 to A-EF-25.

use std::sync::{Arc, OnceLock};

use mesh_api::networking::envoy_filter::ApplyTo;
use mesh_api::validate::{EnvoySchema, PatchFault};
use prost_reflect::{DynamicMessage, ReflectMessage, Value as Field};
use serde_json::{Map, Value};

use crate::json::{self, ANY, Descriptors, JsonError, MAX_DEPTH};
use crate::pb::message_name;

#[cfg(test)]
mod tests;

/// All messages of Envoy's API, extensions included.
static WHOLE_API: Descriptors = Descriptors::new(include_bytes!("descriptors.bin"));

/// Where the messages of Istio's own proxy lie. istiod knows them; they are no part of Envoy's API, so what an `Any` of them
/// holds is not looked at.
const ISTIO_PACKAGES: [&str; 6] = [
    "envoy.tcp.metadataexchange",
    "io.istio",
    "istio",
    "networking.istio.io",
    "stats",
    "wasm.istio.io",
];

/// Packages of Envoy's contributed extensions. istiod knows them; they are no part of Envoy's API, so what an `Any` of them
/// holds is not looked at. Every other extension of a version `v3alpha` is one of them too.
const CONTRIBUTED_PACKAGES: [&str; 6] = [
    "envoy.extensions.filters.http.dynamo.v3",
    "envoy.extensions.filters.http.squash.v3",
    "envoy.extensions.filters.network.client_ssl_auth.v3",
    "envoy.extensions.filters.network.kafka_broker.v3",
    "envoy.extensions.filters.network.mysql_proxy.v3",
    "envoy.extensions.filters.network.rocketmq_proxy.v3",
];

/// The packages that Envoy has frozen and still carries.
const FROZEN_PACKAGES: [&str; 1] = ["envoy.type"];

/// All messages of Envoy's API, for [`ValidateOptions::envoy_schema`](mesh_api::validate::ValidateOptions::envoy_schema).
///
/// Of the messages of Istio's proxy and of Envoy's contributed extensions it knows the names alone: a patch with one of
/// them is taken as it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct EnvoyMessages;

impl EnvoyMessages {
    /// The one for the whole process, as options want it. Its descriptors, about 500 kB, are read when the first patch is judged.
    pub fn shared() -> Arc<dyn EnvoySchema> {
        static SHARED: OnceLock<Arc<EnvoyMessages>> = OnceLock::new();
        SHARED.get_or_init(|| Arc::new(EnvoyMessages)).clone()
    }
}

impl EnvoySchema for EnvoyMessages {
    fn check(&self, apply_to: ApplyTo, value: &Map<String, Value>) -> Vec<PatchFault> {
        let Some(name) = message_of(apply_to) else {
            return Vec::new();
        };
        let mut value = Value::Object(value.clone());
        close_known_by_name(&mut value, 0);
        let read = WHOLE_API
            .message(name)
            .and_then(|descriptor| json::read_as_istiod(&descriptor, &value));
        match read {
            Ok((message, left_out)) => {
                let mut faults: Vec<PatchFault> = left_out.iter().map(fault).collect();
                if !faults
                    .iter()
                    .any(|fault| matches!(fault, PatchFault::Unreadable(_)))
                {
                    walk(&message, 0, &mut faults);
                }
                faults
            }
            Err(error) => vec![PatchFault::Unreadable(error.to_string())],
        }
    }
}

/// The message that the value of a patch is; none for what has no message of its own.
fn message_of(apply_to: ApplyTo) -> Option<&'static str> {
    Some(match apply_to {
        ApplyTo::Cluster => "envoy.config.cluster.v3.Cluster",
        ApplyTo::Listener => "envoy.config.listener.v3.Listener",
        ApplyTo::RouteConfiguration => "envoy.config.route.v3.RouteConfiguration",
        ApplyTo::FilterChain => "envoy.config.listener.v3.FilterChain",
        ApplyTo::HttpFilter => "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
        ApplyTo::NetworkFilter => "envoy.config.listener.v3.Filter",
        ApplyTo::VirtualHost => "envoy.config.route.v3.VirtualHost",
        ApplyTo::HttpRoute => "envoy.config.route.v3.Route",
        ApplyTo::ExtensionConfig => "envoy.config.core.v3.TypedExtensionConfig",
        ApplyTo::Bootstrap => "envoy.config.bootstrap.v3.Bootstrap",
        ApplyTo::ListenerFilter => "envoy.config.listener.v3.ListenerFilter",
        _ => return None,
    })
}

/// Turns the content of every `Any` that is known by name alone into no bytes, the form in which JSON has what it cannot read.
fn close_known_by_name(value: &mut Value, depth: usize) {
    if depth > MAX_DEPTH {
        return; // reading refuses it
    }
    match value {
        Value::Object(object) => {
            let type_url = object.get("@type").and_then(Value::as_str);
            if type_url.is_some_and(|type_url| is_known_by_name(message_name(type_url))) {
                object.retain(|key, _| key == "@type");
                object.insert("value".to_owned(), Value::from(""));
            } else {
                object
                    .values_mut()
                    .for_each(|value| close_known_by_name(value, depth + 1));
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| close_known_by_name(value, depth + 1)),
        _ => {}
    }
}

/// What a thing left out while reading means for the patch.
fn fault(left_out: &JsonError) -> PatchFault {
    let Some(type_url) = left_out.unknown_type() else {
        return PatchFault::UnknownField(left_out.path());
    };
    let hint = match message_name(type_url).split('.').any(|part| part == "v2") {
        true => ", which may be of Envoy's API v2: use that of v3",
        false => "",
    };
    PatchFault::Unreadable(format!("{left_out}{hint}"))
}

fn is_known_by_name(name: &str) -> bool {
    let is_alpha_extension =
        name.starts_with("envoy.extensions.") && name.split('.').any(|part| part == "v3alpha");
    let mut packages = ISTIO_PACKAGES.iter().chain(&CONTRIBUTED_PACKAGES);
    let is_in = |package: &&str| {
        name.strip_prefix(*package)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    is_alpha_extension || packages.any(is_in)
}

/// Finds filters without configuration and types of frozen packages, in messages within `Any` too. A level of nesting in an
/// `Any` counts, so that the walk ends.
fn walk(message: &DynamicMessage, depth: usize, faults: &mut Vec<PatchFault>) {
    if depth > MAX_DEPTH {
        return;
    }
    let descriptor = message.descriptor();
    if descriptor.full_name() == ANY {
        if let Some(inner) = json::open_any(message) {
            let inner_descriptor = inner.descriptor();
            if FROZEN_PACKAGES.contains(&inner_descriptor.parent_file().package_name()) {
                faults.push(PatchFault::DeprecatedType(
                    inner_descriptor.full_name().to_owned(),
                ));
            }
            walk(&inner, depth + 1, faults);
        }
        return;
    }
    if is_name_only(message) {
        let name = message.get_field_by_name("name");
        let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
        faults.push(PatchFault::NameOnly(name.to_owned()));
    }
    // By number, so that the order depends on the message alone.
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(|(field, _)| field.number());
    for (_, value) in fields {
        walk_value(value, depth, faults);
    }
}

fn walk_value(value: &Field, depth: usize, faults: &mut Vec<PatchFault>) {
    match value {
        Field::Message(message) => walk(message, depth + 1, faults),
        Field::List(values) => values.iter().for_each(|value| walk_value(value, depth, faults)),
        Field::Map(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| (format!("{key:?}"), value))
                .collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries
                .iter()
                .for_each(|(_, value)| walk_value(value, depth, faults));
        }
        _ => {}
    }
}

/// Whether a message could have a `typedConfig` and has none, and no `configDiscovery` in its stead.
fn is_name_only(message: &DynamicMessage) -> bool {
    let descriptor = message.descriptor();
    let Some(typed_config) = descriptor.get_field_by_name("typed_config") else {
        return false;
    };
    let has_discovery = descriptor
        .get_field_by_name("config_discovery")
        .is_some_and(|field| message.has_field(&field));
    !message.has_field(&typed_config) && !has_discovery
}
