"""Checks of very many domains: what is shared, what waits, what is written, what is read."""

import collections
import io
import itertools
import json
import resource
import threading

import pytest

from mtasts import check_run, domain_list
from mtasts.authority import TXTSet
from mtasts.check_results import Results, ResultsUnusable
from mtasts.dns_view import View
from mtasts.domain import Domain
from mtasts.edges import Edges
from mtasts.errors import MtastsError
from mtasts.facts import SMTPServer
from mtasts.finding import Severity
from mtasts.pace import Pace
from mtasts.probe import MX, LookupFailed
from mtasts.shared import Shared

VERSION = 1


def result(domain, severity="ok"):
    return {"version": VERSION, "domain": domain, "severity": severity}


def in_threads(count, run):
    """Run `run` in `count` threads that begin together; return what each returned or raised."""
    begin = threading.Barrier(count)
    found = []

    def one():
        begin.wait()
        try:
            found.append(run())
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            found.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == count
    return found


class TestShared:
    def test_who_wants_the_same_at_once_waits_for_one_look_up(self):
        looked = []

        def look_up(host, address):
            looked.append((host, address))
            everybody_waits.wait(20)
            return host.upper()

        everybody_waits = threading.Event()
        shared = Shared(look_up, 10)
        timer = threading.Timer(0.1, everybody_waits.set)
        timer.start()
        assert in_threads(8, lambda: shared("mx", "192.0.2.1")) == ["MX"] * 8
        assert looked == [("mx", "192.0.2.1")]

    def test_an_error_is_shared_and_raised_to_everybody(self):
        looked = []

        def look_up(host):
            looked.append(host)
            raise MtastsError("dns-lookup-failed", f"no answer for {host}")

        shared = Shared(look_up, 10)
        for _ in range(3):
            with pytest.raises(MtastsError, match="no answer for mx") as caught:
                shared("mx")
        assert looked == ["mx"]
        depth, place = 0, caught.value.__traceback__
        while place:
            depth, place = depth + 1, place.tb_next
        assert depth <= 3  # not those of the other askers

    def test_what_nobody_foresaw_is_not_remembered(self):
        looked = []

        def look_up(host):
            looked.append(host)
            raise RuntimeError(host)

        shared = Shared(look_up, 10)
        for _ in range(2):
            with pytest.raises(RuntimeError):
                shared("mx")
        assert looked == ["mx", "mx"]

    def test_it_keeps_so_many_answers_and_forgets_the_one_not_used_for_longest(self):
        looked = []
        shared = Shared(lambda number: looked.append(number) or number, 3)
        for number in (1, 2, 3, 1, 4, 1, 3, 4):
            assert shared(number) == number
        assert looked == [1, 2, 3, 4]
        shared(2)
        assert looked == [1, 2, 3, 4, 2]

    def test_what_is_still_looked_up_is_not_forgotten(self):
        looked = []
        go_on = threading.Event()

        def look_up(host):
            looked.append(host)
            if host == "slow":
                go_on.wait(20)
            return host

        shared = Shared(look_up, 2)
        slow = [threading.Thread(target=shared, args=("slow",)) for _ in range(2)]
        slow[0].start()
        while not looked:
            pass
        for number in range(5):
            shared(number)
        slow[1].start()
        go_on.set()
        for thread in slow:
            thread.join(20)
        assert looked.count("slow") == 1

    def test_a_look_up_may_use_another_one_that_somebody_is_busy_with(self):
        addresses = Shared(lambda host: host + ".", 10)
        probe = Shared(lambda host: (host, addresses("ns.example.net")), 10)
        hosts = iter(range(16))
        assert len(set(in_threads(16, lambda: probe(next(hosts))))) == 16


class TestPace:
    def test_a_key_gets_no_more_than_its_share_at_once(self):
        pace = Pace(2)
        lock = threading.Lock()
        inside, most = [0], [0]

        def connect():
            with pace.turn("example.net"):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                both.wait(20)
                with lock:
                    inside[0] -= 1

        both = threading.Barrier(2)  # two are in at once, or nobody gets out
        in_threads(8, connect)
        assert most == [2]

    def test_one_key_does_not_wait_for_another(self):
        pace = Pace(1)
        with pace.turn("example.net"):
            assert in_threads(1, lambda: pace.turn("example.org").__enter__()) == [None]

    def test_a_turn_ends_with_an_error_too(self):
        pace = Pace(1)
        for _ in range(2):
            with pytest.raises(MtastsError), pace.turn("example.net"):
                raise MtastsError("connect-failed", "refused")


