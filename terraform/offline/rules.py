"""What AWS or its provider refuses and the schema does not say.

`VALUES` is a table: type, attribute, what it must be. A dot goes into nested
blocks; `*` stands for every type. `WHOLES` are rules about a resource as a
whole. From the documentation of the provider and of AWS; grows with what is
used. What is not known before apply is not judged.
"""

import json
import re

from schema import is_known

RETENTIONS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def one_of(*allowed):
    return lambda value: value in allowed, f"must be one of {', '.join(map(str, allowed))}"


def between(low, high):
    return lambda value: low <= float(value) <= high, f"must be from {low} to {high}"


def at_most(length):
    return lambda value: len(value) <= length, f"must have at most {length} characters"


def matching(pattern, words):
    return lambda value: re.fullmatch(pattern, value) is not None, f"must be {words}"


def _is_json(value):
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


IS_JSON = (_is_json, "must be JSON")
IS_ARN = matching(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+", "an ARN")
LB_NAME = matching(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "at most 32 letters, digits and hyphens")

VALUES = [
    ("*", "policy", *IS_JSON),
    ("*", "assume_role_policy", *IS_JSON),
    ("*", "kms_key_arn", *IS_ARN),
    ("aws_acm_certificate", "validation_method", *one_of("DNS", "EMAIL")),
    ("aws_appautoscaling_policy", "policy_type", *one_of("StepScaling", "TargetTrackingScaling", "PredictiveScaling")),
    ("aws_appautoscaling_policy", "target_tracking_scaling_policy_configuration.customized_metric_specification.statistic", *one_of("Average", "Minimum", "Maximum", "SampleCount", "Sum")),
    ("aws_cloudwatch_dashboard", "dashboard_body", *IS_JSON),
    ("aws_cloudwatch_event_rule", "event_pattern", *IS_JSON),
    ("aws_cloudwatch_event_target", "retry_policy.maximum_event_age_in_seconds", *between(60, 86400)),
    ("aws_cloudwatch_event_target", "retry_policy.maximum_retry_attempts", *between(0, 185)),
    ("aws_cloudwatch_log_group", "retention_in_days", *one_of(*RETENTIONS)),
    ("aws_cloudwatch_metric_alarm", "comparison_operator", *one_of("GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold")),
    ("aws_cloudwatch_metric_alarm", "statistic", *one_of("Average", "Minimum", "Maximum", "SampleCount", "Sum")),
    ("aws_cloudwatch_metric_alarm", "treat_missing_data", *one_of("missing", "ignore", "breaching", "notBreaching")),
    ("aws_ecs_cluster", "setting.value", *one_of("enabled", "disabled", "enhanced")),
    ("aws_ecs_service", "availability_zone_rebalancing", *one_of("ENABLED", "DISABLED")),
    ("aws_ecs_service", "launch_type", *one_of("EC2", "FARGATE", "EXTERNAL")),
    ("aws_ecs_service", "propagate_tags", *one_of("SERVICE", "TASK_DEFINITION", "NONE")),
    ("aws_ecs_task_definition", "container_definitions", *IS_JSON),
    ("aws_ecs_task_definition", "network_mode", *one_of("none", "bridge", "awsvpc", "host")),
    ("aws_ecs_task_definition", "runtime_platform.cpu_architecture", *one_of("X86_64", "ARM64")),
    ("aws_elasticache_parameter_group", "family", *matching(r"(valkey|redis|memcached)[0-9.x]+", "a family such as valkey8")),
    ("aws_elasticache_replication_group", "cluster_mode", *one_of("enabled", "disabled", "compatible")),
    ("aws_elasticache_replication_group", "engine", *one_of("valkey", "redis")),
    ("aws_elasticache_replication_group", "node_type", *matching(r"cache\.[a-z0-9]+\.[a-z0-9]+", "a node type such as cache.t4g.small")),
    ("aws_elasticache_replication_group", "replication_group_id", *matching(r"[a-z](?!.*--)[a-z0-9-]{0,38}[a-z0-9]", "at most 40 lowercase letters, digits and hyphens")),
    ("aws_elasticache_replication_group", "snapshot_retention_limit", *between(0, 35)),
    ("aws_elasticache_replication_group", "transit_encryption_mode", *one_of("preferred", "required")),
    ("aws_elasticache_serverless_cache", "engine", *one_of("valkey", "redis", "memcached")),
    ("aws_elasticache_serverless_cache", "cache_usage_limits.ecpu_per_second.maximum", *between(1000, 15000000)),
    ("aws_elasticache_user", "access_string", *matching(r"(on|off) .+", "an access string that begins with on or off")),
    ("aws_elasticache_user", "engine", *one_of("valkey", "redis")),
    ("aws_elasticache_user_group", "engine", *one_of("valkey", "redis")),
    ("aws_flow_log", "traffic_type", *one_of("ACCEPT", "REJECT", "ALL")),
    ("aws_iam_role", "name", *at_most(64)),
    ("aws_lambda_function", "function_name", *at_most(64)),
    ("aws_lambda_function", "memory_size", *between(128, 10240)),
    ("aws_lambda_function", "runtime", *matching(r"provided\.al2(023)?|(python|nodejs|java|dotnet|ruby)[0-9].*", "a runtime that Lambda has")),
    ("aws_lambda_function", "timeout", *between(1, 900)),
    ("aws_lambda_function", "tracing_config.mode", *one_of("Active", "PassThrough")),
    ("aws_lambda_function_url", "authorization_type", *one_of("AWS_IAM", "NONE")),
    ("aws_lb", "client_keep_alive", *between(60, 604800)),
    ("aws_lb", "desync_mitigation_mode", *one_of("monitor", "defensive", "strictest")),
    ("aws_lb", "idle_timeout", *between(1, 4000)),
    ("aws_lb", "load_balancer_type", *one_of("application", "network", "gateway")),
    ("aws_lb", "name", *LB_NAME),
    ("aws_lb_listener", "protocol", *one_of("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE")),
    ("aws_lb_listener_rule", "priority", *between(1, 50000)),
    ("aws_lb_target_group", "deregistration_delay", *between(0, 3600)),
    ("aws_lb_target_group", "load_balancing_algorithm_type", *one_of("round_robin", "least_outstanding_requests", "weighted_random")),
    ("aws_lb_target_group", "name", *LB_NAME),
    ("aws_lb_target_group", "name_prefix", *matching(r"[A-Za-z0-9][A-Za-z0-9-]{0,5}", "at most 6 letters, digits and hyphens")),
    ("aws_lb_target_group", "target_type", *one_of("instance", "ip", "lambda", "alb")),
    ("aws_route53_record", "type", *one_of("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "DS", "HTTPS")),
    ("aws_scheduler_schedule", "flexible_time_window.mode", *one_of("OFF", "FLEXIBLE")),
    ("aws_scheduler_schedule", "schedule_expression", *matching(r"(rate|cron|at)\(.+\)", "rate(…), cron(…) or at(…)")),
    ("aws_secretsmanager_secret", "name", *matching(r"[A-Za-z0-9/_+=.@-]{1,512}", "letters, digits and /_+=.@-")),
    ("aws_secretsmanager_secret", "recovery_window_in_days", lambda days: days == 0 or 7 <= days <= 30, "must be 0, or from 7 to 30"),
    ("aws_security_group", "name", lambda name: len(name) <= 255 and not name.startswith("sg-"), "must have at most 255 characters and not begin with sg-"),
    ("aws_vpc_endpoint", "vpc_endpoint_type", *one_of("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork")),
    ("aws_wafv2_web_acl", "name", *matching(r"[A-Za-z0-9_-]{1,128}", "letters, digits, _ and -")),
    ("aws_wafv2_web_acl", "rule.statement.rate_based_statement.evaluation_window_sec", *one_of(60, 120, 300, 600)),
    ("aws_wafv2_web_acl", "rule.statement.rate_based_statement.limit", *between(10, 2000000000)),
    ("aws_wafv2_web_acl", "scope", *one_of("REGIONAL", "CLOUDFRONT")),
]

FARGATE_MEMORY = {
    "256": (512, 1024, 2048),
    "512": range(1024, 4097, 1024),
    "1024": range(2048, 8193, 1024),
    "2048": range(4096, 16385, 1024),
    "4096": range(8192, 30721, 1024),
    "8192": range(16384, 61441, 4096),
    "16384": range(32768, 122881, 8192),
}


def fargate_size(task):
    if "FARGATE" not in (task["requires_compatibilities"] or []):
        return None
    if int(task["memory"]) not in FARGATE_MEMORY.get(task["cpu"], ()):
        return f"Fargate has no {task['cpu']} CPU units with {task['memory']} MiB"


def fargate_stop_timeout(task):
    containers = json.loads(task["container_definitions"])
    if any(container.get("stopTimeout", 30) > 120 for container in containers):
        return "Fargate stops a container 120 s after SIGTERM at the latest"


def https_needs_certificate(listener):
    if listener["protocol"] == "HTTPS" and not listener["certificate_arn"]:
        return "an HTTPS listener needs a certificate_arn"


def least_outstanding_without_slow_start(group):
    if group["load_balancing_algorithm_type"] == "least_outstanding_requests" and group["slow_start"]:
        return "slow_start goes with round_robin only"


def rule_names_one_range(rule):
    sources = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    if sum(rule[name] is not None for name in sources) != 1:
        return f"exactly one of {', '.join(sources)}"


def failover_needs_replicas(group):
    if group["multi_az_enabled"] and group["replicas_per_node_group"] == 0:
        return "multi_az_enabled needs a replica"


def users_need_tls(group):
    if group["user_group_ids"] and not group["transit_encryption_enabled"]:
        return "users need transit_encryption_enabled"


def password_or_none(user):
    ways = ("passwords", "passwords_wo", "no_password_required", "authentication_mode")
    if sum(bool(user[name]) for name in ways) != 1:
        return f"exactly one of {', '.join(ways)}"


def waf_log_group_name(logging):
    names = [arn.split(":log-group:")[-1] for arn in logging["log_destination_configs"] if ":logs:" in arn]
    if any(not name.startswith("aws-waf-logs-") for name in names):
        return "the name of WAF's log group must begin with aws-waf-logs-"


def one_metric(policy):
    for config in policy["target_tracking_scaling_policy_configuration"] or []:
        kinds = ("customized_metric_specification", "predefined_metric_specification")
        if sum(len(config[kind] or []) for kind in kinds) != 1:
            return f"exactly one of {', '.join(kinds)}"


WHOLES = [
    ("aws_appautoscaling_policy", one_metric),
    ("aws_ecs_task_definition", fargate_size),
    ("aws_ecs_task_definition", fargate_stop_timeout),
    ("aws_elasticache_replication_group", failover_needs_replicas),
    ("aws_elasticache_replication_group", users_need_tls),
    ("aws_elasticache_user", password_or_none),
    ("aws_lb_listener", https_needs_certificate),
    ("aws_lb_target_group", least_outstanding_without_slow_start),
    ("aws_vpc_security_group_egress_rule", rule_names_one_range),
    ("aws_vpc_security_group_ingress_rule", rule_names_one_range),
    ("aws_wafv2_web_acl_logging_configuration", waf_log_group_name),
]


class NotYetKnown(Exception):
    """A rule asked for what is known after apply."""


class OnlyKnown(dict):
    """A resource whose unknown attributes cannot be read."""

    def __getitem__(self, name):
        item = super().__getitem__(name)
        if not is_known(item):
            raise NotYetKnown(name)
        return item


def values_at(value, path):
    """Every value that a path reaches, through lists of blocks."""
    name, _, rest = path.partition(".")
    inner = value.get(name) if isinstance(value, dict) else None
    if not rest:
        return [] if inner is None or not is_known(inner) else [inner]
    blocks = inner if isinstance(inner, list) else [inner]
    return [found for block in blocks for found in values_at(block, rest)]


def broken(type_name, value):
    """(attribute, message) of every rule that `value` breaks."""
    for kind, path, holds, words in VALUES:
        if kind in ("*", type_name):
            for found in values_at(value, path):
                if not holds(found):
                    yield path.partition(".")[0], f"{path} = {found!r}: {words}"
    for kind, judge in WHOLES:
        if kind == type_name:
            try:
                message = judge(OnlyKnown(value))
            except NotYetKnown:
                continue
            if message:
                yield None, message
