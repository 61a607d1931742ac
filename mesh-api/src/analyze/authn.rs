//! Where istiod may fetch JWKS from.

use super::codes;
use super::path;
use super::sink::Sink;
use super::view::View;
use crate::kubernetes::Deployment;
use crate::security::RequestAuthentication;

const VARIABLE: &str = "BLOCKED_CIDRS_IN_JWKS_URIS";

/// IST0175
pub(super) fn blocked_cidrs(view: &View<'_>, sink: &mut Sink<'_>) {
    if view
        .objects
        .objects_of::<RequestAuthentication>()
        .next()
        .is_none()
    {
        return;
    }
    let istiods = view.objects.objects_of::<Deployment>();
    for istiod in istiods.filter(|deployment| deployment.meta.labels.get("app") == Some("istiod")) {
        let mut variables = istiod
            .spec
            .spec
            .template
            .spec
            .containers
            .iter()
            .flat_map(|container| &container.env);
        let is_set =
            |value: &crate::kubernetes::EnvVar| !value.value.is_empty() || value.value_from.is_some();
        if !variables.any(|variable| variable.name == VARIABLE && is_set(variable)) {
            sink.report(
                codes::JWKS_FETCH_UNRESTRICTED,
                istiod,
                path::name(),
                [VARIABLE.to_owned()],
            );
        }
    }
}
