# The server: equal tasks on Fargate (arm64), none of which keeps anything.

data "aws_region" "current" {}

locals {
  container = "server"

  environment = merge(var.environment, {
    CARDROOM_SERVER__LISTEN          = "0.0.0.0:${var.port}"
    CARDROOM_SERVER__CONNECTIONS_MAX = tostring(var.connections_max)
  })

  secrets = {
    CARDROOM_REDIS__URL               = var.redis_url_secret_arn
    CARDROOM_AUTH__TOKEN_KEYS         = aws_secretsmanager_secret.made["token_keys"].arn
    CARDROOM_INSTANCES__SHARED_SECRET = aws_secretsmanager_secret.made["shared_secret"].arn
  }

  definition = {
    name                   = local.container
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    privileged             = false
    user                   = "65532:65532"
    stopTimeout            = var.stop_timeout_seconds
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    portMappings           = [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    ulimits                = [{ name = "nofile", softLimit = max(65536, 2 * var.connections_max), hardLimit = max(65536, 2 * var.connections_max) }]
    environment            = [for name, value in local.environment : { name = name, value = value }]
    secrets                = [for name, arn in local.secrets : { name = name, valueFrom = arn }]
    # A new generation is a new task definition, which is rolled out.
    dockerLabels = { for name, generation in var.secret_generations : "cardroom.secret.${name}" => tostring(generation) }
    # A slow log service must not hold up the server: then lines are lost.
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = data.aws_region.current.region
        "awslogs-stream-prefix" = local.container
        "mode"                  = "non-blocking"
        "max-buffer-size"       = "4m"
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/server"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.size.cpu)
  memory                   = tostring(var.size.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([local.definition])
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.desired_count
  launch_type     = "FARGATE"

  # All old tasks stay until new ones serve, half as many new ones at a time.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 150
  health_check_grace_period_seconds  = 30
  wait_for_steady_state              = true

  # Moving a task would end its sockets, for nothing but evenness.
  availability_zone_rebalancing = "DISABLED"
  enable_ecs_managed_tags       = true
  propagate_tags                = "SERVICE"
  enable_execute_command        = false

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = local.container
    container_port   = var.port
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  # The first tasks must be able to read their secrets.
  depends_on = [aws_iam_role_policy.execution, aws_secretsmanager_secret_version.made]
}
