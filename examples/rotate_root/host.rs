//! The embedder of the rotation: keys, certificates, a store, and verifiers that get bundles late.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use mesh_ca::rotation::{
    AuthorityCertificate, AuthorityId, AuthorityOutput, AuthorityRotationConfig, AuthorityRotator,
    AuthorityState, Issuing,
};
use mesh_ca::{
    Authority, CaProfile, Caller, Certificate, CsrBuilder, CsrPolicy, Grant, InsecureSeededEntropy,
    IssuePolicy, KeyId, KeyPair, MonotonicTime, Now, SpiffeId, TrustBundle, TrustDomain, UnixTime,
    VerifyOptions,
};

const HOUR: Duration = Duration::from_secs(3_600);
const END: Duration = Duration::from_secs(36 * 3_600);
/// A leaf is issued so often.
const PACE: Duration = Duration::from_secs(1_200);

/// How the run went.
pub(crate) struct Summary {
    /// How often a leaf was held against a bundle.
    pub(crate) checks: usize,
    pub(crate) refused: usize,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs 36 hours and prints what happens.
pub(crate) fn run(emergency: bool, out: &mut dyn Write) -> Result<Summary> {
    let config = AuthorityRotationConfig {
        lifetime: 24 * HOUR,
        leaf_max: 3 * HOUR,
        ..AuthorityRotationConfig::default()
    };
    writeln!(
        out,
        "roots of 24 h, leaves of 3 h; verifiers get bundles up to 1 h late; clocks differ by up to 2 min"
    )?;
    writeln!(
        out,
        "\n  time   what happens                                            published   held 1 h behind"
    )?;
    let mut host = Host::new(config, out)?;
    let mut stolen = !emergency;
    while host.time < END {
        if !stolen && host.time >= 14 * HOUR {
            stolen = true;
            host.emergency()?;
        }
        host.step()?;
    }
    let summary = Summary {
        checks: host.checks,
        refused: host.refused,
    };
    let (leaves, Summary { checks, refused }) = (host.issued, &summary);
    writeln!(
        host.out,
        "\n{leaves} leaves issued, {checks} checks, each with a bundle of now and one of an hour ago: {refused} refused"
    )?;
    if !emergency {
        writeln!(
            host.out,
            "Try --emergency: the key of root A is stolen at hour 14."
        )?;
    }
    Ok(summary)
}

struct Host<'o> {
    out: &'o mut dyn Write,
    rotator: AuthorityRotator,
    entropy: InsecureSeededEntropy,
    trust_domain: TrustDomain,
    grant: Grant,
    time: Duration,
    keys: BTreeMap<AuthorityId, Arc<KeyPair>>,
    authorities: BTreeMap<AuthorityId, Authority>,
    /// The letters of the roots, in the order in which they were made.
    letters: Vec<AuthorityId>,
    issuing: Option<Issuing>,
    state: AuthorityState,
    published: Vec<(Duration, TrustBundle, String)>,
    leaves: Vec<Leaf>,
    issued: usize,
    checks: usize,
    refused: usize,
}

struct Leaf {
    chain: Vec<Vec<u8>>,
    not_after: UnixTime,
    issuer: KeyId,
}

impl<'o> Host<'o> {
    fn new(config: AuthorityRotationConfig, out: &'o mut dyn Write) -> Result<Self> {
        let mut entropy = InsecureSeededEntropy::new(1);
        let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
        let key = KeyPair::generate(&mut entropy)?;
        let csr = CsrBuilder::new(&id).build(&key)?;
        let grant = CsrPolicy::istio()
            .check(csr.der())?
            .authorize(&Caller::from(&id))?;
        let rotator = AuthorityRotator::new(config).map_err(|findings| findings[0].to_string())?;
        Ok(Self {
            out,
            rotator,
            entropy,
            trust_domain: id.trust_domain().to_owned(),
            grant,
            time: Duration::ZERO,
            keys: BTreeMap::new(),
            authorities: BTreeMap::new(),
            letters: Vec::new(),
            issuing: None,
            state: AuthorityState::default(),
            published: Vec::new(),
            leaves: Vec::new(),
            issued: 0,
            checks: 0,
            refused: 0,
        })
    }

    fn now(&self) -> Now {
        Now::new(
            UnixTime::from_secs(1_800_000_000) + self.time,
            MonotonicTime::from_origin(self.time),
        )
    }

