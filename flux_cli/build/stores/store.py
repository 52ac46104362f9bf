"""The one owner of obstore: puts, gets and lists objects below one address.

All functions wait, so they belong in threads. They raise NetworkError for every failure. The texts
of failures are not shown: they may contain signed addresses.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from flux_cli.build.stores.addresses import check_address
from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from obstore.store import ObjectStore

MISSING = "a store needs obstore, which is not installed"
DENIED = ("PermissionDeniedError", "UnauthenticatedError", "PermissionError")
RETRIES = 3
RETRY_SECONDS = 30


class Object(NamedTuple):
    """One object as it was read. `data` is None if it is larger than was allowed."""

    data: bytes | None
    tag: str | None  # changes with the bytes; None if the store has none


class Store:
    """Objects below one address. Threads may share it."""

    def __init__(self, backend: ObjectStore, address: str) -> None:
        self._backend, self.address = backend, address
        self._library = _library()

    def put(self, path: str, data: bytes) -> None:
        """Write an object, whether it is there or not."""
        with self._failing("write", path):
            self._library.put(self._backend, path, data)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        """Write an object unless there is one. Returns whether it was written."""
        with self._failing("write", path):
            try:
                self._library.put(self._backend, path, data, mode="create")
            except (self._errors.AlreadyExistsError, self._errors.PreconditionError):
                return False
            return True

    def replace(self, path: str, data: bytes, known: Object) -> bool:
        """Write an object if it is still the known one. Returns whether it was written.

        Local folders cannot compare: there, it is compared before it is written.
        """
        with self._failing("write", path):
            try:
                self._library.put(self._backend, path, data, mode={"e_tag": known.tag})
            except (self._errors.PreconditionError, self._errors.NotFoundError, FileNotFoundError):
                return False
            except (NotImplementedError, self._errors.NotSupportedError):
                now = self.get(path, len(known.data or b""))
                if now is None or now.tag != known.tag:
                    return False
                self._library.put(self._backend, path, data)
            return True

    def get(self, path: str, limit: int) -> Object | None:
        """An object of at most `limit` bytes; None if there is none."""
        with self._failing("read", path):
            try:
                found = self._library.get(self._backend, path)
            except (FileNotFoundError, self._errors.NotFoundError):
                return None
            is_small = found.meta["size"] <= limit
            return Object(bytes(found.bytes()) if is_small else None, found.meta["e_tag"])

    def size(self, path: str) -> int | None:
        """How many bytes an object has; None if there is none."""
        with self._failing("read", path):
            try:
                return int(self._library.head(self._backend, path)["size"])
            except (FileNotFoundError, self._errors.NotFoundError):
                return None

    def delete(self, path: str) -> None:
        """Delete an object, if there is one."""
        with self._failing("delete", path):
            try:
                self._library.delete(self._backend, path)
            except (FileNotFoundError, self._errors.NotFoundError):
                return

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The paths and sizes of all objects below a prefix, which ends before a slash."""
        with self._failing("list", prefix):
            for batch in self._library.list(self._backend, prefix=prefix):
                for one in batch:
                    yield one["path"], one["size"]

    @property
    def _errors(self) -> ModuleType:
        errors: ModuleType = self._library.exceptions
        return errors

    @contextmanager
    def _failing(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, NotImplementedError, self._errors.BaseError) as fault:
            is_denied = type(fault).__name__ in DENIED
            reason = "access denied" if is_denied else "the store cannot be reached, or failed"
            message = f"cannot {verb} {plain(path)} in {plain(self.address)}: {reason}"
            hint = "check the address, and the credentials in the environment"
            raise NetworkError(message, hint=hint) from None


def open_store(address: str, source: str) -> Store:
    """The store at an address; nothing is sent yet. `source` is the option or variable.

    Credentials come from the environment alone. Raises UsageError, ConfigError.
    """
    address = check_address(address, source)
    library = _library()
    scheme = address.partition(":")[0]
    # Own timeouts would hide what the environment says of the client, such as AWS_ALLOW_HTTP.
    retries = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
    remote = {"retry_config": retries}
    options = {"file": {"mkdir": True}, "memory": {}}.get(scheme, remote)
    url = "memory:///" if scheme == "memory" else address
    try:
        backend = library.store.from_url(url, **options)
    except (OSError, ValueError, library.exceptions.BaseError):
        message = f"{source} cannot be opened: {plain(address)}"
        hint = "see 'A shared store' in docs/build-at-scale.md for the variables it needs"
        raise ConfigError(message, hint=hint) from None
    return Store(backend, address)


def _library() -> ModuleType:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise ConfigError(MISSING, hint="pip install 'flux-image-cli[store]'") from None
    library: ModuleType = obstore
    return library
