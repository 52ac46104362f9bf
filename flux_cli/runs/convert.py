"""The work of `flux convert`: look at every image, name every file, then make them on all cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.images import names as naming
from flux_cli.images.destination import Destination
from flux_cli.images.formats import split_suffix
from flux_cli.images.names import Name, fixed, path_of, refuse_doubles
from flux_cli.images.outputs import Finish, Output, Rendered, outputs

FIELDS = ("name", "index", "width", "height", "ext")
DEFAULT = "{name}.{ext}"
PIPE = "-"

Save = Callable[[Name, ImageFile], str]


class Task(NamedTuple):
    """One image to convert: where it is, its bytes where they are kept, and the path of every file to make."""

    source: str
    data: bytes | None
    paths: dict[Output, str]
    kept: tuple[str, ...] = ()  # files that were there already, and are left alone


class Made(NamedTuple):
    """One file, saved. It does not hold the bytes: a run may make thousands."""

    path: str
    output: Output
    width: int
    height: int
    size: int  # bytes
    quality: int | None  # reached; None where nothing is lost
    as_received: bool


class Result(NamedTuple):
    """What became of one image: files, or an error, or both."""

    source: str
    made: tuple[Made, ...] = ()
    kept: tuple[str, ...] = ()
    error: FluxError | None = None


def plan(
    sources: Sequence[str], target: Destination, wanted: Finish, *, overwrite: bool, skip_existing: bool
) -> tuple[list[Task], list[Result]]:
    """Every file by its name, before the first is made; an image that cannot be read is a result already.

    Raises OutputError for names that are taken or given twice.
    """
    template = _template(target)
    tasks, failed = [], []
    for index, source in enumerate(sources, 1):
        try:
            data = _read(source)
            planned = _planned(data, wanted)
        except FluxError as fault:
            failed.append(Result(source, error=_about(source, fault, target)))
            continue
        name = Name(template, {"name": _stem(source, beside=target.template is None), "index": index})
        paths = {output: PIPE if template == PIPE else path_of(name, output, target.suffixes) for output in planned}
        tasks.append(Task(source, data if source == PIPE or len(sources) == 1 else None, paths))
    if template != PIPE:
        present = _preflight(tasks, overwrite=overwrite, skip_existing=skip_existing)
        tasks = [_without(task, present) for task in tasks]
    elif any(len(task.paths) > 1 for task in tasks):
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
    return tasks, failed


def converted(tasks: Sequence[Task], save: Save, workers: int) -> Iterator[Result]:
    """Every core works: on an image of its own while there are enough of them, else on the files of one."""
    each = max(1, workers // max(1, len(tasks)))
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(lambda task: _convert(task, save, each), tasks)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _template(target: Destination) -> str:
    if target.is_stdout:
        return PIPE
    return naming.completed(target.template, DEFAULT, FIELDS, is_folder=target.is_folder)


def _stem(source: str, *, beside: bool) -> str:
    """What `{name}` stands for: the image's name, with its folder where the files go beside it."""
    stem = "image" if source == PIPE else split_suffix(source)[0]
    return stem if beside else PurePath(stem).name


def _read(source: str) -> bytes:
    from flux_cli.request import inputs

    return inputs.read_image(source, sys.stdin.buffer if sys.stdin else None)


def _planned(data: bytes, wanted: Finish) -> tuple[Output, ...]:
    from flux_cli.images.pixels.render import measure

    return outputs(wanted, measure(data))


def _preflight(tasks: Sequence[Task], *, overwrite: bool, skip_existing: bool) -> set[str]:
    """No two files of one name, nothing there that would be overwritten, every folder writable.

    Returns the paths already there that are to be left alone.
    """
    from flux_cli.images import files

    refuse_doubles((path, f"{task.source} as {output.format}") for task in tasks for output, path in task.paths.items())
    paths = [path for task in tasks for path in task.paths.values()]
    present = files.preflight([fixed(path) for path in paths], None, overwrite=overwrite, skip_existing=skip_existing)
    return {paths[index] for index in present}


def _without(task: Task, present: set[str]) -> Task:
    paths = {output: path for output, path in task.paths.items() if path not in present}
    return task._replace(paths=paths, kept=tuple(path for path in task.paths.values() if path in present))


def _convert(task: Task, save: Save, workers: int) -> Result:
    """One image: read again (many would not fit into memory at once), its files made, and saved one by one."""
    from flux_cli.images.pixels.render import render

    made: list[Made] = []
    try:
        data = _read(task.source) if task.data is None else task.data
        for rendered in render(data, tuple(task.paths), workers):
            rendered = rendered._replace(image=_carried(data, rendered))  # noqa: PLW2901 - the same file, completed
            path = save(fixed(task.paths[rendered.output]), rendered.image)
            made.append(_made(path, rendered))
    except FluxError as fault:
        return Result(task.source, tuple(made), task.kept, _about(task.source, fault))
    return Result(task.source, tuple(made), task.kept)


def _carried(data: bytes, rendered: Rendered) -> ImageFile:
    """The file with what flux once wrote into the image of how it was made, if there is room for it."""
    from flux_cli.images.metadata.read import read_metadata

    image, limit = rendered.image, rendered.output.max_bytes
    if image.as_received:
        return image
    reading = read_metadata(data)
    if reading.source != "flux":
        return image
    from flux_cli.images.metadata.write import write_record

    carried = b"".join(write_record(image.data, reading.record).pieces)
    return image._replace(data=carried) if limit is None or len(carried) <= limit else image


def _made(path: str, rendered: Rendered) -> Made:
    one = rendered.image
    return Made(path, rendered.output, one.width, one.height, len(one.data), rendered.quality, one.as_received)


def _about(source: str, fault: FluxError, target: Destination | None = None) -> FluxError:
    """The failure, with the name of the image it is about."""
    if source not in fault.message:
        fault.message = f"{source}: {fault.message}"
    stem, suffix = split_suffix(source)
    if target and target.template == f"{stem}.{{ext}}" and target.formats:  # a shell has made words of the braces
        listed = ",".join((*(target.suffixes[name] for name in target.formats), suffix))
        fault.hint = f"quote a list of formats: -o '{stem}.{{{listed}}}'"
    return fault
