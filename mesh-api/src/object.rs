//! Objects: metadata and a typed specification, or the tree of a kind that is only carried.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::codec::{Document, Node, Tree};
use crate::extensions::{TrafficExtension, WasmPlugin};
use crate::kind::Kind;
use crate::kubernetes::{
    ConfigMap, CustomResourceDefinition, Deployment, EndpointSlice, MutatingWebhookConfiguration,
    Namespace as KubernetesNamespace, Node as KubernetesNode, Pod, Secret, Service,
    ValidatingWebhookConfiguration,
};
use crate::meta::ObjectMeta;
use crate::names::{Namespace, Text};
use crate::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use crate::operator::IstioOperator;
use crate::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use crate::telemetry::Telemetry;

/// What identifies an object: kind, namespace and name (A-RES-3).
///
/// ```
/// use mesh_api::{Kind, ObjectKey};
///
/// let key = ObjectKey::new(Kind::VirtualService, "shop", "reviews");
/// assert_eq!(key.to_string(), "VirtualService shop/reviews");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind with its group.
    pub kind: Kind,
    /// The namespace; empty for kinds outside namespaces, and where none was given.
    pub namespace: Namespace,
    /// The name.
    pub name: Text,
}

impl ObjectKey {
    /// The key of these parts.
    pub fn new(kind: Kind, namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            kind,
            namespace: Namespace::new(namespace),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(f, "{kind} {name}")
        } else {
            write!(f, "{kind} {namespace}/{name}")
        }
    }
}

/// An object of a known kind.
///
/// ```
/// use mesh_api::networking::VirtualService;
/// use mesh_api::{Object, ObjectMeta};
///
/// let reviews = Object::new(ObjectMeta::new("reviews", "shop"), VirtualService::default());
/// assert_eq!(reviews.key().to_string(), "VirtualService shop/reviews");
/// assert_eq!(reviews.api_version, "networking.istio.io/v1");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Object<T> {
    /// Group and version as read (A-RES-4).
    pub api_version: Text,
    /// Name, namespace, labels and the like.
    pub meta: ObjectMeta,
    /// What the object says. Of Kubernetes' own kinds everything but the metadata, since some have no `spec`.
    pub spec: T,
    /// What controllers report, untouched (A-MET-6). Of Kubernetes' own kinds it is part of `spec`.
    pub status: Option<serde_json::Value>,
    /// Where the object was read, for kinds of which the model does not have all fields.
    pub as_read: AsRead,
}

/// The text of an object of one of Kubernetes' own kinds, whose models have only some of the fields.
///
/// With it, nothing is lost when an object is written that has fields which its model does not have: it is written as it was
/// read, metadata as they are now. If its `spec` was changed it is not written at all, since there is no telling what becomes of
/// the other fields. Who wants to write the fields of the model alone takes the text away:
///
/// ```
/// use mesh_api::kubernetes::Service;
/// use mesh_api::object::AsRead;
///
/// let text = b"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: None, sessionAffinity: ClientIP}}";
/// let decoded = mesh_api::decode("a.yaml", text);
/// let mut service = (**decoded.objects().object::<Service>("default", "a").ok_or("no service")?).clone();
/// assert!(service.to_yaml()?.contains("sessionAffinity: ClientIP")); // a field that no part of this workspace looks at
///
/// service.spec.spec.cluster_ip = "10.0.0.1".into();
/// assert!(service.to_yaml().is_err());
/// service.as_read = AsRead::default();
/// assert!(!service.to_yaml()?.contains("sessionAffinity"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is no part of the object's value: all are equal.
#[derive(Clone, Default)]
pub struct AsRead(Option<(Document, u32)>);

impl AsRead {
    pub(crate) fn new(document: &Document, node: u32) -> Self {
        Self(Some((document.clone(), node)))
    }

    /// The whole object, metadata included.
    pub(crate) fn root(&self) -> Option<Node<'_>> {
        let (document, node) = self.0.as_ref()?;
        Some(document.tree().node(*node))
    }

    /// Whether there is no text: the object was made, or is of a kind whose model has all fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for AsRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "AsRead" } else { "AsRead(..)" })
    }
}

