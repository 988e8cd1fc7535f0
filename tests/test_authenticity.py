"""How sure is it that a report comes from whom it names?"""

import base64
import datetime
import subprocess
import sys

import dkim
import pytest
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mtasts.domain import Domain
from mtasts.mail_grade import MailGrader
from mtasts.probe import LookupFailed
from mtasts.public_suffix import all_rules, organizational_domain
from mtasts.tlsrpt import authenticity
from mtasts.tlsrpt.authenticity import Grade

LIST = """
// ===BEGIN ICANN DOMAINS===
com
org
uk
co.uk
*.ck
!www.ck
公司.cn
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
hosted.example.com
"""
OURS = "mx.example.net"
KEY_NAME = "_s._domainkey.example.org"
BODY = b"A report \t is attached.\r\n\r\n\r\n"


def test_the_stronger_proof_is_the_greater_grade():
    assert [grade.value for grade in sorted(Grade, reverse=True)] == [
        "dkim",
        "authentication-results",
        "https",
        "file",
    ]
    assert Grade("https") >= Grade.HTTPS > Grade.FILE


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.org", "example.org"),
        ("a.b.example.org", "example.org"),
        ("a.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("org", "org"),
        ("a.b.c.ck", "b.c.ck"),
        ("c.ck", "c.ck"),
        ("a.www.ck", "www.ck"),
        ("a.b.hosted.example.com", "b.hosted.example.com"),
        ("a.unknown", "a.unknown"),
        ("a.b.unknown", "b.unknown"),
        ("a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"),
    ],
)
def test_the_organizational_domain(domain, expected):
    assert organizational_domain(Domain(domain), all_rules(LIST)) == expected


@pytest.mark.parametrize(
    ("signer", "author", "with_list", "without"),
    [
        ("example.org", "example.org", True, True),
        ("example.org", "mail.example.org", True, False),
        ("mail.example.org", "example.org", True, False),
        ("a.example.org", "b.example.org", True, False),
        ("example.com", "example.org", False, False),
        ("other.co.uk", "example.co.uk", False, False),
        ("co.uk", "example.co.uk", False, False),
        ("a.hosted.example.com", "b.hosted.example.com", False, False),
        ("example.org", "badexample.org", False, False),
    ],
)
def test_who_signs_belongs_to_who_writes(signer, author, with_list, without):
    names = Domain(signer), Domain(author)
    assert authenticity.is_aligned(*names, all_rules(LIST)) is with_list
    assert authenticity.is_aligned(*names, frozenset()) is without


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("From: a@example.org", "example.org"),
        ("from: A <a@EXAMPLE.org>", "example.org"),
        ('From: "A, B" <a@example.org>', "example.org"),
        ('From: "b@example.com" <a@example.org>', "example.org"),
        ('From: "b\\"@example.com" <a@example.org>', "example.org"),
        ("From:\n a@example.org", "example.org"),
        ("From: a@example.org (A)", "example.org"),
        ("From: =?utf-8?q?b=40example=2Ecom?= <a@example.org>", "example.org"),
        ("From: b@example.com <a@example.org>", None),
        ("From: a@example.org, b@example.com", None),
        ("From: <a@example.org> <b@example.com>", None),
        ("From: a@example.org\nFrom: b@example.com", None),
        ("From: a@example.org\nX: y\rFrom: b@example.com", None),
        ("From: a@example.org\nFROM: a@example.org", None),
        ("From: a@[192.0.2.1]", None),
        ("From: a@ex\u00e4mple.org", None),
        ("From: a@b@example.org", None),
        ("From: ", None),
        ("Sender: a@example.org", None),
        ("From: " + "a" * 9000 + "@example.org", None),
        ("X: y\n" * 600 + "From: a@example.org", None),
        ("X: " + "y" * 70000 + "\nFrom: a@example.org", None),
    ],
    ids=lambda value: str(value)[:50],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_author_is_one_beyond_doubt_or_nobody(fields, expected, end):
    mail = (fields + "\n\nFrom: c@example.net\n").replace("\n", end).encode()
    assert authenticity.author_domain(authenticity.header_of(mail)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["mx.example.net; dkim=pass header.d=example.org"], ["example.org"]),
        (["MX.Example.NET 1 ; DKIM/1 = Pass header.i=@Example.ORG"], ["example.org"]),
        (['"mx.example.net"; dkim=pass reason="ok; x" header.d=example.org'], ["example.org"]),
        (["(a;(b\\) c)) mx.example.net; dkim=(x)pass (2048-bit) header.d=(y)a.b"], ["a.b"]),
        (["mx.example.net; dkim=pass header.i=x@a.b header.d=b header.b=q+/="], ["b"]),
        (["mx.example.net; spf=pass smtp.mailfrom=a@b; dkim=pass header.d=b.c"], ["b.c"]),
        (["mx.example.net; dkim=fail header.d=b; dkim=pass header.d=c.d"], ["c.d"]),
        (["mx.example.net; dkim=pass header.d=b.c; dkim=pass header.d=c.d"], ["b.c", "c.d"]),
        (["mx.example.net; none"], []),
        (["mx.example.net"], []),
        (["mx.example.net; dkim"], []),
        (["mx.example.net; dkim=pass"], []),
        (["mx.example.net; dkim=pass header.d"], []),
        (["mx.example.net; dkim=pass header.d=a_b"], []),
        (["mx.example.net; dkim=passed header.d=b"], []),
        (["mx.example.net; x-dkim=pass header.d=b"], []),
        (['mx.example.net; spf=fail reason="; dkim=pass header.d=b"'], []),
        (["mx.example.net; spf=fail (; dkim=pass header.d=b)"], []),
        (["mx.example.net (; dkim=pass header.d=b"], []),
        (["(" * 100 + ")" * 100 + "mx.example.net; dkim=pass header.d=b"], []),
        (["mx.example.net.example.com; dkim=pass header.d=b"], []),
        (["mx.example.com; dkim=pass header.d=b"], []),
        ([""], []),
        (["mx.example.net; dkim=pass header.d=b" + " " * 9000], []),
        (["other.example; dkim=pass header.d=a", "mx.example.net; dkim=pass header.d=b"], ["b"]),
        # The lower one came with the mail.
        (["mx.example.net; dkim=none", "mx.example.net; dkim=pass header.d=b"], []),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_our_own_mta_says(fields, expected):
    header = [("authentication-results", field) for field in fields] + [("from", "a@b")]
    assert list(authenticity.trusted_signers(header, [OURS])) == expected
    assert authenticity.trusted_signers(header, []) == ()


