"""`flux show`: print what an image is and how it was made, from the metadata in the file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from flux_cli.config import folders, keys
from flux_cli.config.credentials import variables_of
from flux_cli.config.load import load_settings
from flux_cli.core.errors import FluxError, UsageError, common_exit_code
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.text import LONG, plain, redact_json
from flux_cli.providers.rows import ROWS
from flux_cli.runs.documents import HEADING, heading
from flux_cli.runs.fields import ERROR, error_document
from flux_cli.terminal import messages, streams
from flux_cli.terminal.table import cell_text

if TYPE_CHECKING:
    from flux_cli.images.details import ImageDetails
    from flux_cli.images.metadata.read import Reading

WIDTH = 17  # of the column of names
CUT = 8 * LONG  # characters of a value; a key that is cut there is not shown
# Keys of Lumenfall, OpenAI, Replicate, Together and fal. Those of BFL look like any request id.
KEY_FORMATS = re.compile(
    r"(?<![a-zA-Z0-9])(?:(?:lmnfl_|sk-|r8_|tgp_v1_)(?=[\w-]{0,40}\d)[\w.-]{16,}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{32})"
)
MAX_NAMES = 5  # of texts that are not understood
ORIENTATIONS = {  # values of the EXIF tag
    2: "mirrored",
    3: "upside down",
    4: "mirrored, upside down",
    5: "mirrored, on its side",
    6: "on its left side",
    7: "mirrored, on its side",
    8: "on its right side",
}


class Shown(NamedTuple):
    """One image that was read. `source` is what a preview reads: its path, or its bytes."""

    path: str
    source: str | bytes
    details: ImageDetails
    reading: Reading


def run(
    *, files: Sequence[str] | None, as_json: bool, preview: bool = False, open_files: bool = False
) -> int:
    """Print what images are and how they were made, and return the exit code.

    `preview` also draws them in the terminal, `open_files` opens them in the user's viewer. A file
    that cannot be read does not stop the others. Raises UsageError without a file, and FluxError if
    there is no viewer.
    """
    if not files:
        raise UsageError("no image given", hint="name a file: flux show cat.png")
    opener = _find_opener(files) if open_files else ""
    has_preview = preview and _wants_preview(silent=as_json)
    keys.hide_all(_key_variables(), folders.user_folder())
    shown: list[Shown] = []
    errors: list[tuple[str, FluxError]] = []
    for path in files:
        try:
            one = _read(path)
        except FluxError as error:
            errors.append((path, error))
            messages.error(type(error)(_message(path, error), hint=error.hint))
            continue
        if not as_json:
            streams.say(("\n" if shown else "") + _text(one))
        shown.append(one)
    if preview:
        from flux_cli.terminal.preview import show_preview

        show_preview([one.source for one in shown], is_on=has_preview, option=True)
    if opener:
        errors += _open([one.path for one in shown], opener)
    failed = dict(errors)
    is_some_good = any(one.path not in failed for one in shown)
    code = common_exit_code((error for _, error in errors), some_succeeded=is_some_good)
    if as_json:
        _print_document(code, shown, errors)
    return code


def _find_opener(files: Sequence[str]) -> str:
    """The program that opens files. Raises UsageError for files that it must not open."""
    from flux_cli.terminal import viewer

    viewer.check_files(files)
    return viewer.find_opener()


def _wants_preview(*, silent: bool) -> bool:
    from flux_cli.terminal.preview import wants_preview

    return wants_preview(True, sys.stderr, silent=silent)  # noqa: FBT003 - it has three values


def _open(paths: Sequence[str], opener: str) -> list[tuple[str, FluxError]]:
    """Open files in the user's viewer, print the failures, and return them."""
    from flux_cli.terminal.viewer import open_files

    failures = open_files(paths, opener)
    for error in failures.values():
        messages.error(error)
    return list(failures.items())


def _print_document(
    code: int, shown: Sequence[Shown], errors: Sequence[tuple[str, FluxError]]
) -> None:
    described: list[Json] = []
    for one in shown:
        document = {
            name: redact_json(part, _without_keys)
            for name, part in _document(one.details, one.reading).items()
        }
        described.append({"path": one.path, **document})
    failed: list[Json] = [{"path": path, **error_document(error)} for path, error in errors]
    streams.out_json({**heading(code), "files": described, "errors": failed})


def _key_variables() -> list[str]:
    """The variables of the keys of all providers, also of the user's own."""
    rows = ROWS
    with suppress(FluxError):  # invalid settings do not matter here
        rows = load_settings({}, ROWS).providers
    return list(dict.fromkeys(name for row in rows.values() for name in variables_of(row)))


def _read(path: str) -> Shown:
    from flux_cli.images.details import read_details
    from flux_cli.images.metadata.read import read_metadata
    from flux_cli.images.pixels.wholeness import examine
    from flux_cli.request.files import inputs

    data = inputs.read_image(path, sys.stdin.buffer if sys.stdin else None)
    image, sound, *_ = examine(data)
    details, reading = read_details(sound), read_metadata(sound)
    if image.fault:
        problems = (f"damaged beside the pixels: {image.fault}", *reading.problems)
        reading = reading._replace(problems=problems)
    source = data if path == "-" else path  # standard input cannot be read again
    return Shown(path, source, details._replace(size=image.size), reading)


