terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }

  # Bucket and region: terraform init -backend-config=backend.hcl
  backend "s3" {
    key          = "cardroom/staging/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
