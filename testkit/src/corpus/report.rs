use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::Verdict;

/// What became of the cases of an area, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaReport {
    /// The area.
    pub area: String,
    /// Ids of the cases that passed.
    pub passed: Vec<String>,
    /// Ids of the cases that failed, and why.
    pub failed: Vec<(String, String)>,
    /// Ids of the cases that are not supported, and why.
    pub unsupported: Vec<(String, String)>,
    /// Counts of things smaller than a case, by name.
    pub details: BTreeMap<String, Count>,
    /// Counts of the single calls inside of cases, by type and class.
    pub calls: BTreeMap<String, Count>,
}

/// How many of a number of things held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that held.
    pub passed: usize,
    /// All of them.
    pub total: usize,
}

impl AreaReport {
    pub(super) fn new(area: &str) -> Self {
        Self {
            area: area.to_owned(),
            passed: Vec::new(),
            failed: Vec::new(),
            unsupported: Vec::new(),
            details: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    /// The number of cases.
    pub fn total(&self) -> usize {
        self.passed.len() + self.failed.len() + self.unsupported.len()
    }

    /// The report as JSON: the three lists under their names.
    pub fn to_json(&self) -> Value {
        let Self {
            area: _,
            passed,
            failed,
            unsupported,
            details,
            calls,
        } = self;
        let reasons = |list: &[(String, String)]| -> Vec<Value> {
            list.iter()
                .map(|(id, why)| json!({ "id": id, "why": why }))
                .collect()
        };
        let counts = |counts: &BTreeMap<String, Count>| -> BTreeMap<String, Value> {
            let entry = |(name, count): (&String, &Count)| {
                let Count { passed, total } = count;
                (name.clone(), json!({ "passed": passed, "total": total }))
            };
            counts.iter().map(entry).collect()
        };
        let mut value = json!({
            "passed": passed, "failed": reasons(failed), "unsupported": reasons(unsupported),
        });
        for (key, list) in [("details", details), ("calls", calls)] {
            if !list.is_empty() {
                value[key] = json!(counts(list));
            }
        }
        value
    }

    pub(super) fn add(&mut self, id: &str, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed.push(id.to_owned()),
            Verdict::Failed(why) => self.failed.push((id.to_owned(), why)),
            Verdict::Unsupported(why) => self.unsupported.push((id.to_owned(), why)),
        }
    }

    pub(super) fn count(&mut self, name: &str, passed: bool) {
        self.details.entry(name.to_owned()).or_default().add(passed);
    }

    pub(super) fn count_calls(&mut self, class: &str, passed: bool) {
        self.calls.entry(class.to_owned()).or_default().add(passed);
    }
}

impl Count {
    fn add(&mut self, passed: bool) {
        self.total += 1;
        self.passed += usize::from(passed);
    }
}

impl fmt::Display for AreaReport {
    /// A line for the cases, then one for each detail and for each class of calls.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            area,
            passed,
            failed,
            unsupported,
            details,
            calls,
        } = self;
        write!(
            f,
            "conformance {area} passed={} failed={} unsupported={} total={}",
            passed.len(),
            failed.len(),
            unsupported.len(),
            self.total()
        )?;
        details.iter().try_for_each(|(name, Count { passed, total })| {
            write!(
                f,
                "\nconformance-detail {area} {name} passed={passed} total={total}"
            )
        })?;
        calls.iter().try_for_each(|(class, Count { passed, total })| {
            write!(f, "\nconformance-calls {class} passed={passed} total={total}")
        })
    }
}
