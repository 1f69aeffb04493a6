"""Mutation testing of the clinical engine: `python -m tests.mutation --help`."""

import argparse
import os
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from tests.mutation.examples import prepared
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trying import Place, survivors


def main() -> int:
    """Try a sample, print what became of it as Markdown; 1 when fewer were killed than asked for."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        place = prepared(Path(name))
        every = [each for module, text in place.sources.items() for each in mutants_of(module, text, place.enums)]
        wanted = [each for each in every if options.only in str(each)]
        if options.again is not None:
            told = Path(options.again).read_text().splitlines()
            wanted = [each for each in wanted if any(_names(line, each) for line in told)]
        sample = _sample(wanted, options.sample, options.seed)
        part, parts = (int(number) for number in options.part.split("/"))
        chosen = sample[part - 1 :: parts]
        text = f"{len(chosen)} of a sample of {len(sample)} of {len(every)} mutants, seed {options.seed}"
        print(text, file=sys.stderr, flush=True)
        alive = _alive(place, chosen, options.workers)
    _report(every, chosen, alive)
    return int(1 - len(alive) / max(1, len(chosen)) < options.at_least)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=600, help="how many mutants, over all modules (0: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--only", default="", help="only mutants with this in their description, such as alerts.judge:")
    parser.add_argument("--again", help="only what a file of survivors names, such as the report of a run before")
    parser.add_argument("--part", default="1/1", help="of the sample, such as 2/5: a long run in pieces")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--at-least", type=float, default=0.9, help="the share that must be killed")
    return parser.parse_args()


def _names(line: str, mutant: Mutant) -> bool:
    """Does a line of a report mean this mutant, wherever its line of code has moved to?"""
    return f" {mutant.module}:" in line and line.endswith(mutant.change)


def _sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """As many of each module as its share, one at least."""
    if count == 0 or count >= len(mutants):
        return list(mutants)
    dice, by_module = random.Random(seed), defaultdict[str, list[Mutant]](list)
    for mutant in mutants:
        by_module[mutant.module].append(mutant)
    chosen = []
    for those in by_module.values():
        chosen += dice.sample(those, max(1, round(count * len(those) / len(mutants))))
    return sorted(chosen, key=lambda mutant: (mutant.module, mutant.place, mutant.variant))


def _alive(place: Place, mutants: Sequence[Mutant], workers: int) -> list[Mutant]:
    """Every worker takes its share, and writes down the number of each survivor."""
    numbers = {mutant: number for number, mutant in enumerate(mutants)}
    children = []
    for worker in range(workers):
        child = os.fork()
        if child == 0:
            with (place.folder / f"alive.{worker}").open("w") as file:
                survivors(place, mutants[worker::workers], lambda mutant: _note(file, numbers[mutant], mutant))
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    written = " ".join((place.folder / f"alive.{worker}").read_text() for worker in range(workers))
    return [mutants[number] for number in sorted(int(text) for text in written.split())]


def _note(file: TextIO, number: int, mutant: Mutant) -> None:
    print(number, file=file, flush=True)
    print(f"alive: {mutant}", file=sys.stderr, flush=True)


def _report(every: Sequence[Mutant], chosen: Sequence[Mutant], survivors: Sequence[Mutant]) -> None:
    kinds, alive = sorted({mutant.kind for mutant in every}), set(survivors)
    print(f"| module | {' | '.join(kinds)} | tried | killed |")
    print(f"|---|{'--:|' * (len(kinds) + 2)}")
    for module in sorted({mutant.module for mutant in chosen}):
        print(_row(module, [mutant for mutant in chosen if mutant.module == module], alive, kinds))
    print(_row("all", chosen, alive, kinds))
    print()
    for mutant in survivors:
        print(f"- {mutant.kind}: {mutant}")


def _row(name: str, mutants: Sequence[Mutant], alive: set[Mutant], kinds: Sequence[str]) -> str:
    """How many of each kind were tried, and how many of all were killed."""
    counts = Counter(mutant.kind for mutant in mutants)
    share = f"{sum(mutant not in alive for mutant in mutants) / max(1, len(mutants)):.0%}"
    return f"| {name} | {' | '.join(str(counts[kind] or '') for kind in kinds)} | {len(mutants)} | {share} |"


if __name__ == "__main__":
    sys.exit(main())
