# What others build on.

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

run "outputs" {
  command = apply

  assert {
    condition     = output.session_validate_url == "https://poker.example.org/api/v1/sessions/validate"
    error_message = "where tokens are validated"
  }

  assert {
    condition     = output.service.cluster == "poker" && output.service.name == "poker"
    error_message = "what the release script names"
  }

  assert {
    condition     = toset(keys(output.functions.arns)) == toset(["session-validate", "metrics-export"])
    error_message = "both functions"
  }

  assert {
    condition     = toset(output.log_group_names) == toset(["/poker/server", "/poker/valkey-slow", "aws-waf-logs-poker", "/aws/lambda/poker-session-validate", "/aws/lambda/poker-metrics-export"])
    error_message = "every log"
  }

  assert {
    condition     = length(output.alarm_names) == 16 && output.dashboard_name == "poker"
    error_message = "what is watched"
  }

  assert {
    condition     = length(output.network.public_subnet_ids) == 3 && length(output.network.private_subnet_ids) == 3
    error_message = "three zones"
  }
}
