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
}

variable "service_name" {
  description = "The ECS service."
  type        = string
  nullable    = false
}

variable "function" {
  description = "metrics-export: its name, its alias and the alias' ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })
  nullable = false
}
