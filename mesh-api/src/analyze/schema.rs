//! The rules of validation, as analysis reports them.

use super::codes;
use super::sink::Sink;
use super::view::View;
use crate::codec::Profile;
use crate::object::Model;
use crate::report::Severity;
use crate::validate::{ValidateOptions, validate};

/// IST0106, IST0130, IST0131 and IST0133 about the objects of a kind.
pub(super) fn check<T: Model>(view: &View<'_>, sink: &mut Sink<'_>) {
    let options = ValidateOptions::new(Profile::Istiod);
    for (key, object) in view.objects.iter_kind(&T::KIND) {
        for finding in validate(object, &options) {
            let detail = match &finding.help {
                Some(help) => format!("{}, {help}", finding.message),
                None => finding.message,
            };
            let (key, path) = (key.clone(), finding.path);
            match (finding.severity, finding.code.as_str()) {
                (Severity::Error, rule) => {
                    sink.report_key(
                        codes::SCHEMA_VALIDATION_ERROR,
                        key,
                        path,
                        [detail, rule.to_owned()],
                    );
                }
                (_, "A-VS-97" | "A-VS-98" | "A-VS-100") => {
                    sink.report_key(codes::UNREACHABLE_RULE, key, path, [detail]);
                }
                (_, "A-VS-99" | "A-VS-101") => {
                    sink.report_key(codes::INEFFECTIVE_MATCH, key, path, [detail]);
                }
                (_, rule) => sink.report_key(codes::SCHEMA_WARNING, key, path, [detail, rule.to_owned()]),
            }
        }
    }
}
