//! The validating webhook.

use super::outcome::{Answer, Denial, DenialReason, ReviewOutcome, errors_of, refuse, shortened};
use super::request::{MAX_REQUEST_BYTES, Request};
use crate::codec::{DecodeOptions, Limits, Node, Profile, codes, read_single};
use crate::kind::Kind;
use crate::names::Namespace;
use crate::report::{Diagnostic, FieldPath, Report};
use crate::validate::{ValidateOptions, covers, validate_decoded, validate_metadata};

/// How reviews are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionOptions {
    /// How objects are read and judged. Default: as istiod does.
    ///
    /// An object without a namespace lies in that of the request, and in the default namespace only if the request has none
    /// either (A-ADM-8).
    pub validate: ValidateOptions,
    /// The HTTP status that clients of the API server see on denial, such as 403 or 422. Default: none, which they see as
    /// 400 (A-ADM-2). Bounds: the API server takes 400..=599, and shows 400 for anything else.
    pub status_code: Option<u16>,
}

impl Default for AdmissionOptions {
    fn default() -> Self {
        Self {
            validate: ValidateOptions::new(Profile::Istiod),
            status_code: None,
        }
    }
}

/// Answers an HTTP request to the webhook, with the checks on what is around the review (A-ADM-1): an empty body is 400, one
/// of more than [`MAX_REQUEST_BYTES`] 413, and a content type other than exactly `application/json` 415. Everything else is
/// for [`review_validate`]. The API server sends POST; istiod does not ask.
///
/// ```
/// use mesh_api::admission::{AdmissionOptions, respond};
///
/// let options = AdmissionOptions::default();
/// assert_eq!(respond(Some("application/json"), b"", &options).http.status, 400);
/// assert_eq!(respond(Some("application/json; charset=utf-8"), b"{}", &options).http.status, 415);
/// assert_eq!(respond(Some("application/json"), b"{}", &options).http.status, 200); // a denial is an answer
/// ```
pub fn respond(content_type: Option<&str>, body: &[u8], options: &AdmissionOptions) -> ReviewOutcome {
    if body.is_empty() {
        refuse(400, "no body found")
    } else if body.len() > MAX_REQUEST_BYTES {
        refuse(413, &format!("the body has more than {MAX_REQUEST_BYTES} bytes"))
    } else if content_type != Some("application/json") {
        refuse(415, "invalid Content-Type, want `application/json`")
    } else {
        review_validate(body, options)
    }
}

/// Answers an AdmissionReview of version v1 or v1beta1 in its own version (A-ADM-2).
///
/// Whatever comes in, there is an answer: a review that cannot be read is denied, with a message and without a uid.
pub fn review_validate(bytes: &[u8], options: &AdmissionOptions) -> ReviewOutcome {
    let request = match Request::read(bytes) {
        Ok(request) => request,
        Err(why) => {
            let message = format!("could not decode the review: {}", shortened(&why, 1000));
            let denial = deny(DenialReason::ReviewUnreadable, message);
            let answer = Answer {
                status_code: options.status_code,
                ..Answer::default()
            };
            return answer.write(Some(denial), Report::new());
        }
    };
    let (denial, mut report) = match (request.operation.as_str(), request.object()) {
        // A-ADM-3: a change of the status is judged like any other
        ("CREATE" | "UPDATE", Some(object)) => judge(&request, object, &options.validate),
        ("CREATE" | "UPDATE", None) => {
            let message = "cannot decode configuration: there is no object".to_owned();
            (Some(deny(DenialReason::ObjectUnreadable, message)), Report::new())
        }
        _ => (None, Report::new()),
    };
    report = report.into_iter().map(without_place).collect();
    let answer = Answer {
        api_version: Some(request.api_version),
        uid: &request.uid,
        dry_run: request.dry_run,
        status_code: options.status_code,
    };
    answer.write(denial, report)
}

/// A-ADM-4: the first step that fails answers.
fn judge(request: &Request, object: Node<'_>, options: &ValidateOptions) -> (Option<Denial>, Report) {
    // A-ADM-8 [fix]: upstream leaves the namespace empty
    let namespace = match request.namespace.is_empty() {
        true => options.default_namespace.clone(),
        false => Namespace::new(request.namespace.as_str()),
    };
    let options = ValidateOptions {
        default_namespace: namespace.clone(),
        ..options.clone()
    };
    let decode_options = DecodeOptions {
        profile: options.profile,
        default_namespace: Some(namespace),
        limits: Limits::default(),
        ..DecodeOptions::default()
    };
    let (decoded, top_level) = read_single(&request.tree, object, &decode_options);
    let is_below_spec = |finding: &&Diagnostic| FieldPath::spec().is_prefix_of(&finding.path);

    let mut outside = decoded.report().errors().filter(|error| !is_below_spec(error));
    if outside.next().is_some() {
        let message = format!("cannot decode configuration: {}", errors_of(decoded.report()));
        return (
            Some(deny(DenialReason::ObjectUnreadable, message)),
            decoded.report().clone(),
        );
    }
    let kind = decoded
        .documents()
        .iter()
        .find_map(|document| document.kind.clone());
    let is_gateway_api = kind.as_ref().is_some_and(|kind| kind.group() == GATEWAY_API);
    let Some(kind) = kind.filter(|kind| covers(kind) || is_gateway_api) else {
        return (Some(unrecognized(object)), decoded.report().clone());
    };
    let mut report = validate_decoded(&decoded, &options);
    if is_gateway_api {
        let objects = decoded.objects();
        objects
            .iter()
            .for_each(|(_, object)| report.extend(validate_metadata(object, &options)));
    }
    if !decoded.report().is_ok() {
        let message = format!("error decoding configuration: {}", errors_of(&report));
        return (Some(deny(DenialReason::SpecUnreadable, message)), report);
    }
    if !report.is_ok() {
        let message = format!("configuration is invalid: {}", errors_of(&report));
        return (Some(deny(DenialReason::Invalid, message)), report);
    }
    let denial = unknown_field(&kind, &top_level);
    report.extend(top_level);
    (denial, report)
}

/// Kinds of this group are known to the webhook, and only their metadata are looked at.
const GATEWAY_API: &str = "gateway.networking.k8s.io";

fn unrecognized(object: Node<'_>) -> Denial {
    let word = |key: &str| {
        let text = object.get(key).and_then(|node| node.as_str()).unwrap_or_default();
        shortened(text, 100)
    };
    let message = format!("unrecognized type {} {}", word("apiVersion"), word("kind"));
    deny(DenialReason::UnknownKind, message)
}

/// A-MET-1; the first such field is named.
fn unknown_field(kind: &Kind, top_level: &Report) -> Option<Denial> {
    let finding = top_level
        .errors()
        .find(|finding| finding.code == codes::TOP_LEVEL)?;
    let Diagnostic { message, object, .. } = finding;
    let place = object
        .as_ref()
        .map(|key| format!("{}/{}", key.namespace, key.name))
        .unwrap_or_default();
    let message = format!("{message} on {kind} resource {}", shortened(&place, 400));
    Some(deny(DenialReason::UnknownField, message))
}

fn deny(reason: DenialReason, message: String) -> Denial {
    let message = message.replace(char::is_control, " ");
    Denial { reason, message }
}

/// A finding without its place, which would be one in a text that nobody has seen.
fn without_place(mut finding: Diagnostic) -> Diagnostic {
    finding.location = None;
    finding
}
