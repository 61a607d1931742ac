//! The traps of X-TYPE-4, and random messages against prost-reflect's own JSON.

use std::collections::HashMap;

use prost::Message;
use prost::bytes::Bytes;
use prost_reflect::{FieldDescriptor, Kind, MapKey, Value as Field};
use serde_json::json;

use super::*;
use crate::pb::envoy::config::bootstrap::v3::Bootstrap;
use crate::pb::envoy::config::cluster::v3::Cluster;
use crate::pb::envoy::config::core::v3::{Metadata, TypedExtensionConfig};
use crate::pb::envoy::config::listener::v3::Listener;
use crate::pb::envoy::config::rbac::v3::Rbac;
use crate::pb::envoy::config::route::v3::RouteConfiguration;
use crate::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use crate::pb::udpa::r#type::v1::TypedStruct;

/// A listener with maps inside an `Any` inside an `Any`.
fn nested() -> Value {
    let metadata: Value = (0..12)
        .map(|n| (format!("key-{n}"), json!({"a": n, "b": [0.5, null, "x"]})))
        .collect();
    json!({
        "name": "0.0.0.0_80",
        "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 80}},
        "filterChains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typedConfig": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "statPrefix": "x",
                "streamIdleTimeout": "1.5s",
                "routeConfig": {"virtualHosts": [{"name": "a", "domains": ["*"], "routes": [{
                    "match": {"prefix": "/", "runtimeFraction": {"defaultValue": {"numerator": 5, "denominator": "MILLION"}}},
                    "metadata": {"filterMetadata": metadata},
                    "route": {"cluster": "c", "timeout": "0s"},
                    "typedPerFilterConfig": {
                        "envoy.filters.http.fault": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
                            "abort": {"httpStatus": 555, "percentage": {"numerator": 100}}
                        },
                        "envoy.filters.http.cors": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
                            "allowCredentials": false
                        }
                    }
                }]}]}
            }
        }]}]
    })
}

#[test]
fn names_scalars_and_wrappers() {
    let cluster: Cluster = from_json(&json!({
        "name": "a", "connect_timeout": "0.25s", "perConnectionBufferLimitBytes": 0, "lb_policy": "LEAST_REQUEST",
        "circuitBreakers": {"thresholds": [{"maxConnections": "7"}]},
        "ringHashLbConfig": {"minimumRingSize": "18446744073709551615"},
        "commonLbConfig": {"healthyPanicThreshold": {"value": 0.5}},
        "typed_extension_protocol_options": {}
    }))
    .unwrap();
    assert_eq!(
        cluster.per_connection_buffer_limit_bytes,
        Some(0),
        "present and zero stays apart from absent"
    );
    let json = to_json(&cluster).unwrap();
    assert_eq!(
        json,
        json!({
            "name": "a", "connectTimeout": "0.25s", "perConnectionBufferLimitBytes": 0, "lbPolicy": "LEAST_REQUEST",
            "circuitBreakers": {"thresholds": [{"maxConnections": 7}]},
            "ringHashLbConfig": {"minimumRingSize": "18446744073709551615"},
            "commonLbConfig": {"healthyPanicThreshold": {"value": 0.5}},
        })
    );
}

// X-TYPE-4 (a): prost-reflect's maps are hash maps.
#[test]
fn equal_messages_give_equal_text_and_bytes() {
    let listener: Listener = from_json(&nested()).unwrap();
    let text = to_json_string(&listener).unwrap();
    let bytes = listener.encode_to_vec();
    for _ in 0..20 {
        let again: Listener = from_json_str(&text).unwrap();
        assert_eq!(again.encode_to_vec(), bytes);
        assert_eq!(to_json_string(&again).unwrap(), text);
    }
    assert_eq!(to_json(&listener).unwrap(), nested());
}

// X-TYPE-4 (b): the bytes in an `Any` that came from JSON are those of the typed encoding.
#[test]
fn any_from_json_holds_the_typed_encoding() {
    let listener: Listener = from_json(&nested()).unwrap();
    let filter = listener.filter_chains[0].filters[0].clone();
    use crate::pb::envoy::config::listener::v3::filter::ConfigType;
    let Some(ConfigType::TypedConfig(any)) = filter.config_type else {
        panic!("a typed config")
    };
    let manager: HttpConnectionManager = crate::pb::unpack(&any).unwrap();
    assert_eq!(manager.encode_to_vec(), any.value);
}

