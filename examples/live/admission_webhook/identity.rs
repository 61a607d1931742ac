//! The server's certificate, from a CA that is made for it.

use std::error::Error;

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    Authority, Caller, Certificate, CsrBuilder, CsrPolicy, Entropy, KeyFormat, KeyPair, SecretBytes,
    SpiffeId, UnixTime,
};

/// A certificate with its key, and the root that it ends in.
pub(crate) struct Identity {
    /// The certificate and what is between it and the root.
    pub(crate) chain: Vec<Vec<u8>>,
    /// The private key, in PKCS#8.
    pub(crate) key: SecretBytes,
    /// The root, which clients trust.
    pub(crate) root: Vec<u8>,
    /// The names in the certificate, for display.
    pub(crate) names: String,
    /// When it ends.
    pub(crate) not_after: UnixTime,
}

impl Identity {
    /// A new CA, and a certificate for a server of that DNS name.
    pub(crate) fn issue(
        name: &str,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Box<dyn Error>> {
        let id: SpiffeId = "spiffe://cluster.local/ns/istio-system/sa/istiod".parse()?;
        let mut ca = Authority::self_signed(id.trust_domain().to_owned(), now, entropy)?;
        let key = KeyPair::generate(entropy)?;
        let csr = CsrBuilder::new(&id).with_dns_name(name).build(&key)?;
        let valid = CsrPolicy::istio().with_dns_names(true).check(csr.der())?;
        let svid = ca.issue(&valid.authorize(&Caller::from(&id))?, now, entropy)?;
        let leaf = Certificate::parse(svid.leaf())?;
        Ok(Self {
            chain: svid.chain().iter().map(|der| der.to_vec()).collect(),
            key: key.to_der(KeyFormat::Pkcs8),
            root: ca.certificate_der().to_vec(),
            names: format!("{id}, {name}"),
            not_after: leaf.not_after(),
        })
    }

    /// The root as PEM.
    pub(crate) fn root_pem(&self) -> String {
        pem::encode(PemLabel::Certificate, &self.root)
    }
}
