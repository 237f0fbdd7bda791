# A name and its certificate. Without a zone, both are somebody else's work.

locals {
  has_zone        = var.domain.zone_id != null
  makes_own       = var.domain.certificate_arn == null
  certificate_arn = local.makes_own ? aws_acm_certificate_validation.this[0].certificate_arn : var.domain.certificate_arn
}

resource "aws_acm_certificate" "this" {
  count = local.makes_own ? 1 : 0

  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle { create_before_destroy = true }
}

resource "aws_route53_record" "validation" {
  count = local.makes_own ? 1 : 0

  zone_id         = var.domain.zone_id
  name            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = local.makes_own ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}

resource "aws_route53_record" "server" {
  count = local.has_zone ? 1 : 0

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
