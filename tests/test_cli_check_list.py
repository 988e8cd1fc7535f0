"""The command `mtasts check` for lists: what it takes, what it writes, how it goes on."""

import json
import signal
import subprocess
import sys
import time

import pytest

GONE = "Name one, or with --file a file that has one in a line."


@pytest.fixture
def listed(tmp_path):
    """Write a list of domains, and give its path."""

    def listed(text):
        path = tmp_path / "domains.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return str(path)

    return listed


def domains_in(path):
    """The domains of a results file, in their order."""
    with open(path) as file:
        return [json.loads(line)["domain"] for line in file]


def severities(out):
    return {found["domain"]: found["severity"] for found in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("arguments", [["-"], ["--file", "-"], ["--file", "LIST"]])
def test_a_list_is_checked_each_domain_once(mtasts, listed, arguments):
    text = "# ours\nexample.org\n\nEXAMPLE.net.  # moved\nexample.org\r\n"
    path = listed(text)
    arguments = [path if one == "LIST" else one for one in arguments]
    code, out, err = mtasts("check", "--json", *arguments, stdin=text)
    assert (code, err) == (3, "")  # nobody knows the zones of these domains
    assert set(severities(out)) == {"example.org", "example.net"}
    assert len(out.splitlines()) == 2


def test_lists_and_names_are_one_list(mtasts, listed):
    path = listed("example.net\nexample.org\n")
    code, out, _ = mtasts("check", "example.org", "--json", "--file", path)
    assert code == 3
    assert sorted(severities(out)) == ["example.net", "example.org"]


def test_u_labels_are_taken(mtasts, listed):
    pytest.importorskip("idna")
    _, out, err = mtasts("check", "--json", "--file", listed("b\u00fccher.example"))
    assert list(severities(out)) == ["xn--bcher-kva.example"]
    assert err == ""


def test_broken_names_are_told_with_their_lines_and_the_others_are_checked(mtasts, listed):
    path = listed(b"example.org\nexa mple.org\n\n\xff\xfe\n192.0.2.1\nexample.net\n")
    code, out, err = mtasts("check", "--json", "--file", path)
    assert code == 3
    assert set(severities(out)) == {"example.org", "example.net"}
    for line in (2, 4, 5):
        assert f"mtasts: {path}: line {line}: " in err
    assert "line 1" not in err


def test_a_list_of_broken_names_only_is_unknown(mtasts, listed):
    code, out, err = mtasts("check", "--json", "--file", listed("exa mple.org\n"))
    assert (code, out) == (3, "")
    assert "line 1: " in err


def test_an_error_is_graver_than_a_broken_name(mtasts, listed):
    mtasts.mx["_mta-sts.example.org"] = ["v=STSv1; id=1;"]
    code, _, _ = mtasts("check", "--file", listed("example.org\nexa mple.org\n"))
    assert code == 2


@pytest.mark.parametrize("text", ["", "\n\n", "# nobody\n"])
def test_a_list_without_a_domain_is_not_good_news(mtasts, listed, text):
    code, out, err = mtasts("check", "--file", listed(text))
    assert (code, out) == (3, "")
    assert f"[domains-missing]\n{GONE}" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "/missing"], "domains-unreadable"),
        (["--file", "/"], "domains-unreadable"),
        (["-", "--nagios"], "check-misused"),
        (["-", "--output", "x", "--json"], "check-misused"),
        (["-", "--output", "/missing/x"], "check-output-unwritable"),
        (["-", "--subdomain", "lists.example.com"], "subdomain-elsewhere"),
    ],
)
def test_what_cannot_be_done_is_said(mtasts, arguments, said):
    code, out, err = mtasts("check", *arguments, stdin="example.org\n")
    assert (code, out) == (3, "")
    assert f"[{said}]" in err


