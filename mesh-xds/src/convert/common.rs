//! Small messages that many resources hold.

use std::time::Duration;

use mesh_api::object::ObjectKey;
use mesh_route::plan::{Denominator, Origin, Pattern, Share, TextMatcher, TextTest};
use prost::Name;
use prost_types::value::Kind as ValueKind;
use prost_types::{Any, ListValue, Struct, Value};

use crate::pb::envoy::config::core::v3::config_source::ConfigSourceSpecifier;
use crate::pb::envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, ConfigSource, Metadata, RuntimeFractionalPercent,
    TypedExtensionConfig,
};
use crate::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use crate::pb::envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher};
use crate::pb::envoy::r#type::v3::FractionalPercent;
use crate::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use crate::pb::pack;
use crate::pb::udpa::r#type::v1::TypedStruct;

/// The key of Istio's metadata.
pub(super) const ISTIO: &str = "istio";

/// Longest duration that the message can hold, about 10,000 years.
const LONGEST: Duration = Duration::from_secs(315_576_000_000);

pub(super) fn duration(time: Duration) -> prost_types::Duration {
    let time = time.min(LONGEST);
    prost_types::Duration {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.subsec_nanos()).unwrap_or(0),
    }
}

/// A present duration of zero, which Envoy often reads as "off".
pub(super) fn zero() -> Option<prost_types::Duration> {
    Some(prost_types::Duration::default())
}

pub(super) fn fraction(share: Share) -> FractionalPercent {
    let Share {
        numerator,
        denominator,
    } = share;
    let denominator = match denominator {
        Denominator::Hundred => DenominatorType::Hundred,
        Denominator::Million => DenominatorType::Million,
    };
    FractionalPercent {
        numerator,
        denominator: denominator.into(),
    }
}

pub(super) fn runtime_fraction(share: Share) -> RuntimeFractionalPercent {
    RuntimeFractionalPercent {
        default_value: Some(fraction(share)),
        ..Default::default()
    }
}

pub(super) fn regex(pattern: &Pattern) -> RegexMatcher {
    RegexMatcher {
        regex: pattern.as_str().to_owned(),
        ..Default::default()
    }
}

pub(super) fn string_matcher(matcher: &TextMatcher) -> StringMatcher {
    let TextMatcher { test, ignore_case } = matcher;
    let pattern = match test {
        TextTest::Exact(text) => MatchPattern::Exact(text.to_string()),
        TextTest::Prefix(text) => MatchPattern::Prefix(text.to_string()),
        TextTest::Suffix(text) => MatchPattern::Suffix(text.to_string()),
        TextTest::Contains(text) => MatchPattern::Contains(text.to_string()),
        TextTest::Regex(pattern) => MatchPattern::SafeRegex(regex(pattern)),
    };
    StringMatcher {
        ignore_case: *ignore_case,
        match_pattern: Some(pattern),
    }
}

/// A test of equality.
pub(super) fn exact(text: &str) -> StringMatcher {
    StringMatcher {
        match_pattern: Some(MatchPattern::Exact(text.to_owned())),
        ..Default::default()
    }
}

/// Discovery over the stream that everything else comes by, waited for without a limit.
pub(super) fn ads() -> ConfigSource {
    ConfigSource {
        initial_fetch_timeout: zero(),
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..Default::default()
    }
}

pub(super) fn extension<M: Name>(name: &str, message: &M) -> TypedExtensionConfig {
    TypedExtensionConfig {
        name: name.to_owned(),
        typed_config: Some(pack(message)),
    }
}

/// A message whose type is not among the generated ones, by its fields.
pub(super) fn typed_struct(type_name: &str, value: Struct) -> Any {
    pack(&TypedStruct {
        type_url: format!("type.googleapis.com/{type_name}"),
        value: Some(value),
    })
}

pub(super) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Struct {
    let fields = fields.into_iter();
    Struct {
        fields: fields.map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

pub(super) fn text_value(text: impl Into<String>) -> Value {
    value(ValueKind::StringValue(text.into()))
}

pub(super) fn bool_value(flag: bool) -> Value {
    value(ValueKind::BoolValue(flag))
}

pub(super) fn object_value(object: Struct) -> Value {
    value(ValueKind::StructValue(object))
}

pub(super) fn list_value(values: impl IntoIterator<Item = Value>) -> Value {
    value(ValueKind::ListValue(ListValue {
        values: values.into_iter().collect(),
    }))
}

fn value(kind: ValueKind) -> Value {
    Value { kind: Some(kind) }
}

/// Metadata under one key; none for an empty object.
pub(super) fn metadata(key: &str, fields: Struct) -> Option<Metadata> {
    (!fields.fields.is_empty()).then(|| Metadata {
        filter_metadata: [(key.to_owned(), fields)].into(),
        ..Default::default()
    })
}

/// Where the configuration comes from, for objects of Istio's (X-NAME-16).
pub(super) fn config_path(key: &ObjectKey) -> Option<String> {
    let ObjectKey {
        kind,
        namespace,
        name,
    } = key;
    if !kind.group().ends_with(".istio.io") {
        return None;
    }
    let version = kind.versions().first()?;
    let mut kebab = String::new();
    for letter in kind.name().chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    Some(format!(
        "/apis/{}/{version}/namespaces/{namespace}/{kebab}/{name}",
        kind.group()
    ))
}

/// The name of the VirtualService that a node comes from.
pub(super) fn virtual_service(origin: &Origin) -> Option<&ObjectKey> {
    let key = origin.object.as_deref()?;
    (key.kind.name() == "VirtualService").then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    // X-NAME-16
    #[test]
    fn provenance_names_group_version_and_kind() {
        let key = |text: &str| {
            let kind = mesh_api::Kind::resolve(text).unwrap();
            config_path(&ObjectKey::new(kind, "shop", "reviews"))
        };
        assert_eq!(
            key("DestinationRule").as_deref(),
            Some("/apis/networking.istio.io/v1/namespaces/shop/destination-rule/reviews")
        );
        assert_eq!(key("Service"), None);
    }

    #[test]
    fn durations_stay_in_the_bounds_of_the_message() {
        assert_eq!(duration(Duration::MAX).seconds, 315_576_000_000);
        assert_eq!(duration(Duration::from_millis(1_500)).nanos, 500_000_000);
    }
}
