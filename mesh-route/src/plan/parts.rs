//! The look-ups of a decision, one per step.

use std::sync::Arc;

use super::{Assignment, Cluster, ClusterName, Listener, RouteTable, RouteTableName, TrafficPlan};

/// Gives the parts of a plan by name. Sealed: implemented by [`TrafficPlan`], and by whatever compiles one part at a
/// time; below a part both are the same data.
pub trait Parts: sealed::Sealed {
    /// All listeners, in order of name.
    fn listeners(&self) -> impl Iterator<Item = &Arc<Listener>>;
    /// A route table.
    fn route_table(&self, name: &RouteTableName) -> Option<&RouteTable>;
    /// A cluster; `None` for one that does not exist.
    fn cluster(&self, name: &ClusterName) -> Option<&Cluster>;
    /// The endpoints of a cluster that has its own.
    fn endpoints(&self, name: &ClusterName) -> Option<&Assignment>;
}

pub(crate) mod sealed {
    /// Keeps [`super::Parts`] to this crate.
    pub trait Sealed {}
}

impl sealed::Sealed for TrafficPlan {}

impl Parts for TrafficPlan {
    fn listeners(&self) -> impl Iterator<Item = &Arc<Listener>> {
        self.listeners.iter().map(|(_, listener)| listener)
    }

    fn route_table(&self, name: &RouteTableName) -> Option<&RouteTable> {
        self.route_tables.get(name).map(AsRef::as_ref)
    }

    fn cluster(&self, name: &ClusterName) -> Option<&Cluster> {
        TrafficPlan::cluster(self, name)
    }

    fn endpoints(&self, name: &ClusterName) -> Option<&Assignment> {
        TrafficPlan::endpoints(self, name)
    }
}
