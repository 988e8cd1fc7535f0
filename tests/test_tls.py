"""What one handshake shows of servers whose certificates and TLS are wrong in every way."""

import collections
import datetime
import ipaddress
import os
import ssl
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.backends import default_backend

import https_server
import tcp_server
from certificates import Issued
from mtasts import at_once, tls
from mtasts.connection import Connection
from mtasts.errors import MtastsError

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOST = "mta-sts.example.org"
ROOT = Issued("root")
BETWEEN = Issued("between", issuer=ROOT)


@pytest.fixture
def root(tmp_path):
    return ROOT.write(str(tmp_path / "root.pem"))


def shown(context, root):
    """What a server with this context shows to one that trusts `root`."""
    with serving(context) as port:
        return handshake(port, root)


def serving(context):
    """A server with this context that waits until its client has gone; yields the port."""

    def serve(plain):
        with context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(1)

    return tcp_server.running(serve)


def handshake(port, root, seconds=10):
    with Connection(HOST, "127.0.0.1", port, seconds) as below:
        return tls.TLSConnection(below, HOST, tls.trust(root)).handshake


def der(issued):
    return ssl.PEM_cert_to_DER_cert(issued.pem.decode())


def presented(issued, folder, root):
    return shown(https_server.context(issued, str(folder)), root)


def test_a_handshake_shows_version_names_dates_and_chain(tmp_path, root):
    found = presented(Issued(HOST, (-30, 60), BETWEEN), tmp_path, root)
    assert found.version in ("TLSv1.2", "TLSv1.3")
    assert (found.names, found.untrusted) == ((HOST,), "")
    assert (found.end - found.begin).days == 90
    assert found.end.tzinfo == datetime.timezone.utc
    assert len(found.chain) == 2
    assert found.chain[1] == der(BETWEEN)


@pytest.mark.parametrize("ends", [(-90, -1), (1, 90)], ids=["expired", "not yet valid"])
def test_dates_of_the_certificate_itself_are_no_matter_of_trust(tmp_path, root, ends):
    issued = Issued(HOST, ends, BETWEEN)
    found = presented(issued, tmp_path, root)
    assert (found.end, found.untrusted) == (issued.end, "")


@pytest.mark.parametrize(
    ("issued", "reason"),
    [
        (Issued(HOST), "it is signed by itself"),
        (Issued(HOST, (-90, -1)), "it is signed by itself"),
        (Issued(HOST, issuer=Issued("other")), "its issuer is neither sent along nor trusted"),
        (
            Issued(HOST, issuer=Issued("between", (-90, -1), ROOT)),
            "a certificate above it has expired",
        ),
        (
            Issued(HOST, (-90, -1), Issued("between", (1, 90), ROOT)),
            "a certificate above it is not valid yet",
        ),
    ],
    ids=["self-signed", "and expired", "unknown CA", "expired CA", "CA of tomorrow"],
)
def test_a_chain_without_trust_says_why(tmp_path, root, issued, reason):
    assert presented(issued, tmp_path, root).untrusted == reason


def test_a_certificate_sent_without_the_one_between_is_not_trusted(tmp_path, root):
    issued = Issued(HOST, issuer=BETWEEN)
    issued.issuer = None  # so that it alone is sent
    found = presented(issued, tmp_path, root)
    assert (len(found.chain), found.names) == (1, (HOST,))
    assert found.untrusted == "its issuer is neither sent along nor trusted"


def test_an_expired_root_is_not_trusted(tmp_path):
    old = Issued("old", (-90, -1))
    root = old.write(str(tmp_path / "old.pem"))
    found = presented(Issued(HOST, issuer=old), tmp_path, root)
    assert found.untrusted == "a certificate above it has expired"


def test_a_server_that_sends_its_untrusted_root_is_not_trusted(tmp_path, root):
    other = Issued("other")
    again = Issued("other", issuer=other)
    again.pem, again.key = other.pem, other.key
    found = presented(Issued(HOST, issuer=again), tmp_path, root)
    assert len(found.chain) == 2
    assert found.untrusted == "its chain ends at a root that is not trusted"


def dns(*names):
    return [x509.DNSName(name) for name in names]


@pytest.mark.parametrize(
    ("alternatives", "names"),
    [
        ([], ()),
        (dns("*.org", "A.Example.NET"), ("*.org", "a.example.net")),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], ()),
        ([x509.UniformResourceIdentifier("https://x"), *dns(HOST)], (HOST,)),
        (dns(HOST + "\0.example.net", "\x1b[2J", ""), (HOST + "\0.example.net", "\x1b[2j", "")),
        (dns(*(f"{number}.example.org" for number in range(2000))), None),
    ],
    ids=["common name only", "wildcard", "address", "others, too", "hostile", "very many"],
)
def test_names_are_the_dns_ids_and_nothing_else(tmp_path, root, alternatives, names):
    found = presented(Issued(HOST, issuer=ROOT, alternatives=alternatives), tmp_path, root)
    if names is None:
        assert len(found.names) == len(alternatives)
    else:
        assert found.names == names


@pytest.mark.parametrize(("between", "untrusted"), [(100, ""), (110, "its chain is too long")])
def test_a_chain_of_a_hundred_certificates_is_read_to_its_end(tmp_path, root, between, untrusted):
    above = ROOT
    for number in range(between):
        above = Issued(f"between{number}", issuer=above)
    found = presented(Issued(HOST, issuer=above), tmp_path, root)
    assert len(found.chain) == 1 + between
    assert found.untrusted == untrusted


def altered(issued, old, new):
    """The same certificate with other octets in it; that its signature is wrong is no matter."""
    issued.pem = ssl.DER_cert_to_PEM_cert(der(issued).replace(old, new)).encode()
    return issued


