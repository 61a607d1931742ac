//! The rotation of one certificate, twice: one machine lives on, and one is saved and restored before each call.

use mesh_ca::rotation::{
    RequestId, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidRotationConfig, SvidRotator,
    SvidRotatorSnapshot,
};
use mesh_ca::{InsecureSeededEntropy, Now};

use super::host::id;

/// Both machines, which have to do the same (C-GEN-6, P10).
pub(super) struct Rotation {
    whole: SvidRotator,
    restored: SvidRotator,
    /// The time of the last call.
    last: Now,
    calls: u64,
    asked: Option<RequestId>,
}

impl Rotation {
    pub(super) fn new(now: Now) -> Self {
        let machine = || SvidRotator::new(SvidRotationConfig::default());
        let mut rotation = Self {
            whole: machine(),
            restored: machine(),
            last: now,
            calls: 0,
            asked: None,
        };
        rotation.call(now, |rotator, _| rotator.want(now, &id(), SvidPriority::RealTime));
        rotation
    }

    /// The CA gave a certificate, or something else.
    pub(super) fn answered(&mut self, now: Now, facts: Option<SvidFacts>) {
        let Some(facts) = facts else {
            return self.failed(now, &SvidFailure::BadResponse("another key".to_owned()));
        };
        if let Some(request) = self.asked.take() {
            self.call(now, |rotator, entropy| {
                rotator
                    .handle_signed(now, request, &facts, entropy)
                    .expect("it was asked");
            });
        }
    }

    pub(super) fn failed(&mut self, now: Now, failure: &SvidFailure) {
        if let Some(request) = self.asked.take() {
            self.call(now, |rotator, entropy| {
                let failed = rotator.handle_failed(now, request, failure.clone(), entropy);
                failed.expect("it was asked");
            });
        }
    }

    pub(super) fn passed(&mut self, now: Now) {
        self.call(now, |rotator, entropy| {
            rotator.handle_timeout(now, entropy).expect("entropy");
        });
    }

    pub(super) fn rotated(&mut self, now: Now) {
        self.call(now, |rotator, _| rotator.rotate(now, &id()));
    }

    fn call(&mut self, now: Now, act: impl Fn(&mut SvidRotator, &mut InsecureSeededEntropy)) {
        let saved = serde_json::to_string(&self.restored.snapshot()).expect("it can be saved");
        let saved: SvidRotatorSnapshot = serde_json::from_str(&saved).expect("and read");
        let config = self.restored.config().clone();
        self.restored = SvidRotator::restore(config, saved, self.last).expect("and restored");
        self.last = now;
        self.calls += 1;
        for rotator in [&mut self.whole, &mut self.restored] {
            act(rotator, &mut InsecureSeededEntropy::new(self.calls));
        }
        assert_eq!(self.restored.snapshot(), self.whole.snapshot());
        assert_eq!(self.restored.poll_timeout(), self.whole.poll_timeout());
        while let Some(output) = self.whole.poll_output() {
            assert_eq!(self.restored.poll_output().as_ref(), Some(&output));
            match output {
                SvidOutput::Request { request, .. } => self.asked = Some(request),
                SvidOutput::Failed { request, .. } => drop(self.asked.take_if(|asked| *asked == request)),
                SvidOutput::Accepted { .. } | SvidOutput::Alarm { .. } | SvidOutput::Withdraw { .. } => {}
            }
        }
        assert_eq!(self.restored.poll_output(), None);
    }
}
