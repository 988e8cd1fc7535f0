"""What is to be read in a certificate, a stranger's (RFC 5280): octets in DER in, values out.

Names and dates are read by cryptography. certbot brings it; where it is missing, there is no TLS of
ours (`mtasts.tls`) that could show a certificate either.
"""

import datetime
import functools
import warnings
from typing import Any, List, NamedTuple, Tuple

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.backends import default_backend
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
except ImportError:
    x509 = None

# It warns of what is odd in a certificate, for which nobody here is to blame.
warnings.filterwarnings("ignore", module=r"mtasts\.certificate\Z")

_UTC = datetime.timezone.utc
_VERSION = 0xA0  # the tag of TBSCertificate's first field, which old certificates do not have
_BEFORE_KEY = 5  # the fields between it and subjectPublicKeyInfo (RFC 5280 section 4.1)


class Unreadable(ValueError):
    """The octets are no certificate, or hold something that no certificate should."""


class Certificate(NamedTuple):
    """The DNS-IDs of a certificate (RFC 9525 section 2), and from when until when it is valid.

    A name is lower-case ASCII; what is not ASCII, and so names nothing, is escaped.
    """

    names: Tuple[str, ...]
    begin: datetime.datetime
    end: datetime.datetime


class _Element(NamedTuple):
    tag: int
    octets: bytes
    contents: bytes


@functools.lru_cache(maxsize=256)  # many domains have one certificate, and who looks, looks twice
def read(der: bytes) -> Certificate:
    """Names and dates of a certificate; raises `Unreadable`."""
    try:
        certificate = x509.load_der_x509_certificate(der, default_backend())
        return Certificate(_dns_ids(certificate), *_dates(certificate))
    except Exception as error:  # as many kinds as a stranger's octets have ways to be wrong
        raise Unreadable(str(error)) from error


def public_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate; b"" if there is none.

    It is cut out, not read and written anew: those who publish its digest saw these octets.
    """
    try:
        to_be_signed = _elements(_elements(der)[0].contents)[0]
        fields = _elements(to_be_signed.contents)
        return fields[_BEFORE_KEY + (fields[0].tag == _VERSION)].octets
    except IndexError:
        return b""


def is_issued_by(der: bytes, issuer_der: bytes) -> bool:
    """Whether a certificate names another one's subject as its issuer, and is signed by its key.

    Signatures by RSA (PKCS #1 v1.5) and ECDSA; others only if cryptography is 40 or newer.
    """
    try:
        certificate, issuer = (
            x509.load_der_x509_certificate(one, default_backend()) for one in (der, issuer_der)
        )
        if certificate.issuer != issuer.subject:
            return False
        if hasattr(certificate, "verify_directly_issued_by"):
            certificate.verify_directly_issued_by(issuer)
        else:
            _verify(certificate, issuer.public_key())
    except Exception:  # a wrong signature, and whatever `read` would not take either
        return False
    return True


def is_ca(der: bytes) -> bool:
    """Whether a certificate says that it may issue others (RFC 5280 section 6.1.4, k and n).

    One that has neither of the extensions for that does not: OpenSSL, by which senders go, takes
    it only if it is of version 1 and signs itself.
    """
    try:
        certificate = x509.load_der_x509_certificate(der, default_backend())
        may_sign = _extension(certificate, x509.KeyUsage)
        constraints = _extension(certificate, x509.BasicConstraints)
    except Exception:  # whatever `read` would not take either
        return False
    if may_sign and not may_sign.key_cert_sign:
        return False
    if constraints:
        return bool(constraints.ca)
    is_old = certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject
    return bool(may_sign) or is_old


def _extension(certificate: Any, kind: Any) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _verify(certificate: Any, key: Any) -> None:
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    digest = certificate.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(digest))
    else:
        raise UnsupportedAlgorithm(type(key).__name__)


def _dns_ids(certificate: Any) -> Tuple[str, ...]:
    alternatives = _extension(certificate, x509.SubjectAlternativeName)
    names: List[str] = alternatives.get_values_for_type(x509.DNSName) if alternatives else []
    return tuple(name.encode("ascii", "backslashreplace").decode("ascii").lower() for name in names)


def _dates(certificate: Any) -> Tuple[datetime.datetime, datetime.datetime]:
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # cryptography before 42, as Ubuntu 18.04 has it
    begin, end = certificate.not_valid_before, certificate.not_valid_after
    return begin.replace(tzinfo=_UTC), end.replace(tzinfo=_UTC)


def _elements(der: bytes) -> List[_Element]:
    """The elements of DER (X.690), one after the other; raises IndexError for half a one."""
    found = []
    while der:
        tag, length, start = der[0], der[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[2:start], "big")
        end = start + length
        found.append(_Element(tag, der[:end], der[start:end]))
        der = der[end:]
    return found
