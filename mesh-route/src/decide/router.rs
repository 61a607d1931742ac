//! The router: a plan, and what makes look-ups in it fast.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::chain::ListenerIndex;
use super::decision::Decision;
use super::evaluate::evaluate;
use super::explain::Explanation;
use super::request::Request;
use crate::matching::DomainIndex;
use crate::plan::{
    Action, Condition, PathMatcher, Route, RouteTable, RouteTableName, Test, TextTest, TrafficPlan,
};
use crate::trace::Trace;

/// Decides requests by a plan. Cheap to clone and to share between threads.
///
/// ```
/// # use std::sync::Arc;
/// # fn example(plan: Arc<mesh_route::plan::TrafficPlan>) -> Result<(), Box<dyn std::error::Error>> {
/// use mesh_route::{Request, Router};
///
/// let router = Router::new(plan);
/// let request = Request::get("http://reviews:9080/reviews/7")?.with_header("end-user", "jason");
/// let decision = router.decide(&request);
/// if let Some(target) = decision.destination() {
///     println!("{} by {}", target.cluster_name(), decision.origin());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Router(Arc<Inner>);

struct Inner {
    plan: Arc<TrafficPlan>,
    listeners: ListenerIndex,
    tables: HashMap<RouteTableName, IndexedTable>,
    compile_trace: Option<CompileTrace>,
}

/// A table, and its domains for look-up, built when it is first asked.
pub(super) struct IndexedTable {
    table: Arc<RouteTable>,
    domains: OnceLock<DomainIndex>,
}

impl IndexedTable {
    pub(super) fn table(&self) -> &RouteTable {
        &self.table
    }

    pub(super) fn domains(&self) -> &DomainIndex {
        self.domains.get_or_init(|| DomainIndex::new(&self.table))
    }
}

/// Tells how the parts of a decision were compiled.
type CompileTrace = Box<dyn Fn(&Decision<'_>) -> Trace + Send + Sync>;

impl Router {
    /// A router over `plan`. It explains run time only; see [`Router::with_compile_trace`].
    pub fn new(plan: Arc<TrafficPlan>) -> Self {
        Self::build(plan, None)
    }

    /// A router that also explains how the parts of a decision came to be: `trace` gives the events of compiling them.
    pub fn with_compile_trace(
        plan: Arc<TrafficPlan>,
        trace: impl Fn(&Decision<'_>) -> Trace + Send + Sync + 'static,
    ) -> Self {
        Self::build(plan, Some(Box::new(trace)))
    }

    fn build(plan: Arc<TrafficPlan>, compile_trace: Option<CompileTrace>) -> Self {
        let listeners = ListenerIndex::new(plan.listeners.values());
        let index = |table: &Arc<RouteTable>| IndexedTable {
            table: Arc::clone(table),
            domains: OnceLock::new(),
        };
        let tables = plan
            .route_tables
            .iter()
            .map(|(name, table)| (name.clone(), index(table)))
            .collect();
        Self(Arc::new(Inner {
            plan,
            listeners,
            tables,
            compile_trace,
        }))
    }

    /// What happens to `request`.
    pub fn decide(&self, request: &Request) -> Decision<'_> {
        evaluate(self, request, &mut ())
    }

    /// What happens to `request`, and why nothing else does. The same evaluation as [`Router::decide`], recorded.
    pub fn explain(&self, request: &Request) -> Explanation {
        let mut trace = Trace::new();
        let decision = evaluate(self, request, &mut trace);
        let compile = self.0.compile_trace.as_ref().map(|trace| trace(&decision));
        Explanation::new(&decision, request, compile, trace)
    }

    /// The plan.
    pub fn plan(&self) -> &TrafficPlan {
        &self.0.plan
    }

    /// Builds all that is otherwise built at the first request that needs it: indexes of domains and automata of
    /// patterns. After that, decisions do not allocate but as [`Decision`] says.
    pub fn prepare(&self) {
        for indexed in self.0.tables.values() {
            indexed.domains();
            indexed
                .table()
                .virtual_hosts()
                .flat_map(|host| &*host.routes)
                .for_each(|route| prepare(route));
        }
    }

    pub(super) fn listeners(&self) -> &ListenerIndex {
        &self.0.listeners
    }

    /// A table of the plan, by hash: names of tables are costly to compare in order.
    pub(super) fn table(&self, name: &RouteTableName) -> Option<&IndexedTable> {
        self.0.tables.get(name)
    }
}

fn prepare(route: &Route) {
    if let PathMatcher::Regex(pattern) = &route.matcher.path {
        pattern.prepare();
    }
    for condition in &route.matcher.conditions {
        let test = match condition {
            Condition::Header(condition) => &condition.test,
            Condition::Query(condition) => &condition.test,
            Condition::Claim(_) => continue,
        };
        if let Test::Text(matcher) = test
            && let TextTest::Regex(pattern) = &matcher.test
        {
            pattern.prepare();
        }
    }
    let cors = route.extras.as_ref().and_then(|extras| extras.cors.as_ref());
    let origins = cors
        .filter(|_| matches!(route.action, Action::Forward(_)))
        .map(|cors| &*cors.allow_origins);
    for matcher in origins.unwrap_or_default() {
        if let TextTest::Regex(pattern) = &matcher.test {
            pattern.prepare();
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("plan", &self.0.plan)
            .finish_non_exhaustive()
    }
}
