"""Threads that do work, also where the system starts no more of them."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from flux_cli.core.errors import scarce_resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    Arguments = ParamSpec("Arguments")
    Result = TypeVar("Result")


class Threads(ThreadPoolExecutor):
    """A pool of threads. Work for which no thread can be started is done by `submit` itself."""

    def submit(
        self,
        work: Callable[Arguments, Result],
        /,
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> Future[Result]:
        """Do work once, in a thread if there is one. Returns its future."""
        done: Future[Result] = Future()
        done.set_running_or_notify_cancel()  # nobody sees it before the work has begun
        is_free = Lock()  # work without a thread of its own stays in the queue of the others

        def run() -> Result | None:
            if not is_free.acquire(blocking=False):
                return None
            try:
                result = work(*arguments, **options)
            except BaseException as fault:
                done.set_exception(fault)
                raise
            done.set_result(result)
            return result

        try:
            return super().submit(run)  # type: ignore[arg-type] # the first run has a result
        except RuntimeError as fault:
            if scarce_resource(fault) != "threads":
                raise
        with contextlib.suppress(BaseException):  # it belongs to whoever waits for `done`
            run()
        return done
