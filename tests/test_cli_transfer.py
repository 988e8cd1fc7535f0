"""Taking policies over from other set-ups, and writing them elsewhere."""

import json
import os

import pytest

from mtasts.domain import Domain
from mtasts.sources import SourceUnusable, policy_in

POLICY = b"version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.org\n"
ORG = Domain("example.org")


def put(path, data=POLICY):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# As the widely used tutorial for Apache has it, with what people add.
VHOSTS = """
<IfModule mod_ssl.c>
<VirtualHost *:443>
    ServerName other.example.org
    DocumentRoot /nowhere
</VirtualHost>
<VirtualHost *:80 [::]:80>
    ServerName mta-sts.example.org
    RewriteEngine on
    RewriteRule ^ https://%{{SERVER_NAME}}%{{REQUEST_URI}} [END,NE,R=permanent]
</VirtualHost>
<virtualhost *:443 \\
    [::]:443>
    {names}
    # DocumentRoot /commented/out
    {place}
    LogFormat "%h \\"%r\\" it's" odd
</virtualhost>
</IfModule>
"""


@pytest.mark.parametrize(
    "names",
    [
        "ServerName mta-sts.example.org",
        'servername "MTA-STS.example.org:443"',
        "ServerName https://mta-sts.example.org:443",
        "ServerName www.example.org\n    ServerAlias a.example mta-sts.example.org b.example",
        "ServerName mta-sts.invalid\n    ServerAlias mta-sts.*",
    ],
)
def test_a_virtual_host_leads_to_its_document_root(tmp_path, names):
    root = tmp_path / "a root"
    put(root / ".well-known" / "mta-sts.txt")
    conf = tmp_path / "mta-sts.conf"
    conf.write_text(VHOSTS.format(names=names, place=f'DocumentRoot "{root}"'))
    path, data = policy_in(str(conf), ORG)
    assert path == str(root / ".well-known" / "mta-sts.txt")
    assert data == POLICY


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("Alias /.well-known/mta-sts.txt {}/one.txt", "one.txt"),
        ("Alias /.well-known {}/wk", "wk/mta-sts.txt"),
        ("Alias /.well-known/ {}/wk/", "wk/mta-sts.txt"),
        ("Alias /.well-known-not {}/no\n    DocumentRoot {}", ".well-known/mta-sts.txt"),
    ],
)
def test_an_alias_counts_before_the_document_root(tmp_path, place, file):
    put(tmp_path / file)
    conf = tmp_path / "mta-sts.conf"
    place = place.replace("{}", str(tmp_path))
    conf.write_text(VHOSTS.format(names="ServerName mta-sts.example.org", place=place))
    assert policy_in(str(conf), ORG) == (str(tmp_path / file), POLICY)


@pytest.mark.parametrize(
    "file",
    [
        "example.org/mta-sts.txt",
        "example.org.txt",
        ".well-known/mta-sts.txt",
        "data/web/.well-known/mta-sts.txt",
    ],
)
def test_a_directory_is_looked_through(tmp_path, file):
    put(tmp_path / file)
    assert policy_in(str(tmp_path), ORG) == (str(tmp_path / file), POLICY)


def test_a_mailcow_with_a_database_says_how_to_go_on(tmp_path):
    put(tmp_path / "data" / "web" / "mta-sts.php")
    with pytest.raises(SourceUnusable) as caught:
        policy_in(str(tmp_path), ORG)
    assert caught.value.code == "source-mailcow-database"
    assert "https://mta-sts.example.org/.well-known/mta-sts.txt" in caught.value.remedy


def test_what_is_not_there_is_named(tmp_path):
    conf = tmp_path / "mta-sts.conf"
    conf.write_text(VHOSTS.format(names="ServerName a.example", place="DocumentRoot /nowhere"))
    os.mkfifo(str(tmp_path / "fifo"))
    for source, code in (
        (tmp_path, "source-without-policy"),
        (conf, "source-without-policy"),
        (tmp_path / "none", "file-unreadable"),
        (tmp_path / "fifo", "file-irregular"),
    ):
        with pytest.raises(SourceUnusable) as caught:
            policy_in(str(source), ORG)
        assert caught.value.code == code


