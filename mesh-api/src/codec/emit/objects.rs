//! Objects as serde sees them: the envelope around the model.

use std::collections::BTreeMap;

use serde::ser::{
    self, Error, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};
use serde_json::Value;

use super::{EncodeError, to_json, to_yaml};
use crate::codec::envelope::reread;
use crate::codec::{Node, NodeKind};
use crate::meta::ObjectMeta;
use crate::object::{AnyObject, Model, Object, OpaqueObject, Place};
use crate::object_set::ObjectSet;

macro_rules! writers {
    ($yaml:literal $json:literal) => {
        #[doc = $yaml]
        ///
        /// # Errors
        /// Only of Kubernetes' own kinds: the object was read, its model does not have all of its fields, and its `spec` was
        /// changed; see [`AsRead`](crate::object::AsRead).
        pub fn to_yaml(&self) -> Result<String, EncodeError> {
            to_yaml(self)
        }

        #[doc = $json]
        ///
        /// # Errors
        /// As of [`to_yaml`](Self::to_yaml).
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
    /// Those of the objects, see [`AnyObject::to_yaml`].
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
    /// Those of the objects, see [`AnyObject::to_json`].
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

/// The envelope with the model in its place; an empty status is left out (A-MET-6). An object with more fields than its model
/// has as read, keys sorted, see [`AsRead`](crate::object::AsRead).
impl<T: Model> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            api_version,
            meta,
            spec,
            status,
            as_read,
        } = self;
        if let Some(root) = as_read.root() {
            let read = reread::<T>(root);
            if !read.as_ref().is_some_and(|read| is_whole(read, root)) {
                if read.as_ref() != Some(spec) {
                    let message = "the object was changed after it was read, and its model does not have all of its fields";
                    return Err(S::Error::custom(message));
                }
                return write_as_read(api_version, T::KIND.name(), meta, root, serializer);
            }
        }
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

/// Whether a model of one of Kubernetes' kinds, and its metadata, hold all that was read.
fn is_whole<T: Model>(read: &T, root: Node<'_>) -> bool {
    let known = |key: &str| crate::meta::FIELDS.contains(&key);
    let metadata = root.get("metadata");
    let mut metadata = metadata.iter().flat_map(Node::entries);
    let written = serde_json::to_value(read).unwrap_or_default(); // writing models has no errors
    metadata.all(|(key, _)| known(key.text()))
        && root.entries().all(|(key, value)| match key.text() {
            "apiVersion" | "kind" | "metadata" => true,
            key => written.get(key).is_some_and(|field| holds(field, value)),
        })
}

/// Whether what is written has all that was read. A field that is left out for its zero counts as lost: whether the model has
/// it cannot be seen, and a zero that is given may mean another thing than none.
fn holds(written: &Value, read: Node<'_>) -> bool {
    match (read.kind(), written) {
        (NodeKind::Map, Value::Object(fields)) => read
            .entries()
            .all(|(key, value)| fields.get(key.text()).is_some_and(|field| holds(field, value))),
        (NodeKind::List, Value::Array(items)) => {
            read.len() == items.len() && read.items().zip(items).all(|(value, item)| holds(item, value))
        }
        (NodeKind::Map | NodeKind::List, _) => false,
        _ => true,
    }
}

/// As read, keys sorted, with the metadata as they are now.
impl Serialize for OpaqueObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_as_read(
            &self.api_version,
            self.kind.name(),
            &self.meta,
            self.root(),
            serializer,
        )
    }
}

fn write_as_read<S: Serializer>(
    api_version: &str,
    kind: &str,
    meta: &ObjectMeta,
    root: Node<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let written = serde_json::to_value(meta).map_err(S::Error::custom)?;
    let mut metadata: BTreeMap<String, Value> = match written {
        Value::Object(fields) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    // what the type of the metadata does not know stays as read
    for (key, value) in root.get("metadata").iter().flat_map(Node::entries) {
        if !crate::meta::FIELDS.contains(&key.text()) {
            metadata.insert(key.text().to_owned(), value.to_json());
        }
    }
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("apiVersion", api_version)?;
    object.serialize_entry("kind", kind)?;
    object.serialize_entry("metadata", &metadata)?;
    for (key, value) in root.entries() {
        if !matches!(key.text(), "apiVersion" | "kind" | "metadata") {
            object.serialize_entry(key.text(), &value)?;
        }
    }
    object.end()
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
