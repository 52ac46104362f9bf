"""Reads graphs of ComfyUI's editor, the `workflow` of a file, as the graph that is carried out.

The editor keeps the values of a node as a list without names. They are named only where it is
certain which is which: by the file itself, or for nodes of ComfyUI whose values are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.images.metadata.record import parse_json

EditorNode: TypeAlias = Mapping[str, Json]

MUTED, BYPASSED = 2, 4  # modes of nodes that are not carried out
MAX_HOPS = 30  # links that are followed through nodes that only pass a value on
MAX_SLOTS = 100  # inputs of a node
MAX_LINKS = 10_000  # of a graph that is read; real ones have some hundreds
REROUTE, PRIMITIVE = "Reroute", "PrimitiveNode"  # nodes that only the editor has
NESTED = ("workflow>", "workflow/")  # begin the types of nodes that stand for a graph of their own
SEEDS = ("seed", "noise_seed", "value")
PLAIN = (str, int, float)  # kinds of values; a list would look like a link
CONTROLS = ("fixed", "increment", "decrement", "randomize")  # what the editor keeps behind a seed
# The values of nodes, in the order of the editor.
VALUES: dict[str, tuple[str, ...]] = {
    "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        "add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "start_at_step",
        "end_at_step", "return_with_leftover_noise",
    ),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "RandomNoise": ("noise_seed",),
    "FluxGuidance": ("guidance",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSDXL": (
        "width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l",
    ),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "PrimitiveInt": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
    "SaveImage": ("filename_prefix",),
}  # fmt: skip


def documents(texts: Mapping[str, str], name: str) -> Iterator[Json]:
    """The JSON under a name, and in EXIF, where the name stands before it."""
    yield parse_json(texts.get(name, ""))
    start = f"{name}:"
    for field, text in texts.items():
        if field.startswith("exif:") and text[: len(start)].lower() == start:
            yield parse_json(text[len(start) :])


def carried_out(document: Json) -> dict[str, Json]:
    """The graph that an editor's graph stands for, in the form of `prompt`; empty if it is none.

    The nodes of a graph with graphs inside it have no inputs: what is certain of them is not known.
    """
    graph = _Graph(document)
    found: dict[str, Json] = {}
    for number, node in graph.nodes.items():
        inputs = {} if graph.is_nested else graph.inputs(node)
        if node.get("mode") not in (MUTED, BYPASSED):
            found[number] = {"class_type": _type(node), "inputs": inputs}
    return found


class _Link(NamedTuple):
    """Where the value of a link comes from, and its kind, such as `CONDITIONING`."""

    node: str
    slot: int
    kind: str


class _Graph:
    """The nodes and links of an editor's graph, by number."""

    def __init__(self, document: Json) -> None:
        self.nodes: dict[str, EditorNode] = {}
        self._links: dict[str, _Link] = {}
        self._origins: dict[str, Json] = {}  # of links that were followed
        self.is_nested = False
        if not isinstance(document, Mapping):
            return
        nodes, links = document.get("nodes"), document.get("links")
        if not isinstance(nodes, list) or not isinstance(links, list) or len(links) > MAX_LINKS:
            return
        typed = [one for one in nodes if isinstance(one, Mapping) and "type" in one]
        self.nodes = {str(one.get("id")): one for one in typed}
        for number, link in map(_read_link, links):
            self._links[number] = link
        definitions = document.get("definitions")
        has_own = isinstance(definitions, Mapping) and bool(definitions.get("subgraphs"))
        self.is_nested = has_own or any(
            _type(one).startswith(NESTED) for one in self.nodes.values()
        )

    def inputs(self, node: EditorNode) -> dict[str, Json]:
        """The inputs of a node: its values, and the links that replace some of them."""
        found = _values(node)
        for one in _slots(node):
            if one.get("link") is not None:
                name = str(one.get("name"))
                found.pop(name, None)
                origin = self._origin(str(one["link"]))
                if origin is not None:
                    found[name] = origin
        return found

    def _origin(self, number: str) -> Json:
        """What a link leads to: a node and its slot, or a plain value; None for nothing."""
        if number not in self._origins:
            self._origins[number] = self._follow(number)
        return self._origins[number]

    def _follow(self, number: str) -> Json:
        for _ in range(MAX_HOPS):
            link = self._links.get(number)
            node = self.nodes.get(link.node) if link else None
            if link is None or node is None or node.get("mode") == MUTED:
                return None
            if _type(node) == PRIMITIVE:
                return next(iter(_plain_values(node)), None)
            if node.get("mode") != BYPASSED and _type(node) != REROUTE:
                return [link.node, link.slot]
            number = _passed(node, link)
        return None


def _read_link(link: Json) -> tuple[str, _Link]:
    """The number of a link, and its origin. Links are lists, or objects in newer files."""
    if isinstance(link, Mapping):
        link = [link.get(name) for name in ("id", "origin_id", "origin_slot", "", "", "type")]
    if not isinstance(link, list) or len(link) < 6 or not isinstance(link[2], int):
        return "", _Link("", 0, "")
    return str(link[0]), _Link(str(link[1]), link[2], str(link[5]))


def _passed(node: EditorNode, link: _Link) -> str:
    """The number of the link whose value a bypassed node passes on; "" for none.

    It is that of the input at the same place, or else the first, of the same kind.
    """
    slots = _slots(node)
    for one in [*slots[link.slot : link.slot + 1], *slots]:
        if _type(node) == REROUTE or one.get("type") == link.kind:
            return str(one.get("link"))
    return ""


def _values(node: EditorNode) -> dict[str, Json]:
    """The values of a node by name; a name that is not known is a number."""
    values = node.get("widgets_values")
    if isinstance(values, Mapping):
        return {name: value for name, value in values.items() if isinstance(value, PLAIN)}
    plain = _plain_values(node)
    from_file = [str(one.get("name")) for one in _slots(node) if one.get("widget")]
    for names in (VALUES.get(_type(node), ()), tuple(from_file)):
        if named := _named(names, plain):
            return named
    return {f"value {number}": value for number, value in enumerate(plain)}


def _named(names: tuple[str, ...], values: list[Json]) -> dict[str, Json]:
    """Values under these names, or nothing if there are more of one than of the other."""
    found: dict[str, Json] = {}
    left, last = list(names), ""
    for value in values:
        if last in SEEDS and value in CONTROLS:
            last = ""
            continue
        if not left:
            return {}
        last = left.pop(0)
        found[last] = value
    return {} if left else found


def _plain_values(node: EditorNode) -> list[Json]:
    """The values of a node that lists them; None for those that are tables or lists."""
    values = node.get("widgets_values")
    return list(map(_plain, values)) if isinstance(values, list) else []


def _plain(value: Json) -> Json:
    return value if isinstance(value, PLAIN) else None


def _slots(node: EditorNode) -> list[Mapping[str, Json]]:
    """The inputs of a node as the editor lists them."""
    inputs = node.get("inputs")
    listed = inputs if isinstance(inputs, list) else []
    return [one for one in listed[:MAX_SLOTS] if isinstance(one, Mapping)]


def _type(node: EditorNode) -> str:
    return str(node.get("type"))