def test_results_go_to_a_file_and_are_counted(mtasts, listed, tmp_path):
    results = str(tmp_path / "results.jsonl")
    mtasts.mx["_mta-sts.example.org"] = ["v=STSv1; id=1;"]
    path = listed("example.org\nexample.net\n")
    code, out, err = mtasts("check", "--file", path, "--output", results)
    assert (code, out, err) == (2, f"{results}: 2 domains: error 1, unknown 1\n", "")
    assert sorted(domains_in(results)) == ["example.net", "example.org"]


def test_what_is_in_the_file_is_not_done_again_and_still_counts(
    mtasts, listed, tmp_path, dns_table
):
    results = str(tmp_path / "results.jsonl")
    mtasts.mx["_mta-sts.example.org"] = ["v=STSv1; id=1;"]
    assert mtasts("check", "example.org", "--output", results)[0] == 2
    with open(results, "a") as file:
        file.write('{"version": 1, "domain": "example.net", "sev')
    del dns_table.asked[:]
    path = listed("example.org\nexample.net\nexample.com\n")
    code, out, err = mtasts("check", "--file", path, "--output", results)
    assert code == 2
    assert out == f"{results}: 3 domains: error 1, unknown 2\n"
    assert err == f"{results} has 1 domain of 3 already\n"
    first, *others = domains_in(results)
    assert (first, sorted(others)) == ("example.org", ["example.com", "example.net"])
    assert not [name for name, _ in dns_table.asked if "example.org" in name]


def test_a_file_of_something_else_is_left_alone(mtasts, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text("precious\n")
    code, _, err = mtasts("check", "example.org", "--output", str(results))
    assert code == 3
    assert "line 1 of" in err
    assert results.read_text() == "precious\n"


def test_a_resolver_that_answers_nothing_ends_the_run_which_goes_on_later(
    mtasts, listed, tmp_path, dns_table
):
    results = str(tmp_path / "results.jsonl")
    mtasts("check", "d0.example.org", "--output", results)
    names = [f"d{number}.example.org" for number in range(200)]
    run = ["check", "--file", listed("\n".join(names)), "--output", results]
    dns_table.is_cut_off = True
    code, out, err = mtasts(*run)
    assert (code, out) == (3, "")
    assert f"{results} has 1 domain of 200; the same command goes on from there\n" in err
    assert "[dns-resolver-useless]\nSee that the resolver runs" in err
    assert domains_in(results) == names[:1]
    dns_table.is_cut_off = False
    _, out, err = mtasts(*run)
    assert out.startswith(f"{results}: 200 domains: ")
    assert f"{results} has 1 domain of 200 already\n" in err
    assert sorted(domains_in(results)) == sorted(names)


def test_ctrl_c_waits_for_no_stranger(mtasts, listed, dns_table):
    dns_table.loses = sys.maxsize
    # As on a terminal: what starts the tests may ignore the signal.
    program = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    program += "runpy.run_module('mtasts', run_name='__main__')"
    command = [sys.executable, "-c", program, "check", "--file", listed("example.org\nexample.net")]
    run = subprocess.Popen(command, env=mtasts.environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not dns_table.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)  # a look without answers takes minutes
    assert (run.returncode, err) == (-signal.SIGINT, b"")


def test_a_run_that_was_killed_goes_on(mtasts, listed, dns_table, tmp_path):
    names = [f"d{number}.example.org" for number in range(100)]
    dns_table.silent = {f"_mta-sts.{name}" for name in names[50:]}  # so that it cannot end before
    path, results = listed("\n".join(names)), tmp_path / "results.jsonl"
    command = [sys.executable, "-m", "mtasts", "check", "--file", path, "--output", str(results)]
    run = subprocess.Popen(command, env=mtasts.environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (results.exists() and results.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    run.kill()
    run.communicate()
    dns_table.silent = set()
    done = len(results.read_bytes().splitlines())
    assert 0 < done < len(names)
    code, out, err = mtasts("check", "--file", path, "--output", str(results))
    assert (code, out) == (3, f"{results}: 100 domains: unknown 100\n")
    assert " of 100 already" in err
    assert sorted(domains_in(str(results))) == sorted(names)
