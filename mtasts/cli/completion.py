"""Completion with the Tab key, for bash, zsh and fish.

click's own differs between the releases that we run on, and starts Python at every keystroke. So
the commands and options are written into the script, and domains are the names of their folders.
"""

import shlex
from typing import Callable, Dict, Iterator, List, Tuple

import click

from mtasts.policy_file import DEFAULT_ROOT

# Nothing else than names: bash expands the words that it offers.
_ONLY_NAMES = "2>/dev/null | command grep -Ex '@?[a-z0-9.-]+'"
_NAMES = f'command ls "${{MTASTS_POLICY_DIR:-{DEFAULT_ROOT}}}" {_ONLY_NAMES}'

# The name under the cursor is cut out of the line, because bash breaks words at an "@".
_BASH = """\
_mtasts() {{
    local line=${{COMP_LINE:0:COMP_POINT}} word words previous=${{COMP_WORDS[COMP_CWORD-1]}}
    word=${{line##*[[:space:]]}}
    case "${{COMP_WORDS[1]}} $previous" in
{choices}
    *)
        if [[ $COMP_CWORD -eq 1 ]]; then
            words={commands}
        elif [[ $word == -* ]]; then
            case ${{COMP_WORDS[1]}} in
{options}
            esac
        else
            words=$({names})
        fi ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ $word != @* ]] || COMPREPLY=("${{COMPREPLY[@]#@}}")
}}
complete -o default -F _mtasts mtasts
"""

_ZSH = """\
#compdef mtasts
_mtasts() {{
    local -a names
    case "$words[2] $words[CURRENT-1]" in
{choices}
    *)
        if (( CURRENT == 2 )); then
            compadd -- {commands}
        elif [[ $words[CURRENT] == -* ]]; then
            case $words[2] in
{options}
            esac
        else
            names=(${{(f)"$({names})"}})
            compadd -a names
            _files
        fi ;;
    esac
}}
compdef _mtasts mtasts
"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete commands, options, domains and classes.

    \b
    Examples:
      mtasts completion bash > /etc/bash_completion.d/mtasts
      mtasts completion zsh > /usr/local/share/zsh/site-functions/_mtasts
      mtasts completion fish > /etc/fish/completions/mtasts.fish
    """
    group = ctx.parent.command
    commands = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    click.echo(_SHELLS[shell](commands), nl=False)


def _options(command: click.Command) -> Iterator[Tuple[click.Option, str]]:
    """The long options of a command."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for name in parameter.opts:
                if name.startswith("--"):
                    yield parameter, name
    yield click.Option(["--help"], is_flag=True, help="Show what the command does."), "--help"


def _choices(command: click.Command) -> Iterator[Tuple[str, List[str]]]:
    for option, name in _options(command):
        if isinstance(option.type, click.Choice):
            yield name, list(option.type.choices)


def _bash(commands: Dict[str, click.Command]) -> str:
    return _BASH.format(
        commands=shlex.quote(" ".join(sorted(commands))),
        options=_cases(commands, " " * 12, lambda words: f"words={shlex.quote(' '.join(words))}"),
        choices=_choice_cases(commands, lambda words: f"words={shlex.quote(' '.join(words))}"),
        names=_NAMES,
    )


def _zsh(commands: Dict[str, click.Command]) -> str:
    return _ZSH.format(
        commands=" ".join(sorted(commands)),
        options=_cases(commands, " " * 12, lambda words: "compadd -- " + " ".join(words)),
        choices=_choice_cases(commands, lambda words: "compadd -- " + " ".join(words)),
        names=_NAMES,
    )


def _cases(
    commands: Dict[str, click.Command], indent: str, offered: Callable[[List[str]], str]
) -> str:
    """For each command, what is offered in place of an option."""
    lines = []
    for name, command in sorted(commands.items()):
        names = [option for _, option in _options(command)]
        lines.append(f"{indent}{name}) {offered(names)} ;;")
    return "\n".join(lines)


def _choice_cases(commands: Dict[str, click.Command], offered: Callable[[List[str]], str]) -> str:
    """For each option with a few values, what is offered behind it."""
    lines = []
    for name, command in sorted(commands.items()):
        for option, values in _choices(command):
            lines.append(f"    '{name} {option}') {offered(values)} ;;")
    return "\n".join(lines)


def _fish(commands: Dict[str, click.Command]) -> str:
    lines = [
        "function __mtasts_names",
        f"    set -q MTASTS_POLICY_DIR; or set -l MTASTS_POLICY_DIR {DEFAULT_ROOT}",
        f"    command ls $MTASTS_POLICY_DIR {_ONLY_NAMES}",
        "end",
        "complete -c mtasts -n 'not __fish_use_subcommand' -a '(__mtasts_names)'",
    ]
    for name, command in sorted(commands.items()):
        said = shlex.quote((command.help or "").strip().split("\n")[0])
        lines.append(f"complete -c mtasts -f -n __fish_use_subcommand -a {name} -d {said}")
        for option, long in _options(command):
            line = f"complete -c mtasts -n '__fish_seen_subcommand_from {name}' -l {long[2:]}"
            line += f" -d {shlex.quote(option.help or '')}"
            if isinstance(option.type, click.Choice):
                line += f" -x -a {shlex.quote(' '.join(option.type.choices))}"
            elif not option.is_flag:
                line += " -r"
            lines.append(line)
    return "\n".join(lines) + "\n"


_SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
