output "url_secret_arn" {
  description = "Secret that holds the URL with user and password."
  value       = aws_secretsmanager_secret.url.arn

  # Whoever starts with it must find a value.
  depends_on = [aws_secretsmanager_secret_version.url]
}

output "host" {
  description = "Where the cache listens."
  value       = local.host
}

output "mode" {
  description = "`cluster` or `serverless`."
  value       = var.mode
}

output "ports" {
  description = "Ports that clients connect to."
  value       = local.ports
}

output "security_group_id" {
  description = "Security group of the cache."
  value       = aws_security_group.this.id
}

output "node_ids" {
  description = "Cache nodes, as CloudWatch names them; empty for serverless."
  value       = local.node_ids
}

output "log_group_names" {
  description = "Log groups of the cache."
  value       = aws_cloudwatch_log_group.slow[*].name
}

output "active_user" {
  description = "Which one of the two users the URL names."
  value       = aws_elasticache_user.this[local.active_user].user_name
}
