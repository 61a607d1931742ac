use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::EndpointUrl;
use crate::{Limits, SpiffeId, TrustBundle, TrustDomain};

/// A trust domain whose bundle is fetched, from where, and how the endpoint proves who it is. All of it is configured;
/// nothing follows from the URL. It says nothing about the other direction.
///
/// Source: ca.md C-FED-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// Whose bundle it is.
    pub trust_domain: TrustDomain,
    /// Where it is.
    pub endpoint_url: EndpointUrl,
    /// How the endpoint is authenticated.
    pub profile: EndpointProfile,
}

/// How a bundle endpoint is authenticated.
///
/// Spec: SPIFFE Federation §5.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointProfile {
    /// By an X509-SVID with exactly this id.
    HttpsSpiffe {
        /// The id of the endpoint.
        endpoint_id: SpiffeId,
        /// What the first fetch is verified with, where the endpoint is of the trust domain that it serves. Later ones are
        /// verified with the bundle that was fetched last.
        initial_bundle: Option<TrustBundle>,
    },
    /// By the public PKI, as a web server.
    HttpsWeb,
}

/// How one fetch is to be authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchAuth {
    /// The endpoint must prove this id against this bundle.
    Spiffe {
        /// The id, exactly.
        endpoint_id: SpiffeId,
        /// What to verify it with.
        bundle: TrustBundle,
    },
    /// As a web server.
    WebPki,
}

/// Settings of a [`FederationClient`](super::FederationClient).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FederationOptions {
    /// Shortest time between polls. Default 60 s.
    pub min_interval: Duration,
    /// Longest time between polls. Default 24 h.
    pub max_interval: Duration,
    /// After how many intervals without a success a bundle is called stale. Default 3.
    pub stale_after: u32,
    /// How long an answer is waited for. Default 30 s.
    pub fetch_timeout: Duration,
    /// Whether a relationship with the own trust domain is allowed, whose bundle is then merged by the embedder. Default
    /// false.
    pub allow_own: bool,
    /// Limits on what is fetched.
    pub limits: Limits,
}

impl Default for FederationOptions {
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(60),
            max_interval: Duration::from_secs(24 * 3_600),
            stale_after: 3,
            fetch_timeout: Duration::from_secs(30),
            allow_own: false,
            limits: Limits::default(),
        }
    }
}

/// Why relationships cannot work together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FederationConfigError {
    /// An endpoint proves an id of a trust domain whose bundle comes from nowhere: neither an initial or static bundle, nor
    /// another relationship that can start.
    #[error("the endpoint of `{trust_domain}` is of `{endpoint_domain}`, whose bundle comes from nowhere")]
    EndpointBundleUnknown {
        /// Whose bundle cannot be fetched.
        trust_domain: TrustDomain,
        /// Whose bundle would be needed for that.
        endpoint_domain: TrustDomain,
    },
    /// A relationship with the own trust domain.
    #[error("`{0}` is the own trust domain")]
    OwnTrustDomain(TrustDomain),
    /// Two relationships with one trust domain.
    #[error("there are two relationships with `{0}`")]
    TwoRelationships(TrustDomain),
}

impl FederationConfigError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EndpointBundleUnknown { .. } => "federation.endpoint_bundle_unknown",
            Self::OwnTrustDomain(_) => "federation.own_trust_domain",
            Self::TwoRelationships(_) => "federation.two_relationships",
        }
    }
}

/// Whether every relationship can start, from the bundles that are known without any fetch. Relationships that wait for
/// each other in a circle cannot.
pub(super) fn check<'r>(
    relationships: impl Iterator<Item = &'r Relationship> + Clone,
    known: &BTreeMap<TrustDomain, TrustBundle>,
) -> Result<(), FederationConfigError> {
    let mut startable: BTreeSet<&TrustDomain> = known.keys().collect();
    let mut waiting: Vec<(&Relationship, TrustDomain)> = Vec::new();
    for relationship in relationships {
        match endpoint_domain(relationship) {
            None => {
                startable.insert(&relationship.trust_domain);
            }
            Some(domain) => waiting.push((relationship, domain)),
        }
    }
    loop {
        let before = waiting.len();
        waiting.retain(|(relationship, domain)| {
            let can_start = startable.contains(domain);
            if can_start {
                startable.insert(&relationship.trust_domain);
            }
            !can_start
        });
        match waiting.first() {
            None => return Ok(()),
            Some((relationship, domain)) if waiting.len() == before => {
                return Err(FederationConfigError::EndpointBundleUnknown {
                    trust_domain: relationship.trust_domain.clone(),
                    endpoint_domain: domain.clone(),
                });
            }
            Some(_) => {}
        }
    }
}

/// The trust domain whose bundle must be fetched before; `None` where nothing is waited for.
fn endpoint_domain(relationship: &Relationship) -> Option<TrustDomain> {
    match &relationship.profile {
        EndpointProfile::HttpsWeb => None,
        EndpointProfile::HttpsSpiffe {
            endpoint_id,
            initial_bundle,
        } => {
            let starts_itself =
                initial_bundle.is_some() && endpoint_id.is_member_of(&relationship.trust_domain);
            (!starts_itself).then(|| endpoint_id.trust_domain().to_owned())
        }
    }
}
