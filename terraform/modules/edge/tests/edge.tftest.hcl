variables {
  name                   = "poker"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  task_security_group_id = "sg-1"
  domain                 = { name = "poker.example.org", zone_id = "Z1" }
}

run "defaults" {
  command = plan

  assert {
    condition     = !aws_lb_target_group.server.stickiness[0].enabled
    error_message = "any instance answers for any connection: nothing is sticky"
  }

  assert {
    condition     = aws_lb_target_group.server.load_balancing_algorithm_type == "least_outstanding_requests" && aws_lb_target_group.server.target_type == "ip"
    error_message = "a new task is filled first"
  }

  assert {
    condition     = aws_lb_target_group.server.health_check[0].path == "/healthz"
    error_message = "tasks are replaced when they do not live, not when Redis is away"
  }

  assert {
    condition     = tonumber(aws_lb_target_group.server.deregistration_delay) == 90 && aws_lb.this.idle_timeout == 120
    error_message = "the drain window and the idle timeout"
  }

  assert {
    condition     = aws_lb.this.preserve_host_header && aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection
    error_message = "the load balancer's own protections"
  }
}

run "tls" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-")
    error_message = "TLS 1.2 at least"
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "plain HTTP only leads to HTTPS"
  }

  assert {
    condition     = startswith(aws_lb_listener.https.routing_http_response_strict_transport_security_header_value, "max-age=")
    error_message = "browsers remember HTTPS"
  }
}

run "reaches_tasks_only" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_egress_rule.tasks.referenced_security_group_id == "sg-1" && aws_vpc_security_group_egress_rule.tasks.from_port == 3000 && aws_vpc_security_group_egress_rule.tasks.to_port == 3000
    error_message = "the load balancer reaches the tasks' port and nothing else"
  }
}

run "own_certificate" {
  command = apply

  assert {
    condition     = aws_acm_certificate.this[0].domain_name == "poker.example.org" && aws_route53_record.server[0].name == "poker.example.org"
    error_message = "a certificate and a record for the domain"
  }

  assert {
    condition     = aws_route53_record.validation[0].zone_id == "Z1"
    error_message = "proven in the zone"
  }
}

run "given_certificate" {
  command = plan

  variables {
    domain = { name = "poker.example.org", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
  }

  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.server) == 0
    error_message = "DNS is elsewhere"
  }

  assert {
    condition     = aws_lb_listener.https.certificate_arn == "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    error_message = "the given certificate"
  }
}

run "firewall" {
  command = plan

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this[0].rule : rule.statement[0].rate_based_statement[0].limit if rule.name == "flood"] == [3000]
    error_message = "a flood of one address is blocked"
  }

  assert {
    condition = flatten([
      for rule in aws_wafv2_web_acl.this[0].rule : [
        for override in rule.statement[0].managed_rule_group_statement[0].rule_action_override : override.name
      ] if rule.name == "common"
    ]) == ["SizeRestrictions_BODY"]
    error_message = "big POSTs of polling are counted, not blocked"
  }

  assert {
    condition = toset(flatten([
      for field in aws_wafv2_web_acl_logging_configuration.this[0].redacted_fields : concat(field.single_header[*].name, length(field.query_string) > 0 ? ["the query"] : [])
    ])) == toset(["authorization", "cookie", "the query"])
    error_message = "no tokens and no connection ids in the firewall's log"
  }
}

run "no_firewall" {
  command = plan

  variables { waf = { enabled = false } }

  assert {
    condition     = length(aws_wafv2_web_acl.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0 && length(aws_cloudwatch_log_group.waf) == 0
    error_message = "nothing of it is left"
  }
}

run "access_logs" {
  command = plan

  variables { access_logs_bucket = "logs" }

  assert {
    condition     = aws_lb.this.access_logs[0].bucket == "logs" && aws_lb.this.connection_logs[0].bucket == "logs"
    error_message = "both logs go to the bucket"
  }
}

run "domain_without_proof" {
  command = plan
  variables { domain = { name = "poker.example.org" } }
  expect_failures = [var.domain]
}

run "idle_timeout_out_of_range" {
  command = plan
  variables { idle_timeout_seconds = 4001 }
  expect_failures = [var.idle_timeout_seconds]
}

run "no_ranges" {
  command = plan
  variables { allowed_cidrs = ["everywhere"] }
  expect_failures = [var.allowed_cidrs]
}
