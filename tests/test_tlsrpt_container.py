"""Reports within archives, mails and mailboxes, and what strangers put there instead."""

import base64
import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies  # noqa: F401 - its profile
import tlsrpt_samples as samples
from mtasts.tlsrpt import container
from mtasts.tlsrpt.container import Document, documents, reports
from mtasts.tlsrpt.report import InvalidReport

MIB = 1024 * 1024
SMALL = 100000  # bytes, a limit that is soon reached
REPORT = samples.report()


def found(data, **options):
    """The code of each error in `data`, and "ok" for each report."""
    return [
        item.code if isinstance(item, InvalidReport) else "ok"
        for _, item in reports(data, "file", **options)
    ]


def peak(data, **options):
    """The most memory that looking for reports takes, in bytes."""
    tracemalloc.start()
    try:
        for _ in documents(data, **options):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bomb(size):
    """`size` zeros as gzip."""
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(MIB)
    return b"".join([stream.compress(piece) for _ in range(size // MIB)] + [stream.flush()])


def in_zip(data):
    return samples.archive(("a.gz", data))


def declared(data, size):
    """A zip archive whose members say that they have `size` bytes."""
    data = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.find(signature)
        while place >= 0:
            struct.pack_into("<I", data, place + offset, size)
            place = data.find(signature, place + 4)
    return bytes(data)


def test_a_document_has_its_name_its_hints_and_its_mail():
    mail = samples.mail()
    (document,) = documents(mail, "a.eml")
    assert isinstance(document, Document)
    assert document.name == "a.eml"
    assert document.data == REPORT
    assert document.mail is mail
    assert [hint.value for hint in document.hints] == ["example.org", "example.net", "7f3a"]


def test_names_lead_to_the_part():
    inner = samples.archive(("b.json", REPORT))
    (document,) = documents(samples.archive(("c/a.zip", inner)), "in.zip")
    assert document.name == "in.zip: c/a.zip: b.json"
    ((name, error),) = reports(samples.archive(("a.gz", b"\x1f\x8bnonsense")), "in.zip")
    assert name == "in.zip: a.gz"
    assert error.source == name


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_gzip_in_gzip(depth):
    data = REPORT
    for _ in range(depth):
        data = gzip.compress(data)
    assert found(data) == ["ok"]


def test_what_is_nested_for_ever_is_refused():
    data = REPORT
    for _ in range(50):
        data = gzip.compress(data)
    assert found(data) == ["report-too-deep"]
    for _ in range(50):
        data = samples.archive(("a", data))
    assert found(data) == ["report-too-deep"]


def test_gzip_in_several_members_is_one_file():
    assert found(gzip.compress(REPORT[:50]) + gzip.compress(REPORT[50:])) == ["ok"]
    assert found(gzip.compress(REPORT) + bytes(512)) == ["ok"]
    assert found(gzip.compress(b"") * 5000 + gzip.compress(REPORT)) == ["report-too-many-members"]


@pytest.mark.parametrize("wrapped", [lambda data: data, gzip.compress, in_zip])
def test_a_gzip_bomb_is_refused_before_it_is_expanded(wrapped):
    data = wrapped(bomb(200 * MIB))
    assert len(data) < MIB
    assert found(data, limit=SMALL) == ["report-too-large"]
    assert peak(data, limit=SMALL) < 5 * MIB
    assert found(samples.mail(data), limit=MIB) == ["report-too-large"]


def test_the_limit_is_64_mib_and_counts_everything():
    assert container.LIMIT == 64 * MIB
    padded = REPORT + b" " * (SMALL // 2 - len(REPORT))
    two = samples.archive(("1", padded), ("2", padded))
    assert found(two, limit=SMALL) == ["ok", "ok"]
    assert found(two, limit=SMALL - 1) == ["ok", "report-too-large"]
    assert found(padded, limit=SMALL // 2) == ["ok"]
    assert found(padded, limit=SMALL // 2 - 1) == ["report-too-large"]
    assert found(gzip.compress(padded), limit=SMALL // 2) == ["ok"]


def test_a_zip_bomb_is_refused_before_it_is_expanded():
    data = samples.archive(("a", bytes(20 * MIB)))
    assert found(data, limit=SMALL) == ["report-too-large"]
    assert peak(data, limit=SMALL) < 5 * MIB


@pytest.mark.parametrize("size", [0, 1, 2**32 - 2])
def test_declared_sizes_are_not_believed(size):
    data = declared(samples.archive(("a", bytes(20 * MIB))), size)
    (code,) = found(data, limit=SMALL)
    assert code in ("report-too-large", "report-compression-broken", "report-empty")
    assert peak(data, limit=SMALL) < 5 * MIB
    assert found(declared(samples.archive(("a", REPORT)), 2**32 - 2), limit=SMALL) == ["ok"]


def test_overlapping_members_count_each_time():
    """Many entries of the directory, one content: how a few KiB become terabytes."""
    one = samples.archive(("a", bytes(MIB)))
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entries = one[start:end] * 50
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 50, 50, len(entries), start, 0)
    data = one[:start] + entries + tail
    assert found(data, limit=SMALL) in (["report-too-large"], ["report-compression-broken"])
    assert peak(data, limit=SMALL) < 5 * MIB


def test_archives_have_few_members():
    data = samples.archive(*((str(number), REPORT) for number in range(101)))
    assert found(data) == ["report-too-many-members"]


def test_unusual_archives_are_errors():
    assert found(samples.archive()) == ["report-missing"]
    assert found(samples.archive(("README", b"hello"))) == ["report-unknown-format"]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a", REPORT)
    assert found(file.getvalue()) == ["report-compression-unknown"]
    assert found(samples.archive(("a", REPORT))[:-30]) == ["report-compression-broken"]


def test_an_extra_field_that_is_cut_off_is_an_error():
    """Python 3.6 raises struct.error for it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        member = zipfile.ZipInfo("a.json")
        member.extra = struct.pack("<HHQ", 1, 24, 0)  # ZIP64, of 24 bytes, of which there are 8
        made.writestr(member, REPORT)
    assert found(file.getvalue()) == ["report-compression-broken"]


def test_a_good_member_beside_bad_ones_is_kept():
    data = samples.archive(("a", REPORT), ("b", gzip.compress(REPORT)[:-9]), ("c", REPORT))
    assert found(data) == ["ok", "report-compression-broken", "ok"]


def test_every_mail_of_a_mailbox():
    other = b"From: a@example.net\nSubject: lunch\n\nFrom now on at one.\n\nFrom then on: two\n"
    line = b"From a@example.net Mon Mar  2 01:00:00 2026\n"
    data = b"".join(line + mail + b"\n" for mail in (samples.mail(), other, samples.mail()))
    assert found(data) == ["ok", "ok"]
    assert found(data.replace(b"\n", b"\r\n")) == ["ok", "ok"]
    assert [name for name, _ in reports(data, "mbox")] == ["mbox: mail 1", "mbox: mail 3"]


def test_a_mail_of_a_mailbox_is_as_it_came():
    mail = samples.mail().replace(b"A report.", b"From here, a report.\n>From there, too.")
    quoted = mail.replace(b"\n>From", b"\n>>From").replace(b"\nFrom here", b"\n>From here")
    line = b"From a@example.net Mon Mar  2 01:00:00 2026\n"
    (document, _) = documents(line + quoted + b"\n" + line + mail)
    assert document.mail == mail


def test_a_mail_within_a_mail():
    outer = b"From: b@example.com\nSubject: Fwd\nContent-Type: message/rfc822\n\n"
    (document,) = documents(outer + samples.mail())
    assert document.data == REPORT
    assert document.hints[0].value == "example.org"
    attached = samples.mail(samples.mail(), Subject="Fwd").replace(
        b"application/tlsrpt+gzip", b"application/octet-stream"
    )
    assert found(attached) == ["ok"]


def test_several_reports_in_a_mail():
    mail = samples.mail().decode("ascii")
    part = mail[mail.index("--b1\nContent-Type: application") : mail.index("--b1--")]
    assert found(mail.replace("--b1--", part + "--b1--").encode("ascii")) == ["ok", "ok"]


def test_a_report_in_a_mail_that_cannot_be_read():
    assert found(samples.mail(b'{"policies": ')) == ["report-not-json"]
    assert found(samples.mail(b"what is this")) == ["report-unknown-format"]
    assert found(samples.mail(b"")) == ["report-empty"]


def test_no_mail_is_too_strange():
    deep = b"From: a@example.net\nMIME-Version: 1.0\n"
    for number in range(3000):
        deep += b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
    assert found(deep) in ([], ["report-too-deep"])
    parts = samples.mail().replace(b"--b1\n", b"--b1\nContent-Type: text/plain\n\na\n" * 2000, 1)
    assert found(parts) == ["report-too-many-parts"]
    names = samples.mail(**{"Content-Type": "multipart/mixed; boundary*0*=utf-8'b1; name*99=x"})
    assert found(names) == ["report-missing"]
    named = samples.mail().replace(b"gzip\n", b"gzip; name*0*=x'%ff'y; name*1=\xff; name*a=\n")
    assert found(named) == ["ok"]


@pytest.mark.parametrize(
    "parameters",
    ['a="' + ";x" * 500000, ';"' * 500000, "; a=b" * 500000]
    + ["".join(f"; a*{number}=b" for number in range(200000)), "a" * 5000000 + "!" * 500000],
)
def test_no_field_takes_hours(parameters):
    """package email alone would take them: its time grows with the square of a field's length."""
    field = f"multipart/mixed; {parameters}"
    assert found(samples.mail(**{"Content-Type": field})) == ["report-missing"]
    mail = samples.mail().replace(b"tlsrpt+gzip", b"tlsrpt+gzip; name=" + parameters.encode())
    assert found(mail) == ["ok"]


@pytest.mark.parametrize("parameters", ["a=" + "b" * 3000, "report-type*0*=x'%ff; report-type*1"])
def test_a_mail_whose_type_cannot_be_read_is_no_report(parameters):
    """package email iterates over what it takes for parameters: TypeError, found by the fuzzer."""
    mail = f"From: a@example.net\nContent-Type: text/plain; {parameters}\n\nLunch?\n"
    assert found(mail.encode("ascii")) == []


@pytest.mark.parametrize(
    "boundary",
    [b"boundary*=idna''b1", b"boundary*=undefined''b1", b"boundary*=a\0b''b1"]
    + [b"boundary=b1; boundary*=utf-8''b1; boundary*0=b1"],
)
def test_a_boundary_that_cannot_be_read_is_none(boundary):
    """package email raises what the encoding raises, or what it stumbles over itself."""
    field = b"multipart/report; report-type=tlsrpt; " + boundary
    mail = b"From: a@example.net\nContent-Type: " + field + b"\n\n--b1\n\n{}\n--b1--\n"
    assert found(mail) in (["report-missing"], [])


@pytest.mark.parametrize("encoding", ["\xff", "x-uuencode", "base64", "quoted-printable", "\0"])
@pytest.mark.parametrize("body", [b"begin 644 x\n#ab\n`\nend\n", b"A", b"=", b"AB=C", b"\xff"])
def test_a_transfer_encoding_that_cannot_be_undone(encoding, body):
    """Python 3.6 raises for letters that uuencode does not have, and for fields beyond ASCII."""
    head = f"From: a@example.net\nContent-Transfer-Encoding: {encoding}\n".encode("latin-1")
    (code,) = found(head + b"Content-Type: application/tlsrpt+json\n\n" + body)
    assert code in ("report-unknown-format", "report-empty")
    many = b"Content-Type: multipart/report; report-type=tlsrpt; boundary=b1\n\n--b1\n\n"
    (code,) = found(head + many + body)
    assert code == "report-missing"


def test_many_blank_lines_are_no_messages():
    """Each blank line of a message/delivery-status begins another one, for package email."""
    head = b"From: a@example.net\nContent-Type: message/delivery-status\n\n"
    assert found(head + b"\n" * 900000) == ["report-too-many-parts"]


def test_many_lines_in_many_parts_take_no_time():
    """package email compares each line with the boundaries of all parts that it may be in."""
    deep = b"From: a@example.net\nMIME-Version: 1.0\n"
    for number in range(100):
        deep += b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
    assert found(deep + b"\n" + b"\r" * 900000) == ["report-too-many-parts"]


@pytest.mark.parametrize("head", [b"From: a@example.net\n", b"From: a@example.net\n\n"])
def test_a_mail_of_millions_of_lines_takes_no_memory(head):
    """package email makes objects of them, which take fifty times their room."""
    data = gzip.compress(head + b"x:\n" * 3000000)
    assert found(data) == ["report-too-large"]
    assert peak(data) < 30 * MIB


MAIL = samples.mail()


@given(st.data())
def test_damaged_files_are_read_or_refused(data):
    whole = data.draw(
        st.sampled_from(
            [REPORT, gzip.compress(REPORT), samples.archive(("a", REPORT), ("b", REPORT)), MAIL]
        )
    )
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(whole)))
        end = start + data.draw(st.integers(0, 9))
        whole = whole[:start] + data.draw(st.binary(max_size=6)) + whole[end:]
    found(whole)


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x1f\x8b\x08", b"PK\x03\x04", b"From: a\n"]))
def test_any_bytes_are_read_or_refused(data, beginning):
    found(beginning + data)


def test_quoted_printable_and_long_lines():
    line = base64.b64encode(gzip.compress(REPORT)).decode("ascii")
    mail = samples.mail().decode("ascii")
    start = mail.index("base64\n\n") + len("base64\n\n")
    assert found((mail[:start] + line + "\n--b1--\n").encode("ascii")) == ["ok"]
