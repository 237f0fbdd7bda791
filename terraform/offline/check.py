#!/usr/bin/env python3
"""`make terraform`: everything about terraform/ that can be known without AWS.

Prints a line a step and ends with `N passed, M failed`. Arguments choose
steps by a part of their names.
"""

import json
import os
import re
import subprocess
import sys
import time
import traceback

import acl
import contract
import docs
import fakes
import lint
import mutations
import policy
import schema
from workspace import ROOT, WORK, Failed, Workspace

MODULES = sorted(f"modules/{folder.name}" for folder in (ROOT / "modules").iterdir())
EXAMPLES = sorted(f"examples/{folder.name}" for folder in (ROOT / "examples").iterdir())
ENVIRONMENTS = sorted(f"environments/{folder.name}" for folder in (ROOT / "environments").iterdir())
FOLDERS = [".", *MODULES, *EXAMPLES, *ENVIRONMENTS]
DETAIL_LINES_MAX = 60


class Report:
    def __init__(self, chosen):
        self.chosen = chosen
        self.passed = self.failed = 0

    def step(self, name, run, *arguments):
        """Runs one step; what it returns is a remark, what it raises a failure."""
        if self.chosen and not any(part in name for part in self.chosen):
            return
        started = time.monotonic()
        try:
            remark = run(*arguments)
            self.passed += 1
            line = f"ok    {name}" + (f": {remark}" if remark else "")
        except (Failed, subprocess.TimeoutExpired) as failure:
            self.failed += 1
            detail = str(failure).strip().splitlines()[-DETAIL_LINES_MAX:]
            line = f"FAIL  {name}\n" + "\n".join(f"      {text}" for text in detail)
        except Exception:  # the check itself is broken: the other steps still count
            self.failed += 1
            line = f"FAIL  {name}\n{traceback.format_exc()}"
        print(f"{line} ({time.monotonic() - started:.1f} s)", flush=True)


