"""Processes of a benchmark: each is ended with the block that started it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import psutil

END_SECONDS = 20.0


@asynccontextmanager
async def python(
    *arguments: str, env: Mapping[str, str] | None = None, log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run this Python with these arguments; its standard error goes to `log`, or nowhere."""
    with _opened(log) as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env={**os.environ, **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), END_SECONDS)


def _opened(log: Path | None) -> BinaryIO:
    return open(log or os.devnull, "ab")


async def line(process: asyncio.subprocess.Process) -> str:
    """The next line of the process's standard output."""
    assert process.stdout is not None
    text = await process.stdout.readline()
    if not text:
        raise RuntimeError(f"a process of the benchmark ended with {await process.wait()}")
    return text.decode().strip()


def processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
