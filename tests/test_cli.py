"""The command as people and scripts use it: what it says, what it writes, how it ends."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest


def test_new_writes_a_testing_policy_from_the_hosts_named(mtasts):
    code, out, _ = mtasts("new", "Example.ORG", "--mx", "MX1.example.org", "--mx", "*.example.net")
    assert code == 0
    policy = (mtasts.root / "example.org" / "mta-sts.txt").read_bytes()
    assert policy == (
        b"version: STSv1\r\nmode: testing\r\nmx: mx1.example.org\r\nmx: *.example.net\r\n"
        b"max_age: 86401\r\n"
    )
    assert "certbot --mtasts -d mta-sts.example.org" in out


def test_new_never_replaces_a_policy(mtasts):
    mtasts("new", "example.org", "--mx", "mx1.example.org")
    code, _, err = mtasts("new", "example.org", "--mx", "mx2.example.org")
    assert code == 3
    assert "[policy-exists]" in err
    assert b"mx2" not in (mtasts.root / "example.org" / "mta-sts.txt").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["new", "exa_mple.org", "--mx", "mx.example.org"], 2, "domain-label-invalid"),
        (["new", "192.0.2.1", "--mx", "mx.example.org"], 2, "domain-address"),
        (["new", "b\u00fc cher.example", "--mx", "mx.example.org"], 2, "domain-not-ascii"),
        (["new", "example.org", "--mx", "192.0.2.1"], 2, "domain-address"),
        (["new", "example.org", "--mx", "mx*.example.org"], 2, "mx-wildcard"),
        (["new", "example.org", "--mx", "\x1b[2J"], 2, "domain-label-invalid"),
        (["new", "example.org", "--resolver", "ns.example.org"], 3, "address-invalid"),
        (["import", "example.org", "-"], 2, "policy-empty"),
        (["import", "example.org", "-", "--id", "a-b"], 2, "record-id-invalid"),
        (["dns", "example.org"], 3, "policy-unknown"),
        (["dns", "example.org", "--policy-dir", "missing"], 3, "policy-directory-unreadable"),
        (["fetch", "example.org"], 3, "policy-unknown"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_code_and_changes_nothing(
    mtasts, arguments, code, said
):
    ended, out, err = mtasts(*arguments)
    assert ended == code
    assert f"[{said}]" in err
    assert "\x1b" not in out + err
    assert os.listdir(str(mtasts.root)) == []


def test_import_takes_a_policy_over_byte_for_byte_with_its_id(mtasts):
    policy = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.org\n"
    code, _, _ = mtasts("import", "example.org", "-", "--id", "20240101", stdin=policy)
    assert code == 0
    assert (mtasts.root / "example.org" / "mta-sts.txt").read_bytes() == policy.encode()
    code, out, _ = mtasts("dns", "example.org")
    assert '_mta-sts.example.org. 3600 IN TXT "v=STSv1; id=20240101;"' in out.splitlines()


def test_dns_prints_both_records(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    code, out, _ = mtasts("dns", "example.org", "--json")
    policy, reports = json.loads(out)
    assert code == 0
    assert policy["name"] == "_mta-sts.example.org"
    assert policy["data"].startswith("v=STSv1; id=20")
    assert reports == {
        "name": "_smtp._tls.example.org",
        "type": "TXT",
        "data": "v=TLSRPTv1; rua=mailto:postmaster@example.org",
    }


def test_dns_takes_uris_only(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    code, out, _ = mtasts(
        "dns", "example.org", "--rua", "https://r.example/x", "--rua", "mailto:a@b"
    )
    assert '"v=TLSRPTv1; rua=https://r.example/x,mailto:a@b"' in out
    code, _, err = mtasts("dns", "example.org", "--rua", "me, you")
    assert code == 2
    assert "[record-rua-invalid]" in err


def test_dns_names_a_policy_edited_by_hand_to_something_invalid(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    with open(str(mtasts.root / "example.org" / "mta-sts.txt"), "a") as file:
        file.write("mode enforce\n")
    code, _, err = mtasts("dns", "example.org")
    assert code == 2
    assert "mta-sts.txt: line 5: 'mode enforce' is not a line of the form" in err


def test_fetch_says_where_nobody_answers(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    code, out, _ = mtasts("fetch", "example.org", "--address", "127.0.0.1:9", "--json")
    (result,) = json.loads(out)
    assert code == 1
    assert result["findings"][0]["code"] == "connect-failed"


def test_every_command_has_help_with_an_example(mtasts):
    _, out, _ = mtasts("--help")
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert {"new", "import", "dns", "fetch", "serve"} <= set(commands)
    for command in commands:
        code, out, _ = mtasts(command, "--help")
        assert code == 0
        assert "Example" in out
        assert f"  mtasts {command} " in out or f"  mtasts {command}\n" in out


def test_serve_shows_a_policy_over_tls(mtasts, tmp_path):
    """The real server, seen as `curl -k` sees it."""
    import http.client
    import socket
    import ssl

    mtasts("new", "example.org", "--mx", "mx.example.org")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(str(tmp_path / "log"), "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mtasts", "serve", "--port", str(port)],
            env=mtasts.environment,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.1)
        context = ssl._create_unverified_context()  # noqa: S323 - made on the spot, as documented
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
        host = {"Host": f"mta-sts.example.org:{port}"}
        connection.request("GET", "/.well-known/mta-sts.txt", headers=host)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read() == (mtasts.root / "example.org" / "mta-sts.txt").read_bytes()
    finally:
        server.kill()
        server.wait()


def test_colour_is_for_terminals_only(mtasts):
    _, _, err = mtasts("dns", "example.org")
    assert "\x1b" not in err
    master, terminal = pty.openpty()
    shown = subprocess.Popen(
        [sys.executable, "-m", "mtasts", "dns", "example.org"],
        env=mtasts.environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    said = b""
    while select.select([master], [], [], 60)[0]:
        try:
            said += os.read(master, 4096)
        except OSError:  # the other end is closed
            break
    assert shown.wait() == 3
    assert b"\x1b[31m" in said


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_stream_that_is_closed_ends_the_command_before_it_begins(mtasts, closed):
    new = f"exec {sys.executable} -m mtasts new example.org --mx mx.example.org {closed}"
    done = subprocess.run(
        ["sh", "-c", new],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=mtasts.environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert ("[output-closed]" in done.stdout) == (closed == ">&-")
    assert "Traceback" not in done.stdout
    assert os.listdir(str(mtasts.root)) == []