    /// One call of the machine, one leaf, all checks; then to whatever comes next.
    fn step(&mut self) -> Result<()> {
        self.rotator.handle_timeout(self.now(), &mut self.entropy)?;
        self.serve()?;
        self.issue()?;
        self.check()?;
        let wake = self
            .rotator
            .poll_timeout()
            .map_or(END, MonotonicTime::since_origin);
        let pace = Duration::from_secs((self.time.as_secs() / PACE.as_secs() + 1) * PACE.as_secs());
        self.time = wake.min(pace).max(self.time + Duration::from_nanos(1));
        Ok(())
    }

    fn emergency(&mut self) -> Result<()> {
        self.say("the key of root A is stolen")?;
        let after = self.rotator.config().default_revoke_after();
        self.rotator
            .emergency_rotate(self.now(), Some(after), &mut self.entropy)?;
        self.serve()
    }

    fn serve(&mut self) -> Result<()> {
        while let Some(output) = self.rotator.poll_output() {
            let now = self.now();
            match output {
                AuthorityOutput::GenerateKey { authority, .. } => {
                    let key = KeyPair::generate(&mut self.entropy)?;
                    let key_id = key.public_key().key_id();
                    self.keys.insert(authority, Arc::new(key));
                    self.letters.push(authority);
                    self.rotator.handle_key(now, authority, key_id);
                }
                AuthorityOutput::Certify(request) => {
                    let key = Arc::clone(self.keys.get(&request.authority).ok_or("the key was made")?);
                    let lifetime = request.not_after.saturating_since(now.wall);
                    let profile = CaProfile::root(self.trust_domain.clone())
                        .with_ttl(lifetime)
                        .with_serial_in_subject(true);
                    let authority = profile.self_sign(key, now.wall, &mut self.entropy)?;
                    let made = AuthorityCertificate::parse(authority.certificate_der())?;
                    self.authorities.insert(request.authority, authority);
                    self.rotator.handle_certified(now, request.authority, made);
                }
                AuthorityOutput::CrossSign(request) => {
                    let issuer = self
                        .authorities
                        .get_mut(&request.issuer)
                        .ok_or("the issuer is there")?;
                    let subject = Certificate::parse(&request.subject_certificate.der)?;
                    let made = issuer.cross_sign(&subject, now.wall, &mut self.entropy)?;
                    let made = AuthorityCertificate::parse(made.der())?;
                    self.rotator
                        .handle_cross_signed(now, request.subject, request.issuer, made);
                }
                AuthorityOutput::PersistState { state, .. } => {
                    let before = std::mem::replace(&mut self.state, (*state).clone());
                    self.rotator.handle_persisted(now, state.version);
                    self.report(&before)?;
                }
                AuthorityOutput::PublishBundle {
                    sequence,
                    certificates,
                } => {
                    let mut bundle =
                        TrustBundle::new(self.trust_domain.clone()).with_sequence(Some(sequence));
                    for certificate in &certificates {
                        bundle.insert_x509(&certificate.der)?;
                    }
                    let names = self.names();
                    self.published.push((self.time, bundle, names));
                    self.rotator.handle_published(now, sequence);
                    self.say(&format!("bundle {sequence} is published"))?;
                }
                AuthorityOutput::IssueWith(issuing) => {
                    if issuing.appended.is_empty()
                        && self.issuing.as_ref().is_some_and(|old| !old.appended.is_empty())
                    {
                        self.say(
                            "every verifier has it: the cross-signed certificate is not served any more",
                        )?;
                    }
                    self.issuing = Some(issuing);
                }
                AuthorityOutput::NotifyRotate { spread, .. } => {
                    // Workloads get new certificates within the spread; here, at once.
                    let tainted: Vec<KeyId> = self
                        .state
                        .authorities
                        .iter()
                        .filter(|one| one.tainted)
                        .map(|one| one.certificate.key_id.clone())
                        .collect();
                    self.leaves.retain(|leaf| {
                        !tainted.contains(&leaf.issuer) && !self.state.revoked_keys.contains(&leaf.issuer)
                    });
                    self.say(&format!(
                        "workloads renew what it issued, over {} min",
                        spread.as_secs() / 60
                    ))?;
                }
                AuthorityOutput::Retired {
                    authority, revoked, ..
                } => {
                    let name = self.letter(authority);
                    let why = if revoked {
                        "revoked: it is trusted no more"
                    } else {
                        "retired: nothing of it lives any more"
                    };
                    self.say(&format!("root {name} is {why}"))?;
                }
                AuthorityOutput::Alarm(alarm) => self.say(&format!("alarm: {alarm:?}"))?,
                AuthorityOutput::DiscardKey { .. } | AuthorityOutput::RevokeCrossSign { .. } => {}
            }
        }
        Ok(())
    }

