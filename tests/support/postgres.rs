//! A PostgreSQL of the tests' own, from the server programs of the machine: one for all tests of a
//! process, and others for those that do it harm.

use std::fs;
use std::io::{Read, Seek};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian and others put them, the latest first.
const PLACES: [&str; 8] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/14/bin",
    "/usr/lib/postgresql/13/bin",
    "/usr/local/bin",
    "/usr/bin",
];
/// Debian's package makes it; a server refuses to run as root.
const SERVANT: &str = "postgres";
/// Of a server that listens on a socket only: the directory names it, and no port is taken.
const PORT: u16 = 5432;

/// A running server. Ends with the process that started it, however that ends.
pub struct Server {
    directory: TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    port: u16,
    /// Stops the server once its input closes: a static is never dropped, and a killed test neither.
    keeper: Child,
}

impl Server {
    /// The server of all who do it no harm; none where there are no server programs.
    ///
    /// # Panics
    /// Under `CI=true` where there are none, and where the server does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        // Each gateway of a test has connections of its own.
        SHARED
            .get_or_init(|| Self::start(&["max_connections=300"]))
            .as_ref()
    }

    /// A server of one's own, with these settings.
    ///
    /// # Panics
    /// As [`shared`](Self::shared).
    pub fn start(settings: &[&str]) -> Option<Self> {
        let server = Self::prepare(settings, PORT)?;
        server.resume();
        Some(server)
    }

    /// A server that takes passwords over TLS, on 127.0.0.1; its certificate, `server.crt` beside
    /// the socket, is that of `localhost`.
    ///
    /// # Panics
    /// As [`shared`](Self::shared).
    pub fn start_with_tls() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = port.unwrap().port();
        let mut server = Self::prepare(&["listen_addresses=127.0.0.1", "ssl=on"], port)?;
        let path = server.socket().to_owned();
        for (key, file) in [
            ("ssl_cert_file", "server.crt"),
            ("ssl_key_file", "server.key"),
        ] {
            let setting = format!("{key}={}", path.join(file).display());
            server.settings.push(setting);
        }
        let mut openssl = as_servant(Path::new("openssl"));
        openssl
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(path.join("server.key"))
            .arg("-out")
            .arg(path.join("server.crt"));
        run(&mut openssl);
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(path.join("data/pg_hba.conf"), rules).unwrap();
        server.resume();
        Some(server)
    }

    fn prepare(settings: &[&str], port: u16) -> Option<Self> {
        let Some(programs) = programs() else {
            left_out();
            return None;
        };
        // Short, since a socket's path may not have more than 107 bytes.
        let directory = TempDir::new_in("/tmp").unwrap();
        let path = directory.path();
        if is_root() {
            run(Command::new("chown").arg(SERVANT).arg(path));
        }
        let mut initdb = as_servant(&programs.join("initdb"));
        initdb
            .args([
                "--no-sync",
                "--auth=trust",
                "--encoding=UTF8",
                "--username=gateway",
            ])
            .args(["--no-locale", "--pgdata"])
            .arg(path.join("data"));
        run(&mut initdb);
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            directory,
            programs,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            port,
            keeper,
        })
    }

    /// Part of the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket's directory.
    pub fn socket(&self) -> &Path {
        self.directory.path()
    }

    /// Starts it, after a stop.
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&self) {
        let mut options = format!(
            "-k {} -p {} -c listen_addresses=",
            self.socket().display(),
            self.port
        );
        for setting in &self.settings {
            options.push_str(" -c ");
            options.push_str(setting);
        }
        let mut start = self.pg_ctl();
        start.args(["start", "-w", "-l"]);
        start.arg(self.socket().join("data/log"));
        start.args(["-o", &options]);
        run(&mut start);
    }

    /// Ends it as a crash would: no farewell, no checkpoint.
    ///
    /// # Panics
    /// If it does not end.
    pub fn crash(&self) {
        run(self.pg_ctl().args(["stop", "-w", "-m", "immediate"]));
    }

    /// Makes a database, and gives its name.
    ///
    /// # Panics
    /// If it is not made.
    pub fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}", std::process::id());
        self.administer("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs a statement in a database as an administrator.
    ///
    /// # Panics
    /// If it fails.
    pub fn administer(&self, database: &str, statement: &str) -> String {
        let mut psql = self.client("psql", database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-c", statement]);
        String::from_utf8(run(&mut psql).stdout).unwrap()
    }

    /// All that a database holds, as text.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        run(&mut self.client("pg_dump", database)).stdout
    }

    fn client(&self, program: &str, database: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client
            .args(["-U", "gateway", "-p", &self.port.to_string()])
            .args(["-d", database, "-h"])
            .arg(self.socket());
        client
    }

    fn pg_ctl(&self) -> Command {
        let mut command = as_servant(&self.programs.join("pg_ctl"));
        command.arg("-D").arg(self.socket().join("data"));
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The keeper would too, but later than the directory goes.
        drop(self.pg_ctl().args(["stop", "-m", "immediate"]).output());
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

/// Waits for the end of its input, then ends the server by its number and clears up.
const KEEPER: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
# What still runs would write into what is being cleared up.
for _ in $(seq 100); do
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
rm -rf "$1"
"#;

fn programs() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|place| {
        ["initdb", "pg_ctl", "pg_dump", "postgres", "psql"]
            .iter()
            .all(|program| place.join(program).exists())
    })
}

/// Says aloud what is not tried, and fails where nothing may be left out.
fn left_out() {
    crate::left_out::left_out(
        "tests on PostgreSQL, for want of its server programs (Debian: apt-get install postgresql)",
    );
    assert!(
        !shell(r#"test "$CI" = true"#),
        "CI=true leaves nothing out: install PostgreSQL's server programs"
    );
}

fn is_root() -> bool {
    shell(r#"test "$(id -u)" = 0"#)
}

/// Whether it succeeds.
fn shell(script: &str) -> bool {
    let status = Command::new("sh").args(["-c", script]).status();
    status.unwrap().success()
}

/// A command as one who is not root.
fn as_servant(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", SERVANT, "--"]).arg(program);
    // The servant may not enter where the tests run.
    command.current_dir("/");
    command
}

/// Runs to the end, within a minute. Output goes to a file, since a server that was started keeps a
/// pipe open.
fn run(command: &mut Command) -> Output {
    let mut files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let mut child = command
        .stdin(Stdio::null())
        .stdout(files[0].try_clone().unwrap())
        .stderr(files[1].try_clone().unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let [stdout, stderr] = files.each_mut().map(|file| {
        let mut text = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut text).unwrap();
        text
    });
    assert!(
        status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    Output {
        status,
        stdout,
        stderr,
    }
}
