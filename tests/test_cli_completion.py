"""Completion, as the shells themselves would offer it."""

import os
import shutil
import subprocess

import pytest

# Each prints what is offered for the words $@, of which the last is being written.
BASH = """
source "$SCRIPT"
COMP_WORDS=(mtasts "$@") COMP_CWORD=$# COMP_LINE="mtasts $*" COMP_POINT=1000
_mtasts
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
compdef() { : }
_files() { : }
compadd() {
    local -a offered=("${@[2,-1]}")
    [[ $1 != -a ]] || offered=(${(P)2})
    print -l -- ${(M)offered:#${words[CURRENT]}*}
}
source "$SCRIPT"
words=(mtasts "$@") CURRENT=$#words
_mtasts
"""
FISH = 'source $SCRIPT; complete -C "mtasts $argv" | string replace -r "\\t.*" ""'


@pytest.fixture(params=["bash", "zsh", "fish"])
def offered(request, mtasts, tmp_path):
    """What the shell offers for the words of a command line, the last of which is begun."""
    shell = request.param
    if not shutil.which(shell):
        pytest.skip(shell + " is not installed")
    mtasts("new", "example.org", "--mx", "mx.example.org")
    mtasts("new", "@cluster", "--mx", "mx.example.org")
    (mtasts.root / "$(touch hacked)").mkdir()
    code, script, _ = mtasts("completion", shell)
    assert code == 0
    (tmp_path / "script").write_text(script)
    start = {
        "bash": ["bash", "--norc", "-c", BASH, "bash"],
        "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
        "fish": ["fish", "--no-config", "-c", FISH],
    }[shell]

    def run(*words):
        done = subprocess.run(
            start + list(words),
            cwd=str(tmp_path),
            env=dict(mtasts.environment, SCRIPT=str(tmp_path / "script"), HOME=str(tmp_path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            check=False,
        )
        assert done.stderr == ""
        return {word.lstrip("@") for word in done.stdout.split()}

    yield run
    assert "hacked" not in os.listdir(str(tmp_path))


def test_commands_options_values_and_names_are_offered(offered):
    assert offered("se") == {"serve", "set"}
    assert offered("set", "--ma") == {"--max-age", "--max-uncovered"}
    assert offered("set", "--mode", "e") == {"enforce"}
    assert offered("show", "ex") == {"example.org"}
    assert offered("set", "@cl") == {"cluster"}
