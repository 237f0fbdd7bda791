"""The provider's schema: read from the trimmed file, told to Terraform, walked.

A block value is a dictionary with a key per attribute and per nested block,
as Terraform sends it; `UNKNOWN` stands for what is known after apply.
"""

import gzip
import json
import pathlib

import msgpack

SCHEMA_FILE = pathlib.Path(__file__).with_name("aws-provider-schema.json.gz")
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


class Unknown:
    """What Terraform will know only after apply."""

    __slots__ = ()


UNKNOWN = Unknown()


def load(path=SCHEMA_FILE):
    with gzip.open(path) as file:
        return json.load(file)


def decode(value):
    """A value from the wire; None for none."""
    if value.json:
        return json.loads(value.json)
    if not value.msgpack:
        return None
    return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False, ext_hook=lambda *_: UNKNOWN)


def encode(value):
    """The bytes of a value; unknown is an extension of type 0."""
    return msgpack.packb(value, use_bin_type=True, default=lambda _: msgpack.ExtType(0, b"\0"))


def is_known(value):
    """Whether nothing inside is unknown."""
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return not isinstance(value, Unknown)


def to_message(pb, schema):
    """The schema of one type as a protobuf message."""
    return pb.Schema(version=schema.get("version", 0), block=_block_message(pb, schema["block"]))


def _block_message(pb, block):
    message = pb.Schema.Block()
    for name, attribute in sorted(block["attributes"].items()):
        flags = {
            flag: True
            for flag in ("required", "optional", "computed", "sensitive", "write_only")
            if attribute.get(flag)
        }
        message.attributes.add(name=name, type=json.dumps(attribute["type"]).encode(), **flags)
    for name, nested in sorted(block["block_types"].items()):
        added = message.block_types.add(
            type_name=name,
            nesting=NESTING[nested["nesting_mode"]],
            min_items=nested.get("min_items", 0),
            max_items=nested.get("max_items", 0),
        )
        added.block.CopyFrom(_block_message(pb, nested["block"]))
    return message


def rewrite(block, value, change):
    """`value` with each attribute replaced by `change(name, attribute, value)`."""
    if not isinstance(value, dict):
        return value
    out = {
        name: change(name, attribute, value.get(name))
        for name, attribute in block["attributes"].items()
    }
    for name, nested in block["block_types"].items():
        inner = value.get(name)
        if isinstance(inner, list):
            out[name] = [rewrite(nested["block"], item, change) for item in inner]
        elif isinstance(inner, dict) and nested["nesting_mode"] == "map":
            out[name] = {key: rewrite(nested["block"], item, change) for key, item in inner.items()}
        else:
            out[name] = rewrite(nested["block"], inner, change)
    return out
