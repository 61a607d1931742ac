//! Who may see an object: `exportTo` resolved (R-VIS).

use std::collections::BTreeSet;

use mesh_api::names::{Namespace, Text};

/// Who may see an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// These namespaces.
    Namespaces(BTreeSet<Namespace>),
    /// Nobody.
    Hidden,
}

/// How an object reaches a namespace: the classes whose order decides between objects (R-ORD-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VisibilityClass {
    /// Its own namespace, named or `.`.
    Private,
    /// Exported to the namespace by name.
    ExportedTo,
    /// Public.
    Public,
}

impl Visibility {
    /// Resolves the `exportTo` of a VirtualService: an empty list takes the mesh default, an empty default is `*`;
    /// `*` wins over all else, then `~` hides (R-VIS-2).
    pub fn of_virtual_service(export_to: &[String], default: &[String], own: &Namespace) -> Self {
        Self::resolve(if export_to.is_empty() { default } else { export_to }, own)
    }

    /// Resolves the listing visibility of a service (R-VIS-3). Direct look-ups use [`Visibility::direct_of_service`].
    pub fn of_service(export_to: &[Text], own: &Namespace) -> Self {
        Self::resolve(export_to, own)
    }

    /// Resolves the visibility of a service for a look-up by its name, which `~` does not hide from the namespaces
    /// that are named beside it (R-VIS-3, quirk).
    pub fn direct_of_service(export_to: &[Text], own: &Namespace) -> Self {
        let named: Vec<&str> = export_to
            .iter()
            .map(Text::as_str)
            .filter(|token| *token != "~")
            .collect();
        if named.is_empty() && !export_to.is_empty() {
            Self::Hidden
        } else {
            Self::resolve(&named, own)
        }
    }

    fn resolve<S: AsRef<str>>(tokens: &[S], own: &Namespace) -> Self {
        let has = |wanted: &str| tokens.iter().any(|token| token.as_ref() == wanted);
        if tokens.is_empty() || has("*") {
            return Self::Public;
        }
        if has("~") {
            return Self::Hidden;
        }
        let namespace = |token: &S| match token.as_ref() {
            "." => own.clone(),
            name => Namespace::new(name),
        };
        Self::Namespaces(tokens.iter().map(namespace).collect())
    }

    /// Whether `namespace` may see the object.
    pub fn allows(&self, namespace: &Namespace) -> bool {
        match self {
            Self::Public => true,
            Self::Namespaces(namespaces) => namespaces.contains(namespace),
            Self::Hidden => false,
        }
    }

    /// By which class the object of `own` reaches `viewer`, if at all.
    pub fn class_for(&self, viewer: &Namespace, own: &Namespace) -> Option<VisibilityClass> {
        match self {
            Self::Public => Some(VisibilityClass::Public),
            Self::Namespaces(namespaces) if namespaces.contains(viewer) => Some(if viewer == own {
                VisibilityClass::Private
            } else {
                VisibilityClass::ExportedTo
            }),
            Self::Namespaces(_) | Self::Hidden => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(list: &[&str]) -> Vec<String> {
        list.iter().map(|token| (*token).to_owned()).collect()
    }

    #[test]
    fn virtual_service_tokens() {
        // R-VIS-2
        let own = Namespace::new("a");
        let of = |list: &[&str], default: &[&str]| {
            Visibility::of_virtual_service(&tokens(list), &tokens(default), &own)
        };
        assert_eq!(of(&[], &[]), Visibility::Public);
        assert_eq!(of(&["*", "~"], &[]), Visibility::Public);
        assert_eq!(of(&["~", "b"], &[]), Visibility::Hidden);
        assert!(of(&[], &["."]).allows(&own));
        assert!(!of(&[], &["."]).allows(&Namespace::new("b")));
        assert_eq!(
            of(&[".", "b"], &[]).class_for(&own, &own),
            Some(VisibilityClass::Private)
        );
        assert_eq!(
            of(&[".", "b"], &[]).class_for(&Namespace::new("b"), &own),
            Some(VisibilityClass::ExportedTo)
        );
    }

    #[test]
    fn a_tilde_hides_a_service_from_lists_only() {
        // R-VIS-3
        let own = Namespace::new("a");
        let list = [Text::new("~"), Text::new("b")];
        assert_eq!(Visibility::of_service(&list, &own), Visibility::Hidden);
        assert!(Visibility::direct_of_service(&list, &own).allows(&Namespace::new("b")));
        assert_eq!(
            Visibility::direct_of_service(&[Text::new("~")], &own),
            Visibility::Hidden
        );
        assert_eq!(
            Visibility::of_service(&[Text::new("*"), Text::new("~")], &own),
            Visibility::Public
        );
    }
}
