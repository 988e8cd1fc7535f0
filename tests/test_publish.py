"""What publishing stands on: its settings, what it notes, what name servers say."""

import contextlib
import datetime
import os
import socket
import subprocess
import sys
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from mtasts import authority, dns_settings, publications
from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.policy import names_bytes, policy_id
from mtasts.policy_file import StoreError
from mtasts.publications import Publication
from mtasts.store import Store

ORG = Domain("example.org")
POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 86401\r\n"
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
OWNER = "_mta-sts.example.org"


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "policies"
    root.mkdir()
    return Store(str(root))


@pytest.fixture
def settings(tmp_path):
    """Write dns.ini and a secret beside it, then read it; {dir} stands for their directory."""

    def load(text, content="c2VjcmV0\n", mode=0o600, ini_mode=0o644):
        (tmp_path / "secret").write_text(content)
        (tmp_path / "secret").chmod(mode)
        (tmp_path / "dns.ini").write_text(text.format(dir=tmp_path))
        (tmp_path / "dns.ini").chmod(ini_mode)
        return dns_settings.load(str(tmp_path / "dns.ini"))

    return load


PRIMARY = """
[example.org]
server = [2001:db8::53]:5353
key = mtasts
algorithm = hmac-sha256
secret-file = {dir}/secret
"""


def test_the_longest_zone_counts(settings):
    zones = settings(PRIMARY + PRIMARY.replace("[ex", "[sub.ex") + PRIMARY.replace("[ex", "[ob.ex"))
    expected = dns_settings.Primary("2001:db8::53", 5353, "mtasts", "hmac-sha256", "c2VjcmV0", 3600)
    assert zones.find(OWNER) == ("example.org", expected)
    assert zones.find("_mta-sts.sub.example.org") == ("sub.example.org", expected)
    assert zones.find("_mta-sts.sub.sub.example.org")[0] == "sub.example.org"
    assert zones.find("_mta-sts.xsub.example.org")[0] == "example.org"
    assert zones.find("_mta-sts.example.net") == (None, None)


def test_one_section_can_be_for_all_other_zones(settings):
    zones = settings(PRIMARY.replace("example.org", "*") + "ttl = 60\n" + PRIMARY)
    assert zones.find(OWNER)[1].ttl == 3600
    assert zones.find("_mta-sts.example.net")[0] is None
    assert zones.find("_mta-sts.example.net")[1].ttl == 60


def test_a_provider_has_options_and_secrets_in_files(settings):
    text = "[example.org]\nprovider = digitalocean\nauth_token-file = {dir}/secret\n"
    expected = dns_settings.Provider("digitalocean", (("auth_token", "c2VjcmV0"),), 3600)
    assert settings(text).find(OWNER) == ("example.org", expected)
    _, found = settings(text + "auth_user = me\n", ini_mode=0o600).find(OWNER)
    assert dict(found.options) == {"auth_token": "c2VjcmV0", "auth_user": "me"}


