//! Cuts a descriptor set to what the roots need.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, FileDescriptorSet, MessageOptions,
};

use crate::Failure;
use crate::roots::Roots;

/// Keeps the messages and enums that the roots reach, each whole; a parent of a kept nested type that is itself not
/// reached stays as an empty shell. Services, extensions and options that mean nothing to the generator and to JSON are
/// dropped, and every file imports exactly the files it still needs, which come before it.
pub(crate) fn prune(set: FileDescriptorSet, roots: &Roots) -> Result<FileDescriptorSet, Failure> {
    let index = Index::new(&set);
    let kept = index.reachable(&set, roots)?;
    let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
    for file in set.file {
        let pruned = prune_file(file, &kept, &index.home);
        if !pruned.message_type.is_empty() || !pruned.enum_type.is_empty() {
            files.insert(pruned.name().to_owned(), pruned);
        }
    }
    Ok(FileDescriptorSet {
        file: topological(files)?,
    })
}

/// What the whole set says: for each type its file, and for each message the types that its fields name.
struct Index {
    home: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<String>>,
}

impl Index {
    fn new(set: &FileDescriptorSet) -> Index {
        let mut index = Index {
            home: BTreeMap::new(),
            uses: BTreeMap::new(),
        };
        for file in &set.file {
            let scope = scope(file.package());
            for message in &file.message_type {
                index.add_message(&scope, file.name(), message);
            }
            for enumeration in &file.enum_type {
                index
                    .home
                    .insert(format!("{scope}.{}", enumeration.name()), file.name().to_owned());
            }
        }
        index
    }

    fn add_message(&mut self, scope: &str, file: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        let uses = message
            .field
            .iter()
            .filter_map(|field| field.type_name.clone())
            .collect();
        for nested in &message.nested_type {
            self.add_message(&name, file, nested);
        }
        for enumeration in &message.enum_type {
            self.home
                .insert(format!("{name}.{}", enumeration.name()), file.to_owned());
        }
        self.uses.insert(name.clone(), uses);
        self.home.insert(name, file.to_owned());
    }

    fn reachable(&self, set: &FileDescriptorSet, roots: &Roots) -> Result<BTreeSet<String>, Failure> {
        let mut open = Vec::new();
        for (file_name, messages) in roots {
            let file = set
                .file
                .iter()
                .find(|file| file.name() == file_name)
                .ok_or_else(|| format!("{file_name} was not compiled"))?;
            let scope = scope(file.package());
            if messages.is_empty() {
                let names = self
                    .home
                    .iter()
                    .filter(|(_, home)| *home == file_name)
                    .map(|(name, _)| name.clone());
                open.extend(names);
            }
            for message in messages {
                let name = format!("{scope}.{message}");
                if !self.home.contains_key(&name) {
                    return Err(format!("{file_name} has no message {message}").into());
                }
                open.push(name);
            }
        }
        let mut kept = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !kept.contains(&name) {
                open.extend(self.uses.get(&name).into_iter().flatten().cloned());
                kept.insert(name);
            }
        }
        Ok(kept)
    }
}

fn scope(package: &str) -> String {
    if package.is_empty() {
        String::new()
    } else {
        format!(".{package}")
    }
}

fn prune_file(
    file: FileDescriptorProto,
    kept: &BTreeSet<String>,
    home: &BTreeMap<String, String>,
) -> FileDescriptorProto {
    let scope = scope(file.package());
    let message_type: Vec<DescriptorProto> = file
        .message_type
        .into_iter()
        .filter_map(|message| prune_message(&scope, message, kept))
        .collect();
    let mut needed = BTreeSet::new();
    message_type
        .iter()
        .for_each(|message| add_needed(message, home, &mut needed));
    if let Some(own) = &file.name {
        needed.remove(own);
    }
    FileDescriptorProto {
        name: file.name,
        package: file.package,
        dependency: needed.into_iter().collect(),
        message_type,
        enum_type: prune_enums(&scope, file.enum_type, kept),
        syntax: file.syntax,
        ..FileDescriptorProto::default()
    }
}

fn prune_message(scope: &str, message: DescriptorProto, kept: &BTreeSet<String>) -> Option<DescriptorProto> {
    let name = format!("{scope}.{}", message.name());
    let whole = kept.contains(&name);
    let nested_type: Vec<DescriptorProto> = message
        .nested_type
        .into_iter()
        .filter_map(|nested| prune_message(&name, nested, kept))
        .collect();
    let enum_type = prune_enums(&name, message.enum_type, kept);
    if !whole && nested_type.is_empty() && enum_type.is_empty() {
        return None;
    }
    let shell = DescriptorProto {
        name: message.name,
        nested_type,
        enum_type,
        ..DescriptorProto::default()
    };
    if !whole {
        return Some(shell);
    }
    let map_entry = message.options.as_ref().and_then(|options| options.map_entry);
    Some(DescriptorProto {
        field: message.field.into_iter().map(strip_field).collect(),
        oneof_decl: message
            .oneof_decl
            .into_iter()
            .map(|oneof| prost_types::OneofDescriptorProto {
                options: None,
                ..oneof
            })
            .collect(),
        options: map_entry.map(|_| MessageOptions {
            map_entry,
            ..MessageOptions::default()
        }),
        reserved_range: Vec::new(),
        reserved_name: Vec::new(),
        ..shell
    })
}

