# session-validate answers at the load balancer; metrics-export runs every
# minute, on the notice that a task drains, and on demand over HTTP.

locals {
  # Secrets go by reference: SECRET_ARN_X says where the value of X is.
  functions = {
    session-validate = {
      package     = var.packages.session_validate
      timeout     = 5
      memory      = 256
      concurrency = var.concurrency
      secrets     = ["CARDROOM_REDIS__URL", "CARDROOM_AUTH__TOKEN_KEYS"]
      environment = {}
    }
    metrics-export = {
      package     = var.packages.metrics_export
      timeout     = 20
      memory      = 256
      concurrency = 3 # the schedule, a drain, a fetch
      secrets     = ["CARDROOM_REDIS__URL"]
      environment = { METRICS_NAMESPACE = var.metrics_namespace, METRICS_SERVICE = var.name }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = "${each.key} of ${var.name}"
  role                           = aws_iam_role.this[each.key].arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = ["arm64"]
  filename                       = each.value.package
  source_code_hash               = filebase64sha256(each.value.package)
  publish                        = true
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.concurrency
  layers                         = [var.secrets_layer_arn]
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = merge(
      var.environment,
      each.value.environment,
      { for name in each.value.secrets : "SECRET_ARN_${name}" => var.secret_arns[name] },
    )
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.this.id]
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this[each.key].name
    application_log_level = "INFO"
    system_log_level      = "WARN"
  }

  tracing_config {
    mode = "PassThrough"
  }

  # Without these, the first start fails.
  depends_on = [aws_iam_role_policy.this]
}

# What calls, calls the alias: it moves only when the new version is there.
resource "aws_lambda_alias" "live" {
  for_each = local.functions

  name             = "live"
  description      = "What serves"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-functions-"
  description = "Functions of ${var.name}"
  vpc_id      = var.vpc_id

  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_egress_rule" "cache" {
  security_group_id            = aws_security_group.this.id
  description                  = "Valkey"
  referenced_security_group_id = var.cache.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = min(var.cache.ports...)
  to_port                      = max(var.cache.ports...)
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "Secrets Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
