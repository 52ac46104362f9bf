"""The JSON that `flux doctor` prints: beside it, the schema would load the network."""

from flux_cli.core.lite import SCHEMA

FOUND: dict[str, object] = {
    "name": "text",
    "state": ("ok", "warning", "problem"),
    "message": "text",
    "hint": "text?",
}
DIAGNOSIS: dict[str, object] = {
    "schema": (SCHEMA,),
    "status": ("ok", "failed"),
    "exit_code": "integer",
    "checks": ["#check"],
}
