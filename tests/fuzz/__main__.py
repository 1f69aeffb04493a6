"""`python -m tests.fuzz [--each 50] [--seed 1] [--only CALL] [--database URL]`: thousands of made-up requests."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from service.storage.migrations import migrate
from tests.fuzz.run import Found, fuzzing


async def main() -> int:
    """Run them, and print what became of them."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--each", type=int, default=30, help="allowed requests, and as many others, of every call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="calls that contain this")
    parser.add_argument("--database", help="the URL of an empty one; else a new SQLite file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.database or f"sqlite:///{Path(folder) / 'fuzz.db'}"
        await migrate(url)
        began = time.monotonic()
        async with fuzzing(url, asked.seed) as fuzz:
            found = await fuzz.run(asked.each, asked.only)
        show(found, time.monotonic() - began)
    return 1 if found.wrong else 0


def show(found: Found, seconds: float) -> None:
    """Print the counts, and everything that was wrong."""
    print(f"{found.sent.total()} requests in {seconds:.0f} s")
    roles: dict[str, Counter[int]] = {}
    for (role, status), number in found.sent.items():
        roles.setdefault(role, Counter())[status] = number
    for role, counted in roles.items():
        print(f"  {role:<14}", "  ".join(f"{status}: {number}" for status, number in sorted(counted.items())))
    for (call, what), whole in found.wrong.items():
        print(f"\n{call}: {what}\n{whole[:3000]}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
