# The public load balancer: TLS ends here. Any instance answers for any
# connection, so nothing is sticky.

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-edge-"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.vpc_id

  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.this.id
  description       = "HTTPS and WSS"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.this.id
  description       = "HTTP, sent on to HTTPS"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  security_group_id            = aws_security_group.this.id
  description                  = "Tasks"
  referenced_security_group_id = var.task_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.task_port
  to_port                      = var.task_port
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.this.id]
  idle_timeout               = var.idle_timeout_seconds
  client_keep_alive          = 3600
  preserve_host_header       = true # the server compares Origin and Host
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  enable_zonal_shift         = true
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]

    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }

  dynamic "connection_logs" {
    for_each = var.access_logs_bucket[*]

    content {
      bucket  = connection_logs.value
      prefix  = "${var.name}-connections"
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "server" {
  # A name of its own each time: a new one is made before the old one goes.
  name_prefix = "${substr(var.name, 0, 5)}-"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.task_port

  # How long a leaving task keeps its connections; ECS sends SIGTERM only after.
  deregistration_delay = var.drain_seconds

  # Sockets live for hours: by turns, a new task would stay nearly empty.
  load_balancing_algorithm_type = "least_outstanding_requests"

  stickiness {
    type    = "lb_cookie"
    enabled = false
  }

  # Whether it lives, not whether it is ready: while Redis is away, nobody
  # should replace all tasks.
  health_check {
    path                = "/healthz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn   = local.certificate_arn

  routing_http_response_server_enabled                         = false
  routing_http_response_strict_transport_security_header_value = "max-age=31536000"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.server.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
