output "url" {
  description = "Where people go."
  value       = module.cardroom.url
}

output "load_balancer" {
  description = "What a DNS record made elsewhere points to."
  value       = module.cardroom.load_balancer
}

output "service" {
  description = "Cluster, service and task definition in ECS."
  value       = module.cardroom.service
}
