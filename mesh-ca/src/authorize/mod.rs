//! Who may have which certificate.

mod audit;
mod caller;
mod error;
mod grant;
mod impersonation;
mod policy;
#[cfg(test)]
mod tests;
mod token;
mod xfcc;

pub use self::audit::{AuditRecord, Decision};
pub use self::caller::{
    Caller, CallerError, CallerId, CallerSource, KubernetesCaller, TrustedProxies, bearer_token,
    check_audience, service_account_id,
};
pub use self::error::{AuthError, AuthErrorKind, ImpersonationError};
pub use self::grant::{CaGrant, Grant};
pub use self::impersonation::{NodeView, Pod, PodPhase};
pub use self::policy::{AuthMode, AuthPolicy, RequestMeta};
pub use self::token::UnverifiedClaims;

use crate::csr::{ValidCaCsr, ValidCsr};
use crate::{SpiffeId, TrustDomainSet};

impl ValidCsr {
    /// Lets the caller have the certificate if the request names its only SPIFFE id: [`authorize`] with the default policy.
    ///
    /// # Errors
    /// When the caller has no SPIFFE id, more than one, or another one.
    pub fn authorize(&self, caller: &Caller) -> Result<Grant, AuthError> {
        let (policy, nodes) = (AuthPolicy::default(), NodeView::default());
        authorize(self, caller, &RequestMeta::default(), &policy, &nodes)
    }
}

impl ValidCaCsr {
    /// Lets the caller have an intermediate authority, if its registration allows one.
    ///
    /// # Errors
    /// [`AuthErrorKind::NotDownstream`].
    ///
    /// Source: ca.md C-AUTH-9.
    pub fn authorize(&self, caller: &Caller) -> Result<CaGrant, AuthError> {
        let mut audit = AuditRecord::new(caller, self.digest(), None);
        if !caller.is_downstream() {
            return Err(AuthError::new(AuthErrorKind::NotDownstream, audit));
        }
        audit.grant(None);
        Ok(CaGrant::new(self, audit))
    }
}

/// Decides which identity the caller gets for its validated request, if any.
///
/// ```
/// use mesh_ca::{
///     AuthPolicy, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair, NodeView, RequestMeta, SpiffeId, authorize,
/// };
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
/// let csr = CsrPolicy::istio().check(CsrBuilder::new(&id).build(&key)?.der())?;
///
/// let other: SpiffeId = "spiffe://cluster.local/ns/shop/sa/ratings".parse()?;
/// let (meta, policy, nodes) = (RequestMeta::default(), AuthPolicy::default(), NodeView::default());
/// let error = authorize(&csr, &Caller::from(&other), &meta, &policy, &nodes).unwrap_err();
/// assert_eq!(error.code(), "auth.mismatch");
/// assert_eq!(error.audit().requested.as_ref(), Some(&id));
/// let grant = authorize(&csr, &Caller::from(&id), &meta, &policy, &nodes)?;
/// assert_eq!(grant.id(), &id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Why not; the audit record of the decision is in the error, as it is in the grant.
///
/// Source: ca.md C-AUTH-3..7, C-AUTH-10.
pub fn authorize(
    csr: &ValidCsr,
    caller: &Caller,
    meta: &RequestMeta,
    policy: &AuthPolicy,
    nodes: &NodeView,
) -> Result<Grant, AuthError> {
    let mut audit = AuditRecord::new(caller, csr.digest(), csr.uri().cloned());
    match decide(csr, caller, meta, policy, nodes, &mut audit) {
        Ok(id) => {
            audit.grant(Some(&id));
            Ok(Grant::new(csr, id, meta, policy.mode, audit))
        }
        Err(kind) => Err(AuthError::new(kind, audit)),
    }
}

fn decide(
    csr: &ValidCsr,
    caller: &Caller,
    meta: &RequestMeta,
    policy: &AuthPolicy,
    nodes: &NodeView,
    audit: &mut AuditRecord,
) -> Result<SpiffeId, AuthErrorKind> {
    let id = if meta.impersonated_identity.is_empty() {
        let id = caller
            .only_spiffe_id()
            .ok_or(AuthErrorKind::AmbiguousCaller)?
            .clone();
        compare(csr, &id, policy)?
    } else {
        audit.impersonated = Some(meta.impersonated_identity.clone());
        let id = impersonation::check(&meta.impersonated_identity, caller, policy, nodes)?;
        let id = compare(csr, &id, policy)?;
        to_primary(&id, policy.trust_domains.as_ref()).unwrap_or(id)
    };
    if policy.validate_kubernetes_names
        && caller.kubernetes().is_some()
        && let Some(istio) = id.istio_identity()
    {
        istio.validate_k8s().map_err(AuthErrorKind::KubernetesName)?;
    }
    match &csr.bound_to {
        Some(owner) if *owner != id => Err(AuthErrorKind::KeyBoundToOther),
        _ => Ok(id),
    }
}

/// The id to be issued to somebody who is `id` (C-AUTH-3, C-AUTH-4).
fn compare(csr: &ValidCsr, id: &SpiffeId, policy: &AuthPolicy) -> Result<SpiffeId, AuthErrorKind> {
    match policy.mode {
        AuthMode::IstioCompat => Ok(id.clone()),
        AuthMode::RaMatch => {
            let names_only_the_id =
                csr.uri() == Some(id) && csr.dns_names().is_empty() && csr.ip_addresses().is_empty();
            if !csr.subject.is_istio || csr.other_extensions {
                Err(AuthErrorKind::NotRegistrationAuthorityForm)
            } else if names_only_the_id {
                Ok(id.clone())
            } else {
                Err(AuthErrorKind::Mismatch)
            }
        }
        AuthMode::Match => match csr.uri() {
            Some(uri) if uri == id => Ok(id.clone()),
            // Validation may have left it to the caller to say who it is.
            None => Ok(id.clone()),
            Some(uri) if policy.alias_ok && uri.path() == id.path() => {
                let domains = policy.trust_domains.as_ref();
                let is_local = domains.is_some_and(|domains| domains.contains(uri.trust_domain()));
                let primary = to_primary(id, domains).filter(|_| is_local);
                primary.ok_or(AuthErrorKind::Mismatch)
            }
            Some(_) => Err(AuthErrorKind::Mismatch),
        },
    }
}

/// The id under the primary name, if its trust domain is a local one.
fn to_primary(id: &SpiffeId, domains: Option<&TrustDomainSet>) -> Option<SpiffeId> {
    domains?.to_primary(id).ok().flatten()
}
