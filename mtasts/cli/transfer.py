"""Policies are taken over from elsewhere, and written elsewhere: one, or a directory of them."""

import os
from typing import Any, Dict, Optional, Sequence, Tuple

import click

from mtasts import sources
from mtasts.cli.change import valid
from mtasts.cli.common import (
    DOMAIN,
    EXIT_FAILED,
    HOLDER,
    dry_run_option,
    json_option,
    now,
    policy_dir_option,
    print_json_list,
    with_progress,
)
from mtasts.cli.policies import refuse_known, say
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file
from mtasts.history import HistoryEntry
from mtasts.holder import Holder
from mtasts.policy import MAX_POLICY_BYTES
from mtasts.policy_file import NoPolicy, read_bytes
from mtasts.record import STSRecord
from mtasts.store import Store


@click.command("import")
@click.argument("domain", type=DOMAIN, required=False)
@click.argument("source", required=False)
@click.option("--all", "directory", metavar="DIRECTORY", help="Take over all domains found there.")
@click.option("--id", "adopted", metavar="ID", help="The id that the TXT record names already.")
@dry_run_option
@policy_dir_option
@json_option
@click.pass_context
def import_policy(
    ctx: click.Context,
    domain: Optional[Domain],
    source: Optional[str],
    directory: Optional[str],
    adopted: Optional[str],
    dry_run: bool,
    store: Store,
    as_json: bool,
) -> None:
    """Take over the policy of DOMAIN from SOURCE, byte for byte.

    SOURCE is a file (- for standard input), an Apache configuration with the virtual host of
    mta-sts.DOMAIN, a directory with DOMAIN/mta-sts.txt or DOMAIN.txt, a document root, or
    mailcow's directory. --all takes over every domain of a directory; those that are here already
    stay as they are.

    \b
    Examples:
      mtasts import example.org /var/www/mta-sts/.well-known/mta-sts.txt
      mtasts import example.org /etc/apache2/sites-available/mta-sts.conf
      mtasts import example.org old.txt --id 20260101T000000
      mtasts import --all /srv/old-policies
    """
    if directory:
        if domain or adopted:
            raise click.UsageError("--all takes neither a DOMAIN nor --id.")
        ctx.exit(_import_all(store, directory, dry_run, as_json))
    if domain is None or source is None:
        raise click.UsageError("Name a DOMAIN and where its policy is, or --all and a directory.")
    refuse_known(store, domain)
    if adopted:
        STSRecord.parse(str(STSRecord(adopted)))
    path, data = _read(source, domain)
    valid(data, path)
    if dry_run:
        entry = HistoryEntry.of(data, now(), adopted)
    else:
        entry = store.write(domain, data, now(), adopted)
    say(store, domain, entry, as_json, not dry_run)


def _read(source: str, domain: Domain) -> Tuple[str, bytes]:
    if source == "-":
        data = click.get_binary_stream("stdin").read(MAX_POLICY_BYTES + 1)
        return "standard input", data
    return sources.policy_in(source, domain)


def _import_all(store: Store, directory: str, dry_run: bool, as_json: bool) -> int:
    """Take over what is there; say of each domain what became of it, and go on."""
    found = list(sources.all_in(directory))
    results = [
        _import_one(store, domain, path, dry_run)
        for domain, path in with_progress(found, len(found), "domains looked at")
    ]
    return _say_results(results, as_json)


def _import_one(store: Store, domain: Domain, path: str, dry_run: bool) -> Dict[str, Any]:
    result = {"domain": domain, "path": path, "imported": False, "code": ""}
    try:
        data = sources.read_file(path, MAX_POLICY_BYTES)
        valid(data, path)
        if _bytes_here(store, domain) == data:
            return dict(result, said="is here already, the same")
        refuse_known(store, domain)
        if not dry_run:
            store.write(domain, data, now())
    except MtastsError as error:
        return dict(result, **_failure(error))
    said = f"{'would be ' if dry_run else ''}taken over from {printable(path, 300)}"
    return dict(result, imported=not dry_run, said=said)


def _bytes_here(store: Store, domain: Domain) -> Optional[bytes]:
    try:
        return read_bytes(store.root, domain)
    except NoPolicy:
        return None


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER, required=False)
@click.argument("file", metavar="[FILE | -]", default="-")
@click.option("--all", "directory", metavar="DIRECTORY", help="Write all domains' policies there.")
@dry_run_option
@policy_dir_option
@json_option
@click.pass_context
def export(
    ctx: click.Context,
    name: Optional[Holder],
    file: str,
    directory: Optional[str],
    dry_run: bool,
    store: Store,
    as_json: bool,
) -> None:
    """Write the policy of DOMAIN or @CLASS to FILE, or to standard output, byte for byte.

    --all writes DIRECTORY/<domain>/mta-sts.txt for every domain, as mtasts import --all reads it.

    \b
    Examples:
      mtasts export example.org > policy.txt
      mtasts export --all /srv/copy
    """
    if bool(name) == bool(directory):
        raise click.UsageError("Name a DOMAIN, or --all and a directory.")
    if name and file == "-" and not dry_run:
        click.get_binary_stream("stdout").write(read_bytes(store.root, name))
    elif name:
        _write(file, read_bytes(store.root, name), dry_run)
        _say_results([_exported(name, file, dry_run)], as_json)
    else:
        ctx.exit(_export_all(store, str(directory), dry_run, as_json))


def _export_all(store: Store, directory: str, dry_run: bool, as_json: bool) -> int:
    """Write all there is; say of each domain what became of it, and go on."""
    domains = list(store.domains())
    results = []
    for domain in with_progress(domains, len(domains), "domains looked at"):
        path = os.path.join(directory, domain, "mta-sts.txt")
        try:
            _write(path, read_bytes(store.root, domain), dry_run)
            results.append(_exported(domain, path, dry_run))
        except MtastsError as error:
            results.append({"domain": domain, "path": path, **_failure(error)})
    return _say_results(results, as_json)


def _exported(name: Holder, path: str, dry_run: bool) -> Dict[str, Any]:
    said = f"{'would be ' if dry_run else ''}written to {printable(path, 300)}"
    return {"domain": name, "path": path, "code": "", "said": said}


def _failure(error: MtastsError) -> Dict[str, Any]:
    return {"code": error.code, "said": f"{error.message} [{error.code}]"}


def _say_results(results: Sequence[Dict[str, Any]], as_json: bool) -> int:
    """Print what became of each domain; return the exit code."""
    if as_json:
        print_json_list(results)
    else:
        for one in results:
            click.echo("{domain}: {said}".format(**one))
    return EXIT_FAILED if any(one["code"] for one in results) else 0


def _write(path: str, data: bytes, dry_run: bool) -> None:
    """Let the file `path` hold `data`; raises `MtastsError`."""
    if os.path.lexists(path) and not os.path.isfile(path):
        raise MtastsError("file-irregular", f"{printable(path, 300)} is not a regular file")
    if dry_run:
        return
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        replace_file(os.path.join(folder, os.path.basename(path)), data)
    except OSError as error:
        raise MtastsError(
            "file-unwritable",
            f"{printable(path, 300)} cannot be written: {error.strerror}",
            "Name a directory that is yours and has room.",
        ) from error
