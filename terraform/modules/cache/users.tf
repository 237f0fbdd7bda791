# Two users, of whom one is in use. A change of generation gives the other one
# a new password and puts it into the URL: what still runs with the old URL
# goes on, and nobody is locked out while tasks are replaced.

locals {
  generation  = { a = floor((var.password_generation + 1) / 2), b = floor(var.password_generation / 2) + 1 }
  active_user = var.password_generation % 2 == 1 ? "a" : "b"

  # Every command that the server and the functions send, by group and by name:
  # no KEYS, no FLUSHALL, no CONFIG, nothing outside of the prefix.
  access = join(" ", [
    "on",
    "~${var.key_prefix}*",
    "&${var.key_prefix}*",
    "-@all",
    "+@read +@write +@stream +@transaction +@connection +@pubsub +@scripting",
    "-@dangerous -scan -randomkey -script|flush -script|kill",
    "+info +role +time +wait",
    "+cluster|info +cluster|slots +cluster|shards +cluster|nodes +cluster|myid",
  ])
}

ephemeral "aws_secretsmanager_random_password" "user" {
  for_each = local.generation

  password_length     = 48
  exclude_punctuation = true # it stands in a URL
}

resource "aws_secretsmanager_secret" "password" {
  for_each = local.generation

  name                    = "${var.name}/valkey-password-${each.key}"
  description             = "Password of the Valkey user ${var.name}-${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "password" {
  for_each = local.generation

  secret_id                = aws_secretsmanager_secret.password[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.user[each.key].random_password
  secret_string_wo_version = each.value
}

# Read back rather than used as made: an apply that was cut off in the middle
# and is repeated gives the user the password that was kept.
ephemeral "aws_secretsmanager_secret_version" "password" {
  for_each = local.generation

  secret_id  = aws_secretsmanager_secret_version.password[each.key].secret_id
  version_id = aws_secretsmanager_secret_version.password[each.key].version_id
}

resource "aws_elasticache_user" "this" {
  for_each = local.generation

  user_id              = "${var.name}-${each.key}"
  user_name            = "${var.name}-${each.key}"
  engine               = "valkey"
  access_string        = local.access
  passwords_wo         = ephemeral.aws_secretsmanager_secret_version.password[each.key].secret_string
  passwords_wo_version = each.value
}

resource "aws_secretsmanager_secret" "url" {
  name                    = "${var.name}/redis-url"
  description             = "Where the sessions of ${var.name} live, with user and password"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id = aws_secretsmanager_secret.url.id
  secret_string_wo = format(
    "rediss://%s:%s@%s:6379",
    aws_elasticache_user.this[local.active_user].user_name,
    ephemeral.aws_secretsmanager_secret_version.password[local.active_user].secret_string,
    local.host,
  )
  secret_string_wo_version = var.password_generation
}
