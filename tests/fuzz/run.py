"""Coverage-guided fuzzing of everything that reads what strangers send: policies, records, reports.

    "$(tests/stack newest)/bin/python" tests/fuzz/run.py --seconds 3600

Each target is a process of its own (libFuzzer ends with its process) and gets its share of the
time. It begins with the inputs of tests/vectors, and fails on any exception but our own, on a
round trip that changes something, and on an input that takes seconds. What failed is kept as a
file, named at the end; --target NAME FILE runs it once more.
"""

import argparse
import base64
import contextlib
import functools
import hashlib
import os
import subprocess
import sys
import tempfile

import atheris

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [TESTS, os.path.dirname(TESTS)]

with atheris.instrument_imports(include=["mtasts"]):
    from mtasts import lint, policy, record, tidy
    from mtasts.domain import Domain, InvalidDomain, MXPattern
    from mtasts.finding import InvalidText, Severity
    from mtasts.mail_grade import MailGrader
    from mtasts.probe import LookupFailed
    from mtasts.tlsrpt import container, counting
    from mtasts.tlsrpt.authenticity import Grade
    from mtasts.tlsrpt.notes import NOTES
    from mtasts.tlsrpt.report import InvalidReport
import cases  # noqa: E402
import nameserver  # noqa: E402
import tlsrpt_samples  # noqa: E402

SECONDS_AN_INPUT = 2  # inputs have at most 64 KiB, of which the slowest take far less
LONGEST = 65537
RSA = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDWEi8qD5ZICvRZt/PMxreE+X4CKrrdq4fXOQAgec24BeKCBl5Kii3uER"
    "E7lY2Od5PpC7a5UOgzwH1QMMnYZTCu4SuuGUuSBQUzy8IvSp25U5nSi4/PPv8JUGtWFnpFepjxDDNu74nhqI3ea6u808Le"
    "NoLlDjr6T1V4/yB5zPdsXQIDAQAB"  # of a key that nobody has
)


def read_policy(data):
    """Reading, judging and rewriting agree about what is a policy, and what it says."""
    reading = policy.read(data)
    is_invalid = lint.worst(lint.policy(data)) is Severity.ERROR
    assert (reading.policy is None) == bool(reading.faults) == is_invalid
    try:
        text = tidy.careful(data)
    except InvalidText:
        text = b""
    if reading.policy:
        assert policy.Policy.parse(reading.policy.to_bytes()) == reading.policy
    if reading.policy and text:
        mode, max_age, mx = reading.policy
        assert policy.Policy.parse(text) == (mode, max_age, tuple(dict.fromkeys(mx)))


def read_record(data):
    """What is read is printed and read back the same."""
    text = data.decode("utf-8", "surrogateescape")
    for kind in (record.STSRecord, record.TLSRPTRecord):
        try:
            found = kind.parse(text)
        except record.InvalidRecord:
            continue
        assert kind.parse(str(found)) == found
    assert (lint.worst(lint.record(text)) is Severity.ERROR) == (record.read(text).record is None)


def read_hosts(data):
    """Names are names of hosts, and matching agrees with its explanation."""
    host, _, pattern = data.decode("utf-8", "surrogateescape").partition("\n")
    for kind in (Domain, MXPattern):
        with contextlib.suppress(InvalidDomain):
            name = kind(host)
            assert kind(name) == name == host.lower()
    with contextlib.suppress(InvalidDomain):
        assert host.lower().startswith(Domain.from_policy_host(host).policy_host)
    found = lint.match(host, pattern)
    try:
        is_covered = MXPattern(pattern).covers(host)
    except InvalidDomain:
        is_covered = False
    assert (found.severity is Severity.OK) == is_covered


