"""Looking at MX hosts that do what MX hosts on the Internet do."""

import contextlib
import socket

import pytest

import https_server
import smtp_server
import tcp_server
from certificates import Issued
from mtasts import smtp
from mtasts.errors import MtastsError
from smtp_server import GOOD, NO_STARTTLS

MX = "mx.example.org"
ROOT = Issued("root")


@pytest.fixture
def root(tmp_path):
    return ROOT.write(str(tmp_path / "root.pem"))


@pytest.fixture
def context(tmp_path):
    return https_server.context(Issued(MX, issuer=ROOT), str(tmp_path))


def looked_at(behaviour, context, root):
    with smtp_server.running(behaviour, context) as server:
        return smtp.look(MX, "127.0.0.1", root, server.port), server.commands


def refused(behaviour, context, root):
    """The code of the error with which looking at such a server ends."""
    with pytest.raises(MtastsError) as caught:
        looked_at(behaviour, context, root)
    assert f"{MX} at 127.0.0.1 port" in caught.value.message
    assert caught.value.message.isprintable()
    return caught.value.code


def test_a_server_shows_its_certificate_within_starttls(context, root):
    found, commands = looked_at(GOOD, https_server.only_for(context, MX), root)
    assert found.greeting == "mx.example.org ESMTP"
    assert (found.tls.names, found.tls.untrusted) == ((MX,), "")
    (ehlo, _), *others = commands
    assert ehlo.startswith("EHLO ")
    assert others == [("STARTTLS", False), ("QUIT", True)]


def test_a_server_without_starttls_is_left_in_peace(root):
    found, commands = looked_at(NO_STARTTLS, None, root)
    assert found.tls is None
    assert commands[-1] == ("QUIT", False)


def test_a_server_older_than_extensions_offers_no_starttls(root):
    assert looked_at(GOOD._replace(ehlo=b"502 5.5.1 Error\r\n"), None, root)[0].tls is None


@pytest.mark.parametrize(
    "ehlo",
    [b"250-mx.example.org\r\n250-starttls\r\n250 DSN\r\n", b"250-x\n250 STARTTLS\n"],
    ids=["lower case", "bare line feeds"],
)
def test_starttls_is_found_as_others_write_it(context, root, ehlo):
    assert looked_at(GOOD._replace(ehlo=ehlo), context, root)[0].tls.names == (MX,)


@pytest.mark.parametrize(
    "ehlo",
    [b"250 STARTTLS\r\n", b"250-x\r\n250 XSTARTTLS\r\n", b"250-x\r\n250 AUTH STARTTLS\r\n"],
    ids=["the server's name", "another keyword", "a parameter"],
)
def test_what_only_looks_like_starttls_is_not_offered(root, ehlo):
    assert looked_at(GOOD._replace(ehlo=ehlo), None, root)[0].tls is None


def test_a_greeting_has_as_many_lines_as_it_likes(context, root):
    greeting = b"220-mx.example.org ESMTP\r\n220-No spam\r\n220 \r\n"
    found, _ = looked_at(GOOD._replace(greeting=greeting), context, root)
    assert (found.greeting, found.tls.names) == ("mx.example.org ESMTP", (MX,))


def test_a_late_greeting_is_waited_for(context, root):
    found, _ = looked_at(GOOD._replace(delay=0.3), context, root)
    assert found.tls.names == (MX,)
    assert found.seconds >= 0.3


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (b"554 5.7.1 Go away\r\n", "smtp-refused"),
        (b"554-5.7.1 You are\r\n554 listed\x1b[2J\r\n", "smtp-refused"),
        (b"421 4.3.2 Too busy\r\n", "smtp-refused-for-now"),
        (b"250 OK\r\n", "smtp-answer-broken"),
        (b"SSH-2.0-x\r\n", "smtp-answer-broken"),
        (b"* OK IMAP \x1b[2J\r\n", "smtp-answer-broken"),
        (b"2200 x\r\n", "smtp-answer-broken"),
        (b"\r\n", "smtp-answer-broken"),
        (b"220 " + b"x" * 100000, "smtp-answer-broken"),
        (b"220 " + b"x" * 10000 + b"\r\n", "smtp-answer-broken"),
        (b"220-x\r\n" * 1000, "smtp-answer-broken"),
        (b"", "connection-closed"),
    ],
)
def test_a_server_that_does_not_greet_is_an_error_that_says_how(root, greeting, code):
    assert refused(GOOD._replace(greeting=greeting), None, root) == code


@pytest.mark.parametrize(
    ("ehlo", "code"),
    [
        (b"550 5.7.1 Your address is listed\r\n", "smtp-refused"),
        (b"451 4.7.1 Come later\r\n", "smtp-refused-for-now"),
        (b"250-x\r\n550 y\x00\r\n", "smtp-refused"),
        (b"", "connection-closed"),
    ],
)
def test_a_server_that_does_not_talk_to_us_is_an_error(root, ehlo, code):
    assert refused(GOOD._replace(ehlo=ehlo), None, root) == code


