//! Issues an SVID: a key, a signing request, the caller's authorisation, the certificate, and its verification, each with
//! what was checked. Everything happens in memory; only the clock and the random device are the system's.
//!
//! ```text
//! cargo run --example issue_svid -- [--id SPIFFE_ID] [--ttl SECONDS] [--intermediate] [--json]
//! ```

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_ca::{
    Authority, CaProfile, Caller, Certificate, CsrBuilder, CsrPolicy, Entropy, EntropyError, IssuedSvid,
    KeyPair, SpiffeId, UnixTime, VerifyOptions,
};
use serde_json::{Value, json};

const USAGE: &str = "usage: issue_svid [--id SPIFFE_ID] [--ttl SECONDS] [--intermediate] [--json]";
const OPTIONS: [&str; 4] = ["--id", "--ttl", "--intermediate", "--json"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let now = UnixTime::from_secs(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |passed| i64::try_from(passed.as_secs()).unwrap_or(i64::MAX)),
    );
    let outcome = File::open("/dev/urandom")
        .map_err(Into::into)
        .and_then(|device| issue(&options, now, &mut Device(device)));
    match outcome {
        Ok(report) if options.json => println!("{:#}", report.json()),
        Ok(report) => print!("{}", report.text()),
        Err(error) => {
            eprintln!("issue_svid: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The random device of the system.
struct Device(File);

impl Entropy for Device {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.read_exact(buffer).map_err(|_| EntropyError)
    }
}

struct Options {
    id: SpiffeId,
    ttl: Duration,
    intermediate: bool,
    json: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let id = "spiffe://cluster.local/ns/shop/sa/reviews";
        let mut options = Self {
            id: id.parse().map_err(|error| format!("{error}"))?,
            ttl: Duration::ZERO,
            intermediate: false,
            json: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                "--id" => {
                    let text = value()?;
                    options.id = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
                }
                "--ttl" => {
                    let text = value()?;
                    let seconds = text
                        .parse()
                        .map_err(|_| format!("`{text}` is no number of seconds"))?;
                    options.ttl = Duration::from_secs(seconds);
                }
                "--intermediate" => options.intermediate = true,
                "--json" => options.json = true,
                other => {
                    let hint = examples::nearest(other, OPTIONS);
                    let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
                    return Err(format!("unknown argument `{other}`{hint}"));
                }
            }
        }
        Ok(options)
    }
}

/// What came of it.
struct Report {
    now: UnixTime,
    csr_digest: String,
    svid: IssuedSvid,
    root: Vec<u8>,
}

fn issue(
    options: &Options,
    now: UnixTime,
    entropy: &mut dyn Entropy,
) -> Result<Report, Box<dyn std::error::Error>> {
    let trust_domain = options.id.trust_domain().to_owned();
    let mut ca = Authority::self_signed(trust_domain.clone(), now, entropy)?;
    let root = ca.certificate_der().to_vec();
    if options.intermediate {
        let key = KeyPair::generate(entropy)?;
        let csr = CsrBuilder::for_intermediate(&trust_domain)?.build(&key)?;
        let server = Caller::from(&SpiffeId::from_segments(&trust_domain, ["ca"])?).with_downstream(true);
        let grant = CsrPolicy::istio().check_ca(csr.der())?.authorize(&server)?;
        let issued = ca.issue_intermediate(&grant, &CaProfile::intermediate(trust_domain), now, entropy)?;
        ca = ca.intermediate(&issued, Arc::new(key))?;
    }

    let key = KeyPair::generate(entropy)?;
    let csr = CsrBuilder::new(&options.id).build(&key)?;
    let valid = CsrPolicy::istio().check(csr.der())?;
    let grant = valid.authorize(&Caller::from(&options.id))?.with_ttl(options.ttl);
    let svid = ca.issue(&grant, now, entropy)?;
    let peer = ca.trust_bundle().verify(svid.chain(), &VerifyOptions::at(now))?;
    assert_eq!(peer.spiffe_id(), &options.id);
    let csr_digest = valid.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Report {
        now,
        csr_digest,
        svid,
        root,
    })
}