def test_an_endless_file_is_not_read_to_its_end(mtasts, tmp_path):
    put(tmp_path / "large", b"x" * 3000000)
    code, _, err = mtasts("import", "example.org", str(tmp_path / "large"))
    assert code == 2
    assert "[policy-too-large]" in err


def test_one_domain_is_taken_over_from_a_virtual_host(mtasts, tmp_path):
    put(tmp_path / ".well-known" / "mta-sts.txt")
    conf = tmp_path / "mta-sts.conf"
    place = f"DocumentRoot {tmp_path}"
    conf.write_text(VHOSTS.format(names="ServerName mta-sts.example.org", place=place))
    assert mtasts("import", "example.org", str(conf), "--dry-run")[0] == 0
    assert os.listdir(str(mtasts.root)) == []
    assert mtasts("import", "example.org", str(conf))[0] == 0
    assert (mtasts.root / "example.org" / "mta-sts.txt").read_bytes() == POLICY


def test_a_directory_is_taken_over_domain_by_domain(mtasts, tmp_path):
    old = tmp_path / "old"
    put(old / "a.example" / "mta-sts.txt")
    put(old / "b.example.txt")
    put(old / "c.example.txt", POLICY + b"mode enforce\n")
    put(old / "README.txt")
    put(old / "not_a_domain.txt")
    put(old / "d.example.txt", POLICY.replace(b"enforce", b"testing"))
    mtasts("import", "d.example", "-", stdin=POLICY.decode())
    code, out, _ = mtasts("import", "--all", str(old), "--json")
    assert code == 3
    assert {one["domain"]: one["code"] for one in json.loads(out)} == {
        "a.example": "",
        "b.example": "",
        "c.example": "policy-line-malformed",
        "d.example": "policy-exists",
    }
    assert (mtasts.root / "d.example" / "mta-sts.txt").read_bytes() == POLICY
    code, out, _ = mtasts("import", "--all", str(old))
    assert "a.example: is here already, the same" in out


def test_what_is_exported_can_be_imported(mtasts, tmp_path):
    mtasts("import", "example.org", "-", stdin=POLICY.decode())
    mtasts("alias", "example.net", "example.org")
    code, out, _ = mtasts("export", "example.org")
    assert (code, out.encode()) == (0, POLICY)
    copy = tmp_path / "copy"
    assert mtasts("export", "--all", str(copy), "--dry-run")[0] == 0
    assert not copy.exists()
    assert mtasts("export", "--all", str(copy))[0] == 0
    assert sorted(os.listdir(str(copy))) == ["example.net", "example.org"]
    other = tmp_path / "other"
    other.mkdir()
    code, out, _ = mtasts("import", "--all", str(copy), "--policy-dir", str(other))
    assert code == 0
    assert (other / "example.net" / "mta-sts.txt").read_bytes() == POLICY
    (mtasts.root / "broken.example").mkdir()
    code, out, _ = mtasts("export", "--all", str(copy), "--json")
    assert code == 3
    assert {one["domain"]: one["code"] for one in json.loads(out)} == {
        "broken.example": "policy-unreadable",
        "example.net": "",
        "example.org": "",
    }
    assert mtasts("export", "example.org", str(tmp_path / "one.txt"))[0] == 0
    assert (tmp_path / "one.txt").read_bytes() == POLICY


def test_what_cannot_be_transferred_is_said(mtasts, tmp_path):
    mtasts("import", "example.org", "-", stdin=POLICY.decode())
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "file").write_text("")
    for arguments, code, said in (
        (["import", "example.net"], 2, "--all"),
        (["import", "example.net", "x", "--all", "y"], 2, "--all"),
        (["import", "--all", str(tmp_path / "none")], 3, "[file-unreadable]"),
        (["import", "example.org", "-"], 3, "[policy-exists]"),
        (["export"], 2, "--all"),
        (["export", "example.net"], 3, "[policy-unknown]"),
        (["export", "example.org", str(tmp_path / "fifo")], 3, "[file-irregular]"),
        (["export", "example.org", str(tmp_path / "file" / "x")], 3, "[file-unwritable]"),
    ):
        ended, _, err = mtasts(*arguments)
        assert (ended, said in err) == (code, True), (arguments, err)