def _without_keys(text: str) -> str:
    """The text without what looks like the key of a provider.

    The user's own keys are hidden where the text is written.
    """
    return KEY_FORMATS.sub("***", text)


def _message(path: str, error: FluxError) -> str:
    """The message with the name of the file in it."""
    return error.message if path in error.message else f"{path}: {error.message}"


IMAGE: dict[str, object] = {
    "path": "text",
    "format": "text",
    "width": "integer",
    "height": "integer",
    "bytes": "integer",
    "color_model": "text",
    "bit_depth": "integer",
    "alpha": "boolean",
    "animated": "boolean",
    "frames": "integer?",
    "color_space": "text?",
    "icc_profile": "text?",
    "orientation": "integer",
    "made": "object?",
    "written_by": "text?",
    "c2pa": "boolean",
    "fields": {"...": "any"},
    "problems": ["text"],
}
IMAGES: dict[str, object] = {
    **HEADING,
    "files": ["#image"],
    "errors": [{"path": "text", **ERROR}],
}


def _document(details: ImageDetails, reading: Reading) -> dict[str, Json]:
    from flux_cli.images.metadata.record import document

    colors = details.colors
    fields: dict[str, Json] = dict(reading.fields)
    problems: list[Json] = list(reading.problems)
    made = {name: value for name, value in document(reading.record).items() if name != "schema"}
    return {
        "format": details.format,
        "width": details.width,
        "height": details.height,
        "bytes": details.size,
        "color_model": colors.model or None,
        "bit_depth": colors.depth or None,
        "alpha": colors.alpha,
        "animated": colors.frames != 1,
        "frames": colors.frames or None,
        "color_space": details.color_space or None,
        "icc_profile": details.profile or None,
        "orientation": details.orientation,
        "made": made if reading.source else None,
        "written_by": reading.source or None,
        "c2pa": reading.c2pa,
        "fields": fields,
        "problems": problems,
    }


def _text(one: Shown) -> str:
    rows = [*_image_rows(one.details), *_made_rows(one.reading)]
    lines = [
        f"  {_without_keys(name).ljust(WIDTH)}{plain(_without_keys(value[:CUT]), LONG)}"
        for name, value in rows
        if value
    ]
    name = plain(one.path, LONG)
    heading_line = name if one.path == "-" else streams.linked(name, one.path)
    return "\n".join([heading_line, *lines])


def _image_rows(details: ImageDetails) -> list[tuple[str, str]]:
    colors = details.colors
    frames = {0: "animated", 1: ""}.get(colors.frames, f"{colors.frames} frames")
    unit = "bits per index" if colors.model == "palette" else "bits per channel"
    pixels = f"{details.format} {details.width}x{details.height}"
    depth = f"{colors.depth} {unit}" if colors.depth else ""
    alpha = "alpha" if colors.alpha else ""
    return [
        ("image", _listed(pixels, f"{details.size:,} bytes", frames)),
        ("colors", _listed(colors.model, depth, alpha, details.color_space)),
        ("stored", ORIENTATIONS.get(details.orientation, "")),
    ]


def _listed(*words: str) -> str:
    return ", ".join(filter(None, words))


def _made_rows(reading: Reading) -> list[tuple[str, str]]:
    record = reading.record
    upstream = f" ({record.upstream})" if record.upstream else ""
    seeds = [str(seed) for seed in (record.seed, record.requested_seed) if seed is not None]
    credentials = "C2PA, signature not checked" if reading.c2pa else ""
    parameters = []
    for name, value in (*record.parameters.items(), *record.finish.items()):
        parameters.append((plain(name, WIDTH - 2), cell_text(value)))
    return [
        ("model", record.model),
        ("provider", record.provider + upstream),
        ("prompt", record.prompt),
        ("negative prompt", record.negative_prompt),
        ("revised prompt", record.revised_prompt),
        ("seed", ", requested ".join(seeds)),
        ("size", record.size),
        *parameters,
        ("request", record.request_id),
        ("request digest", record.request_digest),
        ("made", record.created),
        ("tool", record.tool),
        ("source type", record.source_type),
        ("written by", _written_by(reading)),
        ("credentials", credentials),
        *(("problem", problem) for problem in reading.problems),
    ]


def _written_by(reading: Reading) -> str:
    """The program that says how the image was made, or why that is not known."""
    if reading.unread:
        names = ", ".join(plain(name, WIDTH) for name in reading.unread[:MAX_NAMES])
        return f"unknown: flux does not understand the text in {names} (see --json)"
    if reading.source:
        return reading.source
    if reading.problems:
        return "unknown: flux cannot read all of the metadata"
    if reading.c2pa:
        return "unknown: flux does not read content credentials (C2PA)"
    return "unknown: the file does not say how it was made"
