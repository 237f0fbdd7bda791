# One page: connections, health, load, cache, functions.

data "aws_region" "current" {}

locals {
  region = data.aws_region.current.region

  # In the order of the page; each is a title and metrics.
  graphs = concat(
    local.has_functions ? [
      { title = "Connections", metrics = [[var.metrics_namespace, "Connections", "Service", var.name], [".", "ConnectionsPerTask", ".", "."]] },
      { title = "Rooms and instances", metrics = [[var.metrics_namespace, "Rooms", "Service", var.name], [".", "Nodes", ".", "."], [".", "StaleNodes", ".", "."]] },
      ] : [
      { title = "Connections (both sides)", metrics = [["AWS/ApplicationELB", "ActiveConnectionCount", "LoadBalancer", var.load_balancer.arn_suffix]] },
    ],
    [
      {
        title = "Tasks that answer"
        metrics = [
          ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", var.load_balancer.target_group_arn_suffix, "LoadBalancer", var.load_balancer.arn_suffix],
          [".", "UnHealthyHostCount", ".", ".", ".", "."],
        ]
      },
      {
        title = "Answers"
        metrics = [
          ["AWS/ApplicationELB", "HTTPCode_Target_2XX_Count", "LoadBalancer", var.load_balancer.arn_suffix],
          [".", "HTTPCode_Target_4XX_Count", ".", "."],
          [".", "HTTPCode_Target_5XX_Count", ".", "."],
          [".", "HTTPCode_ELB_5XX_Count", ".", "."],
        ]
      },
      { title = "New connections", metrics = [["AWS/ApplicationELB", "NewConnectionCount", "LoadBalancer", var.load_balancer.arn_suffix]] },
      {
        title = "Load of the tasks"
        metrics = [
          ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
          [".", "MemoryUtilization", ".", ".", ".", "."],
        ]
      },
    ],
    var.cache.mode == "cluster" ? [
      { title = "Cache: memory", metrics = [for node in var.cache.node_ids : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node]] },
      { title = "Cache: engine CPU", metrics = [for node in var.cache.node_ids : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", node]] },
      { title = "Cache: replication lag", metrics = [for node in var.cache.node_ids : ["AWS/ElastiCache", "ReplicationLag", "CacheClusterId", node]] },
      ] : [
      { title = "Cache: memory", metrics = [["AWS/ElastiCache", "BytesUsedForCache", "clusterId", var.name]] },
      { title = "Cache: processing units", metrics = [["AWS/ElastiCache", "ElastiCacheProcessingUnits", "clusterId", var.name]] },
    ],
    [for name, function in var.function_names :
      { title = name, metrics = [["AWS/Lambda", "Invocations", "FunctionName", function], [".", "Errors", ".", "."], [".", "Throttles", ".", "."]] }
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [
      for index, graph in local.graphs : {
        type   = "metric"
        width  = 8
        height = 6
        x      = 8 * (index % 3)
        y      = 6 * floor(index / 3)
        properties = {
          title   = graph.title
          metrics = graph.metrics
          region  = local.region
          period  = 60
          view    = "timeSeries"
        }
      }
    ]
  })
}
