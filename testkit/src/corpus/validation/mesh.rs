//! Tables about the mesh configuration. Fragments are put into a configuration that is otherwise valid.

use std::collections::BTreeMap;

use mesh_api::effective::{EffectiveMesh, merge_proxy_config};
use mesh_api::mesh::{
    AuthenticationPolicy, ConnectionSettings, ExtensionProvider, MeshConfig, MeshNetworks, MeshProxyConfig,
    ServiceSettings,
};
use mesh_api::names::{Labels, Text};
use mesh_api::networking::ProxyConfig;
use mesh_api::scalar::Duration;
use mesh_api::validate::{
    ValidateOptions, validate_extension_provider, validate_mesh_config, validate_mesh_networks,
    validate_mesh_proxy_config,
};
use mesh_api::{Object, ObjectMeta, ObjectSet, Profile, Report};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{istiod, presence, verdict_of};
use crate::corpus::answer::{Given, NoAnswer, compare, typed};
use crate::corpus::{Area, Case, Verdict};

type Answer = Result<Value, NoAnswer>;
type Ask = fn(&Given<'_>) -> Answer;
/// The configuration that is wanted, and the one that was found.
type Compare = fn(&Given<'_>, &Value) -> Result<(MeshProxyConfig, MeshProxyConfig), NoAnswer>;

/// The tables that ask for a verdict or a value.
const TABLES: &[(&str, Ask)] = &[
    ("ApplyMeshConfigLocalityZoneAware", locality_zone_aware),
    ("ServiceSettings", |given| {
        let settings = ServiceSettings {
            hosts: given.typed("hosts")?,
            ..ServiceSettings::default()
        };
        mesh(MeshConfig {
            service_settings: vec![settings],
            ..MeshConfig::default()
        })
    }),
    ("ValidateConnectTimeout", |given| {
        mesh(MeshConfig {
            connect_timeout: given
                .typed::<Option<Duration>>("duration")?
                .unwrap_or(Duration::ZERO),
            ..MeshConfig::default()
        })
    }),
    ("ValidateConnectionSettings", |given| {
        let settings: ConnectionSettings = given.typed("cs")?;
        proxy(MeshProxyConfig {
            connection_settings: Some(Box::new(settings)),
            ..MeshProxyConfig::built_in()
        })
    }),
    ("ValidateControlPlaneAuthPolicy", |given| {
        proxy(MeshProxyConfig {
            control_plane_auth_policy: given.typed::<AuthenticationPolicy>("policy")?,
            ..MeshProxyConfig::built_in()
        })
    }),
    ("ValidateDrainDuration", |given| {
        proxy(MeshProxyConfig {
            drain_duration: given.typed("drain")?,
            ..MeshProxyConfig::built_in()
        })
    }),
    ("ValidateExtensionProviderEnvoyHTTPAls", |given| {
        provider(given, "provider", "envoyHttpAls")
    }),
    ("ValidateExtensionProviderEnvoyOtelAls", |given| {
        provider(given, "provider", "envoyOtelAls")
    }),
    ("ValidateExtensionProviderEnvoyTCPAls", |given| {
        provider(given, "provider", "envoyTcpAls")
    }),
    ("ValidateExtensionProviderService", |given| {
        provider_of(
            "zipkin",
            &json!({ "service": given.text("service")?, "port": 80 }),
        )
    }),
    ("ValidateExtensionProviderTracingDatadog", |given| {
        provider(given, "config", "datadog")
    }),
    ("ValidateExtensionProviderTracingLightstep", |given| {
        provider(given, "config", "lightstep")
    }),
    ("ValidateExtensionProviderTracingOpenCensusAgent", |given| {
        provider(given, "config", "opencensus")
    }),
    ("ValidateExtensionProviderTracingOpentelemetry", |given| {
        provider(given, "provider", "opentelemetry")
    }),
    ("ValidateExtensionProviderTracingZipkin", |given| {
        provider(given, "config", "zipkin")
    }),
    ("ValidateMeshConfigDefaultInboundHTTPRetryPolicy", |given| {
        mesh(MeshConfig {
            default_inbound_http_retry_policy: given.typed("retry")?,
            ..MeshConfig::default()
        })
    }),
    ("ValidateMeshConfigDefaultTrafficPolicy", |given| {
        mesh(MeshConfig {
            default_traffic_policy: given.typed("dtp")?,
            ..MeshConfig::default()
        })
    }),
    ("ValidateMeshConfigProxyConfig", |given| proxy(given.typed("in")?)),
    ("ValidateMeshNetworks", |given| {
        let networks: MeshNetworks = given.typed("mn")?;
        Ok(verdict_of(&validate_mesh_networks(&networks, &istiod())))
    }),
    ("ValidateProtocolDetectionTimeout", |given| {
        mesh(MeshConfig {
            protocol_detection_timeout: given
                .typed::<Option<Duration>>("duration")?
                .unwrap_or(Duration::ZERO),
            ..MeshConfig::default()
        })
    }),
    ("ValidateTrustDomain", |given| {
        mesh(MeshConfig {
            trust_domain: given.text("in")?.to_owned(),
            ..MeshConfig::default()
        })
    }),
];

/// The tables that give a proxy configuration, to be compared as one.
const CONFIGS: &[(&str, Compare)] = &[
    ("ConvertToMeshConfigProxyConfig", |given, expect| {
        let object: ProxyConfig = given.typed("pc")?;
        Ok((
            typed("expected", &expect["expected"])?,
            MeshProxyConfig::from(&object),
        ))
    }),
    ("EffectiveProxyConfig", effective),
    ("MergeWithPrecedence", |given, expect| {
        let (first, second): (MeshProxyConfig, MeshProxyConfig) =
            (given.typed("first")?, given.typed("second")?);
        Ok((typed("expected", &expect["expected"])?, second.with_layer(&first)))
    }),
    ("ProxyConfigMerge", |given, expect| {
        let merge = |name: &str, text: &str, base: &MeshProxyConfig| {
            let (config, report) = merge_proxy_config(name, text.as_bytes(), base);
            accepted(&report).map(|()| config)
        };
        let nothing = MeshProxyConfig::default();
        let wanted = merge("result", expect["result"].as_str().unwrap_or_default(), &nothing)?;
        let base = merge("base", given.text("base")?, &nothing)?;
        Ok((wanted, merge("overlay", given.text("overlay")?, &base)?))
    }),
];

/// What mesh-api has no part for.
const ELSEWHERE: &[(&str, &str)] = &[(
    "ValidateMaxServerConnectionAge",
    "the age of connections to istiod is a flag of istiod, not configuration of the mesh",
)];

/// Whether a table is one of these.
pub(super) fn asks(table: &str) -> bool {
    let known = TABLES.iter().map(|(name, _)| *name);
    let configs = CONFIGS.iter().map(|(name, _)| *name);
    known
        .chain(configs)
        .chain(ELSEWHERE.iter().map(|(name, _)| *name))
        .any(|name| name == table)
}

pub(super) fn run(area: &Area, case: &Case) -> Verdict {
    let word = |key: &str| case.value[key].as_str().unwrap_or_default();
    let (package, name) = (word("package"), word("table"));
    let table = area.table(package, name);
    if !case.value["features"].is_null() || !table["features"].is_null() || !table["context"].is_null() {
        return Verdict::Unsupported("the case needs more than its arguments".to_owned());
    }
    if let Some((_, why)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return Verdict::Unsupported((*why).to_owned());
    }
    let given = &case.value["given"];
    if let Some((_, ask)) = TABLES.iter().find(|(known, _)| *known == name) {
        return compare(&presence(case.expect()), given, ask);
    }
    let Some((_, ask)) = CONFIGS.iter().find(|(known, _)| *known == name) else {
        return Verdict::Unsupported(format!("the runner does not know the table `{name}`"));
    };
    let expect = case.expect();
    let keys: Vec<&String> = expect.as_object().into_iter().flat_map(Map::keys).collect();
    match keys.as_slice() {
        [key] if ["expected", "result"].contains(&key.as_str()) => {}
        other => {
            return Verdict::Unsupported(format!("the runner compares one configuration, not {other:?}"));
        }
    }
    compare(&json!({ "same": true }), given, |given| {
        let (wanted, found) = ask(given, expect)?;
        match wanted == found {
            true => Ok(json!({ "same": true })),
            false => Err(NoAnswer::Refused(format!(
                "expected {}, found {}",
                text(&wanted),
                text(&found)
            ))),
        }
    })
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn accepted(report: &Report) -> Result<(), NoAnswer> {
    match report.errors().next() {
        Some(error) => Err(NoAnswer::Refused(error.to_string())),
        None => Ok(()),
    }
}

fn mesh(config: MeshConfig) -> Answer {
    Ok(verdict_of(&validate_mesh_config(&config, &istiod())))
}

fn proxy(config: MeshProxyConfig) -> Answer {
    Ok(verdict_of(&validate_mesh_proxy_config(&config, &istiod())))
}

fn provider(given: &Given<'_>, key: &str, kind: &str) -> Answer {
    provider_of(kind, given.value(key))
}

/// The source asks the check of the kind itself, whose findings the validation of the whole turns into warnings: Strict does
/// not.
fn provider_of(kind: &str, config: &Value) -> Answer {
    let provider: ExtensionProvider = typed("provider", &json!({ "name": "provider", kind: config }))?;
    Ok(verdict_of(&validate_extension_provider(
        &provider,
        &ValidateOptions::new(Profile::Strict),
    )))
}

fn locality_zone_aware(given: &Given<'_>) -> Answer {
    let (config, report) = mesh_api::decode_mesh_config("mesh.yaml", given.text("yaml")?.as_bytes());
    accepted(&report)?;
    let (locality, zones) = (&config.locality_lb_setting, config.zone_aware_lb_setting.as_ref());
    let written = serde_json::to_value(&config).unwrap_or_default();
    Ok(json!({
        "wantLocality": !written["localityLbSetting"].is_null(),
        "wantLocEnabled": locality.enabled == Some(true),
        "wantZoneAware": zones.is_some(),
        "wantZAEnabled": zones.is_some_and(|setting| setting.enabled == Some(true)),
    }))
}

/// The configuration of a workload in a mesh whose `defaultConfig` is the built-in one, or the given one alone.
fn effective(given: &Given<'_>, expect: &Value) -> Result<(MeshProxyConfig, MeshProxyConfig), NoAnswer> {
    let default_config: MeshProxyConfig = given.typed("defaultConfig")?;
    let mesh = EffectiveMesh::with_base(MeshConfig {
        default_config: Some(Box::new(MeshProxyConfig::built_in().with_layer(&default_config))),
        ..MeshConfig::default()
    });
    let mut objects = ObjectSet::new();
    for config in given.value("configs").as_array().into_iter().flatten() {
        let meta: ObjectMeta = typed("metadata", &config["metadata"])?;
        let spec: ProxyConfig = typed("spec", &config["spec"])?;
        let known = ["apiVersion", "kind", "metadata", "spec"];
        let keys = config.as_object().into_iter().flat_map(Map::keys);
        if let Some(key) = keys.into_iter().find(|key| !known.contains(&key.as_str())) {
            return Err(NoAnswer::Unsupported(format!(
                "`{key}` of an object is no input here"
            )));
        }
        objects.insert(Object::new(meta, spec));
    }
    let proxy = Given::new(given.value("proxy"));
    let annotations: BTreeMap<Text, Text> = proxy.typed("annotations")?;
    let labels: Labels = proxy.typed("labels")?;
    let workload = ObjectMeta {
        labels,
        annotations,
        ..ObjectMeta::new("proxy", proxy.text("namespace")?)
    };
    if let Some(key) = proxy.unread() {
        return Err(NoAnswer::Unsupported(format!(
            "`{key}` of the proxy is no input here"
        )));
    }
    let expected: MeshProxyConfig = typed("expected", &expect["expected"])?;
    let wanted = MeshProxyConfig::built_in().with_layer(&expected);
    Ok((wanted, mesh.proxy_config(&objects, &workload).config().clone()))
}
