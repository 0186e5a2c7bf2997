"""How the documentation is built: ``make docs``.

The source is the whole repository, so that a link between a page, a notebook and the files at its root is the same file
name here and on a forge's page. Nothing is fetched: neither while it is built nor when it is read.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

import stepnb
from stepnb.rest.both import both

project = "stepnb"
version = release = stepnb.__version__
project_copyright = "The stepnb developers. BSD-3-Clause"
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.ipynb", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"]
# Directories are named so that they are not even walked through.
exclude_patterns = [
    "**/.*",
    ".*",
    "build",
    "dist",
    "docs/_*",
    "js",
    "scripts",
    "stepnb",
    "test-output",
    "tests",
]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

default_role = "py:obj"  # `Session` in a docstring is the class
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = False

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Outputs are the stored ones: the tests have run the notebooks (nbval) and compared them.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they would come from the network

html_theme = "furo"
html_title = "stepnb"
html_copy_source = False
html_show_sphinx = False
html_additional_pages = {"index": "front.html"}
templates_path = ["_templates"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def _switched_picture(found: re.Match[str]) -> str:
    dark, alternative, light, width = found.groups()
    images = [
        f":::{{image}} {path}\n:alt: {alternative}\n:width: {width}px\n:class: only-{theme}\n:::"
        for path, theme in ((light, "light"), (dark, "dark"))
    ]
    return "\n".join(images)


def switch_pictures(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let pictures in two themes follow the page's own switch too, not the system's setting alone."""
    source[0] = re.sub(
        r'<picture>\s*<source [^>]*srcset="([^"]+)">\s*<img alt="([^"]*)" src="([^"]+)" width="(\d+)">\s*</picture>',
        _switched_picture,
        source[0],
    )


def _as_function(method: both[Any, ..., Any], instance: object, owner: type) -> Callable[..., Any]:
    def plain() -> None: ...

    functools.update_wrapper(plain, method._method)
    plain.__signature__ = inspect.signature(method._method)  # type: ignore[attr-defined]
    del plain.__wrapped__  # type: ignore[attr-defined] # it is called without await
    return plain


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", switch_pictures)
    both.__get__ = _as_function  # type: ignore[assignment, method-assign] # for autodoc: a method like any other
