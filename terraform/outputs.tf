output "url" {
  description = "Where people go."
  value       = "https://${var.domain.name}"
}

output "websocket_url" {
  description = "Where sockets go."
  value       = "wss://${var.domain.name}"
}

output "session_validate_url" {
  description = "Where player tokens are validated: by the function when there is one, else by the server."
  value       = "https://${var.domain.name}/api/v1/sessions/validate"
}

output "load_balancer" {
  description = "Its own name and zone, for DNS records made elsewhere, and its name in CloudWatch."
  value = {
    dns_name   = module.edge.dns_name
    zone_id    = module.edge.zone_id
    arn_suffix = module.edge.arn_suffix
  }
}

output "service" {
  description = "Cluster, service and task definition in ECS."
  value = {
    cluster         = module.service.cluster_name
    name            = module.service.service_name
    task_definition = module.service.task_definition_arn
  }
}

output "container_definitions" {
  description = "The container as ECS gets it (JSON)."
  value       = module.service.container_definitions
}

output "environment" {
  description = "Settings of the server that are no secret, as its container has them."
  value       = module.service.environment
}

output "timeouts" {
  description = "What has to fit together, in seconds."
  value = {
    idle              = module.edge.idle_timeout_seconds
    deregistration    = module.edge.drain_seconds
    server_drain      = tonumber(module.service.environment.CARDROOM_SERVER__DRAIN_SECONDS)
    server_keep_alive = tonumber(module.service.environment.CARDROOM_SERVER__KEEP_ALIVE_MS) / 1000
    stop              = module.service.stop_timeout_seconds
    heartbeat         = (tonumber(module.service.environment.CARDROOM_ENGINE__PING_INTERVAL_MS) + tonumber(module.service.environment.CARDROOM_ENGINE__PING_TIMEOUT_MS)) / 1000
  }
}

output "secret_arns" {
  description = "Secrets by the environment names of their settings; no values."
  value       = module.service.secret_arns
}

output "cache" {
  description = "Where sessions live; no credentials."
  value       = { mode = module.cache.mode, host = module.cache.host, user = module.cache.active_user }
}

output "functions" {
  description = "The functions' aliases, their environments and where metrics can be fetched; null without functions."
  value = local.has_functions ? {
    arns         = module.functions[0].function_arns
    environments = module.functions[0].environments
    metrics_url  = module.functions[0].metrics_url
  } : null
}

output "metrics" {
  description = "Namespace and dimension of the exported metrics; null without functions."
  value       = local.has_functions ? { namespace = module.functions[0].metrics_namespace, dimensions = { Service = var.name } } : null
}

output "scaling" {
  description = "The fewest and the most tasks, and the connections of a task that scaling aims at."
  value       = { tasks = module.autoscaling.tasks, connections_target = module.autoscaling.connections_target }
}

output "security_group_ids" {
  description = "Security groups by what they are around."
  value = merge(
    { edge = module.edge.security_group_id, tasks = module.service.security_group_id, cache = module.cache.security_group_id },
    local.has_functions ? { functions = module.functions[0].security_group_id } : {},
  )
}

output "network" {
  description = "The VPC and its subnets."
  value       = local.network
}

output "log_group_names" {
  description = "All log groups but the VPC's."
  value = concat(
    module.service.log_group_names,
    module.cache.log_group_names,
    module.edge.log_group_names,
    local.has_functions ? module.functions[0].log_group_names : [],
  )
}

output "dashboard_name" {
  description = "The dashboard in CloudWatch."
  value       = module.observability.dashboard_name
}

output "alarm_names" {
  description = "All alarms."
  value       = module.observability.alarm_names
}
