//! The walk of a request through the plan. One function per step, in the order in which a proxy takes them.

use mesh_api::names::Text;

use super::chain::{Chosen, Connection};
use super::decision::{Decision, NotFound, Outcome, RedirectTo, Rejection, Target, Unavailable};
use super::observe::Observer;
use super::request::Request;
use super::router::Router;
use crate::matching::{
    self, RequestView, Truth, draw_weighted, normalize_authority, test, test_path, test_text,
};
use crate::plan::{
    Action, ClusterKey, ClusterName, ClusterStyle, Cors, DownstreamTls, Fault, FilterChain, FixedCluster,
    Forward, HttpConnection, HttpSettings, Listener, RequireTls, Route, RouteSource, RouteTable, Split,
    Terminal, VirtualHost,
};
use crate::trace::Recorder;

/// What happens to `request`; `recorder` hears of every step.
pub(super) fn evaluate<'p>(
    router: &'p Router,
    request: &Request,
    recorder: &mut impl Recorder,
) -> Decision<'p> {
    let decision = Decision::new(&router.plan().caveats);
    Walk {
        router,
        request,
        observer: Observer::new(recorder),
        decision,
    }
    .connection()
}

struct Walk<'p, 'r, R> {
    router: &'p Router,
    request: &'r Request,
    observer: Observer<'r, R>,
    decision: Decision<'p>,
}

