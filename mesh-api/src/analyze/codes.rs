//! The message types, as istioctl numbers them.
//!
//! Not here, since no set of objects can tell: IST0001 (reserved), IST0141, IST0142, IST0156, IST0168, IST0169 and IST0172,
//! which are about permissions, versions and upgrades of a running cluster, and IST0143, which needs the listeners of a
//! running workload.
//!
//! Codes that begin with `MESH` are this crate's own, and their analyzers run in the strict profile (A-AN-3).
//!
//! Source: Istio analysis message types; api.md §4.

use super::{MessageType, Needs};
use crate::report::{Code, Severity};

/// The message type of a code.
///
/// ```
/// use mesh_api::analyze::codes;
///
/// assert_eq!(codes::find("IST0132").map(|kind| kind.name), Some("VirtualServiceHostNotFoundInGateway"));
/// assert_eq!(codes::find("IST0141"), None);
/// ```
pub fn find(code: &str) -> Option<&'static MessageType> {
    ALL.iter().copied().find(|kind| kind.code.as_str() == code)
}

/// Whether findings of the type are one message per object, whatever the field: istioctl knows no place for them.
pub(super) fn is_once_per_object(kind: &MessageType) -> bool {
    kind.is_istio() && matches!(kind.number(), 144 | 151..=155)
}

macro_rules! message_types {
    ($($constant:ident $code:literal $name:ident $severity:ident $needs:ident $template:literal;)*) => {
        $(
            #[doc = concat!($code, " ", stringify!($name), ": ", $template)]
            pub const $constant: &MessageType = &MessageType {
                code: Code::new($code),
                name: stringify!($name),
                severity: Severity::$severity,
                needs: Needs::$needs,
                template: $template,
            };
        )*

        /// All message types: istioctl's by number, then those of this crate.
        pub const ALL: &[&MessageType] = &[$($constant),*];
    };
}