fn prune_enums(
    scope: &str,
    enums: Vec<EnumDescriptorProto>,
    kept: &BTreeSet<String>,
) -> Vec<EnumDescriptorProto> {
    let mut list: Vec<EnumDescriptorProto> = enums
        .into_iter()
        .filter(|item| kept.contains(&format!("{scope}.{}", item.name())))
        .collect();
    for item in &mut list {
        let allow_alias = item.options.as_ref().and_then(|options| options.allow_alias);
        item.options = allow_alias.map(|_| EnumOptions {
            allow_alias,
            ..EnumOptions::default()
        });
        item.reserved_range.clear();
        item.reserved_name.clear();
        item.value.iter_mut().for_each(|value| value.options = None);
    }
    list
}

fn strip_field(field: FieldDescriptorProto) -> FieldDescriptorProto {
    let (packed, deprecated) = field
        .options
        .as_ref()
        .map_or((None, None), |options| (options.packed, options.deprecated));
    let options = (packed.is_some() || deprecated.is_some()).then(|| FieldOptions {
        packed,
        deprecated,
        ..FieldOptions::default()
    });
    FieldDescriptorProto { options, ..field }
}

fn add_needed(message: &DescriptorProto, home: &BTreeMap<String, String>, needed: &mut BTreeSet<String>) {
    let types = message
        .field
        .iter()
        .filter_map(|field| field.type_name.as_deref());
    needed.extend(types.filter_map(|name| home.get(name)).cloned());
    message
        .nested_type
        .iter()
        .for_each(|nested| add_needed(nested, home, needed));
}

/// Every file after the files it imports, otherwise by name.
fn topological(
    mut files: BTreeMap<String, FileDescriptorProto>,
) -> Result<Vec<FileDescriptorProto>, Failure> {
    let mut sorted: Vec<FileDescriptorProto> = Vec::with_capacity(files.len());
    let mut done: BTreeSet<String> = BTreeSet::new();
    while !files.is_empty() {
        let ready: Vec<String> = files
            .iter()
            .filter(|(_, file)| file.dependency.iter().all(|name| done.contains(name)))
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            return Err("proto files import each other in a circle".into());
        }
        for name in ready {
            sorted.extend(files.remove(&name));
            done.insert(name);
        }
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, type_name: &str) -> FieldDescriptorProto {
        FieldDescriptorProto {
            name: Some(name.to_owned()),
            type_name: Some(type_name.to_owned()),
            ..FieldDescriptorProto::default()
        }
    }

    fn message(name: &str, fields: Vec<FieldDescriptorProto>) -> DescriptorProto {
        DescriptorProto {
            name: Some(name.to_owned()),
            field: fields,
            ..DescriptorProto::default()
        }
    }

    fn file(name: &str, package: &str, messages: Vec<DescriptorProto>) -> FileDescriptorProto {
        FileDescriptorProto {
            name: Some(name.to_owned()),
            package: Some(package.to_owned()),
            dependency: vec!["unused.proto".to_owned()],
            message_type: messages,
            ..FileDescriptorProto::default()
        }
    }

    #[test]
    fn keeps_what_roots_reach_and_shells_of_parents() {
        let mut outer = message("Outer", vec![field("gone", ".b.Gone")]);
        outer.nested_type.push(message("Inner", Vec::new()));
        let set = FileDescriptorSet {
            file: vec![
                file(
                    "a.proto",
                    "a",
                    vec![
                        message("Root", vec![field("f", ".b.Outer.Inner")]),
                        message("Other", vec![]),
                    ],
                ),
                file("b.proto", "b", vec![outer, message("Gone", Vec::new())]),
            ],
        };
        let roots = Roots::from([("a.proto".to_owned(), vec!["Root".to_owned()])]);
        let pruned = prune(set, &roots).unwrap();
        let names: Vec<&str> = pruned.file.iter().map(FileDescriptorProto::name).collect();
        assert_eq!(names, ["b.proto", "a.proto"], "a file follows what it imports");
        let [b, a] = pruned.file.as_slice() else {
            panic!("two files")
        };
        assert_eq!(a.dependency, ["b.proto"]);
        assert_eq!(a.message_type.len(), 1);
        assert_eq!(b.message_type.len(), 1);
        assert!(b.message_type[0].field.is_empty(), "a shell has no fields");
        assert_eq!(b.message_type[0].nested_type[0].name(), "Inner");
    }

    #[test]
    fn an_unknown_root_is_an_error() {
        let set = FileDescriptorSet {
            file: vec![file("a.proto", "a", vec![])],
        };
        let roots = Roots::from([("a.proto".to_owned(), vec!["Missing".to_owned()])]);
        assert!(prune(set, &roots).unwrap_err().to_string().contains("Missing"));
    }
}
