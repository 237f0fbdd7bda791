"""Whether the numbers and names in infra/ fit the server's own defaults.

Those are read from cardroom.example.toml, which a test keeps equal to the
code. What Terraform sets is compared by terraform/offline/contract.py.
"""

import pathlib
import re
import sys
import tomllib

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).parent.parent
INFRA = ROOT / "infra"
# From the end of the drain to the end of the process: state is written.
RESERVE_SECONDS = 10

SERVER = tomllib.loads((ROOT / "cardroom.example.toml").read_text())
HEARTBEAT = (SERVER["engine"]["ping_interval_ms"] + SERVER["engine"]["ping_timeout_ms"]) / 1000
KEEP_ALIVE = SERVER["server"]["keep_alive_ms"] / 1000
BODY = max(SERVER["engine"]["max_payload_bytes"], SERVER["server"]["body_bytes_max"])
CONNECTIONS = SERVER["server"]["connections_max"]

problems = []
checks = 0


def check(holds, words):
    global checks
    checks += 1
    if not holds:
        problems.append(words)


def read(name):
    """Without comments."""
    text = (INFRA / name).read_text()
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def yaml(name):
    return YAML(typ="safe").load(INFRA / name)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)?", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, None: 1}[unit]


def found(text, pattern, where):
    """The one thing that is there."""
    hits = re.findall(pattern, text, re.MULTILINE)
    if len(hits) != 1:
        raise SystemExit(f"{where}: {len(hits)} times {pattern}")
    return hits[0]


def balancers():
    config = read("haproxy/haproxy.cfg")
    for name in ("client", "server", "tunnel"):
        given = seconds(found(config, rf"^\s*timeout {name}\s+(\S+)", "haproxy"))
        check(given > HEARTBEAT, f"haproxy: timeout {name} {given:g} s is no longer than a heartbeat ({HEARTBEAT:g} s)")
    kept = seconds(found(config, r"^\s*timeout http-keep-alive\s+(\S+)", "haproxy"))
    check(kept < KEEP_ALIVE, f"haproxy: http-keep-alive {kept:g} s is no shorter than server.keep_alive_ms")
    intervals = re.findall(r"\binter (\S+) fastinter (\S+) fall (\d+)", config)
    notice = SERVER["server"].get("drain_notice_ms", 2_000) / 1000
    for inter, fast, fall in intervals:
        noticed = seconds(inter) + seconds(fast) * (int(fall) - 1)
        check(noticed < notice, f"haproxy: notices after {noticed:g} s who drains, and the server begins after {notice:g} s")
    check(intervals, "haproxy: no health checks")
    body = int(found(config, r"content-length\) gt (\d+)", "haproxy"))
    check(body >= BODY, f"haproxy: {body} bytes of a body are fewer than the server takes ({BODY})")

    config = read("nginx/nginx.conf.template")
    for name in ("read", "send"):
        given = seconds(found(config, rf"^\s*proxy_{name}_timeout (\S+);", "nginx"))
        check(given > HEARTBEAT, f"nginx: proxy_{name}_timeout {given:g} s is no longer than a heartbeat ({HEARTBEAT:g} s)")
    upstream = found(config, r"(?s)upstream cardroom \{(.*?)\n    \}", "nginx")
    kept = seconds(found(upstream, r"keepalive_timeout (\S+);", "nginx upstream"))
    check(kept < KEEP_ALIVE, f"nginx: keepalive_timeout {kept:g} s is no shorter than server.keep_alive_ms")
    body = int(found(config, r"client_max_body_size (\d+)k;", "nginx")) * 1024
    check(body >= BODY, f"nginx: {body} bytes of a body are fewer than the server takes ({BODY})")


def unit():
    text = read("systemd/cardroom@.service")
    drain = SERVER["server"]["drain_seconds"]
    stop = seconds(found(text, r"^TimeoutStopSec=(\S+)", "systemd"))
    check(stop >= drain + RESERVE_SECONDS, f"systemd: TimeoutStopSec {stop:g} is less than drain {drain} + {RESERVE_SECONDS}")
    files = int(found(text, r"^LimitNOFILE=(\d+)", "systemd"))
    check(files >= 2 * CONNECTIONS, f"systemd: LimitNOFILE {files} is too few for {CONNECTIONS} connections")
    names(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE), "systemd")


