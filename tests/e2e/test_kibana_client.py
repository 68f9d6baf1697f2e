"""A client that knows nothing of Connectory: plain HTTP, as the Terraform provider for Kibana speaks it."""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.program import Up
from tests.waiting import until_answer

CONNECTORS = "/s/default/api/actions/connector"
BODY = {"name": "orders", "config": {"index": "orders"}, "secrets": {}}


class Answer(NamedTuple):
    status: int
    content_type: str
    raw: bytes

    @property
    def body(self) -> Any:
        assert self.content_type == "application/json; charset=utf-8"
        return json.loads(self.raw)


class KibanaClient:
    """One login, `kbn-xsrf` on all but GET, nothing else."""

    def __init__(self, system: Up) -> None:
        self._address = urlsplit(system.url).netloc
        token = base64.b64encode(f"admin:{system.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        headers = self._headers | ({} if method == "GET" else {"kbn-xsrf": "true"})
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = HTTPConnection(self._address, timeout=90)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheader("Content-Type", ""), response.read())
        finally:
            connection.close()


@pytest.fixture
def kibana(system: Up) -> KibanaClient:
    return KibanaClient(system)


async def beside(work: Callable[[], None]) -> None:
    """The client blocks; what it speaks to runs in another process."""
    await asyncio.to_thread(work)


async def test_a_resource_is_created_read_updated_read_and_deleted(kibana: KibanaClient) -> None:
    def apply() -> None:
        path = f"{CONNECTORS}/{uuid.uuid4()}"
        created = kibana.call("POST", path, {**BODY, "connector_type_id": ".server-log", "config": {}})
        assert (created.status, created.body["id"]) == (200, path.rpartition("/")[2])

        read = kibana.call("GET", path)
        assert (read.status, read.body["name"], read.body["config"]) == (200, "orders", {})

        updated = kibana.call("PUT", path, {**BODY, "name": "parcels", "config": {}})
        assert (updated.status, updated.body["name"]) == (200, "parcels")
        assert kibana.call("GET", path).body["name"] == "parcels"

        assert kibana.call("DELETE", path)[:1] == (204,)
        gone = kibana.call("GET", path)
        assert (gone.status, gone.body["statusCode"]) == (404, 404)
        assert kibana.call("DELETE", path).status == 404

    await beside(apply)


async def test_an_id_made_by_the_server_is_a_uuid_and_what_is_read_has_strict_types(kibana: KibanaClient) -> None:
    def apply() -> None:
        body = {**BODY, "connector_type_id": ".webhook", "config": {"url": "http://localhost/", "hasAuth": False}}
        created = kibana.call("POST", CONNECTORS, body)
        connector_id = created.body["id"]
        assert str(uuid.UUID(connector_id)) == connector_id

        read = kibana.call("GET", f"{CONNECTORS}/{connector_id}").body
        flags = [read[name] for name in ("is_deprecated", "is_missing_secrets", "is_preconfigured")]
        assert flags == [False, False, False]
        assert (read["config"]["method"], read["config"].get("authType")) == ("post", None)

        listed = kibana.call("GET", "/s/default/api/actions/connectors").body
        assert [each["name"] for each in listed if each["id"] == connector_id] == ["orders"]

    await beside(apply)


async def test_a_space_is_created_with_what_is_set_and_its_connectors_go_with_it(kibana: KibanaClient) -> None:
    def apply() -> None:
        space = {"id": "terraform", "name": "Terraform", "disabledFeatures": []}
        assert kibana.call("POST", "/api/spaces/space", space).body == space
        path = f"/s/terraform/api/actions/connector/{uuid.uuid4()}"
        assert kibana.call("POST", path, {**BODY, "connector_type_id": ".server-log", "config": {}}).status == 200

        assert kibana.call("DELETE", "/api/spaces/space/terraform").status == 204
        assert kibana.call("GET", "/api/spaces/space/terraform").status == 404
        assert kibana.call("GET", path).status == 404

    await beside(apply)


async def test_the_version_and_what_there_is_not(kibana: KibanaClient) -> None:
    def ask() -> None:
        version = kibana.call("GET", "/api/status").body["version"]
        assert (version["number"], version["build_flavor"]) == ("9.3.0", "traditional")
        missing = kibana.call("GET", "/s/default/api/fleet/agent_download_sources")
        assert missing.body == {"statusCode": 404, "error": "Not Found", "message": "Not Found"}

    await beside(ask)


async def test_the_executors_are_well(kibana: KibanaClient) -> None:
    async def ask() -> Any:
        return (await asyncio.to_thread(kibana.call, "GET", "/api/task_manager/_health")).body

    health = await until_answer(ask, lambda found: found["status"] == "OK", 30.0, 0.1)

    assert health["stats"]["workload"]["value"]["owner_ids"] == 1
