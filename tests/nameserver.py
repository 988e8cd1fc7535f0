"""A name server on loopback that answers from a table: DNS is an edge, so it is faked.

    {"example.org": ["10 mx1.example.org"], "example.net": ["0 ."], "example.com": None,
     "_mta-sts.example.org": ["v=STSv1; id=1;"], "mta-sts.example.org": ["127.0.0.1"],
     "mx1.example.org": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
     "mx2.example.org": {"CNAME": ["mx1.example.org."]}}

The records in a list are TXT at names that begin with '_', A at those of policy hosts, MX at
others; a dictionary has them by type, as in a zone file. None fails (SERVFAIL), be it for a name or
for a type; what is not in the table does not exist (NXDOMAIN).

As a resolver (asked with RD) it follows aliases; as an authoritative server it does not.
"""

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

# A signature is what a resolver passes on; what is in it is nothing that we look at.
RRSIG = "TXT 8 2 60 20300101000000 20200101000000 1 example.org. AAAA"


def _records(name, listed):
    """What the table has at a name, by type, in the text of a zone file."""
    if isinstance(listed, dict):
        return listed
    if name.startswith("_"):
        return {"TXT": [f'"{text}"' for text in listed]}
    if name.startswith("mta-sts."):
        return {"A": listed}
    # Absolute, as DNS has them; the table need not be.
    return {"MX": [text if text.endswith(".") else text + "." for text in listed]}


class NameServer:
    """`address` is what --resolver takes; `table` may be changed at any time.

    Names in `secure` are those that DNSSEC proves to the resolver, of those in `bogus` it proves
    the contrary, and those in `signed` have signatures that say nothing to it. `is_lame`: it has no
    zone. `is_cut_off`: it reaches nobody, and so fails for every name. `asked` has the names and
    types of all questions so far. Without an answer it leaves those about names in `silent`, and
    the next `loses` others.
    """

    def __init__(self, server):
        self.table = {}
        self.secure, self.bogus, self.signed, self.silent = set(), set(), set(), set()
        self.is_lame = self.is_cut_off = False
        self.asked = []
        self.loses = 0
        self.port = server.getsockname()[1]
        self.address = "127.0.0.1:{}".format(self.port)
        self._server = server

    def serve(self):
        while True:
            try:
                wire, client = self._server.recvfrom(4096)
            except OSError:  # closed
                return
            if not wire:
                return
            query = dns.message.from_wire(wire)
            (question,) = query.question
            name = question.name.to_text(omit_final_dot=True).lower()
            self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
            if name in self.silent:
                continue
            if self.loses:
                self.loses -= 1
                continue
            response = self._answer(query, question, name)
            self._server.sendto(response.to_wire(max_size=65535), client)

    def _answer(self, query, question, name):
        response = dns.message.make_response(query)
        response.want_dnssec(bool(query.ednsflags & dns.flags.DO))
        is_resolver = query.flags & dns.flags.RD
        response.flags |= dns.flags.RA
        if not is_resolver and not self.is_lame:
            response.flags |= dns.flags.AA
        if name in self.secure:
            response.flags |= dns.flags.AD
        is_bogus = name in self.bogus and not query.flags & dns.flags.CD
        if self.is_cut_off or is_bogus:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        self._fill(response, question, name, is_resolver)
        if name in self.signed:
            add(response, question.name, "RRSIG", [RRSIG])
        return response

    def _fill(self, response, question, name, is_resolver):
        seen = set()
        while name not in seen:
            seen.add(name)
            listed = self.table.get(name, dns.rcode.NXDOMAIN)
            if listed is None or listed is dns.rcode.NXDOMAIN:
                response.set_rcode(dns.rcode.SERVFAIL if listed is None else listed)
                return
            records = _records(name, listed)
            kind = dns.rdatatype.to_text(question.rdtype)
            owner = dns.name.from_text(name)
            if records.get(kind, []) is None:
                response.set_rcode(dns.rcode.SERVFAIL)
                return
            if "CNAME" not in records:
                add(response, owner, kind, records.get(kind, []))
                return
            add(response, owner, "CNAME", records["CNAME"])
            if not is_resolver:
                return
            name = records["CNAME"][0].rstrip(".").lower()


def add(response, owner, kind, records):
    if records:
        response.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, *records))


@contextlib.contextmanager
def running():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        fake = NameServer(server)
        thread = threading.Thread(target=fake.serve, daemon=True)
        thread.start()
        yield fake
        server.sendto(b"", server.getsockname())
        thread.join(10)
