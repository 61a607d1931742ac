//! What is told about one request: facts for programs and lines for people, side by side, so that both outputs hold the
//! same.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

/// The answer to one request of one client.
pub(crate) struct Answer {
    /// What was asked.
    pub(crate) request: Asked,
    /// Who asked.
    pub(crate) client: Client,
    /// From the gateway or listener to the endpoints, in the order of the decision.
    pub(crate) stages: Vec<Stage>,
    /// What comes of the request.
    pub(crate) outcome: Outcome,
    /// What lost and why, in the order of evaluation.
    pub(crate) steps: Vec<Step>,
    /// What the user may have meant instead.
    pub(crate) hints: Vec<String>,
}

/// A request as the user gave it.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) draw: Option<u64>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Somebody outside, by a Gateway.
    Gateway { namespace: String, name: String },
    /// A workload.
    Workload {
        namespace: String,
        labels: BTreeMap<String, String>,
    },
}

/// One stage of the decision.
pub(crate) struct Stage {
    /// A stable word, e.g. `destination rule`.
    pub(crate) name: &'static str,
    pub(crate) lines: Vec<Line>,
    pub(crate) facts: Map<String, Value>,
}

/// A line for people.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) source: Source,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nothing can be said.
    Unknown,
    /// A line of an input file.
    File { name: String, line: u32 },
    /// A default or a field of the mesh configuration.
    Built(String),
}

/// What comes of the request.
pub(crate) struct Outcome {
    /// A stable word, e.g. `forward`.
    pub(crate) kind: &'static str,
    /// The cluster, the answer, or why there is none.
    pub(crate) text: String,
    /// The same in a few words, for an overview, and who says so.
    pub(crate) short: String,
    pub(crate) by: String,
    pub(crate) facts: Map<String, Value>,
}

/// A candidate or a choice on the way.
pub(crate) struct Step {
    /// What it is about, e.g. `virtual host`; `won` and `lost` for routes, indented.
    pub(crate) label: &'static str,
    /// What was found, or the one reason that excluded it.
    pub(crate) text: String,
    /// The rule that decided; may be empty.
    pub(crate) rule: &'static str,
    /// Object and place, e.g. `VirtualService shop/reviews spec.http[0]`.
    pub(crate) subject: String,
    pub(crate) source: Source,
}

impl Stage {
    /// A stage that is told in one line.
    pub(crate) fn new(name: &'static str, text: impl Into<String>, source: Source) -> Self {
        Self {
            name,
            lines: vec![Line {
                text: text.into(),
                source,
            }],
            facts: Map::new(),
        }
    }

    /// The same stage with one more line.
    pub(crate) fn with_line(mut self, text: impl Into<String>, source: Source) -> Self {
        self.lines.push(Line {
            text: text.into(),
            source,
        });
        self
    }

    /// The same stage with one more fact.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Built(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway { namespace, name } => write!(f, "gateway {namespace}/{name}"),
            Self::Workload { namespace, labels } if labels.is_empty() => write!(f, "from {namespace}"),
            Self::Workload { namespace, labels } => {
                let labels: Vec<String> = labels
                    .iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect();
                write!(f, "from {namespace} {{{}}}", labels.join(", "))
            }
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        self.headers
            .iter()
            .try_for_each(|(name, value)| write!(f, "  {name}: {value}"))
    }
}

impl Answer {
    /// The answer for programs. Keys are stable: they are added to, and keep their meaning.
    pub(crate) fn to_json(&self, explain: bool) -> Value {
        let mut answer = json!({
            "request": self.request.to_json(),
            "client": self.client.to_json(),
            "stages": self.stages.iter().map(Stage::to_json).collect::<Vec<_>>(),
            "outcome": self.outcome.to_json(),
            "hints": self.hints,
        });
        if explain && let Some(answer) = answer.as_object_mut() {
            answer.insert("steps".to_owned(), self.steps.iter().map(Step::to_json).collect());
        }
        answer
    }
}

impl Asked {
    fn to_json(&self) -> Value {
        let headers: Vec<Value> = self
            .headers
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        json!({ "method": self.method, "url": self.url, "headers": headers, "draw": self.draw })
    }
}

impl Client {
    fn to_json(&self) -> Value {
        match self {
            Self::Gateway { namespace, name } => {
                json!({ "kind": "gateway", "namespace": namespace, "name": name, "text": self.to_string() })
            }
            Self::Workload { namespace, labels } => {
                json!({ "kind": "workload", "namespace": namespace, "labels": labels, "text": self.to_string() })
            }
        }
    }
}

impl Source {
    fn to_json(&self) -> Value {
        match self {
            Self::Unknown => Value::Null,
            Self::File { name, line } => json!({ "file": name, "line": line }),
            Self::Built(text) => json!({ "built_in": text }),
        }
    }
}

impl Stage {
    fn to_json(&self) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| json!({ "text": line.text, "source": line.source.to_json() }))
            .collect();
        let mut stage = self.facts.clone();
        stage.insert("stage".to_owned(), self.name.into());
        stage.insert("lines".to_owned(), lines.into());
        stage.into()
    }
}

impl Outcome {
    fn to_json(&self) -> Value {
        let mut outcome = self.facts.clone();
        outcome.insert("kind".to_owned(), self.kind.into());
        outcome.insert("text".to_owned(), self.text.clone().into());
        outcome.insert("short".to_owned(), self.short.clone().into());
        outcome.insert("by".to_owned(), self.by.clone().into());
        outcome.into()
    }
}

impl Step {
    fn to_json(&self) -> Value {
        json!({
            "label": self.label.trim(),
            "text": self.text,
            "rule": self.rule,
            "subject": self.subject,
            "source": self.source.to_json(),
        })
    }
}