class TestDomainList:
    def read(self, text):
        return list(domain_list.read(io.BytesIO(text), "list.txt"))

    def test_names_come_in_their_order_without_comments_and_blank_lines(self):
        text = b"# customers\r\n\r\nExample.ORG.\r\n  example.net # moved\n\texample.com"
        assert self.read(text) == ["example.org", "example.net", "example.com"]

    def test_an_empty_list_has_nothing(self):
        assert self.read(b"") == self.read(b"\n#\n \n") == []

    def test_u_labels_are_taken(self):
        pytest.importorskip("idna")
        text = "\ufeffb\u00fccher.example".encode("utf-8")
        assert self.read(text) == ["xn--bcher-kva.example"]

    @pytest.mark.parametrize(
        "name", [b"not a name", b"192.0.2.1", b"\xff\xfe", b"a..example", b"x" * 9000, b"\x1b[2J"]
    )
    def test_a_broken_name_is_told_with_its_line_and_the_list_goes_on(self, name):
        first, broken, last = self.read(b"example.org\n" + name + b"\nexample.net\n")
        assert (first, last) == ("example.org", "example.net")
        assert broken.line == 2
        assert broken.error.message.startswith("list.txt: line 2: ")
        assert broken.error.message.isprintable()


class TestResults:
    def test_a_later_run_finds_what_is_there_and_adds_to_it(self, tmp_path):
        path = str(tmp_path / "results.jsonl")
        with Results(path, VERSION) as results:
            results.add(result("example.org"))
        with Results(path, VERSION) as results:
            assert results.severities == {"example.org": Severity.OK}
            results.add(result("example.net", "error"))
        with Results(path, VERSION) as results:
            assert results.severities["example.net"] is Severity.ERROR
        with open(path) as file:
            assert [json.loads(line)["domain"] for line in file] == ["example.org", "example.net"]

    def test_a_line_without_its_end_is_dropped_wherever_it_was_torn(self, tmp_path):
        path = tmp_path / "results.jsonl"
        whole = json.dumps(result("example.org")).encode("ascii") + b"\n"
        for end in range(1, len(whole)):
            path.write_bytes(whole + whole[:end])
            with Results(str(path), VERSION) as results:
                assert list(results.severities) == ["example.org"]
            assert path.read_bytes() == whole
        path.write_bytes(whole[:-1])
        with Results(str(path), VERSION) as results:
            assert results.severities == {}

    @pytest.mark.parametrize(
        "line",
        [
            "example.org",
            "[]",
            '{"domain": "example.org", "severity": "ok"}',
            '{"version": 0, "domain": "example.org", "severity": "ok"}',
            '{"version": 1, "domain": "example.org", "severity": "fine"}',
            '{"version": 1, "domain": ["example.org"], "severity": "ok"}',
            "\u00e4",
        ],
    )
    def test_a_file_of_something_else_is_left_alone(self, tmp_path, line):
        path = tmp_path / "results.jsonl"
        data = (json.dumps(result("example.org")) + "\n" + line + "\n").encode("utf-8")
        path.write_bytes(data + b"torn")
        with pytest.raises(ResultsUnusable, match="line 2 of .* is no result of") as caught:
            Results(str(path), VERSION)
        assert caught.value.code == "check-output-foreign"
        assert path.read_bytes() == data + b"torn"

    def test_two_runs_do_not_write_to_one_file(self, tmp_path):
        path = str(tmp_path / "results.jsonl")
        with Results(path, VERSION), pytest.raises(ResultsUnusable) as caught:
            Results(path, VERSION)
        assert caught.value.code == "check-output-busy"
        with Results(path, VERSION):
            pass

    @pytest.mark.parametrize("place", ["/", "/dev/null", "/proc/none"])
    def test_a_place_where_nothing_can_be_written_is_named(self, place):
        with pytest.raises(ResultsUnusable, match=f"{place} cannot be written: ") as caught:
            Results(place, VERSION)
        assert caught.value.code == "check-output-unwritable"

    def test_a_full_disk_leaves_whole_lines_only(self, tmp_path):
        path = tmp_path / "results.jsonl"
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        with Results(str(path), VERSION) as results:
            results.add(result("example.org"))
            whole = path.read_bytes()
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, limits[1]))
            try:
                with pytest.raises(ResultsUnusable) as caught:
                    results.add(result("example.net"))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert caught.value.code == "check-output-unwritable"
            assert path.read_bytes() == whole
            results.add(result("example.com"))
            assert list(results.severities) == ["example.org", "example.com"]


class Net:
    """Domains d<n>.example.org, which share MX hosts of two operators; `asked` counts questions."""

    MX = ("mx1.example.net", "mx2.example.net", "mx1.mail.example.com", "_mx.example.com")

    def __init__(self, **others):
        self.asked = collections.Counter()
        self.edges = Edges(
            txt=lambda _name: View(("v=TLSRPTv1; rua=mailto:tls@example.net",)),
            addresses=lambda _host, kind: View(("192.0.2.1", "192.0.2.2") if kind == "A" else ()),
            mx=self.mx,
            tlsa=lambda _host: View(()),
            zone_of=lambda _name: "example.org",
            name_servers=lambda _zone: ("ns1.example.net",),
            ask=lambda *_: TXTSet(),
            fetch=lambda *_: (MtastsError("connect-refused", ""),) * 2,
            smtp=lambda host, _address: SMTPServer(host, None, 0.1),
            options=lambda _uri: 200,
            own=lambda _domain: None,
            require_dns=lambda: None,
        )._replace(**others)
        for name, edge in self.edges._asdict().items():
            self.edges = self.edges._replace(**{name: self.counted(name, edge)})

    def mx(self, domain):
        number = int(domain.partition(".")[0][1:] or 0) if domain != "example.net" else 0
        return View((MX(10, self.MX[number % 4]), MX(20, self.MX[(number + 1) % 4])))

    def counted(self, name, edge):
        def call(*asked):
            self.asked[(name, *asked)] += 1
            return edge(*asked)

        return call

    def run(self, count):
        """What is seen of so many domains."""
        domains = (Domain(f"d{number}.example.org") for number in range(count))
        return check_run.run(domains, self.edges)


