variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "cluster_arn" {
  description = "The ECS cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:ecs:", var.cluster_arn))
    error_message = "cluster_arn must be the ARN of an ECS cluster."
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

variable "function" {
  description = "metrics-export: its name, its alias and the alias' ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:lambda:", var.function.arn)) && length(var.function.alias) > 0
    error_message = "function needs the ARN of a function and its alias."
  }
}
