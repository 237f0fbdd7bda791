output "dns_name" {
  description = "The load balancer's own name; what an outside DNS record points to."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Route 53 zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "arn_suffix" {
  description = "The load balancer, as CloudWatch names it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Where tasks register."
  value       = aws_lb_target_group.server.arn

  # ECS refuses a target group that no load balancer uses.
  depends_on = [aws_lb_listener.https]
}

output "target_group_arn_suffix" {
  description = "The target group, as CloudWatch names it."
  value       = aws_lb_target_group.server.arn_suffix
}

output "listener_arn" {
  description = "The HTTPS listener, for more rules."
  value       = aws_lb_listener.https.arn
}

output "security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.this.id
}

output "idle_timeout_seconds" {
  description = "How long a connection may be silent."
  value       = aws_lb.this.idle_timeout
}

output "drain_seconds" {
  description = "How long a leaving target keeps its connections."
  value       = tonumber(aws_lb_target_group.server.deregistration_delay)
}

output "log_group_names" {
  description = "Log groups of the firewall."
  value       = aws_cloudwatch_log_group.waf[*].name
}
