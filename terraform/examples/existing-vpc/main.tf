# Into a VPC that is there, only for the company's own addresses, with a
# serverless cache (read in the README what that gives up).

provider "aws" {
  region = "eu-west-1"
}

module "cardroom" {
  source = "../.."

  name   = "cardroom"
  image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = { name = "poker.example.org", zone_id = "Z0000000EXAMPLE" }

  vpc = {
    existing = {
      id                 = "vpc-0123456789abcdef0"
      public_subnet_ids  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
      private_subnet_ids = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
      public_cidrs       = ["10.0.0.0/20"]
    }
  }

  allowed_cidrs = ["198.51.100.0/24"]
  cache         = { mode = "serverless", durability = "fast" }
}

output "url" {
  description = "Where people go."
  value       = module.cardroom.url
}
