//! The serde side of the emitters.

use serde::ser::{self, Impossible, Serialize};

use super::EncodeError;
use super::layout::{Form, Layout};

type Done = Result<(), EncodeError>;

/// Writes one value.
pub(super) struct Emitter<'a> {
    layout: &'a mut Layout,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(layout: &'a mut Layout) -> Self {
        Self { layout }
    }

    fn begin(self, form: Form) -> Open<'a> {
        self.layout.begin(form);
        Open {
            layout: self.layout,
            wrapped: false,
        }
    }

    /// A map whose only entry is a list or map: a variant of an enum.
    fn wrap(self, variant: &'static str, form: Form) -> Open<'a> {
        self.layout.begin(Form::Struct);
        self.layout.key(variant);
        Open {
            wrapped: true,
            ..self.begin(form)
        }
    }

    fn float(self, finite: bool, number: &str) -> Done {
        if !finite {
            return Err(EncodeError::new("the number is not finite"));
        }
        self.layout.float(number);
        Ok(())
    }
}

/// A list or map whose entries are written.
pub(super) struct Open<'a> {
    layout: &'a mut Layout,
    /// Whether a map of one entry stands around it.
    wrapped: bool,
}

impl Open<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.layout.item();
        value.serialize(Emitter::new(self.layout))
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Done {
        self.layout.key(key);
        value.serialize(Emitter::new(self.layout))
    }

    fn close(self) -> Done {
        self.layout.end();
        if self.wrapped {
            self.layout.end();
        }
        Ok(())
    }
}

macro_rules! words {
    ($($method:ident $type:ty;)*) => {
        $(fn $method(self, value: $type) -> Done {
            self.layout.word(&value.to_string());
            Ok(())
        })*
    };
}

impl<'a> ser::Serializer for Emitter<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Open<'a>;
    type SerializeTupleVariant = Open<'a>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Open<'a>;

    words! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.float(value.is_finite(), &format!("{value:?}"))
    }

    fn serialize_f64(self, value: f64) -> Done {
        self.float(value.is_finite(), &format!("{value:?}"))
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.layout.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.layout.word("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut map = self.begin(Form::Struct);
        map.field(variant, value)?;
        map.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a>, EncodeError> {
        Ok(self.begin(Form::List))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a>, EncodeError> {
        Ok(self.begin(Form::List))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, EncodeError> {
        Ok(self.begin(Form::List))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'a>, EncodeError> {
        Ok(self.wrap(variant, Form::List))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a>, EncodeError> {
        Ok(self.begin(Form::Map))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, EncodeError> {
        Ok(self.begin(Form::Struct))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'a>, EncodeError> {
        Ok(self.wrap(variant, Form::Struct))
    }
}

/// The traits of lists, which are all alike.
macro_rules! lists {
    ($($trait:ident $method:ident;)*) => {
        $(impl ser::$trait for Open<'_> {
            type Ok = ();
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.item(value)
            }

            fn end(self) -> Done {
                self.close()
            }
        })*
    };
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

/// The traits of messages, which are both alike.
macro_rules! structs {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Open<'_> {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
                self.field(key, value)
            }

            fn end(self) -> Done {
                self.close()
            }
        })*
    };
}

structs!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let key = key.serialize(Key)?;
        self.layout.key(&key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(Emitter::new(self.layout))
    }

    fn end(self) -> Done {
        self.close()
    }
}

/// Makes text of the key of a map.
struct Key;

macro_rules! key_words {
    ($($method:ident $type:ty;)*) => {
        $(fn $method(self, value: $type) -> Result<String, EncodeError> {
            Ok(value.to_string())
        })*
    };
}

macro_rules! no_keys {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, EncodeError> {
            Err(EncodeError::new(NO_KEY))
        })*
    };
}

const NO_KEY: &str = "the key of a map is no scalar";

impl ser::Serializer for Key {
    type Ok = String;
    type Error = EncodeError;
    type SerializeSeq = Impossible<String, EncodeError>;
    type SerializeTuple = Impossible<String, EncodeError>;
    type SerializeTupleStruct = Impossible<String, EncodeError>;
    type SerializeTupleVariant = Impossible<String, EncodeError>;
    type SerializeMap = Impossible<String, EncodeError>;
    type SerializeStruct = Impossible<String, EncodeError>;
    type SerializeStructVariant = Impossible<String, EncodeError>;

    key_words! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_char char;
        serialize_str &str;
    }

    no_keys! {
        serialize_f32(f32) -> String;
        serialize_f64(f64) -> String;
        serialize_bytes(&[u8]) -> String;
        serialize_none() -> String;
        serialize_unit() -> String;
        serialize_unit_struct(&'static str) -> String;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<String, EncodeError> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, EncodeError> {
        Err(EncodeError::new(NO_KEY))
    }
}
