//! Values back to text: YAML in block style and JSON (A-WIRE-15).

mod layout;
mod objects;
mod serializer;
mod text;

use std::fmt::{self, Display};

use serde::Serialize;

use layout::{Format, Layout};
use serializer::Emitter;

/// Writes a value as YAML: block style, fields in the order of declaration, maps sorted by key.
///
/// Text that any reader of YAML, 1.1 or 1.2, could take for something else stands in quotes; text of several lines becomes a
/// `|` block where that is safe. Lists stand in the column of their key, as `kubectl` writes them. What an object leaves
/// out on write, its type says; objects have [`Object::to_yaml`](crate::Object::to_yaml).
///
/// ```
/// use mesh_api::mesh::MeshConfig;
///
/// let mesh = MeshConfig { trust_domain: "on".into(), access_log_file: "/dev/stdout".into(), ..MeshConfig::default() };
/// let yaml = mesh_api::to_yaml(&mesh)?;
/// assert!(yaml.contains("trustDomain: \"on\"\n") && yaml.contains("accessLogFile: /dev/stdout\n"));
/// assert_eq!(mesh_api::decode_value::<MeshConfig>("mesh.yaml", yaml.as_bytes()).0, mesh);
/// # Ok::<(), mesh_api::codec::EncodeError>(())
/// ```
///
/// # Errors
/// A number that is not finite, a map whose keys are no scalars, or whatever a foreign `Serialize` refuses. The types of this
/// crate have none of these.
pub fn to_yaml<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    let mut text = emit(value, Format::Yaml)?;
    text.push('\n');
    Ok(text)
}

/// Writes a value as canonical JSON on one line: fields in the order of declaration, maps sorted by key.
///
/// ```
/// use mesh_api::networking::StringMatch;
///
/// assert_eq!(mesh_api::to_json(&StringMatch::prefix("/reviews"))?, r#"{"prefix":"/reviews"}"#);
/// # Ok::<(), mesh_api::codec::EncodeError>(())
/// ```
///
/// # Errors
/// As of [`to_yaml`].
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    emit(value, Format::Json)
}

fn emit<T: Serialize + ?Sized>(value: &T, format: Format) -> Result<String, EncodeError> {
    let mut layout = Layout::new(format);
    value.serialize(Emitter::new(&mut layout))?;
    Ok(layout.finish())
}

/// Why a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError(String);

impl EncodeError {
    fn new(message: &str) -> Self {
        Self(message.to_owned())
    }
}

impl Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EncodeError {}

impl serde::ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}
