//! Whose verdict the decoder and the validators give.

/// Whose verdict is wanted: upstream's layers accept different texts (api.md, conventions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A Kubernetes API server that holds the CRDs: exact field names, no quoted numbers, no `null` in lists.
    ApiServer,
    /// What a user sees on `kubectl apply`: the API server's verdict, then istiod's.
    #[default]
    Cluster,
    /// istiod's validating webhook: both spellings of fields, enums by number, quoted numbers; unknown fields are dropped
    /// with a warning.
    Istiod,
    /// For editors and CI: as `Cluster`, without the quirks that are plainly defects.
    Strict,
}

impl Profile {
    /// Whether the rules of the API server apply.
    pub fn has_api_server(self) -> bool {
        self != Self::Istiod
    }

    /// Whether istiod's rules apply.
    pub fn has_istiod(self) -> bool {
        self != Self::ApiServer
    }
}
