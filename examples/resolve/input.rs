//! What the user gave to read.

use std::io::Read;

use mesh_api::codec::Decoded;

/// The mesh that is asked when no file is given.
pub(crate) const BUNDLED: &str = include_str!("mesh.yaml");

/// Reads and decodes all files; `-` is standard input. The error is one line for the user.
pub(crate) fn read(files: &[String], stdin: &mut dyn Read) -> Result<Decoded, String> {
    if files.is_empty() {
        return Ok(mesh_api::decode("mesh.yaml", BUNDLED.as_bytes()));
    }
    let mut all = Decoded::default();
    for (name, bytes) in examples::files::read(files, stdin)? {
        all.extend(mesh_api::decode(&name, &bytes));
    }
    Ok(all)
}
