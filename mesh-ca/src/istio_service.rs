//! Istio's certificate service, without its transport.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::authorize::{AuditRecord, AuthPolicy, Caller, NodeView, RequestMeta, authorize};
use crate::pb::{IstioCertificateRequest, IstioCertificateResponse};
use crate::{
    Authority, CaError, CsrPolicy, Entropy, KeySet, KeyStatus, RevocationStore, Status, UnixTime,
    default_verifier,
};

/// What answers requests of Istio's certificate service: an authority, named ones beside it, and the rules.
///
/// Source: ca.md C-AUTH-7, C-SGN-5.
#[derive(Debug, Clone)]
pub struct IstioCa {
    /// The authority of requests that name no signer.
    pub authority: Authority,
    /// Authorities by the name that requests give as `CertSigner`.
    pub signers: BTreeMap<String, Authority>,
    /// What a signing request may contain.
    pub csr_policy: CsrPolicy,
    /// Who may have which identity.
    pub auth_policy: AuthPolicy,
    /// What was revoked: keys on its deny list and identities that it blocks get no certificate.
    pub revocations: RevocationStore,
    /// [Digests](crate::PublicKeyInfo::digest) of the keys of authorities that were replaced. Like those of the authorities
    /// that are there, such keys are certified for nobody.
    pub former_keys: BTreeSet<[u8; 32]>,
}

impl IstioCa {
    /// With the default rules, and without named signers.
    pub fn new(authority: Authority) -> Self {
        Self {
            authority,
            signers: BTreeMap::new(),
            csr_policy: CsrPolicy::istio(),
            auth_policy: AuthPolicy::default(),
            revocations: RevocationStore::new(),
            former_keys: BTreeSet::new(),
        }
    }
}

/// The keys that are certified for nobody.
///
/// Source: ca.md C-CSR-17.
impl KeySet for IstioCa {
    fn status(&self, spki_digest: &[u8; 32]) -> KeyStatus {
        let is_own = |authority: &Authority| Sha256::digest(authority.spki_der())[..] == spki_digest[..];
        let mut authorities = std::iter::once(&self.authority).chain(self.signers.values());
        match self.former_keys.contains(spki_digest) || authorities.any(is_own) {
            true => KeyStatus::Issuer,
            false => self.revocations.status(spki_digest),
        }
    }
}

/// Answers one request of Istio's certificate service: `IstioCertificateService.CreateCertificate`. The embedder has
/// authenticated the caller, sends the answer, and keeps the audit record.
///
/// ```
/// use mesh_ca::pb::IstioCertificateRequest;
/// use mesh_ca::{
///     Authority, Caller, CsrBuilder, InsecureSeededEntropy, IstioCa, KeyPair, NodeView, SpiffeId, UnixTime,
///     handle_istio_request,
/// };
///
/// let mut entropy = InsecureSeededEntropy::new(1);
/// let now = UnixTime::from_secs(1_800_000_000);
/// let mut ca = IstioCa::new(Authority::self_signed("cluster.local".parse()?, now, &mut entropy)?);
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let csr = CsrBuilder::new(&id).build(&KeyPair::generate(&mut entropy)?)?;
/// let request = IstioCertificateRequest { csr: csr.to_pem(), ..Default::default() };
/// let nodes = NodeView::default();
/// let (answer, audit) = handle_istio_request(&mut ca, &request, &Caller::from(&id), &nodes, now, &mut entropy);
/// assert_eq!(answer?.cert_chain.len(), 2);
/// assert_eq!(audit.issued, Some(id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-AUTH-8, C-AUTH-10, C-SIGN-15; Istio server/ca/server.go CreateCertificate.
pub fn handle_istio_request(
    ca: &mut IstioCa,
    request: &IstioCertificateRequest,
    caller: &Caller,
    nodes: &NodeView,
    now: UnixTime,
    entropy: &mut dyn Entropy,
) -> (Result<IstioCertificateResponse, Status>, AuditRecord) {
    let checked = ca
        .csr_policy
        .check_with(request.csr.as_bytes(), default_verifier(), &*ca);
    let csr = match checked {
        Ok(csr) => csr,
        Err(error) => {
            let digest = Sha256::digest(request.csr.as_bytes()).into();
            let audit = AuditRecord::new(caller, digest, None).failed(error.code(), &error);
            return (Err(error.status()), audit);
        }
    };
    let meta = RequestMeta {
        impersonated_identity: request.metadata_text("ImpersonatedIdentity").to_owned(),
        cert_signer: request.metadata_text("CertSigner").to_owned(),
    };
    let granted = authorize(&csr, caller, &meta, &ca.auth_policy, nodes)
        .and_then(|grant| grant.check_not_blocked(&ca.revocations, now).map(|()| grant));
    let grant = match granted {
        Ok(grant) => grant,
        Err(error) => return (Err(error.status()), error.audit().clone()),
    };
    let ttl = Duration::from_secs(u64::try_from(request.validity_duration).unwrap_or(0));
    let grant = grant.with_ttl(ttl);
    let authority = match meta.cert_signer.as_str() {
        "" => Some(&mut ca.authority),
        name => ca.signers.get_mut(name),
    };
    let unknown = || CaError::SignerUnknown {
        name: meta.cert_signer.clone(),
    };
    let issued = authority
        .ok_or_else(unknown)
        .and_then(|authority| authority.issue(&grant, now, entropy));
    match issued {
        Ok(svid) => {
            let audit = grant.audit().issued(svid.record());
            let cert_chain = svid.response_chain();
            (Ok(IstioCertificateResponse { cert_chain }), audit)
        }
        Err(error) => (Err(error.status()), grant.audit().failed(error.code(), &error)),
    }
}

