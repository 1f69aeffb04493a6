"""What is said of containers can be carried out, as far as that shows without an engine."""

import re

import pytest
import typer.main

from service.cli.main import app
from tests.conftest import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
TYPED = re.compile(r"docker compose (exec|run) ((?:-\S+ )*)(\w+) (\S+(?: [a-z]\w*)?)")
SAID = {
    " ".join(said): said
    for file in ("README.md", "docker-compose.yml", "docs/containers.md")
    for said in TYPED.findall((ROOT / file).read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("said", sorted(SAID))
def test_what_is_typed_names_a_service_and_a_command(said: str) -> None:
    how, options, service, words = SAID[said]
    assert re.search(rf"^  {service}:$", COMPOSE.partition("\nservices:\n")[2], re.MULTILINE)
    assert how == "exec" or "--no-deps" in options, "it would build the image and migrate"
    if service != "wardwatch":
        assert words in ("pg_dump", "pg_restore")
        return
    command = typer.main.get_command(app)
    # `run` goes through the image's entry point; `exec` does not.
    for word in words.split() if how == "run" else words.removeprefix("wardwatch ").split():
        command = getattr(command, "commands", {})[word]


def test_nothing_but_the_two_base_images_is_fetched() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\w+)", dockerfile, re.MULTILINE)) == {"python"}
    assert set(re.findall(r"^ +image: (\S+)", COMPOSE, re.MULTILINE)) == {"wardwatch", "postgres:16"}
    assert "syntax=" not in dockerfile, "BuildKit would fetch a frontend"