# ---- signatures -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key():
    """A private key in PEM, and the `p=` of its public one."""
    made = rsa.generate_private_key(65537, 1024, default_backend())  # noqa: S505 - for one string of DNS
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, base64.b64encode(public).decode()


@pytest.fixture
def grade(dns_table, key, tmp_path):
    """Grade a mail, with example.org's key in DNS and a short list of public suffixes."""
    suffixes = tmp_path / "suffixes"
    suffixes.write_text(LIST, encoding="utf-8")
    dns_table.table[KEY_NAME] = [f"v=DKIM1; k=rsa; p={key[1]}"]

    def ask(mail, with_dkim=True, ids=(OURS,)):
        return MailGrader(ids, with_dkim, dns_table.address, str(suffixes))(mail)

    ask.table = dns_table.table
    return ask


def signed(key, author="reports@example.org", body=BODY, domain=b"example.org", **options):
    mail = f"From: {author}\r\nSubject: a report\r\nTo: x@example.net\r\n\r\n".encode() + body
    options.setdefault("canonicalize", (b"relaxed", b"relaxed"))
    selector = options.pop("selector", b"_s")
    return dkim.DKIM(mail).sign(selector, domain, key[0], **options) + mail


@pytest.mark.parametrize("algorithm", [b"relaxed", b"simple"])
def test_a_good_signature(grade, key, algorithm):
    mail = signed(key, canonicalize=(algorithm, algorithm))
    assert grade(mail) is Grade.DKIM
    assert grade(mail.replace(b"\r\n", b"\n")) is Grade.DKIM
    assert grade(mail, with_dkim=False) is Grade.FILE


@pytest.mark.parametrize("author", ["a@example.org", "A <a@mail.example.org>"])
def test_the_author_may_be_below_the_signer(grade, key, author):
    assert grade(signed(key, author)) is Grade.DKIM


