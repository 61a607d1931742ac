//! TLS of gateway servers and of clusters: where secrets come from and what is verified.
#![cfg(feature = "reflect")]

mod support;

use mesh_route::{MeshSnapshot, Workload};
use mesh_xds::pb::Kind;
use mesh_xds::{Profile, convert};
use serde_json::{Value, json};
use support::resource;

const MESH: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: shop}
spec:
  hosts: [pay.example.com]
  location: MESH_EXTERNAL
  resolution: STATIC
  endpoints: [{address: 192.0.2.1}]
  ports:
  - {number: 80, name: http, protocol: HTTP}
  - {number: 81, name: http-files, protocol: HTTP}
  - {number: 82, name: http-unchecked, protocol: HTTP}
  - {number: 83, name: grpc, protocol: GRPC}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: pay, namespace: shop}
spec:
  host: pay.example.com
  trafficPolicy:
    portLevelSettings:
    - {port: {number: 80}, tls: {mode: MUTUAL, credentialName: client, sni: pay.example.com, subjectAltNames: [pay]}}
    - port: {number: 81}
      tls: {mode: MUTUAL, clientCertificate: /c.pem, privateKey: /k.pem, caCertificates: /ca.pem, caCrl: /crl.pem}
    - {port: {number: 82}, tls: {mode: SIMPLE, insecureSkipVerify: true}}
    - {port: {number: 83}, tls: {mode: SIMPLE}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [a.example.com]
    tls: {mode: MUTUAL, credentialName: server, subjectAltNames: [client], minProtocolVersion: TLSV1_3}
  - port: {number: 443, name: https-optional, protocol: HTTPS}
    hosts: [b.example.com]
    tls: {mode: OPTIONAL_MUTUAL, serverCertificate: /s.pem, privateKey: /s.key, caCertificates: /ca.pem}
  - {port: {number: 15443, name: tls, protocol: TLS}, hosts: [c.example.com], tls: {mode: ISTIO_MUTUAL}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay, namespace: shop}
spec:
  hosts: [a.example.com, b.example.com, c.example.com]
  gateways: [public]
  http: [{route: [{destination: {host: pay.example.com, port: {number: 80}}}]}]
  tcp: [{route: [{destination: {host: pay.example.com, port: {number: 80}}}]}]
";

fn converted(kind: Kind, name: &str, profile: Profile) -> Value {
    let decoded = mesh_api::decode("mesh.yaml", MESH.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    let gateway = Workload::gateway("shop".parse().unwrap()).with_label("istio", "ingressgateway");
    let conversion = convert(&snapshot.plan_for(&gateway), profile);
    assert_eq!(conversion.warnings(), []);
    resource(&conversion, kind, name)
}

fn cluster(port: u16) -> (Value, Value) {
    let name = format!("outbound|{port}||pay.example.com");
    let cluster = converted(Kind::Cluster, &name, Profile::UpstreamEnvoy);
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let upstream = cluster["typedExtensionProtocolOptions"][options]["upstreamHttpProtocolOptions"].clone();
    (cluster["transportSocket"]["typedConfig"].clone(), upstream)
}

/// The names of certificate and authorities, and by whom they are delivered.
fn secrets(context: &Value) -> [(String, &'static str); 2] {
    let common = &context["commonTlsContext"];
    let certificate = &common["tlsCertificateSdsSecretConfigs"][0];
    let authorities = &common["combinedValidationContext"]["validationContextSdsSecretConfig"];
    [certificate, authorities].map(|secret| {
        let source = if secret["sdsConfig"]["ads"].is_object() {
            "server"
        } else {
            "agent"
        };
        (secret["name"].as_str().unwrap_or_default().to_owned(), source)
    })
}

fn pair(certificate: &str, authorities: &str, source: &'static str) -> [(String, &'static str); 2] {
    [(certificate.to_owned(), source), (authorities.to_owned(), source)]
}

// X-CDS-42, X-CDS-44, X-SDS-3
#[test]
fn clients_with_credentials() {
    let (context, options) = cluster(80);
    assert_eq!(
        secrets(&context),
        pair("kubernetes://client", "kubernetes://client-cacert", "server")
    );
    let common = &context["commonTlsContext"];
    let validation = &common["combinedValidationContext"]["defaultValidationContext"];
    assert_eq!(*validation, json!({"matchSubjectAltNames": [{"exact": "pay"}]}));
    assert_eq!(context["sni"], "pay.example.com");
    assert_eq!((&common["alpnProtocols"], &options), (&Value::Null, &Value::Null));
    // X-SDS-1: a credential that is missing must not block.
    let source = &common["tlsCertificateSdsSecretConfigs"][0]["sdsConfig"];
    assert_eq!(*source, json!({"ads": {}, "resourceApiVersion": "V3"}));
}

// X-CDS-42, X-CDS-45
#[test]
fn clients_with_files() {
    let (context, options) = cluster(81);
    assert_eq!(
        secrets(&context),
        pair("file-cert:/c.pem~/k.pem", "file-root:/ca.pem", "agent")
    );
    let validation = &context["commonTlsContext"]["combinedValidationContext"]["defaultValidationContext"];
    assert_eq!(*validation, json!({"crl": {"filename": "/crl.pem"}}));
    assert_eq!(options, json!({"autoSni": true, "autoSanValidation": true}));
}

// X-CDS-42, X-CDS-45
#[test]
fn clients_that_check_nothing_and_clients_that_check_the_host() {
    let (context, options) = cluster(82);
    assert_eq!(context["commonTlsContext"]["validationContext"], json!({}));
    assert_eq!(options, json!({"autoSni": true}));

    let (context, options) = cluster(83);
    assert_eq!(secrets(&context)[1], ("file-root:system".to_owned(), "agent"));
    assert_eq!(
        context["commonTlsContext"]["alpnProtocols"],
        json!(["h2"]),
        "a cluster that speaks HTTP/2"
    );
    assert_eq!(options, json!({"autoSni": true, "autoSanValidation": true}));
}

fn chain(listener: &str, number: usize, profile: Profile) -> Value {
    converted(Kind::Listener, listener, profile)["filterChains"][number].take()
}

// X-GW-9
#[test]
fn servers() {
    let mutual = chain("0.0.0.0_443", 0, Profile::UpstreamEnvoy);
    assert_eq!(
        mutual["filterChainMatch"],
        json!({"serverNames": ["a.example.com"]})
    );
    let context = &mutual["transportSocket"]["typedConfig"];
    assert_eq!(
        secrets(context),
        pair("kubernetes://server", "kubernetes://server-cacert", "server")
    );
    assert_eq!(context["requireClientCertificate"], true);
    let common = &context["commonTlsContext"];
    assert_eq!(
        common["tlsParams"],
        json!({"tlsMinimumProtocolVersion": "TLSv1_3"})
    );
    assert_eq!(common["alpnProtocols"], json!(["h2", "http/1.1"]));
    let validation = &common["combinedValidationContext"]["defaultValidationContext"];
    assert_eq!(
        *validation,
        json!({"matchSubjectAltNames": [{"exact": "client"}]})
    );

    let optional = chain("0.0.0.0_443", 1, Profile::UpstreamEnvoy);
    let context = &optional["transportSocket"]["typedConfig"];
    assert_eq!(
        secrets(context),
        pair("file-cert:/s.pem~/s.key", "file-root:/ca.pem", "agent")
    );
    assert_eq!(context["requireClientCertificate"], false);
}

// X-GW-9, X-GW-13
#[test]
fn servers_with_mesh_identities_tell_who_they_are() {
    let chain = |profile| chain("0.0.0.0_15443", 0, profile);
    let names = |chain: &Value| -> Vec<Value> {
        let filters = chain["filters"].as_array().unwrap().iter();
        filters.map(|filter| filter["name"].clone()).collect()
    };
    let (stock, istio) = (chain(Profile::UpstreamEnvoy), chain(Profile::IstioProxy));
    let context = |chain: &Value| chain["transportSocket"]["typedConfig"].clone();
    assert_eq!(secrets(&context(&stock)), pair("default", "ROOTCA", "agent"));
    assert_eq!(context(&stock)["requireClientCertificate"], true);
    assert_eq!(
        context(&stock)["commonTlsContext"]["alpnProtocols"],
        json!(["h2", "http/1.1"])
    );
    assert_eq!(
        context(&istio)["commonTlsContext"]["alpnProtocols"],
        json!(["istio-peer-exchange", "h2", "http/1.1"])
    );
    assert_eq!(names(&stock), ["envoy.filters.network.tcp_proxy"]);
    assert_eq!(
        names(&istio),
        ["istio.metadata_exchange", "envoy.filters.network.tcp_proxy"]
    );
}
