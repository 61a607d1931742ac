//! What the comparison sees.

use super::*;

const INVENTORY: &str = include_str!("../../../mesh-api/tests/models/inventory.txt");

/// A bundle of one small kind.
const BUNDLE: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: proxyconfigs.networking.istio.io}
spec:
  group: networking.istio.io
  names: {kind: ProxyConfig, plural: proxyconfigs, singular: proxyconfig}
  versions:
  - name: v1beta1
    schema:
      openAPIV3Schema:
        properties:
          spec:
            description: words
            type: object
            properties:
              concurrency: {type: integer, format: int32, minimum: 0, nullable: true}
              environmentVariables: {type: object, additionalProperties: {type: string, maxLength: 2048}}
              image: {type: object, properties: {imageType: {type: string}}}
              selector:
                type: object
                properties:
                  matchLabels:
                    type: object
                    maxProperties: 4096
                    additionalProperties:
                      type: string
                      maxLength: 63
                      x-kubernetes-validations: [{rule: 'one'}]
        type: object
"#;

fn proxy_config(bundle: &str) -> Vec<String> {
    let crds = crds::parse("bundle.yaml", bundle.as_bytes()).unwrap();
    let differences = super::bundle(&crds).into_iter();
    differences
        .filter(|line| line.contains("ProxyConfig") && !line.contains("Labels"))
        .collect()
}

#[test]
fn models_and_schemas_have_the_same_fields() {
    // A-TYP-5, api.md 12.3; without the CRDs, so in every run of the tests
    let differences = models_and_schemas(INVENTORY).unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(kinds().count(), 15);
}

#[test]
fn a_missing_and_an_invented_field_are_seen() {
    let inventory = INVENTORY.replacen("  resolution enum", "  resolutoin enum", 1);
    let differences = models_and_schemas(&inventory).unwrap();
    assert_eq!(differences.len(), 2, "{differences:#?}");
    assert!(differences[0].starts_with("only in the models: ServiceEntry spec.resolutoin string enum="));
    assert!(differences[1].starts_with("only in the schemas: ServiceEntry spec.resolution string enum="));
}

#[test]
fn a_bundle_is_read_in_the_notation_of_outlines() {
    assert_eq!(proxy_config(BUNDLE), Vec::<String>::new());
    for (change, to, expected) in [
        (
            "minimum: 0",
            "minimum: 1",
            "spec.concurrency integer max=2147483647 min=1 nullable",
        ),
        (
            ", nullable: true",
            "",
            "spec.concurrency integer max=2147483647 min=0",
        ),
        (
            "maxLength: 2048",
            "maxLength: 2047",
            "spec.environmentVariables{} string max=2047",
        ),
        ("imageType", "imageTypo", "spec.image.imageTypo string"),
        (
            "description: words",
            "required: [image]",
            "spec message required=image",
        ),
    ] {
        let differences = proxy_config(&BUNDLE.replacen(change, to, 1));
        assert_eq!(differences.len(), 2, "{change}: {differences:#?}");
        assert_eq!(
            differences[0],
            format!("only in the CRDs: ProxyConfig {expected}")
        );
    }
}

#[test]
fn names_and_unknown_words_are_seen() {
    let renamed = proxy_config(&BUNDLE.replacen("name: v1beta1", "name: v1", 1));
    assert_eq!(
        renamed,
        ["ProxyConfig: versions `v1` in the CRDs, `v1beta1` here"]
    );
    let unknown = proxy_config(&BUNDLE.replacen("description: words", "default: {}", 1));
    assert_eq!(unknown, ["ProxyConfig spec: `default` is not understood"]);
}

#[test]
fn changed_expressions_are_shown() {
    let crds = crds::parse("bundle.yaml", BUNDLE.as_bytes()).unwrap();
    let lines = super::bundle(&crds);
    let changed = lines
        .iter()
        .find(|line| line.contains("only in the CRDs: ProxyConfig spec.selector.matchLabels{}"));
    let digest = format!("{:016x}", crds::fnv1a(b"one"));
    assert!(
        changed.unwrap().ends_with(&format!("\n      {digest}: one")),
        "{changed:?}"
    );
    // a published value of the hash
    assert_eq!(crds::fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
}

#[test]
fn a_file_without_crds_is_refused() {
    assert!(crds::parse("x.yaml", b"a: b").is_err());
    assert!(crds::parse("x.yaml", b"apiVersion: v1\nkind: Service\nmetadata: {name: a}").is_err());
}