// X-TYPE-4 (b): members of a oneof are written where its lowest number is, as the generated code does.
#[test]
fn canonical_bytes_order_oneofs_as_the_generated_code() {
    // `cluster_type` is number 38 of a oneof that starts at 2; `eds_cluster_config` is number 3.
    let json = json!({
        "name": "dfp", "clusterType": {"name": "envoy.clusters.dynamic_forward_proxy"},
        "edsClusterConfig": {"serviceName": "x"}, "lbPolicy": "CLUSTER_PROVIDED"
    });
    let inner: Cluster = from_json(&json).unwrap();
    let mut tagged = json.clone();
    tagged["@type"] = json!("type.googleapis.com/envoy.config.cluster.v3.Cluster");
    let outer: TypedExtensionConfig = from_json(&json!({"name": "x", "typedConfig": tagged})).unwrap();
    assert_eq!(outer.typed_config.unwrap().value, inner.encode_to_vec());
}

// X-TYPE-4 (c)
#[test]
fn any_of_unknown_type_is_printed_as_base64_and_read_back() {
    let any = prost_types::Any {
        type_url: "type.googleapis.com/istio.Unknown".to_owned(),
        value: vec![1, 2, 0xff],
    };
    let config = TypedExtensionConfig {
        name: "x".to_owned(),
        typed_config: Some(any),
    };
    let json = to_json(&config).unwrap();
    assert_eq!(
        json,
        json!({"name": "x", "typedConfig": {"@type": "type.googleapis.com/istio.Unknown", "value": "AQL/"}})
    );
    assert_eq!(from_json::<TypedExtensionConfig>(&json).unwrap(), config);
}

// X-TYPE-4 (c), for text that spells an unknown type out.
#[test]
fn any_of_unknown_type_with_fields_is_an_error_or_left_out() {
    let json = json!({"name": "x", "typedConfig": {"@type": "a/istio.Unknown", "field": 1}});
    let error = from_json::<TypedExtensionConfig>(&json).unwrap_err();
    assert!(error.is_unknown_type());
    assert_eq!(error.to_string(), "typedConfig: unknown type `a/istio.Unknown`");
    let (config, unknown) = from_json_lenient::<TypedExtensionConfig>(&json).unwrap();
    assert_eq!(
        config,
        TypedExtensionConfig {
            name: "x".to_owned(),
            typed_config: None
        }
    );
    assert_eq!(unknown, ["typedConfig"]);
}

// X-TYPE-4 (c): bytes that do not decode are shown, not lost.
#[test]
fn any_with_broken_content_is_printed_as_base64() {
    let any = prost_types::Any {
        type_url: Cluster::type_url(),
        value: vec![0x0a, 0xff],
    };
    let config = TypedExtensionConfig {
        name: String::new(),
        typed_config: Some(any),
    };
    assert_eq!(to_json(&config).unwrap()["typedConfig"]["value"], json!("Cv8="));
}

// X-TYPE-4 (d)
#[test]
fn unknown_fields_are_errors_unless_lenient() {
    let mut json = nested();
    json["filterChains"][0]["filters"][0]["typedConfig"]["routeConfig"]["virtualHosts"][0]["rotes"] =
        json!([]);
    json["nme"] = json!(1);
    let place = "filterChains[0].filters[0].typedConfig.routeConfig.virtualHosts[0].rotes";
    let error = from_json::<Listener>(&json).unwrap_err();
    assert!(error.is_unknown_field());
    assert_eq!(error.path(), place);
    let (listener, unknown) = from_json_lenient::<Listener>(&json).unwrap();
    assert_eq!(unknown, [place, "nme"]);
    assert_eq!(to_json(&listener).unwrap(), nested());
}

