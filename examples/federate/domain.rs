//! One trust domain: its authority, its published bundle, and what it knows of others.

use std::collections::BTreeMap;
use std::error::Error;

use mesh_ca::federation::{
    BundlePublisher, FederationClient, FederationOptions, FetchAuth, FetchId, Fetched, InUse, Output,
    Relationship,
};
use mesh_ca::jwt::{JwtMinter, JwtRequest, JwtSvid, JwtVerifyOptions};
use mesh_ca::{
    Authority, BundleSet, Caller, CsrBuilder, CsrPolicy, IdMatcher, InsecureSeededEntropy, IssuanceRecord,
    IssuedSvid, KeyPair, Now, SpiffeId, TrustBundle, TrustDomain, UnixTime, VerifyOptions,
};

/// What all endpoints serve: a document and the SVID that the endpoint proves itself with, by URL.
pub(crate) type Endpoints = BTreeMap<String, (String, IssuedSvid)>;

pub(crate) struct Domain {
    pub(crate) name: TrustDomain,
    pub(crate) entropy: InsecureSeededEntropy,
    authority: Authority,
    minter: JwtMinter<KeyPair>,
    /// The bundle endpoint: own authorities.
    pub(crate) publisher: BundlePublisher,
    /// Every certificate that was issued.
    log: Vec<IssuanceRecord>,
    pub(crate) client: FederationClient,
}

impl Domain {
    pub(crate) fn new(
        name: &str,
        seed: u64,
        relationships: impl IntoIterator<Item = Relationship>,
        now: Now,
    ) -> Result<Self, Box<dyn Error>> {
        let name: TrustDomain = name.parse()?;
        let mut entropy = InsecureSeededEntropy::new(seed);
        let authority = Authority::self_signed(name.clone(), now.wall, &mut entropy)?;
        let minter = JwtMinter::new(KeyPair::generate(&mut entropy)?)?;
        let mut published = authority.trust_bundle().clone().with_refresh_hint(Some(HINT));
        published
            .jwt_mut()
            .insert(minter.key_id(), minter.public_key().clone());
        let client = FederationClient::new(
            name.clone(),
            [published.clone()],
            relationships,
            FederationOptions::default(),
        )?;
        Ok(Self {
            name,
            entropy,
            authority,
            minter,
            publisher: BundlePublisher::new(published, now.wall)?,
            log: Vec::new(),
            client,
        })
    }

    /// A workload of this domain, with its SVID.
    pub(crate) fn workload(&mut self, path: &str, now: Now) -> Result<IssuedSvid, Box<dyn Error>> {
        let id = SpiffeId::from_path(&self.name, path)?;
        let key = KeyPair::generate(&mut self.entropy)?;
        let csr = CsrBuilder::new(&id).build(&key)?;
        let grant = CsrPolicy::istio()
            .check(csr.der())?
            .authorize(&Caller::from(&id))?;
        let svid = self.authority.issue(&grant, now.wall, &mut self.entropy)?;
        self.log.push(svid.record().clone());
        Ok(svid)
    }

    pub(crate) fn token(&mut self, path: &str, audience: &str, now: Now) -> Result<String, Box<dyn Error>> {
        let request = JwtRequest::new(SpiffeId::from_path(&self.name, path)?, [audience]);
        Ok(self.minter.mint(&request, now.wall, &mut self.entropy)?)
    }

    /// Prepares a new root beside the one in use, and publishes both. Also gives the time at which every consumer has had
    /// the chance to fetch it.
    pub(crate) fn prepare_root(&mut self, now: Now) -> Result<(Authority, UnixTime), Box<dyn Error>> {
        let next = Authority::self_signed(self.name.clone(), now.wall, &mut self.entropy)?;
        let mut both = self.publisher.bundle().clone().with_sequence(None);
        both.insert_x509(next.certificate_der())?;
        self.publish(both, now)?;
        let usable_from = self.publisher.usable_from(next.certificate_der());
        Ok((next, usable_from.ok_or("the root is published")?))
    }

    pub(crate) fn activate(&mut self, next: Authority) {
        self.authority = next;
    }

    /// Takes all roots but the one in use out of the bundle, if nothing needs them any more.
    pub(crate) fn retire_old_roots(&mut self, now: Now) -> Result<(), Box<dyn Error>> {
        let current = self.authority.trust_bundle();
        let mut kept = self.publisher.bundle().clone().with_sequence(None);
        for authority in self.publisher.bundle().x509_authorities() {
            if !current.contains_x509(authority.der()) {
                kept.remove_x509(authority.der());
            }
        }
        self.publish(kept, now)
    }

