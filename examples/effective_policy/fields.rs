//! The fields of a configuration, one by one.

use mesh_api::ObjectSet;
use mesh_api::effective::{EffectiveMesh, EffectiveProxyConfig, ProxyConfigLayer};
use mesh_api::report::FieldPath;
use serde_json::{Map, Value};

/// A field that is set.
pub(crate) struct Field {
    pub(crate) path: FieldPath,
    pub(crate) value: Value,
    pub(crate) layer: ProxyConfigLayer,
    /// `file:line`; empty for what no file says.
    pub(crate) place: String,
}

/// All fields that are set, in the order of their names; lists are one field.
pub(crate) fn fields(
    effective: &EffectiveProxyConfig,
    mesh: &EffectiveMesh,
    objects: &ObjectSet,
) -> Vec<Field> {
    let config = serde_json::to_value(effective.config()).unwrap_or_default();
    let mut leaves = Vec::new();
    collect(FieldPath::root(), config, &mut leaves);
    leaves
        .into_iter()
        .filter_map(|(path, value)| {
            let layer = effective.layer(&path)?.clone();
            let place = effective
                .location(&path, mesh, objects)
                .map(|place| format!("{}:{}", place.file, place.line))
                .unwrap_or_default();
            Some(Field {
                path,
                value,
                layer,
                place,
            })
        })
        .collect()
}

fn collect(path: FieldPath, value: Value, leaves: &mut Vec<(FieldPath, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                collect(path.with_key(name), value, leaves);
            }
        }
        value => leaves.push((path, value)),
    }
}

impl Field {
    /// The value on one line: a text without quotes, everything else as JSON.
    pub(crate) fn value_text(&self) -> String {
        match &self.value {
            Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => text.clone(),
            value => value.to_string(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("path".to_owned(), self.path.to_string().into());
        out.insert("value".to_owned(), self.value.clone());
        out.insert("layer".to_owned(), self.layer.as_str().into());
        let object = self.layer.object().map(ToString::to_string);
        out.insert("object".to_owned(), object.map_or(Value::Null, Value::from));
        let place = Some(self.place.as_str()).filter(|place| !place.is_empty());
        out.insert("place".to_owned(), place.map_or(Value::Null, Value::from));
        Value::Object(out)
    }
}
