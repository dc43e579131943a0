//! Files that are no adapter, and adapters that ask for more than their share.

use gateway_tests::crafted::{Crafted, FIND};
use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::model::FindQuery;
use registry_gateway::sandbox::{Fault, Limit, LoadError};

use crate::admission::load;
use crate::bench::{Bench, config, sandbox};

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let good = Crafted::adapter().build();
    let cut: Vec<&[u8]> = (1..8).map(|part| &good[..good.len() * part / 8]).collect();
    let core = wat::parse_str("(module)").unwrap();
    let text = b"(component)";
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut cases: Vec<&[u8]> = vec![b"", b"hello", text, &core, &noise, &good[..4]];
    cases.extend(cut);
    for bytes in cases {
        let loaded = load(bytes).await;
        let start = bytes.len().min(16);
        assert!(
            matches!(loaded, Err(LoadError::NotAComponent(_))),
            "{} bytes, {:?}: {:?}",
            bytes.len(),
            &bytes[..start],
            loaded.err()
        );
    }
}

/// Code that this very engine wrote: it would run.
#[tokio::test]
async fn precompiled_code_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let sandbox = crate::bench::sandbox_in(&config(), data.path());
    sandbox.load(&Crafted::adapter().build()).await.unwrap();
    let compiled = gateway_tests::compiled::compiled(data.path());
    let code = std::fs::read(&compiled[0]).unwrap();
    // Behind the tag stands what wasmtime wrote: an ELF file.
    let elf = code
        .windows(4)
        .position(|window| window == b"\x7fELF")
        .unwrap();
    let loaded = sandbox.load(&code[elf..]).await;
    assert!(
        matches!(loaded, Err(LoadError::Precompiled)),
        "{:?}",
        loaded.err()
    );
}

#[tokio::test]
async fn a_large_module_is_not_looked_at() {
    let bytes = Crafted::adapter().build();
    let size = u64::try_from(bytes.len()).unwrap();
    let limited = |max_module_bytes| SandboxConfig {
        max_module_bytes,
        ..config()
    };
    let loaded = sandbox(&limited(size - 1)).load(&bytes).await;
    let Err(LoadError::TooLarge { size: told, max }) = loaded else {
        panic!("{:?}", loaded.err());
    };
    assert_eq!((told, max), (size, size - 1));
    assert!(sandbox(&limited(size)).load(&bytes).await.is_ok());
}

/// A component of many parts would empty the pool for everybody.
#[tokio::test]
async fn a_component_of_many_parts_is_refused() {
    let many = |part: &str, count: usize| {
        let adapter = wasmprinter::print_bytes(Crafted::adapter().build()).unwrap();
        let adapter = adapter.trim_end().strip_suffix(')').unwrap();
        let module = format!("(core module $m {part})");
        let parts = "(core instance (instantiate $m))".repeat(count);
        wat::parse_str(format!("{adapter} {module} {parts})")).unwrap()
    };
    for (part, count) in [
        ("", 21),
        ("(memory 1)", 3),
        ("(table 1 funcref)", 21),
        ("(memory 60000)", 1),
    ] {
        let loaded = load(&many(part, count)).await;
        assert!(
            matches!(loaded, Err(LoadError::TooDemanding(_))),
            "{part} {count}: {:?}",
            loaded.err()
        );
    }
}

/// Tables grow at run time too.
#[tokio::test]
async fn a_huge_table_ends_the_call() {
    let bench = Bench::new().await;
    let grower = Crafted::adapter().fields("(table $t 0 funcref)").body(
        FIND,
        "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l)) unreachable",
    );
    let module = bench.sandbox.load(&grower.build()).await.unwrap();
    let query = FindQuery {
        identifiers: Vec::new(),
    };
    let bench = bench.limits(|limits| limits.table_elements = 5_000);
    let ran = module.find(bench.work(), &query).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OverLimit(Limit::Table));
    bench.good().await;
}
