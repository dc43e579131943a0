"""Holds the dependencies to deny.toml: licences, bans with their wrappers, wildcards, sources.

Reads the part of cargo-deny's file format that deny.toml uses, and refuses to run on any other key,
so that a rule added there is never ignored here. Takes `cargo metadata --locked` for the targets of
[graph]. Advisories are not asked: see deny.toml.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

TOP = pathlib.Path(__file__).resolve().parent.parent
KNOWN = {
    "graph": {"targets", "all-features"},
    "licenses": {"allow", "exceptions"},
    "bans": {"multiple-versions", "wildcards", "allow-wildcard-paths", "deny"},
    "sources": {"unknown-registry", "unknown-git"},
}
# The values that this script implements.
FIXED = {
    ("graph", "all-features"): False,
    ("bans", "multiple-versions"): "allow",
    ("bans", "wildcards"): "deny",
    ("bans", "allow-wildcard-paths"): True,
    ("sources", "unknown-registry"): "deny",
    ("sources", "unknown-git"): "deny",
}


def read_rules(text):
    rules = tomllib.loads(text)
    for section, keys in rules.items():
        for key, value in keys.items():
            if key not in KNOWN.get(section, ()):
                sys.exit(f"deny.toml: [{section}] {key}: .ci/deny.py does not know this key")
            if FIXED.get((section, key), value) != value:
                sys.exit(f"deny.toml: [{section}] {key}: .ci/deny.py knows no such value")
    missing = {s for s in KNOWN if s not in rules}
    if missing:
        sys.exit(f"deny.toml: no section {', '.join(sorted(missing))}")
    return rules


def metadata(targets):
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    for target in targets:
        command += ["--filter-platform", target]
    return json.loads(subprocess.run(command, cwd=TOP, check=True, stdout=subprocess.PIPE).stdout)


def licensed(expression, allowed):
    """Whether an SPDX expression can be met with these licences. `/` is the old form of OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    tokens.reverse()

    def either():
        met = both()
        while tokens and tokens[-1] == "OR":
            tokens.pop()
            met = both() or met
        return met

    def both():
        met = one()
        while tokens and tokens[-1] == "AND":
            tokens.pop()
            met = one() and met
        return met

    def one():
        token = tokens.pop()
        if token == "(":
            met = either()
            if tokens.pop() != ")":
                raise ValueError(expression)
            return met
        if tokens and tokens[-1] == "WITH":
            tokens.pop()
            token = f"{token} WITH {tokens.pop()}"
        return token in allowed

    met = either()
    if tokens:
        raise ValueError(expression)
    return met


def check(rules, meta):
    used = {node["id"] for node in meta["resolve"]["nodes"]}
    packages = {p["id"]: p for p in meta["packages"] if p["id"] in used}
    dependents = {}
    for node in meta["resolve"]["nodes"]:
        for dependency in node["deps"]:
            name = packages[dependency["pkg"]]["name"]
            dependents.setdefault(name, set()).add(packages[node["id"]]["name"])
    names = {package["name"] for package in packages.values()}
    problems = []

    allowed = set(rules["licenses"]["allow"])
    exceptions = {e["name"]: set(e["allow"]) for e in rules["licenses"]["exceptions"]}
    for package in packages.values():
        who = f"{package['name']} {package['version']}"
        expression = package["license"]
        if not expression:
            problems.append(f"{who} names no licence")
        elif not licensed(expression, allowed | exceptions.get(package["name"], set())):
            problems.append(f"{who}: the licence {expression} is not allowed")
        for dependency in package["dependencies"]:
            # A path of our own needs no version; others' manifests were checked at publication.
            if package["source"] is None and dependency["req"] == "*" and "path" not in dependency:
                problems.append(f"{who}: {dependency['name']} has no version")
    problems += [f"{name}: an exception for nothing" for name in exceptions.keys() - names]

    for ban in rules["bans"]["deny"]:
        if ban.keys() - {"name", "wrappers", "reason"}:
            sys.exit(f"deny.toml: ban of {ban['name']}: .ci/deny.py does not know one of its keys")
        wrappers = set(ban.get("wrappers", ()))
        if ban["name"] not in names:
            if wrappers:
                problems.append(f"{ban['name']}: wrapped, but nobody uses it: is it spelled right?")
            continue
        for dependent in sorted(dependents.get(ban["name"], {"nobody"}) - wrappers):
            problems.append(f"{dependent} uses {ban['name']}: {ban['reason']}")

    registries = {p["source"] for p in packages.values() if p["source"]}
    problems += [f"{s}: not a package registry" for s in registries if not s.startswith("registry+")]
    if len(registries) > 1:
        problems.append(f"more than one source: {', '.join(sorted(registries))}")
    for package in packages.values():
        if package["source"] is None and TOP not in pathlib.Path(package["manifest_path"]).parents:
            problems.append(f"{package['name']} is outside the repository")
    return len(packages), problems


def check_myself():
    """A licence check that lets everything through would never be noticed."""
    for expression, met in [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("GPL-3.0-only/MIT", True),
    ]:
        assert licensed(expression, {"MIT"}) is met, expression


def main():
    check_myself()
    rules = read_rules((TOP / "deny.toml").read_text())
    count, problems = check(rules, metadata(rules["graph"]["targets"]))
    for problem in problems:
        print(f"deny: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{count} packages: licences, bans and sources as deny.toml has them")


main()
