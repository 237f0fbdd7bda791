#!/usr/bin/env python3
"""Inputs that are as large as they may be and full of small things, which no
fuzzer finds by itself: one per way to make a parser allocate. Too large to keep."""

from pathlib import Path

BYTES_MAX = 65_536
LARGE = [
    ("client_event", b'\x1d[{"format":"csv","data":"","x":[', b"0,", b"0]}]"),
    ("emission", b"\x93\xa1e\x83\xa4type\x02\xa4data\xdc\xff\x00\xa5hello", b"\xc0", b"\x80"),
    ("rest_body", b'\x00{"name":"x","deck":{"cards":["a"', b',"1"', b"]}}"),
    # No JSON: to a reader that counts quotes, all is string.
    ("rest_body", b'\x00["a,', b'"1",', b""),
    ("rest_body", b'\x00[\\"', b"1,", b""),
    ("socketio_session", b'40\x1e451-["a",[', b"0,", b"0]]\x1ebAQ=="),
    ("story_import", b"\x02[", b"0,", b"0]"),
    ("story_import", b"\x01title", b",", b""),
    ("websocket_frames", b"\x00\x82\xff\x00\x00\x00\x00\x00\x00\xff\x00\x01\x02\x03\x04", b"x", b""),
]

for number, (target, head, piece, tail) in enumerate(LARGE):
    folder = Path(__file__).parent / "target/large" / target
    folder.mkdir(parents=True, exist_ok=True)
    count = (BYTES_MAX - len(head) - len(tail)) // len(piece)
    if target in ("client_event", "story_import"):  # an import is smaller
        count = count * 9 // 10
    folder.joinpath(f"large-{number}").write_bytes(head + piece * count + tail)
