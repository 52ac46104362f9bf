"""What was typed about files, read: which files every image becomes, how they are named and encoded."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.ratio import parse_shape
from flux_cli.images import files
from flux_cli.images.amounts import parse_bytes, parse_choice, parse_width
from flux_cli.images.destination import read_target
from flux_cli.images.formats import EFFORTS
from flux_cli.images.outputs import FITS, FOCUSES, Finish, check, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.cli.finishing import Finishing
    from flux_cli.cli.options import Options
    from flux_cli.core.request import Note, Resolved, Value


class Files(NamedTuple):
    """What was said about files. `output` has `{ext}` in the place of a suffix that was read."""

    output: str | None
    suffixes: dict[str, str]
    finish: Finish

    def explained(self, resolved: Resolved, *, hosted: bool) -> tuple[Note, ...]:
        """What becomes of an image in the size it is expected in. Raises UsageError where that must not be."""
        return explain(self.finish, *resolved.size.expected(hosted=hosted)) if resolved.size else ()


def read_files(options: Options, finishing: Finishing, output: str | None, parameters: dict[str, Value]) -> Files:
    """Read -o, -f and the options of the finishing step together. Raises UsageError where they contradict.

    The one format that is left for the provider to know stays in `parameters`.
    """
    formats = options.output_format or [str(parameters.get("output_format") or "")]
    is_file = bool(output) and output != "-" and not files.is_folder(output or "")
    target = read_target(output if is_file else None, [text for text in formats if text])
    size = parameters.get("size") if finishing.fit else None
    quality = parameters.get("output_compression")
    finish = read_finish(
        finishing, None if size is None else str(size), target.formats, None if quality is None else str(quality)
    )
    parameters.pop("output_format", None)
    if len(target.formats) == 1:
        parameters["output_format"] = target.formats[0]
    return Files(target.output if is_file else output, target.suffixes, finish)


def read_finish(said: Finishing, size: str | None, formats: tuple[str, ...], quality: str | None) -> Finish:
    """What the person wants of every image. Raises UsageError for what makes no sense, before anything is done."""
    return check(
        Finish(
            target=parse_shape(size) if size is not None else None,
            fit=parse_choice(said.fit, FITS, "--fit") if said.fit else "none",
            focus=parse_choice(said.focus, FOCUSES, "--focus") if said.focus else "center",
            upscale=said.upscale,
            widths=tuple(parse_width(one) for text in said.width or () for one in text.split(",")),
            formats=formats,
            quality=None if quality is None else _quality(quality),
            lossless=said.lossless,
            max_bytes=None if said.max_bytes is None else parse_bytes(said.max_bytes),
            effort=parse_choice(said.effort, EFFORTS, "--effort") if said.effort else None,
            keep_original=said.keep_original,
        )
    )


def _quality(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:4]) <= 100:
        return int(text)
    raise UsageError(f"output_compression {text!r} is no quality", hint="give a whole number from 0 to 100")