class TestRun:
    def test_every_mx_host_is_probed_once_at_each_address_and_everybody_gets_its_verdict(self):
        net = Net()
        seen = list(net.run(300))
        assert len({one.domain for one in seen}) == 300
        for one in seen:
            for host in one.mx_hosts:
                assert [server.greeting for _, server in host.servers] == [host.host] * 2
            assert [host.host for host in one.mx_hosts] == [mx.host for mx in one.mx]
        probes = {asked: count for asked, count in net.asked.items() if asked[0] == "smtp"}
        assert probes == {
            ("smtp", host, address): 1 for host in Net.MX for address in ("192.0.2.1", "192.0.2.2")
        }

    @pytest.mark.parametrize(
        "asked",
        [
            ("name_servers", "example.org"),
            ("addresses", "ns1.example.net", "A"),
            ("addresses", "mx1.example.net", "AAAA"),
            ("tlsa", "mx1.example.net"),
            ("mx", "example.net"),  # where all reports go
        ],
    )
    def test_what_domains_have_in_common_is_asked_once(self, asked):
        net = Net()
        list(net.run(100))
        assert net.asked[asked] == 1

    def test_an_mx_host_that_fails_fails_for_everybody_and_is_not_asked_again(self):
        def smtp(host, address):
            raise LookupFailed("connect-timeout", f"{host} at {address}: no answer")

        net = Net(smtp=smtp)
        codes = {
            server.code
            for seen in net.run(40)
            for host in seen.mx_hosts
            for _, server in host.servers
        }
        assert codes == {"connect-timeout"}
        assert max(count for asked, count in net.asked.items() if asked[0] == "smtp") == 1

    def test_nothing_is_asked_far_ahead(self):
        numbers = itertools.count()
        domains = (Domain(f"d{number}.example.org") for number in numbers)
        seen = check_run.run(domains, Net().edges)
        for _ in range(10):
            next(seen)
        seen.close()
        assert next(numbers) <= 10 + 2 * check_run.LOOKS

    def test_an_operator_has_few_connections_at_once_and_all_come_to_an_end(self):
        lock = threading.Lock()
        inside, most = collections.Counter(), collections.Counter()
        crowd = threading.Barrier(check_run.PER_OPERATOR)

        def smtp(host, address):
            operator = "example.net" if host.endswith("net") else host
            with lock:
                inside[operator] += 1
                most[operator] = max(most[operator], inside[operator])
            if operator == "example.net":
                crowd.wait(20)  # so many are let in, or nobody gets out
            with lock:
                inside[operator] -= 1
            return SMTPServer(host, None, 0.1)

        hosts = 4 * check_run.PER_OPERATOR

        def mx(domain):
            number = int(domain.partition(".")[0][1:]) if domain != "example.net" else 0
            return View((MX(10, f"mx{number}.example.net"),))

        def addresses(host, kind):
            return View(("192.0.2.1",) if kind == "A" else ())

        list(Net(smtp=smtp, mx=mx, addresses=addresses).run(hosts))
        assert most["example.net"] == check_run.PER_OPERATOR

    def test_the_resolver_has_few_questions_at_once(self):
        lock = threading.Lock()
        inside, most = [0], [0]

        def txt(name):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            if next(calls) < check_run.PER_RESOLVER:
                crowd.wait(20)  # so many are let in, or nobody gets out
            with lock:
                inside[0] -= 1
            return View(("v=STSv1; id=1;", "v=TLSRPTv1; rua=mailto:tls@example.net"))

        calls = itertools.count()
        crowd = threading.Barrier(check_run.PER_RESOLVER)
        list(Net(txt=txt).run(2 * check_run.PER_RESOLVER))
        assert most == [check_run.PER_RESOLVER]

    def test_it_ends_where_dns_answers_nothing(self):
        looks = itertools.count()

        def require_dns():
            if next(looks) >= 5:
                raise LookupFailed("dns-resolver-useless", "DNS gives no answer at all")

        seen = Net(require_dns=require_dns).run(1000)
        with pytest.raises(LookupFailed, match="no answer at all"):
            list(seen)
        assert next(looks) <= 5 + 2 * check_run.LOOKS
