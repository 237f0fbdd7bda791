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
  description = "The VPC that the load balancer is in."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id must be the id of a VPC."
  }
}

variable "subnet_ids" {
  description = "Public subnets, in two zones or more."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name two subnets or more."
  }
}

variable "task_security_group_id" {
  description = "Security group of the tasks; the load balancer reaches nothing else."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.task_security_group_id, "sg-")
    error_message = "task_security_group_id must be the id of a security group."
  }
}

variable "task_port" {
  description = "Port that the server listens on."
  type        = number
  default     = 3000
  nullable    = false

  validation {
    condition     = var.task_port >= 1024 && var.task_port <= 65535
    error_message = "task_port must be from 1024 to 65535: the server is not root."
  }
}

variable "domain" {
  description = "Host name; its Route 53 zone, or null when DNS is elsewhere; a certificate, or null to have one made in the zone."
  type = object({
    name            = string
    zone_id         = optional(string)
    certificate_arn = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "domain.name must be a host name such as poker.example.org."
  }

  validation {
    condition     = var.domain.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.domain.certificate_arn))
    error_message = "domain.certificate_arn must be the ARN of a certificate in ACM."
  }

  validation {
    condition     = var.domain.zone_id != null || var.domain.certificate_arn != null
    error_message = "domain needs a zone_id, in which a certificate can be proven, or a certificate_arn."
  }
}

variable "allowed_cidrs" {
  description = "IPv4 ranges that may connect."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for range in var.allowed_cidrs : can(cidrnetmask(range))])
    error_message = "allowed_cidrs must be IPv4 ranges, at least one."
  }
}

variable "idle_timeout_seconds" {
  description = "How long a connection may be silent. Longer than a heartbeat and its answer, or live sockets are cut."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds >= 1 && var.idle_timeout_seconds <= 4000
    error_message = "idle_timeout_seconds must be from 1 to 4000."
  }
}

variable "drain_seconds" {
  description = "How long a target that leaves keeps its connections: the window in which the server spreads their end."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.drain_seconds >= 0 && var.drain_seconds <= 3600
    error_message = "drain_seconds must be from 0 to 3600."
  }
}

variable "waf" {
  description = "Web application firewall; the limit is requests of one address in a minute (an office shares one). It sees handshakes and polling, never what a WebSocket carries."
  type = object({
    enabled    = optional(bool, true)
    rate_limit = optional(number, 3000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.waf.rate_limit >= 100 && var.waf.rate_limit <= 2000000000
    error_message = "waf.rate_limit must be from 100 to 2000000000."
  }
}

variable "access_logs_bucket" {
  description = "Bucket that takes the load balancer's access and connection logs; null: none are written."
  type        = string
  default     = null

  validation {
    condition     = var.access_logs_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_logs_bucket))
    error_message = "access_logs_bucket must be the name of a bucket."
  }
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
  default     = true
  nullable    = false
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

