output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one a zone."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets of tasks, functions and cache, one a zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "nat_addresses" {
  description = "Public addresses that the private subnets are seen from; empty with endpoints."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