impl<'p, R: Recorder> Walk<'p, '_, R> {
    fn end(mut self, outcome: Outcome<'p>) -> Decision<'p> {
        self.decision.outcome = outcome;
        self.observer.outcome(&self.decision, self.request);
        self.decision
    }

    /// Listener and filter chain.
    fn connection(mut self) -> Decision<'p> {
        let request = self.request;
        let serves =
            |listener: &Listener| serves(self.router, listener, request.authority().unwrap_or_default());
        let Some(listener) = self.router.listeners().find(request.destination(), serves) else {
            return self.end(Outcome::Closed); // R-GW-17
        };
        self.decision.listener = Some(listener);
        let connection = Connection::new(request, &listener.inspect);
        let chosen = connection.choose(listener);
        self.observer.connection(listener, &connection, &chosen);
        let chain = match chosen {
            Chosen::Chain(chain) | Chosen::Default(chain) => chain,
            Chosen::None => return self.end(Outcome::Closed), // R-L4-8
            Chosen::Unknown(chain) => return self.end(Outcome::Undecided(chain.matching.foreign.as_deref())),
        };
        self.decision.chain = Some(chain);
        match &chain.terminal {
            // R-L4-11: TLS that is not terminated never reaches HTTP routing.
            Terminal::Http(_) if request.tls().is_some() && is_plain(chain) => self.end(Outcome::Closed),
            Terminal::Http(_) if request.tls().is_none() && !is_plain(chain) => self.end(Outcome::Closed),
            Terminal::Http(http) => self.http(chain, http),
            Terminal::Tcp(proxy) => {
                let outcome = self.split(&proxy.split, None, b"");
                let outcome = match outcome {
                    Outcome::Forward(target) => Outcome::Tcp(target),
                    Outcome::Unavailable(_) => Outcome::Closed,
                    other => other,
                };
                self.end(outcome)
            }
            Terminal::Foreign(foreign) => self.end(Outcome::Undecided(foreign.as_deref())),
        }
    }

    /// What is done to every request, then its virtual host.
    fn http(mut self, chain: &'p FilterChain, http: &'p HttpConnection) -> Decision<'p> {
        let Some(authority) = self.request.authority() else {
            return self.end(Outcome::Rejected(Rejection::NoAuthority)); // R-ENVH-4
        };
        let target = self.request.target();
        // R-ENV-3; that `*` needs OPTIONS was measured on Envoy 1.40.
        let is_asterisk = target == b"*" && self.request.method() == b"OPTIONS";
        if !(is_asterisk || target.starts_with(b"/")) {
            return self.end(Outcome::Rejected(Rejection::BadTarget));
        }
        let observer = &mut self.observer;
        let mut steps = Vec::new();
        let recording = observer.is_recording();
        let normalized = matching::normalize_with(self.request.target(), http.settings.path, |step| {
            if recording {
                steps.push(step);
            }
        });
        let Ok(normalized) = normalized else {
            return self.end(Outcome::Rejected(Rejection::BadPath));
        };
        let (table, index) = match &http.routes {
            RouteSource::Inline(table) => (&**table, None),
            RouteSource::Table(name) => match self.router.table(name) {
                Some(indexed) => (indexed.table(), Some(indexed.domains())),
                None => return self.end(Outcome::NotFound(NotFound::VirtualHost)),
            },
        };
        self.decision.table = Some(table);
        self.observer
            .normalized(self.request.target(), &normalized.target, steps, table);
        let host = normalize_authority(authority, table.ignore_port);
        let found = match index {
            Some(index) => index.find(&host),
            None => matching::find_domain(table, &host),
        };
        let Some((virtual_host, domain)) = found else {
            self.observer.no_virtual_host(table, &host);
            return self.end(Outcome::NotFound(NotFound::VirtualHost)); // R-ENVH-5
        };
        self.decision.virtual_host = Some(virtual_host);
        self.decision.domain = Some(domain);
        self.observer.virtual_host(table, virtual_host, domain, &host);
        let view = self.request.view(authority, &normalized.target);
        let is_tls = !is_plain(chain);
        // `OPTIONS *` is answered with 404 before anything is redirected; measured on Envoy 1.40.
        let is_path = normalized.target.starts_with(b"/");
        let demands_tls = virtual_host.require_tls == RequireTls::All && is_path;
        if demands_tls && !arrives_by_tls(&http.settings, &view, is_tls) {
            return self.end(Outcome::Redirect(RedirectTo::Tls)); // R-GW-14
        }
        self.route(virtual_host, &view, &host)
    }

    /// The first route that matches (R-MATCH-1). There is no way back to another virtual host (R-ENVH-1).
    fn route(mut self, host: &'p VirtualHost, view: &RequestView<'_>, authority: &[u8]) -> Decision<'p> {
        for route in host.routes.iter().map(AsRef::as_ref) {
            let truth = test_route(route, view);
            self.observer.route(route, view, truth);
            match truth {
                Truth::No => {}
                Truth::Yes => {
                    self.decision.route = Some(route);
                    return self.take(route, view);
                }
                Truth::Unknown => {
                    self.decision.route = Some(route);
                    return self.end(Outcome::Undecided(foreign_of(route)));
                }
            }
        }
        self.observer.no_route(host, authority, view);
        self.end(Outcome::NotFound(NotFound::Route))
    }

    /// Faults, cross-origin rules, then the action (R-ENV-10).
    fn take(mut self, route: &'p Route, view: &RequestView<'_>) -> Decision<'p> {
        if matches!(route.action, Action::Nothing | Action::NonForwarding) {
            return self.end(Outcome::NoAction); // R-RD-2
        }
        if let Action::Foreign(parts) = &route.action {
            return self.end(Outcome::Undecided(Some(parts)));
        }
        let extras = route.extras.as_ref();
        if let Some(fault) = extras.and_then(|extras| extras.fault.as_ref())
            && let Some(outcome) = self.fault(fault, route)
        {
            return self.end(outcome);
        }
        match &route.action {
            Action::Redirect(redirect) => self.end(Outcome::Redirect(RedirectTo::Route(redirect))),
            Action::Respond(response) => self.end(Outcome::Respond(response)),
            Action::Forward(forward) => {
                // R-RD-5: cross-origin rules act on forwarded requests only.
                let cors = extras.and_then(|extras| extras.cors.as_ref());
                if let Some(preflight) = cors.and_then(|cors| preflight(cors, view)) {
                    return self.end(preflight);
                }
                let outcome = self.forward(forward, view);
                self.end(outcome)
            }
            Action::NonForwarding | Action::Nothing => self.end(Outcome::NoAction),
            Action::Foreign(parts) => self.end(Outcome::Undecided(Some(parts))),
        }
    }

    /// The delay first, then the abort, each with its own draw (R-FLT-1).
    fn fault(&mut self, fault: &Fault, route: &Route) -> Option<Outcome<'p>> {
        let draws = self.request.draws();
        if let Some(delay) = &fault.delay {
            self.decision.delay = delay.share.fires(draws.fault_delay).then_some(delay.duration);
            self.observer.delay(route, self.decision.delay);
        }
        let abort = fault.abort.as_ref()?;
        let fires = abort.share.fires(draws.fault_abort);
        self.observer.abort(route, abort.status, fires);
        fires.then_some(Outcome::Fault(abort.status))
    }

    fn forward(&mut self, forward: &'p Forward, view: &RequestView<'_>) -> Outcome<'p> {
        let by_header = match &forward.split {
            Split::ByHeader(name) => view
                .pseudo(name.as_str())
                .or_else(|| view.headers.first(name.as_str())),
            Split::One(_) | Split::Weighted(_) => None,
        };
        self.split(&forward.split, Some(forward), by_header.unwrap_or_default())
    }

    /// The cluster, and whether anybody is there.
    fn split(&mut self, split: &'p Split, forward: Option<&Forward>, by_header: &[u8]) -> Outcome<'p> {
        let unknown_cluster = forward.map_or(503, |forward| forward.unknown_cluster);
        let (name, destination) = match split {
            Split::One(name) => (name, None),
            Split::Weighted(destinations) => {
                let draw = self.request.draws().weight;
                let Some(drawn) = draw_weighted(destinations, draw) else {
                    return Outcome::Unavailable(Unavailable {
                        status: unknown_cluster,
                        target: None,
                    });
                };
                self.observer.drawn(destinations, &drawn, draw);
                (&drawn.destination.cluster, Some(drawn.destination))
            }
            Split::ByHeader(_) => {
                let name = ClusterName::parse(&String::from_utf8_lossy(by_header));
                match self.router.plan().cluster(&name) {
                    Some(cluster) => (&cluster.name, None),
                    None => {
                        return Outcome::Unavailable(Unavailable {
                            status: unknown_cluster,
                            target: None,
                        });
                    }
                }
            }
        };
        let plan = self.router.plan();
        let cluster = plan.cluster(name);
        let target = Target {
            name,
            cluster,
            destination,
            assignment: plan.endpoints(name),
        };
        self.observer
            .target(&self.decision, &target, plan.clusters.contains_key(name.host()));
        let Some(cluster) = cluster else {
            // R-DST-3: decided now, and never a reason to try the next route.
            return Outcome::Unavailable(Unavailable {
                status: unknown_cluster,
                target: Some(target),
            });
        };
        match &name.key() {
            ClusterKey {
                style: ClusterStyle::Fixed(FixedCluster::BlackHole),
                ..
            } => Outcome::BlackHole,
            ClusterKey {
                style: ClusterStyle::Fixed(_),
                ..
            } => Outcome::PassThrough(target),
            _ if cluster.has_endpoints()
                && target
                    .assignment
                    .is_none_or(|endpoints| endpoints.has_no_healthy()) =>
            {
                Outcome::Unavailable(Unavailable {
                    status: 503,
                    target: Some(target),
                }) // R-DST-4
            }
            _ => Outcome::Forward(target),
        }
    }
}