impl PartialEq for AsRead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Model> Object<T> {
    /// An object in the storage version of its kind.
    pub fn new(meta: ObjectMeta, spec: T) -> Self {
        let api_version = Text::from(T::KIND.api_version().unwrap_or_default());
        Self {
            api_version,
            meta,
            spec,
            status: None,
            as_read: AsRead::default(),
        }
    }

    /// The object's key.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            kind: T::KIND,
            namespace: self.meta.namespace.clone(),
            name: self.meta.name.clone(),
        }
    }
}

/// An object of a kind that the crate carries without understanding it (A-RES-2).
///
/// Two are equal if they are written alike; of metadata, `null` is like absent.
#[derive(Debug, Clone)]
pub struct OpaqueObject {
    /// Group and version as read.
    pub api_version: Text,
    /// The kind.
    pub kind: Kind,
    /// Name, namespace, labels and the like.
    pub meta: ObjectMeta,
    tree: Arc<Tree>,
    node: u32,
}

impl OpaqueObject {
    pub(crate) fn new(api_version: Text, kind: Kind, meta: ObjectMeta, tree: Arc<Tree>, node: u32) -> Self {
        Self {
            api_version,
            kind,
            meta,
            tree,
            node,
        }
    }

    /// The whole object as read, metadata included.
    pub fn root(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// The object's key.
    pub fn key(&self) -> ObjectKey {
        let kind = self.kind.clone();
        ObjectKey {
            kind,
            namespace: self.meta.namespace.clone(),
            name: self.meta.name.clone(),
        }
    }
}

impl PartialEq for OpaqueObject {
    fn eq(&self, other: &Self) -> bool {
        let json = |object: &Self| serde_json::to_value(object).ok();
        self.kind == other.kind && self.meta == other.meta && json(self) == json(other)
    }
}

/// A type that an object of a known kind is decoded to. Sealed: the kinds are the crate's.
pub trait Model:
    Clone + Default + PartialEq + fmt::Debug + Serialize + DeserializeOwned + sealed::Sealed + 'static
{
    /// The kind.
    const KIND: Kind;
    /// The part of the object that is the model.
    const PLACE: Place;

    /// The object, if it is of this kind.
    fn of(object: &AnyObject) -> Option<&Arc<Object<Self>>>;
    /// The object as one of any kind.
    fn into_any(object: Arc<Object<Self>>) -> AnyObject;
}

/// The part of an object that a [`Model`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All keys but `apiVersion`, `kind` and `metadata`: the kinds of Kubernetes.
    Root,
    /// The `spec`: the kinds of Istio.
    Spec,
}

mod sealed {
    pub trait Sealed {}
}

/// The typed kinds, each with its model and place: once as the variants of [`AnyObject`], once as [`Model`]s.
macro_rules! typed_kinds {
    ($($(#[$doc:meta])* $kind:ident: $model:ty, $place:ident;)*) => {
        /// An object of any kind; cheap to clone.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum AnyObject {
            $($(#[$doc])* $kind(Arc<Object<$model>>),)*
            /// Any other kind.
            Opaque(Arc<OpaqueObject>),
        }

        impl AnyObject {
            /// The object's metadata.
            pub fn meta(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.meta,)*
                    Self::Opaque(object) => &object.meta,
                }
            }

            /// The object's kind.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Opaque(object) => object.kind.clone(),
                }
            }

            /// Group and version as read.
            pub fn api_version(&self) -> &Text {
                match self {
                    $(Self::$kind(object) => &object.api_version,)*
                    Self::Opaque(object) => &object.api_version,
                }
            }

            /// Whether both are one allocation.
            pub fn ptr_eq(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$kind(a), Self::$kind(b)) => Arc::ptr_eq(a, b),)*
                    (Self::Opaque(a), Self::Opaque(b)) => Arc::ptr_eq(a, b),
                    _ => false,
                }
            }

            /// The same object in another namespace.
            pub(crate) fn in_namespace(mut self, namespace: &Namespace) -> Self {
                match &mut self {
                    $(Self::$kind(object) => Arc::make_mut(object).meta.namespace = namespace.clone(),)*
                    Self::Opaque(object) => Arc::make_mut(object).meta.namespace = namespace.clone(),
                }
                self
            }
        }

        impl Serialize for AnyObject {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$kind(object) => object.serialize(serializer),)*
                    Self::Opaque(object) => object.serialize(serializer),
                }
            }
        }

        $(
            impl sealed::Sealed for $model {}

            impl Model for $model {
                const KIND: Kind = Kind::$kind;
                const PLACE: Place = Place::$place;

                fn of(object: &AnyObject) -> Option<&Arc<Object<Self>>> {
                    match object {
                        AnyObject::$kind(object) => Some(object),
                        _ => None,
                    }
                }

                fn into_any(object: Arc<Object<Self>>) -> AnyObject {
                    AnyObject::$kind(object)
                }
            }

            impl From<Object<$model>> for AnyObject {
                fn from(object: Object<$model>) -> Self {
                    Self::$kind(Arc::new(object))
                }
            }
        )*

        /// Calls `visit` with the model of a typed kind, or gives it back.
        pub(crate) fn with_model<V: ModelVisitor>(kind: &Kind, visit: V) -> Result<V::Output, V> {
            match kind {
                $(Kind::$kind => Ok(visit.visit::<$model>()),)*
                _ => Err(visit),
            }
        }
    };
}

