"""One domain, looked at with everything: the time of the look, in times of its slowest exchange.

Resolver, two name servers, policy host and two MX hosts are a process of their own on loopback. The
MX hosts let their clients wait for the greeting, as many do on purpose; so the slowest exchange is
the dialogue with one of them, which is measured alone in the same run. A look has to find out first
where they are, and asks everybody else meanwhile.
"""

import contextlib
import functools
import multiprocessing
import pathlib
import statistics
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tests")]

import https_server  # noqa: E402
import nameserver  # noqa: E402
import smtp_server  # noqa: E402
from certificates import Issued  # noqa: E402
from mtasts import authority, edges, https, smtp  # noqa: E402
from mtasts.domain import Domain  # noqa: E402
from mtasts.look import look  # noqa: E402

DOMAIN = Domain("example.org")
TABLE = {
    "example.org": {
        "SOA": ["ns1.example.org. admin.example.org. 1 3600 600 86400 60"],
        "NS": ["ns1.example.org.", "ns2.example.org."],
        "MX": ["10 mx1.example.org.", "20 mx2.example.org."],
    },
    "ns1.example.org": {"A": ["127.0.0.1"]},
    "ns2.example.org": {"A": ["127.0.0.2"]},
    "mta-sts.example.org": {"A": ["127.0.0.1"]},
    "mx1.example.org": {"A": ["127.0.0.1"]},
    "mx2.example.org": {"A": ["127.0.0.2"]},
    "_mta-sts.example.org": ["v=STSv1; id=1;"],
    "_smtp._tls.example.org": ["v=TLSRPTv1; rua=mailto:tls@example.org"],
}
GREETINGS = (0.1, 0.3, 1)  # seconds
RUNS = 5
LIMIT = 1.5


def serve(connection, folder, root, seconds):
    """Run all servers until the other end hangs up; tell it where they are."""
    context = https_server.context(Issued("mta-sts.example.org", issuer=root), folder)
    mail = https_server.context(Issued("mx1.example.org", issuer=root), folder)
    with contextlib.ExitStack() as stack:
        resolver, *servers = [stack.enter_context(nameserver.running()) for _ in range(3)]
        for server in (resolver, *servers):
            server.table.update(TABLE)
        web = stack.enter_context(https_server.running(context))
        slow = smtp_server.Behaviour(delay=seconds)
        mx = smtp_server.running(slow, mail, "0.0.0.0")  # noqa: S104 - both MX hosts have this port
        mx = stack.enter_context(mx)
        ports = {f"127.0.0.{number}": one.port for number, one in enumerate(servers, 1)}
        connection.send((resolver.address, ports, web.port, mx.port))
        connection.recv()


@contextlib.contextmanager
def running(seconds):
    """The edges of a look to servers whose MX hosts greet after so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = multiprocessing.Pipe()
        root = Issued("root")
        ca_file = root.write(f"{folder}/root.pem")
        server = multiprocessing.Process(target=serve, args=(theirs, folder, root, seconds))
        server.start()
        resolver, ports, web, mx = ours.recv()

        def ask(server, name):
            place = server._replace(address="127.0.0.1", port=ports[server.address])
            return authority.ask(place, name)

        yield edges.real(resolver, ca_file)._replace(
            ask=ask,
            fetch=functools.partial(https.fetch, ca_file=ca_file, port=web),
            smtp=functools.partial(smtp.look, ca_file=ca_file, port=mx),
        )
        ours.send(None)
        server.join(10)


def seconds_of(function, *arguments):
    """How long a call takes: the median of some runs."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main():
    """Print a line for each delay of the greeting."""
    ratios = []
    print("greeting  slowest exchange  whole look  ratio")
    for seconds in GREETINGS:
        with running(seconds) as world:
            slowest = seconds_of(world.smtp, "mx1.example.org", "127.0.0.1")
            whole = seconds_of(look, DOMAIN, world)
        ratios.append(whole / slowest)
        print(f"{seconds:>6} s  {slowest:>14.3f} s  {whole:>8.3f} s  {ratios[-1]:>5.2f}")
    is_good = max(ratios) < LIMIT
    print(f"goal: below {LIMIT}: {'met' if is_good else 'missed'}")
    return not is_good


if __name__ == "__main__":
    sys.exit(main())
