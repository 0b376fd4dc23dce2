"""What the documents say is what the code does, as far as that can be compared."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from pathlib import Path
from types import ModuleType

from app.cli import build_parser
from media.models.registry import RECOGNISERS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def script(name: str) -> ModuleType:
    path = str(ROOT / "scripts" / name)
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), path)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_about_the_api_is_the_api() -> None:
    """Written anew by scripts/describe-api."""
    assert (ROOT / "docs/api.md").read_text() == script("describe-api").page()


def test_the_picture_is_what_its_script_draws() -> None:
    assert (ROOT / "docs/pictures/architecture.svg").read_text() == script("draw-architecture").picture()


def test_operations_names_every_setting() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    settings = re.findall(r'env\.take\(\s*"([A-Z_]+)"', (ROOT / "app/config.py").read_text())
    assert [name for name in settings if f"`{name}`" not in page] == []


def test_every_link_between_pages_leads_somewhere() -> None:
    lost = []
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                lost.append(f"{page.name} → {target}")
    assert lost == []


def test_commands_that_are_told_exist() -> None:
    told = {
        match
        for page in PAGES
        for match in re.findall(r"python -m app ([a-z]+(?: [a-z]+)?)", page.read_text())
    }
    helps = build_parser().format_help().replace("\n", " \n")  # a long name stands alone on its line
    assert [words for words in sorted(told) if f" {words.split()[0]} " not in helps] == []
    assert told


def test_licences_of_models_are_shown() -> None:
    page = (ROOT / "docs/models.md").read_text()
    for model in RECOGNISERS.values():
        assert f"`{model.name}`" in page
