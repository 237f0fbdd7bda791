"""What no configuration here may do, read from an applied state."""

import json

from workspace import resources

# Statements whose actions know no narrower resource, or stand under a deny.
ANY_RESOURCE = {
    "Registry": "ecr:GetAuthorizationToken is for the whole registry",
    "Network": "network interfaces have no name before they are made",
    "NetworkNotFromWithin": "a denial",
}
SENSITIVE_PORTS_OPEN = {80, 443}


def problems(state):
    for address, kind, values in resources(state):
        if kind == "aws_iam_role_policy":
            yield from _statements(address, json.loads(values["policy"]))
        if kind == "aws_iam_role_policy_attachment":
            yield f"{address}: AWS' own policies are wider than what is needed"
        if kind == "aws_vpc_security_group_ingress_rule" and values["cidr_ipv4"] == "0.0.0.0/0":
            if values["from_port"] not in SENSITIVE_PORTS_OPEN or values["to_port"] != values["from_port"]:
                yield f"{address}: open to everybody on {values['from_port']}-{values['to_port']}"
        if kind == "aws_vpc_security_group_egress_rule" and values["ip_protocol"] == "-1":
            yield f"{address}: anything may leave"
        if kind == "aws_security_group" and (values["ingress"] or values["egress"]) and _is_written(values):
            yield f"{address}: rules inside of the group undo those beside it"
        if kind == "aws_lb_target_group" and any(block["enabled"] for block in values["stickiness"]):
            yield f"{address}: sticky"
        if kind == "aws_lambda_function":
            names = values["environment"][0]["variables"]
            for name in names.keys() & {"CARDROOM_REDIS__URL", "CARDROOM_AUTH__TOKEN_KEYS"}:
                yield f"{address}: {name} in the environment"
        if kind == "aws_cloudwatch_log_group" and not values["retention_in_days"]:
            yield f"{address}: kept for ever"
        if kind == "aws_iam_user":
            yield f"{address}: no users, only roles"


def _is_written(values):
    """Whether somebody wrote rules; made-up ones of the stub have no protocol that AWS knows."""
    rules = (values["ingress"] or []) + (values["egress"] or [])
    return any(rule.get("protocol") in ("tcp", "udp", "-1", "all", "icmp") for rule in rules)


def _statements(address, document):
    for statement in document["Statement"]:
        actions = _list(statement["Action"])
        if statement["Effect"] == "Allow" and any("*" in action for action in actions):
            yield f"{address}: actions with * ({', '.join(actions)})"
        if "*" in _list(statement["Resource"]) and statement.get("Sid") not in ANY_RESOURCE:
            yield f"{address}: {', '.join(actions)} on everything"


def _list(value):
    return value if isinstance(value, list) else [value]