    fn publish(&mut self, bundle: TrustBundle, now: Now) -> Result<(), Box<dyn Error>> {
        let in_use = InUse {
            certificates: &self.log,
            ..InUse::default()
        };
        self.publisher.publish(bundle, &in_use, now.wall)?;
        Ok(())
    }

    /// What the endpoint answers to whoever asks for the first time.
    pub(crate) fn document(&self) -> String {
        let response = self.publisher.respond("GET", None);
        String::from_utf8_lossy(&response.body).into_owned()
    }

    /// Lets the client do what is due, against the endpoints; what became of it, a line each.
    pub(crate) fn refresh(&mut self, now: Now, endpoints: &Endpoints) -> Result<Vec<String>, Box<dyn Error>> {
        let mut lines = Vec::new();
        self.client.handle_timeout(now, &mut self.entropy)?;
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Fetch { id, url, auth, .. } => {
                    lines.push(format!("{} fetches {url}, {}", self.name, describe(&auth)));
                    self.fetch(now, id, url.as_str(), &auth, endpoints)?;
                }
                Output::Store { bundle } => lines.push(format!(
                    "{} holds the bundle of {}: sequence {}, {} root{}, {} token key",
                    self.name,
                    bundle.trust_domain(),
                    bundle.sequence().unwrap_or(0),
                    bundle.x509_authorities().len(),
                    if bundle.x509_authorities().len() == 1 {
                        ""
                    } else {
                        "s"
                    },
                    bundle.jwt().len()
                )),
                Output::Withdraw { trust_domain } => {
                    lines.push(format!("{} no longer trusts {trust_domain}", self.name));
                }
                Output::Alarm(alarm) => lines.push(format!(
                    "{}: alarm about {}: {}",
                    self.name, alarm.trust_domain, alarm.kind
                )),
            }
        }
        Ok(lines)
    }

    /// Plays the network: finds the document, and lets the endpoint prove its id where it has to.
    fn fetch(
        &mut self,
        now: Now,
        id: FetchId,
        url: &str,
        auth: &FetchAuth,
        endpoints: &Endpoints,
    ) -> Result<(), Box<dyn Error>> {
        let Some((document, svid)) = endpoints.get(url) else {
            return Ok(self.client.handle_fetch_failed(now, id, &mut self.entropy)?);
        };
        let peer = match auth {
            FetchAuth::WebPki => None,
            FetchAuth::Spiffe { endpoint_id, bundle } => {
                let expected = IdMatcher::Exact(endpoint_id.clone());
                let options = VerifyOptions::at(now.wall).with_expected(&expected);
                match bundle.verify(svid.chain(), &options) {
                    Ok(verified) => Some(verified.spiffe_id().clone()),
                    Err(_) => return Ok(self.client.handle_fetch_failed(now, id, &mut self.entropy)?),
                }
            }
        };
        let fetched = Fetched {
            peer,
            ..Fetched::ok(document.clone().into_bytes())
        };
        Ok(self.client.handle_fetched(now, id, fetched, &mut self.entropy)?)
    }

    /// Whether a workload of this domain accepts a peer, and if not, why.
    pub(crate) fn verdict_on(&self, peer: &IssuedSvid, now: Now) -> Result<String, Box<dyn Error>> {
        let mut bundles = BundleSet::new(self.publisher.bundle().clone());
        for bundle in self.client.bundles() {
            bundles.insert(bundle.clone())?;
        }
        Ok(match bundles.verify(peer.chain(), &VerifyOptions::at(now.wall)) {
            Ok(verified) => format!("{} accepts {}", self.name, verified.spiffe_id()),
            Err(error) => format!("{} refuses: {error} [{}]", self.name, error.code()),
        })
    }

    pub(crate) fn verdict_on_token(&self, token: &str, audience: &str, now: Now) -> String {
        let options = JwtVerifyOptions::new(now.wall, [audience]);
        let bundle_of = |domain: mesh_ca::TrustDomainRef<'_>| {
            self.client.bundle(&domain.to_owned()).map(TrustBundle::jwt)
        };
        match JwtSvid::verify(token, bundle_of, &options) {
            Ok(svid) => format!("{} accepts the token of {}", self.name, svid.spiffe_id()),
            Err(error) => format!("{} refuses the token: {error} [{}]", self.name, error.code()),
        }
    }
}

fn describe(auth: &FetchAuth) -> String {
    match auth {
        FetchAuth::WebPki => "authenticated as a web server".to_owned(),
        FetchAuth::Spiffe { endpoint_id, .. } => format!("which must prove {}", endpoint_id.path()),
    }
}

/// How often consumers are asked to come back.
pub(crate) const HINT: std::time::Duration = std::time::Duration::from_secs(600);
