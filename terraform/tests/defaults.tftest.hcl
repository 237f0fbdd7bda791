# The least that can be said, and what comes of it.

variables {
  name   = "poker"
  image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = { name = "poker.example.org", zone_id = "Z0000000EXAMPLE" }
}

run "defaults" {
  command = apply

  assert {
    condition     = length(module.network) == 1 && length(module.functions) == 0 && length(module.drain) == 0
    error_message = "a VPC of its own, and no functions"
  }

  assert {
    condition     = output.cache.mode == "cluster" && output.cache.user == "poker-a"
    error_message = "nodes that never evict"
  }

  assert {
    condition     = output.scaling.tasks == { min = 2, max = 10 }
    error_message = "two tasks at least"
  }

  assert {
    condition     = output.functions == null && output.metrics == null
    error_message = "nothing is said of what is not there"
  }
}

run "environment_of_the_server" {
  command = plan

  assert {
    condition = output.environment == {
      CARDROOM_SERVER__LISTEN           = "0.0.0.0:3000"
      CARDROOM_SERVER__ORIGINS          = "[\"https://poker.example.org\"]"
      CARDROOM_SERVER__CONNECTIONS_MAX  = "8000"
      CARDROOM_SERVER__KEEP_ALIVE_MS    = "135000"
      CARDROOM_SERVER__TRUSTED_PROXIES  = "[\"10.20.0.0/16\"]"
      CARDROOM_SERVER__DRAIN_SECONDS    = "90"
      CARDROOM_ENGINE__PING_INTERVAL_MS = "25000"
      CARDROOM_ENGINE__PING_TIMEOUT_MS  = "60000"
      CARDROOM_RECOVERY__WINDOW_SECONDS = "120"
      CARDROOM_REDIS__KEY_PREFIX        = "cardroom:"
      CARDROOM_REDIS__DURABILITY        = "strict"
      CARDROOM_REDIS__WAIT_REPLICAS     = "1"
      CARDROOM_LOG__LEVEL               = "info"
      CARDROOM_LOG__FORMAT              = "json"
    }
    error_message = "what the server is told"
  }
}

run "more_settings" {
  command = plan

  variables { settings = { CARDROOM_SESSION__TTL_MS = "3600000" } }

  assert {
    condition     = output.environment.CARDROOM_SESSION__TTL_MS == "3600000"
    error_message = "any other setting"
  }
}

run "existing_vpc" {
  command = plan

  variables {
    vpc = { existing = { id = "vpc-1", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"], public_cidrs = ["10.0.0.0/20"] } }
  }

  assert {
    condition     = length(module.network) == 0 && output.network.id == "vpc-1"
    error_message = "the given one, and none of our own"
  }
}
