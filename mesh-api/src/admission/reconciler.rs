//! The machine that keeps the configurations of the validating webhook in order.
//!
//! Source: Istio `pkg/webhooks/validation/controller`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::webhooks::ControlPlane;
use crate::analyze::is_certificate_bundle;
use crate::kubernetes::{FailurePolicy, ValidatingWebhookConfiguration};
use crate::meta::ObjectMeta;
use crate::names::Text;
use crate::networking::Gateway;
use crate::object::Object;
use crate::scalar::Bytes;

type Configuration = Object<ValidatingWebhookConfiguration>;

/// Keeps the validating webhook configurations of one revision in order (A-ADM-11).
///
/// It writes the roots of the webhook's certificate into every webhook. It turns failure policies to `Fail` after the API server
/// has shown, by denying a Gateway that is known to be bad, that it asks the webhook; and never back. Istio's documentation calls
/// this registration; the objects themselves are made by installers, see [`ControlPlane`].
///
/// Tell it what a watch of `ValidatingWebhookConfiguration`s says and which roots are in use; do what [`poll_output`] asks, as
/// long as it asks, and hand in the results; at [`poll_timeout`] call [`handle_timeout`]. Times are those since an origin that the caller
/// picks, on a clock that never goes back.
///
/// ```
/// use std::time::Duration;
/// use mesh_api::admission::{ControlPlane, ProbeResult, WebhookOutput, WebhookReconciler, WriteResult};
/// use mesh_api::kubernetes::FailurePolicy;
///
/// # let roots = b"-----BEGIN CERTIFICATE-----
/// # MIIBcTCCARegAwIBAgIUMaZTud2OUx4tJvzUgkL4fm5TqxowCgYIKoZIzj0EAwIw
/// # DjEMMAoGA1UEAwwDb25lMB4XDTI2MTEyODExNTc1MFoXDTM2MTEyNTExNTc1MFow
/// # DjEMMAoGA1UEAwwDb25lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJD8KPRcK
/// # w2kgyAWq9sTibQYScXASvQ1c5pzZgb0gLH0X/DpTn30Kmeu8hZwdILQNYoinsDKK
/// # rskXzCzBb8GBbKNTMFEwHQYDVR0OBBYEFBVS2DQhPhOKTyxBRC9UFFfL1JZnMB8G
/// # A1UdIwQYMBaAFBVS2DQhPhOKTyxBRC9UFFfL1JZnMA8GA1UdEwEB/wQFMAMBAf8w
/// # CgYIKoZIzj0EAwIDSAAwRQIhAINT5Q9YWOzx+ZSHp/0VX2yJoXLDEZOAsPfa7UZt
/// # Yqf5AiB2QPXUF6HhnT0UNh+B9U3z0x7SPTdLvkNbJwmlukpeuA==
/// # -----END CERTIFICATE-----";
/// let control_plane = ControlPlane::default();
/// let mut reconciler = WebhookReconciler::new(control_plane.clone());
/// reconciler.handle_ca_bundle(roots)?;
/// reconciler.handle_configuration(control_plane.validator()); // a watch found it
///
/// let now = Duration::ZERO;
/// let Some(WebhookOutput::Write(object)) = reconciler.poll_output() else { panic!("the roots are written first") };
/// reconciler.handle_write(now, "istio-validator-istio-system", WriteResult::Written(object));
/// let Some(WebhookOutput::Probe(probe)) = reconciler.poll_output() else { panic!("then the webhook is tried") };
/// assert_eq!(probe.gateway.meta.name, "invalid-gateway");
/// reconciler.handle_probe(now, ProbeResult::Failed("admission webhook denied the request"));
///
/// assert!(reconciler.is_ready());
/// let Some(WebhookOutput::Write(object)) = reconciler.poll_output() else { panic!("now it may refuse") };
/// assert_eq!(object.spec.webhooks[0].failure_policy, Some(FailurePolicy::Fail));
/// # Ok::<(), mesh_api::admission::CaBundleError>(())
/// ```
///
/// [`poll_output`]: Self::poll_output
/// [`poll_timeout`]: Self::poll_timeout
/// [`handle_timeout`]: Self::handle_timeout
#[derive(Debug, Clone)]
pub struct WebhookReconciler {
    control_plane: ControlPlane,
    /// Empty until there are some.
    ca_bundle: Bytes,
    configurations: BTreeMap<Text, Watched>,
    /// The configurations that may need to be written.
    pending: BTreeSet<Text>,
    probing: Probing,
}

/// A configuration as it was last seen.
#[derive(Debug, Clone)]
struct Watched {
    object: Configuration,
    writing: Writing,
    /// Failed writes in a row.
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Idle,
    InFlight {
        /// Whether the object was seen to change meanwhile: then the watch, not the answer, has the last word.
        is_overtaken: bool,
    },
    /// A write failed; the next one is due then.
    Waiting(Duration),
}

