"""`flux build --on`: run the shards of a build on the workers of an engine, and merge them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.build.disk import place
from flux_cli.build.engines.dask import Part, Workers, check_engine
from flux_cli.build.options import Decisions
from flux_cli.build.planning.cost import lowest
from flux_cli.build.project import open_projects
from flux_cli.build.shards.division import Shard
from flux_cli.build.shards.parts import check_parts, reopen
from flux_cli.build.shards.rate import most_at_once
from flux_cli.commands.build.make import build
from flux_cli.commands.build.merge import merge_parts
from flux_cli.commands.build.report import PARTIAL, left_lines
from flux_cli.commands.build.session import open_session
from flux_cli.commands.build.sharing import open_sharing, store_address
from flux_cli.commands.build.show import confirm_cost, document_of, print_notes, refusal
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.core.errors import FluxError, Interrupted, NetworkError, UsageError
from flux_cli.core.values import counted, show_amount
from flux_cli.runs import interrupts
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.engines.dask import Ended
    from flux_cli.build.options import BuildOptions
    from flux_cli.build.project import Project
    from flux_cli.commands.build.session import Session
    from flux_cli.core.model import Json

UNDIVIDED = Shard(1, 0)  # the parts of no shard may be there
REFUSED = (
    ("--plan", "mode", "plan"),
    ("--check", "mode", "check"),
    ("--html", "mode", "html"),
    ("--init", "mode", "init"),
    ("--merge", "mode", "merge"),
    ("--shard", "machines", "shard"),
    ("--offline", "access", "offline"),
    ("--log-file", "access", "log_file"),
    ("--prune", "decisions", "prune"),
    ("--prune-originals", "decisions", "prune_originals"),
)
# What a worker is told as it was typed. Keys and all other settings are those of the worker.
SWITCHES = (("limits", "partial"), ("access", "no_key"), ("decisions", "overwrite"))
TYPED = (
    ("access", "provider"),
    ("access", "base_url"),
    ("access", "timeout"),
    ("access", "retries"),
    ("selection", "only"),
    ("selection", "exclude"),
    ("decisions", "reroll"),
    ("decisions", "adopt"),
    ("decisions", "pick"),
)


def check_spread(options: BuildOptions) -> str:
    """The address of the scheduler, "" for this machine. Raises UsageError, ConfigError."""
    for option, group, field in REFUSED:
        if getattr(getattr(options, group), field):
            message = f"--on and {option} contradict each other"
            raise UsageError(message, hint="use only one of them")
    store, _ = store_address(options)
    if not store or store.startswith("memory:"):
        hint = "add --store s3://BUCKET/PREFIX, or file:///FOLDER on a shared disk"
        raise UsageError("--on needs a store that all workers reach", hint=hint)
    return check_engine(options.machines.on or "")


def spread(options: BuildOptions) -> int:
    """Build on several machines, and return the exit code. Raises FluxError."""
    address = check_spread(options)
    projects = open_projects(options.mode.manifests or [])
    if len(projects) > 1:
        raise UsageError("--on builds one manifest", hint="build one after the other")
    check_parts(projects, UNDIVIDED)
    sharing = open_sharing(options, projects)
    settled = list(map(sharing.settle, projects)) if sharing else projects
    session = open_session(options, settled, sharing)
    if error := refusal(session):
        raise error
    if not session.cost.requests:  # what is free needs no other machine
        return build(options, projects)
    confirm_cost(session)
    print_notes(session)
    ended = _run(session, address)
    fault = _merge(projects)
    code = _report(session, ended, fault)
    if not (fault or options.reporting.quiet):
        for line in left_lines(open_session(_decided(options), list(map(reopen, projects)))):
            messages.err(line)
    return code


def _decided(options: BuildOptions) -> BuildOptions:
    """The options after the build: what a person has decided is done."""
    return options._replace(decisions=Decisions())


def _run(session: Session, address: str) -> list[Ended]:
    """Run all parts. Raises NetworkError before anything is sent."""
    project = session.planned[0].project
    most = most_at_once(session.settings, session.catalog, project)
    ended = []
    with Workers(address) as workers:
        count = min(workers.slots, most, session.cost.requests)
        if not count:
            hint = "start some: dask worker HOST:8786"
            raise NetworkError(f"the scheduler at {address} has no workers", hint=hint)
        parts = [_part(session, Shard(number + 1, count)) for number in range(count)]
        interrupts.defer()  # workers are told, and what they have made is merged
        for one in workers.run(parts, interrupts.has_come):
            ended.append(one)
            if not session.options.reporting.quiet:
                messages.err(f"flux: part {one.name}: {_end_text(one)}")
    return sorted(ended, key=lambda one: int(one.name.partition("/")[0]))


def _end_text(ended: Ended) -> str:
    if ended.error:
        return ended.error
    cost = "cost unknown" if ended.cost_usd is None else f"{show_amount(ended.cost_usd)} USD"
    return f"{counted(len(ended.paths or []), 'file')} changed, {cost}"


def _part(session: Session, shard: Shard) -> Part:
    """What a worker runs for a shard."""
    options, project = session.options, session.planned[0].project
    folder, name = os.path.split(os.path.realpath(project.path))
    store, _ = store_address(options)
    words = ["build", name, "--shard", shard.text, "--store", store, "--yes", "--json", "--quiet"]
    words += [f"--concurrency={session.settings.concurrency}"]
    limit = lowest([session.limit, session.planned[0].limit])
    words += [] if limit is None else [f"--max-cost={limit!r}"]
    return Part(shard.text, folder, [*words, *_typed(options)])


def _typed(options: BuildOptions) -> Iterator[str]:
    """The options that a worker is told as they were typed."""
    for group, field in SWITCHES:
        if getattr(getattr(options, group), field):
            yield f"--{field.replace('_', '-')}"
    for group, field in TYPED:
        value = getattr(getattr(options, group), field)
        for text in [value] if isinstance(value, str) else value or []:
            yield f"--{field.replace('_', '-')}={text}"


def _merge(projects: list[Project]) -> FluxError | None:
    """Write what the parts have into the lock. Returns why that was not possible."""
    try:
        merge_parts(projects)
    except FluxError as error:
        error.hint = error.hint or "once no part is running: flux build --merge"
        return error
    return None


def _report(session: Session, ended: list[Ended], error: FluxError | None) -> int:
    """Print what the parts have made and what failed, and return the exit code."""
    code = _exit_code(ended, error)
    root = session.planned[0].project.root
    paths = [place(path, root) for one in ended for path in one.paths or []]
    costs = [one.cost_usd for one in ended]
    cost = None if None in costs else sum(filter(None, costs))
    if session.options.reporting.as_json:
        facts: dict[str, Json] = {"cost_usd": cost, "cost_source": "provider", "paths": [*paths]}
        streams.out_json(document_of(session, "build", code) | facts)
    else:
        for path in paths:
            streams.out_path(path)
    append_summary(session, {})
    for one in ended:
        for line in one.said.splitlines():
            messages.err(line)
        if one.error:
            messages.error(NetworkError(f"part {one.name}: {one.error}"))
    if error:
        messages.error(error)
    if not session.options.reporting.quiet:
        spent = "cost unknown" if cost is None else f"{show_amount(cost)} USD"
        text = f"{counted(len(ended), 'part')}, {counted(len(paths), 'file')} changed, {spent}"
        messages.err(f"flux: {text}")
    return code


def _exit_code(ended: list[Ended], error: FluxError | None) -> int:
    """130 after Ctrl-C; the code that all parts share; else 3."""
    if interrupts.has_come():
        return Interrupted.exit_code
    codes = {one.code for one in ended}
    if error:
        codes.add(error.exit_code)
    return codes.pop() if len(codes) == 1 else PARTIAL
