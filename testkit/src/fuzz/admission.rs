//! What must be true of any question to the webhook.

use mesh_api::admission::{AdmissionOptions, DenialReason, ReviewOutcome, review_validate};
use mesh_api::names::Namespace;
use mesh_api::validate::{ValidateOptions, validate_decoded};
use mesh_api::{DecodeOptions, Profile};
use serde_json::{Value, json};

/// Any bytes get an answer: JSON of bounded size that says what the outcome says, echoes the uid of a review that could be
/// read, and allows only what has no errors. Asked twice, it is the same. The input is a review; where it is JSON, it is also
/// asked about as the object of one, and then the verdict is that of the validator on the object alone.
pub fn admission(bytes: &[u8]) {
    let strict = AdmissionOptions {
        validate: ValidateOptions::new(Profile::Strict),
        status_code: Some(422),
    };
    let review = serde_json::from_slice::<Value>(bytes).ok();
    for options in [AdmissionOptions::default(), strict] {
        let outcome = answered(bytes, &options);
        if let (Some(review), true) = (&review, was_read(&outcome)) {
            let uid = &review["request"]["uid"];
            let echo = &body(&outcome)["response"]["uid"];
            assert_eq!(echo.as_str(), Some(uid.as_str().unwrap_or_default()));
            assert_eq!(body(&outcome)["apiVersion"], review["apiVersion"]);
        }
    }
    if let Some(object) = review {
        about(&object);
    }
}

/// The outcome, held to what is promised of every outcome.
fn answered(bytes: &[u8], options: &AdmissionOptions) -> ReviewOutcome {
    let outcome = review_validate(bytes, options);
    assert_eq!(outcome, review_validate(bytes, options));

    let ReviewOutcome {
        denial,
        warnings,
        report,
        http,
        ..
    } = &outcome;
    assert_eq!((http.status, http.content_type), (200, "application/json"));
    // a uid may be written with escapes that it was not read with
    assert!(
        http.body.len() <= 6 * bytes.len() + (300 << 10),
        "{}",
        http.body.len()
    );
    let body = body(&outcome);
    assert_eq!(body["kind"], "AdmissionReview");
    let response = &body["response"];
    assert_eq!(response["allowed"], json!(denial.is_none()));
    match denial {
        Some(denial) => {
            assert!(!denial.message.is_empty() && denial.message.len() <= 40 << 10);
            assert!(!denial.message.contains(char::is_control), "{}", denial.message);
            assert_eq!(response["status"]["message"], json!(denial.message));
            assert_eq!(
                response["status"].get("code"),
                options.status_code.map(|code| json!(code)).as_ref()
            );
            assert!(warnings.is_empty() && response.get("warnings").is_none());
        }
        None => {
            assert!(report.is_ok(), "{report}");
            assert!(response.get("status").is_none());
            let sizes: Vec<usize> = warnings.iter().map(|warning| warning.chars().count()).collect();
            assert!(sizes.iter().all(|size| (1..=256).contains(size)) && sizes.iter().sum::<usize>() <= 4096);
            assert!(report.warnings().next().is_some() != warnings.is_empty());
        }
    }
    outcome
}

fn body(outcome: &ReviewOutcome) -> Value {
    serde_json::from_slice(&outcome.http.body).expect("an answer is JSON")
}

fn was_read(outcome: &ReviewOutcome) -> bool {
    let reason = outcome.denial.as_ref().map(|denial| denial.reason);
    reason != Some(DenialReason::ReviewUnreadable)
}

/// The verdict on an object in a review is the one on the object alone.
fn about(object: &Value) {
    let request = json!({ "uid": "u", "operation": "CREATE", "namespace": "shop", "object": object });
    let review =
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
    let outcome = answered(review.to_string().as_bytes(), &AdmissionOptions::default());
    if !was_read(&outcome)
        || object["apiVersion"]
            .as_str()
            .is_none_or(|group| !group.contains(".istio.io/"))
    {
        return;
    }
    let decode_options = DecodeOptions {
        profile: Profile::Istiod,
        default_namespace: Some(Namespace::new("shop")),
        ..DecodeOptions::default()
    };
    let decoded = mesh_api::decode_with("object", object.to_string().as_bytes(), &decode_options);
    let alone = validate_decoded(&decoded, &ValidateOptions::new(Profile::Istiod));
    match outcome.denial.map(|denial| denial.reason) {
        None => assert!(alone.is_ok(), "{alone}"),
        Some(DenialReason::UnknownKind) => {}
        Some(_) => assert!(!alone.is_ok(), "{object}"),
    }
}
