//! Fields and kinds that are on their way out. Source: Istio analysis deprecation.go.

use super::codes;
use super::path::{self, field};
use super::sink::Sink;
use super::view::View;
use crate::kubernetes::CustomResourceDefinition;

/// Definitions that Istio no longer has.
const REMOVED: &[&str] = &[
    "clusterrbacconfigs.rbac.istio.io",
    "rbacconfigs.rbac.istio.io",
    "servicerolebindings.rbac.istio.io",
    "serviceroles.rbac.istio.io",
];

/// IST0002
pub(super) fn fields(view: &View<'_>, sink: &mut Sink<'_>) {
    for object in view.objects.virtual_services() {
        for (at, route) in object.spec.http.iter().enumerate() {
            let delay = route.fault.as_ref().and_then(|fault| fault.delay.as_ref());
            if delay.is_some_and(|delay| delay.percent > 0) {
                let path = field!["spec", "http", at, "fault", "delay", "percent"];
                let detail = "`fault.delay.percent` is replaced by `fault.delay.percentage`";
                sink.report(codes::DEPRECATED, object, path, [detail.to_owned()]);
            }
        }
    }
    for object in view.objects.sidecars() {
        let policy = object.spec.outbound_traffic_policy.as_ref();
        if policy.is_some_and(|policy| policy.egress_proxy.is_some()) {
            let path = field!["spec", "outboundTrafficPolicy", "egressProxy"];
            let detail = "`outboundTrafficPolicy.egressProxy` may go, and nothing takes its place";
            sink.report(codes::DEPRECATED, object, path, [detail.to_owned()]);
        }
    }
    for object in view.objects.objects_of::<CustomResourceDefinition>() {
        if REMOVED.contains(&object.meta.name.as_str()) {
            let detail = format!(
                "Istio no longer reads the kind that `{}` defines",
                object.meta.name
            );
            sink.report(codes::DEPRECATED, object, path::name(), [detail]);
        }
    }
}
