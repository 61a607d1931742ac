//! An object straight from JSON, its envelope and its model.

use std::cell::Cell;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::Value;

use super::access::{Envelope, MessageAccess};
use super::de::{Left, Reader, Step};
use super::lexer::Lexer;
use crate::codec::de::{Dialect, Models, Schema};
use crate::codec::envelope;
use crate::codec::lazy::Document;
use crate::codec::options::DecodeOptions;
use crate::codec::source::Source;
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::names::Text;
use crate::object::{AnyObject, AsRead, Model, ModelVisitor, Object, Place, with_model};

/// An object that was read without a tree; there is nothing to say about it.
pub(in crate::codec) struct TypedObject {
    pub(in crate::codec) object: AnyObject,
    /// The text, whose tree is made when somebody asks for a place.
    pub(in crate::codec) document: Document,
}

/// Reads the object at byte `start` of `text`, which is the source up to the end of the document, and says where it ends,
/// white space behind it included. The bytes of its values are taken from `budget`.
///
/// `None` leaves it to the tree: it is of a kind without a model, or there may be something to report.
pub(in crate::codec) fn read_object(
    source: &Arc<Source>,
    text: &str,
    start: usize,
    budget: &Cell<usize>,
    options: &DecodeOptions,
) -> Option<(TypedObject, usize)> {
    let mut reader = Reader::new(
        Lexer::new(text, start),
        dialect(options, Schema::Kubernetes),
        &options.limits,
        budget.get(),
    );
    let (api_version, kind) = read_type(&mut reader, options).ok()?;
    let rest = ReadRest {
        source,
        start,
        reader: &mut reader,
        options,
        api_version: Text::from(api_version),
    };
    let object = with_model(&kind, rest).ok()?.ok()?;
    budget.set(reader.budget);
    Some((object, reader.lexer.at))
}

fn dialect(options: &DecodeOptions, schema: Schema) -> Dialect {
    Dialect {
        profile: options.profile,
        schema,
        models: Models::Own,
    }
}

/// `apiVersion` and `kind`, which must come first. Then the reader stands at the next entry.
fn read_type<'t>(reader: &mut Reader<'t, '_>, options: &DecodeOptions) -> Step<(&'t str, Kind)> {
    let (mut api_version, mut kind) = (None, None);
    reader.open(b'{')?;
    while api_version.is_none() || kind.is_none() {
        let is_first = api_version.is_none() && kind.is_none();
        if !reader.advance(is_first, b'}')? {
            return Err(Left);
        }
        let word = match reader.key()? {
            "apiVersion" => &mut api_version,
            "kind" => &mut kind,
            _ => return Err(Left),
        };
        if word.replace(reader.name()?).is_some() {
            return Err(Left);
        }
    }
    let (api_version, kind) = (api_version.ok_or(Left)?, kind.ok_or(Left)?);
    let of = Kind::of(api_version, kind);
    // a list of objects, or a version to be spoken of
    if kind.ends_with("List") || envelope::unserved(api_version, &of, options.profile).is_some() {
        return Err(Left);
    }
    Ok((api_version, of))
}

/// Reads what stands behind `apiVersion` and `kind`.
struct ReadRest<'r, 't, 'o> {
    source: &'r Arc<Source>,
    start: usize,
    reader: &'r mut Reader<'t, 'o>,
    options: &'o DecodeOptions,
    api_version: Text,
}

impl ModelVisitor for ReadRest<'_, '_, '_> {
    type Output = Step<TypedObject>;

    fn visit<T: Model>(self) -> Self::Output {
        let Self {
            source,
            start,
            reader,
            options,
            api_version,
        } = self;
        let (meta, spec, status) = match T::PLACE {
            Place::Root => read_root::<T>(reader)?,
            Place::Spec => read_spec::<T>(reader, options)?,
        };
        let meta = meta.unwrap_or_default();
        if envelope::needs_name(&meta, &T::KIND, options.profile) {
            return Err(Left);
        }
        reader.lexer.skip_space();
        let end = reader.lexer.at;
        let limits = reader.limits;
        // no text in it is longer than all of it
        let too_long = end - start > limits.document_bytes.min(limits.scalar_bytes);
        if too_long || reader.nodes > limits.nodes {
            return Err(Left);
        }
        let document = Document::unread(source, start..end, reader.nodes, options.yaml);
        let object = Object {
            api_version,
            meta: envelope::in_namespace(meta, &T::KIND, options),
            spec: spec.unwrap_or_default(),
            status,
            as_read: match T::PLACE {
                Place::Root => AsRead::new(&document, 0),
                Place::Spec => AsRead::default(),
            },
        };
        let object = T::into_any(Arc::new(object));
        Ok(TypedObject { object, document })
    }
}

/// Metadata, model and status.
type Parts<T> = (Option<ObjectMeta>, Option<T>, Option<Value>);

/// An object whose model is its `spec`.
fn read_spec<T: Model>(reader: &mut Reader<'_, '_>, options: &DecodeOptions) -> Step<Parts<T>> {
    let (mut meta, mut spec, mut status) = (None, None, None);
    while reader.advance(false, b'}')? {
        let is_known = match reader.key()? {
            "metadata" => meta.replace(read_meta(reader)?).is_some(),
            "spec" => {
                reader.dialect = dialect(options, Schema::Istio);
                let value = T::deserialize(&mut *reader)?;
                reader.dialect = dialect(options, Schema::Kubernetes);
                spec.replace(value).is_some()
            }
            "status" => {
                // it is carried, and not counted as a value
                let budget = std::mem::replace(&mut reader.budget, usize::MAX);
                let value = Value::deserialize(&mut *reader)?;
                reader.budget = budget;
                status.replace(value).is_some()
            }
            _ => true,
        };
        if is_known {
            return Err(Left);
        }
    }
    Ok((meta, spec, status.filter(|status| !status.is_null())))
}

/// An object whose model is all of it.
fn read_root<T: Model>(reader: &mut Reader<'_, '_>) -> Step<Parts<T>> {
    let mut meta = None;
    let spec = T::deserialize(RootDe {
        reader,
        meta: &mut meta,
    })?;
    Ok((meta, Some(spec), None))
}

fn read_meta(reader: &mut Reader<'_, '_>) -> Step<ObjectMeta> {
    ObjectMeta::deserialize(&mut *reader)
}

/// The entries of an object behind its type, as a message.
struct RootDe<'r, 't, 'o> {
    reader: &'r mut Reader<'t, 'o>,
    meta: &'r mut Option<ObjectMeta>,
}

impl<'t> Envelope<'t> for Option<ObjectMeta> {
    fn take(&mut self, key: &str, reader: &mut Reader<'t, '_>) -> Step<bool> {
        match key {
            "apiVersion" | "kind" => Err(Left),
            "metadata" if self.is_some() => Err(Left),
            "metadata" => {
                *self = Some(read_meta(reader)?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

impl<'de> Deserializer<'de> for RootDe<'_, 'de, '_> {
    type Error = Left;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        let Self { reader, meta } = self;
        MessageAccess::new(reader, name, fields)
            .of_object(meta)
            .visit(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Step<V::Value> {
        Err(Left)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
