#!/usr/bin/env python3
"""Makes aws-provider-schema.json.gz anew, trimmed to the types that the
configuration uses:

    npm pack @cdktn/provider-aws@25.7.0
    refresh_schema.py cdktn-provider-aws-25.7.0.tgz

The package holds TypeScript bindings that were generated from the provider's
schema, with a class per block. What is read from their JavaScript:

* a comment per attribute, `// name - computed: …, optional: …, required: …`;
* `synthesizeHclAttributes()` and `…ToHclTerraform()`: what is a block, and
  whether a list, set, map or single; `listMapperHcl(…, false)` is an
  attribute that is written as a block;
* a nested block without a list mapper may stand once;
* `markWriteOnlyAttribute`: the value never comes back.

Not in there, and so not in the schema: permitted values, defaults, arguments
that exclude or need each other, what forces a replacement, the largest number
of blocks where it is more than one.
"""

import gzip
import json
import pathlib
import re
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = pathlib.Path(__file__).with_name("aws-provider-schema.json.gz")

# `name: {value: …, isBlock: …, type: "…", storageClassType: "…"` of a synthesis.
SYNTHESIS = re.compile(
    r'\b(\w+): \{\s+value: ([^\n]+),\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "([^"]+)"'
)
ATTRIBUTE = re.compile(
    r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n", re.M
)
CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+)", re.M)
TO_HCL = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.M | re.S)
ELEMENTS = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": "string",
    "numberList": "number",
    "booleanList": "bool",
    "stringMap": "string",
    "numberMap": "number",
    "booleanMap": "bool",
    "anyMap": "dynamic",
    "stringListList": ["list", "string"],
    "stringMapList": ["map", "string"],
    "any": "dynamic",
}
SECRET_NAME = re.compile(r"(^|_)(password|secret_string|secret_binary|auth_token|private_key)(_wo)?$")
# Statements of a WAF rule that hold statements: unused, and nine tenths of all.
LEFT_OUT = {"and_statement", "not_statement", "or_statement", "scope_down_statement"}


class Module:
    """The JavaScript of one resource type."""

    def __init__(self, source):
        found = list(CLASS.finditer(source))
        ends = [later.start() for later in found[1:]] + [len(source)]
        self.kinds = {match[1]: match[2] for match in found}
        self.classes = {match[1]: source[match.start() : end] for match, end in zip(found, ends)}
        self.synthesis = {
            match[1].lower(): _synthesis(match[2]) for match in TO_HCL.finditer(source)
        }
        for name, body in self.classes.items():
            start = body.find("synthesizeHclAttributes() {")
            if start >= 0:
                self.synthesis[name.lower()] = _synthesis(body[start:])

    def attributes(self, base, class_name):
        """name, its three flags, the code of its accessors and its synthesis."""
        body = self.classes.get(class_name)
        if body is None:
            return
        found = list(ATTRIBUTE.finditer(body))
        ends = [later.start() for later in found[1:]] + [len(body)]
        synthesis = self.synthesis.get(base.lower(), {})
        for match, end in zip(found, ends):
            code = body[match.end() : min(end, match.end() + 4000)].split("// =========")[0]
            flags = {
                flag: True
                for flag, given in zip(("computed", "optional", "required"), match.groups()[1:])
                if given == "true"
            }
            yield match[1], flags, code, synthesis.get(match[1])

    def block(self, base, class_name):
        block = {"attributes": {}, "block_types": {}}
        for name, flags, code, synthesis in self.attributes(base, class_name):
            if name in LEFT_OUT:
                continue
            nested = _nested(code)
            if _is_block(synthesis, flags):
                value, _, shape, storage = synthesis
                inner = nested[0] if nested else re.sub(r"(List|Map)$", "", storage)
                kind = {
                    "nesting_mode": "single" if shape == "struct" else shape,
                    "block": self.block(inner, inner + "OutputReference"),
                }
                if shape in ("list", "set"):
                    if "required" in flags:
                        kind["min_items"] = 1
                    if "listMapperHcl" not in value:
                        kind["max_items"] = 1
                block["block_types"][name] = kind
                continue
            attribute = {"type": self.type_of(code, synthesis)} | flags
            if synthesis and "markWriteOnlyAttribute" in synthesis[0]:
                attribute["write_only"] = True
            if SECRET_NAME.search(name):
                attribute["sensitive"] = True
            block["attributes"][name] = attribute
        return block

    def object_type(self, base):
        attributes = self.attributes(base, base + "OutputReference")
        return ["object", {name: self.type_of(code, synthesis) for name, _, code, synthesis in attributes}]

    def type_of(self, code, synthesis):
        nested = None if "new cdktn." in code else _nested(code)
        if nested:
            base, kind, is_set = nested
            if kind == "OutputReference":
                shape = synthesis[2] if synthesis else "struct"
                is_collection = shape in ("list", "set")
                return [shape, self.object_type(base)] if is_collection else self.object_type(base)
            shape = {"List": "set" if is_set else "list", "Map": "map"}[kind]
            return [shape, self.object_type(base)]
        for kind, name in (("string", "String"), ("number", "Number"), ("bool", "Boolean")):
            if f"new cdktn.{name}Map(" in code or f"get{name}MapAttribute" in code:
                return ["map", kind]
        if synthesis:
            _, _, shape, storage = synthesis
            element = ELEMENTS.get(storage, "dynamic")
            return element if shape == "simple" else [shape, element]
        shape = "set" if "Fn.tolist" in code else "list"
        if "getNumberListAttribute" in code:
            return [shape, "number"]
        if "getListAttribute" in code:
            return [shape, "string"]
        for kind, name in (("string", "String"), ("number", "Number"), ("bool", "Boolean")):
            if f"get{name}Attribute" in code:
                return kind
        return "dynamic"

    def provider_block(self, class_name):
        """The provider's arguments have no comments of their own in the nested blocks."""
        block = {"attributes": {}, "block_types": {}}
        for name, _, _, synthesis in self.attributes(class_name, class_name):
            if synthesis is None:
                continue
            _, is_block, shape, storage = synthesis
            if is_block == "true":
                inner = self.synthesis.get(re.sub(r"List$", "", storage).lower(), {})
                attributes = {key: _optional(inner[key]) for key in inner}
                nested = {"attributes": attributes, "block_types": {}}
                block["block_types"][name] = {"nesting_mode": shape, "block": nested}
            else:
                block["attributes"][name] = _optional(synthesis)
        return block


