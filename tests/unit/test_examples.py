"""What the example programs say when something is wrong; their success is shown by the tutorial's tests."""

import socket
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(example: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / example), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_taken_port_of_the_sink_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run("webhook_sink.py", "--port", port)

    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: cannot listen on port {port}, choose another with --port")
    assert len(result.stderr.splitlines()) == 1


def test_requests_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_bytes(b"\xff")

    result = run("publish_requests.py", str(requests))

    assert result.returncode == 1
    assert result.stderr == "Error: the requests are not UTF-8: write them in that encoding\n"
