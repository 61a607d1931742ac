use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::RawRequest;

/// Envoy needs 0.05 s on an idle machine; this is for a busy one with a large configuration.
const START: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(10);

/// A running Envoy. Dropping it ends the process and removes its files.
pub struct Envoy {
    child: Child,
    directory: Directory,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Envoy {
    /// Starts `program` with a bootstrap in JSON and waits until it is live. Source: X-REAL-10.
    ///
    /// `node` and `admin` are set here: ports are Envoy's choice.
    ///
    /// # Errors
    /// When the program does not run, refuses the configuration, or is not live in time; the error carries the end of its
    /// log.
    pub fn start(program: &Path, bootstrap: &Value) -> Result<Self, EnvoyError> {
        let directory =
            Directory::create().map_err(|error| EnvoyError::new("no directory for Envoy", error))?;
        Self::spawn(program, bootstrap, directory)
    }

    /// Has `program` read a bootstrap without running it. Source: X-REAL-10.
    ///
    /// # Errors
    /// When the program does not run or refuses the configuration; the error carries the end of its log.
    pub fn validate(program: &Path, bootstrap: &Value) -> Result<(), EnvoyError> {
        let directory =
            Directory::create().map_err(|error| EnvoyError::new("no directory for Envoy", error))?;
        let mut bootstrap = bootstrap.clone();
        bootstrap["node"] = json!({ "id": "testkit", "cluster": "testkit" });
        let config = directory.path.join("boot.json");
        let bytes = serde_json::to_vec(&bootstrap).map_err(io::Error::from);
        bytes
            .and_then(|bytes| fs::write(&config, bytes))
            .map_err(|error| EnvoyError::new("no files for Envoy", error))?;
        let output = Command::new(program)
            .args(["--mode", "validate", "--log-level", "warn", "-c"])
            .arg(&config)
            .output()
            .map_err(|error| EnvoyError::new(format!("{} does not run", program.display()), error))?;
        if output.status.success() {
            return Ok(());
        }
        let mut error = EnvoyError::new("Envoy refuses the configuration", output.status);
        error.log = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(error)
    }

    /// The address at which the listener of this name accepts connections.
    pub fn listener(&self, name: &str) -> Option<SocketAddr> {
        self.listeners.get(name).copied()
    }

    /// The names of the listeners.
    pub fn listeners(&self) -> impl Iterator<Item = &str> {
        self.listeners.keys().map(String::as_str)
    }

    /// Asks the administration interface, for instance `/config_dump` or `/clusters?format=json`.
    ///
    /// # Errors
    /// When it does not answer with 200 and JSON.
    pub fn admin(&self, path: &str) -> Result<Value, EnvoyError> {
        admin(self.admin, path)
    }

    /// What Envoy logged so far.
    pub fn log(&self) -> String {
        tail(&self.directory.path.join("log"))
    }

    fn spawn(program: &Path, bootstrap: &Value, directory: Directory) -> Result<Self, EnvoyError> {
        let mut bootstrap = bootstrap.clone();
        bootstrap["node"] = json!({ "id": "testkit", "cluster": "testkit" });
        bootstrap["admin"] =
            json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } });
        let (config, log, address) = (
            directory.path.join("boot.json"),
            directory.path.join("log"),
            directory.path.join("admin"),
        );
        let prepare = || -> io::Result<(File, File)> {
            fs::write(&config, serde_json::to_vec(&bootstrap)?)?;
            let out = File::create(&log)?;
            Ok((out.try_clone()?, out))
        };
        let (out, err) = prepare().map_err(|error| EnvoyError::new("no files for Envoy", error))?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&address)
            // Without hot restart there is no shared memory, so that several Envoys at once need no base ids.
            .args([
                "--log-level",
                "warn",
                "--concurrency",
                "1",
                "--disable-hot-restart",
            ])
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|error| EnvoyError::new(format!("{} does not run", program.display()), error))?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self {
            child,
            directory,
            admin: unknown,
            listeners: BTreeMap::new(),
        };
        // The log is read here, before `envoy` is dropped and its files with it.
        envoy.wait(&address).map_err(|error| error.with_log(&log))?;
        envoy.listeners = envoy.read_listeners()?;
        Ok(envoy)
    }

    fn wait(&mut self, address: &Path) -> Result<(), EnvoyError> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let exited = self
                .child
                .try_wait()
                .map_err(|error| EnvoyError::new("Envoy is lost", error))?;
            if let Some(status) = exited {
                return Err(EnvoyError::new("Envoy ended before it was live", status));
            }
            if let Some(admin_address) = fs::read_to_string(address)
                .ok()
                .and_then(|text| text.trim().parse().ok())
            {
                self.admin = admin_address;
                if admin(self.admin, "/server_info").is_ok_and(|info| info["state"] == "LIVE") {
                    return Ok(());
                }
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(EnvoyError::new(
            "Envoy was not live in time",
            format!("{START:?}"),
        ))
    }

    fn read_listeners(&self) -> Result<BTreeMap<String, SocketAddr>, EnvoyError> {
        let statuses = self.admin("/listeners?format=json")?;
        let one = |status: &Value| {
            let address = &status["local_address"]["socket_address"];
            let ip = address["address"].as_str()?.parse().ok()?;
            let port = u16::try_from(address["port_value"].as_u64()?).ok()?;
            Some((status["name"].as_str()?.to_owned(), SocketAddr::new(ip, port)))
        };
        Ok(statuses["listener_statuses"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(one)
            .collect())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why Envoy did not start or answer, with the end of its log.
#[derive(Debug)]
pub struct EnvoyError {
    what: String,
    log: String,
}

impl EnvoyError {
    fn new(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self {
            what: format!("{what}: {why}"),
            log: String::new(),
        }
    }

    fn with_log(mut self, log: &Path) -> Self {
        self.log = tail(log);
        self
    }
}

impl fmt::Display for EnvoyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if self.log.is_empty() {
            Ok(())
        } else {
            write!(f, "\n{}", self.log)
        }
    }
}

impl std::error::Error for EnvoyError {}

/// A directory of our own that goes when the value goes.
struct Directory {
    path: PathBuf,
}

impl Directory {
    fn create() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("testkit-envoy-{}-{number}", std::process::id()));
        // A directory that a killed run of the same process id left is in nobody's use.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(&path)?,
        }
        Ok(Self { path })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn admin(address: SocketAddr, path: &str) -> Result<Value, EnvoyError> {
    let request = RawRequest::new("GET", path).with_header("host", "admin");
    let response = request
        .send(address, ANSWER)
        .map_err(|error| EnvoyError::new(path, error))?;
    if response.status != 200 {
        return Err(EnvoyError::new(path, format!("status {}", response.status)));
    }
    serde_json::from_slice(&response.body).map_err(|error| EnvoyError::new(path, error))
}

fn tail(log: &Path) -> String {
    const KEEP: usize = 4096;
    let text = fs::read(log).unwrap_or_default();
    let start = text.len().saturating_sub(KEEP);
    String::from_utf8_lossy(&text[start..]).into_owned()
}
