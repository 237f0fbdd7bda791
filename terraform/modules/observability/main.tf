# What somebody should be told of.

locals {
  of_target_group = { LoadBalancer = var.load_balancer.arn_suffix, TargetGroup = var.load_balancer.target_group_arn_suffix }
  of_service      = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  exported        = { Service = var.name }
  has_functions   = length(var.function_names) > 0

  service_alarms = {
    unhealthy-tasks = {
      text       = "Tasks do not answer /healthz."
      namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.of_target_group
      statistic  = "Maximum", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, minutes = 5
      if_missing = "notBreaching"
    }
    no-tasks = {
      text       = "No task answers."
      namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.of_target_group
      statistic  = "Minimum", comparison = "LessThanThreshold", threshold = 1, minutes = 2
      if_missing = "breaching"
    }
    server-errors = {
      text       = "The server answers 5xx: Redis away, or a fault."
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.of_target_group
      statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 50, minutes = 3
      if_missing = "notBreaching"
    }
    cpu = {
      text       = "Tasks are short of CPU although scaling had its time."
      namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.of_service
      statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 85, minutes = 10
      if_missing = "notBreaching"
    }
    memory = {
      text       = "Tasks are short of memory; the next step is a kill."
      namespace  = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.of_service
      statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 85, minutes = 5
      if_missing = "notBreaching"
    }
  }

  exported_alarms = local.has_functions ? {
    connections = {
      text       = "Tasks are nearly full; more connections will be refused."
      namespace  = var.metrics_namespace, metric = "ConnectionsPerTask", dimensions = local.exported
      statistic  = "Average", comparison = "GreaterThanThreshold", threshold = floor(var.connections_max * 0.9), minutes = 5
      if_missing = "missing"
    }
    export-failures = {
      text       = "The figures cannot be read: scaling stands still, Redis may be away."
      namespace  = var.metrics_namespace, metric = "ExportFailures", dimensions = local.exported
      statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 0, minutes = 3
      if_missing = "notBreaching"
    }
    stale-instances = {
      text       = "Instances went silent without a goodbye."
      namespace  = var.metrics_namespace, metric = "StaleNodes", dimensions = local.exported
      statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, minutes = 5
      if_missing = "notBreaching"
    }
  } : {}

  function_alarms = {
    for name, function in var.function_names : "${name}-errors" => {
      text       = "${name} fails."
      namespace  = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = function }
      statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 2, minutes = 5
      if_missing = "notBreaching"
    }
  }

  node_alarms = merge([
    for node in var.cache.node_ids : {
      "${node}-memory" = {
        text       = "The cache fills up. It never evicts: when it is full, commands fail."
        namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }
        statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 75, minutes = 5
        if_missing = "notBreaching"
      }
      "${node}-engine-cpu" = {
        text       = "The cache is short of its one thread."
        namespace  = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }
        statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 80, minutes = 5
        if_missing = "notBreaching"
      }
    }
  ]...)

  serverless_alarms = var.cache.mode == "serverless" ? {
    cache-memory = {
      text       = "The cache comes near its limit."
      namespace  = "AWS/ElastiCache", metric = "BytesUsedForCache", dimensions = { clusterId = var.name }
      statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = floor(var.cache.data_gb * 0.75 * 1000000000), minutes = 5
      if_missing = "notBreaching"
    }
    cache-evictions = {
      text       = "The cache threw sessions away."
      namespace  = "AWS/ElastiCache", metric = "Evictions", dimensions = { clusterId = var.name }
      statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 0, minutes = 1
      if_missing = "notBreaching"
    }
  } : {}

  alarms = merge(local.service_alarms, local.exported_alarms, local.function_alarms, local.node_alarms, local.serverless_alarms)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = startswith(each.key, var.name) ? each.key : "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  treat_missing_data  = each.value.if_missing
  alarm_actions       = var.alarms_topic_arn[*]
  ok_actions          = var.alarms_topic_arn[*]
}
