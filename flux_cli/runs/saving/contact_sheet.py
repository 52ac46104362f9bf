"""The contact sheet of a run: its name, the images on it, and the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.request import seed_of
from flux_cli.images.contact_sheet import SheetImage, make_sheet
from flux_cli.images.formats import FORMATS, format_of_file, format_of_suffix, split_suffix
from flux_cli.images.names import Name, fixed
from flux_cli.images.sheet import sheet_name
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.outcome import Outcome
    from flux_cli.runs.check import CheckedRun
    from flux_cli.runs.report import Report


def name_sheet(checked: CheckedRun) -> Name:
    """The name of the contact sheet.

    Raises UsageError if it cannot have one, OutputError if it cannot be saved there.
    """
    from flux_cli.images import files

    options = checked.options.run
    if checked.is_stdout:
        message = "-o - takes one file, so it cannot be used with a contact sheet"
        raise UsageError(message, hint="save to files with -o")
    name = _sheet_name(checked)
    files.preflight(
        [name],
        None,
        overwrite=_may_replace(checked),
        skip_existing=True,  # one that exists is replaced, or the new one gets a number
        write=not options.dry_run,
    )
    return name


def _may_replace(checked: CheckedRun) -> bool:
    """Whether a sheet that exists is replaced. It has no record to compare."""
    return checked.options.output.overwrite or checked.options.run.update


def _sheet_name(checked: CheckedRun) -> Name:
    options = checked.options.run
    if options.sheet_output is None:
        return sheet_name([name.path("png") for part in checked.parts for name in part.names])
    if format_of_suffix(options.sheet_output) is None:
        message = f"--sheet-output {options.sheet_output!r} has no image suffix"
        raise UsageError(message, hint="name an image file, such as sheet.jpg")
    return fixed(options.sheet_output)


def save_sheet(checked: CheckedRun, report: Report, name: Name) -> str | None:
    """Save the contact sheet and return its path. A failure is printed, and changes nothing else.

    A sheet that exists stays as it is if the run made no new image.
    """
    images = [image for outcome in report.outcomes for image in _sheet_images(outcome)]
    if checked.asked:
        from flux_cli.runs.combined.notes import label_calls

        labels = label_calls(checked.asked)
        images = [image._replace(label=labels[image.number]) for image in images]
    if not any(report.saved):
        existing = next(filter(os.path.isfile, name.candidates(None)), None)
        if existing or not images:
            return existing
    try:
        path = _make_and_save(checked, images, name)
    except Exception as error:  # noqa: BLE001 - the paid images must still be listed
        reason = getattr(error, "message", "") or repr(error)
        messages.err(f"flux: note: cannot make the contact sheet: {reason}")
        return None
    if not checked.options.reporting.quiet:
        messages.err(f"flux: sheet {path}")
    return path


def _make_and_save(checked: CheckedRun, images: list[SheetImage], name: Name) -> str:
    from flux_cli.images import files

    resolved = checked.parts[0].resolved
    requested = format_of_suffix(checked.options.run.sheet_output or "") or resolved.format
    made = format_of_file(images[0].path)
    file_format = requested or (made if made in FORMATS else "jpeg")
    sheet, errors = make_sheet(images, file_format, resolved.quality)
    for error in errors:
        messages.err(f"flux: note: an empty cell on the sheet: {error.message}")
    folder = files.Folder(overwrite=_may_replace(checked))
    path = folder.save(name, sheet)
    folder.sync()
    return path


def _sheet_images(outcome: Outcome) -> Iterator[SheetImage]:
    """One file per image of a call: a new one, else one that existed already."""
    call = outcome.call
    saved = [one for one in outcome.saved if not one.label] or outcome.saved[:1]
    by_stem = {split_suffix(one.path)[0]: one for one in reversed(saved)}  # formats of one image
    for one in by_stem.values():
        yield SheetImage(one.path, call.number, seed_of(call, one.facts))
    if not saved:
        yield from (SheetImage(path, call.number, call.seed) for path in outcome.kept[:1])
