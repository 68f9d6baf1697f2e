"""The plain text of a secret is nowhere: not on disk, not in the database, not in a log, not in an answer."""

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from connectory.client import ConnectoryClient, RunningSystem
from connectory.infra.embedded.postgres_programs import NEWEST, PROGRAMS
from tests.e2e.program import Up
from tests.fakes.http_target import Answer, HttpTarget

SENTINEL = "s3ntinel-7f1c9b2e-never-to-be-seen"
FORMS = (SENTINEL.encode(), b64encode(f"user:{SENTINEL}".encode()))
SECRETS = {"user": "user", "password": SENTINEL}


async def test_the_plain_text_of_a_secret_is_nowhere(system: Up, client: ConnectoryClient, target: HttpTarget) -> None:
    answers = await use_a_secret(client, target)

    assert any(SENTINEL in text for text in sent_to(target)), "the target must have got it"
    assert leaks(answers.encode()) == []
    assert leaks(dump(system)) == []
    assert [path for path in files(system) if leaks(content(path))] == []


async def use_a_secret(client: ConnectoryClient, target: HttpTarget) -> str:
    """Create, run, fail, update, list and log a connector with the secret; return all that was answered."""
    config = {"url": target.answers_with("/echo", echoing()), "hasAuth": True}
    created = await client.create_connector("Sealed", ".webhook", config, SECRETS)
    answered = [created, await client.execute(created.id, {"body": "x"})]
    answered.append(await client.update_connector(created.id, "Sealed again", config, SECRETS))
    answered += [await client.connector(created.id), *await client.connectors()]
    answered += [item async for item in client.event_log(connector_id=created.id)]
    return "\n".join(each.model_dump_json() for each in answered)


def echoing() -> Answer:
    """A target that repeats what it was told, in its refusal."""
    body = f'{{"message": "wrong password {SENTINEL}"}}'
    return Answer(status=400, headers={"Content-Type": "application/json"}, body=body.encode())


def sent_to(target: HttpTarget) -> Iterator[str]:
    from connectory.client.api import basic_authorization

    expected = basic_authorization("user", SENTINEL)
    yield from (SENTINEL for received in target.received if received.headers.get("authorization") == expected)


def leaks(data: bytes) -> list[bytes]:
    return [form for form in FORMS if form in data]


def dump(system: Up) -> bytes:
    """Everything in the database, as SQL."""
    url = RunningSystem.find(system.data_dir).database_url
    assert url is not None
    program = PROGRAMS[NEWEST] / "pg_dump"
    return subprocess.run([program, url], capture_output=True, check=True).stdout


def content(path: Path) -> bytes:
    """Nothing of a file that is gone by now: the servers go on, and tidy up."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def files(system: Up) -> Iterator[Path]:
    """Kafka's data, Postgres' data, and every log, the program's own among them."""
    yield system.log
    yield from (path for path in system.data_dir.rglob("*") if path.is_file())
