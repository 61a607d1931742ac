//! Objects as serde sees them: the envelope around the model.

use std::collections::BTreeMap;

use serde::ser::{
    self, Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};
use serde_json::Value;

use super::{EncodeError, to_json, to_yaml};
use crate::codec::{Node, NodeKind};
use crate::object::{AnyObject, Model, Object, OpaqueObject, Place};
use crate::object_set::ObjectSet;

macro_rules! writers {
    ($yaml:literal $json:literal) => {
        #[doc = $yaml]
        ///
        /// # Errors
        /// None; [`to_yaml`] has them for types of any kind.
        pub fn to_yaml(&self) -> Result<String, EncodeError> {
            to_yaml(self)
        }

        #[doc = $json]
        ///
        /// # Errors
        /// None; [`to_json`] has them for types of any kind.
        pub fn to_json(&self) -> Result<String, EncodeError> {
            to_json(self)
        }
    };
}

impl<T: Model> Object<T> {
    writers! {
        "The object as a YAML document, without a `---` line."
        "The object as JSON on one line."
    }
}

impl AnyObject {
    writers! {
        "The object as a YAML document, without a `---` line.

```
let text = b\"{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {hosts: ['on', b]}}\";
let decoded = mesh_api::decode(\"a.yaml\", text);
let (_, object) = decoded.objects().iter().next().ok_or(\"no object\")?;
assert_eq!(object.to_yaml()?, r#\"apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: a
  namespace: default
spec:
  hosts:
  - \"on\"
  - b
\"#);
# Ok::<(), Box<dyn std::error::Error>>(())
```"
        "The object as JSON on one line."
    }
}

impl ObjectSet {
    /// All objects as one stream of YAML documents, by kind, namespace and name.
    ///
    /// # Errors
    /// None; [`to_yaml`] has them for types of any kind.
    pub fn to_yaml(&self) -> Result<String, EncodeError> {
        let mut text = String::new();
        for (_, object) in self.iter() {
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&object.to_yaml()?);
        }
        Ok(text)
    }

    /// All objects as JSON: a `List` of them, by kind, namespace and name.
    ///
    /// # Errors
    /// None; [`to_json`] has them for types of any kind.
    pub fn to_json(&self) -> Result<String, EncodeError> {
        to_json(self)
    }
}

/// A `v1` `List` of all objects.
impl Serialize for ObjectSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_struct("List", 3)?;
        list.serialize_field("apiVersion", "v1")?;
        list.serialize_field("kind", "List")?;
        let items: Vec<&AnyObject> = self.iter().map(|(_, object)| object).collect();
        list.serialize_field("items", &items)?;
        list.end()
    }
}

/// The envelope with the model in its place; an empty status is left out (A-MET-6).
impl<T: Model> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            api_version,
            meta,
            spec,
            status,
        } = self;
        let mut object = serializer.serialize_struct("Object", 5)?;
        object.serialize_field("apiVersion", api_version)?;
        object.serialize_field("kind", T::KIND.name())?;
        object.serialize_field("metadata", meta)?;
        match T::PLACE {
            Place::Spec => object.serialize_field("spec", spec)?,
            Place::Root => spec.serialize(Fields(&mut object))?,
        }
        if let Some(status) = status.as_ref().filter(|status| !is_empty(status)) {
            object.serialize_field("status", status)?;
        }
        object.end()
    }
}

fn is_empty(status: &Value) -> bool {
    status.is_null() || status.as_object().is_some_and(serde_json::Map::is_empty)
}

/// As read, keys sorted, with the metadata as they are now.
impl Serialize for OpaqueObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = serde_json::to_value(&self.meta).map_err(S::Error::custom)?;
        let mut metadata: BTreeMap<String, Value> = match written {
            Value::Object(fields) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        // what the type of the metadata does not know stays as read
        for (key, value) in self.root().get("metadata").iter().flat_map(Node::entries) {
            if !crate::meta::FIELDS.contains(&key.text()) {
                metadata.insert(key.text().to_owned(), value.to_json());
            }
        }
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("apiVersion", &self.api_version)?;
        object.serialize_entry("kind", self.kind.name())?;
        object.serialize_entry("metadata", &metadata)?;
        for (key, value) in self.root().entries() {
            if !matches!(key.text(), "apiVersion" | "kind" | "metadata") {
                object.serialize_entry(key.text(), &value)?;
            }
        }
        object.end()
    }
}

/// The value of a node; aliases are written out.
impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind() {
            NodeKind::Null => serializer.serialize_unit(),
            NodeKind::Bool => serializer.serialize_bool(self.as_bool().unwrap_or_default()),
            NodeKind::String => serializer.serialize_str(self.text()),
            NodeKind::Int | NodeKind::Float => self.to_json().serialize(serializer),
            NodeKind::List => {
                let mut list = serializer.serialize_seq(Some(self.len()))?;
                for item in self.items() {
                    list.serialize_element(&item)?;
                }
                list.end()
            }
            NodeKind::Map => {
                let mut map = serializer.serialize_map(Some(self.len()))?;
                for (key, value) in self.entries() {
                    map.serialize_entry(key.text(), &value)?;
                }
                map.end()
            }
        }
    }
}

/// Writes the fields of a message among those of another.
struct Fields<'a, S>(&'a mut S);

macro_rules! no_messages {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, S::Error> {
            Err(S::Error::custom("a model is a message"))
        })*
    };
}

impl<S: SerializeStruct> Serializer for Fields<'_, S> {
    type Ok = ();
    type Error = S::Error;
    type SerializeSeq = Impossible<(), S::Error>;
    type SerializeTuple = Impossible<(), S::Error>;
    type SerializeTupleStruct = Impossible<(), S::Error>;
    type SerializeTupleVariant = Impossible<(), S::Error>;
    type SerializeMap = Impossible<(), S::Error>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), S::Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, S::Error> {
        Ok(self)
    }

    // INVARIANT: models are structs, so none of these is called
    no_messages! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), S::Error> {
        Err(S::Error::custom("a model is a message"))
    }
}

impl<S: SerializeStruct> ser::SerializeStruct for Fields<'_, S> {
    type Ok = ();
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        self.0.serialize_field(key, value)
    }

    fn end(self) -> Result<(), S::Error> {
        Ok(())
    }
}
