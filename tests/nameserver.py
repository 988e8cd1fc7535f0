"""A name server on loopback that answers from a table: DNS is an edge, so it is faked.

    {"example.org": ["10 mx1.example.org"], "example.net": ["0 ."], "example.com": None,
     "_mta-sts.example.org": ["v=STSv1; id=1;"], "mta-sts.example.org": ["127.0.0.1"]}

Names that begin with '_' have TXT records, those of policy hosts A records, the others MX records.
None fails (SERVFAIL); what is not in the table does not exist (NXDOMAIN).
"""

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


def _answer(query, table):
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    (question,) = query.question
    name = question.name.to_text(omit_final_dot=True)
    records = table.get(name, dns.rcode.NXDOMAIN)
    if records is None:
        response.set_rcode(dns.rcode.SERVFAIL)
    elif records is dns.rcode.NXDOMAIN:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.TXT and records and name.startswith("_"):
        texts = [f'"{text}"' for text in records]
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *texts))
    elif name.startswith("mta-sts."):
        if question.rdtype == dns.rdatatype.A and records:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", *records))
    elif question.rdtype == dns.rdatatype.MX and records:
        # Absolute, as DNS has them; the table need not be.
        texts = [text if text.endswith(".") else text + "." for text in records]
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "MX", *texts))
    return response.to_wire()


class NameServer:
    """`address` is what --resolver takes; `table` may be changed at any time."""

    def __init__(self, server):
        self.table = {}
        self.address = "127.0.0.1:{}".format(server.getsockname()[1])
        self._server = server

    def serve(self):
        while True:
            try:
                wire, client = self._server.recvfrom(4096)
            except OSError:  # closed
                return
            if not wire:
                return
            self._server.sendto(_answer(dns.message.from_wire(wire), self.table), client)


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
