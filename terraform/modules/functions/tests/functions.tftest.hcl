variables {
  name              = "poker"
  packages          = { session_validate = "tests/bootstrap.zip", metrics_export = "tests/bootstrap.zip" }
  secrets_layer_arn = "arn:aws:lambda:eu-west-1:123456789012:layer:secrets:1"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  cache             = { security_group_id = "sg-cache", ports = [6379] }
  listener_arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/poker/1/2"
  secret_arns = {
    CARDROOM_REDIS__URL       = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/redis-url-1"
    CARDROOM_AUTH__TOKEN_KEYS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/token-keys-1"
  }
}

run "defaults" {
  command = plan

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.runtime == "provided.al2023" && function.handler == "bootstrap" && function.architectures == tolist(["arm64"])])
    error_message = "Rust on arm64"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.publish && function.reserved_concurrent_executions > 0])
    error_message = "versions, and a limit on connections to the cache"
  }

  assert {
    condition     = toset(aws_lb_listener_rule.validate.condition[*].path_pattern[0].values) == toset([toset(["/api/v1/sessions/validate"])])
    error_message = "the route of the server's API"
  }

  assert {
    condition     = aws_scheduler_schedule.metrics.schedule_expression == "rate(1 minute)" && aws_scheduler_schedule.metrics.target[0].retry_policy[0].maximum_retry_attempts == 0
    error_message = "figures every minute, late ones never"
  }

  assert {
    condition     = length(aws_lambda_function_url.metrics) == 0
    error_message = "no URL unless it is asked for"
  }
}

run "secrets_by_reference" {
  command = plan

  assert {
    condition     = output.environments["session-validate"]["SECRET_ARN_CARDROOM_REDIS__URL"] == var.secret_arns.CARDROOM_REDIS__URL
    error_message = "the ARN, not the value"
  }

  assert {
    condition     = !contains(keys(output.environments["session-validate"]), "CARDROOM_REDIS__URL") && !contains(keys(output.environments["metrics-export"]), "SECRET_ARN_CARDROOM_AUTH__TOKEN_KEYS")
    error_message = "each function its own secrets"
  }
}

run "least_rights" {
  command = apply

  assert {
    condition     = !strcontains(data.aws_iam_policy_document.this["metrics-export"].json, "token-keys")
    error_message = "the export does not read token keys"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.scheduler.json).Statement[0].Resource == aws_lambda_alias.live["metrics-export"].arn
    error_message = "the schedule calls that alias and nothing else"
  }

  assert {
    condition     = aws_lambda_permission.load_balancer.source_arn == aws_lb_target_group.validate.arn && aws_lambda_permission.load_balancer.qualifier == "live"
    error_message = "the load balancer calls for this target group"
  }
}

run "url_for_prometheus" {
  command = plan

  variables { metrics_url = true }

  assert {
    condition     = aws_lambda_function_url.metrics[0].authorization_type == "AWS_IAM"
    error_message = "signed"
  }
}

run "not_a_zip" {
  command = plan
  variables { packages = { session_validate = "bootstrap", metrics_export = "bootstrap" } }
  expect_failures = [var.packages]
}

run "missing_secret" {
  command = plan
  variables { secret_arns = { CARDROOM_REDIS__URL = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/redis-url-1" } }
  expect_failures = [var.secret_arns]
}
