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
  description = "Container image of the server for arm64, pinned by digest."
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
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "domain.name must be a host name such as poker.example.org."
  }

  validation {
    condition     = var.domain.zone_id != null || var.domain.certificate_arn != null
    error_message = "domain needs a zone_id, in which a certificate can be proven, or a certificate_arn."
  }
}

variable "vpc" {
  description = "A VPC to make (range, zones, `egress`: nat-single, nat-per-az, endpoints), or an existing one with its subnets and the ranges of the public ones."
  type = object({
    cidr   = optional(string, "10.20.0.0/16")
    zones  = optional(number, 3)
    egress = optional(string, "nat-single")
    existing = optional(object({
      id                 = string
      public_subnet_ids  = list(string)
      private_subnet_ids = list(string)
      public_cidrs       = list(string)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.vpc.existing == null || try(length(var.vpc.existing.public_subnet_ids) >= 2 && length(var.vpc.existing.private_subnet_ids) >= 2, false)
    error_message = "vpc.existing needs two public and two private subnets or more."
  }

  validation {
    condition     = var.vpc.existing == null || try(length(var.vpc.existing.public_cidrs) > 0 && alltrue([for cidr in var.vpc.existing.public_cidrs : can(cidrhost(cidr, 0))]), false)
    error_message = "vpc.existing.public_cidrs must be ranges such as 10.0.0.0/20: X-Forwarded-For is believed to whoever comes from there."
  }

  validation {
    condition     = contains(["nat-single", "nat-per-az", "endpoints"], var.vpc.egress)
    error_message = "vpc.egress must be nat-single, nat-per-az or endpoints."
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

variable "origins" {
  description = "Pages that may connect besides those of the domain itself: scheme://host or scheme://host:port."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "origins must be such as https://board.example.org; neither * nor a path."
  }
}

variable "heartbeat" {
  description = "Between two heartbeats, and how long one may stay unanswered."
  type = object({
    interval_seconds = optional(number, 25)
    timeout_seconds  = optional(number, 60)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.heartbeat.interval_seconds >= 1 && var.heartbeat.interval_seconds <= 600 && var.heartbeat.timeout_seconds >= 1 && var.heartbeat.timeout_seconds <= 600
    error_message = "heartbeat: both must be from 1 to 600."
  }
}

variable "idle_timeout_seconds" {
  description = "How long a connection may be silent before the load balancer cuts it."
  type        = number
  default     = 120
  nullable    = false

  # The server keeps idle connections a little longer still, and can do so for an hour.
  validation {
    condition     = var.idle_timeout_seconds >= 1 && var.idle_timeout_seconds <= 3500
    error_message = "idle_timeout_seconds must be from 1 to 3500."
  }

  validation {
    condition     = var.idle_timeout_seconds > var.heartbeat.interval_seconds + var.heartbeat.timeout_seconds
    error_message = "idle_timeout_seconds must be more than heartbeat.interval_seconds + heartbeat.timeout_seconds, or sockets that live are cut."
  }
}

variable "drain" {
  description = "The window in which a leaving task's connections end, spread out, and how long after SIGTERM a task is killed (Fargate: 120 at most)."
  type = object({
    window_seconds       = optional(number, 90)
    stop_timeout_seconds = optional(number, 120)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.drain.window_seconds >= 10
    error_message = "drain.window_seconds must be 10 or more, or all reconnect at once."
  }

  validation {
    condition     = var.drain.stop_timeout_seconds <= 120 && var.drain.stop_timeout_seconds >= var.drain.window_seconds + 10
    error_message = "drain.stop_timeout_seconds must be at most 120, and 10 more than drain.window_seconds: told by SIGTERM alone, the server drains as long."
  }
}

variable "recovery_seconds" {
  description = "How long a client that lost its connection can have what it missed; 0: not at all."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.recovery_seconds >= 0 && var.recovery_seconds <= 3600 && floor(var.recovery_seconds) == var.recovery_seconds
    error_message = "recovery_seconds must be from 0 to 3600."
  }
}

variable "capacity" {
  description = "Tasks, their CPU units and MiB (a pair that Fargate has), and the connections that one accepts."
  type = object({
    tasks_min            = optional(number, 2)
    tasks_max            = optional(number, 10)
    cpu                  = optional(number, 1024)
    memory               = optional(number, 2048)
    connections_per_task = optional(number, 8000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.capacity.tasks_min >= 2 && var.capacity.tasks_max >= var.capacity.tasks_min
    error_message = "capacity.tasks_min must be 2 or more (two zones), and tasks_max at least that."
  }

  validation {
    condition = contains(lookup({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }, tostring(var.capacity.cpu), []), var.capacity.memory)
    error_message = "capacity.cpu and capacity.memory must be a pair that Fargate has, such as 1024 and 2048."
  }

  validation {
    condition     = var.capacity.connections_per_task >= 100 && var.capacity.connections_per_task <= 400000
    error_message = "capacity.connections_per_task must be from 100 to 400000."
  }
}

variable "scaling" {
  description = "What scaling aims at, as a part of connections_per_task and as CPU, and whether and how soon it removes tasks."
  type = object({
    target_ratio              = optional(number, 0.7)
    cpu_target_percent        = optional(number, 60)
    scale_in_enabled          = optional(bool, true)
    scale_in_cooldown_seconds = optional(number, 900)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scaling.target_ratio >= 0.1 && var.scaling.target_ratio <= 0.9
    error_message = "scaling.target_ratio must be from 0.1 to 0.9: what a lost task held has to fit elsewhere."
  }
}

variable "cache" {
  description = "`cluster` (nodes that never evict) or `serverless`; `durability`: `strict` acknowledges a command when `wait_replicas` replicas have it too, `fast` when the primary has it, `auto` leaves it to the server."
  type = object({
    mode                       = optional(string, "cluster")
    node_type                  = optional(string, "cache.t4g.small")
    shards                     = optional(number, 1)
    replicas                   = optional(number, 2)
    durability                 = optional(string, "strict")
    wait_replicas              = optional(number, 1)
    serverless_data_gb         = optional(number, 5)
    serverless_ecpu_per_second = optional(number, 15000)
    snapshot_retention_days    = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["cluster", "serverless"], var.cache.mode)
    error_message = "cache.mode must be cluster or serverless."
  }

  validation {
    condition     = contains(["auto", "fast", "strict"], var.cache.durability)
    error_message = "cache.durability must be auto, fast or strict."
  }

  validation {
    condition     = var.cache.durability != "strict" || (var.cache.mode == "cluster" && var.cache.wait_replicas >= 1 && var.cache.wait_replicas < var.cache.replicas)
    error_message = "cache.durability strict needs mode cluster and more than wait_replicas replicas: with one lost, nothing would be accepted until it is replaced."
  }
}

variable "functions" {
  description = "Zips of session-validate and metrics-export (arm64), and the layer that they read secrets through; null: no functions, no drain notice, and scaling by the load balancer's count."
  type = object({
    session_validate_zip = string
    metrics_export_zip   = string
    secrets_layer_arn    = string
    concurrency          = optional(number, 50)
    metrics_namespace    = optional(string, "cardroom")
    metrics_url          = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.functions == null || try(endswith(var.functions.session_validate_zip, ".zip") && endswith(var.functions.metrics_export_zip, ".zip") && strcontains(var.functions.secrets_layer_arn, ":layer:"), false)
    error_message = "functions needs two .zip files and the ARN of a layer version."
  }
}

variable "settings" {
  description = "More settings of the server, by their names in the environment, such as CARDROOM_SESSION__TTL_MS. No secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^CARDROOM_[A-Z0-9]+(_[A-Z0-9]+)*__[A-Z0-9_]+$", name))])
    error_message = "settings takes names such as CARDROOM_SESSION__TTL_MS."
  }

  validation {
    condition = length(setintersection(keys(var.settings), [
      "CARDROOM_SERVER__LISTEN", "CARDROOM_SERVER__ORIGINS", "CARDROOM_SERVER__CONNECTIONS_MAX", "CARDROOM_SERVER__KEEP_ALIVE_MS", "CARDROOM_SERVER__DRAIN_SECONDS", "CARDROOM_SERVER__TRUSTED_PROXIES",
      "CARDROOM_ENGINE__PING_INTERVAL_MS", "CARDROOM_ENGINE__PING_TIMEOUT_MS", "CARDROOM_RECOVERY__WINDOW_SECONDS",
      "CARDROOM_REDIS__KEY_PREFIX", "CARDROOM_REDIS__DURABILITY", "CARDROOM_REDIS__WAIT_REPLICAS", "CARDROOM_LOG__LEVEL", "CARDROOM_LOG__FORMAT",
      "CARDROOM_REDIS__URL", "CARDROOM_REDIS__SENTINEL_PASSWORD", "CARDROOM_AUTH__TOKEN_KEYS", "CARDROOM_INSTANCES__SHARED_SECRET",
    ])) == 0
    error_message = "settings may name neither a secret nor what another variable sets."
  }
}

variable "waf" {
  description = "Web application firewall; the limit is requests of one address in a minute (an office shares one)."
  type = object({
    enabled    = optional(bool, true)
    rate_limit = optional(number, 3000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.waf.rate_limit >= 100
    error_message = "waf.rate_limit must be 100 or more."
  }
}

variable "logs" {
  description = "How long logs are kept, what the server logs, whether rejected traffic of the VPC is logged, and a bucket for the load balancer's logs."
  type = object({
    retention_days     = optional(number, 30)
    level              = optional(string, "info")
    flow_logs          = optional(bool, true)
    access_logs_bucket = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "logs.retention_days must be a retention that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, …"
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

variable "kms_key_arn" {
  description = "Key that encrypts logs and secrets; null: AWS' own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "secret_generations" {
  description = "Raise a number by one to have that secret made anew (README: rotate secrets)."
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

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted, and deleted secrets can be restored for a week."
  type        = bool
  default     = true
  nullable    = false
}
