//! Looking up extension providers.

use std::fmt;

use crate::mesh::{ExtensionProvider, MeshConfig, Provider};

/// What a provider can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProviderCapability {
    /// Access logs of Telemetry objects.
    AccessLog,
    /// AuthorizationPolicy objects with action CUSTOM.
    Authorization,
    /// Metrics of Telemetry objects.
    Metrics,
    /// Certificates and keys.
    Secrets,
    /// Traces of Telemetry objects.
    Tracing,
}

impl fmt::Display for ProviderCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessLog => "access logs",
            Self::Authorization => "authorization",
            Self::Metrics => "metrics",
            Self::Secrets => "secrets",
            Self::Tracing => "tracing",
        })
    }
}

/// The kind of a provider, told by the field that it stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProviderKind {
    /// `envoyExtAuthzHttp`
    EnvoyExtAuthzHttp,
    /// `envoyExtAuthzGrpc`
    EnvoyExtAuthzGrpc,
    /// `zipkin`
    Zipkin,
    /// `lightstep`
    Lightstep,
    /// `datadog`
    Datadog,
    /// `stackdriver`
    Stackdriver,
    /// `opencensus`
    OpenCensus,
    /// `skywalking`
    SkyWalking,
    /// `opentelemetry`
    OpenTelemetry,
    /// `prometheus`
    Prometheus,
    /// `envoyFileAccessLog`
    EnvoyFileAccessLog,
    /// `envoyHttpAls`
    EnvoyHttpAls,
    /// `envoyTcpAls`
    EnvoyTcpAls,
    /// `envoyOtelAls`
    EnvoyOtelAls,
    /// `sds`
    Sds,
}

