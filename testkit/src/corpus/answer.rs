//! Asking a question with `given` and comparing the answer with `expect`, so that neither a part of the question nor a part
//! of the expectation can be forgotten.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Verdict;

/// Why a case has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The library refused what the case takes for good.
    Refused(String),
    /// The question cannot be asked.
    Unsupported(String),
}

/// The arguments of a case. Each must be read: an argument that nobody read may have mattered.
pub(super) struct Given<'c> {
    values: &'c Value,
    read: RefCell<BTreeSet<String>>,
}

impl<'c> Given<'c> {
    pub(super) fn new(values: &'c Value) -> Self {
        Self {
            values,
            read: RefCell::default(),
        }
    }

    /// An argument; null if it is not there.
    pub(super) fn value(&self, key: &str) -> &'c Value {
        self.read.borrow_mut().insert(key.to_owned());
        &self.values[key]
    }

    /// A text; empty if it is not there, as in the source's structs.
    pub(super) fn text(&self, key: &str) -> Result<&'c str, NoAnswer> {
        match self.value(key) {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            other => Err(NoAnswer::Unsupported(format!("`{key}` is no text: {other}"))),
        }
    }

    /// An argument as a type of the libraries; the default if it is not there.
    pub(super) fn typed<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, NoAnswer> {
        typed(key, self.value(key))
    }

    /// An argument that nobody read.
    pub(super) fn unread(&self) -> Option<&'c String> {
        let read = self.read.borrow();
        self.values.as_object()?.keys().find(|key| !read.contains(*key))
    }
}

/// A value of a case as a type of the libraries; the default for null.
pub(super) fn typed<T: DeserializeOwned + Default>(what: &str, value: &Value) -> Result<T, NoAnswer> {
    if value.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(value.clone()).map_err(|error| NoAnswer::Refused(format!("`{what}`: {error}")))
}

/// Asks, and compares every key of `expect` with the answer's.
pub(super) fn compare(
    expect: &Value,
    given: &Value,
    ask: impl FnOnce(&Given<'_>) -> Result<Value, NoAnswer>,
) -> Verdict {
    let Some(expect) = expect.as_object() else {
        return Verdict::Unsupported("`expect` is no object".to_owned());
    };
    let arguments = Given::new(given);
    let answer = match ask(&arguments) {
        Ok(answer) => answer,
        Err(NoAnswer::Refused(why)) => return Verdict::Failed(why),
        Err(NoAnswer::Unsupported(why)) => return Verdict::Unsupported(why),
    };
    if let Some(key) = arguments.unread() {
        return Verdict::Unsupported(format!("the runner does not understand the argument `{key}`"));
    }
    compare_keys(expect, &answer)
}

fn compare_keys(expect: &Map<String, Value>, answer: &Value) -> Verdict {
    if expect.is_empty() {
        return Verdict::Unsupported("`expect` asserts nothing".to_owned());
    }
    for (key, wanted) in expect {
        let Some(found) = answer.get(key) else {
            return Verdict::Unsupported(format!("the runner has no answer to `{key}`"));
        };
        if !same(wanted, found) {
            return Verdict::Failed(format!("{key}: expected {wanted}, found {found}"));
        }
    }
    Verdict::Passed
}

/// Equality of the corpus: null is the empty list (and the empty text or object of the source's zero values), and numbers
/// are equal by value.
pub(super) fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .zip(found)
                    .all(|(wanted, found)| same(wanted, found))
        }
        (Value::Object(wanted), Value::Object(found)) => {
            let keys: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
            let get = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or(Value::Null);
            keys.into_iter()
                .all(|key| same(&get(wanted, key), &get(found, key)))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (Value::Null, other) | (other, Value::Null) => match other {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            _ => false,
        },
        (wanted, found) => wanted == found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(expect: Value, given: Value, answer: Value) -> Verdict {
        compare(&expect, &given, |given| {
            given.text("a")?;
            Ok(answer)
        })
    }

    #[test]
    fn a_case_passes_only_if_all_was_read_and_all_compared() {
        assert_eq!(
            answer(json!({ "out": 1 }), json!({ "a": "x" }), json!({ "out": 1.0 })),
            Verdict::Passed
        );
        let unread = answer(
            json!({ "out": 1 }),
            json!({ "a": "x", "b": 1 }),
            json!({ "out": 1 }),
        );
        assert!(matches!(unread, Verdict::Unsupported(why) if why.contains("`b`")));
        let unanswered = answer(json!({ "out": 1, "more": 2 }), json!({}), json!({ "out": 1 }));
        assert!(matches!(unanswered, Verdict::Unsupported(why) if why.contains("`more`")));
        let wrong = answer(json!({ "out": true }), json!({}), json!({ "out": false }));
        assert!(matches!(wrong, Verdict::Failed(why) if why == "out: expected true, found false"));
        assert!(matches!(
            answer(json!({}), json!({}), json!({})),
            Verdict::Unsupported(_)
        ));
    }

    #[test]
    fn null_is_the_empty_list_and_nothing_else() {
        assert!(same(&json!(null), &json!([])));
        assert!(same(&json!({ "a": [] }), &json!({})));
        assert!(!same(&json!(null), &json!("")));
        assert!(!same(&json!(null), &json!(false)));
        assert!(!same(&json!([1]), &json!([1, 2])));
        assert!(!same(&json!({ "a": 1 }), &json!({ "b": 1 })));
    }
}