/// Whether the webhook is known to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probing {
    /// The next probe can be made; so many failed.
    Due(ProbeVerb, u32),
    InFlight(ProbeVerb, u32),
    Waiting(Duration, u32),
    Ready,
}

/// Something to do for a [`WebhookReconciler`].
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub enum WebhookOutput {
    /// Make this request as a dry run, and hand the result to [`WebhookReconciler::handle_probe`].
    Probe(Box<Probe>),
    /// Update the object to this one, and hand the result to [`WebhookReconciler::handle_write`].
    Write(Box<Object<ValidatingWebhookConfiguration>>),
}

/// A request that a working webhook denies.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// What to do with the object, with `dryRun=All`.
    pub verb: ProbeVerb,
    /// A Gateway that is known to be bad: it has the annotation of A-MV-4.
    pub gateway: Object<Gateway>,
}

/// What to do with the object of a [`Probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeVerb {
    /// Create it.
    Create,
    /// Update it: somebody has created it in earnest.
    Update,
}

/// What the API server said to a [`Probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeResult<'a> {
    /// The object would have been stored: nobody asked the webhook.
    Accepted,
    /// An object of that name exists.
    AlreadyExists,
    /// An error with this text. What it says decides whether the webhook works.
    Failed(&'a str),
}

