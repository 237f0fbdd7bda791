# Small and cheap, easy to throw away: the same modules as production.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = "cardroom", Environment = "staging", ManagedBy = "terraform" }
  }
}

module "cardroom" {
  source = "../.."

  name   = "cardroom-staging"
  image  = var.image
  domain = var.domain

  vpc      = { zones = 2, egress = "nat-single" }
  capacity = { tasks_min = 2, tasks_max = 4, cpu = 512, memory = 1024, connections_per_task = 3000 }
  cache    = { node_type = "cache.t4g.micro", replicas = 1, durability = "fast", snapshot_retention_days = 0 }

  functions           = var.functions
  logs                = { retention_days = 7 }
  alarms_topic_arn    = var.alarms_topic_arn
  secret_generations  = var.secret_generations
  deletion_protection = false
}
