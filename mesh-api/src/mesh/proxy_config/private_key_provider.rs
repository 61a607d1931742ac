//! What computes with the private keys of TLS.

use serde::{Deserialize, Serialize};

use crate::scalar::Duration;
use crate::wire::{is_default, oneofs};

/// What computes with the private keys of TLS in the place of Envoy's own library.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "PrivateKeyProviderWire", into = "PrivateKeyProviderWire")]
pub struct PrivateKeyProvider {
    /// Which it is. Required.
    pub provider: Option<PrivateKeyProviderKind>,
}

/// The kinds of [`PrivateKeyProvider`].
#[derive(Debug, Clone, PartialEq)]
pub enum PrivateKeyProviderKind {
    /// Intel's CryptoMB: vector instructions, several keys at a time.
    CryptoMb(CryptoMb),
    /// Intel's QuickAssist hardware.
    Qat(Qat),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "PrivateKeyProvider(cryptomb|qat)")]
struct PrivateKeyProviderWire {
    #[serde(skip_serializing_if = "is_default")]
    cryptomb: Option<CryptoMb>,
    #[serde(skip_serializing_if = "is_default")]
    qat: Option<Qat>,
}

oneofs! {
    PrivateKeyProvider as PrivateKeyProviderWire {}
    provider: PrivateKeyProviderKind { cryptomb => CryptoMb, qat => Qat }
}

/// Settings of CryptoMB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CryptoMb {
    /// How long work is collected for one round. Required, not zero.
    #[serde(skip_serializing_if = "is_default")]
    pub poll_delay: Option<Duration>,
    /// Whether Envoy's own library steps in where the processor cannot do it. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub fallback: Option<bool>,
}

/// Settings of QuickAssist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Qat {
    /// Pause between two looks at the hardware. Required, not zero.
    #[serde(skip_serializing_if = "is_default")]
    pub poll_delay: Option<Duration>,
    /// Whether Envoy's own library steps in where there is no such hardware. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub fallback: Option<bool>,
}
