variables {
  name                      = "poker"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2"]
  client_security_group_ids = { tasks = "sg-1" }
}

run "cluster_is_the_default" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this[0].transit_encryption_mode == "required" && aws_elasticache_replication_group.this[0].transit_encryption_enabled
    error_message = "TLS must be required"
  }

  assert {
    condition     = tobool(aws_elasticache_replication_group.this[0].at_rest_encryption_enabled)
    error_message = "data at rest must be encrypted"
  }

  assert {
    condition     = one([for parameter in aws_elasticache_parameter_group.this[0].parameter : parameter.value if parameter.name == "maxmemory-policy"]) == "noeviction"
    error_message = "the server does not start on a cache that evicts"
  }

  assert {
    condition     = aws_elasticache_replication_group.this[0].multi_az_enabled && aws_elasticache_replication_group.this[0].automatic_failover_enabled
    error_message = "a replica in another zone takes over"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.client["tasks"].from_port == 6379 && aws_vpc_security_group_ingress_rule.client["tasks"].to_port == 6379
    error_message = "only the port of the cache"
  }

  assert {
    condition     = output.node_ids == tolist(["poker-0001-001", "poker-0001-002", "poker-0001-003"])
    error_message = "nodes as CloudWatch names them"
  }
}

run "users_have_what_they_need" {
  command = plan

  assert {
    condition     = strcontains(local.access, "~cardroom:*") && strcontains(local.access, "&cardroom:*") && !strcontains(local.access, "allkeys") && !strcontains(local.access, "~* ")
    error_message = "keys and channels of the prefix, no others"
  }

  assert {
    condition     = strcontains(local.access, "-@all") && strcontains(local.access, "-@dangerous") && !strcontains(local.access, "+@all") && !strcontains(local.access, "+@dangerous") && !strcontains(local.access, "+@admin")
    error_message = "commands by permission, not by prohibition"
  }
}

run "serverless" {
  command = plan

  variables { mode = "serverless" }

  assert {
    condition     = length(aws_elasticache_replication_group.this) == 0 && aws_elasticache_serverless_cache.this[0].engine == "valkey"
    error_message = "serverless instead of nodes"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.client["tasks"].to_port == 6380
    error_message = "serverless has its reader on 6380"
  }

  assert {
    condition     = one(aws_elasticache_serverless_cache.this[0].cache_usage_limits[*].data_storage[0].maximum) == 5
    error_message = "a limit on what it may cost"
  }
}

run "first_generation" {
  command = plan

  assert {
    condition     = local.active_user == "a" && local.generation == { a = 1, b = 1 }
    error_message = "the first user, both with a password"
  }
}

run "second_generation_leaves_the_first_user_alone" {
  command = plan

  variables { password_generation = 2 }

  assert {
    condition     = local.active_user == "b" && local.generation == { a = 1, b = 2 }
    error_message = "the other user takes over; the password that is in use stays"
  }
}

run "third_generation" {
  command = plan

  variables { password_generation = 3 }

  assert {
    condition     = local.active_user == "a" && local.generation == { a = 2, b = 2 }
    error_message = "back to the first, with a new password"
  }
}

run "apply_keeps_the_url_out" {
  command = apply

  assert {
    condition     = aws_secretsmanager_secret_version.url.secret_string_wo == null && aws_elasticache_user.this["a"].passwords_wo == null
    error_message = "secrets are written, never kept"
  }

  assert {
    condition     = output.active_user == "poker-a"
    error_message = "the user that the URL names"
  }
}

run "bad_mode" {
  command = plan
  variables { mode = "standalone" }
  expect_failures = [var.mode]
}

run "bad_prefix" {
  command = plan
  variables { key_prefix = "*" }
  expect_failures = [var.key_prefix]
}

run "one_subnet" {
  command = plan
  variables { subnet_ids = ["subnet-1"] }
  expect_failures = [var.subnet_ids]
}
