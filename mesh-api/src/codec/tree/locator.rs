//! Finding many fields of one document.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Node, NodeKind, camel_case};
use crate::report::{FieldPath, Segment};

/// Finds fields below one node as [`Node::locate`] does, and remembers long lists and maps: many findings about the items of
/// one list would otherwise walk over it once for each.
pub(crate) struct Locator<'t> {
    root: Node<'t>,
    /// The items of lists, by the list.
    lists: BTreeMap<u32, Vec<u32>>,
    maps: BTreeMap<u32, Keys<'t>>,
}

/// Key and value of each entry of a map.
struct Keys<'t> {
    by_name: BTreeMap<&'t str, (u32, u32)>,
    /// By the other spelling of the name; the first one counts.
    by_twin: BTreeMap<String, (u32, u32)>,
}

/// Lists and maps up to this length are walked over.
const SHORT: usize = 16;

impl<'t> Locator<'t> {
    /// Finds fields below this node.
    pub(crate) fn new(root: Node<'t>) -> Self {
        Self {
            root,
            lists: BTreeMap::new(),
            maps: BTreeMap::new(),
        }
    }

    /// The range of bytes to show for a field; see [`Node::locate`].
    pub(crate) fn locate(&mut self, path: &FieldPath) -> Range<usize> {
        let root = self.root;
        root.locate_by(path, |node, segment| self.step(node, segment))
    }

    fn step(&mut self, node: Node<'t>, segment: &Segment) -> Option<(Range<usize>, Node<'t>)> {
        if node.len() <= SHORT {
            return node.step(segment);
        }
        let tree = node.tree();
        match (segment, node.kind()) {
            (Segment::Index(index), NodeKind::List) => {
                let items = self
                    .lists
                    .entry(node.id())
                    .or_insert_with(|| node.items().map(|item| item.id()).collect());
                let item = tree.node(*items.get(*index)?);
                Some((item.span(), item))
            }
            (Segment::Name(name), NodeKind::Map) => {
                let keys = self.maps.entry(node.id()).or_insert_with(|| Keys::of(node));
                let found = keys.by_name.get(&**name).or_else(|| keys.by_twin.get(&**name));
                let (key, value) = *found?;
                Some((tree.node(key).span(), tree.node(value)))
            }
            _ => None,
        }
    }
}

impl<'t> Keys<'t> {
    fn of(map: Node<'t>) -> Self {
        let (mut by_name, mut by_twin) = (BTreeMap::new(), BTreeMap::new());
        for (key, value) in map.entries() {
            let entry = (key.id(), value.id());
            by_name.entry(key.text()).or_insert(entry);
            if key.text().contains('_') {
                by_twin.entry(camel_case(key.text())).or_insert(entry);
            }
        }
        Self { by_name, by_twin }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::Tree;

    proptest! {
        /// A-PAR-14: a field is found in the same place with and without a memory.
        #[test]
        fn both_ways_lead_to_the_same_place(
            keys in prop::collection::vec("[ab]{1,2}(_[ab])?", 0..60),
            items in 0..40usize,
            paths in prop::collection::vec(("[ab]{1,2}([AB]|_a)?", 0..45usize, "[abc]{1,2}[AD]?"), 1..30),
        ) {
            let mut text = String::new();
            let mut known = std::collections::BTreeSet::new();
            for key in keys.iter().filter(|key| known.insert((*key).clone())) {
                text.push_str(&format!("{key}:\n"));
                for item in 0..items {
                    text.push_str(&format!("- {{{key}: {item}, c: [1, 2], c_d: 3}}\n"));
                }
            }
            let tree = Tree::parse("a.yaml", &format!("z: 1\n{text}")).unwrap();
            let mut locator = Locator::new(tree.root());
            for (key, index, below) in paths {
                let path = FieldPath::root().with_key(key).with_index(index).with_key(below);
                prop_assert_eq!(locator.locate(&path), tree.root().locate(&path));
            }
            prop_assert_eq!(locator.locate(&FieldPath::root()), tree.root().locate(&FieldPath::root()));
        }
    }
}