/// What to do with a model that is known by its kind only.
pub(crate) trait ModelVisitor {
    type Output;

    fn visit<T: Model>(self) -> Self::Output;
}

typed_kinds! {
    /// An AuthorizationPolicy.
    AuthorizationPolicy: AuthorizationPolicy, Spec;
    /// A Kubernetes ConfigMap.
    ConfigMap: ConfigMap, Root;
    /// A Kubernetes CustomResourceDefinition.
    CustomResourceDefinition: CustomResourceDefinition, Root;
    /// A Kubernetes Deployment.
    Deployment: Deployment, Root;
    /// A DestinationRule.
    DestinationRule: DestinationRule, Spec;
    /// A Kubernetes EndpointSlice.
    EndpointSlice: EndpointSlice, Root;
    /// An EnvoyFilter.
    EnvoyFilter: EnvoyFilter, Spec;
    /// A Gateway.
    Gateway: Gateway, Spec;
    /// An IstioOperator.
    IstioOperator: IstioOperator, Spec;
    /// A Kubernetes MutatingWebhookConfiguration.
    MutatingWebhookConfiguration: MutatingWebhookConfiguration, Root;
    /// A Kubernetes Namespace.
    Namespace: KubernetesNamespace, Root;
    /// A Kubernetes Node.
    Node: KubernetesNode, Root;
    /// A PeerAuthentication.
    PeerAuthentication: PeerAuthentication, Spec;
    /// A Kubernetes Pod.
    Pod: Pod, Root;
    /// A ProxyConfig.
    ProxyConfig: ProxyConfig, Spec;
    /// A RequestAuthentication.
    RequestAuthentication: RequestAuthentication, Spec;
    /// A Kubernetes Secret.
    Secret: Secret, Root;
    /// A Kubernetes Service.
    Service: Service, Root;
    /// A ServiceEntry.
    ServiceEntry: ServiceEntry, Spec;
    /// A Sidecar.
    Sidecar: Sidecar, Spec;
    /// A Telemetry.
    Telemetry: Telemetry, Spec;
    /// A TrafficExtension.
    TrafficExtension: TrafficExtension, Spec;
    /// A Kubernetes ValidatingWebhookConfiguration.
    ValidatingWebhookConfiguration: ValidatingWebhookConfiguration, Root;
    /// A VirtualService.
    VirtualService: VirtualService, Spec;
    /// A WasmPlugin.
    WasmPlugin: WasmPlugin, Spec;
    /// A WorkloadEntry.
    WorkloadEntry: WorkloadEntry, Spec;
    /// A WorkloadGroup.
    WorkloadGroup: WorkloadGroup, Spec;
}

impl AnyObject {
    /// The object's key.
    pub fn key(&self) -> ObjectKey {
        let meta = self.meta();
        ObjectKey {
            kind: self.kind(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
        }
    }

    /// The object as one of kind `T`, if it is.
    pub fn as_object<T: Model>(&self) -> Option<&Arc<Object<T>>> {
        T::of(self)
    }
}

impl From<OpaqueObject> for AnyObject {
    fn from(object: OpaqueObject) -> Self {
        Self::Opaque(Arc::new(object))
    }
}
