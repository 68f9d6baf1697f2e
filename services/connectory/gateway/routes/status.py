"""Is it up, and what is it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web

import connectory
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import JsonObject
from connectory.gateway.authentication import NOBODY
from connectory.gateway.contracts import system
from connectory.gateway.errors import Rejected
from connectory.gateway.event_documents.product import server_uuid
from connectory.gateway.health import Health, Probe, check_health
from connectory.gateway.incoming import KIBANA_VERSION
from connectory.gateway.outgoing import answer
from connectory.gateway.routing import Call, Route
from connectory.infra.clock import Clock

ELASTICSEARCH_TYPE: Final = "application/vnd.elasticsearch+json"


@dataclass(frozen=True, slots=True)
class StatusRoutes:
    """`name` is that of the server; its UUID follows from it, so that a restart does not change it."""

    name: str
    probes: Mapping[str, Probe]
    clock: Clock

    def table(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/api/status", self.status, login=False, contract=system.STATUS),
            Route("GET", "/", self.root, login=False, spaced=False, contract=system.ROOT),
        )

    async def status(self, call: Call) -> web.Response:
        """Without valid credentials the level is all that is told."""
        health = await check_health(self.probes)
        body = _redacted(health) if call.principal is NOBODY else self._full(health)
        return answer(body, status=503 if health.level == "unavailable" else 200)

    async def root(self, call: Call) -> web.Response:
        """What client test suites ask Elasticsearch for."""
        if ELASTICSEARCH_TYPE not in call.request.headers.get("Accept", ""):
            raise Rejected.not_found()
        response = answer(
            {
                "name": self.name,
                "cluster_name": "connectory",
                "cluster_uuid": self._uuid,
                "version": {"number": KIBANA_VERSION, "build_flavor": "default"},
                "tagline": "You Know, for Search",
            }
        )
        response.headers["X-Elastic-Product"] = "Elasticsearch"
        return response

    @property
    def _uuid(self) -> str:
        return server_uuid(self.name)

    def _full(self, health: Health) -> JsonObject:
        return {
            "name": self.name,
            "uuid": self._uuid,
            "version": {
                "number": KIBANA_VERSION,
                "build_hash": connectory.__version__,
                "build_number": 1,
                "build_snapshot": False,
                "build_flavor": "traditional",
                "build_date": BUILD_DATE,
            },
            "status": {
                "overall": {"level": health.level, "summary": health.summary},
                "core": {},
                "plugins": {},
            },
            "metrics": {"last_updated": iso_millis(self.clock()), "collection_interval_in_millis": 5000},
        }


def _redacted(health: Health) -> JsonObject:
    return {"status": {"overall": {"level": health.level}}}


def _build_date() -> str:
    """When the package was put where it is."""
    installed = Path(str(files("connectory") / "__init__.py")).stat().st_mtime
    return iso_millis(datetime.fromtimestamp(installed, UTC))


BUILD_DATE: Final = _build_date()