@pytest.mark.parametrize(
    ("text", "files", "code"),
    [
        ("server = 192.0.2.1", {}, "dns-settings-invalid"),
        ("[a b]", {}, "dns-settings-invalid"),
        ("[example.org]\nserver = 192.0.2.1", {}, "dns-settings-invalid"),
        ("[example.org]\nprovider =", {}, "dns-settings-invalid"),
        (PRIMARY + "secret = x", {}, "dns-settings-invalid"),
        (PRIMARY + "ttl = soon", {}, "dns-settings-invalid"),
        (PRIMARY + PRIMARY, {}, "dns-settings-invalid"),
        (PRIMARY.replace("sha256", "sha3"), {}, "dns-settings-invalid"),
        (PRIMARY.replace("[2001:db8::53]", "ns1"), {}, "dns-settings-invalid"),
        (PRIMARY.replace("/secret", "/missing"), {}, "secret-unreadable"),
        (PRIMARY, {"mode": 0o644}, "secret-world-readable"),
        (PRIMARY, {"mode": 0o602}, "secret-world-readable"),
        (PRIMARY, {"content": "not base64!"}, "tsig-key-invalid"),
        (PRIMARY, {"content": "c" * 5000}, "secret-unreadable"),
        (PRIMARY, {"content": ""}, "secret-unreadable"),
        (PRIMARY.replace("= mtasts", "= k\u00e9y"), {}, "tsig-key-invalid"),
        (PRIMARY, {"content": "\u00e9"}, "secret-unreadable"),
        ("[example.org]\nprovider = x\nauth_token = y", {}, "secret-world-readable"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(settings, text, files, code):
    with pytest.raises(dns_settings.InvalidSettings) as caught:
        settings(text, **files)
    assert caught.value.code == code
    assert os.sep in caught.value.message
    assert caught.value.message.isprintable()
    assert "c2VjcmV0" not in str(caught.value)


def test_settings_that_were_named_must_be_there(tmp_path):
    with pytest.raises(dns_settings.InvalidSettings) as caught:
        dns_settings.load(str(tmp_path / "missing"))
    assert caught.value.code == "dns-settings-invalid"


WITHOUT_DNSPYTHON = """
import sys
sys.modules["dns"] = None
from mtasts import dns_settings, dns_update, errors
try:
    dns_update.updater(dns_settings.load(sys.argv[1]), "_mta-sts.example.org")
except errors.MtastsError as error:
    print(error.code)
"""


def test_without_dnspython_nothing_can_be_changed(settings, tmp_path):
    settings(PRIMARY)
    command = [sys.executable, "-c", WITHOUT_DNSPYTHON, str(tmp_path / "dns.ini")]
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(command, cwd=top, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"dns-library-missing\n"


def test_publications_are_read_as_they_were_added(store):
    store.write(ORG, POLICY, NOW)
    store.alias(Domain("example.net"), ORG)
    ours = [
        Publication(ORG, "a1", NOW, POLICY),
        Publication(ORG, "a2", NOW, b"\x00\xff\r\n\xe2\x80\xa8"),
    ]
    theirs = Publication(Domain("example.net"), "a1", NOW, POLICY)
    for one in (ours[0], theirs, ours[1]):
        publications.add(store.root, one)
    assert publications.read(store.root, ORG) == ours
    assert publications.read(store.root, Domain("example.net")) == [theirs]
    assert publications.read(store.root, Domain("example.com")) == []


def test_each_entry_of_a_history_has_its_own_publication():
    hour = datetime.timedelta(hours=1)
    other = POLICY.replace(b"testing", b"enforce")
    texts = [POLICY, other, POLICY, other]
    entries = [HistoryEntry.of(data, NOW + n * hour) for n, data in enumerate(texts)]
    past = [
        Publication(ORG, entries[1].id, NOW + 1.5 * hour, other),
        Publication(ORG, entries[1].id, NOW + 1.7 * hour, other),
        Publication(ORG, entries[0].id, NOW + 2.5 * hour, POLICY),  # names these bytes as well
    ]
    times = publications.first_times(entries, past)
    assert times == [None, NOW + 1.5 * hour, NOW + 2.5 * hour, None]
    assert publications.first_times([], past) == []


@pytest.mark.parametrize("line", ["{", "[]", "5", '{"domain": "example.org"}', "\u00e9"])
def test_a_damaged_line_is_named_and_nothing_is_written(store, line):
    store.write(ORG, POLICY, NOW)
    publications.add(store.root, Publication(ORG, "a1", NOW, POLICY))
    path = os.path.join(store.root, ORG, "published.jsonl")
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(StoreError) as caught:
        publications.add(store.root, Publication(ORG, "a2", NOW, POLICY))
    assert caught.value.code == "publications-damaged"
    with open(path, "rb") as file:
        assert file.read() == before


def test_two_publications_at_once_are_both_kept(store):
    store.write(ORG, POLICY, NOW)
    entries = [Publication(ORG, f"a{number}", NOW, POLICY) for number in range(8)]
    threads = [threading.Thread(target=publications.add, args=(store.root, e)) for e in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(publications.read(store.root, ORG)) == entries


def test_an_adopted_id_is_that_of_the_policy_from_then_on(store):
    store.write(ORG, POLICY, NOW)
    later = NOW + datetime.timedelta(days=1)
    assert store.adopt(ORG, "20240101", later).id == "20240101"
    assert store.adopt(ORG, "20240101", later).first == later
    assert [entry.id for entry in store.history(ORG)] == [policy_id(POLICY, NOW), "20240101"]
    assert store.current(ORG).id == "20240101"


def test_an_alias_adopts_nothing(store):
    store.write(ORG, POLICY, NOW)
    store.alias(Domain("example.net"), ORG)
    with pytest.raises(StoreError) as caught:
        store.adopt(Domain("example.net"), "20240101", NOW)
    assert caught.value.code == "alias-not-writable"


def test_an_id_proves_which_bytes_it_names():
    assert names_bytes(policy_id(POLICY, NOW), POLICY)
    assert names_bytes(policy_id(POLICY, NOW + datetime.timedelta(days=9)), POLICY)
    assert not names_bytes(policy_id(POLICY, NOW), POLICY + b"x")
    assert not names_bytes("x" + policy_id(POLICY, NOW)[1:], POLICY)
    assert not names_bytes(policy_id(POLICY, NOW) + "0", POLICY)


def _on_one_port():
    """A UDP and a TCP socket; a port that is free for one may be taken for the other."""
    while True:
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
            return udp, tcp
        except OSError:
            udp.close()
            tcp.close()


@contextlib.contextmanager
def name_server(respond):
    """A name server on loopback that says `respond(query, is_tcp)`, octets or None; its port."""
    udp, tcp = _on_one_port()
    tcp.listen(1)
    stopping = threading.Event()

    def serve_udp():
        with contextlib.suppress(OSError):
            while not stopping.is_set():
                wire, client = udp.recvfrom(65535)
                answer = respond(dns.message.from_wire(wire), False) if wire else None
                if answer is not None:
                    udp.sendto(answer, client)

    def serve_tcp():
        with contextlib.suppress(OSError):
            client, _ = tcp.accept()
            with client:
                wire = client.recv(65535)
                if not wire:  # only the end of the test
                    return
                answer = respond(dns.message.from_wire(wire[2:]), True)
                client.sendall(len(answer).to_bytes(2, "big") + answer)

    threads = [threading.Thread(target=work, daemon=True) for work in (serve_udp, serve_tcp)]
    for thread in threads:
        thread.start()
    yield udp.getsockname()[1]
    stopping.set()
    udp.sendto(b"", udp.getsockname())
    with contextlib.suppress(OSError):
        socket.create_connection(udp.getsockname(), 5).close()
    for thread in threads:
        thread.join(10)
    udp.close()
    tcp.close()


def asked(respond):
    with name_server(respond) as port:
        return authority.ask(authority.Server("ns.example.org", "127.0.0.1", port), OWNER)


def response(query, *records, code=dns.rcode.NOERROR, flags=dns.flags.AA):
    answer = dns.message.make_response(query)
    answer.set_rcode(code)
    answer.flags |= flags
    answer.answer += [dns.rrset.from_text(*record) for record in records]
    return answer.to_wire()


TXT = (OWNER + ".", 60, "IN", "TXT", '"v=STSv1; " "id=a;"', '"other"')


def test_a_server_is_asked_without_recursion_and_its_strings_are_kept():
    flags = []

    def respond(query, is_tcp):
        flags.append(query.flags & dns.flags.RD)
        return response(query, TXT)

    found = asked(respond)
    assert flags == [0]
    assert sorted(found.texts) == ["other", "v=STSv1; id=a;"]
    assert (b"v=STSv1; ", b"id=a;") in [record.strings for record in found.records]
    assert (found.ttl, found.alias) == (60, "")


def test_what_does_not_fit_comes_by_tcp():
    found = asked(
        lambda query, is_tcp: (
            response(query, TXT) if is_tcp else response(query, flags=dns.flags.AA | dns.flags.TC)
        )
    )
    assert len(found.texts) == 2


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], dns.rcode.NXDOMAIN),
        ([], dns.rcode.NOERROR),
        ([("other.example.org.", 60, "IN", "TXT", '"v=STSv1; id=a;"')], dns.rcode.NOERROR),
    ],
)
def test_no_record_is_an_answer(records, code):
    assert asked(lambda query, _: response(query, *records, code=code)) == authority.TXTSet()


def test_an_alias_is_not_followed():
    alias = (OWNER + ".", 60, "IN", "CNAME", "_MTA-STS.Example.NET.")
    target = ("_mta-sts.example.net.", 60, "IN", "TXT", '"v=STSv1; id=a;"')
    found = asked(lambda query, _: response(query, alias, target))
    assert found == authority.TXTSet(alias="_mta-sts.example.net")


@pytest.mark.parametrize(
    ("respond", "code"),
    [
        (lambda query, _: response(query, TXT, flags=0), "dns-server-lame"),
        (lambda query, _: response(query, code=dns.rcode.SERVFAIL), "dns-server-refused"),
        (lambda query, _: response(query, TXT)[:-4], "dns-answer-broken"),
        (lambda query, _: query.to_wire()[:2] + b"\x80", "dns-answer-broken"),
    ],
    ids=["lame", "servfail", "cut", "header cut"],
)
def test_no_answer_is_an_error_that_names_the_server(respond, code):
    with pytest.raises(authority.ServerFailed) as caught:
        asked(respond)
    assert caught.value.code == code
    assert "ns.example.org (127.0.0.1 port " in caught.value.message


def test_a_server_without_address_cannot_be_asked():
    with pytest.raises(authority.ServerFailed) as caught:
        authority.ask(authority.Server("ns.example.org", ""), OWNER)
    assert caught.value.code == "dns-server-without-address"
