# From the network inwards: edge → service → cache, and what watches them.

locals {
  key_prefix = "cardroom:"

  network = var.vpc.existing == null ? {
    id                 = module.network[0].vpc_id
    public_subnet_ids  = module.network[0].public_subnet_ids
    private_subnet_ids = module.network[0].private_subnet_ids
    public_cidrs       = [var.vpc.cidr]
  } : var.vpc.existing

  origins = concat(["https://${var.domain.name}"], var.origins)

  # The server's own settings; secrets come by the service's module.
  environment = merge(var.settings, {
    CARDROOM_SERVER__ORIGINS          = jsonencode(local.origins)
    CARDROOM_SERVER__KEEP_ALIVE_MS    = tostring((var.idle_timeout_seconds + 15) * 1000) # longer than the load balancer's
    CARDROOM_SERVER__TRUSTED_PROXIES  = jsonencode(local.network.public_cidrs)           # the load balancer's: whose X-Forwarded-For counts
    CARDROOM_SERVER__DRAIN_SECONDS    = tostring(var.drain.window_seconds)
    CARDROOM_ENGINE__PING_INTERVAL_MS = tostring(var.heartbeat.interval_seconds * 1000)
    CARDROOM_ENGINE__PING_TIMEOUT_MS  = tostring(var.heartbeat.timeout_seconds * 1000)
    CARDROOM_RECOVERY__WINDOW_SECONDS = tostring(var.recovery_seconds)
    CARDROOM_REDIS__KEY_PREFIX        = local.key_prefix
    CARDROOM_REDIS__DURABILITY        = var.cache.durability
    CARDROOM_REDIS__WAIT_REPLICAS     = tostring(var.cache.wait_replicas)
    CARDROOM_LOG__LEVEL               = var.logs.level
    CARDROOM_LOG__FORMAT              = "json"
  })

  secret_recovery_days = var.deletion_protection ? 7 : 0
  has_functions        = var.functions != null
}

module "network" {
  source = "./modules/network"
  count  = var.vpc.existing == null ? 1 : 0

  name                    = var.name
  cidr                    = var.vpc.cidr
  zones                   = var.vpc.zones
  egress                  = var.vpc.egress
  flow_log_retention_days = var.logs.flow_logs ? var.logs.retention_days : 0
  kms_key_arn             = var.kms_key_arn
}

module "edge" {
  source = "./modules/edge"

  name                   = var.name
  vpc_id                 = local.network.id
  subnet_ids             = local.network.public_subnet_ids
  task_security_group_id = module.service.security_group_id
  domain                 = var.domain
  allowed_cidrs          = var.allowed_cidrs
  idle_timeout_seconds   = var.idle_timeout_seconds
  drain_seconds          = var.drain.window_seconds
  waf                    = var.waf
  access_logs_bucket     = var.logs.access_logs_bucket
  log_retention_days     = var.logs.retention_days
  kms_key_arn            = var.kms_key_arn
  deletion_protection    = var.deletion_protection
}

module "cache" {
  source = "./modules/cache"

  name       = var.name
  vpc_id     = local.network.id
  subnet_ids = local.network.private_subnet_ids
  client_security_group_ids = merge(
    { tasks = module.service.security_group_id },
    local.has_functions ? { functions = module.functions[0].security_group_id } : {},
  )
  mode      = var.cache.mode
  node_type = var.cache.node_type
  shards    = var.cache.shards
  replicas  = var.cache.replicas
  serverless_limits = {
    data_gb         = var.cache.serverless_data_gb
    ecpu_per_second = var.cache.serverless_ecpu_per_second
  }
  snapshot_retention_days = var.cache.snapshot_retention_days
  key_prefix              = local.key_prefix
  password_generation     = var.secret_generations.redis_url
  log_retention_days      = var.logs.retention_days
  kms_key_arn             = var.kms_key_arn
  secret_recovery_days    = local.secret_recovery_days
}

