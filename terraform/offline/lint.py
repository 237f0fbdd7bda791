"""What terraform validate does not ask: every variable has a type, words, a
check and a use, every output has words, and nothing is declared in vain."""

import pathlib
import re

BLOCK = re.compile(r'^(variable|output|local|resource|data|ephemeral|module) ?(.*?) ?\{\n(.*?)^\}', re.M | re.S)


def blocks(folder):
    """(kind, names, body) of every top-level block of a folder's .tf files."""
    for file in sorted(pathlib.Path(folder).glob("*.tf")):
        for kind, names, body in BLOCK.findall(file.read_text()):
            yield kind, re.findall(r'"([^"]+)"', names), body


def problems(folder):
    text = "".join(file.read_text() for file in sorted(pathlib.Path(folder).glob("*.tf")))
    for kind, names, body in blocks(folder):
        name = names[0] if names else ""
        if kind == "variable":
            uses = len(re.findall(rf"\bvar\.{name}\b", text))
            own = len(re.findall(rf"\bvar\.{name}\b", body))
            if not re.search(r"^  type\s+=", body, re.M):
                yield f"variable {name} has no type"
            if "description" not in body:
                yield f"variable {name} has no description"
            if "validation {" not in body and not re.search(r"^  type\s+= bool$", body, re.M):
                yield f"variable {name} is not validated"
            if uses == own:
                yield f"variable {name} is not used"
        if kind == "output" and "description" not in body:
            yield f"output {name} has no description"
        if kind == "data" and not re.search(rf"\bdata\.{names[0]}\.{names[1]}\b", text):
            yield f"data {'.'.join(names)} is not used"
    for name in local_names(text):
        if not re.search(rf"\blocal\.{name}\b", text):
            yield f"local {name} is not used"


def local_names(text):
    for body in re.findall(r"^locals \{\n(.*?)^\}", text, re.M | re.S):
        yield from re.findall(r"^  (\w+)\s*=", body, re.M)
