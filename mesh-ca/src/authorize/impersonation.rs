//! A node agent asks for the id of a pod on its node.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AuthPolicy, Caller, ImpersonationError};
use crate::SpiffeId;

/// How far the life of a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PodPhase {
    /// All containers have ended, one of them with a failure.
    Failed,
    /// Not all containers have started.
    Pending,
    /// At least one container runs.
    Running,
    /// All containers have ended well.
    Succeeded,
    /// The node does not answer.
    Unknown,
}

/// A pod, as far as it matters who may have its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The uid.
    pub uid: String,
    /// The service account.
    pub service_account: String,
    /// The node that it runs on; empty if it is not placed yet.
    pub node: String,
    /// How far it is.
    pub phase: PodPhase,
}

/// The pods of all clusters, as the embedder knows them: plain data.
///
/// ```
/// use mesh_ca::{NodeView, Pod, PodPhase};
///
/// let mut nodes = NodeView::default();
/// nodes.insert("cluster-1", Pod {
///     namespace: "shop".into(),
///     name: "reviews-1".into(),
///     uid: "1234".into(),
///     service_account: "reviews".into(),
///     node: "node-1".into(),
///     phase: PodPhase::Running,
/// });
/// assert!(nodes.pod("cluster-1", "shop", "reviews-1").is_some());
/// assert!(nodes.remove("cluster-1", "shop", "reviews-1").is_some());
/// ```
///
/// Saved, it is a list of pods for each cluster.
///
/// Source: ca.md C-AUTH-6.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedNodes", into = "SavedNodes")]
pub struct NodeView {
    clusters: BTreeMap<String, Cluster>,
}

/// The pods by cluster. The counts follow from them.
type SavedNodes = BTreeMap<String, Vec<Pod>>;

impl From<NodeView> for SavedNodes {
    fn from(nodes: NodeView) -> Self {
        let pods = |cluster: Cluster| cluster.pods.into_values().collect();
        let clusters = nodes.clusters.into_iter();
        clusters.map(|(id, cluster)| (id, pods(cluster))).collect()
    }
}

impl TryFrom<SavedNodes> for NodeView {
    type Error = String;

    fn try_from(saved: SavedNodes) -> Result<Self, String> {
        let mut nodes = Self::default();
        for (cluster_id, pods) in saved {
            nodes.clusters.entry(cluster_id.clone()).or_default();
            for pod in pods {
                if nodes.pod(&cluster_id, &pod.namespace, &pod.name).is_some() {
                    return Err(format!(
                        "there are two pods `{}` in `{}`",
                        pod.name, pod.namespace
                    ));
                }
                nodes.insert(&cluster_id, pod);
            }
        }
        Ok(nodes)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Cluster {
    /// By namespace and name.
    pods: BTreeMap<(String, String), Pod>,
    /// How many pods there are by node, namespace and service account.
    counts: BTreeMap<(String, String, String), Count>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    unfinished: usize,
    succeeded: usize,
}

impl Count {
    fn of_phase(&mut self, phase: PodPhase) -> &mut usize {
        match phase {
            PodPhase::Succeeded => &mut self.succeeded,
            PodPhase::Failed | PodPhase::Pending | PodPhase::Running | PodPhase::Unknown => {
                &mut self.unfinished
            }
        }
    }
}

impl NodeView {
    /// Adds a pod, or replaces the one of the same name.
    pub fn insert(&mut self, cluster_id: &str, pod: Pod) {
        self.remove(cluster_id, &pod.namespace, &pod.name);
        let cluster = self.clusters.entry(cluster_id.to_owned()).or_default();
        // Pods that have failed count nowhere.
        if pod.phase != PodPhase::Failed {
            let count = cluster.counts.entry(place(&pod)).or_default();
            let number = count.of_phase(pod.phase);
            *number = number.saturating_add(1);
        }
        cluster
            .pods
            .insert((pod.namespace.clone(), pod.name.clone()), pod);
    }

    /// Takes a pod out.
    pub fn remove(&mut self, cluster_id: &str, namespace: &str, name: &str) -> Option<Pod> {
        let cluster = self.clusters.get_mut(cluster_id)?;
        let pod = cluster.pods.remove(&(namespace.to_owned(), name.to_owned()))?;
        let place = place(&pod);
        if pod.phase != PodPhase::Failed
            && let Some(count) = cluster.counts.get_mut(&place)
        {
            let number = count.of_phase(pod.phase);
            *number = number.saturating_sub(1);
            if *count == Count::default() {
                cluster.counts.remove(&place);
            }
        }
        Some(pod)
    }

    /// A pod by its name.
    pub fn pod(&self, cluster_id: &str, namespace: &str, name: &str) -> Option<&Pod> {
        let cluster = self.clusters.get(cluster_id)?;
        cluster.pods.get(&(namespace.to_owned(), name.to_owned()))
    }

    fn count(&self, cluster_id: &str, node: &str, namespace: &str, service_account: &str) -> Count {
        let place = (node.to_owned(), namespace.to_owned(), service_account.to_owned());
        let cluster = self.clusters.get(cluster_id);
        cluster
            .and_then(|cluster| cluster.counts.get(&place).copied())
            .unwrap_or_default()
    }
}

fn place(pod: &Pod) -> (String, String, String) {
    (
        pod.node.clone(),
        pod.namespace.clone(),
        pod.service_account.clone(),
    )
}

/// The steps of C-AUTH-5, (a) to (h), in their order.
pub(super) fn check(
    requested: &str,
    caller: &Caller,
    policy: &AuthPolicy,
    nodes: &NodeView,
) -> Result<SpiffeId, ImpersonationError> {
    // (a)
    if policy.trusted_node_accounts.is_empty() {
        return Err(ImpersonationError::NotConfigured);
    }
    // (b)
    let agent = caller.kubernetes().ok_or(ImpersonationError::NotTrusted)?;
    let account = (agent.pod_namespace.clone(), agent.pod_service_account.clone());
    if !policy.trusted_node_accounts.contains(&account) {
        return Err(ImpersonationError::NotTrusted);
    }
    // (c)
    let id: SpiffeId = requested.parse().map_err(|_| ImpersonationError::Identity)?;
    let istio = id.istio_identity().ok_or(ImpersonationError::Identity)?;
    let is_local = |domains: &crate::TrustDomainSet| domains.contains(istio.trust_domain);
    if !policy.trust_domains.as_ref().is_some_and(is_local) {
        return Err(ImpersonationError::Identity);
    }
    // (d) to (g)
    let cluster_id = caller.cluster_id();
    let pod = nodes
        .pod(cluster_id, &agent.pod_namespace, &agent.pod_name)
        .ok_or(ImpersonationError::UnknownPod)?;
    if pod.uid != agent.pod_uid {
        return Err(ImpersonationError::Uid);
    }
    if pod.service_account != agent.pod_service_account {
        return Err(ImpersonationError::ServiceAccount);
    }
    if pod.node.is_empty() {
        return Err(ImpersonationError::NoNode);
    }
    if pod.phase == PodPhase::Failed {
        return Err(ImpersonationError::CallerFailed);
    }
    // (h)
    let count = nodes.count(cluster_id, &pod.node, istio.namespace, istio.service_account);
    if count.unfinished > 0 || (policy.count_completed_pods && count.succeeded > 0) {
        Ok(id)
    } else {
        Err(ImpersonationError::NoSuchPodOnNode)
    }
}
