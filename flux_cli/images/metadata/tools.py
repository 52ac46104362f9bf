"""Reads the parameters that image generators write: one reader, or one row of data, per program.

Each reader takes the texts of an image by keyword. It returns a record, or None if its program did
not write them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.images.metadata.automatic1111 import automatic1111
from flux_cli.images.metadata.comfyui import comfyui
from flux_cli.images.metadata.record import Record, parse_json, record_of

Texts: TypeAlias = Mapping[str, str]
Keys: TypeAlias = tuple[str, ...]  # names of one value, of which the first that exists counts

COMMENT = "exif:UserComment"
PARAMETERS = ("parameters", COMMENT, "comment")  # in PNG; in JPEG, WebP and AVIF; in GIF
CREATOR = "xmp:xmp:CreatorTool"
NAMED = ("prompt", "name", "model_name", "model")  # keys of the text in an object


class Form(NamedTuple):
    """Where a program writes its values, and under which keys.

    `texts` are names of JSON texts; "" stands for the texts of the image themselves. The values may
    be `inside` an object of that name. The program wrote them if one of the keys in `marks` is
    there.
    """

    tool: str
    texts: Keys
    marks: Keys
    inside: str = ""
    prompt: Keys = ("prompt",)
    negative_prompt: Keys = ("negative_prompt",)
    model: Keys = ("model",)
    seed: Keys = ("seed",)
    size: Keys = ("size", "resolution")
    parameters: Keys = ()


INVOKEAI = Form(
    tool="InvokeAI",
    texts=("invokeai_metadata",),
    marks=("positive_prompt", "prompt", "seed", "model", "app_version"),
    prompt=("positive_prompt", "prompt"),
    parameters=("steps", "cfg_scale", "scheduler", "sampler"),
)
EASY = Form(
    tool="Easy Diffusion",
    texts=(COMMENT, ""),
    marks=("use_stable_diffusion_model", "Stable Diffusion model", "num_inference_steps"),
    prompt=("prompt", "Prompt"),
    negative_prompt=("negative_prompt", "Negative Prompt"),
    model=("use_stable_diffusion_model", "Stable Diffusion model"),
    seed=("seed", "Seed"),
    parameters=(
        "num_inference_steps", "Steps", "guidance_scale", "Guidance Scale", "sampler_name",
        "Sampler",
    ),
)  # fmt: skip
FORMS = (
    INVOKEAI,
    INVOKEAI._replace(texts=("sd-metadata",), inside="image"),  # before release 3
    Form(
        tool="Draw Things",
        texts=("xmp:exif:UserComment",),
        marks=("c",),
        prompt=("c",),
        negative_prompt=("uc",),
        parameters=("steps", "scale", "sampler"),
    ),
    Form(
        tool="SwarmUI",
        texts=PARAMETERS,
        inside="sui_image_params",
        marks=("prompt", "model", "seed"),
        negative_prompt=("negativeprompt",),
        parameters=("steps", "cfgscale", "sampler", "scheduler"),
    ),
    Form(
        tool="Fooocus",
        texts=PARAMETERS,
        marks=("base_model", "full_prompt", "metadata_scheme"),
        model=("base_model",),
        parameters=("steps", "guidance_scale", "sampler", "scheduler", "performance", "styles"),
    ),
    Form(
        tool="RuinedFooocus",
        texts=PARAMETERS,
        marks=("base_model_name",),
        prompt=("Prompt",),
        negative_prompt=("Negative",),
        model=("base_model_name",),
        parameters=("steps", "cfg", "sampler_name", "scheduler"),
    ),
    Form(
        tool="mflux",
        texts=(COMMENT,),
        marks=("mflux_version",),
        parameters=("steps", "guidance", "quantize"),
    ),
    Form(
        tool="Tensor.Art",
        texts=("generation_data",),
        marks=("prompt",),
        negative_prompt=("negativePrompt",),
        model=("baseModel", "models"),
        parameters=("steps", "cfgScale", "samplerName"),
    ),
    EASY,
)


def _in_form(form: Form, texts: Texts) -> Record | None:
    for name in form.texts:
        document: Json = parse_json(texts.get(name, "").strip("\0 ")) if name else dict(texts)
        if form.inside:
            document = document.get(form.inside) if isinstance(document, Mapping) else None
        if isinstance(document, Mapping) and any(key in document for key in form.marks):
            return _record(form, document)
    return None


def _record(form: Form, values: Mapping[str, Json]) -> Record:
    width, height = _first(values, ("width", "Width")), _first(values, ("height", "Height"))
    size = f"{width}x{height}" if width and height else _first(values, form.size)
    parameters = {name: values[name] for name in form.parameters if name in values}
    return record_of(
        {
            "model": _text(_first(values, form.model)),
            "prompt": _text(_first(values, form.prompt)),
            "negative_prompt": _text(_first(values, form.negative_prompt)),
            "seed": _first(values, form.seed),
            "size": size,
            "tool": form.tool,
        },
        parameters,
    )


def _first(values: Mapping[str, Json], keys: Keys) -> Json:
    """The value of the first of these keys that has one."""
    return next((values[key] for key in keys if values.get(key) not in (None, "")), None)


def _text(value: Json) -> Json:
    """The text in a value that may be an object, or a list with one text or object."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _first(value, NAMED) if isinstance(value, Mapping) else value


