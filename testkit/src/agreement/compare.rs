//! A decision against what a proxy did.

use std::time::Duration;

use mesh_route::decide::Effects;
use mesh_route::matching::Headers;
use mesh_route::plan::{AbortStatus, Action, Split};
use mesh_route::{Decision, Outcome, Request, Router};

use crate::envoy::{Echo, Loopback, RawResponse};
use crate::generate::{REPLY_HEADER, TOUCHED_HEADERS, TOUCHED_RESPONSE_HEADERS};

/// What differs between the router's decision for `request` and the `response` of the proxy named `proxy`; `None`: nothing.
///
/// The draw of a proxy among weighted destinations is its own, so that a response agrees if it does for any draw.
pub fn differs(
    router: &Router,
    proxy: &str,
    request: &Request,
    response: &RawResponse,
    elapsed: Duration,
) -> Option<String> {
    let decision = router.decide(request);
    let mut first = None;
    for draw in draws(&decision) {
        let request = request.clone().with_draw(draw);
        let decision = router.decide(&request);
        let found = Observed {
            proxy,
            request: &request,
            response,
            elapsed,
        };
        match found.check(&decision) {
            Ok(()) => return None,
            Err(why) => first = first.or_else(|| Some(format!("{why}\n  decided {decision:?}"))),
        }
    }
    first.or_else(|| Some("no draw gives a decision".to_owned()))
}

/// A draw for each destination that can be drawn.
fn draws(decision: &Decision<'_>) -> Vec<u64> {
    let split = decision.route.and_then(|route| match &route.action {
        Action::Forward(forward) => Some(&forward.split),
        _ => None,
    });
    match split {
        Some(Split::Weighted(destinations)) => {
            let starts = destinations.iter().scan(0, |sum, destination| {
                let start = *sum;
                *sum += u64::from(destination.weight);
                Some(start)
            });
            starts.collect()
        }
        _ => vec![0],
    }
}

struct Observed<'a> {
    proxy: &'a str,
    request: &'a Request,
    response: &'a RawResponse,
    elapsed: Duration,
}

impl Observed<'_> {
    fn check(&self, decision: &Decision<'_>) -> Result<(), String> {
        if let Some(delay) = decision.delay {
            holds("delay", delay <= self.elapsed + TIMER, || {
                format!("{delay:?}, after {:?}", self.elapsed)
            })?;
        }
        match decision.outcome() {
            Outcome::Forward(target) | Outcome::PassThrough(target) => {
                self.upstream(decision, &target.cluster_name().to_string())?;
                self.response_headers(decision, &[REPLY_HEADER])
            }
            Outcome::Redirect(_) => {
                self.own_answer(decision)?;
                let mut effects = Effects::new();
                decision.effects(self.request, &mut effects);
                let location = effects.location().map(latin1);
                equal("location", &self.response.header("location"), &location)?;
                self.response_headers(decision, &[])
            }
            Outcome::Respond(response) => {
                self.own_answer(decision)?;
                // Envoy sends no body where HTTP has none.
                let has_body = !matches!(response.status, 204 | 304);
                let body = response.body.as_deref().filter(|_| has_body).unwrap_or_default();
                equal("body", &self.response.text(), &latin1(body))?;
                self.response_headers(decision, &[])
            }
            Outcome::Fault(AbortStatus::Http(_)) => {
                self.own_answer(decision)?;
                equal("body", &self.response.text().as_str(), &"fault filter abort")
            }
            Outcome::NotFound(_) | Outcome::Unavailable(_) | Outcome::Rejected(_) => {
                self.own_answer(decision)
            }
            other => Err(format!("{other:?} cannot be compared")),
        }
    }

    /// The proxy answered by itself, with the decision's status.
    fn own_answer(&self, decision: &Decision<'_>) -> Result<(), String> {
        let upstream = Echo::of(self.response).map(|echo| echo.upstream);
        equal("upstream", &upstream, &None)?;
        equal("status", &Some(self.response.status), &decision.status())
    }

    /// What the upstream saw.
    fn upstream(&self, decision: &Decision<'_>, cluster: &str) -> Result<(), String> {
        let Some(echo) = Echo::of(self.response) else {
            let (status, body) = (self.response.status, self.response.text());
            return Err(format!(
                "upstream: expected {cluster}, found the proxy's own {status} {body:?}"
            ));
        };
        equal(
            "upstream",
            &echo.upstream,
            &Loopback::upstream_name(self.proxy, cluster),
        )?;
        let mut effects = Effects::new();
        decision.effects(self.request, &mut effects);
        equal("method", &echo.method, &latin1(self.request.method()))?;
        equal("path", &echo.path, &latin1(effects.target()))?;
        equal("host", &echo.all("host"), &vec![latin1(effects.host()).as_str()])?;
        let headers = decision.upstream_headers(self.request);
        TOUCHED_HEADERS.iter().try_for_each(|name| {
            let wanted: Vec<String> = headers.values(name).map(latin1).collect();
            equal(
                name,
                &echo.all(name),
                &wanted.iter().map(String::as_str).collect(),
            )
        })
    }

    /// Header operations on the response, over what the upstream sent.
    fn response_headers(&self, decision: &Decision<'_>, sent: &[(&str, &str)]) -> Result<(), String> {
        let mut headers = Headers::new();
        sent.iter().for_each(|(name, value)| headers.append(name, value));
        decision.response_headers().for_each(|op| headers.apply(op));
        TOUCHED_RESPONSE_HEADERS.iter().try_for_each(|name| {
            let wanted: Vec<String> = headers.values(name).map(latin1).collect();
            equal(
                &format!("{name} of the response"),
                &self.response.all(name),
                &wanted,
            )
        })
    }
}

/// How much too early a timer of Envoy may fire: it counts from the start of the event loop's turn.
const TIMER: Duration = Duration::from_millis(5);

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    holds(what, found == wanted, || {
        format!("expected {wanted:?}, found {found:?}")
    })
}

fn holds(what: &str, is: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if is {
        Ok(())
    } else {
        Err(format!("{what}: {}", why()))
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
