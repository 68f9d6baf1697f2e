"""Files as operators have them, taken from the how-to guides, from the file to a run."""

import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.composition import type_registry
from connectory.infra.preconfigured import in_memory_connectors
from connectory.infra.settings import RunRate, Settings, custom_hosts, load_settings
from tests.http_gateway import CONNECTOR, http_gateway, reading_replies
from tests.unit.installation import Installation

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
VARIABLES = {"ENCRYPTION_KEY": "k" * 32, "PROXY_PASSWORD": "p", "OPS_PASSWORD": "sentinel"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_guide(guide: str) -> str:
    (sample,) = re.findall(r"```yaml\n(.*?)```", (GUIDES / guide).read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(sample)


def of_kibana(environ: Mapping[str, str] = VARIABLES) -> Settings:
    file = Path("kibana.yml")
    file.write_text(in_guide("bring-your-kibana-yml.md"))
    return load_settings(environ=environ, kibana_config=file)


def test_a_file_for_kibana_means_here_what_it_means_there(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        settings = of_kibana()
    assert (settings.server.name, settings.http.port, settings.spaces.max_spaces) == ("kibana-1", 5601, 50)
    assert settings.task_manager.poll_interval == timedelta(seconds=3)
    assert settings.actions.max_response_content_length == 2 * 1024**2
    assert settings.proxy.url == "http://proxy:p@proxy.example.com:3128"
    assert settings.proxy.bypass_hosts == ("mail.example.com",)
    assert settings.email.domain_allowlist == ("example.com",)
    assert settings.email.rates == {"email": RunRate(limit=100, lookback_window=timedelta(hours=1))}
    assert caplog.messages == ["The setting xpack.actions.usage.enabled has no effect in Connectory."]


def test_its_hosts_are_brought_to_one_form() -> None:
    (host,) = custom_hosts(of_kibana().egress.custom_host_settings, pytest.fail)
    assert (host.url, host.verification_mode, host.require_tls) == ("smtp://mail.example.com:587", "certificate", True)


def test_variables_go_before_it() -> None:
    more = {"XPACK_ACTIONS_RESPONSETIMEOUT": "30s", "XPACK_ACTIONS_ALLOWEDHOSTS[0]": "hooks.example.com"}
    settings = of_kibana({**VARIABLES, **more})
    assert settings.actions.response_timeout == timedelta(seconds=30)
    assert settings.actions.allowed_hosts == ("hooks.example.com",)


def test_it_shows_no_secret() -> None:
    assert "sentinel" not in repr(of_kibana())


async def test_its_connectors_are_listed_and_run() -> None:
    settings = of_kibana()
    installation = await Installation().create_topics()
    installation.registry = type_registry(settings)
    installation.in_memory = in_memory_connectors(settings.preconfigured, installation.registry)
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        listed = (await gateway.get("/api/actions/connectors")).body
        ran = await gateway.call("POST", f"{CONNECTOR}/ops-webhook/_execute", {"params": {"body": "x"}})
    assert [(each["id"], each["is_preconfigured"]) for each in listed] == [("ops-webhook", True)]
    assert (ran.body["status"], installation.target.calls[0].url) == ("ok", "https://hooks.example.com/ops")


def test_the_connectors_of_the_other_guide_are_read() -> None:
    Path("connectory.yml").write_text(in_guide("preconfigure-connectors.md"))
    settings = load_settings(environ=VARIABLES)
    connectors = in_memory_connectors(settings.preconfigured, type_registry(settings))
    assert [(each.connector_id, each.expose_config) for each in connectors.shown()] == [
        ("ops-webhook", True),
        ("Audit.Log", False),
    ]


def test_the_settings_of_the_guides_for_mail_and_documents_are_read() -> None:
    samples = [
        *re.findall(r"```yaml\n(.*?)```", (GUIDES / "send-mail.md").read_text(encoding="utf-8"), flags=re.DOTALL),
        in_guide("index-documents.md"),
    ]
    Path("connectory.yml").write_text("\n".join(samples))
    settings = load_settings(environ={"SEARCH_API_KEY": "made-up"})
    assert settings.email.domain_allowlist == ("example.com",)
    assert settings.elasticsearch.hosts == ("https://search.example.com:9200",)
    assert [host.url for host in settings.egress.custom_host_settings] == ["smtp://mail.example.com:587"]
