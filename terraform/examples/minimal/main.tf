# The least that runs: a name, an image, a domain in Route 53. No functions;
# scaling goes by the load balancer's count.

provider "aws" {
  region = "eu-west-1"
}

module "cardroom" {
  source = "../.."

  name   = "cardroom"
  image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = { name = "poker.example.org", zone_id = "Z0000000EXAMPLE" }
}

output "url" {
  description = "Where people go."
  value       = module.cardroom.url
}