def _synthesis(code):
    return {match[1]: match.groups()[1:] for match in SYNTHESIS.finditer(code)}


def _nested(code):
    """Class, List | Map | OutputReference, and whether a set."""
    match = re.search(
        r'= new (?:\w+\.)?(\w+?)(List|Map|OutputReference)\(this, "\w+"(?:, (true|false))?\)', code
    )
    return match and (match[1], match[2], match[3] == "true")


def _is_block(synthesis, flags):
    if not synthesis or synthesis[1] != "true":
        return False
    mapper = re.search(r"listMapperHcl\([\w.]+, (true|false)\)", synthesis[0])
    return mapper[1] == "true" if mapper else "computed" not in flags


def _optional(synthesis):
    _, _, shape, storage = synthesis
    element = ELEMENTS.get(storage, "dynamic")
    return {"type": element if shape == "simple" else [shape, element], "optional": True}


def used_types():
    """Every `resource`, `data` and `ephemeral` type that a .tf file names."""
    pattern = re.compile(r'^\s*(resource|data|ephemeral) "(aws_\w+)"', re.M)
    used = {"resource": set(), "data": set(), "ephemeral": set()}
    for file in ROOT.rglob("*.tf"):
        for kind, name in pattern.findall(file.read_text()):
            used[kind].add(name)
    return used


FOLDERS = {"resource": "", "data": "data-aws-", "ephemeral": "ephemeral-aws-"}
SECTIONS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformEphemeralResource": "ephemeral_resource_schemas",
}
# The statement of a rule is typed `any` in the first; the second has it in full.
STATEMENT_OF = ("aws_wafv2_web_acl", "aws_wafv2_web_acl_rule")


def sources(archive, folders):
    """The joined JavaScript per folder of lib/, without source maps (on their
    one long line the expressions above would go over again and again)."""
    joined = {}
    with tarfile.open(archive) as files:
        for member in files:
            parts = member.name.split("/")
            if len(parts) < 4 or parts[1] != "lib" or not member.name.endswith(".js"):
                continue
            is_index = len(parts) == 4 and parts[3] == "index.js"
            is_struct = len(parts) == 5 and parts[3] == "index-structs" and parts[4] != "index.js"
            if parts[2] in folders and (is_index or is_struct):
                text = files.extractfile(member).read().decode()
                text = text.split("\n//# sourceMappingURL")[0]
                joined[parts[2]] = joined.get(parts[2], "") + "\n" + text
    return joined


def main(archive):
    used = used_types()
    wanted = used["resource"] | {STATEMENT_OF[1]}
    folders = {"provider"} | {
        FOLDERS[kind] + name.removeprefix("aws_").replace("_", "-")
        for kind, names in (used | {"resource": wanted}).items()
        for name in names
    }
    out = {section: {} for section in SECTIONS.values()} | {"provider": None, "version": None}
    for source in sources(archive, folders).values():
        module = Module(source)
        named = re.search(r"terraformResourceType: '(\w+)'", source)
        version = re.search(r"providerVersion: '([\d.]+)'", source)
        out["version"] = version[1] if version else out["version"]
        for class_name, kind in module.kinds.items():
            if kind == "TerraformProvider":
                out["provider"] = {"version": 0, "block": module.provider_block(class_name)}
            elif kind in SECTIONS and named:
                block = module.block(class_name, class_name)
                out[SECTIONS[kind]][named[1]] = {"version": 0, "block": block}

    resources = out["resource_schemas"]
    acl, rule = (resources.get(name) for name in STATEMENT_OF)
    if acl and rule:
        block = acl["block"]["block_types"]["rule"]["block"]
        block["attributes"].pop("statement", None)
        block["block_types"]["statement"] = rule["block"]["block_types"]["statement"] | {"max_items": 1}
    if STATEMENT_OF[1] not in used["resource"]:
        resources.pop(STATEMENT_OF[1], None)

    missing = [
        f"{kind}.{name}"
        for kind, section in zip(("resource", "data", "ephemeral"), SECTIONS.values())
        for name in sorted(used[kind] - out[section].keys())
    ]
    out["origin"] = f"{pathlib.Path(archive).name} (npm @cdktn/provider-aws, MPL-2.0)"
    data = json.dumps(out, sort_keys=True, separators=(",", ":")).encode()
    with open(OUTPUT, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(data)
    counts = ", ".join(f"{len(out[section])} {section}" for section in SECTIONS.values())
    print(f"provider {out['version']}: {counts}; {OUTPUT.stat().st_size} bytes")
    if missing:
        sys.exit(f"the package has no {', '.join(missing)}")


if __name__ == "__main__":
    main(sys.argv[1])