module "service" {
  source = "./modules/service"

  name                   = var.name
  image                  = var.image
  vpc_id                 = local.network.id
  subnet_ids             = local.network.private_subnet_ids
  edge_security_group_id = module.edge.security_group_id
  target_group_arn       = module.edge.target_group_arn
  cache                  = { security_group_id = module.cache.security_group_id, ports = module.cache.ports }
  redis_url_secret_arn   = module.cache.url_secret_arn
  environment            = local.environment
  size                   = { cpu = var.capacity.cpu, memory = var.capacity.memory }
  connections_max        = var.capacity.connections_per_task
  desired_count          = var.capacity.tasks_min
  stop_timeout_seconds   = var.drain.stop_timeout_seconds
  secret_generations     = var.secret_generations
  secret_recovery_days   = local.secret_recovery_days
  log_retention_days     = var.logs.retention_days
  kms_key_arn            = var.kms_key_arn
}

module "functions" {
  source = "./modules/functions"
  count  = local.has_functions ? 1 : 0

  name              = var.name
  packages          = { session_validate = var.functions.session_validate_zip, metrics_export = var.functions.metrics_export_zip }
  secrets_layer_arn = var.functions.secrets_layer_arn
  vpc_id            = local.network.id
  subnet_ids        = local.network.private_subnet_ids
  cache             = { security_group_id = module.cache.security_group_id, ports = module.cache.ports }
  listener_arn      = module.edge.listener_arn
  secret_arns       = module.service.secret_arns
  environment = {
    for name in ["CARDROOM_SERVER__ORIGINS", "CARDROOM_REDIS__KEY_PREFIX", "CARDROOM_LOG__LEVEL", "CARDROOM_LOG__FORMAT"] : name => local.environment[name]
  }
  metrics_namespace  = var.functions.metrics_namespace
  metrics_url        = var.functions.metrics_url
  concurrency        = var.functions.concurrency
  log_retention_days = var.logs.retention_days
  kms_key_arn        = var.kms_key_arn
}

module "drain" {
  source = "./modules/drain"
  count  = local.has_functions ? 1 : 0

  name         = var.name
  cluster_arn  = module.service.cluster_arn
  service_name = module.service.service_name
  function = {
    name  = module.functions[0].function_names["metrics-export"]
    alias = module.functions[0].alias_name
    arn   = module.functions[0].function_arns["metrics-export"]
  }
}

module "autoscaling" {
  source = "./modules/autoscaling"

  name                     = var.name
  cluster_name             = module.service.cluster_name
  service_name             = module.service.service_name
  tasks                    = { min = var.capacity.tasks_min, max = var.capacity.tasks_max }
  connections_per_task     = floor(var.capacity.connections_per_task * var.scaling.target_ratio)
  metric                   = local.has_functions ? "exported" : "load-balancer"
  metrics_namespace        = local.has_functions ? var.functions.metrics_namespace : "cardroom"
  load_balancer_arn_suffix = module.edge.arn_suffix
  cpu_target_percent       = var.scaling.cpu_target_percent
  scale_in                 = { enabled = var.scaling.scale_in_enabled, cooldown_seconds = var.scaling.scale_in_cooldown_seconds }
}

module "observability" {
  source = "./modules/observability"

  name              = var.name
  load_balancer     = { arn_suffix = module.edge.arn_suffix, target_group_arn_suffix = module.edge.target_group_arn_suffix }
  cluster_name      = module.service.cluster_name
  service_name      = module.service.service_name
  cache             = { mode = module.cache.mode, node_ids = module.cache.node_ids, data_gb = var.cache.serverless_data_gb }
  function_names    = local.has_functions ? module.functions[0].function_names : {}
  metrics_namespace = local.has_functions ? module.functions[0].metrics_namespace : "cardroom"
  connections_max   = var.capacity.connections_per_task
  alarms_topic_arn  = var.alarms_topic_arn
}
