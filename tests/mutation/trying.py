"""Mutants tried against the pure tests: each in a forked process of its own, in memory. No file is changed.

The tests are loaded once. A mutant inside a function only gives that function other code; one that shows when its
module is loaded has everything loaded again."""

import gc
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Enums, Mutant, mutated

TESTS = ("tests/alerts", "tests/spec/test_engine.py")
QUIET = ("-x", "-q", "-p", "no:cacheprovider", "--noconftest", "-W", "ignore")
"""Histories at random are not among them: what kills a mutant is an example that somebody can read."""

SECONDS = 20
MEMORY = 2 << 30
"""Of processor time and of memory; who needs more has been led astray."""

_Functions = Mapping[CodeType, list[FunctionType]]
_Swap = tuple[CodeType, CodeType]


@dataclass(frozen=True)
class Place:
    """A copy of the engine and its pure tests, which examples reach which line of it, and how long each takes."""

    folder: Path
    sources: Mapping[str, str]
    enums: Enums
    reached: Mapping[str, Mapping[int, Collection[str]]]
    seconds: Mapping[str, float]

    def tests_of(self, mutant: Mutant) -> Collection[str] | None:
        """The examples that run the mutant's statement; None: all, for it runs when the module is loaded."""
        lines = self.reached.get(mutant.module, {})
        names = {name for line in mutant.lines for name in lines.get(line, ())}
        return None if "" in names or not names else names


def survivors(place: Place, mutants: Sequence[Mutant], told: Callable[[Mutant], None]) -> None:
    """Try each mutant, in this process' children, and tell of those that no example kills."""
    os.chdir(place.folder)
    sys.path.insert(0, str(place.folder))
    _be_quiet()
    pytest.main([*TESTS, *QUIET, "-p", "no:cov"], plugins=[_Loop(place, mutants, told)])


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)


class _Loop:
    """In place of the run of the tests: a run for each mutant."""

    def __init__(self, place: Place, mutants: Sequence[Mutant], told: Callable[[Mutant], None]) -> None:
        self.place, self.mutants, self.told = place, mutants, told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = sorted(session.items, key=lambda item: self.place.seconds.get(item.nodeid, 1.0))
        functions = _functions()
        gc.freeze()
        for mutant in self.mutants:
            child = os.fork()
            if child == 0:
                code = 3
                try:
                    code = self._try(mutant, items, functions)
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
                self.told(mutant)
        return True

    def _try(
        self, mutant: Mutant, items: Sequence[pytest.Item], functions: Mapping[CodeType, list[FunctionType]]
    ) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        tree = mutated(self.place.sources[mutant.module], mutant, self.place.enums)
        before = compile(self.place.sources[mutant.module], "engine", "exec")
        swaps = _swaps(before, compile(tree, "engine", "exec"))
        names = self.place.tests_of(mutant)
        if swaps is None or any(old not in functions for old, _ in swaps):
            return _loaded_again(self.place, mutant, compile(tree, f"<{mutant}>", "exec"))
        for old, new in (*swaps, *_made_by(swaps)):
            for function in functions.get(old, ()):
                function.__code__ = new
        reaching = [item for item in items if names is None or item.nodeid in names]
        # Those that did not reach it may have been spared it by something remembered: they come last.
        return _fails([*reaching, *(item for item in items if item not in set(reaching))])


def _fails(items: Sequence[pytest.Item]) -> int:
    for item, following in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return 1
    return 0


def _functions() -> dict[CodeType, list[FunctionType]]:
    """The engine's living functions by their code; what they remember is forgotten."""
    found: dict[CodeType, list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and str(each.__module__).split(".")[0] == "alerts":
            found[each.__code__].append(each)
        elif hasattr(type(each), "cache_clear") and str(getattr(each, "__module__", "")).startswith("alerts"):
            each.cache_clear()
    return found


def _swaps(before: CodeType, after: CodeType) -> list[_Swap] | None:
    """The functions whose code differs; None when what runs as the module is loaded does."""
    if _own(before) != _own(after):
        return None
    found: list[_Swap] = []
    for old, new in zip(_inner(before), _inner(after), strict=True):
        if old == new:
            continue
        if old.co_flags & 2:  # a function; else the body of a class
            found.append((old, new))
        else:
            deeper = _swaps(old, new)
            if deeper is None:
                return None
            found += deeper
    return found


def _made_by(swaps: Sequence[_Swap]) -> list[_Swap]:
    """The functions inside those functions: one that was made as the engine was loaded lives on with its own code."""
    found: list[_Swap] = []
    for old, new in swaps:
        inner, other = list(_inner(old)), list(_inner(new))
        pairs = (
            [pair for pair in zip(inner, other, strict=False) if pair[0] != pair[1]] if len(inner) == len(other) else []
        )
        found += [*pairs, *_made_by(pairs)]
    return found


def _own(code: CodeType) -> tuple[object, ...]:
    constants = [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]
    return code.co_code, code.co_names, constants, len(list(_inner(code)))


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (each for each in code.co_consts if isinstance(each, CodeType))


def _loaded_again(place: Place, mutant: Mutant, code: CodeType) -> int:
    for name in [name for name in sys.modules if name.split(".")[0] in ("alerts", "tests")]:
        if not name.startswith("tests.mutation"):
            del sys.modules[name]
    sys.meta_path.insert(0, _Loader(place, mutant, code))
    plugin = _InOrder(place)
    return int(pytest.main([*TESTS, *QUIET, "-p", "no:cov"], plugins=[plugin]))


class _InOrder:
    """Runs what is quick first."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.place.seconds.get(item.nodeid, 1.0))


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module with its mutant."""

    def __init__(self, place: Place, mutant: Mutant, code: CodeType) -> None:
        self.place, self.module, self.code = place, mutant.module, code

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        wanted = self.module.removesuffix(".__init__")
        if name != wanted:
            return None
        packaged = wanted != self.module
        spec = importlib.util.spec_from_loader(name, self, is_package=packaged)
        if packaged and spec is not None:
            spec.submodule_search_locations = [str(self.place.folder.joinpath(*name.split(".")))]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)
