"""The page as HTML: one document that loads nothing, runs nothing and says so to the browser."""

import base64
import functools
import hashlib
import os
from typing import Any, Dict, NamedTuple, Optional, Sequence, Set, Tuple

import jinja2
from markupsafe import Markup

from mtasts.domain import Domain
from mtasts.page import attention, chart, words
from mtasts.page.facts import About, Asked, Form
from mtasts.page.section import section

_TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
MOST_SECTIONS = 25  # domains that are told about in full, unless more are named


class Document(NamedTuple):
    """The HTML, and the Content-Security-Policy that it works under as a served page."""

    html: str
    security_policy: str


def document(
    abouts: Sequence[About],
    asked: Asked,
    named: Sequence[Domain] = (),
    form: Optional[Form] = None,
    most: int = MOST_SECTIONS,
) -> Document:
    """The page about all of `abouts`: the `named` ones in full, else the `most` gravest.

    With a `form` it is the dashboard's page.
    """
    ordered = attention.in_order(abouts)
    full = _full(ordered, named, most)
    sections = [section(how, one, asked) for how, one in ordered if one.summary.domain in full]
    values = {
        "asked": asked,
        "headline": attention.headline(ordered, asked),
        "rows": ordered,
        "full": full,
        "sections": sections,
        "form": form,
    }
    return _rendered("page.html", values, has_form=form is not None)


def waiting(asked: Asked, form: Form) -> Document:
    """The dashboard's page while the numbers are counted for the first time."""
    return _rendered("waiting.html", {"asked": asked, "form": form}, has_form=True)


def trouble(said: str, remedy: str) -> Document:
    """The dashboard's page that says why there is no other, and what to do."""
    return _rendered("trouble.html", {"said": said, "remedy": remedy}, has_form=False)


def _full(
    ordered: Sequence[Tuple[attention.Level, About]], named: Sequence[Domain], most: int
) -> Set[Domain]:
    return set(named or [one.summary.domain for _, one in ordered[:most]])


def _rendered(name: str, values: Dict[str, Any], has_form: bool) -> Document:
    style, digest = _style()
    action = "'self'" if has_form else "'none'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {action}"
    )
    template = _environment().get_template(name)
    html = template.render(style=style, security_policy=policy, **values)
    return Document(html, policy + "; frame-ancestors 'none'")


@functools.lru_cache(maxsize=None)
def _style() -> Tuple[Markup, str]:
    """The style sheet, which is ours, and the hash by which a browser knows it."""
    with open(os.path.join(_TEMPLATES, "style.css"), encoding="ascii") as file:
        text = file.read()
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return Markup(text), base64.b64encode(digest).decode("ascii")  # noqa: S704


@functools.lru_cache(maxsize=None)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=words.shown,
        kind=words.kind,
        count=words.count,
        counted=words.counted,
        day=words.day,
        moment=words.moment,
        failed=words.failed,
        several=words.several,
        hint=chart.hint,
        svg=Markup,  # of `chart`: made of nodes, so nothing in it is anybody's markup
    )
    environment.globals.update(end=words.end)
    return environment
