//! The layers of a profile: the API server's, then istiod's.

use std::collections::{BTreeMap, BTreeSet};

use super::{ValidateOptions, istiod};
use crate::codec::{Decoded, Locator, Tree};
use crate::crd;
use crate::names::Text;
use crate::object::{AnyObject, ObjectKey};
use crate::object_set::{ObjectSet, Origin};
use crate::report::{Diagnostic, Report};

/// The whole verdict on what was decoded: the decoder's findings and those of all layers of the profile, in the order of
/// the files and of the text in each (A-GEN-3).
///
/// Objects that the decoder refused are in it too: the API server's layer looks at their text, and what both found is there
/// once. istiod's rules need an object that could be read. Of several objects with one key each is judged, not only the last
/// one, which stays. Give the profile that the text was decoded with.
///
/// ```
/// use mesh_api::validate::{ValidateOptions, validate_decoded};
///
/// let text = "\
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: reviews, namespace: shop}
/// spec:
///   hosts: ['*']
///   http:
///   - timeout: 1us
///     route: [{destination: {hst: reviews}}]
/// ";
/// let decoded = mesh_api::decode("shop.yaml", text.as_bytes());
/// let report = validate_decoded(&decoded, &ValidateOptions::default());
/// let lines: Vec<String> = report.iter().map(ToString::to_string).collect();
/// assert_eq!(lines, [
///     "shop.yaml:7:14: `1us` is no duration of at least 1ms, write a number with a unit, such as `10s` [A-CR-17]",
///     "shop.yaml:8:14: the field `host` is required, add `host` [A-CR-28]",
///     "shop.yaml:8:28: unknown field `hst`, did you mean `host`? [A-WIRE-2]",
/// ]);
/// ```
pub fn validate_decoded(decoded: &Decoded, options: &ValidateOptions) -> Report {
    let mut all = decoded.report().clone();
    if options.profile.has_api_server() {
        // the decoder found some of it already, a choice of two members perhaps under the name of the other
        let errors = || decoded.report().errors();
        let fields: BTreeSet<_> = errors()
            .map(|error| (error.object.as_ref(), &error.path))
            .collect();
        let starts: BTreeSet<_> = errors().filter_map(start).collect();
        for (key, origin) in decoded.refused() {
            let found = crd::check(key, origin.node()).into_iter();
            let is_known = |finding: &Diagnostic| {
                fields.contains(&(Some(key), &finding.path))
                    || start(finding).is_some_and(|start| starts.contains(&start))
            };
            all.extend(found.filter(|finding| !is_known(finding)).collect());
        }
    }
    all.extend(validate_all(decoded.objects(), options));
    for (object, origin) in decoded.replaced() {
        all.extend(judge(&object.key(), object, origin.as_ref(), options));
    }

    let mut files: BTreeMap<Text, usize> = BTreeMap::new();
    for document in decoded.documents() {
        let next = files.len();
        files.entry(document.location.file.clone()).or_insert(next);
    }
    let place = |finding: &Diagnostic| {
        let location = finding.location.as_ref()?;
        let file = files.get(&location.file).copied().unwrap_or(usize::MAX);
        Some((file, location.span.start, finding.code))
    };
    let mut sorted: Vec<Diagnostic> = all.into_iter().collect();
    sorted.sort_by_cached_key(|finding| {
        let place = place(finding);
        (place.is_none(), place)
    });
    sorted.into_iter().collect()
}

/// The file and byte where a finding starts.
fn start(finding: &Diagnostic) -> Option<(&Text, usize)> {
    let location = finding.location.as_ref()?;
    Some((&location.file, location.span.start))
}

/// Validates all objects of a set by all layers of the profile; all findings, in the order of the keys, each with its place
/// in the text it was read from.
///
/// ```
/// use mesh_api::validate::{ValidateOptions, validate_all};
///
/// let text = "\
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: all, namespace: shop}
/// spec:
///   hosts: ['*']
///   http: [{route: [{destination: {host: reviews}}]}]
/// ";
/// let decoded = mesh_api::decode("all.yaml", text.as_bytes());
/// let report = validate_all(decoded.objects(), &ValidateOptions::default());
/// let finding = report.errors().next().ok_or("a finding")?;
/// assert!(finding.to_string().starts_with("all.yaml:5:11: the host `*` needs a gateway"), "{finding}");
/// # Ok::<(), &str>(())
/// ```
pub fn validate_all(objects: &ObjectSet, options: &ValidateOptions) -> Report {
    let mut all = Report::new();
    for (key, object) in objects.iter() {
        all.extend(judge(key, object, objects.origin(key), options));
    }
    all
}

/// What all layers say of an object, each finding with its place.
fn judge(key: &ObjectKey, object: &AnyObject, origin: Option<&Origin>, options: &ValidateOptions) -> Report {
    let mut found = Report::new();
    if options.profile.has_api_server() {
        found.extend(match origin {
            Some(origin) => crd::check(key, origin.node()).into_iter().collect(),
            None => of_written(object),
        });
    }
    found.extend(istiod(object, options));
    if let Some(origin) = origin.filter(|_| !found.is_empty()) {
        let mut locator = Locator::new(origin.node());
        found.locate_with(|_, path| Some(origin.location_by(&mut locator, path)));
    }
    found
}

/// Validates an object of any kind by all layers of the profile; all findings of each layer, in the order of the fields.
///
/// The API server's layer is asked about the object as it would be written, since a typed object does not tell a field that
/// is empty from one that is absent; [`validate_all`] asks it about the text that was read. Kinds that are not Istio's have
/// no findings.
pub fn validate(object: &AnyObject, options: &ValidateOptions) -> Report {
    let mut report = if options.profile.has_api_server() {
        of_written(object)
    } else {
        Report::new()
    };
    report.extend(istiod(object, options));
    report
}

/// What the API server says of an object that has no text.
fn of_written(object: &AnyObject) -> Report {
    if !crd::covers(&object.kind()) {
        return Report::new();
    }
    let key = object.key();
    let written = object.to_json().unwrap_or_default(); // writing objects has no errors
    let mut found = match Tree::parse("", &written) {
        Ok(tree) => crd::check(&key, tree.root()),
        Err(refused) => vec![refused.with_object(key)],
    };
    for finding in &mut found {
        finding.location = None;
    }
    found.into_iter().collect()
}
