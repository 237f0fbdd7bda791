variables {
  name            = "poker"
  load_balancer   = { arn_suffix = "app/poker/1", target_group_arn_suffix = "targetgroup/poker/2" }
  cluster_name    = "poker"
  service_name    = "poker"
  cache           = { mode = "cluster", node_ids = ["poker-0001-001", "poker-0001-002"] }
  function_names  = { session-validate = "poker-session-validate", metrics-export = "poker-metrics-export" }
  connections_max = 8000
}

run "alarms" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 14
    error_message = "five of the service, three exported, two of functions, two a node"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-tasks"].treat_missing_data == "breaching"
    error_message = "no figure at all is an outage too"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 7200
    error_message = "somebody knows before connections are refused"
  }

  assert {
    condition     = length(distinct([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])) == length(aws_cloudwatch_metric_alarm.this)
    error_message = "each alarm its name"
  }
}

run "dashboard" {
  command = plan

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 11
    error_message = "eleven graphs"
  }

  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics) > 0 && widget.x + widget.width <= 24])
    error_message = "each has something to show and fits"
  }
}

run "without_functions_serverless" {
  command = plan

  variables {
    function_names   = {}
    cache            = { mode = "serverless", data_gb = 5 }
    alarms_topic_arn = "arn:aws:sns:eu-west-1:123456789012:on-call"
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.this), "cache-evictions") && !contains(keys(aws_cloudwatch_metric_alarm.this), "connections")
    error_message = "only of what is there"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset(["arn:aws:sns:eu-west-1:123456789012:on-call"])])
    error_message = "somebody is told"
  }
}

run "not_a_topic" {
  command = plan
  variables { alarms_topic_arn = "on-call@example.org" }
  expect_failures = [var.alarms_topic_arn]
}
