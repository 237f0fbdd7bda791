variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
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

variable "tasks" {
  description = "The fewest and the most tasks. With fewer than two, a lost zone is an outage."
  type = object({
    min = optional(number, 2)
    max = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min && var.tasks.max <= 1000
    error_message = "tasks.min must be 1 or more, tasks.max at least that and at most 1000."
  }
}

variable "connections_per_task" {
  description = "Connections of a task on average that scaling aims at."
  type        = number
  nullable    = false

  validation {
    condition     = var.connections_per_task >= 1
    error_message = "connections_per_task must be 1 or more."
  }
}

variable "metric" {
  description = "`exported`: ConnectionsPerTask of metrics-export; `load-balancer`: the load balancer's connections by running tasks, when there are no functions."
  type        = string
  default     = "exported"
  nullable    = false

  validation {
    condition     = contains(["exported", "load-balancer"], var.metric)
    error_message = "metric must be exported or load-balancer."
  }
}

variable "metrics_namespace" {
  description = "Namespace of the exported metric."
  type        = string
  default     = "cardroom"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,255}$", var.metrics_namespace))
    error_message = "metrics_namespace must be a CloudWatch namespace."
  }
}

variable "load_balancer_arn_suffix" {
  description = "The load balancer, as CloudWatch names it."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.load_balancer_arn_suffix, "app/")
    error_message = "load_balancer_arn_suffix must begin with app/."
  }
}

variable "cpu_target_percent" {
  description = "CPU that scaling aims at, beside connections."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.cpu_target_percent >= 10 && var.cpu_target_percent <= 90
    error_message = "cpu_target_percent must be from 10 to 90."
  }
}

variable "scale_in" {
  description = "Each task that goes makes its sockets connect again: whether that is done at all, and how long after the last change."
  type = object({
    enabled          = optional(bool, true)
    cooldown_seconds = optional(number, 900)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scale_in.cooldown_seconds >= 60 && var.scale_in.cooldown_seconds <= 3600
    error_message = "scale_in.cooldown_seconds must be from 60 to 3600."
  }
}
