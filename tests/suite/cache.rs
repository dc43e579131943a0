//! Compiled code on disk: a file that was changed is compiled anew, never run.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::compiled::{age, compiled};
use gateway_tests::components;
use gateway_tests::crafted::{Crafted, DESCRIBE, DESCRIBED};

use crate::bench::{Bench, config, sandbox_in};

async fn name(data: &Path, module: &[u8]) -> String {
    let loaded = sandbox_in(&config(), data).load(module).await.unwrap();
    loaded.description().name.clone()
}

/// Another adapter, by its name.
fn other() -> Vec<u8> {
    Crafted::new("include ability-find;")
        .body(DESCRIBE, DESCRIBED)
        .fields("(data (i32.const 1200) \"another\")")
        .build()
}

#[tokio::test]
async fn what_was_compiled_is_used_again() {
    let data = tempfile::tempdir().unwrap();
    let module = Crafted::adapter().build();
    assert_eq!(name(data.path(), &module).await, "crafted");
    let files = compiled(data.path());
    assert_eq!(files.len(), 1);
    let written = fs::metadata(&files[0]).unwrap().ino();
    assert_eq!(name(data.path(), &module).await, "crafted");
    // A second compilation would have put a new file in its place.
    assert_eq!(fs::metadata(&files[0]).unwrap().ino(), written);
}

#[tokio::test]
async fn a_changed_file_is_compiled_anew() {
    let data = tempfile::tempdir().unwrap();
    let module = Crafted::adapter().build();
    name(data.path(), &module).await;
    let file = compiled(data.path()).remove(0);
    let good = fs::read(&file).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let middle = good.len() / 2;
    for bad in [
        flipped(0),
        flipped(32),
        flipped(middle),
        flipped(good.len() - 1),
        good[..middle].to_vec(),
        good[..10].to_vec(),
        Vec::new(),
        [&good[..], b"more"].concat(),
    ] {
        fs::write(&file, &bad).unwrap();
        assert_eq!(name(data.path(), &module).await, "crafted");
        let now = fs::read(&file).unwrap();
        assert!(now != bad, "the changed file was used");
    }
}

/// What runs is a copy of its own: whoever writes over the file, on purpose or by restoring a
/// backup, neither changes nor cuts what is running.
#[tokio::test]
async fn a_file_may_be_written_over_while_its_module_runs() {
    // Where programs may be run from: not every place for temporary files is one.
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let module = components::bytes("hostile-guest");
    let mut bench = Bench::new().await;
    // Compiled, then from the cache.
    for _ in 0..2 {
        bench.module = sandbox_in(&config(), data.path())
            .load(&module)
            .await
            .unwrap();
        bench.good().await;
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let place = data.path().to_string_lossy();
        let mapped: Vec<_> = maps.lines().filter(|line| line.contains(&*place)).collect();
        assert!(mapped.len() > 1, "mapped, not copied into memory");
        assert!(
            mapped.iter().all(|line| line.ends_with("(deleted)")),
            "{mapped:?}"
        );
        let file = compiled(data.path()).remove(0);
        let good = fs::read(&file).unwrap();
        fs::write(&file, vec![0; good.len()]).unwrap();
        bench.good().await;
        fs::write(&file, "").unwrap();
        bench.good().await;
        fs::write(&file, &good).unwrap();
    }
}

/// One that loads while it is in memory is the one in memory.
#[tokio::test]
async fn a_module_is_in_memory_once() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(&config(), data.path());
    let (first, second) = (Crafted::adapter().build(), other());
    let (one, same, another) = tokio::join!(
        sandbox.load(&first),
        sandbox.load(&first),
        sandbox.load(&second)
    );
    let (one, same, another) = (one.unwrap(), same.unwrap(), another.unwrap());
    assert_eq!(sandbox.modules(), 2);
    let known = sandbox.known(one.digest()).await.unwrap();
    assert_eq!(known.digest(), same.digest());
    drop((one, same, another));
    assert_eq!(sandbox.modules(), 1);
    let digest = known.digest().to_owned();
    drop(known);
    assert_eq!(sandbox.modules(), 0);
    // From the cache, without its bytes.
    let known = sandbox.known(&digest).await.unwrap();
    assert_eq!(known.description().name, "crafted");
    assert!(sandbox.known("sha256:00").await.is_none());
}

/// An authentic file of this gateway, under another module's name.
#[tokio::test]
async fn another_modules_file_is_compiled_anew() {
    let data = tempfile::tempdir().unwrap();
    let (first, second) = (Crafted::adapter().build(), other());
    assert_eq!(name(data.path(), &first).await, "crafted");
    let file = compiled(data.path()).remove(0);
    assert_eq!(name(data.path(), &second).await, "another");
    let foreign = compiled(data.path())
        .into_iter()
        .find(|other| *other != file);
    fs::copy(foreign.unwrap(), &file).unwrap();
    assert_eq!(name(data.path(), &first).await, "crafted");
}

