variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "load_balancer" {
  description = "Load balancer and target group, as CloudWatch names them."
  type = object({
    arn_suffix              = string
    target_group_arn_suffix = string
  })
  nullable = false

  validation {
    condition     = startswith(var.load_balancer.arn_suffix, "app/") && startswith(var.load_balancer.target_group_arn_suffix, "targetgroup/")
    error_message = "load_balancer must be named as CloudWatch names it: app/… and targetgroup/…."
  }
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.cluster_name) > 0
    error_message = "cluster_name must not be empty."
  }
}

variable "service_name" {
  description = "The ECS service."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.service_name) > 0
    error_message = "service_name must not be empty."
  }
}

variable "cache" {
  description = "The cache: `cluster` with its nodes, or `serverless` with the GB that it may hold."
  type = object({
    mode     = string
    node_ids = optional(list(string), [])
    data_gb  = optional(number, 0)
  })
  nullable = false

  validation {
    condition     = contains(["cluster", "serverless"], var.cache.mode)
    error_message = "cache.mode must be cluster or serverless."
  }
}

variable "function_names" {
  description = "The functions' names in AWS, by their own; empty when there are none."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.function_names), ["session-validate", "metrics-export"])) == 0
    error_message = "function_names knows session-validate and metrics-export."
  }
}

variable "metrics_namespace" {
  description = "Namespace of the exported metrics."
  type        = string
  default     = "cardroom"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace))
    error_message = "metrics_namespace must be a CloudWatch namespace."
  }
}

variable "connections_max" {
  description = "Connections that a task accepts: over 90 % of it somebody should know."
  type        = number
  nullable    = false

  validation {
    condition     = var.connections_max >= 1
    error_message = "connections_max must be 1 or more."
  }
}

variable "alarms_topic_arn" {
  description = "SNS topic that alarms go to; null: they only change colour."
  type        = string
  default     = null

  validation {
    condition     = var.alarms_topic_arn == null || can(regex("^arn:aws[a-z-]*:sns:", var.alarms_topic_arn))
    error_message = "alarms_topic_arn must be the ARN of an SNS topic."
  }
}
