//! What `help` promises: every command has examples, and they are what it takes.

use clap::{ArgMatches, Command, CommandFactory};

use super::Cli;

/// The words of an example's line, up to what is the shell's own.
fn words(line: &str) -> Vec<String> {
    let line = line.split_once(" #").map_or(line, |(before, _)| before);
    let words = line.split_whitespace();
    let of_the_command = words.take_while(|word| !matches!(*word, "|" | ">" | "<"));
    of_the_command
        // Of the environment, before the command.
        .skip_while(|word| word.contains('=') && !word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

/// Which command was meant.
fn path(matches: &ArgMatches) -> Vec<String> {
    let mut path = Vec::new();
    let mut now = matches;
    while let Some((name, below)) = now.subcommand() {
        path.push(name.to_owned());
        now = below;
    }
    path
}

/// The commands below, by their names, with their examples.
fn leaves(command: &Command, at: &[String], found: &mut Vec<(Vec<String>, Vec<String>)>) {
    let own = command.get_subcommands();
    let below: Vec<&Command> = own.filter(|it| !it.is_hide_set()).collect();
    if below.is_empty() {
        found.push((at.to_vec(), examples(command)));
    }
    for command in below {
        let name = command.get_name().to_owned();
        leaves(command, &[at, &[name]].concat(), found);
    }
}

fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_has_examples_that_it_takes() {
    let mut found = Vec::new();
    leaves(&Cli::command(), &[], &mut found);
    assert!(found.len() > 40, "{}", found.len());
    for (name, examples) in &found {
        assert!(!examples.is_empty(), "{name:?} has no example");
        for example in examples {
            let matches = Cli::command().try_get_matches_from(words(example));
            let matches = matches.unwrap_or_else(|error| panic!("{example}: {error}"));
            assert_eq!(&path(&matches), name, "{example}");
        }
    }
    let of_all = examples(&Cli::command());
    assert!(!of_all.is_empty());
    for example in of_all {
        let matches = Cli::command().try_get_matches_from(words(&example));
        assert!(matches.is_ok(), "{example}");
    }
}
