"""Reads which shard a command line means: `--shard I/N`, or the variables of an engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flux_cli.build.shards.division import Shard
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTO = "auto"
WHOLE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
TYPED = re.compile(r"([^/]*)/([^/]*)")
MOST_SHARDS = 100_000


class Engine(NamedTuple):
    """The variables by which one engine tells each of its jobs which one it is."""

    name: str
    number: str  # of the job
    jobs: str
    first: str = ""  # the variable of the smallest number; "" if that is `start`
    start: int = 0

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.number, self.first, self.jobs)))


ENGINES = (
    Engine("GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", start=1),
    Engine("Kubernetes", "JOB_COMPLETION_INDEX", "FLUX_SHARDS"),
    Engine("Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", first="SLURM_ARRAY_TASK_MIN"),
    Engine("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
)


def read_shard(text: str, environ: Mapping[str, str]) -> Shard:
    """The shard of the option `--shard`. Raises UsageError."""
    if text == AUTO:
        return _found_shard(environ)
    typed = TYPED.fullmatch(text)
    if typed is None or not all(map(WHOLE.fullmatch, typed.groups())):
        raise _invalid(f"invalid --shard {text!r}: expected I/N, such as 1/4, or auto")
    index, count = map(int, typed.groups())
    return _checked(index, count, f"--shard {text}")


def _checked(index: int, count: int, where: str) -> Shard:
    """The shard, if there can be one. Raises UsageError."""
    if not 1 <= count <= MOST_SHARDS:
        raise _invalid(f"{where}: there must be 1 to {MOST_SHARDS:,} shards, not {count:,}")
    if not 1 <= index <= count:
        raise _invalid(f"{where}: there are shards 1 to {count}, but no shard {index}")
    return Shard(index, count)


def _invalid(message: str) -> UsageError:
    return UsageError(message, hint="name one of 4 shards as --shard 1/4")


def _found_shard(environ: Mapping[str, str]) -> Shard:
    """The shard that the variables of an engine name. Raises UsageError without a complete set."""
    found: dict[Shard, Engine] = {}
    for engine in ENGINES:
        if engine.number in environ:
            found.setdefault(_shard_of_engine(engine, environ), engine)
    if not found:
        indexes = ", ".join(engine.number for engine in ENGINES)
        raise _invalid(f"--shard auto: none of the variables {indexes} is set")
    if len(found) > 1:
        said = " and ".join(f"{engine.name} says {one.text}" for one, engine in found.items())
        raise _invalid(f"--shard auto: the variables contradict each other: {said}")
    return next(iter(found))


def _shard_of_engine(engine: Engine, environ: Mapping[str, str]) -> Shard:
    """The shard of one engine, whose index is set. Raises UsageError."""
    missing = [name for name in engine.needed if name not in environ]
    if missing:
        names = " and ".join(missing)
        raise _invalid(f"--shard auto: {engine.number} is set, but not {names} ({engine.name})")
    index, count = (_number(name, environ) for name in (engine.number, engine.jobs))
    first = _number(engine.first, environ) if engine.first else engine.start
    where = f"--shard auto ({engine.number}={index}, {engine.jobs}={count})"
    return _checked(index - first + 1, count, where)


def _number(name: str, environ: Mapping[str, str]) -> int:
    """The value of a variable. Raises UsageError."""
    text = environ[name]
    if WHOLE.fullmatch(text):
        return int(text)
    raise _invalid(f"--shard auto: {name} is {text[:40]!r}, not a whole number")