message_types! {
    DEPRECATED "IST0002" Deprecated Warning Istio
        "deprecated: {detail}";
    REFERENCED_RESOURCE_NOT_FOUND "IST0101" ReferencedResourceNotFound Error Istio
        "referenced {what} not found: `{name}`";
    NAMESPACE_NOT_INJECTED "IST0102" NamespaceNotInjected Info Kubernetes
        "the namespace is not enabled for injection: label it `{enable}` to enable it, or `{disable}` to keep it as it is";
    POD_MISSING_PROXY "IST0103" PodMissingProxy Warning Kubernetes
        "the pod `{pod}` has no proxy although injection is on: it may need a restart";
    SCHEMA_VALIDATION_ERROR "IST0106" SchemaValidationError Error Istio
        "schema validation error: {detail} [{rule}]";
    MISPLACED_ANNOTATION "IST0107" MisplacedAnnotation Warning Kubernetes
        "misplaced annotation `{annotation}`: it has an effect on {kinds} only";
    UNKNOWN_ANNOTATION "IST0108" UnknownAnnotation Warning Kubernetes
        "unknown annotation `{annotation}`{hint}";
    CONFLICTING_MESH_GATEWAY_HOSTS "IST0109" ConflictingMeshGatewayVirtualServiceHosts Error Istio
        "the VirtualServices {names} of the gateway `mesh` claim the same host {hosts}: only one of them takes effect";
    CONFLICTING_SIDECAR_SELECTORS "IST0110" ConflictingSidecarWorkloadSelectors Error Kubernetes
        "the Sidecars {names} of namespace `{namespace}` select the same pod `{pod}`: which one counts is not defined";
    MULTIPLE_SIDECARS_WITHOUT_SELECTORS "IST0111" MultipleSidecarsWithoutWorkloadSelectors Error Istio
        "the Sidecars {names} of namespace `{namespace}` have no workload selector: which one counts is not defined";
    DESTINATION_PORT_REQUIRED "IST0112" VirtualServiceDestinationPortSelectorRequired Error Istio
        "a destination of the host `{host}` names no port, and the host has several: {ports}";
    DEPLOYMENT_MULTIPLE_SERVICES "IST0116" DeploymentAssociatedToMultipleServices Warning Kubernetes
        "the deployment `{deployment}` belongs to services that use port {port} with different protocols: {services}";
    PORT_NAME_CONVENTION "IST0118" PortNameIsNotUnderNamingConvention Info Kubernetes
        "the name `{name}` of port {port} (target port {target}) tells no protocol: name it like `http-web`, or set appProtocol";
    NAMESPACE_MULTIPLE_LABELS "IST0123" NamespaceMultipleInjectionLabels Warning Kubernetes
        "the namespace has labels of several ways into the mesh, {labels}: keep one of them";
    INVALID_ANNOTATION "IST0125" InvalidAnnotation Warning Kubernetes
        "invalid annotation `{annotation}`: {reason}";
    UNKNOWN_REGISTRY "IST0126" UnknownMeshNetworksServiceRegistry Error Kubernetes
        "unknown service registry `{registry}` in network `{network}`";
    NO_MATCHING_WORKLOADS "IST0127" NoMatchingWorkloadsFound Warning Kubernetes
        "no workload has the labels of the selector {labels}";
    NO_SERVER_VERIFICATION_DESTINATION "IST0128" NoServerCertificateVerificationDestinationLevel Warning Istio
        "the DestinationRule `{rule}` has TLS mode {mode} for `{host}` without caCertificates: server certificates may go unverified";
    NO_SERVER_VERIFICATION_PORT "IST0129" NoServerCertificateVerificationPortLevel Warning Istio
        "the DestinationRule `{rule}` has TLS mode {mode} for port {port} of `{host}` without caCertificates: server certificates may go unverified";
    UNREACHABLE_RULE "IST0130" VirtualServiceUnreachableRule Warning Istio
        "unreachable rule: {detail}";
    INEFFECTIVE_MATCH "IST0131" VirtualServiceIneffectiveMatch Info Istio
        "ineffective match: {detail}";
    HOST_NOT_FOUND_IN_GATEWAY "IST0132" VirtualServiceHostNotFoundInGateway Warning Istio
        "none of the hosts {hosts} of the VirtualService `{virtual_service}` is served by the gateway `{gateway}`";
    SCHEMA_WARNING "IST0133" SchemaWarning Warning Istio
        "schema validation warning: {detail} [{rule}]";
    ADDRESSES_REQUIRED "IST0134" ServiceEntryAddressesRequired Warning Istio
        "the ServiceEntry needs addresses for port {port} with protocol {protocol}: DNS capture with automatic addresses is off";
    DEPRECATED_ANNOTATION "IST0135" DeprecatedAnnotation Info Kubernetes
        "the annotation `{annotation}` is deprecated";
    ALPHA_ANNOTATION "IST0136" AlphaAnnotation Info Kubernetes
        "the annotation `{annotation}` is of alpha status and may change";
    DEPLOYMENT_CONFLICTING_PORTS "IST0137" DeploymentConflictingPorts Warning Kubernetes
        "the deployment `{deployment}` belongs to services {services} that lead to its port {target} from different ports: {ports}";
    GATEWAY_DUPLICATE_CERTIFICATE "IST0138" GatewayDuplicateCertificate Warning Istio
        "the gateways {gateways} use the same certificate: browsers that share a connection may get 404";
    INVALID_WEBHOOK "IST0139" InvalidWebhook Error Kubernetes
        "{detail}";
    INGRESS_RULES_NOT_AFFECTED "IST0140" IngressRouteRulesNotAffected Warning Istio
        "the subsets that the VirtualService `{internal}` chooses have no effect on ingress requests, which `{ingress}` routes";
    INVALID_APPLICATION_UID "IST0144" InvalidApplicationUID Warning Kubernetes
        "user id 1337 is reserved for the sidecar proxy: traffic of this container bypasses it";
    CONFLICTING_GATEWAYS "IST0145" ConflictingGateways Error Istio
        "the gateway conflicts with {gateways} (selector {selector}, port {port}, hosts {hosts})";
    IMAGE_AUTO_WARNING "IST0146" ImageAutoWithoutInjectionWarning Warning Kubernetes
        "{kind} `{name}` has a container with `image: auto`, and no injector covers it";
    IMAGE_AUTO_ERROR "IST0147" ImageAutoWithoutInjectionError Error Kubernetes
        "{kind} `{name}` has a container with `image: auto`, and no injector covers it";
    INJECTION_BY_DEFAULT "IST0148" NamespaceInjectionEnabledByDefault Info Kubernetes
        "the namespace is enabled for injection, since injection is on by default";
    JWT_ROUTING_WITHOUT_AUTHENTICATION "IST0149" JwtClaimBasedRoutingWithoutRequestAuthN Error Kubernetes
        "the route matches the claim `{claim}`, and no RequestAuthentication selects the pod `{pod}` of gateway `{gateway}`";
    EXTERNAL_NAME_PORT_NAME "IST0150" ExternalNameServiceTypeInvalidPortName Warning Kubernetes
        "port {port} of the ExternalName service is TCP: it captures all traffic of that port, so name its protocol";
    ENVOY_FILTER_RELATIVE "IST0151" EnvoyFilterUsesRelativeOperation Warning Istio
        "the EnvoyFilter has no priority and uses an operation that depends on other filters: it may not be applied";
    ENVOY_FILTER_REPLACE "IST0152" EnvoyFilterUsesReplaceOperationIncorrectly Error Istio
        "REPLACE is used where it has no effect: it works for NETWORK_FILTER, HTTP_FILTER and VIRTUAL_HOST";
    ENVOY_FILTER_ADD "IST0153" EnvoyFilterUsesAddOperationIncorrectly Error Istio
        "ADD is used where it has no effect: not for ROUTE_CONFIGURATION and HTTP_ROUTE";
    ENVOY_FILTER_REMOVE "IST0154" EnvoyFilterUsesRemoveOperationIncorrectly Error Istio
        "REMOVE is used where it has no effect: not for ROUTE_CONFIGURATION and HTTP_ROUTE";
    ENVOY_FILTER_RELATIVE_VERSION "IST0155" EnvoyFilterUsesRelativeOperationWithProxyVersion Warning Istio
        "the EnvoyFilter has no priority and uses an operation that depends on other filters, with a proxy version set: it may not be applied";
    INVALID_TELEMETRY_PROVIDER "IST0157" InvalidTelemetryProvider Warning Istio
        "the Telemetry `{name}` of namespace `{namespace}` names no access log provider, and the mesh has no default one: it is ignored";
    PROXY_IMAGE_MISMATCH "IST0158" PodsIstioProxyImageMismatchInNamespace Warning Kubernetes
        "the proxy images of the pods {pods} differ from what the injector sets: restart them";
    CONFLICTING_TELEMETRY_SELECTORS "IST0159" ConflictingTelemetryWorkloadSelectors Error Kubernetes
        "the Telemetries {names} of namespace `{namespace}` select the same pod `{pod}`: which one counts is not defined";
    MULTIPLE_TELEMETRIES_WITHOUT_SELECTORS "IST0160" MultipleTelemetriesWithoutWorkloadSelectors Error Istio
        "the Telemetries {names} of namespace `{namespace}` have no workload selector: which one counts is not defined";
    INVALID_GATEWAY_CREDENTIAL "IST0161" InvalidGatewayCredential Error Kubernetes
        "the credential `{credential}` of the gateway `{gateway}` is invalid: {reason}";
    GATEWAY_PORT_NOT_ON_SERVICE "IST0162" GatewayPortNotDefinedOnService Warning Kubernetes
        "port {port} of the gateway is on no service of its workloads (selector {selector}): nothing reaches it";
    INVALID_EXTERNAL_CONTROL_PLANE "IST0163" InvalidExternalControlPlaneConfig Warning Kubernetes
        "the webhook `{webhook}` of the external control plane has an invalid address `{address}`: {reason}";
    EXTERNAL_CONTROL_PLANE_IP "IST0164" ExternalControlPlaneAddressIsNotAHostname Info Kubernetes
        "the address `{address}` of the webhook `{webhook}` is an IP address; a host name is easier to keep";
    REFERENCED_INTERNAL_GATEWAY "IST0165" ReferencedInternalGateway Warning Istio
        "the VirtualService `{virtual_service}` names the gateway `{gateway}`, which Istio makes for its own use: it may change";
    INEFFECTIVE_SELECTOR "IST0166" IneffectiveSelector Warning Kubernetes
        "the selector has no effect on the pods of the Kubernetes Gateway `{gateway}`: use targetRefs";
    INEFFECTIVE_POLICY "IST0167" IneffectivePolicy Warning Kubernetes
        "the {kind} has no effect: {reason}";
    INCONSISTENT_MULTICLUSTER_SERVICE "IST0170" MultiClusterInconsistentService Warning Kubernetes
        "the service `{service}` of namespace `{namespace}` differs between the clusters {clusters}: {reason}";
    NEGATIVE_CONDITION "IST0171" NegativeConditionStatus Warning Kubernetes
        "the condition `{condition}` is {status} ({reason}): {detail}";
    SUBSET_SELECTS_NO_PODS "IST0173" DestinationRuleSubsetNotSelectPods Error Kubernetes
        "the subset `{subset}` of the DestinationRule selects no pod";
    UNKNOWN_DESTINATION_RULE_HOST "IST0174" UnknownDestinationRuleHost Warning Istio
        "the host `{host}` of the DestinationRule is no known service";
    JWKS_FETCH_UNRESTRICTED "IST0175" JwksUriFetchUnrestricted Warning Kubernetes
        "istiod fetches JWKS from any address: set {variable} so that RequestAuthentications cannot reach internal ones";
    GATEWAY_API_CRD_TOO_OLD "IST0176" GatewayAPICRDVersionBelowMinimum Warning Kubernetes
        "the CRD `{crd}` has version {version} of the Gateway API, at least {minimum} is needed";
    CONFLICTING_SERVICE_ENTRY_PROTOCOL "IST0177" ConflictingServiceEntryProtocol Warning Istio
        "the ServiceEntries {names} give port {port} of the host `{host}` different protocols";
    UNUSABLE_DELEGATE "MESH0001" UnusableDelegate Error Istio
        "the delegate `{delegate}` cannot be used: {reason}";
    UNUSED_SUBSET "MESH0002" UnusedSubset Info Istio
        "no VirtualService sends to the subset `{subset}` of the host `{host}`";
    EXPORTED_NOWHERE "MESH0003" DestinationRuleExportedNowhere Warning Kubernetes
        "the DestinationRule is exported to namespaces that do not exist: {namespaces}";
    GATEWAY_WITHOUT_ROUTES "MESH0004" GatewayWithoutVirtualService Info Istio
        "no VirtualService names the gateway `{gateway}`: it answers 404";
    UNUSUAL_WEIGHTS "MESH0005" WeightsDoNotSumToHundred Info Istio
        "the weights of the route sum to {sum}: they are shares of it, and not percent";
    UNKNOWN_AUTHORIZATION_PROVIDER "MESH0006" UnknownAuthorizationProvider Error Istio
        "the mesh has no extension provider `{provider}`: requests that the policy selects are denied";
    PLAIN_TEXT_TO_STRICT "MESH0007" PlainTextToStrictMutualTls Error Kubernetes
        "the host `{host}` is sent plain text, and the PeerAuthentication `{policy}` demands mutual TLS: connections are refused";
    SEVERAL_FOR_NAMESPACE "MESH0008" SeveralPoliciesForNamespace Warning Istio
        "several objects of kind {kind} are for the whole namespace, {names}: only the oldest counts";
    SEVERAL_FOR_SELECTOR "MESH0009" SeveralPoliciesForSelector Warning Istio
        "several objects of kind {kind}, {names}, have the same selector {selector}: only the oldest counts";
}
