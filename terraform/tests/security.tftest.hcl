# Who reaches whom, who may what, and where secrets are.

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

run "security" {
  command = apply

  assert {
    condition     = length(distinct(values(output.security_group_ids))) == 4
    error_message = "edge, tasks, cache and functions have a group each"
  }

  assert {
    condition     = toset([for secret in jsondecode(output.container_definitions)[0].secrets : secret.valueFrom]) == toset(values(output.secret_arns))
    error_message = "the container gets its secrets by reference"
  }

  assert {
    condition     = length(setintersection([for entry in jsondecode(output.container_definitions)[0].environment : entry.name], keys(output.secret_arns))) == 0
    error_message = "and none in its environment"
  }

  assert {
    condition     = alltrue([for environment in values(output.functions.environments) : length(setintersection(keys(environment), keys(output.secret_arns))) == 0])
    error_message = "nor in a function's"
  }

  assert {
    condition     = !strcontains(jsonencode(output.cache), "rediss://") && !strcontains(jsonencode(output.cache), "stub-secret")
    error_message = "no output has credentials"
  }

  assert {
    condition     = output.url == "https://poker.example.org" && output.websocket_url == "wss://poker.example.org"
    error_message = "TLS only"
  }
}

run "own_key_for_everything" {
  command = plan

  variables { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }

  assert {
    condition     = module.cache.mode == "cluster"
    error_message = "plans with a key of one's own"
  }
}

run "without_deletion_protection" {
  command = plan

  variables { deletion_protection = false }

  assert {
    condition     = local.secret_recovery_days == 0
    error_message = "names of secrets are free at once"
  }
}

run "rotation" {
  command = plan

  variables { secret_generations = { redis_url = 2 } }

  assert {
    condition     = output.cache.user == "poker-b"
    error_message = "the other user takes over"
  }
}
