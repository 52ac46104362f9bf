"""Threads for work on images, also where the system starts no more of them."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
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
        done: Future[Result] = Future()
        is_free = Lock()  # an idle thread may also find the work in the queue

        def run() -> None:
            if not is_free.acquire(blocking=False):
                return
            try:
                done.set_result(work(*arguments, **options))
            except BaseException as fault:  # noqa: BLE001 - it belongs to whoever waits
                done.set_exception(fault)

        try:
            super().submit(run)
        except RuntimeError as fault:
            if "start new thread" not in str(fault):
                raise
            run()
        return done
