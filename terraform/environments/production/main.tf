# Three zones, nothing that one of them takes with it.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "cardroom", Environment = "production", ManagedBy = "terraform" }
  }
}

module "cardroom" {
  source = "../.."

  name   = "cardroom"
  image  = var.image
  domain = var.domain

  vpc      = { zones = 3, egress = "nat-per-az" }
  capacity = { tasks_min = 3, tasks_max = 20 }
  cache    = { node_type = "cache.m7g.large", shards = 1, replicas = 2, durability = "strict", snapshot_retention_days = 7 }

  functions          = var.functions
  logs               = { retention_days = 90 }
  alarms_topic_arn   = var.alarms_topic_arn
  secret_generations = var.secret_generations
}
