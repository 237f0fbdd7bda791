#!/usr/bin/env python3
"""The part of deny.toml that needs no tool: licences, sources and banned crates
of every package in Cargo.lock, by `cargo metadata`. `make audit` checks all of it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def allows(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met; `/` is the old way to write OR."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either() -> bool:
        met = both()
        while words[:1] == ["OR"]:
            words.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = single()
        while words[:1] == ["AND"]:
            words.pop(0)
            met = single() and met
        return met

    def single() -> bool:
        word = words.pop(0)
        if word == "(":
            met = either()
            words.pop(0)
            return met
        if words[:1] == ["WITH"]:
            word = " ".join([word, words.pop(0), words.pop(0)])
        return word in allowed

    return either()


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    allowed = set(rules["licenses"]["allow"])
    banned = {ban["crate"] for ban in rules["bans"]["deny"]}
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.check_output(command, cwd=ROOT))
    wrong = []
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        if package["source"] not in (None, CRATES_IO):
            wrong.append(f"{name} is not from crates.io")
        if package["name"] in banned:
            wrong.append(f"{name} is banned")
        if not allows(package["license"] or "none", allowed):
            wrong.append(f"{name} is under {package['license']}")
    print("\n".join(wrong) or f"{len(metadata['packages'])} packages are as deny.toml wants them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
