//! One xDS resource: what a discovery response carries.

use std::fmt;
use std::sync::Arc;

use prost::Name;
use prost_types::Any;

use crate::hash::Sha256;
use crate::pb::{self, Kind, UnpackError};

/// A named, versioned, encoded resource.
///
/// The version is made from the content, so equal content has an equal version in every process, and a server that
/// compares versions sends only what changed. Cloning copies counters, not bytes.
///
/// ```
/// use mesh_xds::Resource;
/// use mesh_xds::pb::Kind;
/// use mesh_xds::pb::envoy::config::cluster::v3::Cluster;
///
/// let cluster = Cluster { name: "ratings".to_owned(), ..Default::default() };
/// let resource = Resource::new(Kind::Cluster, "ratings", &cluster);
/// assert_eq!(resource.version().to_string(), "3949698b40430e28e40726d4d7e62f9f");
/// assert_eq!(resource.unpack::<Cluster>()?, cluster);
/// # Ok::<(), mesh_xds::pb::UnpackError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    kind: Kind,
    name: Arc<str>,
    version: ResourceVersion,
    body: Arc<[u8]>,
}

impl Resource {
    /// Encodes `message` as the resource `name`. The message must be the one of `kind`.
    pub fn new<M: Name>(kind: Kind, name: impl Into<Arc<str>>, message: &M) -> Resource {
        debug_assert_eq!(kind.type_url(), M::type_url());
        Resource::from_bytes(kind, name, message.encode_to_vec())
    }

    /// A resource from bytes that are encoded already.
    pub fn from_bytes(kind: Kind, name: impl Into<Arc<str>>, body: impl Into<Arc<[u8]>>) -> Resource {
        let body = body.into();
        Resource {
            kind,
            name: name.into(),
            version: ResourceVersion::of(&body),
            body,
        }
    }

    /// The kind of resource.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name by which it is asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the content.
    pub fn version(&self) -> ResourceVersion {
        self.version
    }

    /// The encoded message.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// As discovery responses carry it.
    pub fn to_any(&self) -> Any {
        Any {
            type_url: self.kind.type_url(),
            value: self.body.to_vec(),
        }
    }

    /// The message.
    ///
    /// # Errors
    ///
    /// As [`pb::unpack`].
    pub fn unpack<M: Name + Default>(&self) -> Result<M, UnpackError> {
        pb::unpack(&self.to_any())
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

/// The version of a resource: the first 16 bytes of the SHA-256 of its content.
///
/// It prints as 32 lower-case hexadecimal digits, which is the form on the wire. The algorithm is part of the format: it
/// does not change between releases without a note in the changelog (X-SNAP-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceVersion(u128);

impl ResourceVersion {
    /// The version of this content.
    pub fn of(content: &[u8]) -> ResourceVersion {
        let mut hash = Sha256::new();
        hash.update(content);
        ResourceVersion(hash.finish())
    }

    /// The version of a list of named resources, as used for the `version_info` of a whole type.
    pub(crate) fn of_all<'a>(resources: impl Iterator<Item = &'a Resource>) -> ResourceVersion {
        let mut hash = Sha256::new();
        for resource in resources {
            // Lengths keep names apart from what follows.
            hash.update(&(resource.name.len() as u64).to_be_bytes());
            hash.update(resource.name.as_bytes());
            hash.update(&resource.version.0.to_be_bytes());
        }
        ResourceVersion(hash.finish())
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceVersion({self})")
    }
}