#[cfg(all(test, any(feature = "ring", feature = "soft", feature = "aws-lc")))]
mod tests {
    use super::*;
    use crate::pb::Struct;
    use crate::{CsrBuilder, Decision, InsecureSeededEntropy, KeyPair, SpiffeId};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn id() -> SpiffeId {
        "spiffe://td/ns/a/sa/b".parse().unwrap()
    }

    fn ask(request: &IstioCertificateRequest, caller: &Caller) -> (Result<usize, String>, AuditRecord) {
        let mut entropy = InsecureSeededEntropy::new(1);
        let mut new = || Authority::self_signed("td".parse().unwrap(), NOW, &mut entropy).unwrap();
        let mut ca = IstioCa::new(new());
        ca.signers.insert("named".to_owned(), new());
        let (answer, audit) = handle_istio_request(
            &mut ca,
            request,
            caller,
            &NodeView::default(),
            NOW,
            &mut InsecureSeededEntropy::new(9),
        );
        (
            answer
                .map(|answer| answer.cert_chain.len())
                .map_err(|status| status.to_string()),
            audit,
        )
    }

    fn request() -> IstioCertificateRequest {
        let key = KeyPair::generate(&mut InsecureSeededEntropy::new(2)).unwrap();
        IstioCertificateRequest {
            csr: CsrBuilder::new(&id()).build(&key).unwrap().to_pem(),
            validity_duration: 3_600,
            metadata: None,
        }
    }

    /// C-AUTH-8, C-AUTH-10: each outcome has its status and its record.
    #[test]
    fn outcomes_and_their_records() {
        let caller = Caller::from(&id());
        let (answer, audit) = ask(&request(), &caller);
        assert_eq!(answer, Ok(2));
        assert_eq!((audit.decision, &*audit.rule), (Decision::Issued, "granted"));
        assert_eq!(audit.not_after, Some(NOW + Duration::from_secs(3_600)));
        assert!(audit.serial.is_some());

        let junk = IstioCertificateRequest {
            csr: "junk".to_owned(),
            ..request()
        };
        let (answer, audit) = ask(&junk, &caller);
        assert_eq!(
            answer,
            Err("INVALID_ARGUMENT: certificate signing request refused".to_owned())
        );
        assert_eq!((audit.decision, &*audit.rule), (Decision::Refused, "csr.pem"));

        let other = Caller::from(&"spiffe://td/ns/a/sa/other".parse::<SpiffeId>().unwrap());
        let (answer, audit) = ask(&request(), &other);
        assert!(answer.unwrap_err().starts_with("INVALID_ARGUMENT"));
        assert_eq!(audit.rule, "auth.mismatch");

        let long = IstioCertificateRequest {
            validity_duration: i64::MAX,
            ..request()
        };
        let (answer, audit) = ask(&long, &caller);
        assert_eq!(
            answer,
            Err("INVALID_ARGUMENT: certificate lifetime refused".to_owned())
        );
        assert_eq!(
            (audit.decision, &*audit.rule),
            (Decision::Refused, "ca.ttl_too_long")
        );
        assert_eq!(audit.issued, None);
        let negative = IstioCertificateRequest {
            validity_duration: -1,
            ..request()
        };
        assert_eq!(ask(&negative, &caller).0, Ok(2));
    }

