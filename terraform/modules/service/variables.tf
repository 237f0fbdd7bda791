variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "image" {
  description = "Container image, pinned by digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must be pinned by digest: repository@sha256:…"
  }
}

variable "vpc_id" {
  description = "The VPC that the tasks are in."
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

variable "port" {
  description = "Port that the server listens on, for the load balancer and for the other instances."
  type        = number
  default     = 3000
  nullable    = false

  validation {
    condition     = var.port >= 1024 && var.port <= 65535
    error_message = "port must be from 1024 to 65535: the server is not root."
  }
}

variable "edge_security_group_id" {
  description = "Security group of the load balancer."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.edge_security_group_id, "sg-")
    error_message = "edge_security_group_id must be the id of a security group."
  }
}

variable "target_group_arn" {
  description = "Where tasks register."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:elasticloadbalancing:", var.target_group_arn))
    error_message = "target_group_arn must be the ARN of a target group."
  }
}

variable "cache" {
  description = "Security group and ports of the cache."
  type = object({
    security_group_id = string
    ports             = list(number)
  })
  nullable = false

  validation {
    condition     = startswith(var.cache.security_group_id, "sg-") && length(var.cache.ports) > 0
    error_message = "cache must name a security group and its ports."
  }
}

variable "redis_url_secret_arn" {
  description = "Secret that holds the URL of the cache, with user and password."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:", var.redis_url_secret_arn))
    error_message = "redis_url_secret_arn must be the ARN of a secret."
  }
}

variable "environment" {
  description = "Settings of the server that are no secret, by their names in the environment (CARDROOM_SECTION__KEY)."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^CARDROOM_[A-Z0-9]+(_[A-Z0-9]+)*__[A-Z0-9_]+$", name))])
    error_message = "environment takes names such as CARDROOM_ENGINE__PING_INTERVAL_MS."
  }

  validation {
    condition     = length(setintersection(keys(var.environment), ["CARDROOM_REDIS__URL", "CARDROOM_REDIS__SENTINEL_PASSWORD", "CARDROOM_AUTH__TOKEN_KEYS", "CARDROOM_INSTANCES__SHARED_SECRET"])) == 0
    error_message = "environment is readable by everybody who can see the task definition: no secrets."
  }
}

variable "size" {
  description = "CPU units and memory (MiB) of a task: a pair that Fargate has."
  type = object({
    cpu    = optional(number, 1024)
    memory = optional(number, 2048)
  })
  default  = {}
  nullable = false

  validation {
    condition = contains(lookup({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }, tostring(var.size.cpu), []), var.size.memory)
    error_message = "size must be a pair that Fargate has, such as 1024 and 2048."
  }
}

variable "connections_max" {
  description = "Connections of a task; it gets twice as many file descriptors."
  type        = number
  default     = 8000
  nullable    = false

  validation {
    condition     = var.connections_max >= 100 && var.connections_max <= 400000
    error_message = "connections_max must be from 100 to 400000."
  }
}

variable "desired_count" {
  description = "Tasks to begin with; autoscaling takes over."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.desired_count >= 1
    error_message = "desired_count must be 1 or more."
  }
}

variable "stop_timeout_seconds" {
  description = "From SIGTERM to SIGKILL; Fargate allows 120. Longer than the server's own drain."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.stop_timeout_seconds >= 2 && var.stop_timeout_seconds <= 120
    error_message = "stop_timeout_seconds must be from 2 to 120."
  }
}

variable "secret_generations" {
  description = "Raise a number by one to have that secret made anew; new token keys end all player tokens at once (README: rotate without that)."
  type = object({
    redis_url     = optional(number, 1)
    token_keys    = optional(number, 1)
    shared_secret = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for generation in values(var.secret_generations) : generation >= 1 && floor(generation) == generation])
    error_message = "secret_generations must be whole numbers from 1."
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

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch knows."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts logs and secrets; null: AWS' own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

