use super::*;

pub(super) fn cases() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::RequestAuthentication, pass, fail, path);
    let rule = |patch: Value| json!({"jwtRules": [patched(json!({"issuer": "a.com"}), patch)]});
    let public = r#"{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]}"#;
    let secret = r#"{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB", "d": "AQ"}]}"#;
    vec![
        case(
            "A-RA-1",
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"a": "b"}}, "targetRef": {"kind": "Service", "name": "a"}}),
            "spec.targetRef",
        ),
        case(
            "A-RA-2",
            rule(json!({"audiences": ["a"]})),
            rule(json!({"audiences": ["a", ""]})),
            "spec.jwtRules[0].audiences[1]",
        ),
        case(
            "A-RA-3",
            rule(json!({"issuer": null, "jwksUri": "https://a.com"})),
            rule(json!({"issuer": null})),
            "spec.jwtRules[0].issuer",
        ),
        case(
            "A-RA-4",
            rule(json!({"jwksUri": "http://a.com:80/keys"})),
            rule(json!({"jwksUri": "a.com/keys"})),
            "spec.jwtRules[0].jwksUri",
        ),
        case(
            "A-RA-5",
            rule(json!({"jwks": public})),
            rule(json!({"jwks": "keys"})),
            "spec.jwtRules[0].jwks",
        ),
        case(
            "A-RA-6",
            rule(json!({"fromHeaders": [{"name": "x-a"}]})),
            rule(json!({"fromHeaders": [{"prefix": "Bearer "}]})),
            "spec.jwtRules[0].fromHeaders[0].name",
        ),
        case(
            "A-RA-7",
            rule(json!({"fromParams": ["a"]})),
            rule(json!({"fromParams": [""]})),
            "spec.jwtRules[0].fromParams[0]",
        ),
        case(
            "A-RA-8",
            rule(json!({"fromCookies": ["a"]})),
            rule(json!({"fromCookies": [""]})),
            "spec.jwtRules[0].fromCookies[0]",
        ),
        case(
            "A-RA-9",
            rule(json!({"outputClaimToHeaders": [{"header": "x-a", "claim": "sub"}]})),
            rule(json!({"outputClaimToHeaders": [{"header": "x-a"}]})),
            "spec.jwtRules[0].outputClaimToHeaders[0].claim",
        ),
        case(
            "A-RA-10",
            rule(json!({"outputClaimToHeaders": [{"header": "x_A-1", "claim": "sub"}]})),
            rule(json!({"outputClaimToHeaders": [{"header": "x.a", "claim": "sub"}]})),
            "spec.jwtRules[0].outputClaimToHeaders[0].header",
        ),
        case(
            "A-RA-11",
            rule(json!({"timeout": "5s"})),
            rule(json!({"timeout": "0s"})),
            "spec.jwtRules[0].timeout",
        ),
        case(
            "A-RA-12",
            rule(json!({"jwks": public})),
            rule(json!({"jwks": secret})),
            "spec.jwtRules[0].jwks",
        ),
    ]
}
