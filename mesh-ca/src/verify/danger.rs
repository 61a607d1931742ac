//! What is not safe alone.

use super::{Extras, Request, VerifiedPath, VerifyError, VerifyOptions};
use crate::TrustBundle;

/// Verifies a path without regard to names: for certificates that are no SVIDs, such as those of a web server that serves
/// a bundle. **It does not say who the peer is.** The caller has to compare a name of the leaf with the one expected, or
/// any subscriber of the anchors is accepted.
///
/// The options are those of SVIDs, apart from the expected id; [`Profile::RFC5280`](crate::Profile::RFC5280) fits such
/// certificates. The trust domain of the bundle is not looked at.
///
/// ```
/// use mesh_ca::{Certificate, GeneralName, Limits, TrustBundle, UnixTime, VerifyOptions, danger, pem};
///
/// const ROOT: &[u8] = include_bytes!("../../tests/data/root.pem");
/// const CHAIN: &[u8] = include_bytes!("../../tests/data/chain.pem");
/// let anchors = TrustBundle::from_pem("anything".parse()?, ROOT, &Limits::default())?;
/// let chain = pem::parse_chain(CHAIN, &Limits::default())?;
/// let options = VerifyOptions::at(UnixTime::from_secs(1_800_000_000));
///
/// let path = danger::verify_path(&chain, &anchors, &options)?;
/// let leaf = Certificate::parse(&path.certificates()[0])?;
/// assert!(leaf.subject_alt_names().any(|name| name == GeneralName::Dns(b"web.example.org")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Why there is no path.
pub fn verify_path<C: AsRef<[u8]>>(
    chain: &[C],
    anchors: &TrustBundle,
    options: &VerifyOptions<'_>,
) -> Result<VerifiedPath, VerifyError> {
    let request = Request::new(chain, options);
    let leaf = request.leaf()?;
    request.search(&leaf, None, anchors, Extras::default(), VerifiedPath::found_by)
}