@pytest.mark.parametrize(
    ("starttls", "code"),
    [
        (b"454 4.7.0 TLS not available due to local problem\r\n", "starttls-refused"),
        (b"501 5.5.4 x\r\n", "starttls-refused"),
        (b"", "connection-closed"),
        (b"!\r\n", "smtp-answer-broken"),
        (b"220 go\r\n250-mx.example.org\r\n250 AUTH PLAIN\r\n", "starttls-injection"),
    ],
)
def test_what_fails_after_starttls_was_offered_is_the_servers_tls(context, root, starttls, code):
    found, commands = looked_at(GOOD._replace(starttls=starttls), context, root)
    assert found.tls.code == code
    assert ("QUIT", True) not in commands


def test_no_octets_of_plain_text_are_taken_for_text_within_tls(context, root):
    """Injected while the client already is in its handshake, where no one looks for it."""

    def serve(connection):
        connection.sendall(GOOD.greeting)
        connection.recv(100)
        connection.sendall(GOOD.ehlo)
        connection.recv(100)
        connection.sendall(GOOD.starttls)
        connection.recv(10)  # the ClientHello has begun
        connection.sendall(b"221 2.0.0 Bye\r\n")
        connection.recv(1)

    with tcp_server.running(serve) as port:
        found = smtp.look(MX, "127.0.0.1", root, port)
    assert found.tls.code == "tls-handshake-failed"


@pytest.mark.parametrize("name", ["mail.example.net", "*.org", "*.mx.example.org"])
def test_a_certificate_of_another_name_is_seen_all_the_same(tmp_path, root, name):
    other = https_server.context(Issued(name, (-90, -1), ROOT), str(tmp_path))
    found, _ = looked_at(GOOD, other, root)
    assert (found.tls.names, found.tls.untrusted) == ((name,), "")


def test_tls_that_does_not_come_about_is_the_servers_tls(tmp_path, context, root):
    old = https_server.only_tls_1_1(Issued(MX, issuer=ROOT), str(tmp_path))
    assert looked_at(GOOD, old, root)[0].tls.code == "tls-version-unsupported"
    choosy = https_server.only_for(context, "mail.example.net")
    assert looked_at(GOOD, choosy, root)[0].tls.code == "tls-unrecognized-name"


def test_one_bad_address_of_several_does_not_spoil_the_others(context, root):
    with smtp_server.running(GOOD, context) as server:
        with pytest.raises(MtastsError) as caught:
            smtp.look(MX, "127.0.0.2", root, server.port)
        assert caught.value.code == "connect-refused"
        assert "127.0.0.2" in caught.value.message
        assert smtp.look(MX, "127.0.0.1", root, server.port).tls.names == (MX,)


def test_a_greeting_that_does_not_come_is_not_waited_for_for_ever(root, monkeypatch):
    monkeypatch.setattr(smtp, "GREETING_SECONDS", 0.3)
    with tcp_server.running(lambda plain: plain.recv(1)) as port:
        with pytest.raises(MtastsError) as caught:
            smtp.look(MX, "127.0.0.1", root, port)
        assert caught.value.code == "connection-timeout"


HALF = b"250-half a reply\r\n"


def test_a_server_that_falls_silent_is_not_waited_for_for_ever(root, monkeypatch):
    monkeypatch.setattr(smtp, "DIALOGUE_SECONDS", 0.3)
    assert refused(GOOD._replace(ehlo=HALF), None, root) == "connection-timeout"


def test_a_server_that_falls_silent_after_starttls_has_been_seen_all_the_same(root, monkeypatch):
    for seconds in (0.3, 3, 30):  # a busy machine may need longer to come to STARTTLS
        monkeypatch.setattr(smtp, "DIALOGUE_SECONDS", seconds)
        with contextlib.suppress(MtastsError):
            found, _ = looked_at(GOOD._replace(starttls=HALF), None, root)
            break
    assert found.tls.code == "connection-timeout"


@pytest.mark.parametrize("quit_reply", [b"", b"!\r\n", b"500 No\r\n", b"221-and so on\r\n"])
def test_how_a_server_takes_leave_does_not_matter(context, root, monkeypatch, quit_reply):
    monkeypatch.setattr(smtp, "_QUIT_SECONDS", 0.3)
    assert looked_at(GOOD._replace(quit=quit_reply), context, root)[0].tls.names == (MX,)


def test_a_bad_ca_file_is_the_callers_error(tmp_path):
    with pytest.raises(MtastsError) as caught:
        smtp.look(MX, "127.0.0.1", str(tmp_path / "none.pem"), 1)
    assert caught.value.code == "ca-file-unusable"


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1", "[127.0.0.1]"), ("::1", "[IPv6:::1]")],
)
def test_a_machine_without_a_name_says_its_address(root, monkeypatch, address, said):
    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    if address == "::1" and not _has_ipv6():
        pytest.skip("this machine has no ::1")
    with smtp_server.running(NO_STARTTLS, None, address) as server:
        smtp.look(MX, address, root, server.port)
    assert server.commands[0] == ("EHLO " + said, False)


def test_a_machine_with_a_name_says_it(root, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Check.Example.NET")
    _, commands = looked_at(NO_STARTTLS, None, root)
    assert commands[0] == ("EHLO check.example.net", False)


def _has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True