/// Written by a gateway with another key: an attacker can run one as well as we can.
#[tokio::test]
async fn another_gateways_file_is_compiled_anew() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let module = Crafted::adapter().build();
    name(ours.path(), &module).await;
    name(theirs.path(), &module).await;
    let (our_file, their_file) = (
        compiled(ours.path()).remove(0),
        compiled(theirs.path()).remove(0),
    );
    assert_eq!(our_file.file_name(), their_file.file_name());
    let foreign = fs::read(&their_file).unwrap();
    fs::write(&our_file, &foreign).unwrap();
    assert_eq!(name(ours.path(), &module).await, "crafted");
    assert!(
        fs::read(&our_file).unwrap() != foreign,
        "the foreign file was used"
    );
}

#[tokio::test]
async fn the_key_is_for_its_owner_alone_and_must_be_whole() {
    let data = tempfile::tempdir().unwrap();
    drop(sandbox_in(&config(), data.path()));
    let directory = data.path().join("sandbox-cache");
    let key = directory.join("key");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&key)), (0o700, 0o600));
    assert_eq!(fs::read(&key).unwrap().len(), 32);
    fs::write(&key, "short").unwrap();
    let config = registry_gateway::config::sandbox::SandboxConfig {
        cache_dir: "sandbox-cache".into(),
        ..config()
    };
    let refused = registry_gateway::sandbox::Sandbox::new(&config, data.path());
    let error = refused.err().expect("a key of five bytes").to_string();
    assert!(error.contains("sandbox.cache_dir"), "{error}");
}

/// Sandboxes that start at the same time agree on one key.
#[test]
fn one_key_for_all_who_start_together() {
    let data = tempfile::tempdir().unwrap();
    let start = || drop(sandbox_in(&config(), data.path()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(start);
        }
    });
    assert_eq!(
        fs::read(data.path().join("sandbox-cache/key"))
            .unwrap()
            .len(),
        32
    );
}

/// Who may bring modules cannot fill the disk with what is refused.
#[tokio::test]
async fn what_is_only_looked_at_is_not_kept() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(&config(), data.path());
    let module = sandbox.try_load(Crafted::adapter().build().into()).await;
    let module = module.unwrap();
    assert_eq!(compiled(data.path()), Vec::<PathBuf>::new());
    sandbox.keep(&module).await;
    assert_eq!(compiled(data.path()).len(), 1);
    let digest = module.digest().to_owned();
    drop(module);
    // It is what the compiler made: it loads, and nothing was compiled for it.
    assert!(sandbox.known(&digest).await.is_some());
    assert_eq!(sandbox.occupancy().compiled, 1);
    sandbox.forget(&digest).await;
    assert_eq!(compiled(data.path()), Vec::<PathBuf>::new());
    assert!(sandbox.known(&digest).await.is_none());
    // What breaks when it is asked leaves nothing either.
    let broken = Crafted::new("include ability-find;").body(DESCRIBE, "unreachable");
    assert!(sandbox.load(&broken.build()).await.is_err());
    assert_eq!(compiled(data.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_no_module_needs_is_swept() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let data = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(&config(), data.path());
    let first = sandbox.load(&Crafted::adapter().build()).await.unwrap();
    let first = first.digest().to_owned();
    let wanted = compiled(data.path()).remove(0);
    let second = sandbox.load(&other()).await.unwrap().digest().to_owned();
    let folder = wanted.parent().unwrap();
    // By another version of the engine, and by a process that died.
    let name = wanted.file_name().unwrap().to_str().unwrap();
    let (stem, engine) = name.rsplit_once('-').unwrap();
    assert_eq!(engine.len(), "0123456789abcdef.compiled".len());
    fs::copy(
        &wanted,
        folder.join(format!("{stem}-0123456789abcdef.compiled")),
    )
    .unwrap();
    fs::write(folder.join(".tmpAbCdEf"), "half").unwrap();
    fs::write(folder.join("notes.txt"), "somebody else's").unwrap();
    let names = || {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<HashSet<_>>()
    };
    let all = names();
    assert_eq!(all.len(), 6, "{all:?}");
    let kept = HashSet::from([first.clone()]);
    sandbox.sweep(kept.clone(), HOUR).await;
    assert_eq!(names(), all, "all of it is new");

    all.iter()
        .for_each(|name| age(&folder.join(name), 2 * HOUR));
    // Somebody else uses it: it was read a moment ago.
    assert!(sandbox.known(&second).await.is_some());
    sandbox.sweep(kept.clone(), HOUR).await;
    assert_eq!(names().len(), 4, "{:?}", names());
    assert_eq!(compiled(data.path()).len(), 2);
    compiled(data.path())
        .iter()
        .for_each(|file| age(file, 2 * HOUR));
    sandbox.sweep(kept, HOUR).await;
    assert_eq!(
        names(),
        HashSet::from([name, "key", "notes.txt"].map(str::to_owned))
    );
    assert!(sandbox.known(&first).await.is_some());
}
