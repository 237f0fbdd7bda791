# ECS takes a task out of the load balancer first and sends SIGTERM only when
# its connections have ended or the deregistration delay has passed: by then a
# server that drains on SIGTERM has nobody left to say goodbye to. So the
# moment when it begins is told to the function, and by it to the instance.

resource "aws_cloudwatch_event_rule" "draining" {
  name        = "${var.name}-draining"
  description = "A task of ${var.name} leaves the load balancer"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [var.cluster_arn]
      group      = ["service:${var.service_name}"]
      lastStatus = ["DEACTIVATING"]
    }
  })
}

resource "aws_cloudwatch_event_target" "draining" {
  rule = aws_cloudwatch_event_rule.draining.name
  arn  = var.function.arn

  # After a minute most of the window has gone.
  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 2
  }
}

resource "aws_lambda_permission" "draining" {
  statement_id  = "draining"
  action        = "lambda:InvokeFunction"
  function_name = var.function.name
  qualifier     = var.function.alias
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.draining.arn
}