def novelai(texts: Texts) -> Record | None:
    """`Description`, and a JSON `Comment`; in other formats than PNG, where `flux` puts them."""
    if all(texts.get(name) != "NovelAI" for name in ("Software", "exif:Software", CREATOR)):
        return None
    for name in ("Comment", COMMENT, "comment"):
        metadata = parse_json(texts.get(name, ""))
        if isinstance(metadata, Mapping):
            prompt = _first(texts, ("Description", "xmp:dc:description"))
            model = _first(texts, ("Source", "xmp:photoshop:Source"))
            return _record(NOVELAI, {"prompt": prompt, "model": model} | dict(metadata))
    return None


NOVELAI = Form(
    tool="NovelAI",
    texts=(),
    marks=(),
    negative_prompt=("uc",),
    parameters=("steps", "scale", "sampler"),
)


def fooocus(texts: Texts) -> Record | None:
    """The text of AUTOMATIC1111, which Fooocus writes if its user wants that."""
    record = automatic1111(texts)
    return record if record and record.tool.startswith("Fooocus") else None


DESCRIPTIONS = (
    "Description", "xmp:dc:description", "exif:ImageDescription", "iptc:Caption", "comment",
)  # fmt: skip
_JOB = re.compile(r"\s*Job ID: [0-9a-f]{8}-[0-9a-f-]{27}\s*$")
_OPTION = re.compile(r"(?:^|\s)(?:--|\u2014)([a-z]+)(?=\s|$)")


def midjourney(texts: Texts) -> Record | None:
    """A description: the prompt, options such as `--ar 16:9`, and the id of the job."""
    text = next((texts[name] for name in DESCRIPTIONS if _JOB.search(texts.get(name, ""))), "")
    if not text:
        return None
    prompt, *rest = _OPTION.split(_JOB.sub("", text))
    options = {name: value.strip() for name, value in zip(rest[::2], rest[1::2], strict=True)}
    names = {"negative_prompt": "no", "seed": "seed", "size": "ar"}
    values: dict[str, Json] = {field: options.pop(name, "") for field, name in names.items()}
    options = {name: value or "true" for name, value in options.items()}
    return record_of({"prompt": prompt.strip(), "tool": "Midjourney", **values}, options)


def invokeai_command(texts: Texts) -> Record | None:
    """`Dream`, the command line of the first releases of InvokeAI: `"a fox [blur]" -s 50 -S 7`."""
    found = re.match(r'\s*"((?:[^"\\]|\\.)*)"((?: +-\w ?\S+)*)', texts.get("Dream", ""))
    if not found or not found[2]:
        return None
    options = dict(re.findall(r"-(\w) ?(\S+)", found[2]))
    prompt, _, negative = found[1].partition("[")
    names = {"steps": "s", "cfg_scale": "C", "sampler": "A"}
    values = {
        "prompt": prompt.strip(),
        "negative_prompt": negative.strip("] "),
        "seed": options.get("S"),
        "size": f"{options.get('W')}x{options.get('H')}",
        "tool": "InvokeAI",
    }
    return record_of(values, {name: options[key] for name, key in names.items() if key in options})


Reader: TypeAlias = Callable[[Texts], Record | None]
# Programs in the order in which they are tried: the marks of the first are the clearest.
READERS: tuple[tuple[str, Reader], ...] = (
    *((form.tool, partial(_in_form, form)) for form in FORMS if form is not EASY),
    ("Fooocus", fooocus),
    ("AUTOMATIC1111", automatic1111),
    ("ComfyUI", comfyui),
    ("InvokeAI", invokeai_command),
    ("NovelAI", novelai),
    ("Midjourney", midjourney),
    (EASY.tool, partial(_in_form, EASY)),
)