def formatted():
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", str(ROOT)],
        env=os.environ | {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(done.stdout + done.stderr)


def linted():
    found = [f"{folder}: {problem}" for folder in FOLDERS for problem in lint.problems(ROOT / folder)]
    if found:
        raise Failed("\n".join(found))


def documented():
    """The tables are those of the .tf files."""
    for folder in [".", *MODULES]:
        made = docs.page(ROOT / folder)
        if made is None:
            raise Failed(f"{folder}/README.md has no tables")
        if made != (ROOT / folder / "README.md").read_text():
            raise Failed(f"{folder}/README.md is not up to date: run offline/docs.py")
    return f"{len(MODULES) + 1} pages"


def schema_covers_what_is_used(schemas):
    """No type is left in the trimmed schema that nobody uses, or the other way round."""
    import refresh_schema

    used = refresh_schema.used_types()
    for kind, section in zip(("resource", "data", "ephemeral"), refresh_schema.SECTIONS.values()):
        differ = used[kind] ^ schemas[section].keys()
        if differ:
            raise Failed(f"{section}: {', '.join(sorted(differ))}; run refresh_schema.py")
    return f"provider {schemas['version']}"


def validated(workspace, folder):
    workspace.init(folder)
    workspace.terraform(folder, "validate", "-no-color")


def tested(workspace, folder):
    out = workspace.terraform(folder, "test", "-no-color")
    if re.search(r"Success! 0 passed|No tests", out):
        raise Failed("no test was run")
    return re.search(r"(\d+ passed, \d+ failed)", out)[1]


def applied(workspace, folder):
    """A pretended apply, after which a second plan has nothing to do, and no
    secret is anywhere."""
    workspace.init(folder)
    workspace.terraform(folder, "plan", "-no-color", "-input=false", "-out=first.tfplan")
    workspace.terraform(folder, "apply", "-no-color", "-auto-approve", "first.tfplan")
    second = workspace.run(folder, "terraform", "plan", "-no-color", "-detailed-exitcode")
    if second.returncode != 0:
        raise Failed(f"the second plan is not empty:\n{second.stdout}")
    plan = workspace.terraform(folder, "show", "-json", "first.tfplan")
    state = workspace.terraform(folder, "show", "-json")
    (workspace.folder / folder / "plan.json").write_text(plan)
    (workspace.folder / folder / "state.json").write_text(state)
    kept = (workspace.folder / folder / "terraform.tfstate").read_text()
    for name, text in (("plan", plan), ("state", state), ("state file", kept)):
        if fakes.SECRET_MARK in text:
            raise Failed(f"a secret is in the {name}")
    count = sum(1 for change in json.loads(plan)["resource_changes"] if "create" in change["change"]["actions"])
    return f"{count} resources, second plan empty, no secret in plan or state"


def state_of(workspace, folder):
    path = workspace.folder / folder / "state.json"
    if not path.exists():
        applied(workspace, folder)
    return json.loads(path.read_text())


def least_privilege(workspace, folder):
    found = list(policy.problems(state_of(workspace, folder)))
    if found:
        raise Failed("\n".join(found))


def checkov(workspace, folder):
    """Every finding is either mended or explained, and no explanation is stale."""
    state_of(workspace, folder)
    command = os.environ.get("CARDROOM_CHECKOV")
    if not command:
        raise Failed("checkov is not installed: scripts/terraform.sh does it")
    explained = json.loads((ROOT / "offline" / "checkov_skips.json").read_text())
    done = subprocess.run(
        [command, "--file", "plan.json", "--framework", "terraform_plan", "--skip-download", "--quiet", "--output", "json"],
        cwd=workspace.folder / folder,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report = json.loads(done.stdout)
        results, passed = report["results"], report["summary"]["passed"]
    except (ValueError, KeyError, TypeError):
        raise Failed(f"checkov said nothing:\n{done.stdout[-2000:]}{done.stderr[-2000:]}") from None
    unexplained = []
    for finding in results["failed_checks"]:
        check, resource = finding["check_id"], finding["resource"]
        skip = explained.get(check)
        if skip and folder.rpartition("/")[2] in skip["in"] and skip["only"] in resource:
            CHECKOV_SEEN.add((check, folder.rpartition("/")[2]))
        else:
            unexplained.append(f"{check} {resource}: {finding['check_name']}")
    if unexplained:
        raise Failed("\n".join(sorted(unexplained)))
    skipped = len({finding["check_id"] for finding in results["failed_checks"]})
    return f"{passed} passed, {skipped} checks skipped with a reason"


# (check, example) of every finding that an explanation was needed for.
CHECKOV_SEEN = set()


def no_stale_skips():
    explained = json.loads((ROOT / "offline" / "checkov_skips.json").read_text())
    stale = {(check, where) for check, skip in explained.items() for where in skip["in"]} - CHECKOV_SEEN
    if stale:
        raise Failed("explained, but not found: " + ", ".join(" in ".join(pair) for pair in sorted(stale)))
    return f"{len(explained)} checks"


def from_state(judge, workspace, folder):
    return judge(state_of(workspace, folder))


def caught(mutation, schemas):
    """The mutation is noticed, and for the right reason."""
    workspace = Workspace("mutation", schemas)
    file = workspace.folder / mutation.file
    text = file.read_text()
    if text.count(mutation.old) < 1:
        raise Failed(f"{mutation.file} has no longer: {mutation.old}")
    file.write_text(text.replace(mutation.old, mutation.new, 1))
    try:
        if mutation.check in JUDGES:
            JUDGES[mutation.check](workspace, mutation.folder)
        else:
            workspace.init(mutation.folder)
            workspace.terraform(mutation.folder, *mutation.check.split(), "-no-color")
    except Failed as failure:
        # Terraform breaks lines where they would be too long.
        if re.search(mutation.because, re.sub(r"\s+", " ", str(failure))):
            return
        raise Failed(f"noticed, but not by its reason ({mutation.because}):\n{failure}") from None
    raise Failed("nobody noticed")


def of_state(judge):
    return lambda workspace, folder: judge(state_of(workspace, folder))


# What an applied example is judged by, for mutations.
JUDGES = {
    "environment": of_state(contract.server_takes_its_environment),
    "timeouts": of_state(contract.timeouts_fit),
    "users": of_state(acl.users_have_what_the_server_needs),
    "rights": least_privilege,
}


def main(chosen):
    report = Report(chosen)
    schemas = schema.load()
    workspace = Workspace("tree", schemas)

    report.step("fmt", formatted)
    report.step("lint: typed, described, validated, used", linted)
    report.step("README tables", documented)
    report.step("schema: trimmed to what is used", schema_covers_what_is_used, schemas)
    for folder in FOLDERS:
        report.step(f"init and validate {folder}", validated, workspace, folder)
    for folder in [*MODULES, "."]:
        report.step(f"terraform test {folder}", tested, workspace, folder)
    for folder in EXAMPLES:
        report.step(f"apply {folder}", applied, workspace, folder)
    for folder in EXAMPLES:
        report.step(f"least privilege {folder}", least_privilege, workspace, folder)
    for folder in EXAMPLES:
        report.step(f"contract {folder}: the server takes its environment", from_state, contract.server_takes_its_environment, workspace, folder)
        report.step(f"contract {folder}: timeouts fit", from_state, contract.timeouts_fit, workspace, folder)
    report.step("contract examples/complete: functions name settings", from_state, contract.functions_name_settings, workspace, "examples/complete")
    report.step("contract examples/minimal: the cache's users have what the server needs", from_state, acl.users_have_what_the_server_needs, workspace, "examples/minimal")
    for folder in EXAMPLES:
        report.step(f"checkov {folder}", checkov, workspace, folder)
    if not chosen:
        report.step("checkov: no stale skips", no_stale_skips)
    for mutation in mutations.MUTATIONS:
        report.step(f"mutation: {mutation.says}", caught, mutation, schemas)

    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    sys.exit(main(sys.argv[1:]))