def test_the_signer_may_be_a_sibling_of_the_author(grade, key):
    grade.table["_s._domainkey.a.example.org"] = grade.table[KEY_NAME]
    assert grade(signed(key, "x@b.example.org", domain=b"a.example.org")) is Grade.DKIM


def test_somebody_elses_signature_proves_nothing(grade, key):
    assert grade(signed(key, "a@example.com")) is Grade.FILE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"attached", b"changed"),
        (b"a report", b"an order"),
        (b"From: reports@", b"From: evil@"),
        (b"From: reports@example.org", b"From: a@example.org\r\nFrom: reports@example.org"),
        (b"; s=_s;", b"; s=_t;"),
        (b"; a=rsa-sha256", b"; a=rsa-sha1"),
        (b"v=1;", b"v=2;"),
        (b"\r\n\r\n", b"\r\nnonsense\r\n\r\n"),
        (b"DKIM-Signature: ", b"DKIM-Signature: \xff"),
    ],
)
def test_what_was_changed_is_not_signed(grade, key, old, new):
    mail = signed(key)
    assert old in mail
    assert grade(mail.replace(old, new, 1)) is Grade.FILE


ED25519 = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=example.org;
 i=@example.org; q=dns/txt; s=_e; t=1795876486; h=from : subject : to;
 bh=I7icRvOZCnGK58FiLE7mfR7NyeKlkNCb1y0djmr/5uY=;
 b=P9ts3yzAO9KfcSfxxL2qBRbjzn2YJRJniNUYiyVuKh9G9jOvJ02G9dRLtml2SxZqtMdv3
 CA5Ehw0hHEIYzAjAA==
From: reports@example.org
Subject: a report
To: x@example.net