/// Whether a route takes the request: path and all conditions. Something foreign makes it unknown only where all that is
/// known holds.
pub(super) fn test_route(route: &Route, view: &RequestView<'_>) -> Truth {
    if !test_path(&route.matcher.path, route.matcher.ignore_case, view.path()) {
        return Truth::No;
    }
    let mut truth = matching::test_foreign(route);
    for condition in &route.matcher.conditions {
        match test(condition, view) {
            Truth::Yes => {}
            Truth::No => return Truth::No,
            Truth::Unknown => truth = Truth::Unknown,
        }
    }
    truth
}

fn foreign_of(route: &Route) -> Option<&crate::plan::ForeignParts> {
    route.extras.as_ref().and_then(|extras| extras.foreign.as_deref())
}

fn is_plain(chain: &FilterChain) -> bool {
    matches!(chain.tls, DownstreamTls::Plain)
}

/// Whether the proxy takes the request for one over TLS: by the connection, or by `x-forwarded-proto` where proxies in
/// front are trusted (R-GW-14).
fn arrives_by_tls(settings: &HttpSettings, view: &RequestView<'_>, is_tls: bool) -> bool {
    let is_believed = !settings.use_remote_address || settings.trusted_hops > 0;
    match view.headers.first("x-forwarded-proto").filter(|_| is_believed) {
        Some(protocol) => protocol.eq_ignore_ascii_case(b"https"),
        None => is_tls,
    }
}

/// The local answer to a preflight, if this is one that is answered here (R-CORS-1).
fn preflight<'p>(cors: &'p Cors, view: &RequestView<'_>) -> Option<Outcome<'p>> {
    let origin = view.headers.first("origin").filter(|origin| !origin.is_empty())?;
    let method = view
        .headers
        .first("access-control-request-method")
        .filter(|method| !method.is_empty());
    if view.method != b"OPTIONS" || method.is_none() {
        return None;
    }
    // `*` as an exact origin allows every origin.
    let allowed = cors
        .allow_origins
        .iter()
        .any(|allow| test_text(allow, origin) || test_text(allow, b"*"));
    (allowed || !cors.forward_unmatched_preflights).then_some(Outcome::Preflight { cors, allowed })
}

/// Whether a virtual host of the listener has the authority by name; for the choice of a listener by name alone.
fn serves(router: &Router, listener: &Listener, authority: &[u8]) -> bool {
    let mut chains = listener.chains.iter().chain(&listener.default_chain);
    chains.any(|chain| {
        let Terminal::Http(http) = &chain.terminal else {
            return false;
        };
        let table = match &http.routes {
            RouteSource::Table(name) => router.table(name).map(|indexed| indexed.table()),
            RouteSource::Inline(table) => Some(&**table),
        };
        // A table of one service has the domain `*`; its name tells the service.
        let named = |table: &RouteTable| match &table.name {
            crate::plan::RouteTableName::HostPort { host, .. } => {
                host.as_str().as_bytes() == &*normalize_authority(authority, true)
            }
            _ => false,
        };
        table.is_some_and(named)
    })
}

/// A text of bytes that came with a request.
pub(super) fn text_of(bytes: &[u8]) -> Text {
    Text::new(String::from_utf8_lossy(bytes))
}
