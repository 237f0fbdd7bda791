# What is refused before anything is made.

variables {
  name   = "poker"
  image  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cardroom@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  domain = { name = "poker.example.org", zone_id = "Z0000000EXAMPLE" }
}

run "name_too_long" {
  command = plan
  variables { name = "a-name-that-no-load-balancer-takes" }
  expect_failures = [var.name]
}

run "image_by_tag" {
  command = plan
  variables { image = "cardroom:latest" }
  expect_failures = [var.image]
}

run "domain_with_scheme" {
  command = plan
  variables { domain = { name = "https://poker.example.org", zone_id = "Z1" } }
  expect_failures = [var.domain]
}

run "domain_without_proof" {
  command = plan
  variables { domain = { name = "poker.example.org" } }
  expect_failures = [var.domain]
}

run "existing_vpc_with_one_subnet" {
  command = plan
  variables { vpc = { existing = { id = "vpc-1", public_subnet_ids = ["subnet-1"], private_subnet_ids = ["subnet-2"], public_cidrs = ["10.0.0.0/20"] } } }
  expect_failures = [var.vpc]
}

run "any_origin" {
  command = plan
  variables { origins = ["*"] }
  expect_failures = [var.origins]
}

run "idle_timeout_within_heartbeat" {
  command = plan
  variables { idle_timeout_seconds = 85 }
  expect_failures = [var.idle_timeout_seconds]
}

run "heartbeat_beyond_idle_timeout" {
  command = plan
  variables { heartbeat = { interval_seconds = 60, timeout_seconds = 60 } }
  expect_failures = [var.idle_timeout_seconds]
}

run "stop_before_the_drain_has_ended" {
  command = plan
  variables { drain = { window_seconds = 115, stop_timeout_seconds = 120 } }
  expect_failures = [var.drain]
}

run "stop_beyond_fargate" {
  command = plan
  variables { drain = { window_seconds = 300, stop_timeout_seconds = 400 } }
  expect_failures = [var.drain]
}

run "one_task" {
  command = plan
  variables { capacity = { tasks_min = 1 } }
  expect_failures = [var.capacity]
}

run "no_such_fargate_size" {
  command = plan
  variables { capacity = { cpu = 1024, memory = 1024 } }
  expect_failures = [var.capacity]
}

run "nothing_left_for_a_lost_task" {
  command = plan
  variables { scaling = { target_ratio = 1 } }
  expect_failures = [var.scaling]
}

run "strict_without_a_replica_to_lose" {
  command = plan
  variables { cache = { replicas = 1 } }
  expect_failures = [var.cache]
}

run "strict_and_serverless" {
  command = plan
  variables { cache = { mode = "serverless" } }
  expect_failures = [var.cache]
}

run "secret_among_settings" {
  command = plan
  variables { settings = { CARDROOM_AUTH__TOKEN_KEYS = "[]" } }
  expect_failures = [var.settings]
}

run "setting_of_another_variable" {
  command = plan
  variables { settings = { CARDROOM_SERVER__DRAIN_SECONDS = "5" } }
  expect_failures = [var.settings]
}

run "retention_that_nobody_knows" {
  command = plan
  variables { logs = { retention_days = 42 } }
  expect_failures = [var.logs]
}

run "topic_that_is_none" {
  command = plan
  variables { alarms_topic_arn = "on-call" }
  expect_failures = [var.alarms_topic_arn]
}

run "key_that_is_none" {
  command = plan
  variables { kms_key_arn = "alias/cardroom" }
  expect_failures = [var.kms_key_arn]
}

run "generation_zero" {
  command = plan
  variables { secret_generations = { redis_url = 0 } }
  expect_failures = [var.secret_generations]
}
