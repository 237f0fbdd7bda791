#!/usr/bin/env python3
"""Runs a command with the stub provider instead of AWS':

    stub.py terraform plan

Terraform is told by TF_REATTACH_PROVIDERS that hashicorp/aws already runs,
and speaks to it over a socket. Nothing is downloaded and nobody is called.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Made from tfplugin5.proto by scripts/terraform.sh.
PROTOCOL = pathlib.Path(__file__).resolve().parents[2] / "target" / "terraform" / "protocol"
sys.path.insert(0, str(PROTOCOL))

import grpc  # noqa: E402
import tfplugin5_pb2_grpc  # noqa: E402

import provider  # noqa: E402
import schema  # noqa: E402


@contextlib.contextmanager
def serving(schemas):
    """The environment for a command, while the stub serves it."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "provider.sock")
        server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8),
            options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
        )
        tfplugin5_pb2_grpc.add_ProviderServicer_to_server(provider.StubProvider(schemas), server)
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        no_settings = os.path.join(folder, "terraformrc")
        pathlib.Path(no_settings).touch()
        reattach = {
            "hashicorp/aws": {
                "Protocol": "grpc",
                "ProtocolVersion": 5,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "unix", "String": socket},
            }
        }
        try:
            yield os.environ | {
                "TF_REATTACH_PROVIDERS": json.dumps(reattach),
                "TF_CLI_CONFIG_FILE": no_settings,
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
            }
        finally:
            server.stop(0)


if __name__ == "__main__":
    with serving(schema.load()) as environment:
        sys.exit(subprocess.call(sys.argv[1:], env=environment))
