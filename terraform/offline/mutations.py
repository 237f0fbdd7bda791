"""Changes that must not pass: each is made in a copy, and the named check has
to fail. A check that passes all the same is the one that is broken.
"""

import dataclasses


@dataclasses.dataclass
class Mutation:
    """`old` becomes `new` in `file`; `folder` is where `check` then fails, and
    `because` (an expression) is in what it prints. A check is what follows
    `terraform`, or one of the names in check.py's `JUDGES`, for an example
    that was applied."""

    says: str
    file: str
    old: str
    new: str
    folder: str
    check: str
    because: str = ""


MINIMAL = "examples/minimal"
SERVICE, EDGE, CACHE, FUNCTIONS = (f"modules/{name}" for name in ("service", "edge", "cache", "functions"))

MUTATIONS = [
    Mutation("an argument of an older provider", f"{CACHE}/main.tf", "description                = \"Sessions of ${var.name}\"\n  engine                     =", "replication_group_description = \"x\"\n  engine                     =", CACHE, "validate", "replication_group_description"),
    Mutation("a misspelt block", f"{SERVICE}/main.tf", "deployment_circuit_breaker {", "deployment_circuit_braker {", SERVICE, "validate", "deployment_circuit_braker"),
    Mutation("a type that does not fit", f"{EDGE}/main.tf", "idle_timeout               = var.idle_timeout_seconds", "idle_timeout               = [var.idle_timeout_seconds]", EDGE, "validate", "number required"),
    Mutation("an output that does not exist", "main.tf", "module.cache.url_secret_arn", "module.cache.url_arn", ".", "validate", "url_arn"),
    Mutation("modules that wait for each other", "main.tf", "image                  = var.image\n", "image                  = module.observability.dashboard_name\n", ".", "validate", "Cycle"),
    Mutation("a retention that CloudWatch does not have", f"{SERVICE}/main.tf", "retention_in_days = var.log_retention_days", "retention_in_days = 45", SERVICE, "validate", "retention_in_days"),
    Mutation("a runtime that Lambda does not have", f"{FUNCTIONS}/main.tf", "\"provided.al2023\"", "\"rust1.x\"", FUNCTIONS, "validate", "runtime"),
    Mutation("a pattern that is no JSON", "modules/drain/main.tf", "event_pattern = jsonencode({", "event_pattern = format(\"%#v,\", {", "modules/drain", "test", "JSON"),
    Mutation("an ephemeral secret in the state", f"{CACHE}/users.tf", "passwords_wo         = ephemeral.aws_secretsmanager_secret_version.password[each.key].secret_string", "passwords            = [ephemeral.aws_secretsmanager_secret_version.password[each.key].secret_string]", CACHE, "validate", "phemeral"),
    Mutation("a cache without TLS", f"{CACHE}/main.tf", "transit_encryption_mode    = \"required\"", "transit_encryption_mode    = \"preferred\"", CACHE, "test", "TLS must be required"),
    Mutation("a cache that evicts", f"{CACHE}/main.tf", "value = \"noeviction\"", "value = \"volatile-lru\"", CACHE, "test", "evicts"),
    Mutation("users who may do anything", f"{CACHE}/users.tf", "\"-@all\",", "\"+@all\",", CACHE, "test", "commands by permission"),
    Mutation("a password that changes under those who use it", f"{CACHE}/users.tf", "b = floor(var.password_generation / 2) + 1", "b = floor((var.password_generation + 1) / 2)", CACHE, "test", "the other user takes over"),
    Mutation("sticky sessions", f"{EDGE}/main.tf", "enabled = false\n  }\n\n  # Whether it lives", "enabled = true\n  }\n\n  # Whether it lives", EDGE, "test", "nothing is sticky"),
    Mutation("health by readiness", f"{EDGE}/main.tf", "path                = \"/healthz\"", "path                = \"/readyz\"", EDGE, "test", "not when Redis is away"),
    Mutation("plain HTTP served", f"{EDGE}/main.tf", "protocol    = \"HTTPS\"\n      status_code", "protocol    = \"HTTP\"\n      status_code", EDGE, "test", "leads to HTTPS"),
    Mutation("tokens in the firewall's log", f"{EDGE}/waf.tf", "      name = \"authorization\"\n    }\n  }\n", "      name = \"cookie\"\n    }\n  }\n", EDGE, "test", "redacted|no tokens"),
    Mutation("instances that cannot reach each other", f"{SERVICE}/security_group.tf", "resource \"aws_vpc_security_group_ingress_rule\" \"peers\" {\n  security_group_id            = aws_security_group.this.id\n  description                  = \"Other instances\"\n  referenced_security_group_id = aws_security_group.this.id", "resource \"aws_vpc_security_group_ingress_rule\" \"peers\" {\n  security_group_id            = aws_security_group.this.id\n  description                  = \"Other instances\"\n  referenced_security_group_id = var.edge_security_group_id", SERVICE, "test", "and nobody else"),
    Mutation("a server that runs as root", f"{SERVICE}/main.tf", "\"65532:65532\"", "\"0:0\"", SERVICE, "test", "not root"),
    Mutation("a server that is killed while it drains", f"{SERVICE}/main.tf", "stopTimeout            = var.stop_timeout_seconds", "stopTimeout            = 30", SERVICE, "test", "time to drain"),
    Mutation("a task that Fargate does not have", f"{SERVICE}/main.tf", "cpu                      = tostring(var.size.cpu)", "cpu                      = \"1000\"", SERVICE, "test", "Fargate has no"),
    Mutation("no rollback", f"{SERVICE}/main.tf", "rollback = true", "rollback = false", SERVICE, "test", "taken back"),
    Mutation("a secret as an ordinary setting", f"{SERVICE}/main.tf", "secrets                = [for name, arn in local.secrets : { name = name, valueFrom = arn }]", "secrets                = []", SERVICE, "test", "secrets come as secrets"),
    Mutation("an idle timeout that cuts live sockets", "variables.tf", "var.idle_timeout_seconds > var.heartbeat.interval_seconds + var.heartbeat.timeout_seconds", "var.idle_timeout_seconds > var.heartbeat.interval_seconds", ".", "test -filter=tests/validation.tftest.hcl", "idle_timeout"),
    Mutation("a drain that the load balancer does not wait for", "main.tf", "drain_seconds          = var.drain.window_seconds", "drain_seconds          = 10", ".", "test -filter=tests/drain.tftest.hcl", "when the server has drained"),
    Mutation("a function that reads every secret", f"{FUNCTIONS}/main.tf", "secrets     = [\"CARDROOM_REDIS__URL\"]\n", "secrets     = [\"CARDROOM_REDIS__URL\", \"CARDROOM_AUTH__TOKEN_KEYS\"]\n", FUNCTIONS, "test", "its own secrets"),
    Mutation("a metrics URL for everybody", f"{FUNCTIONS}/callers.tf", "\"AWS_IAM\"", "\"NONE\"", FUNCTIONS, "test", "signed"),
    Mutation("a drain notice for every service", "modules/drain/main.tf", "group      = [\"service:${var.service_name}\"]\n", "group      = [{ prefix = \"service:\" }]\n", "modules/drain", "test", "of this service only"),
    Mutation("scaling by requests", "modules/autoscaling/main.tf", "\"ConnectionsPerTask\"", "\"RequestsPerTask\"", "modules/autoscaling", "test", "what falls"),
    Mutation("an outage that nobody hears of", "modules/observability/main.tf", "if_missing = \"breaching\"", "if_missing = \"notBreaching\"", "modules/observability", "test", "an outage too"),
    Mutation("a setting that the server does not have", "main.tf", "CARDROOM_RECOVERY__WINDOW_SECONDS =", "CARDROOM_RECOVERY__WINDOW =", MINIMAL, "environment", "is not a setting"),
    Mutation("a value that the server refuses", "main.tf", "tostring(var.heartbeat.timeout_seconds * 1000)", "tostring(var.heartbeat.timeout_seconds * 1000000)", MINIMAL, "environment", "ping_timeout_ms"),
    Mutation("a server that closes idle connections first", "main.tf", "tostring((var.idle_timeout_seconds + 15) * 1000)", "tostring((var.idle_timeout_seconds - 15) * 1000)", MINIMAL, "timeouts", "keep-alive"),
    Mutation("users who may not run scripts", f"{CACHE}/users.tf", " +@scripting", "", MINIMAL, "users", "command: eval"),
    Mutation("users who may read everything", f"{CACHE}/users.tf", "\"~${var.key_prefix}*\",", "\"~*\",", MINIMAL, "users", "somebody-elses-key is allowed"),
    Mutation("a role that may do anything with secrets", f"{SERVICE}/roles.tf", "\"secretsmanager:GetSecretValue\"", "\"secretsmanager:*\"", MINIMAL, "rights", r"actions with \*"),
    Mutation("rights on every secret", f"{SERVICE}/roles.tf", "resources = values(local.secrets)", "resources = [\"*\"]", MINIMAL, "rights", "on everything"),
    Mutation("tasks that reach anything", f"{SERVICE}/security_group.tf", "  description       = \"AWS' services\"\n  cidr_ipv4         = \"0.0.0.0/0\"\n  ip_protocol       = \"tcp\"\n  from_port         = 443\n  to_port           = 443\n", "  description       = \"AWS' services\"\n  cidr_ipv4         = \"0.0.0.0/0\"\n  ip_protocol       = \"-1\"\n", MINIMAL, "rights", "anything may leave"),
]
