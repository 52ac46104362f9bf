"""Reads the parameters that image generators write: AUTOMATIC1111, ComfyUI, InvokeAI and others.

Each reader takes the texts of an image by keyword. It returns a record, or None if its program did
not write them. flux itself writes the form of AUTOMATIC1111, which most tools read.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from flux_cli.core.model import Json
from flux_cli.images.metadata.record import BY_MODEL, Record, parse_json

Texts = Mapping[str, str]
LONGEST_LINE = 100_000  # characters that are read of `Steps: 20, Seed: 7, ...`
MAX_HOPS = 50  # links from a sampler to its text; real graphs need a handful
_OURS = re.compile(r"(?:^|[,\n] ?)Version: flux[\w.+ -]{0,51}$")
_PAIR = re.compile(r'([A-Za-z][\w /()-]{0,60}): ("(?:[^"\\]|\\.)*"|[^,]*)(?:, |,|$)')
_PIXELS = re.compile(r"\d{1,6}x\d{1,6}")


def parameters_text(record: Record, pixels: str) -> str:
    """The record in the form of AUTOMATIC1111: the prompt, then one line of names and values."""
    lines = [record.prompt] if record.prompt else []
    if record.negative_prompt:
        lines.append(f"Negative prompt: {record.negative_prompt}")
    known = {
        "Steps": record.parameters.get("steps"),
        "Seed": record.seed,
        "Size": pixels,
        "Model": record.model,
    }
    pairs = [
        f"{name}: {_quote(str(value))}" for name, value in known.items() if value not in (None, "")
    ]
    version = record.tool if re.fullmatch(r"flux [\w.+-]{1,50}", record.tool) else "flux"
    return "\n".join([*lines, ", ".join([*pairs, f"Version: {version}"])])


def is_ours(text: str) -> bool:
    """Whether flux wrote these parameters."""
    return bool(_OURS.search(text[-200:]))


def _quote(value: str) -> str:
    return (
        json.dumps(value, ensure_ascii=False) if any(char in value for char in ',:\n"') else value
    )


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
    rest = {
        name: value
        for name, value in pairs.items()
        if name not in ("Seed", "Size", "Model", "Version")
    }
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
    if not isinstance(graph, Mapping):
        return None
    nodes = {
        name: node
        for name, node in graph.items()
        if isinstance(node, Mapping) and "class_type" in node
    }
    sampler = next(
        (
            node
            for node in nodes.values()
            if _seed(node) is not None and "positive" in _inputs(node)
        ),
        None,
    )
    sampler = sampler or next((node for node in nodes.values() if _seed(node) is not None), None)
    if not nodes:
        return None
    everything = [(name, value) for node in nodes.values() for name, value in _inputs(node).items()]
    first = {
        name: value for name, value in reversed(everything) if isinstance(value, str | int | float)
    }
    own = _inputs(sampler) if sampler else {}
    width, height = first.get("width"), first.get("height")
    prompt = _text(nodes, own.get("positive")) or next(
        (str(v) for n, v in everything if n == "text"), ""
    )
    return _record(
        {
            "model": first.get("ckpt_name") or first.get("unet_name"),
            "prompt": prompt,
            "negative_prompt": _text(nodes, own.get("negative")),
            "seed": _seed(sampler) if sampler else None,
            "size": f"{width}x{height}" if width and height else "",
            "tool": "ComfyUI",
        },
        {
            name: value
            for name in ("steps", "cfg", "sampler_name", "scheduler")
            if (value := first.get(name))
        },
    )


def _inputs(node: Mapping[str, Json]) -> Mapping[str, Json]:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, Mapping) else {}


def _seed(node: Mapping[str, Json]) -> Json:
    inputs = _inputs(node)
    return next(
        (value for name in ("seed", "noise_seed") if isinstance(value := inputs.get(name), int)),
        None,
    )


def _text(nodes: Mapping[str, Mapping[str, Json]], link: Json) -> str:
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
    return _record(
        {
            "model": model,
            "prompt": prompt,
            "negative_prompt": metadata.get("negative_prompt"),
            "seed": metadata.get("seed"),
            "size": f"{metadata.get('width')}x{metadata.get('height')}",
            "tool": "InvokeAI",
        },
        {
            name: metadata[name]
            for name in ("steps", "cfg_scale", "scheduler", "sampler")
            if name in metadata
        },
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
    texts = {
        name: value
        for name, value in metadata.items()
        if name not in ("seed", "size") and isinstance(value, str)
    }
    seed, size = str(metadata.get("seed")), str(metadata.get("size"))
    plain: dict[str, Json] = {
        name: value for name, value in parameters.items() if isinstance(value, str | int | float)
    }
    return Record(**texts)._replace(  # type: ignore[arg-type] # texts hold neither seed nor parameters
        seed=int(seed) if re.fullmatch(r"-?\d{1,19}", seed, re.ASCII) else None,
        size=size if _PIXELS.fullmatch(size) else "",
        parameters=plain,
        source_type=BY_MODEL,
    )
