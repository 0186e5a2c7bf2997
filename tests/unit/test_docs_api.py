from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import stepnb as sn

API = Path(sn.__file__).parents[1] / "docs" / "api"
PAGES = {page.name: page.read_text("utf-8") for page in sorted(API.glob("*.md"))}
DIRECTIVE = re.compile(
    r"^\.\. auto(?:class|exception|function|module):: stepnb\.([\w.]+)(?:\(\))?$", re.MULTILINE
)
# Whole modules stand under the name they have in the package's folders.
MODULES = {"local.faults": "faults", "experiments.scorers": "scorers"}
# What a public method returns, and nobody makes.
RETURNED = {"device.device.SoundDevice"}


def documented() -> Counter[str]:
    names = [name for text in PAGES.values() for name in DIRECTIVE.findall(text)]
    return Counter(MODULES.get(name, name) for name in names)


def test_every_public_name_has_one_place_in_the_reference() -> None:
    found = documented()
    public = set(sn.__all__) - {"__version__"}
    assert public - set(found) == set()
    assert {name: n for name, n in found.items() if n > 1} == {}


def test_nothing_private_is_in_the_reference() -> None:
    # Parts of a public module are public; "errors" is there for its drawing of the tree.
    tops = {name.partition(".")[0] for name in set(documented()) - RETURNED}
    assert tops <= {*sn.__all__, "errors", "plots"}


def test_the_reference_lists_all_its_pages() -> None:
    contents = PAGES["index.md"]
    for name in set(PAGES) - {"index.md"}:
        assert f"]({name})" in contents
        assert re.search(rf"^{name.removesuffix('.md')}$", contents, re.MULTILINE), name
