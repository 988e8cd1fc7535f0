"""What a check sees of a real Postfix, and what Postfix thinks of such a visitor."""

import sys

import pytest
import trustme

from mtasts import smtp
from mtasts.errors import MtastsError
from rig.postfix import Postfix
from rig.process import run

MX = "mx.example.test"
OLD_TLS = {
    "smtpd_tls_protocols": "TLSv1.1",
    "smtpd_tls_ciphers": "low",
    "tls_low_cipherlist": "DEFAULT:@SECLEVEL=0",
}


@pytest.fixture
def postfix(tmp_path):
    """Postfix with a certificate for its name, not started yet."""
    postfix = Postfix(MX, str(tmp_path))
    yield postfix
    postfix.stop()


@pytest.fixture
def authority(tmp_path):
    """The CA that is trusted; ``root`` is its file."""
    ca = trustme.CA()
    ca.root = str(tmp_path / "root.pem")
    ca.cert_pem.write_to_path(ca.root)
    return ca


@pytest.fixture
def certified(authority, tmp_path):
    """The settings of a Postfix that offers STARTTLS with a certificate of that CA."""
    chain = str(tmp_path / "mx.pem")
    authority.issue_cert(MX).private_key_and_cert_chain_pem.write_to_path(chain)
    return {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": chain}


def test_postfix_shows_its_certificate_and_sees_a_polite_client(postfix, certified, authority):
    postfix.start(certified)
    found = smtp.look(MX, "127.0.0.1", authority.root)
    assert found.greeting.startswith(f"{MX} ESMTP Postfix")
    assert (found.tls.names, found.tls.untrusted, found.tls.version) == ((MX,), "", "TLSv1.3")
    assert postfix.said("ehlo=1 starttls=1 quit=1 commands=3")


def test_a_certificate_of_another_ca_is_seen_all_the_same(postfix, certified, tmp_path):
    other = str(tmp_path / "other.pem")
    trustme.CA().cert_pem.write_to_path(other)
    postfix.start(certified)
    found = smtp.look(MX, "127.0.0.1", other)
    assert found.tls.names == (MX,)
    assert found.tls.untrusted == "its issuer is neither sent along nor trusted"


def test_postfix_without_tls_offers_none(postfix):
    postfix.start({"smtpd_tls_security_level": "none"})
    assert smtp.look(MX, "127.0.0.1").tls is None
    assert postfix.said("ehlo=1 quit=1 commands=2")


def test_postfix_that_cannot_read_its_roots_offers_tls_and_refuses_it(postfix, certified):
    postfix.start(dict(certified, smtpd_tls_CAfile="/nowhere.pem"))
    found = smtp.look(MX, "127.0.0.1")
    assert found.tls.code == "starttls-refused"
    assert "454 4.7.0" in found.tls.message


def test_postfix_that_cannot_read_its_key_fails_in_the_handshake(postfix, certified):
    postfix.start(dict(certified, smtpd_tls_chain_files="/nowhere.pem"))
    assert smtp.look(MX, "127.0.0.1").tls.code == "tls-handshake-failed"


def test_postfix_that_speaks_only_old_tls_is_told_apart(postfix, certified, authority):
    postfix.start(dict(certified, **OLD_TLS))
    assert smtp.look(MX, "127.0.0.1", authority.root).tls.code == "tls-version-unsupported"


def test_postfix_that_does_not_like_this_machine_says_so(postfix):
    postfix.start({"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject"})
    with pytest.raises(MtastsError) as caught:
        smtp.look(MX, "127.0.0.1")
    assert caught.value.code == "smtp-refused"
    assert "554 5.7.1" in caught.value.message


@pytest.fixture
def machine_roots():
    """The file of the machine's trusted roots, put back at the end."""
    path = "/etc/ssl/certs/ca-certificates.crt"
    with open(path, "rb") as file:
        kept = file.read()
    yield path
    with open(path, "wb") as file:
        file.write(kept)


def test_the_machines_roots_are_trusted_also_by_an_openssl_that_pip_brought(
    postfix, certified, authority, machine_roots
):
    postfix.start(certified)
    # In a process of its own, because the roots are read once.
    code = f"from mtasts import smtp; print([smtp.look('{MX}', '127.0.0.1').tls.untrusted])"
    refused = run(sys.executable, "-c", code)
    authority.cert_pem.write_to_path(machine_roots, append=True)
    assert refused.output == "['its issuer is neither sent along nor trusted']\n"
    assert run(sys.executable, "-c", code).output == "['']\n"
