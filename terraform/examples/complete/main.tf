# Everything switched on, for 100,000 connections.

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = { Project = "cardroom", ManagedBy = "terraform" }
  }
}

module "cardroom" {
  source = "../.."

  name  = "cardroom"
  image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = {
    name            = "poker.example.org"
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
  }

  vpc           = { cidr = "10.30.0.0/16", zones = 3, egress = "nat-per-az" }
  allowed_cidrs = ["0.0.0.0/0"]
  origins       = ["https://board.example.org"]

  capacity = { tasks_min = 3, tasks_max = 30, cpu = 1024, memory = 2048, connections_per_task = 8000 }
  scaling  = { target_ratio = 0.7, cpu_target_percent = 60, scale_in_cooldown_seconds = 1800 }
  drain    = { window_seconds = 100, stop_timeout_seconds = 120 }
  cache    = { mode = "cluster", node_type = "cache.m7g.large", shards = 3, replicas = 2, durability = "strict", snapshot_retention_days = 7 }

  functions = {
    session_validate_zip = "${path.module}/session-validate.zip"
    metrics_export_zip   = "${path.module}/metrics-export.zip"
    secrets_layer_arn    = "arn:aws:lambda:eu-west-1:123456789012:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:12"
    metrics_url          = true
  }

  settings = { CARDROOM_SESSION__TTL_MS = "604800000" }

  waf                 = { enabled = true, rate_limit = 6000 }
  logs                = { retention_days = 90, level = "info", access_logs_bucket = "example-load-balancer-logs" }
  alarms_topic_arn    = "arn:aws:sns:eu-west-1:123456789012:on-call"
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  deletion_protection = true
}

output "url" {
  description = "Where people go."
  value       = module.cardroom.url
}

output "load_balancer" {
  description = "What the DNS record of the domain points to."
  value       = module.cardroom.load_balancer
}
