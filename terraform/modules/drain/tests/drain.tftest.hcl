variables {
  name         = "poker"
  cluster_arn  = "arn:aws:ecs:eu-west-1:123456789012:cluster/poker"
  service_name = "poker"
  function     = { name = "poker-metrics-export", alias = "live", arn = "arn:aws:lambda:eu-west-1:123456789012:function:poker-metrics-export:live" }
}

run "hears_of_leaving_tasks" {
  command = plan

  assert {
    condition     = jsondecode(output.event_pattern).detail.lastStatus == ["DEACTIVATING"]
    error_message = "when draining begins, not when it has ended"
  }

  assert {
    condition     = jsondecode(output.event_pattern).detail.group == ["service:poker"] && jsondecode(output.event_pattern).detail.clusterArn == [var.cluster_arn]
    error_message = "of this service only"
  }

  assert {
    condition     = aws_cloudwatch_event_target.draining.arn == var.function.arn && aws_lambda_permission.draining.qualifier == "live" && aws_lambda_permission.draining.principal == "events.amazonaws.com"
    error_message = "the alias may be called by the rule"
  }

  assert {
    condition     = aws_cloudwatch_event_target.draining.retry_policy[0].maximum_event_age_in_seconds <= 60
    error_message = "an old notice is of no use"
  }
}
