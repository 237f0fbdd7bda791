variable "region" {
  description = "AWS region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be such as eu-west-1."
  }
}

variable "image" {
  description = "Container image, pinned by digest; what a release changes."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must be pinned by digest: repository@sha256:…"
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
    condition     = var.domain.zone_id != null || var.domain.certificate_arn != null
    error_message = "domain needs a zone_id or a certificate_arn."
  }
}

variable "functions" {
  description = "Zips of the functions and the layer that they read secrets through; null: none yet."
  type = object({
    session_validate_zip = string
    metrics_export_zip   = string
    secrets_layer_arn    = string
  })
  default = null

  validation {
    condition     = var.functions == null || try(endswith(var.functions.session_validate_zip, ".zip") && endswith(var.functions.metrics_export_zip, ".zip"), false)
    error_message = "functions needs two .zip files."
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

variable "secret_generations" {
  description = "Raise a number by one to have that secret made anew."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.secret_generations), ["redis_url", "token_keys", "shared_secret"])) == 0
    error_message = "secret_generations knows redis_url, token_keys and shared_secret."
  }
}
