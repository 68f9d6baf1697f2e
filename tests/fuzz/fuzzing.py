"""Cases from the document: fitting ones and ones that break it somewhere, sent one after the other.

An answer is wrong when it is a 5xx, or when the document does not have its status, content type, body or text.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.documented import Documented
from tests.http_gateway import ADMIN, HttpGateway

SLOW = "/api/connectory/action_requests/{request_id}"
"""Each request waits two seconds for somebody to answer, as nobody has what is to be cancelled."""

KNOWN = {"id": "c1", "connectorId": "c1", "type": "action", "index": ".kibana-event-log-ds", "version": "latest"}
"""Values of path parameters that lead further than made up ones."""


@dataclass
class Tally:
    """What was answered, by status, and what should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.statuses.total()


async def fuzz(gateway: HttpGateway, examples: int, number: int, tell: Callable[[str], None] = lambda _: None) -> Tally:
    """Send about so many cases, spread over all operations; the same `number` makes the same ones."""
    schema = schemathesis.openapi.from_dict(_plain(gateway.documented.document))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    each = max(1, round(examples / len(operations)))
    tally = Tally()
    for operation in operations:
        await gateway.create("c1")
        count = max(1, each // 10) if operation.path == SLOW else each
        before = tally.count
        await asyncio.to_thread(_try_out, gateway, operation, count, number, tally)
        tell(f"{tally.count - before:5} {operation.label}")
    return tally


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the servers of the document: cases are sent to the gateway under test."""
    return {**document, "servers": [{"url": "/"}]}


def _try_out(gateway: HttpGateway, operation: Any, count: int, number: int, tally: Tally) -> None:
    session = requests.Session()
    session.trust_env = False
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    breaking = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=st.one_of(fitting, breaking), known=st.booleans())
    def send(case: Any, known: bool) -> None:
        _send(gateway, session, case, tally, known=known)

    send()


def _send(gateway: HttpGateway, session: requests.Session, case: Any, tally: Tally, *, known: bool) -> None:
    if known:
        case.path_parameters.update({name: KNOWN[name] for name in case.path_parameters if name in KNOWN})
    response = case.call(base_url=gateway.url, session=session, headers={"Authorization": ADMIN}, timeout=60)
    tally.statuses[response.status_code] += 1
    sent = f"{response.request.method} {response.request.path_url}"
    problem = _problem(gateway.documented, response)
    if problem:
        tally.wrong.setdefault(f"{case.operation.label} {response.status_code}", f"{sent} {case.body!r}: {problem}")


def _problem(documented: Documented, response: Any) -> str | None:
    method, path = response.request.method, response.request.path_url
    if response.status_code >= 500:
        return f"{response.status_code} {response.text[:500]}"
    content_type = response.headers.get("content-type", [""])[0]
    try:
        documented.hold(method, path, response.status_code, content_type, response.content)
    except AssertionError as error:
        return str(error)[:500]
    if documented.find(method, path) is None and response.status_code != 404:
        return f"{response.status_code} for a path that is not in the document"
    return None
