output "function_names" {
  description = "The functions' names in AWS, by their own."
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "function_arns" {
  description = "What is called: the aliases."
  value       = { for name, alias in aws_lambda_alias.live : name => alias.arn }
}

output "alias_name" {
  description = "Name of the aliases."
  value       = aws_lambda_alias.live["metrics-export"].name
}

output "environments" {
  description = "What each function finds in its environment."
  value       = { for name, function in aws_lambda_function.this : name => function.environment[0].variables }
}

output "security_group_id" {
  description = "Security group of the functions."
  value       = aws_security_group.this.id
}

output "metrics_namespace" {
  description = "Namespace of the exported metrics."
  value       = var.metrics_namespace
}

output "metrics_url" {
  description = "Where the figures can be fetched, signed with IAM; null when not."
  value       = one(aws_lambda_function_url.metrics[*].function_url)
}

output "log_group_names" {
  description = "Log groups of the functions."
  value       = [for group in aws_cloudwatch_log_group.this : group.name]
}
