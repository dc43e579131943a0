use std::os::unix::fs::PermissionsExt;

use super::*;

fn compiler(script: &str, timeout: Duration) -> (Compiler, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("compiler");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    let compiler = Compiler {
        program,
        memory_bytes: 1 << 20,
        max_code: MAX_CODE,
        timeout,
    };
    (compiler, folder)
}

async fn run(script: &str) -> Result<Vec<u8>, NoCode> {
    let (compiler, _folder) = compiler(script, Duration::from_secs(20));
    compiler.compile(&[7; 100_000]).await
}

const SAYS: &str = "cat >/dev/null; echo 'registry-gateway compiles 1'; printf";

#[tokio::test]
async fn what_the_child_says_is_told_apart() {
    let code = run(&format!("{SAYS} Ccode")).await.unwrap();
    assert_eq!(code, b"code");
    let refused = run(&format!("{SAYS} Pbecause")).await.unwrap_err();
    assert!(
        matches!(&refused, NoCode::Refused(why) if why == "because"),
        "{refused:?}"
    );
    let memory = run(&format!("{SAYS} 'Pmmap failed (os error 12)'")).await;
    assert!(matches!(memory, Err(NoCode::TooLarge)), "{memory:?}");
    // More code than it may have memory.
    let much = run(&format!("{SAYS} C; head -c 2000000 /dev/zero")).await;
    assert!(
        matches!(much, Err(NoCode::TooLarge | NoCode::NotRun(_))),
        "{much:?}"
    );
    // Half of it, and then the end.
    let half = run(&format!("{SAYS} Cco; kill -ABRT $$")).await;
    assert!(matches!(half, Err(NoCode::TooLarge)), "{half:?}");
    let cpu = run("kill -XCPU $$").await;
    assert!(matches!(cpu, Err(NoCode::TooSlow)), "{cpu:?}");
    let crashed = run("kill -SEGV $$").await;
    assert!(matches!(crashed, Err(NoCode::Crashed(_))), "{crashed:?}");
}

/// However much memory the child may have: this process holds the code too.
#[tokio::test]
async fn more_code_than_this_process_takes_is_refused() {
    let script = format!("{SAYS} C; head -c 9999 /dev/zero");
    let (mut compiler, _folder) = compiler(&script, Duration::from_secs(20));
    assert_eq!(compiler.compile(b"").await.unwrap().len(), 9_999);
    compiler.max_code = 9_999;
    let done = compiler.compile(b"").await;
    assert!(matches!(done, Err(NoCode::TooLarge)), "{done:?}");
    compiler.max_code = 10_000;
    assert_eq!(compiler.compile(b"").await.unwrap().len(), 9_999);
}

#[tokio::test]
async fn another_program_gives_no_code() {
    for script in [
        "",
        "exit 3",
        "echo hello; cat",
        "printf 'registry-gateway compiles 2\\nC'",
    ] {
        let done = run(script).await;
        assert!(matches!(done, Err(NoCode::NotRun(_))), "{script}: {done:?}");
    }
    let (mut compiler, _folder) = compiler("", Duration::from_secs(20));
    compiler.program = "/nowhere/at/all".into();
    let done = compiler.compile(b"").await;
    assert!(matches!(done, Err(NoCode::NotRun(_))), "{done:?}");
}

#[tokio::test]
async fn who_takes_too_long_is_killed() {
    let script = "echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 600";
    let (compiler, folder) = compiler(script, Duration::from_millis(500));
    let done = compiler.compile(b"").await;
    assert!(matches!(done, Err(NoCode::TooSlow)), "{done:?}");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = std::path::Path::new("/proc").join(pid.trim());
    for _ in 0..200 {
        // A zombie has no command line any more.
        if std::fs::read(process.join("cmdline"))
            .unwrap_or_default()
            .is_empty()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it still runs");
}

/// Nothing that this process has open or in its environment reaches it.
#[tokio::test]
async fn the_child_inherits_nothing() {
    // Open while it runs.
    let secret = tempfile::NamedTempFile::with_prefix("a-secret-").unwrap();
    let seen = run(&format!("{SAYS} C; env; ls -l /proc/$$/fd; pwd")).await;
    let seen = String::from_utf8(seen.unwrap()).unwrap();
    drop(secret);
    assert!(!seen.contains("CARGO"), "{seen}");
    let names = seen.lines().filter_map(|line| line.split_once('='));
    for (name, _) in names {
        let known = [
            "RAYON_NUM_THREADS",
            "MALLOC_ARENA_MAX",
            "PWD",
            "OLDPWD",
            "_",
            "SHLVL",
        ];
        assert!(known.contains(&name), "{name}");
    }
    assert!(seen.contains(" -> pipe:"), "{seen}");
    assert!(!seen.contains("a-secret-"), "{seen}");
    assert!(seen.contains("\n/\n"), "{seen}");
}
