//! `.proto` files to one descriptor set.

use std::path::PathBuf;

use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

use crate::Failure;
use crate::roots::Roots;

/// The root files and all they import, without comments and positions.
pub(crate) fn compile(includes: &[PathBuf], roots: &Roots) -> Result<FileDescriptorSet, Failure> {
    let mut compiler = Compiler::with_file_resolver(Resolver {
        includes: includes.to_vec(),
    });
    compiler.include_imports(true).include_source_info(false);
    for file in roots.keys() {
        compiler
            .open_file(file)
            .map_err(|error| format!("{file}: {error:?}"))?;
    }
    Ok(compiler.file_descriptor_set())
}

/// Finds files in the include folders, `google/protobuf/*` in protox itself.
struct Resolver {
    includes: Vec<PathBuf>,
}

impl FileResolver for Resolver {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name.starts_with("google/protobuf/") {
            return GoogleFileResolver::new().open_file(name);
        }
        let Some(path) = self
            .includes
            .iter()
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
        else {
            return Err(protox::Error::file_not_found(name));
        };
        let file = File::open(name, &path)?;
        if !name.starts_with("envoy/extensions/") {
            return Ok(file);
        }
        let mut descriptor = file.file_descriptor_proto().clone();
        self.qualify_file(&mut descriptor);
        Ok(File::from_file_descriptor_proto(descriptor))
    }
}

/// protox looks a relative name like `common.fault.v3.FaultDelay` up in every package it has loaded, and fails where
/// another package has a `common` of its own; protoc takes the innermost package in which the whole name exists. So
/// those names are written out before protox sees them.
impl Resolver {
    fn qualify_file(&self, file: &mut FileDescriptorProto) {
        let folder = file
            .name()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        for message in &mut file.message_type {
            self.qualify_message(&folder, message);
        }
    }

    fn qualify_message(&self, folder: &str, message: &mut DescriptorProto) {
        for field in &mut message.field {
            if let Some(full) = field
                .type_name
                .as_deref()
                .and_then(|name| self.full_name(folder, name))
            {
                field.type_name = Some(full);
            }
        }
        for nested in &mut message.nested_type {
            self.qualify_message(folder, nested);
        }
    }

    /// The full form of a name with a relative package, as `common.fault.v3`: the first folder, walking outwards from the file's own,
    /// below which the package of the name is a folder.
    fn full_name(&self, folder: &str, name: &str) -> Option<String> {
        let package: Vec<&str> = name
            .split('.')
            .take_while(|part| part.starts_with(|c: char| c.is_ascii_lowercase()))
            .collect();
        if package.is_empty() {
            return None;
        }
        let mut outer = folder;
        while let Some((parent, _)) = outer.rsplit_once('/') {
            outer = parent;
            let candidate = format!("{outer}/{}", package.join("/"));
            if self
                .includes
                .iter()
                .any(|include| include.join(&candidate).is_dir())
            {
                return Some(format!(".{}.{name}", outer.replace('/', ".")));
            }
        }
        None
    }
}
