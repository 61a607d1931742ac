//! Conditions in the status of objects that say no. Source: Istio analysis conditions.go.

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::View;
use crate::kind::Kind;
use crate::kubernetes::Condition;
use crate::networking::{ServiceEntry, WorkloadEntry};
use crate::object::{AnyObject, Model, ObjectKey, OpaqueObject};
use crate::report::FieldPath;
use crate::security::AuthorizationPolicy;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const BOUND: &[&str] = &["istio.io/WaypointBound"];
const ACCEPTED_BY_PROXIES: &[&str] = &["ZtunnelAccepted", "WaypointAccepted"];
const PROGRAMMED: &[&str] = &["Accepted", "Programmed", "ResolvedRefs"];

/// IST0171
pub(super) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    for service in view.objects.services() {
        for (at, condition) in service.spec.status.conditions.iter().enumerate() {
            judge(
                condition,
                BOUND,
                service.key(),
                field!["status", "conditions", at],
                sink,
            );
        }
    }
    of_status::<ServiceEntry>(view, BOUND, sink);
    of_status::<WorkloadEntry>(view, BOUND, sink);
    of_status::<AuthorizationPolicy>(view, ACCEPTED_BY_PROXIES, sink);
    for kind in ["Gateway", "HTTPRoute", "GRPCRoute"] {
        let kind = Kind::of(&format!("{GATEWAY_API}/v1"), kind);
        for (key, object) in view.objects.iter_kind(&kind) {
            if let AnyObject::Opaque(object) = object {
                of_gateway_api(key, object, sink);
            }
        }
    }
}

/// Istio's kinds keep their status as it was read.
fn of_status<T: Model>(view: &View<'_>, meant: &[&str], sink: &mut Sink<'_>) {
    for object in view.objects.objects_of::<T>() {
        let status = object.status.as_ref().and_then(|status| status.get("conditions"));
        for (at, condition) in status
            .and_then(|list| list.as_array())
            .into_iter()
            .flatten()
            .enumerate()
        {
            let text = |field: &str| {
                condition
                    .get(field)
                    .and_then(|text| text.as_str())
                    .unwrap_or_default()
            };
            let condition = Condition {
                r#type: text("type").to_owned(),
                status: text("status").to_owned(),
                reason: text("reason").to_owned(),
                message: text("message").to_owned(),
            };
            judge(
                &condition,
                meant,
                object.key(),
                field!["status", "conditions", at],
                sink,
            );
        }
    }
}

fn of_gateway_api(key: &ObjectKey, object: &OpaqueObject, sink: &mut Sink<'_>) {
    let Some(status) = object.root().get("status") else {
        return;
    };
    let mut lists = Vec::new();
    lists.extend(
        status
            .get("conditions")
            .map(|list| (field!["status", "conditions"], list)),
    );
    if let Some(parents) = status.get("parents") {
        let parents = parents.items().enumerate();
        let conditions = parents.filter_map(|(at, parent)| {
            let list = parent.get("conditions")?;
            Some((field!["status", "parents", at, "conditions"], list))
        });
        lists.extend(conditions);
    }
    for (path, list) in lists {
        for (at, condition) in list.items().enumerate() {
            let text = |field: &str| condition.get(field).map(|text| text.text()).unwrap_or_default();
            let condition = Condition {
                r#type: text("type").to_owned(),
                status: text("status").to_owned(),
                reason: text("reason").to_owned(),
                message: text("message").to_owned(),
            };
            judge(&condition, PROGRAMMED, key.clone(), path.with_index(at), sink);
        }
    }
}

fn judge(condition: &Condition, meant: &[&str], object: ObjectKey, path: FieldPath, sink: &mut Sink<'_>) {
    let Condition {
        r#type,
        status,
        reason,
        message,
    } = condition;
    let is_partial = r#type == "WaypointAccepted" && reason == "PartiallyInvalid";
    if meant.contains(&r#type.as_str()) && (status == "False" || is_partial) {
        let parameters = [r#type.clone(), status.clone(), reason.clone(), message.clone()];
        sink.report_key(
            codes::NEGATIVE_CONDITION,
            object,
            path.with_field("type"),
            parameters,
        );
    }
}
