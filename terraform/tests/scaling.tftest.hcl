# How many tasks, and by what.

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

run "exported_metric" {
  command = plan

  assert {
    condition     = output.scaling.connections_target == 5600 && output.metrics.namespace == "cardroom" && output.metrics.dimensions == { Service = "poker" }
    error_message = "70 % of what a task accepts"
  }
}

run "larger_tasks" {
  command = plan

  variables {
    capacity = { tasks_min = 4, tasks_max = 40, cpu = 2048, memory = 4096, connections_per_task = 20000 }
    scaling  = { target_ratio = 0.5 }
  }

  assert {
    condition     = output.scaling == { tasks = { min = 4, max = 40 }, connections_target = 10000 }
    error_message = "what was asked for"
  }

  assert {
    condition     = output.environment.CARDROOM_SERVER__CONNECTIONS_MAX == "20000"
    error_message = "the server follows"
  }
}

run "without_functions" {
  command = plan

  variables { functions = null }

  assert {
    condition     = output.scaling.connections_target == 5600 && output.metrics == null
    error_message = "by the load balancer's count"
  }
}
