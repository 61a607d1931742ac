//! Names as Kubernetes would accept them.

use std::fmt;

use crate::IstioIdentity;

impl IstioIdentity<'_> {
    /// Checks that namespace and service account are names that Kubernetes accepts: a DNS label of at most 63 bytes, and
    /// DNS labels joined by dots of at most 253 bytes. Parsing an id does not ask this; issuing to a caller that
    /// Kubernetes vouches for does.
    ///
    /// ```
    /// use mesh_ca::SpiffeId;
    ///
    /// let id: SpiffeId = "spiffe://td/ns/shop/sa/reviews.v1".parse()?;
    /// assert!(id.istio_identity().is_some_and(|istio| istio.validate_k8s().is_ok()));
    /// let id: SpiffeId = "spiffe://td/ns/Shop/sa/reviews".parse()?;
    /// let error = id.istio_identity().and_then(|istio| istio.validate_k8s().err());
    /// assert_eq!(error.map(|error| error.to_string()).as_deref(), Some("the namespace is no DNS label"));
    /// # Ok::<(), mesh_ca::IdError>(())
    /// ```
    ///
    /// # Errors
    /// Which of the two is no such name.
    ///
    /// Source: ca.md C-IST-3; Kubernetes object names (RFC 1123 labels and subdomains).
    pub fn validate_k8s(&self) -> Result<(), KubernetesNameError> {
        if !is_dns_label(self.namespace) {
            return Err(KubernetesNameError::Namespace);
        }
        if !is_dns_subdomain(self.service_account) {
            return Err(KubernetesNameError::ServiceAccount);
        }
        Ok(())
    }
}

/// Which part of an identity Kubernetes would not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KubernetesNameError {
    /// The namespace.
    Namespace,
    /// The service account.
    ServiceAccount,
}

impl KubernetesNameError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Namespace => "kubernetes_name.namespace",
            Self::ServiceAccount => "kubernetes_name.service_account",
        }
    }
}

impl fmt::Display for KubernetesNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "the namespace is no DNS label",
            Self::ServiceAccount => "the service account is no DNS subdomain",
        })
    }
}

impl std::error::Error for KubernetesNameError {}

/// Lower-case letters, digits and inner dashes; 1 to 63 bytes.
pub(crate) fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_alphanumeric = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    bytes.len() <= 63
        && bytes.first().is_some_and(is_alphanumeric)
        && bytes.last().is_some_and(is_alphanumeric)
        && bytes.iter().all(|byte| is_alphanumeric(byte) || *byte == b'-')
}

/// Labels joined by dots; 1 to 253 bytes. Kubernetes does not cap the labels of a subdomain, DNS does.
fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-IST-3.
    #[test]
    fn names_are_those_of_kubernetes() {
        let long = "a".repeat(63);
        let too_long = "a".repeat(64);
        for good in ["a", "0", "a-b", &long] {
            assert!(is_dns_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "ä", &too_long] {
            assert!(!is_dns_label(bad), "{bad}");
        }
        let subdomain = [long.as_str(); 3].join(".") + "." + &"a".repeat(61);
        assert_eq!(subdomain.len(), 253);
        assert!(is_dns_subdomain(&subdomain));
        assert!(!is_dns_subdomain(&(subdomain + "a")));
        for bad in ["", ".", "a.", ".a", "a..b"] {
            assert!(!is_dns_subdomain(bad), "{bad}");
        }
    }
}