A report is attached.
"""


@pytest.mark.parametrize(
    ("library", "mail", "expected"),
    [
        ("nacl", ED25519, "dkim"),
        ("nacl", ED25519.replace(b"attached", b"detached"), "file"),
        ("none", ED25519, "file"),
    ],
)
def test_ed25519_needs_a_library(dns_table, tmp_path, library, mail, expected):
    """RFC 8463. Without PyNaCl such a signature proves nothing."""
    key = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    dns_table.table["_e._domainkey.example.org"] = [f"v=DKIM1; k=ed25519; p={key}"]
    code = "import sys\n" + ("sys.modules['nacl'] = None\n" if library == "none" else "")
    code += "from mtasts.mail_grade import MailGrader\n"
    code += "grader = MailGrader(resolver=sys.argv[1], suffix_list=sys.argv[2])\n"
    code += "print(grader(sys.stdin.buffer.read()).value)"
    argv = [sys.executable, "-c", code, dns_table.address, str(tmp_path / "none")]
    said = subprocess.run(argv, input=mail, stdout=subprocess.PIPE, check=True).stdout
    assert said == expected.encode() + b"\n"


def test_a_part_of_the_body_is_not_enough(grade, key):
    assert grade(signed(key, length=True)) is Grade.FILE
    assert grade(signed(key, length=True) + b"more") is Grade.FILE


def test_one_good_signature_among_others_is_enough(grade, key):
    other = signed(key, domain=b"example.com")
    bad = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=_s; h=from; bh=x; b=y\r\n"
    broken = b"DKIM-Signature: nonsense\r\n"
    head = other[: other.index(b"From:")] + bad + broken
    assert grade(head + signed(key)) is Grade.DKIM
    assert grade(bad * 4 + signed(key)) is Grade.FILE  # no mail has so many, so they are not tried


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=DKIM1; s=*; p={}", Grade.DKIM),
        ("v=DKIM1; s=tlsrpt; p={}", Grade.DKIM),
        ("v=DKIM1; s=email:tlsrpt; p={}", Grade.DKIM),
        ("p={};", Grade.DKIM),
        ("v=DKIM1; t=s; p={}", Grade.DKIM),
        ("v=DKIM1; s=email; p={}", Grade.FILE),
        ("v=DKIM1; s=; p={}", Grade.FILE),
        ("v=DKIM1; t=s:y; p={}", Grade.FILE),
        ("v=DKIM2; p={}", Grade.FILE),
        ("v=DKIM1; k=unknown; p={}", Grade.FILE),
        ("v=DKIM1; p=", Grade.FILE),
        ("v=DKIM1; p=AAAA", Grade.FILE),
        ("v=DKIM1; p=!", Grade.FILE),
        ("v=DKIM1", Grade.FILE),
        ("nonsense", Grade.FILE),
        ("t=s; t=s; p={}", Grade.FILE),
    ],
)
def test_what_the_key_is_for(grade, key, record, expected):
    grade.table[KEY_NAME] = [record.format(key[1])]
    assert grade(signed(key)) is expected


def test_two_keys_are_none(grade, key):
    grade.table[KEY_NAME].append("v=DKIM1; p=")
    assert grade(signed(key)) is Grade.FILE


def test_a_name_server_that_fails_says_nothing_of_the_signature(grade, key):
    grade.table[KEY_NAME] = None
    with pytest.raises(LookupFailed, match="dns-lookup-failed"):
        grade(signed(key))
    ours = b"Authentication-Results: mx.example.net; dkim=pass header.d=example.org\r\n"
    assert grade(ours + signed(key)) is Grade.AUTHENTICATION_RESULTS


def test_one_name_server_that_fails_does_not_stop_another(grade, key):
    grade.table["_t._domainkey.example.org"] = None
    both = signed(key, selector=b"_t")
    assert grade(both[: both.index(b"From:")] + signed(key)) is Grade.DKIM


def test_a_selector_that_no_name_can_have_is_no_failure_of_dns(grade, key):
    for selector in (b"x" * 64, b"a..b", b"a b", b"\xc3\xa4", b"x" * 300):
        mail = signed(key).replace(b"s=_s;", b"s=" + selector + b";")
        assert grade(mail) is Grade.FILE


def test_our_mta_counts_only_for_the_author(grade):
    said = "Authentication-Results: mx.example.net; dkim=pass header.d={}\nFrom: a@example.org\n\n"
    assert grade(said.format("mail.example.org").encode()) is Grade.AUTHENTICATION_RESULTS
    assert grade(said.format("example.com").encode()) is Grade.FILE
    assert grade(said.format("example.org").encode(), ids=()) is Grade.FILE


@pytest.mark.parametrize(
    "body",
    [b" " * 3_000_000 + b"x", (b"\t" * 5000 + b"x") * 600, (b" " * 300 + b"x") * 80_000],
    ids=["one run", "long runs", "many runs"],
)
def test_no_mail_keeps_the_machine_busy(grade, key, body):
    """Each would take dkimpy minutes; this one would take the whole suite's patience."""
    mail = signed(key, body=b"x", canonicalize=(b"simple", b"relaxed"))
    assert grade(mail[:-1] + body) is Grade.FILE


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\n",
        b"\x00" * 1000,
        b" continued\nFrom: a@example.org\n\n",
        b"From: a@example.org\nDKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=_s; h=from;"
        b" bh=" + b" " * 2000 + b"; b=" + b" \r\n " * 700 + b"\n\n",
        b"From: a@example.org\nDKIM-Signature:" + b";" * 3000 + b"\n\n",
        b"From: a@example.org\nDKIM-Signature: a=rsa-sha256; d=example.org; h=from; s=_s\n\n",
        b"From: a@example.org\n" + b"DKIM-Signature: a=b\n" * 400 + b"\n",
    ],
    ids=lambda mail: str(mail[:40]),
)
def test_hostile_mails_have_the_lowest_grade(grade, mail):
    assert grade(mail) is Grade.FILE


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("by mx; Mon, 2 Mar 2026 23:30:00 -0100 (a; comment)", None),
        ("by mx; Mon, 2 Mar 2026 23:30:00 -0100 (comment)", 3),
        ("by mx; 2 Mar 2026 00:00:00 -0000", 2),
        ("by mx; 99 Mar 2026 00:00:00 +0000", None),
        ("by mx; 2 Mar " + "9" * 90 + " 00:00:00 +0000", None),
        ("by mx; 2 Mar 2026 00:00:00 +" + "9" * 90, None),
        ("by mx", None),
        ("", None),
    ],
)
def test_when_our_mail_server_took_a_mail(said, day):
    when = authenticity.received((("received", said), ("received", "; 1 Mar 2026 00:00:00 +0000")))
    assert (when and when.astimezone(datetime.timezone.utc).day) == day
    assert authenticity.received(()) is None