def test_a_certificate_that_cannot_be_read_is_an_error(tmp_path, root):
    name = b"\x82" + bytes([len(HOST)]) + HOST.encode()  # [2] dNSName of RFC 5280
    broken = altered(Issued(HOST), name, name[:-1] + b"\xff")  # no IA5String
    context = https_server.context(broken, str(tmp_path))
    assert failure(context, root) == "certificate-unreadable"


def test_an_odd_certificate_says_nothing_on_standard_error(tmp_path, root):
    odd = Issued(HOST)
    serial = x509.load_pem_x509_certificate(odd.pem, default_backend()).serial_number
    octets = serial.to_bytes(20, "big").lstrip(b"\0")
    odd = altered(odd, octets, b"\x80" + octets[1:])  # negative
    code = (
        "import sys; from mtasts import tls; from mtasts.connection import Connection\n"
        "with Connection('x', '127.0.0.1', int(sys.argv[1]), 10) as below:\n"
        "    print(tls.TLSConnection(below, 'x', tls.trust(None)).handshake.names)"
    )
    context = https_server.context(odd, str(tmp_path))
    with serving(context) as port:
        done = run(code, str(port))
    assert (done.stdout, done.stderr) == (f"('{HOST}',)\n", "")


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    )


def test_without_pyopenssl_there_is_an_error_that_says_so():
    code = (
        "import sys; sys.modules['OpenSSL'] = None; from mtasts import errors, https, smtp, tls\n"
        "try: tls.trust(None)\n"
        "except errors.MtastsError as error: print(error.code)"
    )
    assert run(code).stdout == "tls-library-missing\n"


def test_where_memory_is_not_both_written_to_and_executed_there_is_an_error_that_says_so():
    """As by MemoryDenyWriteExecute= of systemd, and by SELinux."""
    code = """
import ctypes, sys
from mtasts import errors, tls
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(print("cannot"))
try:
    tls.trust(None)
except errors.MtastsError as error:
    print(error.code)
"""
    said = run(code).stdout
    if said == "cannot\n":
        pytest.skip("Linux before 6.3 cannot forbid it")
    assert said in ("tls-library-forbidden\n", "")  # a newer libffi needs no such memory


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_without_roots_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MtastsError) as caught:
        tls.trust(str(path))
    assert caught.value.code == "ca-file-unusable"
    assert "roots.pem" in caught.value.message


def test_many_at_once_do_not_mix_their_verdicts(tmp_path, root):
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    own = https_server.context(Issued(HOST, issuer=BETWEEN), str(tmp_path / "own"))
    other = https_server.context(Issued("mx.example.org"), str(tmp_path / "other"))
    with serving(own) as trusted, serving(other) as untrusted:
        found = list(at_once.results(lambda port: handshake(port, root), [trusted, untrusted] * 40))
    verdicts = collections.Counter((one.names[0], one.untrusted) for one in found)
    assert verdicts == {(HOST, ""): 40, ("mx.example.org", "it is signed by itself"): 40}


def failure(context, root):
    with pytest.raises(MtastsError) as caught:
        shown(context, root)
    assert f"{HOST} at 127.0.0.1 port" in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.remedy
    return caught.value.code


def test_tls_1_1_is_no_tls(tmp_path, root):
    context = https_server.only_tls_1_1(Issued(HOST, issuer=ROOT), str(tmp_path))
    assert failure(context, root) == "tls-version-unsupported"


def test_the_alert_unrecognized_name_is_told_apart(tmp_path, root):
    context = https_server.context(Issued(HOST, issuer=ROOT), str(tmp_path))
    https_server.only_for(context, "mx.example.org")
    assert failure(context, root) == "tls-unrecognized-name"


def test_a_server_that_refuses_otherwise_is_an_error(tmp_path, root):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # without a certificate
    assert failure(context, root) == "tls-handshake-failed"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"220 mx.example.org ESMTP\r\n", "tls-handshake-failed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls-handshake-failed"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls-handshake-failed"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "tls-version-unsupported"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "tls-unrecognized-name"),
        (b"\x16\x03\x03\xff\xff" + b"x" * 65535, "tls-handshake-failed"),
        (b"", "connection-closed"),
        (b"\x16\x03\x03\x00\x40", "connection-closed"),
    ],
    ids=["SMTP", "HTTP", "alert 40", "alert 70", "alert 112", "too large", "hangs up", "half"],
)
def test_what_is_no_tls_is_an_error_that_says_how(root, said, code):
    def serve(plain):
        plain.recv(4096)
        plain.sendall(said)

    with tcp_server.running(serve) as port, pytest.raises(MtastsError) as caught:
        handshake(port, root)
    assert caught.value.code == code
    assert f"{HOST} at 127.0.0.1 port {port}" in caught.value.message


def test_a_server_that_does_not_shake_hands_is_left_when_time_is_over(root):
    with tcp_server.running(lambda plain: plain.recv(4096) and plain.recv(1)) as port:
        with pytest.raises(MtastsError) as caught:
            handshake(port, root, 0.3)
        assert caught.value.code == "connection-timeout"


def test_tls_that_breaks_off_later_is_an_error(tmp_path, root):
    context = https_server.context(Issued(HOST, issuer=ROOT), str(tmp_path))

    def serve(plain):
        with context.wrap_socket(plain, server_side=True) as secured:
            os.write(secured.fileno(), b"plain text\r\n")
            secured.recv(1)

    with tcp_server.running(serve) as port, Connection(HOST, "127.0.0.1", port, 10) as below:
        secured = tls.TLSConnection(below, HOST, tls.trust(root))
        with pytest.raises(MtastsError) as caught:
            secured.receive()
        assert caught.value.code == "tls-broken"
