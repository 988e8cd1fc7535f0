"""Many mail domains on loopback: DNS, the policy hosts of all of them, and the MX hosts they share.

    d0.test ... d<n - 1>.test   a zone each, with both TXT records, a policy, and as MX hosts
                                two of mx0.mail.test ... mx19.mail.test, which have an address each

Policy hosts share one address and 100 of them a certificate, as a provider has it. An answer comes
after a `delay` that stands for a round trip: one for DNS over UDP, three for the first over HTTPS
(TCP, TLS, HTTP), one for each line of SMTP. DNS, HTTPS and SMTP are a process each, so they slow
nobody down but by what they take of the machine.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import ssl
import struct

import trustme

from rig.process import listens, wait_for

MX_HOSTS = 20
RESOLVER = "127.0.0.1"
_WEB = "127.0.3.1"
_SHARED_BY = 100  # policy hosts that have one certificate
_NAME_SERVERS = ("ns1.dns.test", "ns2.dns.test")
_A, _NS, _SOA, _MX, _TXT, _OPT = 1, 2, 6, 15, 16, 41
_NXDOMAIN = 3


def domain(number):
    """The name of a mail domain."""
    return f"d{number}.test"


def mx_hosts(number):
    """The MX hosts of a mail domain."""
    first = 2 * number % MX_HOSTS
    return [f"mx{first}.mail.test", f"mx{first + 1}.mail.test"]


@contextlib.contextmanager
def running(count, folder, delay):
    """Serve `count` domains; gives the path of the root that vouches for all certificates."""
    authority = trustme.CA()
    root = f"{folder}/root.pem"
    authority.cert_pem.write_to_path(root)
    servers = [
        multiprocessing.Process(target=serve, args=arguments, daemon=True)
        for serve, *arguments in (
            (_serve_dns, count, delay),
            (_serve_policies, authority, count, delay),
            (_serve_smtp, authority, delay),
        )
    ]
    for server in servers:
        server.start()
    try:
        wait_for(lambda: listens(443, _WEB), "policy hosts listen", 120)
        wait_for(lambda: listens(25, _mx_address(MX_HOSTS - 1)), "MX hosts listen")
        yield root
    finally:
        for server in servers:
            server.terminate()
            server.join()


def _mx_address(number):
    return f"127.0.2.{number + 1}"


def _wire(name):
    labels = [label.encode("ascii") for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _character_string(text):
    return bytes([len(text)]) + text.encode("ascii")


_ZONE = {
    _SOA: [
        _wire(_NAME_SERVERS[0])
        + _wire("hostmaster.dns.test")
        + struct.pack("!5I", 1, 3600, 600, 86400, 60)
    ],
    _NS: [_wire(name) for name in _NAME_SERVERS],
}
_BELOW = {
    "_mta-sts": {_TXT: [_character_string("v=STSv1; id=20260101000000;")]},
    "_smtp._tls": {_TXT: [_character_string("v=TLSRPTv1; rua=mailto:tls@mail.test")]},
    "mta-sts": {_A: [socket.inet_aton(_WEB)]},
}


def _records(name, count):
    """The records at a name as {type: [data]}, or None if there is no such name."""
    labels = name.split(".")
    above = ".".join(labels[:-2])
    if labels[-2:] == ["mail", "test"] and above[:2] == "mx":
        return {_A: [socket.inet_aton(_mx_address(int(above[2:])))]}
    if name in _NAME_SERVERS:
        return {_A: [socket.inet_aton(RESOLVER)]}
    if name in ("dns.test", "mail.test"):
        return {**_ZONE, _MX: _mx(0)}
    number = labels[-2][1:] if len(labels) > 1 else ""
    if not number.isdigit() or int(number) >= count:
        return None
    if not above:
        return {**_ZONE, _MX: _mx(int(number))}
    return _BELOW.get(above)


def _mx(number):
    return [
        struct.pack("!H", 10 * place) + _wire(host)
        for place, host in enumerate(mx_hosts(number), 1)
    ]


def _answer(query, count):
    """The answer of a server that is the resolver of all, and has the authority for all."""
    end = query.index(b"\0", 12) + 5
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode("latin-1").lower())
        place += query[place] + 1
    found = _records(".".join(labels), count)
    (kind,) = struct.unpack("!H", query[end - 4 : end - 2])
    answers = [b"\xc0\x0c" + _data(kind, one) for one in (found or {}).get(kind, ())]
    # Who finds nothing tells the zone's SOA record (RFC 2308 section 3).
    zone = [] if answers else [_wire(".".join(labels[-2:])) + _data(_SOA, _ZONE[_SOA][0])]
    # DO comes back as it was (RFC 3225 section 3).
    edns = [b"\0" + struct.pack("!HH4sH", _OPT, 1232, query[end + 5 : end + 9], 0)]
    edns = edns if query[10:12] != b"\0\0" else []
    # QR, AA, RA; RD as it came
    flags = 0x8480 | (query[2] & 1) << 8 | (_NXDOMAIN if found is None else 0)
    head = query[:2] + struct.pack("!5H", flags, 1, len(answers), len(zone), len(edns))
    return head + query[12:end] + b"".join(answers + zone + edns)


def _data(kind, data):
    return struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def _serve_dns(count, delay):
    class UDP(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, query, client):
            answer = _answer(query, count)
            asyncio.get_running_loop().call_later(delay, self.transport.sendto, answer, client)

    async def tcp(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                length = await reader.readexactly(2)
                query = await reader.readexactly(int.from_bytes(length, "big"))
                answer = _answer(query, count)
                await asyncio.sleep(2 * delay)
                writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    async def serve():
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(UDP, local_addr=(RESOLVER, 53))
        server = await asyncio.start_server(tcp, RESOLVER, 53)
        await server.serve_forever()

    asyncio.run(serve())


def _context(authority, *names):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def _serve_policies(authority, count, delay):
    contexts = [
        _context(authority, *(f"mta-sts.{domain(n)}" for n in range(start, start + _SHARED_BY)))
        for start in range(0, count, _SHARED_BY)
    ]

    def choose(tls, name, _context):
        number = (name or "").split(".")[1][1:]
        tls.context = contexts[int(number) // _SHARED_BY]

    async def answer(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            rounds = 3
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                host = request.lower().partition(b"\r\nhost:")[2].split(b"\r\n")[0].decode()
                hosts = mx_hosts(int(host.strip().split(".")[1][1:]))
                body = "version: STSv1\r\nmode: enforce\r\n"
                body += "".join(f"mx: {one}\r\n" for one in hosts) + "max_age: 2592000\r\n"
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}"
                await asyncio.sleep(rounds * delay)
                writer.write(f"{head}\r\n\r\n{body}".encode("ascii"))
                rounds = 1
        writer.close()

    async def serve():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        server = await asyncio.start_server(answer, _WEB, 443, ssl=context, backlog=1024)
        await server.serve_forever()

    asyncio.run(serve())


def _serve_smtp(authority, delay):
    async def session(context, reader, writer):
        with contextlib.suppress(OSError):
            await _say(writer, "220 mail.test ESMTP", delay)
            while True:
                command = (await reader.readline()).strip().upper()
                if command == b"STARTTLS":
                    await _say(writer, "220 2.0.0 Go ahead", delay)
                    await writer.start_tls(context)
                elif command in (b"QUIT", b""):
                    break
                else:
                    await _say(writer, "250-mail.test\r\n250 STARTTLS", delay)
        writer.close()

    async def serve():
        for number in range(MX_HOSTS):
            context = _context(authority, f"mx{number}.mail.test")
            await asyncio.start_server(
                lambda reader, writer, context=context: session(context, reader, writer),
                _mx_address(number),
                25,
            )
        await asyncio.Event().wait()

    asyncio.run(serve())


async def _say(writer, text, delay):
    await asyncio.sleep(delay)
    writer.write(f"{text}\r\n".encode("ascii"))
    await writer.drain()
