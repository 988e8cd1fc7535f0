"""The manual is true: its commands, options, codes and links are compared with what there is."""

import functools
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from certbot_mtasts.options import OPTIONS
from mtasts.cli.group import mtasts as group

TOP = pathlib.Path(__file__).resolve().parent.parent
PAGES = [TOP / "README.md"] + sorted((TOP / "docs").glob("*.md"))
PYTHON = [sys.executable, "-W", "ignore", "-m"]
# How to start each program of ours that a page may name.
PROGRAMS = {
    "mtasts": PYTHON + ["mtasts"],
    "mtasts-deploy-hook": PYTHON + ["certbot_mtasts.deploy_hook"],
    "apache/setup": ["sh", "apache/setup"],
    "tests/debian": ["bash", "tests/debian"],
    "tests/run": ["bash", "tests/run"],
    "tests/sandbox": ["bash", "tests/sandbox"],
    "tests/stack": ["bash", "tests/stack"],
}
PLUGIN_OPTIONS = {"--mtasts"} | {"--mtasts-" + name for name in OPTIONS}
# Options of certbot and of gunicorn that sentences name.
FOREIGN = {"--installer", "--forwarded-allow-ips"}
OPTION = re.compile(r"--[a-z][a-z-]+")


# The words of every command: `show` as well as `report read`.
COMMANDS = {name: group.get_command(None, name) for name in group.list_commands(None)}
SUBCOMMANDS = [(name,) for name in COMMANDS]
SUBCOMMANDS += [
    (name, inner)
    for name, command in COMMANDS.items()
    for inner in getattr(command, "commands", ())
]


def each_page(function):
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)(function)


def commands(page):
    """All command lines of a page, indented ones and those within sentences, as words."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # an excerpt of a file
            continue
        while words and (words[0] == "sudo" or re.match(r"[A-Z_]+=", words[0])):
            words.pop(0)
        if words:
            yield words


@functools.lru_cache(maxsize=None)
def help_of(*words):
    """What a program of ours, or its subcommand, prints for --help; "" if there is no such one."""
    done = subprocess.run(
        PROGRAMS[words[0]] + list(words[1:]) + ["--help"],
        cwd=str(TOP),
        env=dict(os.environ, LC_ALL="C.UTF-8", LANG="C.UTF-8"),
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


@each_page
def test_commands_and_their_options_exist(page):
    wrong = []
    for words in commands(page):
        if words[0] not in PROGRAMS:
            continue
        subcommand = [word for word in words[1:2] if words[0] == "mtasts" and word[0] != "-"]
        if tuple(words[1:3]) in SUBCOMMANDS:
            subcommand = words[1:3]
        known = set(OPTION.findall(help_of(words[0], *subcommand)))
        options = {option for word in words for option in OPTION.findall(word.split("=")[0])}
        if not known or not options <= known:
            wrong.append(" ".join(words))
    assert wrong == []


@functools.lru_cache(maxsize=None)
def all_options():
    """Every option of our programs, and those of certbot that the manual's commands use."""
    helps = [help_of(program) for program in PROGRAMS]
    helps += [help_of("mtasts", *words) for words in SUBCOMMANDS]
    certbot = [" ".join(words) for page in PAGES for words in commands(page) if "certbot" in words]
    return PLUGIN_OPTIONS | FOREIGN | set(OPTION.findall("\n".join(helps + certbot)))


@each_page
def test_options_that_stand_alone_exist(page):
    named = {option for words in commands(page) for option in words[:1] if OPTION.match(option)}
    assert {OPTION.match(option).group() for option in named} - all_options() == set()


@each_page
def test_options_of_the_plugin_exist(page):
    named = {word for words in commands(page) if words[0] == "certbot" for word in words}
    assert {word for word in named if word.startswith("--mtasts")} <= PLUGIN_OPTIONS


def test_every_option_of_the_plugin_is_in_the_manual():
    page = (TOP / "docs" / "certbot.md").read_text(encoding="utf-8")
    assert [option for option in sorted(PLUGIN_OPTIONS) if option not in page] == []


@each_page
def test_codes_exist(page):
    rows = re.findall(r"^\| `([a-z0-9]+(?:-[a-z0-9]+)+)` \|", page.read_text("utf-8"), re.MULTILINE)
    code = "\n".join(
        source.read_text(encoding="utf-8")
        for part in ("mtasts", "wsgi_policy", "certbot_mtasts", "apache")
        for source in (TOP / part).rglob("*")
        if source.suffix in (".py", ".sh")
    )
    assert [row for row in rows if not re.search(r"\b{}\b".format(row), code)] == []


@each_page
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_readme_leads_to_every_page():
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if "docs/" + page.name not in readme] == []
