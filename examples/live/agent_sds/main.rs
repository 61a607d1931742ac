//! Two Envoys that speak mutual TLS with certificates from this program: a CA and two node agents, each with its Unix
//! socket. The server asks by the state-of-the-world variant of SDS, the client by the delta variant. A request goes through
//! both; then the client's certificate is rotated, and another request shows the new one. Both get a second authority to
//! trust. At last the client's agent hangs up, and the Envoys come back with what they have.
//!
//! ```text
//! ENVOY_BIN=/path/to/envoy cargo run --example agent_sds
//! cargo run --example agent_sds          # without Envoy: the same agents, asked by simulated proxies
//! ```

mod grpc;
mod node;
mod proxies;
mod simulated;

use std::process::ExitCode;

fn main() -> ExitCode {
    let program = std::env::var_os("ENVOY_BIN").filter(|value| !value.is_empty());
    let result = match program {
        Some(program) => proxies::run(program.as_ref(), &mut std::io::stdout()),
        None => {
            println!("ENVOY_BIN is not set: the proxies are simulated\n");
            simulated::run(&mut std::io::stdout())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn simulated_proxies_get_what_they_need() {
        let mut text = Vec::new();
        super::simulated::run(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("client accepts spiffe://cluster.local/ns/shop/sa/reviews"),
            "{text}"
        );
        assert!(
            text.contains("server accepts spiffe://cluster.local/ns/shop/sa/productpage"),
            "{text}"
        );
        assert!(text.contains("the certificate is another one"), "{text}");
    }

    #[test]
    fn a_real_envoy_speaks_mutual_tls() {
        let Some(program) = testkit::envoy::program() else {
            return;
        };
        let mut text = Vec::new();
        super::proxies::run(&program, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("200 by spiffe://cluster.local/ns/shop/sa/productpage"),
            "{text}"
        );
        assert!(text.contains("the serial is another one"), "{text}");
        assert!(text.contains("a client without a certificate: 503"), "{text}");
        assert!(
            text.contains("both trust a second authority, and still talk: 200"),
            "{text}"
        );
        assert!(
            text.contains("3 of 3 streams come back with what they have, 0 secrets are sent again"),
            "{text}"
        );
    }
}
