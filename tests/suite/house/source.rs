//! The project's files and what stands in them, without comments and strings where those would
//! mislead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gateway_tests::components::workspace;

/// All files of a folder, in all its folders, apart from what tools make.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        // In a worktree `.git` is a file.
        if name == "target" || name == ".git" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(super) fn rust(folder: &str) -> Vec<(PathBuf, String)> {
    let files = files(&workspace().join(folder)).into_iter();
    let rust = files.filter(|file| file.extension().is_some_and(|kind| kind == "rs"));
    rust.map(|file| (file.clone(), fs::read_to_string(&file).unwrap()))
        .collect()
}

/// The source without its comments.
pub(super) fn code(text: &str) -> String {
    let lines = text.lines().map(|line| {
        // `://` stands in addresses, not before comments.
        let comment = line
            .match_indices("//")
            .find(|(at, _)| !line[..*at].ends_with(':'));
        comment.map_or(line, |(at, _)| &line[..at])
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The words right behind each `path`: `crate::{a, b::c}` has `a` and `b`.
pub(super) fn behind(code: &str, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(path) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let end = group.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth < 0
        });
        let mut depth = 0;
        let parts = group[..end.unwrap_or(group.len())].split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        found.extend(
            parts
                .map(|part| word(part.trim()))
                .filter(|word| !word.is_empty()),
        );
    }
    found
}

pub(super) fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Whether a crate is named: `name::` or `use name;`.
pub(super) fn names(code: &str, krate: &str) -> bool {
    code.match_indices(krate).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let alone = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let after = &code[at + krate.len()..];
        alone && (after.starts_with("::") || after.starts_with(';') && code[..at].ends_with("use "))
    })
}

/// The crates that `host/Cargo.toml` has, as code names them.
pub(super) fn dependencies(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = sections
        .iter()
        .filter_map(|name| manifest.get(*name)?.as_table());
    tables
        .flat_map(|table| table.keys())
        .map(|name| name.replace('-', "_"))
        .collect()
}