impl ProviderKind {
    /// The name of the field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EnvoyExtAuthzHttp => "envoyExtAuthzHttp",
            Self::EnvoyExtAuthzGrpc => "envoyExtAuthzGrpc",
            Self::Zipkin => "zipkin",
            Self::Lightstep => "lightstep",
            Self::Datadog => "datadog",
            Self::Stackdriver => "stackdriver",
            Self::OpenCensus => "opencensus",
            Self::SkyWalking => "skywalking",
            Self::OpenTelemetry => "opentelemetry",
            Self::Prometheus => "prometheus",
            Self::EnvoyFileAccessLog => "envoyFileAccessLog",
            Self::EnvoyHttpAls => "envoyHttpAls",
            Self::EnvoyTcpAls => "envoyTcpAls",
            Self::EnvoyOtelAls => "envoyOtelAls",
            Self::Sds => "sds",
        }
    }

    /// What providers of the kind can be used for.
    pub fn capabilities(self) -> &'static [ProviderCapability] {
        use ProviderCapability::{AccessLog, Authorization, Metrics, Secrets, Tracing};
        match self {
            Self::EnvoyExtAuthzHttp | Self::EnvoyExtAuthzGrpc => &[Authorization],
            Self::Zipkin
            | Self::Lightstep
            | Self::Datadog
            | Self::OpenCensus
            | Self::SkyWalking
            | Self::OpenTelemetry => &[Tracing],
            Self::Stackdriver => &[AccessLog, Metrics, Tracing],
            Self::Prometheus => &[Metrics],
            Self::EnvoyFileAccessLog | Self::EnvoyHttpAls | Self::EnvoyTcpAls | Self::EnvoyOtelAls => {
                &[AccessLog]
            }
            Self::Sds => &[Secrets],
        }
    }

    /// Whether providers of the kind can be used for this.
    pub fn can(self, capability: ProviderCapability) -> bool {
        self.capabilities().contains(&capability)
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Provider {
    /// The kind.
    pub fn kind(&self) -> ProviderKind {
        match self {
            Self::EnvoyExtAuthzHttp(_) => ProviderKind::EnvoyExtAuthzHttp,
            Self::EnvoyExtAuthzGrpc(_) => ProviderKind::EnvoyExtAuthzGrpc,
            Self::Zipkin(_) => ProviderKind::Zipkin,
            Self::Lightstep(_) => ProviderKind::Lightstep,
            Self::Datadog(_) => ProviderKind::Datadog,
            Self::Stackdriver(_) => ProviderKind::Stackdriver,
            Self::OpenCensus(_) => ProviderKind::OpenCensus,
            Self::SkyWalking(_) => ProviderKind::SkyWalking,
            Self::OpenTelemetry(_) => ProviderKind::OpenTelemetry,
            Self::Prometheus(_) => ProviderKind::Prometheus,
            Self::EnvoyFileAccessLog(_) => ProviderKind::EnvoyFileAccessLog,
            Self::EnvoyHttpAls(_) => ProviderKind::EnvoyHttpAls,
            Self::EnvoyTcpAls(_) => ProviderKind::EnvoyTcpAls,
            Self::EnvoyOtelAls(_) => ProviderKind::EnvoyOtelAls,
            Self::Sds(_) => ProviderKind::Sds,
        }
    }

    /// The service that it asks or reports to, as `[namespace/]host`, and its port; `None` for kinds without one.
    pub fn service(&self) -> Option<(&str, u32)> {
        macro_rules! service {
            ($provider:expr) => {
                Some(($provider.service.as_str(), $provider.port))
            };
        }
        match self {
            Self::EnvoyExtAuthzHttp(provider) => service!(provider),
            Self::EnvoyExtAuthzGrpc(provider) => service!(provider),
            Self::Zipkin(provider) => service!(provider),
            Self::Lightstep(provider) => service!(provider),
            Self::Datadog(provider) => service!(provider),
            Self::OpenCensus(provider) => service!(provider),
            Self::SkyWalking(provider) => service!(provider),
            Self::OpenTelemetry(provider) => service!(provider),
            Self::EnvoyHttpAls(provider) => service!(provider),
            Self::EnvoyTcpAls(provider) => service!(provider),
            Self::EnvoyOtelAls(provider) => service!(provider),
            Self::Sds(provider) => service!(provider),
            Self::Stackdriver(_) | Self::Prometheus(_) | Self::EnvoyFileAccessLog(_) => None,
        }
    }
}

impl MeshConfig {
    /// The extension provider of a name (A-MSH-5); of two with one name the first.
    ///
    /// ```
    /// use mesh_api::effective::{ProviderCapability, ProviderKind};
    /// use mesh_api::mesh::MeshConfig;
    ///
    /// let mesh = MeshConfig::default();
    /// let kind = mesh.provider("envoy").and_then(|found| found.provider.as_ref()).map(|provider| provider.kind());
    /// assert_eq!(kind, Some(ProviderKind::EnvoyFileAccessLog));
    /// assert!(ProviderKind::EnvoyFileAccessLog.can(ProviderCapability::AccessLog));
    /// assert!(mesh.provider("otel").is_none());
    /// ```
    pub fn provider(&self, name: &str) -> Option<&ExtensionProvider> {
        self.extension_providers
            .iter()
            .find(|provider| provider.name == name)
    }

    /// The extension provider of a name for a use.
    ///
    /// # Errors
    /// When there is no such provider, or one that cannot be used for it; the text proposes a name of one that can.
    ///
    /// ```
    /// use mesh_api::effective::ProviderCapability;
    /// use mesh_api::mesh::MeshConfig;
    ///
    /// let error = MeshConfig::default().provider_for("envy", ProviderCapability::AccessLog).unwrap_err();
    /// assert_eq!(error.to_string(), "there is no extension provider `envy`, did you mean `envoy`?");
    /// ```
    pub fn provider_for(
        &self,
        name: &str,
        capability: ProviderCapability,
    ) -> Result<&Provider, ProviderError> {
        let found = self.provider(name);
        let usable = |provider: &&ExtensionProvider| {
            provider
                .provider
                .as_ref()
                .is_some_and(|provider| provider.kind().can(capability))
        };
        if let Some(provider) = found.filter(usable).and_then(|found| found.provider.as_ref()) {
            return Ok(provider);
        }
        let names: Vec<&str> = self
            .extension_providers
            .iter()
            .filter(usable)
            .map(|provider| provider.name.as_str())
            .collect();
        Err(ProviderError {
            name: name.to_owned(),
            kind: found
                .and_then(|found| found.provider.as_ref())
                .map(Provider::kind),
            capability,
            proposal: crate::codec::nearest_name(name, names).map(str::to_owned),
        })
    }
}

/// A provider is not there, or cannot be used for what it is named for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    name: String,
    kind: Option<ProviderKind>,
    capability: ProviderCapability,
    proposal: Option<String>,
}

impl ProviderError {
    /// The kind of the provider that has the name, if there is one.
    pub fn kind(&self) -> Option<ProviderKind> {
        self.kind
    }

    /// The nearest name of a provider that can be used.
    pub fn proposal(&self) -> Option<&str> {
        self.proposal.as_deref()
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            kind,
            capability,
            proposal,
        } = self;
        match kind {
            None => write!(f, "there is no extension provider `{name}`")?,
            Some(kind) => write!(
                f,
                "the extension provider `{name}` is of the kind {kind}, which cannot do {capability}"
            )?,
        }
        match proposal {
            Some(proposal) => write!(f, ", did you mean `{proposal}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ProviderError {}
