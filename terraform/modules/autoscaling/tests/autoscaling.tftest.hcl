variables {
  name                     = "poker"
  cluster_name             = "poker"
  service_name             = "poker"
  connections_per_task     = 5600
  load_balancer_arn_suffix = "app/poker/1"
}

run "by_the_exported_metric" {
  command = plan

  assert {
    condition     = aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metric_name == "ConnectionsPerTask"
    error_message = "what falls when tasks are added"
  }

  assert {
    condition     = one(aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].dimensions).value == "poker"
    error_message = "of this service"
  }

  assert {
    condition     = aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].target_value == 5600
    error_message = "the target"
  }

  assert {
    condition     = aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].scale_in_cooldown > aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].scale_out_cooldown
    error_message = "quick to grow, slow to shrink"
  }

  assert {
    condition     = aws_appautoscaling_target.this.resource_id == "service/poker/poker" && output.tasks == { min = 2, max = 10 }
    error_message = "the service and its limits"
  }
}

run "by_the_load_balancer" {
  command = plan

  variables { metric = "load-balancer" }

  assert {
    condition     = [for metric in aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics : metric.expression if metric.return_data] == ["connections / tasks / 2"]
    error_message = "both sides are counted, so half of it"
  }
}

run "never_in" {
  command = plan

  variables { scale_in = { enabled = false } }

  assert {
    condition     = aws_appautoscaling_policy.connections.target_tracking_scaling_policy_configuration[0].disable_scale_in && aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].disable_scale_in
    error_message = "neither policy removes tasks"
  }
}

run "more_least_than_most" {
  command = plan
  variables { tasks = { min = 5, max = 3 } }
  expect_failures = [var.tasks]
}

run "unknown_metric" {
  command = plan
  variables { metric = "requests" }
  expect_failures = [var.metric]
}
