"""What Terraform tells the server against what the server itself says.

The server is asked, not read: it is started with the very environment of the
task definition and `--print-config`. It refuses names that are no settings and
values that are out of range, and prints what it then goes by.
"""

import json
import os
import pathlib
import re
import subprocess
import tomllib

from workspace import ROOT, Failed, resources

# Named by the functions, not by the server.
FUNCTIONS_OWN = {"METRICS_NAMESPACE", "METRICS_SERVICE"}
SECRET = "0123456789abcdef" * 4


def binary():
    """The server; scripts/terraform.sh builds it."""
    given = os.environ.get("CARDROOM_BIN")
    if not given or not pathlib.Path(given).exists():
        raise Failed("no server to ask: CARDROOM_BIN names none")
    return pathlib.Path(given).resolve()


def printed_config(environment):
    """What the server goes by with that environment."""
    done = subprocess.run(
        [binary(), "--print-config"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"the server does not start with it:\n{done.stderr}")
    return tomllib.loads(done.stdout)


def container(state):
    """The one container of an applied state."""
    for _, kind, values in resources(state):
        if kind == "aws_ecs_task_definition":
            return json.loads(values["container_definitions"])[0]
    raise Failed("no task definition")


def environment_of(state):
    """What the server would find: settings, and secrets in their true form."""
    one = container(state)
    found = {entry["name"]: entry["value"] for entry in one["environment"]}
    return found | {entry["name"]: secret_value(entry["name"]) for entry in one["secrets"]}


def secret_value(name):
    """A value as users.tf and secrets.tf write it."""
    users = (ROOT / "modules/cache/users.tf").read_text()
    secrets = (ROOT / "modules/service/secrets.tf").read_text()
    url = re.search(r'"(rediss://[^"]+)"', users)[1] % ("poker-a", SECRET, "cache.example.org")
    keys = re.search(r'format\("(\[\{kid=.*?\}\])"', secrets)[1].replace('\\"', '"') % (1, SECRET)
    return {
        "CARDROOM_REDIS__URL": url,
        "CARDROOM_AUTH__TOKEN_KEYS": keys,
        "CARDROOM_INSTANCES__SHARED_SECRET": SECRET,
    }[name]


def setting(name):
    """Section and key of a name in the environment."""
    return name.removeprefix("CARDROOM_").lower().split("__", 1)


def server_takes_its_environment(state):
    """Every name is a setting, every value is accepted and is what counts."""
    environment = environment_of(state)
    config = printed_config(environment)
    for name, given in environment.items():
        section, key = setting(name)
        if key not in config.get(section, {}):
            raise Failed(f"{name} is no setting of the server")
        effective = config[section][key]
        if name in {entry["name"] for entry in container(state)["secrets"]}:
            if not effective:
                raise Failed(f"{name} did not arrive")
        elif isinstance(effective, list):
            if not set(json.loads(given)) <= set(effective):
                raise Failed(f"{name}: {given} became {effective}")
        elif str(effective) != given:
            raise Failed(f"{name}: {given} became {effective}")
    return f"{len(environment)} settings"


def functions_name_settings(state):
    """Every name in a function's environment is a setting, or the functions' own.

    With CARDROOM_FUNCTIONS_BIN, a folder with their binaries, they are asked
    themselves: `NAME --print-environment` prints the names that it reads, one
    a line, and these have to be the very names that it is given.
    """
    config = printed_config({})
    count = 0
    for address, kind, values in resources(state):
        if kind != "aws_lambda_function":
            continue
        names = values["environment"][0]["variables"].keys()
        _asked(address, names)
        for name in names:
            count += 1
            plain = name.removeprefix("SECRET_ARN_")
            if plain in FUNCTIONS_OWN:
                continue
            section, key = setting(plain)
            if not plain.startswith("CARDROOM_") or key not in config.get(section, {}):
                raise Failed(f"{address}: {name} is no setting")
    return f"{count} names"


def _asked(address, names):
    folder = os.environ.get("CARDROOM_FUNCTIONS_BIN")
    if not folder:
        return
    program = pathlib.Path(folder, re.search(r'\["([a-z-]+)"\]', address)[1])
    done = subprocess.run([program, "--print-environment"], env={}, capture_output=True, text=True, timeout=30, check=False)
    differ = set(done.stdout.split()) ^ set(names)
    if done.returncode != 0 or differ:
        raise Failed(f"{program.name}: {done.stderr or ', '.join(sorted(differ))}")


def timeouts_fit(state):
    """Read from the resources and from the server, not from the outputs."""
    found = {kind: values for _, kind, values in resources(state) if kind in ("aws_lb",)}
    group = next(
        values
        for _, kind, values in resources(state)
        if kind == "aws_lb_target_group" and values["target_type"] == "ip"
    )
    config = printed_config(environment_of(state))
    idle = found["aws_lb"]["idle_timeout"]
    heartbeat = (config["engine"]["ping_interval_ms"] + config["engine"]["ping_timeout_ms"]) / 1000
    drain = config["server"]["drain_seconds"]
    stop = container(state)["stopTimeout"]
    rules = {
        f"idle timeout {idle} > heartbeat {heartbeat:g}": idle > heartbeat,
        f"keep-alive {config['server']['keep_alive_ms'] / 1000:g} > idle timeout {idle}": config["server"]["keep_alive_ms"] / 1000 > idle,
        f"deregistration delay {group['deregistration_delay']} = drain {drain}": int(group["deregistration_delay"]) == drain,
        f"stop timeout {stop} >= drain {drain}": stop >= drain,
        f"stop timeout {stop} <= 120": stop <= 120,
    }
    broken = [words for words, holds in rules.items() if not holds]
    if broken:
        raise Failed("not so: " + "; ".join(broken))
    return "; ".join(rules)