#[test]
fn typed_struct_stays_as_it_is() {
    let json = json!({"typeUrl": "type.googleapis.com/istio.alpn", "value": {"b": [1, null, true], "a": {"x": "y"}}});
    let message: TypedStruct = from_json(&json).unwrap();
    assert_eq!(to_json(&message).unwrap(), json);
    let tagged =
        json!({"@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "typeUrl": "t", "value": {"a": 1}});
    let config = json!({"name": "istio.alpn", "typedConfig": tagged});
    assert_eq!(
        to_json(&from_json::<TypedExtensionConfig>(&config).unwrap()).unwrap(),
        config
    );
}

#[test]
fn any_of_a_type_with_a_json_form_of_its_own_has_a_value() {
    let config = json!({"name": "x", "typedConfig": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "2s"}});
    let message: TypedExtensionConfig = from_json(&config).unwrap();
    assert_eq!(message.typed_config.as_ref().unwrap().value, [8, 2]);
    assert_eq!(to_json(&message).unwrap(), config);
}

#[test]
fn errors_name_the_place_and_the_reason() {
    for (json, expected) in [
        (
            json!([]),
            "expected a `envoy.config.cluster.v3.Cluster`, found `[]`",
        ),
        (
            json!({"connectTimeout": "5"}),
            "connectTimeout: expected a duration like `1.5s`, found `\"5\"`",
        ),
        (
            json!({"type": "EDS", "clusterType": {}}),
            "type: already set by `clusterType`",
        ),
        (
            json!({"connectTimeout": "1s", "connect_timeout": "2s"}),
            "connect_timeout: already set by `connectTimeout`",
        ),
        (
            json!({"lbPolicy": "BEST"}),
            "lbPolicy: expected a value of `envoy.config.cluster.v3.Cluster.LbPolicy`, found `\"BEST\"`",
        ),
        (
            json!({"circuitBreakers": {"thresholds": [{}, {"maxRequests": -1}]}}),
            "circuitBreakers.thresholds[1].maxRequests: expected an unsigned 32-bit integer, found `-1`",
        ),
        (
            json!({"typedExtensionProtocolOptions": {"a b": {"x": 1}}}),
            "typedExtensionProtocolOptions[\"a b\"]: expected an object with `@type`, found `{\"x\":1}`",
        ),
        (json!({"filters": {}}), "filters: expected a list, found `{}`"),
    ] {
        assert_eq!(from_json::<Cluster>(&json).unwrap_err().to_string(), expected);
    }
    assert!(
        from_json_str::<Cluster>("{")
            .unwrap_err()
            .to_string()
            .starts_with("malformed JSON: ")
    );
}

#[test]
fn depth_is_bounded_both_ways() {
    let mut value = json!(1);
    for _ in 0..400 {
        value = json!([value]);
    }
    let deep = json!({"filterMetadata": {"a": {"b": value}}});
    let error = from_json::<Metadata>(&deep).unwrap_err();
    assert!(
        error.to_string().ends_with("nested deeper than 100 levels"),
        "{error}"
    );

    let mut any = prost_types::Any {
        type_url: Cluster::type_url(),
        value: Vec::new(),
    };
    for _ in 0..5_000 {
        let config = TypedExtensionConfig {
            name: String::new(),
            typed_config: Some(any),
        };
        any = crate::pb::pack(&config);
    }
    let text = to_json_string(&TypedExtensionConfig {
        name: String::new(),
        typed_config: Some(any),
    })
    .unwrap();
    assert!(
        text.contains("\"value\":"),
        "the innermost levels are printed as bytes"
    );
    // Such text cannot be read back, and says so.
    assert!(
        from_json_str::<TypedExtensionConfig>(&text)
            .unwrap_err()
            .is_unknown_field()
    );
}

/// The canonical writer knows no groups, and needs none.
#[test]
fn no_message_has_groups() {
    let groups = PB
        .pool()
        .unwrap()
        .all_messages()
        .flat_map(|m| m.fields().collect::<Vec<_>>())
        .filter(|f| f.is_group());
    assert_eq!(groups.count(), 0);
}

/// Draws messages of any type; small, valid, and with every kind of field.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn text(&mut self) -> String {
        ["", "a", "*.example.com", "\u{e9}\u{1f600}\"\\", "x\ny"][self.below(5) as usize].to_owned()
    }

    fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Duration" | "google.protobuf.Timestamp" => {
                message.set_field_by_name("seconds", Field::I64(self.below(1 << 32) as i64));
                message.set_field_by_name(
                    "nanos",
                    Field::I32([0, 1, 500_000_000, 20_000][self.below(4) as usize]),
                );
                return message;
            }
            ANY => {
                let mut types = descriptor
                    .parent_pool()
                    .all_messages()
                    .filter(|m| !m.is_map_entry());
                let known = types.nth(self.below(600) as usize).unwrap();
                let inner = self.message(&known, depth + 1);
                message.set_field_by_name("type_url", Field::String(format!("t/{}", known.full_name())));
                message.set_field_by_name("value", Field::Bytes(Bytes::from(inner.encode_to_vec())));
                return message;
            }
            "google.protobuf.Value" if depth > 4 => {
                message.set_field_by_name("number_value", Field::F64(0.5));
                return message;
            }
            _ => {}
        }
        let value = descriptor.full_name() == "google.protobuf.Value";
        let fields: Vec<FieldDescriptor> = descriptor.fields().collect();
        let forced = self.below(fields.len().max(1) as u64) as usize;
        for (index, field) in fields.iter().enumerate() {
            let wanted = if value {
                index == forced
            } else {
                self.below(4) == 0
            };
            if !wanted || (depth > 4 && matches!(field.kind(), Kind::Message(_))) {
                continue;
            }
            // A later member of a oneof replaces an earlier one.
            let drawn = self.field(field, depth);
            message.set_field(field, drawn);
        }
        message
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Field {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else {
                panic!("a map has entries")
            };
            let (key, value) = (
                entry.map_entry_key_field().kind(),
                entry.map_entry_value_field().kind(),
            );
            let entries: HashMap<MapKey, Field> = (0..self.below(5))
                .map(|_| {
                    (
                        self.single(&key, depth).into_map_key().unwrap(),
                        self.single(&value, depth),
                    )
                })
                .collect();
            Field::Map(entries)
        } else if field.is_list() {
            Field::List(
                (0..self.below(3))
                    .map(|_| self.single(&field.kind(), depth))
                    .collect(),
            )
        } else {
            self.single(&field.kind(), depth)
        }
    }

    fn single(&mut self, kind: &Kind, depth: usize) -> Field {
        let drawn = [0, 1, 7, u64::MAX, self.next()][self.below(5) as usize];
        match kind {
            Kind::Bool => Field::Bool(drawn & 1 == 1),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Field::I32(drawn as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Field::I64(drawn as i64),
            Kind::Uint32 | Kind::Fixed32 => Field::U32(drawn as u32),
            Kind::Uint64 | Kind::Fixed64 => Field::U64(drawn),
            Kind::Float => Field::F32([0.0, 0.1, -1.5e30, f32::INFINITY][self.below(4) as usize]),
            Kind::Double => Field::F64([0.0, 0.1, -1.5e300, 3.0][self.below(4) as usize]),
            Kind::String => Field::String(self.text()),
            Kind::Bytes => Field::Bytes(Bytes::from(self.text().into_bytes())),
            Kind::Enum(kind) => {
                let values: Vec<i32> = kind.values().map(|value| value.number()).collect();
                Field::EnumNumber(values[self.below(values.len() as u64) as usize])
            }
            Kind::Message(inner) => Field::Message(self.message(inner, depth + 1)),
        }
    }
}

