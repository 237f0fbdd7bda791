"""A provider that has the names and types of AWS' and calls nobody."""

import fakes
import rules
import schema
import tfplugin5_pb2 as pb
import tfplugin5_pb2_grpc
from schema import UNKNOWN, decode, encode, is_known


class StubProvider(tfplugin5_pb2_grpc.ProviderServicer):
    """One run of Terraform. Keeps nothing but the provider's default tags:
    the state file is the only memory, as with the real one."""

    def __init__(self, schemas):
        self.resources = schemas["resource_schemas"]
        self.data_sources = schemas["data_source_schemas"]
        self.ephemerals = schemas["ephemeral_resource_schemas"]
        self.default_tags = {}
        self.told = _told(schemas)

    def GetSchema(self, request, context):
        return self.told

    def PrepareProviderConfig(self, request, context):
        return pb.PrepareProviderConfig.Response(prepared_config=request.config)

    def Configure(self, request, context):
        blocks = (decode(request.config) or {}).get("default_tags") or []
        self.default_tags = {}
        for block in blocks:
            if isinstance(block.get("tags"), dict):
                self.default_tags |= block["tags"]
        return pb.Configure.Response()

    def ValidateResourceTypeConfig(self, request, context):
        response = pb.ValidateConfig.Response()
        value = decode(request.config) or {}
        for attribute, message in rules.broken(request.type_name, value):
            found = response.diagnostics.add(severity=1, summary="Invalid value", detail=message)
            if attribute:
                found.attribute.steps.add(attribute_name=attribute)
        return response

    def ValidateDataSourceConfig(self, request, context):
        return pb.ValidateConfig.Response()

    def ValidateEphemeralResourceConfig(self, request, context):
        return pb.ValidateConfig.Response()

    def UpgradeResourceState(self, request, context):
        state = pb.DynamicValue(json=request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=state)

    def ReadResource(self, request, context):
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def PlanResourceChange(self, request, context):
        proposed = decode(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=_value(None))

        def planned(name, attribute, value):
            if attribute.get("write_only"):
                return None
            return UNKNOWN if value is None and attribute.get("computed") else value

        out = schema.rewrite(self.resources[request.type_name]["block"], proposed, planned)
        if "tags_all" in out and is_known(out.get("tags")):
            out["tags_all"] = self.default_tags | (out.get("tags") or {})
        if out.get("region") is UNKNOWN:
            out["region"] = fakes.REGION
        # AWS' provider is built on the SDK that needs this leniency as well.
        return pb.PlanResourceChange.Response(planned_state=_value(out), legacy_type_system=True)

    def ApplyResourceChange(self, request, context):
        planned = decode(request.planned_state)
        if planned is None:
            return pb.ApplyResourceChange.Response(new_state=_value(None))
        kind = request.type_name
        mark = fakes.seed(kind, {key: item for key, item in planned.items() if is_known(item)})

        def applied(name, attribute, value):
            if value is not UNKNOWN:
                return value
            return fakes.resource(kind, name, attribute, planned, mark)

        out = schema.rewrite(self.resources[kind]["block"], planned, applied)
        return pb.ApplyResourceChange.Response(new_state=_value(out), legacy_type_system=True)

    def ReadDataSource(self, request, context):
        value = decode(request.config)
        state = _answer(self.data_sources, request.type_name, value, fakes.data_source)
        return pb.ReadDataSource.Response(state=_value(state))

    def OpenEphemeralResource(self, request, context):
        value = decode(request.config)
        result = _answer(self.ephemerals, request.type_name, value, fakes.ephemeral)
        return pb.OpenEphemeralResource.Response(result=_value(result))

    def CloseEphemeralResource(self, request, context):
        return pb.CloseEphemeralResource.Response()

    def Stop(self, request, context):
        return pb.Stop.Response()


def _answer(schemas, type_name, value, ask):
    """`value` with what AWS would add."""
    known = ask(type_name, value)
    mark = fakes.seed(type_name, value)

    def answered(name, attribute, item):
        if item is not None or not attribute.get("computed"):
            return item
        if name in known:
            return known[name]
        return fakes.attribute(name, attribute["type"], type_name, mark)

    return schema.rewrite(schemas[type_name]["block"], value, answered)


def _value(value):
    return pb.DynamicValue(msgpack=encode(value))


_TOLD = {}


def _told(schemas):
    """The answer to GetSchema, which is the same for every run."""
    key = id(schemas)
    if key not in _TOLD:
        response = pb.GetProviderSchema.Response(
            provider=schema.to_message(pb, schemas["provider"]),
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
        )
        for name in ("resource_schemas", "data_source_schemas", "ephemeral_resource_schemas"):
            told = getattr(response, name)
            for type_name, one in schemas[name].items():
                told[type_name].CopyFrom(schema.to_message(pb, one))
        _TOLD[key] = response
    return _TOLD[key]
