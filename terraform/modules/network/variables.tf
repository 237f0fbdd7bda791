variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lowercase letters, digits and hyphens."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC; split into 16 parts, of which the zones' public and private subnets take one each."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15)) && try(tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "cidr must be an IPv4 range of /22 or larger."
  }
}

variable "zones" {
  description = "Availability zones to spread over."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones must be 2 or 3."
  }
}

variable "egress" {
  description = "How the private subnets reach AWS: `nat-single` (cheapest), `nat-per-az` (survives a zone), `endpoints` (no way to the internet at all)."
  type        = string
  default     = "nat-single"
  nullable    = false

  validation {
    condition     = contains(["nat-single", "nat-per-az", "endpoints"], var.egress)
    error_message = "egress must be nat-single, nat-per-az or endpoints."
  }
}

variable "flow_log_retention_days" {
  description = "How long the flow logs are kept; 0: no flow logs."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "flow_log_retention_days must be a retention that CloudWatch knows, or 0."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs; null: AWS' own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}
