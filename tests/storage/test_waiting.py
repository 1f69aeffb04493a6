"""What waits for a committer: bounded, and fair between wards."""

import asyncio

import pytest

from service.errors import Overloaded
from service.storage.waiting import FairQueue, Waiting


def waiting_item(ward: str, name: str, weight: int = 1) -> Waiting[str, str]:
    return Waiting(ward, name, weight, asyncio.get_running_loop().create_future(), since=0)


async def test_wards_take_turns_over_several_groups() -> None:
    queue = FairQueue[str, str](100, lambda _: "one")
    for ward, count in (("A", 6), ("B", 2), ("C", 1)):
        for n in range(count):
            queue.put(waiting_item(ward, f"{ward}{n}"))
    taken = []
    while queue.weight:
        taken.append([each.item for each in queue.take(2)])
    assert taken == [["A0", "B0"], ["C0", "A1"], ["B1", "A2"], ["A3", "A4"], ["A5"]]


async def test_a_group_never_spans_two_machines() -> None:
    queue = FairQueue[str, str](100, lambda ward: ward[0])
    for name in ("a1", "b1", "a2", "b2", "a1"):
        queue.put(waiting_item(name, name))
    groups = []
    while queue.weight:
        groups.append([each.item for each in queue.take(256)])
    assert sorted(map(sorted, groups)) == [["a1", "a1", "a2"], ["b1", "b2"]]


async def test_one_ward_alone_cannot_fill_the_queue() -> None:
    queue = FairQueue[str, str](8, lambda _: "one")
    for n in range(6):
        queue.put(waiting_item("A", f"A{n}"))
    with pytest.raises(Overloaded):
        queue.put(waiting_item("A", "A6"))
    queue.put(waiting_item("B", "B0"))
    queue.take(2)
    queue.put(waiting_item("A", "A7"))
    assert queue.weight == 6