def read_reports(data):
    """Any file gives reports or errors of ours, and numbers that are whole or unknown."""
    for _, found in container.reports(data, limit=1024 * 1024):
        if isinstance(found, InvalidReport):
            continue
        for effective in counting.effective(found).values():
            for counter in effective.sessions + effective.plain:
                assert counter is None or (type(counter) is int and counter >= 0)
        for note in found.notes:
            assert note.code in NOTES


SERVERS = contextlib.ExitStack()  # those that run until this process ends


@functools.lru_cache(maxsize=None)
def grader():
    """Grades mails, with the key from a name server."""
    server = SERVERS.enter_context(nameserver.running())
    server.table["_s._domainkey.example.net"] = ["v=DKIM1; k=rsa; p=" + RSA]
    return MailGrader(["mx.example.org"], resolver=server.address, suffix_list=os.devnull)


def grade_mails(data):
    """Whatever a mail's fields and signatures are, it has a grade: never that of a good signature,
    which nobody here can make, unless our own server says so."""
    with contextlib.suppress(LookupFailed):
        assert grader()(data) is not Grade.DKIM


TARGETS = {
    "policy": read_policy,
    "txt": read_record,
    "match": read_hosts,
    "report": read_reports,
    "grade": grade_mails,
}


def mails():
    """Mails whose signatures and Authentication-Results are looked into to the end."""
    signature = "v=1; a={}; c={}; d=example.net; s=_s; h=from:subject; bh={}; b=AAAA"
    results = 'mx.example.org (x) 1; dkim=pass (y) header.d=example.net reason="z"'
    forms = {"relaxed/relaxed": b"", "simple": b"\r\n"}  # and what an empty body is in them
    for algorithm, (form, body) in zip(("rsa-sha256", "ed25519-sha256"), forms.items()):
        body_hash = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
        changes = {"DKIM-Signature": signature.format(algorithm, form, body_hash)}
        whole = tlsrpt_samples.mail(**changes, **{"Authentication-Results": results})
        yield whole
        yield whole.partition(b"\n\n")[0] + b"\n\n"


def seeds(target):
    """The vectors' inputs for a target."""
    if target == "grade":
        yield from mails()
        return
    for case in cases.load(target).values():
        if target == "report":
            yield cases.report_octets(case)
        elif target == "match":
            yield f"{case['host']}\n{case['pattern']}".encode("utf-8", "surrogateescape")
        else:
            yield cases.octets(case["input" if target == "policy" else "strings"])


def fuzz(target, seconds, artifacts):
    """Fuzz in this process, which ends with it."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds(target)):
            with open(os.path.join(corpus, str(number)), "wb") as file:
                file.write(data)
        options = [f"-max_total_time={seconds}", f"-timeout={SECONDS_AN_INPUT}"]
        options += [f"-max_len={LONGEST}", f"-artifact_prefix={artifacts}/{target}-"]
        atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", corpus], TARGETS[target])
        atheris.Fuzz()


def main():
    parser = argparse.ArgumentParser(
        description="Fuzz what reads policies, records, hosts and reports."
    )
    parser.add_argument("--seconds", type=int, default=60, help="time for all targets together")
    parser.add_argument("--target", choices=sorted(TARGETS), help="this one only, in this process")
    parser.add_argument(
        "--artifacts", default=tempfile.gettempdir(), help="where failures are kept"
    )
    parser.add_argument("file", nargs="?", help="with --target: run this input only")
    arguments = parser.parse_args()
    if arguments.file:
        with open(arguments.file, "rb") as file:
            TARGETS[arguments.target or parser.error("--target is missing")](file.read())
    elif arguments.target:
        fuzz(arguments.target, arguments.seconds, arguments.artifacts)
    else:
        share = str(max(1, arguments.seconds // len(TARGETS)))
        for target in TARGETS:
            print(f"== {target}: {share} s", flush=True)
            options = ["--target", target, "--seconds", share, "--artifacts", arguments.artifacts]
            subprocess.check_call([sys.executable, __file__, *options])


if __name__ == "__main__":
    main()
