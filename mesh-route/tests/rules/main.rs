//! The edge-case catalogue of the routing rules: small meshes, one request each. Test names carry the ids.

mod bench;
mod destination_rules;
mod gateways;
mod matching;
mod sidecars;
