# Made here, kept in Secrets Manager, in neither plan nor state. What somebody
# writes there by hand stays until the generation changes.

locals {
  secret_descriptions = {
    token_keys    = "Keys that sign player tokens"
    shared_secret = "What the instances prove to each other that they belong together with"
  }
}

ephemeral "aws_secretsmanager_random_password" "made" {
  for_each = local.secret_descriptions

  password_length     = 64
  exclude_punctuation = true # it stands in quotes
}

resource "aws_secretsmanager_secret" "made" {
  for_each = local.secret_descriptions

  name                    = "${var.name}/${replace(each.key, "_", "-")}"
  description             = "${each.value} of ${var.name}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "made" {
  for_each = local.secret_descriptions

  secret_id = aws_secretsmanager_secret.made[each.key].id
  secret_string_wo = (each.key == "token_keys"
    ? format("[{kid=\"g%d\", secret=\"%s\"}]", var.secret_generations.token_keys, ephemeral.aws_secretsmanager_random_password.made[each.key].random_password)
    : ephemeral.aws_secretsmanager_random_password.made[each.key].random_password
  )
  secret_string_wo_version = var.secret_generations[each.key]
}
