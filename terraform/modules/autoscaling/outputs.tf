output "tasks" {
  description = "The fewest and the most tasks."
  value       = { min = aws_appautoscaling_target.this.min_capacity, max = aws_appautoscaling_target.this.max_capacity }
}

output "connections_target" {
  description = "Connections of a task that scaling aims at."
  value       = var.connections_per_task
}

output "policy_names" {
  description = "The scaling policies."
  value       = [aws_appautoscaling_policy.connections.name, aws_appautoscaling_policy.cpu.name]
}
