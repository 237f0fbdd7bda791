variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "packages" {
  description = "Zips with a `bootstrap` for arm64 in them: session-validate and metrics-export."
  type = object({
    session_validate = string
    metrics_export   = string
  })
  nullable = false

  validation {
    condition     = alltrue([for path in values(var.packages) : endswith(path, ".zip")])
    error_message = "packages must be paths of .zip files."
  }
}

variable "secrets_layer_arn" {
  description = "Layer version of AWS' Parameters and Secrets extension for arm64 in this region: functions read secrets through it at run time, so that none is in their environment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", var.secrets_layer_arn))
    error_message = "secrets_layer_arn must be the ARN of a layer version."
  }
}

variable "vpc_id" {
  description = "The VPC that the functions are in."
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

variable "listener_arn" {
  description = "Listener that sends validations to the function."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:elasticloadbalancing:", var.listener_arn))
    error_message = "listener_arn must be the ARN of a listener."
  }
}

variable "secret_arns" {
  description = "Secrets by the environment name of the setting; CARDROOM_REDIS__URL and CARDROOM_AUTH__TOKEN_KEYS are needed."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(["CARDROOM_REDIS__URL", "CARDROOM_AUTH__TOKEN_KEYS"], keys(var.secret_arns))) == 0
    error_message = "secret_arns needs CARDROOM_REDIS__URL and CARDROOM_AUTH__TOKEN_KEYS."
  }
}

variable "environment" {
  description = "Settings that both functions share with the server and that are no secret."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^CARDROOM_[A-Z0-9]+(_[A-Z0-9]+)*__[A-Z0-9_]+$", name))])
    error_message = "environment takes names such as CARDROOM_LOG__FORMAT."
  }
}

variable "metrics_namespace" {
  description = "Namespace of the exported metrics in CloudWatch."
  type        = string
  default     = "cardroom"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "metrics_namespace must be a CloudWatch namespace outside of AWS/."
  }
}

variable "metrics_url" {
  description = "Whether the figures can also be fetched over HTTP (for Prometheus), signed with IAM."
  type        = bool
  default     = false
  nullable    = false
}

variable "concurrency" {
  description = "Largest number of validations at the same time; each holds a connection to the cache."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "concurrency must be from 1 to 1000."
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
