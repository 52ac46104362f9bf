"""Reads the parameters that image generators write: AUTOMATIC1111, ComfyUI, InvokeAI and others.

Each reader takes the texts of an image by keyword. It returns a record, or None if its program did
not write them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from flux_cli.core.model import Json
from flux_cli.images.metadata.record import BY_MODEL, Record, parse_json

Texts = Mapping[str, str]
Node = Mapping[str, Json]  # of ComfyUI: `class_type`, and `inputs`, which are values or links
LONGEST_LINE = 100_000  # characters that are read of `Steps: 20, Seed: 7, ...`
MAX_HOPS = 50  # links from a sampler to its text; real graphs need a handful
_PAIR = re.compile(r'([A-Za-z][\w /()-]{0,60}): ("(?:[^"\\]|\\.)*"|[^,]*)(?:, |,|$)')
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_PIXELS = re.compile(r"\d{1,6}x\d{1,6}")


def automatic1111(texts: Texts) -> Record | None:
    """`parameters` of a PNG, or the same text in the EXIF user comment or the comment of a GIF."""
    text = texts.get("parameters") or texts.get("exif:UserComment") or texts.get("comment") or ""
    head, _, line = text.strip().rpartition("\n")
    pairs = dict(_pairs(line[:LONGEST_LINE]))
    if "Size" not in pairs or len(pairs) < 3:
        return None
    prompt, _, negative = head.partition("\nNegative prompt: ")
    if head.startswith("Negative prompt: "):
        prompt, negative = "", head.removeprefix("Negative prompt: ")
    own_fields = ("Seed", "Size", "Model", "Version")
    rest = {name: value for name, value in pairs.items() if name not in own_fields}
    return _record(
        {
            "model": pairs.get("Model"),
            "prompt": prompt.strip(),
            "negative_prompt": negative.strip(),
            "seed": pairs.get("Seed"),
            "size": pairs["Size"],
            "tool": pairs.get("Version"),
        },
        rest,
    )


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    at = 0
    while found := _PAIR.match(line, at):
        value = found[2].strip()
        with suppress(ValueError):
            value = str(json.loads(value)) if value.startswith('"') else value
        yield found[1].strip(), value
        at = found.end()


def comfyui(texts: Texts) -> Record | None:
    """The graph of nodes in `prompt`: the inputs of the sampler and of the nodes before it."""
    graph = parse_json(texts.get("prompt") or texts.get("exif:Model", "").removeprefix("prompt:"))
    nodes = _nodes(graph)
    if not nodes:
        return None
    sampler = _sampler(nodes)
    links = _inputs(sampler)
    inputs = _first_inputs(nodes)
    width, height = inputs.get("width"), inputs.get("height")
    size = f"{width}x{height}" if width and height else ""
    names = ("steps", "cfg", "sampler_name", "scheduler")
    return _record(
        {
            "model": inputs.get("ckpt_name") or inputs.get("unet_name"),
            "prompt": _text(nodes, links.get("positive")) or _first_text(nodes),
            "negative_prompt": _text(nodes, links.get("negative")),
            "seed": _seed(sampler),
            "size": size,
            "tool": "ComfyUI",
        },
        {name: inputs[name] for name in names if inputs.get(name)},
    )


def _nodes(graph: Json) -> dict[str, Node]:
    """The nodes of a graph by number; none if it is not a graph."""
    if not isinstance(graph, Mapping):
        return {}
    return {
        number: node
        for number, node in graph.items()
        if isinstance(node, Mapping) and "class_type" in node
    }


def _sampler(nodes: Mapping[str, Node]) -> Node:
    """The first node with a seed and a prompt, else the first with a seed, else an empty one."""
    seeded = [node for node in nodes.values() if _seed(node) is not None]
    for node in seeded:
        if "positive" in _inputs(node):
            return node
    return seeded[0] if seeded else {}


def _first_inputs(nodes: Mapping[str, Node]) -> dict[str, Json]:
    """The plain inputs of all nodes by name; of equal names, the first."""
    found: dict[str, Json] = {}
    for node in nodes.values():
        for name, value in _inputs(node).items():
            if isinstance(value, str | int | float):
                found.setdefault(name, value)
    return found


def _first_text(nodes: Mapping[str, Node]) -> str:
    """The first input named `text`; "" if there is none."""
    for node in nodes.values():
        inputs = _inputs(node)
        if "text" in inputs:
            return str(inputs["text"])
    return ""


def _inputs(node: Node) -> Mapping[str, Json]:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, Mapping) else {}


def _seed(node: Node) -> int | None:
    inputs = _inputs(node)
    for name in ("seed", "noise_seed"):
        value = inputs.get(name)
        if isinstance(value, int):
            return value
    return None


def _text(nodes: Mapping[str, Node], link: Json) -> str:
    """Follow a link along conditioning nodes to the text at its end."""
    for _ in range(MAX_HOPS):
        node = nodes.get(str(link[0])) if isinstance(link, list) and link else None
        if node is None:
            break
        inputs = _inputs(node)
        names = ("text", "text_g", "string", "value", "conditioning", "positive")
        link = next((inputs[name] for name in names if name in inputs), None)
        if isinstance(link, str):
            return link
    return ""


def invokeai(texts: Texts) -> Record | None:
    """`invokeai_metadata`, or `sd-metadata` from releases before 3."""
    metadata = parse_json(texts.get("invokeai_metadata", ""))
    if not isinstance(metadata, Mapping):
        older = parse_json(texts.get("sd-metadata", ""))
        metadata = older.get("image") if isinstance(older, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None
    model, prompt = metadata.get("model"), metadata.get("positive_prompt") or metadata.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], Mapping):
        prompt = prompt[0].get("prompt")
    if isinstance(model, Mapping):
        model = model.get("name") or model.get("model_name")
    names = ("steps", "cfg_scale", "scheduler", "sampler")
    return _record(
        {
            "model": model,
            "prompt": prompt,
            "negative_prompt": metadata.get("negative_prompt"),
            "seed": metadata.get("seed"),
            "size": f"{metadata.get('width')}x{metadata.get('height')}",
            "tool": "InvokeAI",
        },
        {name: metadata[name] for name in names if name in metadata},
    )


def novelai(texts: Texts) -> Record | None:
    """`Description`, and a JSON `Comment`."""
    metadata = parse_json(texts.get("Comment", ""))
    if texts.get("Software") != "NovelAI" or not isinstance(metadata, Mapping):
        return None
    return _record(
        {
            "model": texts.get("Source"),
            "prompt": metadata.get("prompt") or texts.get("Description"),
            "negative_prompt": metadata.get("uc"),
            "seed": metadata.get("seed"),
            "size": f"{metadata.get('width')}x{metadata.get('height')}",
            "tool": "NovelAI",
        },
        {name: metadata[name] for name in ("steps", "scale", "sampler") if name in metadata},
    )


def draw_things(texts: Texts) -> Record | None:
    """JSON in exif:UserComment of the XMP, with keys of one or two letters."""
    metadata = parse_json(texts.get("xmp:exif:UserComment", ""))
    if not isinstance(metadata, Mapping) or "c" not in metadata:
        return None
    return _record(
        {
            "model": metadata.get("model"),
            "prompt": metadata.get("c"),
            "negative_prompt": metadata.get("uc"),
            "seed": metadata.get("seed"),
            "size": metadata.get("size"),
            "tool": "Draw Things",
        },
        {name: metadata[name] for name in ("steps", "scale", "sampler") if name in metadata},
    )


READERS: dict[str, Callable[[Texts], Record | None]] = {
    "AUTOMATIC1111": automatic1111,
    "ComfyUI": comfyui,
    "InvokeAI": invokeai,
    "NovelAI": novelai,
    "Draw Things": draw_things,
}


def _record(metadata: Mapping[str, Json], parameters: Mapping[str, Json]) -> Record:
    """A record of another program's values; values of a wrong type are left out."""
    values = dict(metadata)
    seed, size = str(values.pop("seed", "")), str(values.pop("size", ""))
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    record = Record(**texts)  # type: ignore[arg-type] # neither seed nor parameters are texts
    record = record._replace(parameters=_plain_values(parameters), source_type=BY_MODEL)
    if _INTEGER.fullmatch(seed):
        record = record._replace(seed=int(seed))
    if _PIXELS.fullmatch(size):
        record = record._replace(size=size)
    return record


def _plain_values(parameters: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters that are texts or numbers."""
    return {
        name: value for name, value in parameters.items() if isinstance(value, str | int | float)
    }
