"""What a server knows and does, without the web: its models, images, requests, page and log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flux_cli.catalog.find import find_model, list_models
from flux_cli.config import folders
from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.text import plain
from flux_cli.core.values import show_amount
from flux_cli.providers.rows import dialect_of
from flux_cli.serve.answering.landing import Facts, make_page
from flux_cli.serve.answering.refusals import Refusal, refusal_of
from flux_cli.serve.making import Maker
from flux_cli.serve.requests import Requests
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json, Model
    from flux_cli.runs.progress.log import Log
    from flux_cli.runs.report import Report
    from flux_cli.serve.asking.access import Access
    from flux_cli.serve.asking.asked import Asked
    from flux_cli.serve.asking.gate import Entry
    from flux_cli.serve.making import Price
    from flux_cli.serve.options import ServeOptions
    from flux_cli.serve.pictures import Pictures


class Service:
    """Everything behind the web server. `log_file` is open."""

    def __init__(
        self,
        options: ServeOptions,
        settings: Settings,
        access: Access,
        pictures: Pictures,
        log_file: Log | None,
    ) -> None:
        self.access, self.pictures = access, pictures
        self.is_hosted = settings.provider.hosted
        self._settings, self._log_file = settings, log_file
        self.maker = Maker(options, settings, pictures)
        self.requests = Requests(self.maker, is_offline=not self.is_hosted)

    async def price(self, asked: Asked) -> Price:
        """What a request would cost. Raises Refusal."""
        try:
            return await self.maker.price(asked)
        except FluxError as fault:
            raise refusal_of(fault) from fault

    def models(self) -> list[Model]:
        """The models of the catalog. Raises Refusal if a model file of the user is wrong."""
        try:
            return list(list_models(folders.model_folders()))
        except FluxError as fault:
            raise refusal_of(fault) from fault

    def model(self, name: str) -> Model:
        """A model by its name. Raises Refusal if the catalog does not have it."""
        try:
            found = find_model(name, folders.model_folders())
        except FluxError as fault:
            raise refusal_of(fault) from fault
        if found is None:
            message = f"there is no model {plain(name, 100)}; GET /v1/models lists them"
            raise Refusal(404, message, code="model_not_found", param="model")
        return found

    def _latest(self, headers: Mapping[str, str]) -> list[str]:
        """The names of the latest images; none without the key."""
        try:
            self.access.check_key(headers)
        except Refusal:
            return []
        return self.pictures.latest()

    def page(self, origin: str, headers: Mapping[str, str]) -> str:
        """The landing page. Everybody can open it: a key is needed only to see images."""
        latest = self._latest(headers)
        settings = self._settings
        models = [model for model in self.models() if _takes(settings, model)]
        default = find_model(settings.model, folders.model_folders())
        facts = Facts(
            origin=origin,
            provider=settings.provider.name,
            model=default.id if default else settings.model,
            is_hosted=self.is_hosted,
            has_key=self.access.key is not None,
            limit_usd=settings.max_cost,
            models=models,
            latest=latest,
        )
        return make_page(facts)

    def complain(self, entry: Entry, fault: Exception) -> None:
        """Say what went wrong in the server itself."""
        messages.err(f"flux: error: {entry.identity}: {type(fault).__name__}: {fault}")

    def log(self, entry: Entry, state: Mapping[str, Any]) -> None:
        """Write one line about a request, and delete old sketches.

        `state` has its `report` or its `refusal`. If it `is_repeat`, it cost nothing.
        """
        report: Report | None = state["report"]
        refusal: Refusal | None = state["refusal"]
        is_repeat = state["is_repeat"]
        self.pictures.sweep()
        fields: dict[str, Json] = {
            "event": "request",
            "request_id": entry.identity,
            "method": entry.method,
            "path": plain(entry.path, 200),
            "status": entry.status,
            "seconds": round(entry.seconds, 3),
        }
        words = [entry.method, plain(entry.path, 200), str(entry.status)]
        if report is not None:
            size = next((saved.pixels for saved in report.saved), "")
            cost = 0.0 if is_repeat else report.cost_usd
            made: dict[str, Json] = {"model": report.resolved.sent_model, "size": size}
            made |= {"provider": report.provider, "cost_usd": cost, "run": report.run or None}
            fields |= made
            words += [report.resolved.sent_model, size, report.provider]
            words.append("repeat" if is_repeat else f"{show_amount(cost or 0)} USD")
        reason = ""
        if refusal is not None:
            reason = f": {plain(refusal.message, 300)}"
            fields |= {"code": refusal.code, "message": refusal.message}
        messages.err(f"flux: {' '.join(filter(None, words))} {entry.seconds:.1f} s{reason}")
        if self._log_file:
            self._log_file.write(fields)


def _takes(settings: Settings, model: Model) -> bool:
    """Whether flux knows how to use the model at the provider."""
    try:
        dialect_of(settings.provider, model)
    except UsageError:
        return False
    return True
