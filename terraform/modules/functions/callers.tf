# Who calls the functions: the load balancer, the schedule, and with IAM
# whoever may fetch the figures.

resource "aws_lb_target_group" "validate" {
  name                               = "${var.name}-validate"
  target_type                        = "lambda"
  lambda_multi_value_headers_enabled = true
}

resource "aws_lambda_permission" "load_balancer" {
  statement_id  = "load-balancer"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["session-validate"].function_name
  qualifier     = aws_lambda_alias.live["session-validate"].name
  principal     = "elasticloadbalancing.amazonaws.com"
  source_arn    = aws_lb_target_group.validate.arn
}

resource "aws_lb_target_group_attachment" "validate" {
  target_group_arn = aws_lb_target_group.validate.arn
  target_id        = aws_lambda_alias.live["session-validate"].arn

  depends_on = [aws_lambda_permission.load_balancer]
}

resource "aws_lb_listener_rule" "validate" {
  listener_arn = var.listener_arn
  priority     = 10

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.validate.arn
  }

  condition {
    path_pattern {
      values = ["/api/v1/sessions/validate"]
    }
  }
}

data "aws_iam_policy_document" "scheduler_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Nobody else's schedule gets this role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_alias.live["metrics-export"].arn]
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-scheduler"
  description        = "Calls metrics-export of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.scheduler_assume.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "call"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_scheduler_schedule" "metrics" {
  name                = "${var.name}-metrics"
  description         = "Figures of ${var.name}, every minute"
  schedule_expression = "rate(1 minute)"
  kms_key_arn         = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_alias.live["metrics-export"].arn
    role_arn = aws_iam_role.scheduler.arn

    # A late figure is worse than none.
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }
}

resource "aws_lambda_function_url" "metrics" {
  count = var.metrics_url ? 1 : 0

  function_name      = aws_lambda_function.this["metrics-export"].function_name
  qualifier          = aws_lambda_alias.live["metrics-export"].name
  authorization_type = "AWS_IAM"
}