impl ProbeResult<'_> {
    /// Whether the webhook can be relied on (A-ADM-11): it denied the object; or the probe can never tell, since Gateways are not
    /// installed or another webhook does not take dry runs.
    fn is_ready(self) -> bool {
        const READY: [&str; 3] = [
            "denied the request",
            "could not find the requested resource",
            "does not support dry run",
        ];
        match self {
            Self::Accepted | Self::AlreadyExists => false,
            Self::Failed(text) => READY.iter().any(|part| text.contains(part)),
        }
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResult {
    /// The object as it is stored now.
    Written(Box<Object<ValidatingWebhookConfiguration>>),
    /// It was not written: the object had changed, or another reason that may pass.
    Failed,
    /// There is no such object any more.
    NotFound,
}

/// Why a text cannot be the roots of a webhook: it must be PEM, and hold certificates and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CA bundle must hold certificates in PEM, and nothing else")]
pub struct CaBundleError(());

impl WebhookReconciler {
    /// A reconciler of the configurations with the control plane's revision. The roots of `control_plane` are not taken; see
    /// [`handle_ca_bundle`](Self::handle_ca_bundle).
    pub fn new(control_plane: ControlPlane) -> Self {
        Self {
            control_plane,
            ca_bundle: Bytes::default(),
            configurations: BTreeMap::new(),
            pending: BTreeSet::new(),
            probing: Probing::Due(ProbeVerb::Create, 0),
        }
    }

    /// Whether the webhook is known to work. Once it is, it stays so.
    pub fn is_ready(&self) -> bool {
        self.probing == Probing::Ready
    }

    /// The roots of the webhook's certificate, at first and whenever they change.
    ///
    /// # Errors
    /// The text is not PEM with certificates alone; nothing changes then. A private key is never written.
    pub fn handle_ca_bundle(&mut self, pem: &[u8]) -> Result<(), CaBundleError> {
        if !is_certificate_bundle(pem) {
            return Err(CaBundleError(()));
        }
        self.ca_bundle = Bytes::new(pem);
        self.pending.extend(self.configurations.keys().cloned());
        Ok(())
    }

    /// A configuration that is there, new or changed. Those of other revisions are passed over.
    pub fn handle_configuration(&mut self, object: Configuration) {
        let name = object.meta.name.clone();
        if object.meta.labels.get("istio.io/rev") != Some(self.control_plane.revision_label()) {
            return self.handle_removed(&name);
        }
        let (writing, failures) = match self.configurations.get(&name) {
            None => (Writing::Idle, 0),
            Some(Watched {
                writing, failures, ..
            }) => match writing {
                Writing::InFlight { .. } => (Writing::InFlight { is_overtaken: true }, *failures),
                // what has changed may be written at once
                Writing::Idle | Writing::Waiting(_) => (Writing::Idle, *failures),
            },
        };
        let watched = Watched {
            object,
            writing,
            failures,
        };
        self.configurations.insert(name.clone(), watched);
        self.pending.insert(name);
    }

    /// A configuration that is not there any more. Without any, nothing is probed.
    pub fn handle_removed(&mut self, name: &str) {
        self.configurations.remove(name);
        self.pending.remove(name);
        if let (true, Probing::Waiting(..)) = (self.configurations.is_empty(), self.probing) {
            self.probing = Probing::Due(ProbeVerb::Create, 0);
        }
    }

    /// The answer to a probe. One that was not asked for is passed over.
    pub fn handle_probe(&mut self, now: Duration, result: ProbeResult<'_>) {
        let Probing::InFlight(verb, failures) = self.probing else {
            return;
        };
        self.probing = match (result, verb) {
            (result, _) if result.is_ready() => {
                self.pending.extend(self.configurations.keys().cloned());
                Probing::Ready
            }
            (ProbeResult::AlreadyExists, ProbeVerb::Create) => Probing::Due(ProbeVerb::Update, failures),
            _ if self.configurations.is_empty() => Probing::Due(ProbeVerb::Create, 0),
            _ => Probing::Waiting(now.saturating_add(backoff(failures)), failures.saturating_add(1)),
        };
    }

    /// What became of the write of a configuration. One that was not asked for is passed over.
    pub fn handle_write(&mut self, now: Duration, name: &str, result: WriteResult) {
        let Some(watched) = self.configurations.get_mut(name) else {
            return;
        };
        let Writing::InFlight { is_overtaken } = watched.writing else {
            return;
        };
        match result {
            WriteResult::Written(object) => {
                watched.writing = Writing::Idle;
                watched.failures = 0;
                if is_overtaken {
                    self.pending.insert(Text::from(name));
                } else {
                    self.handle_configuration(*object);
                }
            }
            WriteResult::Failed => {
                watched.writing = Writing::Waiting(now.saturating_add(backoff(watched.failures)));
                watched.failures = watched.failures.saturating_add(1);
            }
            WriteResult::NotFound => self.handle_removed(name),
        }
    }

    /// Does what is due. Harmless at any time.
    pub fn handle_timeout(&mut self, now: Duration) {
        if let Probing::Waiting(until, failures) = self.probing
            && until <= now
        {
            self.probing = Probing::Due(ProbeVerb::Create, failures);
        }
        for (name, watched) in &mut self.configurations {
            if let Writing::Waiting(until) = watched.writing
                && until <= now
            {
                watched.writing = Writing::Idle;
                self.pending.insert(name.clone());
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` while nothing is waited for.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let writes = self
            .configurations
            .values()
            .filter_map(|watched| match watched.writing {
                Writing::Waiting(until) => Some(until),
                Writing::Idle | Writing::InFlight { .. } => None,
            });
        let probe = match self.probing {
            Probing::Waiting(until, _) => Some(until),
            Probing::Due(..) | Probing::InFlight(..) | Probing::Ready => None,
        };
        writes.chain(probe).min()
    }

    /// The next thing to do: writes first, since a probe succeeds only after the roots are written.
    pub fn poll_output(&mut self) -> Option<WebhookOutput> {
        if self.ca_bundle.is_empty() {
            return None;
        }
        while let Some(name) = self.pending.pop_first() {
            let is_ready = self.is_ready();
            let Some(watched) = self.configurations.get_mut(&name) else {
                continue;
            };
            if watched.writing != Writing::Idle {
                continue;
            }
            if let Some(patched) = patched(&watched.object, &self.ca_bundle, is_ready) {
                watched.writing = Writing::InFlight { is_overtaken: false };
                return Some(WebhookOutput::Write(Box::new(patched)));
            }
        }
        match self.probing {
            Probing::Due(verb, failures) if !self.configurations.is_empty() => {
                self.probing = Probing::InFlight(verb, failures);
                let gateway = self.known_bad_gateway();
                Some(WebhookOutput::Probe(Box::new(Probe { verb, gateway })))
            }
            _ => None,
        }
    }

    /// A Gateway without servers that asks to be refused, with the label that leads it to this revision's webhook.
    fn known_bad_gateway(&self) -> Object<Gateway> {
        let meta = ObjectMeta::new("invalid-gateway", self.control_plane.namespace.as_str())
            .with_label("istio.io/rev", self.control_plane.revision_label())
            .with_annotation("internal.istio.io/webhook-always-reject", "true");
        Object::new(meta, Gateway::default())
    }
}

/// The configuration as it should be; `None` if it is.
///
/// Nothing but the roots and the failure policies changes, and no policy turns to anything but `Fail`.
fn patched(observed: &Configuration, ca_bundle: &Bytes, is_ready: bool) -> Option<Configuration> {
    let mut wanted = observed.clone();
    for webhook in &mut wanted.spec.webhooks {
        webhook.client_config.ca_bundle = ca_bundle.clone();
        // an absent policy is Fail
        if let (true, Some(policy)) = (is_ready, &mut webhook.failure_policy) {
            *policy = FailurePolicy::Fail;
        }
    }
    (wanted != *observed).then_some(wanted)
}

/// From 100 ms, twice as long each time, to a minute.
fn backoff(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(60);
    FIRST.saturating_mul(1 << failures.min(10)).min(LAST)
}
