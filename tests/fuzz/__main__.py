"""`python -m tests.fuzz --examples 2000 --seed 1`: fuzz all routes of a gateway, and say what was wrong."""

import argparse
import asyncio
import sys
import time

from tests.fuzz.fuzzing import Tally, fuzz
from tests.http_gateway import http_gateway, reading_replies
from tests.unit.installation import Installation


async def _run(examples: int, seed: int) -> Tally:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        return await fuzz(gateway, examples, seed, tell=lambda line: print(line, flush=True))  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz all routes of a gateway.")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    tally = asyncio.run(_run(options.examples, options.seed))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    lines = [f"{tally.count} requests in {time.monotonic() - began:.0f} seconds; by status: {statuses}"]
    lines += [f"WRONG {where}\n  {what}" for where, what in tally.wrong.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