/// Durations aside: we print as many digits as needed, prost-reflect three, six or nine.
fn same_json(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b)))
        }
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().map(|a| a as f32) == b.as_f64().map(|b| b as f32)
        }
        (Value::String(a), Value::String(b)) => {
            a == b
                || scalar::parse_duration(a)
                    .is_some_and(|duration| Some(duration) == scalar::parse_duration(b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn random_messages_survive_and_agree_with_the_other_printer() {
    let mut draw = Draw(7);
    let types: Vec<MessageDescriptor> = PB
        .pool()
        .unwrap()
        .all_messages()
        .filter(|m| !m.is_map_entry())
        .collect();
    let mut compared = 0;
    for round in 0..8 {
        for descriptor in &types {
            let message = draw.message(descriptor, 0);
            let name = descriptor.full_name();
            let json = print::message(&message, 0).unwrap();
            let theirs = serde_json::to_value(&message).unwrap();
            assert!(
                same_json(&json, &theirs),
                "{name}, round {round}:\n{json}\n{theirs}"
            );
            let bytes = canonical::encode(&message, 0);
            let read = parse::message(descriptor, &json, &mut parse::Unknown::Refused)
                .unwrap_or_else(|error| panic!("{name}, round {round}: {error}\n{json}"));
            assert_eq!(canonical::encode(&read, 0), bytes, "{name}, round {round}");
            let decoded = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).unwrap();
            assert_eq!(canonical::encode(&decoded, 0), bytes, "{name}, round {round}");
            compared += usize::from(!bytes.is_empty());
        }
    }
    assert!(compared > 2_000, "only {compared} messages had any field");
}

#[test]
fn random_messages_have_the_bytes_of_the_generated_code() {
    fn check<M: Name + Default>(draw: &mut Draw) {
        let descriptor = descriptor::<M>().unwrap();
        for _ in 0..200 {
            let bytes = canonical::encode(&draw.message(&descriptor, 0), 0);
            let typed = M::decode(bytes.as_slice()).unwrap();
            assert_eq!(typed.encode_to_vec(), bytes, "{}", M::full_name());
        }
    }
    let mut draw = Draw(11);
    check::<Bootstrap>(&mut draw);
    check::<Cluster>(&mut draw);
    check::<Listener>(&mut draw);
    check::<RouteConfiguration>(&mut draw);
    check::<HttpConnectionManager>(&mut draw);
    check::<Rbac>(&mut draw);
    check::<Metadata>(&mut draw);
}