    /// C-CSR-17, C-CRL-2, scenario 81a: keys of authorities, old ones too, and stolen keys are certified for nobody; a blocked
    /// identity gets nothing until the block ends.
    #[test]
    fn keys_and_identities_can_be_refused() {
        let mut entropy = InsecureSeededEntropy::new(1);
        let own = std::sync::Arc::new(KeyPair::generate(&mut entropy).unwrap());
        let profile = crate::CaProfile::root("td".parse().unwrap());
        let authority = profile.self_sign(own.clone(), NOW, &mut entropy).unwrap();
        let named = KeyPair::generate(&mut entropy).unwrap();
        let other = profile
            .self_sign(std::sync::Arc::new(named.clone()), NOW, &mut entropy)
            .unwrap();
        let [old, stolen, good] =
            [3, 4, 5].map(|seed| KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap());
        let mut ca = IstioCa::new(authority);
        ca.signers.insert("named".to_owned(), other);
        ca.former_keys.insert(old.public_key().digest());
        let serial = "0a".parse().unwrap();
        let revocation = crate::Revocation::new(serial, NOW, NOW + Duration::from_secs(60))
            .with_reason(crate::RevocationReason::KeyCompromise)
            .with_key(stolen.public_key().digest());
        let issuer = ca.authority.key_id().clone();
        ca.revocations.revoke(&issuer, revocation).unwrap();

        let ask = |ca: &mut IstioCa, key: &KeyPair, now: UnixTime| {
            let request = IstioCertificateRequest {
                csr: CsrBuilder::new(&id()).build(key).unwrap().to_pem(),
                ..request()
            };
            let (caller, nodes) = (Caller::from(&id()), NodeView::default());
            let mut entropy = InsecureSeededEntropy::new(9);
            let (answer, audit) = handle_istio_request(ca, &request, &caller, &nodes, now, &mut entropy);
            (answer.err().map(|status| status.code()), audit.rule)
        };
        let refused = Some(crate::StatusCode::InvalidArgument);
        for (key, rule) in [
            (&*own, "issuer"),
            (&named, "issuer"),
            (&old, "issuer"),
            (&stolen, "denied"),
        ] {
            let expected = match rule {
                "issuer" => "csr.key_is_issuer",
                _ => "csr.key_denied",
            };
            assert_eq!(ask(&mut ca, key, NOW), (refused, expected.into()));
        }
        assert_eq!(ask(&mut ca, &good, NOW), (None, "granted".into()));

        let until = NOW + Duration::from_secs(60);
        ca.revocations.block(&id(), until);
        let denied = Some(crate::StatusCode::PermissionDenied);
        assert_eq!(ask(&mut ca, &good, NOW), (denied, "auth.identity_blocked".into()));
        assert_eq!(ask(&mut ca, &good, until), (None, "granted".into()));
    }

    /// Scenario 39, C-AUTH-7: named signers.
    #[test]
    fn signers_have_names() {
        let with = |name: &str| IstioCertificateRequest {
            metadata: Some(Struct::from_texts([("CertSigner", name)])),
            ..request()
        };
        let caller = Caller::from(&id());
        assert_eq!(ask(&with("named"), &caller).0, Ok(2));
        let (answer, audit) = ask(&with("unknown"), &caller);
        assert_eq!(answer, Err("INTERNAL: certificate signing failed".to_owned()));
        assert_eq!(audit.rule, "ca.signer_unknown");
        // Without trusted node accounts nobody may ask for others.
        let impersonating = IstioCertificateRequest {
            metadata: Some(Struct::from_texts([(
                "ImpersonatedIdentity",
                "spiffe://td/ns/a/sa/b",
            )])),
            ..request()
        };
        let (answer, audit) = ask(&impersonating, &caller);
        assert!(answer.unwrap_err().starts_with("UNAUTHENTICATED"));
        assert_eq!(audit.rule, "auth.impersonation_not_configured");
    }
}
