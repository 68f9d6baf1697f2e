"""The quickstart of the README, the tutorial and how-to guides, run as they are written."""

import asyncio
import re
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from connectory.client import ConnectoryClient
from tests.e2e.program import Up, clean_environment, up
from tests.ports import free_test_port
from tests.provision import temporary_data_dir
from tests.waiting import until, until_answer

ROOT = Path(__file__).parents[2]
PUBLISHING = """
import asyncio


async def publish() -> list[str]:
    async with open_log() as log, ActionRequestPublisher.over(log) as publisher:
        return [*await tell_of(["{}", "{}"]), await publisher.publish(request_of("rule-1", "execution-1"))]


print(*asyncio.run(publish()))
"""
"""What a service does with the samples."""

NOT_THERE = '{"statusCode":404,"error":"Not Found","message":"Saved object [action/orders] not found"}'


def quickstart() -> list[str]:
    """The shell blocks below that heading of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return blocks(re.split(r"^## ", text.partition("\n## Quickstart\n")[2], maxsplit=1, flags=re.MULTILINE)[0])


def blocks(text: str, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def page(name: str, language: str = "sh") -> list[str]:
    """Those of a how-to guide."""
    return blocks((ROOT / f"docs/how-to/{name}.md").read_text(encoding="utf-8"), language)


@pytest.fixture(scope="module")
async def checkout() -> AsyncIterator[Up]:
    """A directory that looks like a checkout, with a system running in it as `make up` runs it.

    One reader goes through all of the pages, so each page has to do without what another one has left.
    """
    with temporary_data_dir() as directory:
        for name in (".venv", "examples"):
            (directory / name).symlink_to(ROOT / name)
        async with up(directory / ".connectory") as system:
            yield system


async def test_the_quickstart_works_as_written(checkout: Up) -> None:
    first, sink, *steps = quickstart()
    assert (first, len(steps)) == ("make up\n", 3)
    sink_port = free_test_port()

    async with background(moved(sink, checkout, sink_port), checkout, sink_port):
        create, publish, ask = (partial(shell, moved(step, checkout, sink_port), checkout) for step in steps)
        created, published = await create(), await publish()
        # The event log follows the outcomes by a moment, in which a user has not yet typed the next command.
        asked = await until_answer(ask, lambda shown: "1000 successes" in shown, 30.0, 0.1)

    assert '"id":"quickstart"' in created
    assert "success: 1000" in published
    assert len([line for line in asked.splitlines() if "  success  " in line]) == 1000


async def test_the_tutorial_works_as_written(checkout: Up) -> None:
    first, *steps, last = blocks((ROOT / "docs/tutorial/first-connector.md").read_text(encoding="utf-8"))
    shorthand = steps[0]
    assert first == "make up\n"

    shown = await shell(moved("".join(steps), checkout), checkout)
    await until(lambda: "hello by HTTP" in checkout.output, 30.0, 0.05)
    removed = await shell(moved(shorthand + last, checkout), checkout)

    assert "statusCode" not in shown + removed
    assert '"status":"ok"' in shown
    assert '"status":"accepted"' in shown
    assert "hello by Kafka" in checkout.output


async def test_pausing_limiting_and_cancelling_work_as_written(checkout: Up) -> None:
    shorthand, *steps, submit, cancel = page("pause-or-limit-a-connector")
    async with checkout.client() as client:
        await client.create_connector("Orders", ".server-log", connector_id="orders")

        shown = await shell(moved("".join([shorthand, *steps]), checkout), checkout)
        await client.execute("orders", {"message": "reads what the connector is now"})
        await shell(moved(shorthand + submit, checkout), checkout)
        await until_answer(lambda: actions(client, "order-7"), lambda told: "rate-limited" in told, 30.0, 0.05)
        cancelling = partial(shell, moved(shorthand + cancel, checkout), checkout)
        # "accepted" for as long as the executor has not said what became of it.
        cancelled = await until_answer(cancelling, lambda shown: '"status":"accepted"' not in shown, 30.0, 0.1)
        await client.delete_connector("orders")

    assert "statusCode" not in shown
    assert '{"id":"orders","enabled":false,"version":2}' in shown
    assert cancelled == '{"request_id":"order-7","connector_id":"orders","status":"cancelled"}\n'
    assert "order 7" not in checkout.output


async def test_undoing_changes_and_declaring_references_work_as_written(checkout: Up) -> None:
    shorthand, *undo = page("undo-a-change")
    _, refer = page("declare-references")
    async with checkout.client() as client:
        await client.create_connector("Orders", ".server-log", connector_id="orders")
        await client.update_connector("orders", "Orders of the shop")

        history, then, tried, restored = [await shell(moved(shorthand + step, checkout), checkout) for step in undo]
        referred = await shell(moved(shorthand + refer, checkout), checkout)
        name = (await client.connector("orders")).name
        await client.delete_connector("orders")

    assert '"diff":[{"path":["name"],"before":"Orders","after":"Orders of the shop"}]' in history
    assert then.splitlines() == [NOT_THERE, "[]"]
    assert ('"status":"ok"' in tried, "order 8" in checkout.output) == (True, False)
    assert ('"restored_version":1' in restored, name) == (True, "Orders")
    assert referred.count('"type":"alert-rule"') == 2


async def test_keeping_order_works_as_written(checkout: Up) -> None:
    (commands,) = page("keep-order")
    shown = await shell(moved(commands, checkout), checkout)
    await until(lambda: "account 7 closed" in checkout.output, 30.0, 0.05)
    seen = re.findall(r"account 7 (\w+)", checkout.output)

    assert shown.count('"status":"accepted"') == 3
    assert seen == ["opened", "credited", "closed"]


async def test_scaling_out_works_as_written(checkout: Up) -> None:
    start, publish, end = page("scale-out")
    async with checkout.client() as client:
        for number in range(6):
            await client.create_connector("Accounts", ".server-log", connector_id=f"accounts-{number}")

    started = "timeout 60 sh -c 'until grep starts executor.log; do sleep 0.1; done'\n"

    shown = await shell(f"{start}trap 'kill $!' ERR\n{started}{publish}{end}", checkout)

    assert "the executor starts on Kafka" in shown
    assert shown.count("  success  ") == 30


async def test_redriving_and_replaying_work_as_written(checkout: Up) -> None:
    given, listing, mend, *rest = page("retry-and-redrive")
    port = free_test_port()
    shorthand, _, broken = given.partition("; }\n")
    shorthand += "; }\n"

    async with background(f".venv/bin/python examples/webhook_sink.py --port {port}", checkout, port):
        await shell(moved(shorthand + broken, checkout, port), checkout)
        list_letters = partial(shell, moved(listing, checkout, port), checkout)
        await until_answer(list_letters, lambda shown: shown.count("action-requests") == 2, 30.0, 0.05)
        redriven = await shell(moved(shorthand + mend, checkout, port), checkout)
        outputs = [await shell(moved(shorthand + step, checkout, port), checkout) for step in rest]

    _, dropped, rehearsed, replayed, again = outputs
    assert "redriven: 2" in redriven
    assert "dropped: 0" in dropped
    assert f"POST http://127.0.0.1:{port}/parcels" in rehearsed
    assert "would be sent: 2, refused: 0" in rehearsed
    assert "submitted: 2" in replayed
    assert '{"redriven":0,"items":[],"more":false}' in again


async def actions(client: ConnectoryClient, request_id: str) -> list[str]:
    return [each.action async for each in client.event_log(request_id=request_id)]


def moved(commands: str, system: Up, sink_port: int = 8099) -> str:
    """The same on ports that are free here."""
    ports = {"5601": system.port, "8099": sink_port}
    return re.sub(r"\b(5601|8099)\b", lambda found: str(ports[found[0]]), commands)


async def shell(commands: str, system: Up) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euo",
        "pipefail",
        "-c",
        commands,
        cwd=system.data_dir.parent,
        stdout=-1,
        stderr=-2,
        env=clean_environment(),
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120.0)
    assert process.returncode == 0, output.decode()
    return output.decode()


def write(system: Up, name: str, text: str) -> None:
    """A file in the directory of the checkout."""
    (system.data_dir.parent / name).write_text(text, encoding="utf-8")


@asynccontextmanager
async def orders(system: Up) -> AsyncIterator[ConnectoryClient]:
    """With the connector that the guides have, and a target for it."""
    port = free_test_port()
    config = {"url": f"http://127.0.0.1:{port}/orders", "hasAuth": False}
    sink = background(f".venv/bin/python examples/webhook_sink.py --port {port}", system, port)
    async with sink, system.client() as client:
        await client.create_connector("Orders", ".webhook", config, connector_id="orders")
        yield client
        await client.delete_connector("orders")


@asynccontextmanager
async def reading(command: str, system: Up) -> AsyncIterator[Path]:
    """A command that goes on until it is interrupted, and the file that has what it says."""
    output = system.data_dir.parent / f"said-{uuid.uuid4()}"
    with output.open("wb") as stdout:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f"exec {command}"), cwd=output.parent, stdout=stdout, stderr=stdout, env=clean_environment()
        )
    try:
        yield output
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def background(commands: str, system: Up, port: int) -> AsyncIterator[None]:
    """Another shell, in which something that listens on the port runs until the end."""
    async with reading(commands, system):
        await until(lambda: listens(port), 30.0, 0.05)
        yield


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_publishing_works_as_written(checkout: Up) -> None:
    tell, on_behalf = page("publish-requests", "python")
    (by_shell,) = page("publish-requests")
    write(checkout, "publishing.py", tell + on_behalf + PUBLISHING)
    write(checkout, "requests.jsonl", '{"connector_id": "orders", "params": {"body": "{}"}}\n' * 3)
    async with orders(checkout) as client:
        published = await shell(".venv/bin/python publishing.py", checkout)
        shown = await shell(by_shell, checkout)
        for request_id in published.split():
            await until_answer(partial(actions, client, request_id), lambda told: "execute" in told, 30.0, 0.05)
        sources = [each.source async for each in client.event_log(connector_id="orders", outcome="success")]

    assert (len(published.split()), shown.count("  success  ")) == (3, 3)
    assert sources.count("alert") == 1


async def test_consuming_works_as_written(checkout: Up) -> None:
    (watch,) = page("consume-outcomes", "python")
    (by_shell,) = page("consume-outcomes")
    asked, follow, kept = re.split(r"^(\S+ outcomes --follow\n)", by_shell, flags=re.MULTILINE)
    write(checkout, "watching.py", watch + "\nimport asyncio\n\nasyncio.run(watch())\n")
    async with (
        orders(checkout) as client,
        reading(".venv/bin/python -u watching.py", checkout) as watched,
        reading(follow, checkout) as followed,
    ):
        run_once = partial(client.execute, "orders", {"body": "{}"})
        await until_answer(run_once, lambda _: all(map(tells_of_a_success, (watched, followed))), 60.0, 0.2)
        shown = await shell(moved(asked, checkout) + kept + "cat outcomes.jsonl", checkout)

    assert '{"items":' in shown
    assert '"orders"' in shown


def tells_of_a_success(output: Path) -> bool:
    return " success " in output.read_text(encoding="utf-8")


async def test_using_spaces_works_as_written(checkout: Up) -> None:
    shorthand, create, work, change, delete = page("use-spaces")

    created = await shell(moved(shorthand + create, checkout), checkout)
    worked = await shell(moved(shorthand + work, checkout), checkout)
    changed = await shell(moved(shorthand + change + delete, checkout), checkout)
    left = await shell(moved(shorthand + work.splitlines()[-2], checkout), checkout)

    assert created.count('"id":"sales"') == 2
    assert (worked.count('"id":"sales-log"'), worked.count('"statusCode":404')) == (2, 1)
    assert ('"name":"Sales and service"' in changed, "statusCode" in changed) == (True, False)
    assert left.strip() == "[]"
