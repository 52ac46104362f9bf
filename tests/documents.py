"""Check JSON documents against `flux schema`: all keys it promises, and no others."""

from functools import cache

import jsonschema

from flux_cli.commands.schema import schema_document as schema


def closed(node):
    """The schema without room for unnamed keys. The published one is open; tests are stricter."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    rest = (
        {"additionalProperties": False}
        if "properties" in node and "additionalProperties" not in node
        else {}
    )
    return {name: closed(value) for name, value in node.items()} | rest


@cache
def validator(command, shut):
    whole = closed(schema(command)) if shut else schema(command)
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole)


def check(document, command=None):
    """Raise the ValidationError that says best what is wrong with a document."""
    for shut in (False, True):  # as readers have it, and with every key described
        if fault := jsonschema.exceptions.best_match(
            validator(command, shut).iter_errors(document)
        ):
            raise fault
