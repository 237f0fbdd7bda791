"""The rights of the cache's users, tried with a real Redis: the server plays a
session as such a user, and Redis' own list of refusals stays empty.

Redis 7 stands in for Valkey 8, on 127.0.0.1, as a cluster of one node.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

import contract
from workspace import Failed, resources

START_SECONDS_MAX = 30
ADMIN, USER = ("admin", "admin"), ("poker-a", contract.SECRET)


class Redis:
    """A connection that sends commands; enough of RESP for what is asked here."""

    def __init__(self, port, user, password):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=5).makefile("rwb")
        self.ask("AUTH", user, password)

    def ask(self, *words):
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self.stream.write(f"*{len(parts)}\r\n{''.join(parts)}".encode())
        self.stream.flush()
        return self.reply()

    def reply(self):
        line = self.stream.readline().decode().rstrip("\r\n")
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise Failed(rest)
        if kind == "$":
            return None if rest == "-1" else self.stream.read(int(rest) + 2)[:-2].decode()
        if kind == "*":
            return [self.reply() for _ in range(int(rest))]
        return rest


def users_have_what_the_server_needs(state):
    access = next(v["access_string"] for _, kind, v in resources(state) if kind == "aws_elasticache_user")
    with redis(access) as port, server(port) as url:
        try:
            play(url)
            failure = None
        except OSError as error:  # refusals say why
            failure = error
        admin = Redis(port, *ADMIN)
        refused = [dict(zip(entry[::2], entry[1::2])) for entry in admin.ask("ACL", "LOG")]
        if refused:
            raise Failed("\n".join(f"{entry['reason']}: {entry['object']} ({entry['context']})" for entry in refused))
        if failure:
            raise Failed(str(failure))
        cannot(Redis(port, *USER))
        calls = re.findall(r"cmdstat_([a-z|_]+):calls", admin.ask("INFO", "commandstats"))
    return f"{len(calls)} commands, none refused"


def cannot(user):
    """What nobody should be able to do who has found the URL."""
    for words in (
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("GET", "somebody-elses-key"),
        ("PUBLISH", "somebody-elses-channel", "x"),
        ("ACL", "LIST"),
        ("SCRIPT", "FLUSH"),
    ):
        try:
            user.ask(*words)
        except Failed as refused:
            if str(refused).startswith("NOPERM"):
                continue
        raise Failed(f"{' '.join(words)} is allowed")


def play(url):
    """Opens a session, takes a seat, looks around and ends it."""

    def call(method, path, body=None, token=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
            return json.loads(text) if "json" in answer.headers["content-type"] and text else {}

    opened = call("POST", "/api/v1/sessions", {"name": "Sprint 12", "playerName": "Ann"})
    path, token = f"/api/v1/sessions/{opened['sessionId']}", opened["hostToken"]
    call("POST", path + "/join", {"playerName": "Bob"})
    call("GET", path)
    call("GET", path + "/state", token=token)
    call("POST", path + "/stories", {"title": "A story"}, token)
    call("GET", path + "/export?format=json", token=token)
    # Longer than the time between two looks at the heads of the logs.
    time.sleep(2)


@contextlib.contextmanager
def redis(access):
    """Its port; a cluster of one node with the user, and an admin to look on."""
    if not shutil.which("redis-server"):
        raise Failed("no redis-server: scripts/install_redis.sh")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "redis.conf").write_text(
            f"bind 127.0.0.1\nport {port}\nsave \"\"\ncluster-enabled yes\ncluster-port {free_port()}\nmaxmemory-policy noeviction\n"
            f"user default off\nuser {ADMIN[0]} on >{ADMIN[1]} ~* &* +@all\n"
            f"user {USER[0]} >{USER[1]} {access}\n"
        )
        with running(["redis-server", "redis.conf"], folder, {}):
            admin = wait_for(lambda: Redis(port, *ADMIN))
            admin.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            wait_for(lambda: "cluster_state:ok" in admin.ask("CLUSTER", "INFO"))
            yield port


@contextlib.contextmanager
def server(redis_port):
    """Its URL, once it is ready."""
    url = f"http://127.0.0.1:{free_port()}"
    environment = {
        "CARDROOM_SERVER__LISTEN": url.removeprefix("http://"),
        "CARDROOM_REDIS__URL": f"redis://{USER[0]}:{USER[1]}@127.0.0.1:{redis_port}",
        "CARDROOM_REDIS__KEY_PREFIX": "cardroom:",
        "CARDROOM_REDIS__DURABILITY": "fast",
        "CARDROOM_INSTANCES__SHARED_SECRET": contract.SECRET,
    }
    with tempfile.TemporaryDirectory() as folder, running([contract.binary()], folder, environment):
        wait_for(lambda: urllib.request.urlopen(url + "/readyz", timeout=2).status == 200)
        yield url


@contextlib.contextmanager
def running(command, folder, environment):
    """Ends with the block; what it logged is told when it does not come up."""
    with open(os.path.join(folder, "log"), "w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment | {"PATH": os.environ["PATH"]}, stdout=log, stderr=log)
        try:
            yield
        except Failed as failure:
            log.seek(0)
            raise Failed(f"{failure}\n{log.read()[-2000:]}") from None
        finally:
            process.kill()
            process.wait()


def wait_for(attempt):
    """The first result of `attempt` that is true."""
    last = None
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            if result := attempt():
                return result
        except (OSError, Failed) as error:
            last = error
        time.sleep(0.1)
    raise Failed(f"it does not come up: {last}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
