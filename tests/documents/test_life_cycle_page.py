"""The page on the life cycle says what the code does."""

import re
from xml.etree import ElementTree

from alerts.snoozing import LONGEST
from alerts.transitions import TRANSITIONS, Trigger
from tests.documents.life_cycle import PAGE, PICTURE, arrows, page, picture

DRAW = "draw it again: python -m tests.documents.life_cycle"


def test_the_picture_and_the_table_are_those_of_the_code() -> None:
    assert PICTURE.read_text() == picture(), DRAW
    assert PAGE.read_text() == page(PAGE.read_text()), DRAW


def test_the_picture_shows_every_step_once() -> None:
    # Labels of arrows stand there twice: once as their own white edge.
    texts = [each for each in ElementTree.fromstring(PICTURE.read_text()).iter() if each.get("fill") != "#fff"]
    numbers = re.findall(r"T\d+", " ".join(each.text or "" for each in texts))
    assert sorted(numbers) == sorted(number for _, number in TRANSITIONS.values())
    assert len(arrows()) > 10


def test_the_page_explains_every_trigger_and_shows_the_picture() -> None:
    text = PAGE.read_text()
    assert f"({PICTURE.name})" in text
    for trigger in Trigger:
        assert f"**{trigger.replace('_', ' ')}**" in text, trigger
    for severity, longest in LONGEST.items():
        minutes = int(longest.total_seconds() // 60)
        assert f"{severity.word} {minutes} minutes" in text or f"{severity.word} {minutes // 60} hours" in text
