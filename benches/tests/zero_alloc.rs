//! A decision of a warm router allocates nothing, and neither does reading a SPIFFE id or refusing a request for its size.
//! Here, since only this package may count allocations.

#[path = "../../mesh-route/tests/support/mod.rs"]
mod support;

use benches::{CountingAllocator, allocations_of};
use mesh_ca::{CsrPolicy, SpiffeIdRef};
use mesh_route::decide::Effects;
use mesh_route::{Outcome, Request};
use support::*;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn allocations(work: impl FnOnce()) -> u64 {
    allocations_of(work).0
}

fn requests() -> Vec<Request> {
    vec![
        get("/reviews/7?page=2").with_header("end-user", "jason"),
        get("/reviews/7").with_header("user-agent", "A Tablet 7"),
        get("/reviews/7").with_header("user-agent", "curl").with_draw(85),
        get("/").with_authority("x.reviews.test:80"),
        get("/").with_authority("elsewhere.test"),
        get("/").without_authority(),
    ]
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![0_u8; 7]))) > 0);
}

#[test]
fn a_warm_decision_allocates_nothing() {
    let router = bookinfo();
    let requests = requests();
    let warm: Vec<_> = requests.iter().map(|request| router.decide(request)).collect();
    assert!(
        warm.iter()
            .filter(|decision| matches!(decision.outcome(), Outcome::Forward(_)))
            .count()
            >= 4
    );
    for request in &requests {
        let mut decided = None;
        let count = allocations(|| decided = Some(router.decide(request)));
        assert_eq!(count, 0, "{request:?}: {decided:?}");
        let count = allocations(|| {
            if let Some(decision) = &decided {
                let target = decision.destination();
                std::hint::black_box((
                    decision.origin(),
                    decision.status(),
                    target.and_then(|t| t.subset()),
                ));
                std::hint::black_box(target.map(|target| target.endpoints().count()));
                std::hint::black_box(decision.mirrors(request).count() + decision.request_headers().count());
            }
        });
        assert_eq!(count, 0, "accessors for {request:?}");
    }
}

#[test]
fn a_prepared_router_is_warm() {
    let router = bookinfo();
    router.prepare();
    let tablet = get("/reviews/7").with_header("user-agent", "A Tablet 7");
    router.decide(&tablet); // the engine of a pattern takes its scratch memory at the first match
    assert_eq!(allocations_of(|| router.decide(&tablet)).0, 0);
    let jason = get("/reviews/7").with_header("end-user", "jason");
    assert_eq!(allocations_of(|| router.decide(&jason)).0, 0);
}

#[test]
fn effects_reuse_their_buffer() {
    let router = bookinfo();
    let mut effects = Effects::new();
    for request in &requests() {
        let decision = router.decide(request);
        decision.effects(request, &mut effects);
        assert_eq!(
            allocations(|| decision.effects(request, &mut effects)),
            0,
            "{request:?}"
        );
    }
}

/// C-PERF-3: the borrowed form of an id points into the text, and errors hold no text.
#[test]
fn reading_a_spiffe_id_allocates_nothing() {
    for text in [
        "spiffe://cluster.local/ns/shop/sa/reviews",
        "spiffe://td",
        "spiffe://td/a%20b",
        "https://cluster.local/ns/shop/sa/reviews",
        "spiffe://td/",
        "",
    ] {
        let mut read = None;
        let count = allocations(|| read = Some(SpiffeIdRef::parse(text)));
        assert_eq!(count, 0, "{text}: {read:?}");
        if let Some(Ok(id)) = read {
            let parts = || std::hint::black_box((id.trust_domain(), id.path(), id.as_str().len()));
            assert_eq!(allocations_of(parts).0, 0, "parts of {text}");
        }
    }
}

/// C-CSR-3, C-GEN-8: a request of ten megabytes is refused unread, in DER and in PEM, whatever else it may be.
#[test]
fn a_huge_request_allocates_nothing() {
    let mut der = vec![0x30, 0x84, 0, 0x9f, 0xff, 0xfa];
    der.resize(10 << 20, 0);
    let mut text = b"-----BEGIN CERTIFICATE REQUEST-----\n".to_vec();
    text.resize(10 << 20, b'A');
    for request in [&der, &text] {
        let before = benches::thread_time();
        let (count, refused) = allocations_of(|| CsrPolicy::istio().check(request));
        assert_eq!(count, 0);
        assert_eq!(refused.unwrap_err().code(), "csr.too_large");
        // It is microseconds; the bound is for busy machines.
        assert!(benches::thread_time() - before < std::time::Duration::from_millis(10));
    }
}
