"""What is wrong with a policy or a record, before a sender finds out."""

import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import click

from mtasts import lint as judge
from mtasts import policy, record
from mtasts.cli import findings as shown
from mtasts.cli.common import EXIT_FAILED, JudgingCommand, json_option, print_json
from mtasts.cli.fix import Rewriting, rewrite, show_rewriting
from mtasts.errors import MtastsError, printable
from mtasts.finding import Finding, Severity


class Report(NamedTuple):
    """What is said about one text: `name` is safe to print, `taken` is what a sender takes."""

    name: str
    facts: Dict[str, Any]
    findings: Tuple[Finding, ...]
    lines: List[str]
    taken: Dict[str, Any]


@click.command(cls=JudgingCommand)
@click.argument("files", nargs=-1, metavar="[FILE | -]...")
@click.option(
    "--txt", multiple=True, metavar="TEXT", help="Read a TXT record; repeat it for several strings."
)
@click.option("--match", nargs=2, metavar="HOST PATTERN", help="Does the mx PATTERN cover HOST?")
@click.option("--effective", is_flag=True, help="Tell what a sender takes from it.")
@click.option("--fix", is_flag=True, help="Rewrite FILE to the form that every sender accepts.")
@json_option
@click.pass_context
def lint(
    ctx: click.Context,
    files: Tuple[str, ...],
    txt: Tuple[str, ...],
    match: Tuple[str, str],
    effective: bool,
    fix: bool,
    as_json: bool,
) -> None:
    """Say what is wrong with policies, with a TXT record, or why an MX host is not covered.

    Errors are what no sender has to take; warnings are legal, but unwise, or a sender in use
    refuses them. Exit code 0: nothing to warn of, 1: warnings (or no match), 2: errors, 3: could
    not run.

    \b
    Examples:
      mtasts lint mta-sts.txt
      curl -s https://mta-sts.example.org/.well-known/mta-sts.txt | mtasts lint -
      mtasts lint --fix mta-sts.txt
      mtasts lint --txt 'v=STSv1; id=20260101T000000;'
      mtasts lint --match mx1.example.org '*.example.org'
    """
    if bool(files) + bool(txt) + bool(match) != 1:
        raise _misused("either FILE or --txt or --match is needed")
    if fix and not files:
        raise _misused("--fix rewrites a FILE")
    if match:
        ctx.exit(_match(*match, as_json=as_json))
    if txt:
        report = _of_record("".join(txt))
        _print(report, effective, as_json)
        ctx.exit(_exit_code(report.findings))
    ctx.exit(_lint_files(files, effective, fix, as_json))


def _misused(sentence: str) -> MtastsError:
    return MtastsError("lint-misused", sentence, "See mtasts lint --help.")


def _exit_code(findings: Tuple[Finding, ...]) -> int:
    return shown.exit_code(judge.worst(findings))


def _lint_files(files: Tuple[str, ...], effective: bool, fix: bool, as_json: bool) -> int:
    """Lint and fix all files; say which cannot be read, and go on with the others."""
    objects = []
    codes = []
    for path in files:
        try:
            data = _read(path)
            report = _of_policy(path, data)
            rewriting = rewrite(path, data) if fix else None
        except MtastsError as error:
            click.echo(f"mtasts: {error}", err=True)
            codes.append(EXIT_FAILED)
            continue
        if as_json:
            objects.append(_as_object(report, effective, rewriting))
        else:
            _show(report, effective, err=fix and path == "-")
            if rewriting:
                show_rewriting(report.name, rewriting, to_stdout=path == "-")
        is_new = rewriting and rewriting.diff
        codes.append(_exit_code(judge.policy(rewriting.text) if is_new else report.findings))
    if as_json and len(files) > 1:
        print_json(objects)
    elif objects:
        print_json(objects[0])
    return max(codes)


def _read(path: str) -> bytes:
    """At most one byte more than a policy may have."""
    try:
        with open(0, "rb", closefd=False) if path == "-" else open(path, "rb") as file:
            return file.read(policy.MAX_POLICY_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path has a NUL"
        raise MtastsError(
            "file-unreadable",
            f"{printable(path, 300)} cannot be read: {reason}",
            "Name the file that holds a policy, or - for the standard input.",
        ) from error


def _of_policy(path: str, data: bytes) -> Report:
    reading = policy.read(data)
    taken: Dict[str, Any] = {"valid": bool(reading.policy)}
    taken.update(mode=None, max_age=None, mx=[], extensions={})
    if reading.policy:
        mode, max_age, mx = reading.policy
        taken.update(mode=mode.value, max_age=max_age, mx=list(mx), extensions=reading.extensions)
    lines = [_decoded(line) for line in policy.split_lines(policy.without_mark(data))]
    return Report(printable(path, 300), {"file": path}, judge.policy(data), lines, taken)


def _decoded(line: bytes) -> str:
    """The line with a character for what a finding's column counts."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _of_record(text: str) -> Report:
    reading = record.read(text)
    taken: Dict[str, Any] = {"valid": bool(reading.record)}
    if record.is_tlsrpt(text):
        kind = "tlsrpt"
        taken["rua"] = list(reading.record.rua) if reading.record else []
    else:
        kind = "sts"
        taken["id"] = reading.record.id if reading.record else None
    taken["extensions"] = reading.extensions
    return Report("--txt", {"txt": text, "type": kind}, judge.record(text), [text], taken)


def _match(host: str, pattern: str, as_json: bool) -> int:
    found = judge.match(host, pattern)
    is_match = found.severity is Severity.OK
    if as_json:
        print_json(
            {
                "host": host,
                "pattern": pattern,
                "match": is_match,
                "why": found.message,
                "findings": [] if is_match else [shown.as_json(found)],
            }
        )
    elif is_match:
        click.echo(f"match: {found.message}")
    else:
        shown.show(found, "no match")
    return _exit_code((found,))


def _print(report: Report, effective: bool, as_json: bool) -> None:
    if as_json:
        print_json(_as_object(report, effective))
    else:
        _show(report, effective)


def _as_object(
    report: Report, effective: bool, rewriting: Optional[Rewriting] = None
) -> Dict[str, Any]:
    """One flat object: what was read, what a sender takes, the findings, what was rewritten."""
    result = dict(report.facts)
    if effective:
        result.update(report.taken)
    result["findings"] = [shown.as_json(found) for found in report.findings]
    if rewriting:
        result.update(rewriting.as_json())
    return result


def _show(report: Report, effective: bool, err: bool = False) -> None:
    for found in report.findings:
        line = report.lines[found.line - 1] if 0 < found.line <= len(report.lines) else ""
        shown.show(found, report.name, line, err)
    if not report.findings:
        click.echo(f"{report.name}: no findings", err=err)
    if effective:
        for name, value in report.taken.items():
            click.echo(f"{report.name}: {name}: {printable(_plain(value), sys.maxsize)}", err=err)


def _plain(value: Any) -> str:
    """A fact for people: lists with commas, yes and no."""
    if isinstance(value, dict):
        value = [f"{name}={content}" for name, content in value.items()]
    if isinstance(value, list):
        return ", ".join(value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
