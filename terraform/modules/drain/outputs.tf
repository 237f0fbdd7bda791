output "rule_name" {
  description = "The rule that hears of tasks that leave."
  value       = aws_cloudwatch_event_rule.draining.name
}

output "event_pattern" {
  description = "What it listens for (JSON)."
  value       = aws_cloudwatch_event_rule.draining.event_pattern
}
