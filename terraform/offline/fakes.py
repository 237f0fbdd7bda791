"""What AWS would answer: made up, the same for the same question every time."""

import hashlib
import json

REGION = "eu-west-1"
ACCOUNT = "123456789012"
# Every secret that is made up holds this, so that a leak can be searched for.
SECRET_MARK = "stub-secret"


# Names that others look at: configurations validate them.
ID_PREFIXES = {
    "aws_security_group": "sg",
    "aws_subnet": "subnet",
    "aws_vpc": "vpc",
}
ARN_SUFFIXES = {"aws_lb": "app/stub", "aws_lb_target_group": "targetgroup/stub"}


def seed(type_name, value):
    text = type_name + json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def attribute(name, kind, type_name, mark):
    """A value for a computed attribute of that name and type."""
    service, _, noun = type_name.removeprefix("aws_").partition("_")
    if kind == "string":
        if name == "arn_suffix":
            return f"{ARN_SUFFIXES[type_name]}/{mark}"
        if name == "arn" or name.endswith("_arn"):
            service = "elasticloadbalancing" if service == "lb" else service
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{noun or 'x'}/{mark}"
        if name == "id":
            prefix = ID_PREFIXES.get(type_name, type_name.removeprefix("aws_"))
            return f"{prefix}-{mark}".replace("_", "-")
        if name == "region":
            return REGION
        if name.endswith(("address", "dns_name", "endpoint", "domain_name")):
            return f"{mark}.{service}.{REGION}.stub.test"
        return f"{name}-{mark}"
    if kind == "number":
        return 6379 if name == "port" else 1
    if kind == "bool":
        return False
    if isinstance(kind, list):
        shape, of = kind
        if shape in ("list", "set"):
            return [attribute(name, of, type_name, mark)]
        if shape == "map":
            return {}
        if shape == "object":
            return {key: attribute(key, inner, type_name, mark) for key, inner in of.items()}
    return None


def certificate_validation(value):
    """One record to prove each name of a certificate with, as ACM asks for."""
    others = value.get("subject_alternative_names")
    names = [value["domain_name"], *(others if isinstance(others, list) else [])]
    return [
        {
            "domain_name": name,
            "resource_record_name": f"_{seed('acm', name)}.{name.removeprefix('*.')}.",
            "resource_record_type": "CNAME",
            "resource_record_value": f"_{seed('acm', name)}.stub.test.",
        }
        for name in dict.fromkeys(names)
    ]


def resource(type_name, name, attribute_schema, planned, mark):
    """The value that `name` has after apply where the plan did not know it."""
    if type_name == "aws_acm_certificate" and name == "domain_validation_options":
        return certificate_validation(planned)
    return attribute(name, attribute_schema["type"], type_name, mark)


def policy_document(value):
    """The JSON that `aws_iam_policy_document` renders."""

    def one(items):
        return items[0] if len(items) == 1 else items

    statements = []
    for given in value.get("statement") or []:
        statement = {"Effect": given.get("effect") or "Allow"}
        if given.get("sid"):
            statement["Sid"] = given["sid"]
        for key, name in (
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ):
            if given.get(key):
                statement[name] = one(sorted(given[key]))
        for principal in given.get("principals") or []:
            if principal["type"] == "*":
                statement["Principal"] = "*"
            else:
                identifiers = one(sorted(principal["identifiers"]))
                statement.setdefault("Principal", {})[principal["type"]] = identifiers
        for condition in given.get("condition") or []:
            test = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
            test[condition["variable"]] = one(condition["values"])
        statements.append(statement)
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def data_source(type_name, value):
    """The attributes of a data source that are worth more than a made-up text."""
    if type_name == "aws_region":
        return {"name": REGION, "region": REGION, "id": REGION}
    if type_name == "aws_caller_identity":
        return {"account_id": ACCOUNT, "id": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    if type_name == "aws_partition":
        return {"partition": "aws", "id": "aws", "dns_suffix": "amazonaws.com"}
    if type_name == "aws_availability_zones":
        return {"names": [REGION + zone for zone in "abc"], "id": REGION}
    if type_name == "aws_iam_policy_document":
        document = policy_document(value)
        return {"json": document, "minified_json": document, "id": seed("policy", document)}
    return {}


def ephemeral(type_name, value):
    """What is read or made for one run and never kept."""
    if type_name == "aws_secretsmanager_random_password":
        length = value.get("password_length") or 32
        return {"random_password": SECRET_MARK.ljust(length, "0")[:length]}
    if type_name == "aws_secretsmanager_secret_version":
        return {"secret_string": f"{SECRET_MARK}-{seed('read', value)}"}
    return {}