/// What was checked, in order.
const CHECKS: [(&str, &str); 5] = [
    (
        "request",
        "strict DER, own signature, one SPIFFE id, no other extension",
    ),
    ("caller", "its only SPIFFE id is the requested one"),
    (
        "authority",
        "speaks for the trust domain, is valid now, outlives the certificate",
    ),
    (
        "certificate",
        "reads back as it was meant, signature and path hold with the authority's own roots",
    ),
    ("peer", "a verifier with the trust bundle accepts the chain"),
];

impl Report {
    fn certificates(&self) -> Vec<(&'static str, Certificate<'_>)> {
        let chain = self
            .svid
            .chain()
            .iter()
            .map(|der| &**der)
            .chain([self.root.as_slice()]);
        let count = self.svid.chain().len();
        let parsed = chain.enumerate().filter_map(|(index, der)| {
            let role = match index {
                0 => "leaf",
                _ if index < count => "intermediate",
                _ => "root",
            };
            Some((role, Certificate::parse(der).ok()?))
        });
        parsed.collect()
    }

    fn text(&self) -> String {
        let record = self.svid.record();
        let mut text = format!("{}\n", record.id);
        for (role, certificate) in self.certificates() {
            let subject = match certificate.subject().to_string() {
                empty if empty.is_empty() => "(no subject)".to_owned(),
                subject => subject,
            };
            text += &format!(
                "  {role:<13} {:<44} {} .. {}\n",
                subject.chars().take(44).collect::<String>(),
                certificate.not_before(),
                certificate.not_after()
            );
        }
        text += &format!(
            "  serial        {}\n  request       sha256:{}\n",
            record.serial, &self.csr_digest
        );
        text += &format!("checked at {}\n", self.now);
        for (what, how) in CHECKS {
            text += &format!("  {what:<13} {how}\n");
        }
        for note in self.svid.notes() {
            text += &format!("  note          {note}\n");
        }
        text + "Try --intermediate, --ttl 3600, --id spiffe://example.org/web, or --json\n"
    }

    fn json(&self) -> Value {
        let record = self.svid.record();
        let chain: Vec<Value> = self
            .certificates()
            .iter()
            .map(|(role, certificate)| {
                json!({
                    "role": role,
                    "subject": certificate.subject().to_string(),
                    "notBefore": certificate.not_before().to_string(),
                    "notAfter": certificate.not_after().to_string(),
                })
            })
            .collect();
        json!({
            "id": record.id,
            "serial": record.serial,
            "issuerKeyId": record.issuer_key_id.to_string(),
            "now": self.now.to_string(),
            "requestDigest": self.csr_digest,
            "chain": chain,
            "pem": self.svid.to_pem(),
            "checked": CHECKS.map(|(what, how)| json!({ "what": what, "how": how })),
            "notes": self.svid.notes().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Report, String> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let options = Options::parse(&arguments)?;
        let mut device = Device(File::open("/dev/urandom").expect("a random device"));
        issue(&options, UnixTime::from_secs(1_800_000_000), &mut device).map_err(|error| error.to_string())
    }

    #[test]
    fn it_says_what_it_issued() {
        let report = run(&[]).unwrap();
        let text = report.text();
        assert!(
            text.starts_with("spiffe://cluster.local/ns/shop/sa/reviews\n  leaf "),
            "{text}"
        );
        assert!(
            text.contains("2027-01-15T07:58:00Z .. 2027-01-16T08:00:00Z"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
        assert_eq!(report.json()["chain"].as_array().map(Vec::len), Some(2));
        let report = run(&[
            "--intermediate",
            "--ttl",
            "3600",
            "--id",
            "spiffe://example.org/web",
        ])
        .unwrap();
        assert_eq!(report.json()["chain"][1]["role"], "intermediate");
        assert_eq!(report.json()["chain"][0]["notAfter"], "2027-01-15T09:00:00Z");
    }

    #[test]
    fn wrong_arguments_are_answered_with_the_right_ones() {
        assert!(run(&["--jsn"]).err().unwrap().contains("did you mean `--json`?"));
        assert!(
            run(&["--id", "spiffe://TD/a"])
                .err()
                .unwrap()
                .contains("at byte 9")
        );
        assert!(run(&["--ttl", "1"]).err().unwrap().contains("at least 60 s"));
    }
}