    /// Says what a new state means for each root.
    fn report(&mut self, before: &AuthorityState) -> Result<()> {
        for authority in self.state.authorities.clone() {
            let name = self.letter(authority.id);
            let old = before.find(authority.id);
            if old.is_none() {
                let cross = if authority.new_by_old.is_some() {
                    ", cross-signed by the root before it"
                } else {
                    ""
                };
                self.say(&format!("root {name} is made and stored{cross}"))?;
            } else if old.map(|old| old.status) != Some(authority.status) {
                self.say(&format!("root {name} is {}", authority.status))?;
            }
            if authority.tainted && old.is_some_and(|old| !old.tainted) {
                self.say(&format!("root {name} is tainted"))?;
            }
        }
        Ok(())
    }

    fn issue(&mut self) -> Result<()> {
        let Ok(issuing) = self.rotator.issuing(self.now()) else {
            return Ok(());
        };
        let authority = self.authorities.get(&issuing.authority).ok_or("it issues")?;
        let policy = IssuePolicy {
            default_ttl: issuing.leaf_max,
            ..IssuePolicy::default()
        };
        let mut authority = authority.clone().with_policy(policy);
        let svid = authority.issue(&self.grant, self.now().wall, &mut self.entropy)?;
        let mut chain: Vec<Vec<u8>> = svid.chain().iter().map(|der| der.to_vec()).collect();
        chain.extend(issuing.appended.iter().map(|cross| cross.der.to_vec()));
        let not_after = Certificate::parse(svid.leaf())?.not_after();
        let issuer = issuing.certificate.key_id;
        self.leaves.push(Leaf {
            chain,
            not_after,
            issuer,
        });
        self.issued += 1;
        Ok(())
    }

    /// Every leaf that lives, with the bundle of now and with the one of an hour ago.
    fn check(&mut self) -> Result<()> {
        let now = self.now().wall;
        self.leaves.retain(|leaf| leaf.not_after >= now);
        let held = [self.held(Duration::ZERO), self.held(HOUR)];
        let bundles: Vec<TrustBundle> = held
            .into_iter()
            .flatten()
            .map(|(_, bundle, _)| bundle.clone())
            .collect();
        for bundle in &bundles {
            for leaf in &self.leaves {
                self.checks += 1;
                if let Err(error) = bundle.verify(&leaf.chain, &VerifyOptions::at(now)) {
                    self.refused += 1;
                    writeln!(self.out, "  REFUSED {error}")?;
                }
            }
        }
        Ok(())
    }

    /// What a verifier holds that gets bundles so late. A new one begins with the first.
    fn held(&self, late: Duration) -> Option<&(Duration, TrustBundle, String)> {
        let seen = self
            .published
            .iter()
            .rev()
            .find(|(at, ..)| *at + late <= self.time);
        seen.or(self.published.first())
    }

    fn letter(&self, authority: AuthorityId) -> char {
        let place = self
            .letters
            .iter()
            .position(|known| *known == authority)
            .unwrap_or(25);
        char::from(b'A' + u8::try_from(place % 26).unwrap_or(0))
    }

    /// The roots of the stored state.
    fn names(&self) -> String {
        let names: Vec<String> = self
            .state
            .authorities
            .iter()
            .map(|one| self.letter(one.id).to_string())
            .collect();
        names.join(" ")
    }

    fn say(&mut self, what: &str) -> Result<()> {
        let (hours, minutes) = (self.time.as_secs() / 3_600, self.time.as_secs() / 60 % 60);
        let held = |late| self.held(late).map_or("-", |(_, _, names)| names.as_str());
        let (fresh, late) = (held(Duration::ZERO).to_owned(), held(HOUR).to_owned());
        let what: String = what.chars().take(78).collect();
        Ok(writeln!(
            self.out,
            "  {hours:>2}:{minutes:02}  {what:<55} {fresh:<11} {late}"
        )?)
    }
}
