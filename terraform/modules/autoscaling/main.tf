# As many tasks as connections need. A request count would not do: a socket is
# one request, whatever it carries for hours.

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster_name}/${var.service_name}"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

resource "aws_appautoscaling_policy" "connections" {
  name               = "${var.name}-connections"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.connections_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = var.scale_in.cooldown_seconds
    disable_scale_in   = !var.scale_in.enabled

    # While the function cannot read it, there is no figure, and nothing is scaled.
    dynamic "customized_metric_specification" {
      for_each = var.metric == "exported" ? [true] : []

      content {
        namespace   = var.metrics_namespace
        metric_name = "ConnectionsPerTask"
        statistic   = "Average"

        dimensions {
          name  = "Service"
          value = var.name
        }
      }
    }

    dynamic "customized_metric_specification" {
      for_each = var.metric == "load-balancer" ? [true] : []

      content {
        metrics {
          id          = "connections"
          return_data = false

          metric_stat {
            stat = "Sum"

            metric {
              namespace   = "AWS/ApplicationELB"
              metric_name = "ActiveConnectionCount"

              dimensions {
                name  = "LoadBalancer"
                value = var.load_balancer_arn_suffix
              }
            }
          }
        }

        metrics {
          id          = "tasks"
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = "ECS/ContainerInsights"
              metric_name = "RunningTaskCount"

              dimensions {
                name  = "ClusterName"
                value = var.cluster_name
              }

              dimensions {
                name  = "ServiceName"
                value = var.service_name
              }
            }
          }
        }

        # The load balancer counts both of its sides.
        metrics {
          id          = "each"
          label       = "Connections of a task"
          expression  = "connections / tasks / 2"
          return_data = true
        }
      }
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.cpu_target_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = var.scale_in.cooldown_seconds
    disable_scale_in   = !var.scale_in.enabled

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
