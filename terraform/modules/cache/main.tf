# ElastiCache for Valkey over TLS, nodes or serverless.

locals {
  is_cluster = var.mode == "cluster"
  # Serverless answers reads near the client on 6380.
  ports = local.is_cluster ? [6379] : [6379, 6380]
  host = (local.is_cluster
    ? one(aws_elasticache_replication_group.this[*].configuration_endpoint_address)
    : one(aws_elasticache_serverless_cache.this[*].endpoint[0].address)
  )
  node_ids = local.is_cluster ? [
    for pair in setproduct(range(1, var.shards + 1), range(1, var.replicas + 2)) :
    format("%s-%04d-%03d", var.name, pair...)
  ] : []
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-cache-"
  description = "Valkey of ${var.name}"
  vpc_id      = var.vpc_id

  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "Valkey from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = min(local.ports...)
  to_port                      = max(local.ports...)
}

resource "aws_elasticache_user_group" "this" {
  engine        = "valkey"
  user_group_id = var.name
  user_ids      = [for user in aws_elasticache_user.this : user.user_id]
}

resource "aws_elasticache_serverless_cache" "this" {
  count = local.is_cluster ? 0 : 1

  name                     = var.name
  description              = "Sessions of ${var.name}"
  engine                   = "valkey"
  major_engine_version     = "8"
  subnet_ids               = var.subnet_ids
  security_group_ids       = [aws_security_group.this.id]
  user_group_id            = aws_elasticache_user_group.this.user_group_id
  kms_key_id               = var.kms_key_arn
  snapshot_retention_limit = var.snapshot_retention_days

  cache_usage_limits {
    data_storage {
      maximum = var.serverless_limits.data_gb
      unit    = "GB"
    }
    ecpu_per_second {
      maximum = var.serverless_limits.ecpu_per_second
    }
  }
}

resource "aws_elasticache_subnet_group" "this" {
  count = local.is_cluster ? 1 : 0

  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  count = local.is_cluster ? 1 : 0

  name        = "${var.name}-valkey8"
  description = "Sessions are never thrown away"
  family      = "valkey8"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }

  # The server does not start on anything else.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_cloudwatch_log_group" "slow" {
  count = local.is_cluster ? 1 : 0

  name              = "/${var.name}/valkey-slow"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  count = local.is_cluster ? 1 : 0

  replication_group_id       = var.name
  description                = "Sessions of ${var.name}"
  engine                     = "valkey"
  engine_version             = "8.1"
  node_type                  = var.node_type
  port                       = 6379
  cluster_mode               = "enabled"
  num_node_groups            = var.shards
  replicas_per_node_group    = var.replicas
  automatic_failover_enabled = true # a cluster has no other way
  multi_az_enabled           = var.replicas > 0
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [aws_security_group.this.id]
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  snapshot_retention_limit   = var.snapshot_retention_days
  auto_minor_version_upgrade = true
  apply_immediately          = true

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.slow[0].name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}
