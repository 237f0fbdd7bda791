variables {
  name = "poker"
}

run "defaults" {
  command = plan

  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_subnet.public) == 3
    error_message = "three zones"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "one NAT gateway, that all zones go through"
  }

  assert {
    condition     = length(distinct(concat([for subnet in aws_subnet.private : subnet.cidr_block], [for subnet in aws_subnet.public : subnet.cidr_block]))) == 6
    error_message = "no two subnets share a range"
  }

  assert {
    condition     = aws_flow_log.this[0].traffic_type == "REJECT"
    error_message = "rejected traffic is logged"
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 without the NAT gateway, nothing else that costs"
  }
}

run "nat_per_zone" {
  command = plan

  variables { egress = "nat-per-az" }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && alltrue([for zone, gateway in local.nat_of : zone == gateway])
    error_message = "each zone has its own NAT gateway"
  }
}

run "endpoints_only" {
  command = plan

  variables { egress = "endpoints" }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "no way out to the internet"
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
    error_message = "what a task needs to start"
  }
}

run "range_too_small" {
  command = plan
  variables { cidr = "10.0.0.0/24" }
  expect_failures = [var.cidr]
}

run "unknown_egress" {
  command = plan
  variables { egress = "vpn" }
  expect_failures = [var.egress]
}
