"""`flux login` and `flux logout`: store a key in credentials.toml, and remove it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from flux_cli.commands.setup.account import ask_account, with_provider, without_home
from flux_cli.config import keys
from flux_cli.config.credentials import key_form
from flux_cli.config.folders import user_folder
from flux_cli.config.key_file import remove_keys, store_key
from flux_cli.config.load import load_settings
from flux_cli.core.errors import AuthError, ConfigError, FluxError, PaymentError, UsageError
from flux_cli.core.text import decode_text, unwrap, variable_text
from flux_cli.providers.account import question_url
from flux_cli.providers.rows import ROWS
from flux_cli.runs.spending.access import find_access
from flux_cli.terminal import messages, streams
from flux_cli.terminal.question import confirm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.config.load import Settings
    from flux_cli.core.model import ProviderRow
    from flux_cli.core.text import Secret

MAX_BYTES = 1 << 16  # of standard input; a key is one line
PIPE_HINT = "pass the key on standard input: pass show lumenfall | flux login --key-stdin"


def login(*, provider: str | None, key_stdin: bool) -> None:
    """Ask for a key, check it where that is free, and store it.

    Raises UsageError without a key, AuthError for a key that is refused, ConfigError for a file
    that must not have it, and DiskError.
    """
    settings = with_provider(load_settings({}, ROWS), provider)
    row, folder = settings.provider, user_folder()
    variable = _variables(row)[0]
    keys.read_credentials(folder / keys.CREDENTIALS)  # refused before anybody types a key
    is_typed = not key_stdin and _is_terminal()
    text = _ask(row) if is_typed else _read_pipe()
    if not text:
        raise UsageError("no key was given", hint=PIPE_HINT)
    key = keys.checked_key(text, "standard input", key_form(row))
    state = _check(settings, key, is_typed=is_typed)
    path = store_key(folder, variable, key)
    streams.say(f"{row.name}: {state}")
    streams.say(f"stored as {variable} in {without_home(str(path))}, which only you can read")
    _note_precedence([variable])


def logout(*, provider: str | None) -> None:
    """Remove the key of a provider from credentials.toml. Raises as `login`."""
    row = with_provider(load_settings({}, ROWS), provider).provider
    folder = user_folder()
    path = without_home(str(folder / keys.CREDENTIALS))
    variables = _variables(row)
    removed = remove_keys(folder, variables)
    if removed:
        streams.say(f"{row.name}: removed {' and '.join(removed)} from {path}")
    else:
        streams.say(f"{row.name}: no key in {path}")
    for name in _set_in_environment(variables):
        messages.err(f"flux: note: {name} is still set in the environment; run: unset {name}")


def _variables(row: ProviderRow) -> tuple[str, ...]:
    if not row.key_variables:
        hint = "name another one: flux login --provider NAME"
        raise UsageError(f"provider {row.name} needs no key", hint=hint)
    return row.key_variables


def _is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False


def _ask(row: ProviderRow) -> str:
    """The key that a person types, which the terminal does not show."""
    import getpass
    import warnings

    if row.page:
        messages.err(f"Create a key at {row.page}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return unwrap(getpass.getpass(f"Key for {row.name} (not shown): "))
        except (EOFError, UnicodeDecodeError):
            return ""
        except getpass.GetPassWarning as fault:
            raise UsageError("this terminal would show the key", hint=PIPE_HINT) from fault


def _read_pipe() -> str:
    """The key on standard input. Raises UsageError for a terminal, and for what is not text."""
    if sys.stdin is None or _is_terminal():
        raise UsageError("--key-stdin needs a pipe or a file on standard input", hint=PIPE_HINT)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        text = decode_text(data)
    except UnicodeDecodeError as fault:
        raise UsageError("standard input is not text", hint=PIPE_HINT) from fault
    if len(data) > MAX_BYTES:
        raise UsageError("standard input is too long for a key", hint=PIPE_HINT)
    return unwrap(text)


def _check(settings: Settings, key: Secret, *, is_typed: bool) -> str:
    """What is known about a key, in words. Raises AuthError if it is refused."""
    row = settings.provider
    auth = find_access(settings, given=key) if settings.base_url else None
    if auth is None or not question_url(row, settings.base_url):
        return "the key is not checked: there is no documented way to do that for free"
    try:
        about = ask_account(settings, auth)
    except PaymentError as fault:
        return f"the key is accepted; {fault.message}"
    except AuthError as fault:
        error = AuthError(f"{row.name} refused the key, which is not stored: {fault.message}")
        error.hint = f"copy the whole key, or create another one at {row.page}"
        raise error from fault
    except ConfigError:
        raise
    except FluxError as fault:
        if is_typed and not confirm(f"the key was not checked: {fault.message}. Store it anyway?"):
            fault.message = f"the key is not stored: {fault.message}"
            raise
        return f"the key is not checked: {fault.message}"
    return f"the key is accepted; {about}" if about else "the key is accepted"


def _note_precedence(variables: Iterable[str]) -> None:
    for name in _set_in_environment(variables):
        text = f"{name} is set in the environment, and has precedence over the stored key"
        messages.err(f"flux: note: {text}; run: unset {name}")


def _set_in_environment(variables: Iterable[str]) -> list[str]:
    """The variables, and those that name key files, which are set."""
    names = [name for variable in variables for name in (variable, f"{variable}_FILE")]
    return [name for name in names if variable_text(os.environ, name)]
