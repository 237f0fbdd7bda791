variables {
  name                   = "poker"
  image                  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/poker@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  edge_security_group_id = "sg-edge"
  target_group_arn       = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/poker/1"
  cache                  = { security_group_id = "sg-cache", ports = [6379] }
  redis_url_secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/redis-url-1"
  environment            = { CARDROOM_LOG__FORMAT = "json" }
}

run "task" {
  command = apply

  assert {
    condition     = aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture == "ARM64" && aws_ecs_task_definition.this.network_mode == "awsvpc"
    error_message = "Fargate on arm64"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem && !jsondecode(aws_ecs_task_definition.this.container_definitions)[0].privileged && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532"
    error_message = "not root, nothing to write to"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "no capabilities"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].ulimits[0].softLimit >= 2 * var.connections_max
    error_message = "enough file descriptors"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 120
    error_message = "time to drain"
  }

  assert {
    condition     = toset([for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : secret.name]) == toset(["CARDROOM_REDIS__URL", "CARDROOM_AUTH__TOKEN_KEYS", "CARDROOM_INSTANCES__SHARED_SECRET"])
    error_message = "secrets come as secrets"
  }

  assert {
    condition     = alltrue([for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : startswith(secret.valueFrom, "arn:aws:secretsmanager:")])
    error_message = "secrets come from Secrets Manager"
  }

  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.made : version.secret_string_wo == null])
    error_message = "secrets are written, never kept"
  }
}

run "service" {
  command = plan

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "a release that does not come up is taken back"
  }

  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.availability_zone_rebalancing == "DISABLED"
    error_message = "no task goes before another serves, or for evenness"
  }

  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip && !aws_ecs_service.this.enable_execute_command
    error_message = "no way in but the load balancer's"
  }
}

run "network" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.edge.referenced_security_group_id == "sg-edge" && aws_vpc_security_group_ingress_rule.edge.from_port == 3000
    error_message = "the load balancer comes in on the server's port"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.peers.from_port == 3000 && aws_vpc_security_group_ingress_rule.peers.to_port == 3000 && aws_vpc_security_group_egress_rule.peers.from_port == 3000
    error_message = "instances reach each other on the server's port"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.cache.referenced_security_group_id == "sg-cache" && aws_vpc_security_group_egress_rule.cache.to_port == 6379
    error_message = "tasks reach the cache"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443
    error_message = "of the rest of the world HTTPS only"
  }
}

run "peers_are_the_group_itself" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_ingress_rule.peers.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_egress_rule.peers.referenced_security_group_id == aws_security_group.this.id
    error_message = "other instances, and nobody else"
  }

  assert {
    condition     = strcontains(data.aws_iam_policy_document.execution.json, "arn:aws:ecr:eu-west-1:123456789012:repository/team/poker")
    error_message = "the image's own repository"
  }
}

run "image_from_elsewhere" {
  command = plan

  variables { image = "public.ecr.aws/x/poker@sha256:0000000000000000000000000000000000000000000000000000000000000000" }

  assert {
    condition     = local.repository_arn == null
    error_message = "no rights in a registry that is not the account's"
  }
}

run "moving_tag" {
  command = plan
  variables { image = "repository:latest" }
  expect_failures = [var.image]
}

run "fargate_has_no_such_size" {
  command = plan
  variables { size = { cpu = 256, memory = 8192 } }
  expect_failures = [var.size]
}

run "stop_timeout_beyond_fargate" {
  command = plan
  variables { stop_timeout_seconds = 300 }
  expect_failures = [var.stop_timeout_seconds]
}

run "secret_in_the_environment" {
  command = plan
  variables { environment = { CARDROOM_REDIS__URL = "redis://…" } }
  expect_failures = [var.environment]
}

run "not_a_setting" {
  command = plan
  variables { environment = { PORT = "80" } }
  expect_failures = [var.environment]
}
