//! The routes of one VirtualService for one table (R-RT).

use std::sync::Arc;

use mesh_api::names::{Namespace, Text};
use mesh_api::networking::HttpMatchRequest;

use super::action;
use super::matcher;
use super::view::RouteView;
use crate::plan::{At, Index, Origin, Route, RouteMatcher};
use crate::snapshot::virtual_service::{HttpEntry, VirtualService};
use crate::trace::{Event, EventKind, Recorder, StaticSkip};

/// Builds the routes of `service` in order. Matches that can never apply to this proxy, gateway and port are left out; a
/// catch-all ends the list (R-RT-1, R-RT-2). An empty list means that the VirtualService is unusable here (R-RT-7).
pub(super) fn routes(
    service: &VirtualService,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Vec<Arc<Route>> {
    let mut routes: Vec<Arc<Route>> = Vec::new();
    let mut ended: Option<Origin> = None;
    for entry in &service.http {
        if let Some(by) = &ended {
            skip(entry, Index::NONE, recorder, || StaticSkip::AfterCatchAll {
                by: by.clone(),
            });
            continue;
        }
        if entry.route.matches.is_empty() {
            let built = route(
                service,
                entry,
                None,
                matcher::everything(&view.common.root_path),
                view,
                recorder,
            );
            // R-RT-2: the stop happens even when the route could not be built.
            ended = Some(origin(entry, Index::NONE));
            routes.extend(built);
            continue;
        }
        for (matching, position) in entry.route.matches.iter().zip(&entry.match_positions) {
            if let Some(by) = &ended {
                skip(entry, *position, recorder, || StaticSkip::AfterCatchAll {
                    by: by.clone(),
                });
                continue;
            }
            if let Some(reason) = static_skip(matching, view) {
                skip(entry, *position, recorder, || reason);
                continue;
            }
            let built = match matcher::matcher(matching, service.semantics) {
                Ok(matcher) => route(
                    service,
                    entry,
                    Some((matching, *position)),
                    matcher,
                    view,
                    recorder,
                ),
                Err(error) => {
                    let reason = Text::from(error.to_string());
                    skip(entry, *position, recorder, || StaticSkip::Invalid { reason });
                    None
                }
            };
            if let Some(built) = built {
                if built.is_catch_all() {
                    ended = Some(built.origin.clone());
                }
                routes.push(built);
            }
        }
    }
    routes
}

fn origin(entry: &HttpEntry, matching: Index) -> Origin {
    Origin::new(
        Arc::clone(&entry.object),
        At::HttpRule {
            entry: entry.entry,
            matching,
        },
    )
}

fn skip(
    entry: &HttpEntry,
    matching: Index,
    recorder: &mut impl Recorder,
    reason: impl FnOnce() -> StaticSkip,
) {
    recorder.record(|| {
        let reason = reason();
        let rule = match reason {
            StaticSkip::PortMismatch { .. } => "R-RT-4",
            StaticSkip::GatewayMismatch { .. }
            | StaticSkip::SourceLabelsMismatch
            | StaticSkip::SourceNamespaceMismatch { .. } => "R-RT-5",
            StaticSkip::AfterCatchAll { .. } => "R-RT-1",
            StaticSkip::Invalid { .. } => "R-ENV-9",
        };
        Event::new(
            rule,
            origin(entry, matching),
            EventKind::RouteSkippedStatic(reason),
        )
    });
}

/// Why a match never applies to this proxy, gateway and port, if so (R-RT-4, R-RT-5).
fn static_skip(matching: &HttpMatchRequest, view: &RouteView<'_>) -> Option<StaticSkip> {
    if matching.port != 0 && matching.port != u32::from(view.port) {
        return Some(StaticSkip::PortMismatch {
            wants: matching.port,
            is: view.port,
        });
    }
    if !matching.gateways.is_empty() {
        // quirk R-RT-5: with a list of gateways, source labels and namespace are not looked at.
        let current = view.gateway.to_string();
        return (!matching.gateways.contains(&current)).then(|| StaticSkip::GatewayMismatch {
            wants: matching.gateways.iter().map(Text::from).collect(),
        });
    }
    let labels = &matching.source_labels;
    if !labels
        .iter()
        .all(|(key, value)| view.facts.labels.get(key) == Some(value.as_str()))
    {
        return Some(StaticSkip::SourceLabelsMismatch);
    }
    let namespace = &matching.source_namespace;
    (!namespace.is_empty() && view.facts.namespace != namespace.as_str()).then(|| {
        StaticSkip::SourceNamespaceMismatch {
            wants: Namespace::new(namespace),
        }
    })
}

fn route(
    service: &VirtualService,
    entry: &HttpEntry,
    matching: Option<(&HttpMatchRequest, Index)>,
    matcher: RouteMatcher,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Option<Arc<Route>> {
    let origin = origin(entry, matching.map_or(Index::NONE, |(_, position)| position));
    let match_name = matching.map_or("", |(matching, _)| matching.name.as_str());
    // R-RT-8
    let name = match match_name {
        "" => Text::new(&entry.route.name),
        name => Text::from(format!("{}.{name}", entry.route.name)),
    };
    let built = action::action(service, entry, &matcher, &origin, view, recorder)?;
    let stat_prefix = matching
        .map(|(matching, _)| matching.stat_prefix.as_str())
        .filter(|text| !text.is_empty());
    let extras = action::extras(entry, built.headers, stat_prefix);
    Some(Arc::new(Route {
        name,
        matcher,
        action: built.action,
        extras,
        origin,
    }))
}
