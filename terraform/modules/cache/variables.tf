variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "vpc_id" {
  description = "The VPC that the cache is in."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id must be the id of a VPC."
  }
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more."
  }
}

variable "client_security_group_ids" {
  description = "Who may connect: a security group by a name for it."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.client_security_group_ids) > 0 && alltrue([for id in values(var.client_security_group_ids) : startswith(id, "sg-")])
    error_message = "client_security_group_ids must be ids of security groups, at least one."
  }
}

variable "mode" {
  description = "`cluster`: nodes that never evict, the mode that the server is made for; `serverless`: scales by itself, but whether it evicts is AWS' choice."
  type        = string
  default     = "cluster"
  nullable    = false

  validation {
    condition     = contains(["cluster", "serverless"], var.mode)
    error_message = "mode must be cluster or serverless."
  }
}

variable "node_type" {
  description = "Type of a node (cluster)."
  type        = string
  default     = "cache.t4g.small"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type must look like cache.t4g.small."
  }
}

variable "shards" {
  description = "Shards (cluster)."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.shards >= 1 && var.shards <= 90 && floor(var.shards) == var.shards
    error_message = "shards must be from 1 to 90."
  }
}

variable "replicas" {
  description = "Replicas of each shard (cluster). Without one, a lost node is a lost shard."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5 && floor(var.replicas) == var.replicas
    error_message = "replicas must be from 0 to 5."
  }
}

variable "serverless_limits" {
  description = "What serverless may grow to: data in GB, processing units a second. They cap the bill."
  type = object({
    data_gb         = optional(number, 5)
    ecpu_per_second = optional(number, 15000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.serverless_limits.data_gb >= 1 && var.serverless_limits.data_gb <= 5000
    error_message = "serverless_limits.data_gb must be from 1 to 5000."
  }

  validation {
    condition     = var.serverless_limits.ecpu_per_second >= 1000 && var.serverless_limits.ecpu_per_second <= 15000000
    error_message = "serverless_limits.ecpu_per_second must be from 1000 to 15000000."
  }
}

variable "snapshot_retention_days" {
  description = "How long daily snapshots are kept; 0: none."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days must be from 0 to 35."
  }
}

variable "key_prefix" {
  description = "In front of every key and channel; the users may touch nothing else."
  type        = string
  default     = "cardroom:"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+:$", var.key_prefix))
    error_message = "key_prefix must be lowercase letters, digits and hyphens, and a colon."
  }
}

variable "password_generation" {
  description = "Raise by one to change the password: the other one of two users takes over with a new one."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.password_generation >= 1 && floor(var.password_generation) == var.password_generation
    error_message = "password_generation must be a whole number from 1."
  }
}

variable "log_retention_days" {
  description = "How long the slow log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch knows."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts data, snapshots, logs and secrets; null: AWS' own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "secret_recovery_days" {
  description = "How long deleted secrets can be restored; 0: not at all, so that the name is free at once."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days must be 0, or from 7 to 30."
  }
}
