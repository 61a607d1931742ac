//! What a decision does to a request: path, host, location, headers.

use super::decision::{Decision, Outcome, RedirectTo};
use super::request::Request;
use crate::matching::{self, Headers, RequestView, rewrite_path};
use crate::plan::{HeaderOp, HeaderOpKind, HeaderOps, PathNormalization, Terminal};

/// A buffer for what a decision does to a request, to be used again and again.
///
/// ```
/// # fn example(router: &mesh_route::Router, requests: &[mesh_route::Request]) {
/// let mut effects = mesh_route::decide::Effects::new();
/// for request in requests {
///     router.decide(request).effects(request, &mut effects);
///     let (_path, _host) = (effects.target(), effects.host());
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    target: Vec<u8>,
    host: Vec<u8>,
    location: Vec<u8>,
    redirects: bool,
}

impl Effects {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Path and query as they go upstream.
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// The host as it goes upstream.
    pub fn host(&self) -> &[u8] {
        &self.host
    }

    /// Where a redirect leads; `None`: there is no redirect.
    pub fn location(&self) -> Option<&[u8]> {
        self.redirects.then_some(&self.location)
    }

    fn clear(&mut self) {
        let Self {
            target,
            host,
            location,
            redirects,
        } = self;
        target.clear();
        host.clear();
        location.clear();
        *redirects = false;
    }
}

impl<'p> Decision<'p> {
    /// Writes what the decision does to path, host and location into `effects`, in place of what was there.
    pub fn effects(&self, request: &Request, effects: &mut Effects) {
        effects.clear();
        let authority = request.authority().unwrap_or_default();
        let normalized = matching::normalize(request.target(), self.path_level());
        let target = normalized
            .as_ref()
            .map_or(request.target(), |normalized| &normalized.target);
        let view = request.view(authority, target);
        effects
            .host
            .extend_from_slice(self.upstream_host().unwrap_or(authority));
        self.write_target(&view, &mut effects.target);
        if let Outcome::Redirect(redirect) = &self.outcome {
            effects.redirects = true;
            match (redirect, self.route) {
                (RedirectTo::Route(redirect), Some(route)) => {
                    matching::location(redirect, &route.matcher.path, &view, &mut effects.location);
                }
                _ => matching::https_location(&view, &mut effects.location),
            }
        }
    }

    /// The operations on request headers, in the order in which they take effect: those of the weighted destination,
    /// then those of the route, in each all removals, then sets, then adds (R-HDR-1, R-HDR-3).
    pub fn request_headers(&self) -> impl Iterator<Item = &'p HeaderOp> + use<'p> {
        self.header_scopes()
            .into_iter()
            .flatten()
            .flat_map(|ops| in_order(&ops.request))
    }

    /// The operations on response headers, in the order in which they take effect. Redirects and direct responses have
    /// them too (R-HDR-6).
    pub fn response_headers(&self) -> impl Iterator<Item = &'p HeaderOp> + use<'p> {
        self.header_scopes()
            .into_iter()
            .flatten()
            .flat_map(|ops| in_order(&ops.response))
    }

    /// The headers as they go upstream, without the host: those of the request after the route's operations. Headers
    /// that proxies add by themselves are not among them, and placeholders in values stand as written.
    pub fn upstream_headers(&self, request: &Request) -> Headers {
        let mut headers = request.headers().clone();
        self.request_headers().for_each(|op| headers.apply(op));
        headers
    }

    /// From the most specific scope to the least.
    fn header_scopes(&self) -> [Option<&'p HeaderOps>; 2] {
        let destination = self
            .target()
            .and_then(|target| target.destination?.headers.as_deref());
        let route = self
            .route
            .and_then(|route| route.extras.as_ref()?.headers.as_deref());
        [destination, route]
    }

    fn path_level(&self) -> PathNormalization {
        match self.chain.map(|chain| &chain.terminal) {
            Some(Terminal::Http(http)) => http.settings.path,
            _ => PathNormalization::None,
        }
    }

    /// The rewritten host: the route's, else the destination's (R-HDR-5).
    fn upstream_host(&self) -> Option<&'p [u8]> {
        let rewrite = self.forward().and_then(|forward| forward.rewrite.as_ref());
        let by_route = rewrite
            .and_then(|rewrite| rewrite.host.as_ref())
            .map(|host| &host.value);
        let by_destination = || self.target().and_then(|target| target.destination?.host.as_ref());
        by_route.or_else(by_destination).map(|host| host.as_bytes())
    }

    fn write_target(&self, view: &RequestView<'_>, out: &mut Vec<u8>) {
        let rewrite = self
            .forward()
            .and_then(|forward| forward.rewrite.as_ref()?.path.as_ref());
        match (rewrite, self.route) {
            (Some(rewrite), Some(route)) => rewrite_path(&route.matcher.path, rewrite, view.target, out),
            _ => out.extend_from_slice(view.target),
        }
    }
}

fn in_order(ops: &[HeaderOp]) -> impl Iterator<Item = &HeaderOp> {
    let kinds = [HeaderOpKind::Remove, HeaderOpKind::Set, HeaderOpKind::Add];
    kinds
        .into_iter()
        .flat_map(move |kind| ops.iter().filter(move |op| op.kind == kind))
}
