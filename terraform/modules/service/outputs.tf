output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The ECS cluster's ARN."
  value       = aws_ecs_cluster.this.arn
}

output "service_name" {
  description = "The ECS service."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "What the service runs now."
  value       = aws_ecs_task_definition.this.arn
}

output "container_definitions" {
  description = "The container, as ECS gets it (JSON); secrets by their ARNs."
  value       = aws_ecs_task_definition.this.container_definitions
}

output "environment" {
  description = "Settings of the server that are no secret, as its container has them."
  value       = { for entry in local.definition.environment : entry.name => entry.value }
}

output "stop_timeout_seconds" {
  description = "From SIGTERM to SIGKILL, as the container has it."
  value       = local.definition.stopTimeout
}

output "task_role_arn" {
  description = "Role of the server; it has no policy."
  value       = aws_iam_role.task.arn
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.this.id
}

output "secret_arns" {
  description = "Secrets of the server, by the environment names that it reads them from."
  value       = local.secrets
}

output "log_group_names" {
  description = "Log group of the server."
  value       = [aws_cloudwatch_log_group.this.name]
}
