"""A copy of the configuration to work in, and Terraform in it with the stub."""

import json
import os
import pathlib
import shutil
import subprocess
import zipfile

import schema
import stub

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = ROOT.parent
WORK = pathlib.Path(os.environ.get("CARDROOM_TERRAFORM_WORK", REPOSITORY / "target" / "terraform" / "work"))
# Where a zip of a function is named by something that is run here.
ZIPS = (
    "tests/bootstrap.zip",
    "modules/functions/tests/bootstrap.zip",
    "examples/complete/session-validate.zip",
    "examples/complete/metrics-export.zip",
)
COMMAND_SECONDS_MAX = 900


class Failed(Exception):
    """A check that did not pass, and what it said."""


class Workspace:
    """One copy below `WORK`; nothing is written into the tree itself."""

    def __init__(self, name, schemas=None):
        self.schemas = schemas or schema.load()
        self.folder = WORK / name
        shutil.rmtree(self.folder, ignore_errors=True)
        unwanted = shutil.ignore_patterns(".terraform", "*.tfstate*", "offline", "__pycache__", "*.zip")
        shutil.copytree(ROOT, self.folder, ignore=unwanted)
        for path in ZIPS:
            _empty_function(self.folder / path)

    def run(self, folder, *command):
        """What the command printed; its exit code is left to the caller."""
        with stub.serving(self.schemas) as environment:
            return subprocess.run(
                command,
                cwd=self.folder / folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=COMMAND_SECONDS_MAX,
                check=False,
            )

    def terraform(self, folder, *arguments):
        """The output of a command that has to succeed."""
        done = self.run(folder, "terraform", *arguments)
        if done.returncode != 0:
            raise Failed(done.stdout)
        return done.stdout

    def json(self, folder, *arguments):
        return json.loads(self.terraform(folder, *arguments))

    def init(self, folder):
        self.terraform(folder, "init", "-backend=false", "-no-color")


def _empty_function(path):
    """A zip with a bootstrap in it, the same bytes every time."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bootstrap"), "#!/bin/sh\n")


def resources(state):
    """(address, type, values) of every resource of `terraform show -json`."""

    def walk(module):
        for one in module.get("resources", []):
            if one["mode"] == "managed":
                yield one["address"], one["type"], one["values"]
        for child in module.get("child_modules", []):
            yield from walk(child)

    yield from walk(state["values"]["root_module"])
