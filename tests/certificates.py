"""Certificates of which a test says how long they are valid, and who issued them."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
ALWAYS = (-1000, 1000)


class Issued:
    """A certificate and its key; `ends` are the days from now of its begin and its end.

    A name without a dot is that of a CA, its own `issuer` if there is no other. `alternatives` are
    the subjectAltNames of a server's certificate: `name` as a DNS-ID if nothing else is said.
    """

    def __init__(self, name, ends=ALWAYS, issuer=None, alternatives=None):
        self.key = ec.generate_private_key(ec.SECP256R1(), default_backend())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.issuer = issuer
        above = issuer or self
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        begin, end = (now + datetime.timedelta(days=days) for days in ends)
        is_ca = "." not in name
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(above.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()),
                critical=False,
            )
        )
        if is_ca:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            names = [x509.DNSName(name)] if alternatives is None else alternatives
            if names:
                builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(above.key, hashes.SHA256(), default_backend())
        self.pem = certificate.public_bytes(PEM)
        self.end = end

    def write(self, path):
        """Write the certificate, as what trusts it, to `path`."""
        with open(path, "wb") as file:
            file.write(self.pem)
        return path

    def configure(self, context, folder):
        """Let a server's `context` present it, and what is between it and its root."""
        key = self.key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain, above = key + self.pem, self.issuer
        while above and above.issuer:
            chain, above = chain + above.pem, above.issuer
        path = os.path.join(folder, "chain.pem")
        with open(path, "wb") as file:
            file.write(chain)
        context.load_cert_chain(path)
