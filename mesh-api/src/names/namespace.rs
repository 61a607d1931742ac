//! Names that are one DNS label.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text::text_newtype;
use super::{CheckError, Text, check};

/// The name of a Kubernetes namespace; empty for "not given" and for objects that have none.
///
/// [`Namespace::new`] takes it as written; parsing checks that it is a DNS label (A-X-1).
///
/// ```
/// use mesh_api::names::Namespace;
///
/// let shop: Namespace = "shop".parse()?;
/// assert_eq!(shop, "shop");
/// assert!("not_a_label".parse::<Namespace>().is_err());
/// assert!(Namespace::default().is_empty());
/// # Ok::<(), mesh_api::names::CheckError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Namespace(Text);

/// The name of a subset of a service's endpoints, as a DestinationRule defines it; empty for "no subset".
///
/// [`SubsetName::new`] takes it as written; parsing checks that it is a DNS label (A-X-1).
///
/// ```
/// use mesh_api::names::SubsetName;
///
/// let v2: SubsetName = "v2".parse()?;
/// assert_eq!(v2.as_str(), "v2");
/// assert_eq!("v 2".parse::<SubsetName>().unwrap_err().offset(), 1);
/// # Ok::<(), mesh_api::names::CheckError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubsetName(Text);

text_newtype!(Namespace);
text_newtype!(SubsetName);

/// The checked ways in, the same for every name that is one DNS label.
macro_rules! dns_label_name {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = CheckError;

            fn from_str(text: &str) -> Result<Self, CheckError> {
                check::dns_label(text)?;
                Ok(Self(Text::from(text)))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = CheckError;

            fn try_from(text: &str) -> Result<Self, CheckError> {
                text.parse()
            }
        }
    };
}
dns_label_name!(Namespace);
dns_label_name!(SubsetName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_checks_and_new_does_not() {
        assert_eq!(Namespace::new("a_b").as_str(), "a_b");
        assert_eq!(Namespace::try_from("a_b").unwrap_err().offset(), 1);
        assert_eq!(SubsetName::try_from("v1").unwrap(), "v1");
        assert!(SubsetName::try_from("").is_err());
    }
}
