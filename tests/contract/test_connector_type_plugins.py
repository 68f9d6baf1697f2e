"""A connector type of another distribution, as the how-to page makes it: listed, checked, documented and run."""

import re
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.describe import type_page
from connectory.connector_types.forms import form_fields
from connectory.connector_types.plugins import all_types
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.sub_actions import SubActions
from connectory.domain.errors import Refused, SettingsInvalid
from connectory.domain.execution import Failed, Succeeded
from connectory.infra.egress import AllowedHosts, EgressSettings, open_egress
from tests.connector_runs import run_action
from tests.fakes.http_target import Answer, http_target
from tests.http_gateway import CONNECTOR, http_gateway, reading_replies
from tests.unit.installation import Installation

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-connector-type.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on `sys.path` for distributions."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in list(tmp_path.glob("*.py")):
        sys.modules.pop(module.stem, None)


def install(site: Path, module: str, source: str, entry: str) -> None:
    """What an installer leaves behind of a distribution with one module and one entry point."""
    (site / f"{module}.py").write_text(source, encoding="utf-8")
    metadata = site / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[connectory.connector_types]\n{entry}\n", encoding="utf-8")
    invalidate_caches()


def sample(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return found[number]


@pytest.fixture
def types(site: Path) -> TypeRegistry:
    install(site, "connectory_ntfy", sample("python"), sample("toml").splitlines()[1].replace('"', ""))
    return TypeRegistry(all_types(), settings=TypeSettings(hosts=AllowedHosts(["ntfy.test", "127.0.0.1"])))


def test_a_plug_in_is_listed_after_our_own_types(types: TypeRegistry) -> None:
    assert [each.id for each in types][-1] == ".ntfy"


def test_a_plug_in_is_checked(types: TypeRegistry) -> None:
    with pytest.raises(Refused, match="expected string, received undefined\n  → at url"):
        types.check(".ntfy", {}, {})
    with pytest.raises(Refused, match=r'target url "http://other\.test/" is not added'):
        types.check(".ntfy", {"url": "http://other.test/"}, {})


def test_a_plug_in_is_documented(types: TypeRegistry) -> None:
    (token,) = form_fields(types.get(".ntfy").secrets)

    assert (token.name, token.title, token.secret, token.required) == ("accessToken", "Access token", True, False)
    assert "| `accessToken` | string | null | Access token." in type_page(types.get(".ntfy"))


async def test_a_plug_in_is_run(types: TypeRegistry) -> None:
    async with http_target() as target, open_egress(EgressSettings(user_agent="x")) as egress:
        config, secrets = {"url": f"{target.url}/alerts"}, {"accessToken": "tk_1"}
        result = await run_action(types, ".ntfy", {"message": "hi"}, config=config, secrets=secrets, egress=egress)
        target.answers_with("/alerts", Answer(status=403))
        refused = await run_action(types, ".ntfy", {"message": "hi"}, config=config, secrets=secrets, egress=egress)

    assert (result, target.last.headers["authorization"]) == (Succeeded(data={"published": True}), "Bearer tk_1")
    assert refused == Failed(message="ntfy answered 403", status=403)


async def test_a_plug_in_is_listed_created_and_run_over_http(types: TypeRegistry) -> None:
    installation = await Installation().create_topics()
    installation.registry = types
    connector = {"connector_type_id": ".ntfy", "name": "topic", "config": {"url": "http://ntfy.test/a"}, "secrets": {}}

    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        listed = (await gateway.get("/api/actions/connector_types")).body
        created = await gateway.call("POST", f"{CONNECTOR}/t1", connector)
        run = await gateway.call("POST", f"{CONNECTOR}/t1/_execute", {"params": {"message": "hi"}})

    assert [each["enabled"] for each in listed if each["id"] == ".ntfy"] == [True]
    assert (created.status, run.body["data"]) == (200, {"published": True})


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("TYPE = 1", "its type is int, not ConnectorType"),
        (
            "from connectory.connector_types.webhook import WEBHOOK as TYPE",
            "there is a connector type .webhook already",
        ),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_named(site: Path, source: str, problem: str) -> None:
    install(site, "connectory_broken", source, "mine = connectory_broken:TYPE")

    with pytest.raises(SettingsInvalid) as caught:
        all_types()
    assert caught.value.message == (
        f'the connector type "mine" (connectory_broken:TYPE) of connectory_broken cannot be used: {problem}. '
        "Mend or uninstall the distribution"
    )


def test_the_sub_actions_of_the_page_are_as_they_should_be() -> None:
    page: dict[str, SubActions[Any, Any]] = {}
    exec(compile(sample("python", 1), str(PAGE), "exec"), page)

    assert [each.name for each in page["DESK"].infos] == ["openTicket"]
