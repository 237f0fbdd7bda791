# Who may speak with a task, and with whom it may speak.

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-task-"
  description = "Tasks of ${var.name}"
  vpc_id      = var.vpc_id

  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "edge" {
  security_group_id            = aws_security_group.this.id
  description                  = "Load balancer"
  referenced_security_group_id = var.edge_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

# Any instance answers for any connection: it passes requests on to the one
# that has it.
resource "aws_vpc_security_group_ingress_rule" "peers" {
  security_group_id            = aws_security_group.this.id
  description                  = "Other instances"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_vpc_security_group_egress_rule" "peers" {
  security_group_id            = aws_security_group.this.id
  description                  = "Other instances"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_vpc_security_group_egress_rule" "cache" {
  security_group_id            = aws_security_group.this.id
  description                  = "Valkey"
  referenced_security_group_id = var.cache.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = min(var.cache.ports...)
  to_port                      = max(var.cache.ports...)
}

# The agent on the task's address pulls the image, reads secrets, writes logs.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "AWS' services"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
