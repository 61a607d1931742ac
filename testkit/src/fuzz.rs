//! What must be true of any input. The targets of `fuzz/` forward bytes to these functions, and the test `fuzz_replay`
//! runs kept inputs through them. Each panics when something is wrong.

use mesh_ca::{SpiffeId, SpiffeIdRef};

/// A function that takes any bytes, and the name under which its inputs are kept.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[("spiffe_id", spiffe_id)];

/// An id that parses is rebuilt from its parts; one that does not is refused at a place within the text.
pub fn spiffe_id(bytes: &[u8]) {
    match SpiffeIdRef::parse_bytes(bytes) {
        Ok(id) => {
            assert_eq!(id.as_str().as_bytes(), bytes);
            let owned = id.to_owned();
            assert_eq!(owned.to_string().parse::<SpiffeId>().as_ref(), Ok(&owned));
            let rebuilt = SpiffeId::from_path(&owned.trust_domain().to_owned(), owned.path());
            assert_eq!(rebuilt, Ok(owned));
        }
        Err(error) => assert!(error.offset() <= bytes.len()),
    }
}
