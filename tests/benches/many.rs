//! Many registries: `cargo bench -p gateway-tests --bench many`.
//!
//! Prints what it takes to apply, start and keep 1,000 registries on one module, and on 200
//! modules: in a process of its own each time, on SQLite, every limit at its default. Each
//! registry has an endpoint over TLS with `oauth2`, which is two HTTP clients. Times are told, since
//! machines differ; a start from the cache that takes more than 200 MB fails. What is mapped from files
//! counts for one module only: of many the kernel takes it back when it needs the room.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on stops, and prints what it measured"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gateway_tests::components;
use gateway_tests::crafted::with_section;
use gateway_tests::program::program;
use registry_gateway::config::Config;
use registry_gateway::gateway::{RegistryState, apply_file};
use registry_gateway::serve;

const MOST_RESIDENT_MB: f64 = 200.0;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match arguments[..] {
        ["child-apply", folder, file] => child(apply(Path::new(folder), file)),
        ["child-serve", folder] => child(serve_once(Path::new(folder))),
        _ => measure(),
    }
}

fn measure() {
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "", "s", "VmRSS MB", "anon MB", "file MB", "threads"
    );
    let spdci = components::bytes("adapter-spdci");
    for (registries, modules) in [(1, 1), (1_000, 1), (1_000, 200)] {
        let folder = tempfile::tempdir_in(components::target_directory()).expect("a folder");
        let folder = folder.path();
        write(folder, &spdci, registries, modules);
        let name = format!("{registries} on {modules}");
        let cold = run(&["child-apply", &shown(folder), "all.toml"]);
        println!("{:<28} {:>9}", format!("{name}: apply, cold"), cold[0]);
        let again = run(&["child-apply", &shown(folder), "all.toml"]);
        println!("{:<28} {:>9}", format!("{name}: apply, warm"), again[0]);
        let one = run(&["child-apply", &shown(folder), "one.toml"]);
        println!("{:<28} {:>9}", format!("{name}: apply one"), one[0]);

        // Of 200 modules it would be the first application's minutes of compiling once more.
        let starts: &[&str] = if modules == 1 {
            std::fs::remove_dir_all(folder.join("data/cache")).expect("a cache");
            &["cold", "warm"]
        } else {
            &["warm"]
        };
        for &start in starts {
            let told = run(&["child-serve", &shown(folder)]);
            let name = format!("{name}: start, {start}");
            println!(
                "{name:<28} {:>9} {:>9} {:>9} {:>9} {:>8}",
                told[0], told[1], told[2], told[3], told[4]
            );
            let ready: usize = told[5].parse().expect("a number");
            assert_eq!(ready, registries, "all are ready");
            let in_memory: usize = told[6].parse().expect("a number");
            assert_eq!(in_memory, modules, "each module once");
            let taken = if modules == 1 { &told[1] } else { &told[2] };
            let taken: f64 = taken.parse().expect("a number");
            assert!(
                start == "cold" || taken < MOST_RESIDENT_MB,
                "{taken} MB, at most {MOST_RESIDENT_MB}"
            );
        }
    }
}

/// The files that an administrator has.
fn write(folder: &Path, module: &[u8], registries: usize, modules: usize) {
    for number in 0..modules {
        let section = format!("module {number}");
        let file = folder.join(format!("{number}.wasm"));
        std::fs::write(file, with_section(module, section.as_bytes())).expect("a module");
    }
    std::fs::create_dir(folder.join("secrets")).expect("a folder");
    std::fs::write(folder.join("secrets/client"), "a-secret").expect("a secret");
    let mut all = String::new();
    for number in 0..registries {
        all.push_str(&registry(number, number % modules, 20_000));
    }
    std::fs::write(folder.join("all.toml"), all).expect("a file");
    std::fs::write(folder.join("one.toml"), registry(0, 0, 10_000)).expect("a file");
}

fn registry(number: usize, module: usize, timeout_ms: u64) -> String {
    let mut text = String::new();
    write!(
        text,
        r#"
[registries.r{number}]
summary = "Registry {number}"
module = "{module}.wasm"
settings = {{ registry_type = "Civil", sender_id = "openimis" }}
[registries.r{number}.endpoints.registry]
base_url = "https://r{number}.example.org/"
timeout_ms = {timeout_ms}
credential = {{ kind = "oauth2", token_url = "https://r{number}.example.org/token", client_id = "openimis", client_secret = "file:client" }}
"#
    )
    .expect("text");
    text
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Runs this program again, and gives the words of its one line.
fn run(arguments: &[&str]) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("a program"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    output.read_line(&mut line).expect("a line");
    assert!(child.wait().expect("its end").success(), "{arguments:?}");
    line.split_whitespace().map(str::to_owned).collect()
}

fn child(work: impl Future<Output = String>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{}", runtime.block_on(work));
}

fn config(folder: &Path) -> Config {
    let mut config = Config::default().based_in(folder);
    config.api.listen.set_port(0);
    config.sandbox.compiler_program = program().to_owned();
    config
}

async fn apply(folder: &Path, file: &str) -> String {
    let config = config(folder);
    let began = Instant::now();
    let parts = serve::open(&config).await.expect("the parts");
    let file: PathBuf = folder.join(file);
    apply_file(&file, &parts.store, &parts.sandbox, &parts.secrets)
        .await
        .expect("it is applied");
    parts.store.close().await;
    seconds(began.elapsed())
}

async fn serve_once(folder: &Path) -> String {
    let config = config(folder);
    let began = Instant::now();
    let parts = serve::open(&config).await.expect("the parts");
    let sandbox = parts.sandbox.clone();
    let serving = serve::start_with(&config, parts).await.expect("a gateway");
    let ready = began.elapsed();
    let views = serving.gateway.registries(|_| true);
    let ready_ones = views
        .iter()
        .filter(|view| matches!(view.state, RegistryState::Ready { .. }));
    let ready_ones = ready_ones.count();
    let status = std::fs::read_to_string("/proc/self/status").expect("this process");
    let line = format!(
        "{} {} {} {} {} {ready_ones} {}",
        seconds(ready),
        megabytes(&status, "VmRSS:"),
        megabytes(&status, "RssAnon:"),
        megabytes(&status, "RssFile:"),
        field(&status, "Threads:"),
        sandbox.modules()
    );
    serving.stop().await;
    line
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.expect(name).parse().expect("a number")
}

fn megabytes(status: &str, name: &str) -> String {
    format!("{:.1}", field(status, name) as f64 / 1024.0)
}
