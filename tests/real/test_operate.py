"""The operator's command: a full disk, a stranger's store, a resolver that fails."""

import json
import os
import shutil

import pytest

from rig import stacks
from rig.process import run

ROOT = "/var/lib/mtasts/policies"


@pytest.fixture(autouse=True)
def policies(installed):
    """An empty policy directory in its usual place."""
    os.makedirs(ROOT)
    yield
    shutil.rmtree(ROOT)


def mtasts(*arguments, account=None, code=0):
    """Run the command, as another account if one is named; return what it says."""
    as_account = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups"]
    command = [stacks.python("newest"), "-m", "mtasts", *arguments]
    done = run(*(as_account if account else []), *command, check=False)
    assert "Traceback" not in done.output
    assert done.code == code, done
    return done.output


def files():
    return {
        os.path.join(folder, name): open(os.path.join(folder, name), "rb").read()
        for folder, _, names in os.walk(ROOT)
        for name in names
    }


@pytest.fixture
def small_disk():
    """The policy directory on a disk with hardly any room."""
    run("mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", ROOT)
    yield
    run("umount", ROOT)


def test_a_full_disk_changes_nothing(small_disk, resolver):
    mtasts("new", "example.test", "--mx", "mx.example.test")
    mtasts("new", "@cluster", "--mx", "mx.example.test")
    with open(os.path.join(ROOT, ".rest"), "wb", buffering=0) as rest:
        try:
            while True:
                rest.write(b"x" * 4096)
        except OSError:
            pass
    before = files()
    for arguments in (
        ["set", "example.test", "--max-age", "1w", "--yes"],
        ["set", "@cluster", "--max-age", "1w", "--yes"],
        ["new", "example.org", "--mx", "mx.example.test"],
        ["assign", "@cluster", "example.test", "--yes", "--max-uncovered", "1"],
        ["assign", "@cluster", "example.net", "--yes", "--max-uncovered", "1"],
    ):
        said = mtasts(*arguments, code=3)
        assert "No space left on device [store-write-failed]" in said
        assert "Check the disk's free space" in said
        assert files() == before
    os.unlink(os.path.join(ROOT, ".rest"))
    mtasts("set", "example.test", "--max-age", "1w", "--yes")


def test_a_store_of_somebody_else_can_be_read_and_not_changed(resolver):
    mtasts("new", "example.test", "--mx", "mx.example.test")
    before = files()
    assert "example.test" in mtasts("list", account="www-data")
    assert "mode: testing" in mtasts("show", "example.test", account="www-data")
    assert "testing" in mtasts("history", "example.test", account="www-data")
    assert "ok" in mtasts("status", "--offline", account="www-data")
    for arguments in (
        ["set", "example.test", "--max-age", "1w", "--yes"],
        ["new", "example.org", "--mx", "mx.example.test"],
        ["alias", "example.org", "example.test"],
    ):
        said = mtasts(*arguments, account="www-data", code=3)
        assert "Permission denied [store-write-failed]" in said
        assert "the owner of the policy directory" in said
    assert files() == before


def test_whom_a_change_of_a_class_would_hurt_by_a_real_resolver(resolver):
    domains = ["a.test", "b.test", "c.test", "d.test"]
    both = "{0} MX 10 mx1.example.test\n{0} MX 20 mx2.example.test"
    resolver.set(*[both.format(domain) for domain in domains])
    mtasts("new", "@cluster", "--mx", "mx1.example.test", "--mx", "mx2.example.test")
    mtasts("assign", "@cluster", *domains)
    resolver.set(
        both.format("a.test"),
        "b.test MX 10 mx1.example.test",
        "c.test SERVFAIL",
        "d.test A 192.0.2.1",
    )
    said = mtasts("set", "@cluster", "--remove-mx", "mx2.example.test", "--json", code=3)
    facts = json.loads(said[: said.rindex("}") + 1])
    assert facts["uncovered"] == {"a.test": ["mx2.example.test"]}
    assert list(facts["unknown"]) == ["c.test"]
    mtasts("set", "@cluster", "--remove-mx", "mx2.example.test", "--max-uncovered", "2")
    with open(os.path.join(ROOT, "d.test", "mta-sts.txt"), "rb") as file:
        assert b"mx2" not in file.read()
