//! The answer to a review.

use serde::Serialize;

use super::request::VERSIONS;
use crate::report::{Diagnostic, Report};

/// The answer to a request, for whoever sends it and for whoever counts and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewOutcome {
    /// Why the object may not be stored; `None` if it may.
    pub denial: Option<Denial>,
    /// What the user is told although the object may be stored: at most 256 characters each, and 4096 in all (A-ADM-5).
    pub warnings: Vec<String>,
    /// All findings, in the order of the object's text (A-GEN-3). They name objects and fields, and no places in a text that no
    /// user has seen.
    pub report: Report,
    /// Whether the request said that nothing is to be stored. It changes no verdict (A-ADM-6).
    pub dry_run: bool,
    /// What to send.
    pub http: HttpHint,
}

impl ReviewOutcome {
    /// Whether the object may be stored.
    pub fn is_allowed(&self) -> bool {
        self.denial.is_none()
    }
}

/// Why an object may not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The step that failed.
    pub reason: DenialReason,
    /// What the user is told. At most 32 KiB; of more errors it says how many there are.
    pub message: String,
}

/// The step at which an object was denied; the first one that fails answers (A-ADM-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DenialReason {
    /// The HTTP request is not one that the API server makes (A-ADM-1).
    BadRequest,
    /// The review could not be read (A-ADM-1).
    ReviewUnreadable,
    /// The object is none, or its metadata could not be read.
    ObjectUnreadable,
    /// The kind is not one that istiod knows.
    UnknownKind,
    /// The specification could not be read.
    SpecUnreadable,
    /// The object breaks rules.
    Invalid,
    /// The object has a top-level field that objects do not have (A-MET-1).
    UnknownField,
}

/// What to send back to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHint {
    /// The status: 200 for every answer to a review, denials included; 4xx for what is no question.
    pub status: u16,
    /// `application/json` for an answer, `text/plain` for a refused request.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer before it is written.
#[derive(Default)]
pub(super) struct Answer<'a> {
    pub(super) api_version: Option<&'static str>,
    pub(super) uid: &'a str,
    pub(super) dry_run: bool,
    pub(super) status_code: Option<u16>,
}

impl Answer<'_> {
    /// The outcome with this verdict.
    pub(super) fn write(self, denial: Option<Denial>, report: Report) -> ReviewOutcome {
        let [newest, _] = VERSIONS;
        let warnings = match denial {
            Some(_) => Vec::new(),
            None => warnings(&report),
        };
        let review = Review {
            api_version: self.api_version.unwrap_or(newest),
            kind: "AdmissionReview",
            response: Response {
                uid: self.uid,
                allowed: denial.is_none(),
                status: denial.as_ref().map(|denial| Status {
                    message: &denial.message,
                    code: self.status_code,
                }),
                warnings: &warnings,
            },
        };
        // INVARIANT: texts, a number and a boolean can always be written
        let body = serde_json::to_vec(&review).unwrap_or_default();
        let http = HttpHint {
            status: 200,
            content_type: "application/json",
            body,
        };
        ReviewOutcome {
            denial,
            warnings,
            report,
            dry_run: self.dry_run,
            http,
        }
    }
}

/// The answer to a request that is no question.
pub(super) fn refuse(status: u16, message: &str) -> ReviewOutcome {
    ReviewOutcome {
        denial: Some(Denial {
            reason: DenialReason::BadRequest,
            message: message.to_owned(),
        }),
        warnings: Vec::new(),
        report: Report::new(),
        dry_run: false,
        http: HttpHint {
            status,
            content_type: "text/plain",
            body: message.as_bytes().to_vec(),
        },
    }
}

/// A-ADM-2.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Status<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

/// Longest warning and most of all of them, in characters: the API server cuts off the rest.
const WARNING_CHARS: usize = 256;
const ALL_WARNING_CHARS: usize = 4096;
/// Longest list of errors, in bytes, so that a large object does not make a larger answer.
const MESSAGE_BYTES: usize = 32 << 10;

/// A-ADM-5.
fn warnings(report: &Report) -> Vec<String> {
    let mut left = ALL_WARNING_CHARS;
    let mut warnings = Vec::new();
    for finding in report.warnings() {
        let text = shortened(&line(finding), WARNING_CHARS.min(left));
        if text.is_empty() {
            break;
        }
        left = left.saturating_sub(text.chars().count());
        warnings.push(text);
    }
    warnings
}

/// The errors in one line.
pub(super) fn errors_of(report: &Report) -> String {
    let mut text = String::new();
    let mut errors = report.errors();
    while let Some(error) = errors.next() {
        let line = line(error);
        if !text.is_empty() && text.len() + line.len() > MESSAGE_BYTES / 2 {
            let more = errors.count() + 1;
            text.push_str(&format!("; and {more} more"));
            break;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&shortened(&line, MESSAGE_BYTES / 8));
    }
    text
}

/// A finding with its field, without line breaks.
fn line(finding: &Diagnostic) -> String {
    let text = match finding.path.is_root() {
        true => finding.message.clone(),
        false => format!("{}: {}", finding.path, finding.message),
    };
    match text.contains(char::is_control) {
        true => text.replace(char::is_control, " "),
        false => text,
    }
}

/// At most `limit` characters, the last one an ellipsis where something was cut off.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    if limit > 0 {
        short.push('…');
    }
    short
}