def names(given, where):
    """Every CARDROOM_ name is a setting."""
    check(given, f"{where}: no settings found")
    for name in given:
        section, _, key = name.removeprefix("CARDROOM_").lower().partition("__")
        check(key in SERVER.get(section, {}), f"{where}: {name} is no setting")


def compose():
    services = yaml("compose.yaml")["services"]
    instances = {name: service for name, service in services.items() if name.startswith("cardroom-")}
    check(len(instances) == 2, "compose: two instances")
    for name, service in instances.items():
        environment = service["environment"]
        names(environment, name)
        drain = int(environment.get("CARDROOM_SERVER__DRAIN_SECONDS", SERVER["server"]["drain_seconds"]))
        stop = seconds(service["stop_grace_period"])
        check(stop >= drain + RESERVE_SECONDS, f"{name}: stop_grace_period {stop:g} s is less than drain {drain} s + {RESERVE_SECONDS}")
        check(service["ulimits"]["nofile"] >= 2 * CONNECTIONS, f"{name}: too few files for {CONNECTIONS} connections")
        port = environment["CARDROOM_METRICS__LISTEN"].rpartition(":")[2]
        jobs = {job["job_name"]: job for job in yaml("prometheus/prometheus.yml")["scrape_configs"]}
        scraped = jobs["cardroom"]["dns_sd_configs"][0]
        check(str(scraped["port"]) == port, f"{name}: Prometheus looks at {scraped['port']}, not {port}")
        check(scraped["names"][0] in service["networks"]["inside"]["aliases"], f"{name}: Prometheus does not find it")
    for name, service in services.items():
        check(service["read_only"] is True, f"{name}: can write to its image")
        check(service["cap_drop"] == ["ALL"], f"{name}: keeps capabilities")
        check("no-new-privileges:true" in service["security_opt"], f"{name}: may gain privileges")
        check("healthcheck" in service or name in instances, f"{name}: nobody asks how it is")
    example = set(re.findall(r"^#?(\w+)=", (INFRA / ".env.example").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (INFRA / "compose.yaml").read_text()))
    check(example == asked, f".env.example and compose.yaml differ: {sorted(example ^ asked)}")


def grafana():
    sources = yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    check([source["type"] for source in sources] == ["prometheus"] and sources[0]["isDefault"], "grafana: one default data source")
    folder = yaml("grafana/provisioning/dashboards/cardroom.yml")["providers"][0]["options"]["path"]
    mounts = " ".join(yaml("compose.yaml")["services"]["grafana"]["volumes"])
    check(f":{folder}/cardroom.json" in mounts, f"grafana: no board in {folder}")


def image():
    text = read("Dockerfile")
    user = found(text, r"^USER (\S+)", "Dockerfile")
    check(f'"{user}"' in (ROOT / "terraform/modules/service/main.tf").read_text(), f"Dockerfile: Terraform runs another user than {user}")
    port = found(text, r"^EXPOSE (\d+)", "Dockerfile")
    check(SERVER["server"]["listen"].endswith(f":{port}"), f"Dockerfile: the server does not listen on {port}")


def redis():
    text = read("redis/redis.conf")
    for line in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction", 'save ""'):
        check(f"\n{line}\n" in text, f"redis.conf: no `{line}`")
    check(re.search(r"^client-output-buffer-limit pubsub ", text, re.MULTILINE), "redis.conf: no limit for pub/sub")
    # One list of rights for every Redis that the server meets.
    users = (INFRA / "redis/users.acl").read_text()
    rights = found(users, r"^user cardroom .*?(-@all .*)$", "users.acl")
    terraform = (ROOT / "terraform/modules/cache/users.tf").read_text()
    theirs = " ".join(re.findall(r'"([^"]*)",\n', found(terraform, r"(?s)access = join\(\" \", \[(.*?)\]\)", "users.tf")))
    theirs = theirs[theirs.index("-@all") :]
    check(rights == theirs, f"users.acl: the server may {rights}; Terraform says {theirs}")


for part in (balancers, unit, compose, grafana, image, redis):
    part()
if problems:
    sys.exit("\n".join(problems))
print(f"{checks} hold")
