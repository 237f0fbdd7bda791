# What has to fit together so that nobody is cut off.

variables {
  name   = "poker"
  image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = { name = "poker.example.org", zone_id = "Z0000000EXAMPLE" }

  functions = {
    session_validate_zip = "tests/bootstrap.zip"
    metrics_export_zip   = "tests/bootstrap.zip"
    secrets_layer_arn    = "arn:aws:lambda:eu-west-1:123456789012:layer:secrets:1"
  }
}

run "default_timeouts" {
  command = plan

  assert {
    condition     = output.timeouts.idle > output.timeouts.heartbeat
    error_message = "the load balancer waits longer than a heartbeat and its answer"
  }

  assert {
    condition     = output.timeouts.server_keep_alive > output.timeouts.idle
    error_message = "the server keeps idle connections longer than the load balancer"
  }

  assert {
    condition     = output.timeouts.deregistration == output.timeouts.server_drain
    error_message = "the load balancer lets go when the server has drained"
  }

  assert {
    condition     = output.timeouts.stop >= output.timeouts.server_drain && output.timeouts.stop <= 120
    error_message = "the server is not killed while it drains, and Fargate allows it"
  }
}

run "other_timeouts" {
  command = plan

  variables {
    heartbeat            = { interval_seconds = 10, timeout_seconds = 20 }
    idle_timeout_seconds = 60
    drain                = { window_seconds = 30, stop_timeout_seconds = 45 }
  }

  assert {
    condition     = output.timeouts == { idle = 60, deregistration = 30, server_drain = 30, server_keep_alive = 75, stop = 45, heartbeat = 30 }
    error_message = "all follow"
  }
}

run "notice" {
  command = apply

  assert {
    condition     = jsondecode(module.drain[0].event_pattern).detail.group == ["service:poker"]
    error_message = "the function hears of tasks of this service that leave"
  }
}

run "no_notice_without_functions" {
  command = plan

  variables { functions = null }

  assert {
    condition     = length(module.drain) == 0 && output.timeouts.stop >= output.timeouts.server_drain
    error_message = "SIGTERM alone has to do"
  }
}
