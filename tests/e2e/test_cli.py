"""The other commands, on a system that runs."""

import json
import re
from functools import partial

import pytest

from connectory.client import ConnectoryClient, NewActionRequest
from tests.e2e.program import Up, run, start
from tests.ports import free_test_port
from tests.waiting import until, until_answer


async def test_a_request_is_published_and_waited_for(system: Up, webhook: str) -> None:
    finished = await system.run("request", webhook, "--params", '{"body": "x"}', "--request-id", "by-cli", "--wait")

    assert (finished.code, finished.errors) == (0, "")
    assert re.search(f"success +{webhook}  by-cli", finished.output)


async def test_a_request_that_was_made_before_is_no_failure(system: Up, webhook: str) -> None:
    twice = [
        await system.run("request", webhook, "--params", '{"body": "x"}', "--request-id", "again", "--wait")
        for _ in range(2)
    ]

    assert [finished.code for finished in twice] == [0, 0]
    assert "request again was submitted before and is not run again" in twice[1].output


async def test_a_failed_request_is_told_by_the_exit_code(system: Up) -> None:
    finished = await system.run("request", "no-such-connector", "--params", "{}", "--wait")

    assert finished.code == 2
    assert "Saved object [action/no-such-connector] not found" in finished.output


async def test_a_file_of_requests_is_published(system: Up, webhook: str) -> None:
    requests = [NewActionRequest(connector_id=webhook, params={"body": f"{n}"}) for n in range(20)]
    lines = "\n".join(request.model_dump_json(exclude_none=True) for request in requests)

    finished = await system.run("request", "--file", "-", text=lines)

    assert finished.output.split() == [request.request_id for request in requests]


async def test_a_bad_line_is_named_and_nothing_is_published(system: Up, webhook: str) -> None:
    lines = f'{{"connector_id": "{webhook}", "params": {{}}}}\n{{"connector_id": "{webhook}"}}'

    finished = await system.run("request", "--file", "-", text=lines)

    assert (finished.code, finished.output) == (1, "")
    assert finished.errors.strip() == "Error: line 2: [params] Field required"


async def test_a_connector_is_tried(system: Up, webhook: str) -> None:
    fine = await system.run("test", webhook, "--params", '{"body": "x"}')
    failed = await system.run("test", webhook, "--params", '{"body": 1}')

    assert (fine.code, fine.output) == (0, 'ok\n"x"\n')
    assert failed.code == 2
    assert failed.output.startswith("error  error validating action params: ✖ Invalid input: expected string")


async def test_outcomes_are_shown_for_one_connector(system: Up, client: ConnectoryClient, webhook: str) -> None:
    for _ in range(3):
        await client.execute(webhook, {"body": "x"})

    shown = await system.run("outcomes", "--connector", webhook)
    newest = await system.run("outcomes", "--connector", webhook, "--limit", "1", "--json")

    assert len(shown.output.splitlines()) == 3
    assert shown.errors.strip() == "3 outcomes: 3 success"
    assert json.loads(newest.output)["connector_id"] == webhook


async def test_topics_are_described(system: Up) -> None:
    finished = await system.run("topics", "describe")

    assert "connectory.action-outcomes" in finished.output
    assert "connectory.connector-events" in finished.output


async def test_creating_topics_that_exist_changes_nothing(system: Up) -> None:
    assert (await system.run("topics", "create")).output.strip() == "all topics exist"


async def test_topics_are_made_and_named_with_their_prefix(kafka_bootstrap: str, topic_prefix: str) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap, "CONNECTORY_KAFKA_TOPICPREFIX": topic_prefix}

    before = await run("topics", "describe", environment=environment)
    created = await run("topics", "create", environment=environment)

    assert before.errors.strip() == "there are no topics yet: make them with `connectory topics create`"
    assert f"created {topic_prefix}action-requests" in created.output.splitlines()


@pytest.mark.parametrize("name", ["connectors_by_space", "connector_history", "event_log", "dead_letters", "spaces"])
async def test_a_projection_is_rebuilt_while_it_is_read(
    system: Up, client: ConnectoryClient, webhook: str, name: str
) -> None:
    finished = await system.run("projections", "rebuild", name)

    assert (finished.code, f"rebuilt {name}" in finished.output) == (0, True)
    assert (await client.connector(webhook)).id == webhook


async def test_keys_are_counted_before_they_are_rotated(system: Up) -> None:
    counted, refused = await system.run("keys", "rotate", "--dry-run"), await system.run("keys", "rotate")

    assert "under an old key, to be rotated: 0" in counted.output
    assert "under a key that is not configured: 0" in counted.output
    assert (refused.code, "decryptionOnlyKeys" in refused.errors) == (1, True)


async def test_the_doctor_finds_a_running_system_well(system: Up) -> None:
    finished = await until_answer(partial(system.run, "doctor"), lambda found: found.code == 0, 60.0)

    assert f"{system.url} is available" in finished.output
    assert "answers, and has all topics" in finished.output


async def test_a_second_start_on_the_same_directory_is_refused(system: Up) -> None:
    second = start(system.data_dir)
    await until(lambda: second.process.poll() is not None, 30.0, 0.05)

    assert second.process.wait() == 1
    [refusal] = [line for line in second.output.splitlines() if line.startswith("Error: ")]
    assert f"is in use by the process with pid {system.process.pid}" in refusal


async def test_a_port_that_is_taken_is_one_clear_line(system: Up, tmp_path_factory: pytest.TempPathFactory) -> None:
    taken = system.url.rpartition(":")[2]

    finished = await run("up", "--port", taken, "--memory", "--data-dir", str(tmp_path_factory.mktemp("taken")))

    [refusal] = [line for line in finished.errors.splitlines() if line.startswith("Error: ")]
    assert finished.code == 1
    assert f"port {taken}" in refusal
    assert "Traceback" not in finished.errors


async def test_nothing_running_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    finished = await run("outcomes", "--data-dir", str(tmp_path_factory.mktemp("empty")))

    assert (finished.code, finished.output) == (1, "")
    assert finished.errors.startswith("Error: no running Connectory in")


async def test_a_broker_that_is_not_there_is_one_clear_line() -> None:
    finished = await run("topics", "create", environment={"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_test_port()}"})

    assert finished.code == 1
    [refusal] = finished.errors.strip().splitlines()
    assert refusal.startswith("Error: ")
