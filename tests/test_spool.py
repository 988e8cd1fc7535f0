"""What has arrived waits in the spool, whole or not at all, until the ledger has it."""

import datetime
import json
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from mtasts.domain import Domain
from mtasts.spool import Arrival, Spool, SpoolError, SpoolFull

UTC = datetime.timezone.utc
NOON = datetime.datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arrival(data=b'{"a": 1}', received=NOON, source="https", domain="example.org"):
    return Arrival(data, received, source, domain and Domain(domain))


@pytest.fixture
def spool(tmp_path):
    return Spool(str(tmp_path), max_files=5, max_bytes=2000)


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x00\xff", b"a\nb\r\n", b"{}\n"])
@pytest.mark.parametrize("domain", [None, "example.org"])
def test_what_was_put_is_read_as_it_came(spool, data, domain):
    came = arrival(data, domain=domain)
    assert spool.read(spool.put(came)) == came


def test_the_first_to_come_waits_in_front(spool):
    hours = [datetime.timedelta(hours=number) for number in (2, 0, 1)]
    names = [spool.put(arrival(received=NOON + hour)) for hour in hours]
    assert spool.waiting() == [names[1], names[2], names[0]]


def test_what_is_done_is_gone_and_may_be_done_again(spool):
    name = spool.put(arrival())
    spool.done(name)
    spool.done(name)
    assert spool.waiting() == []
    with pytest.raises(SpoolError, match="spool-file-unreadable"):
        spool.read(name)


def test_what_one_process_has_taken_on_is_left_to_it(spool):
    name, other = spool.put(arrival()), spool.put(arrival())
    claim = spool.claim(name)
    assert spool.claim(name) is None
    os.close(spool.claim(other))
    os.close(claim)
    again = spool.claim(name)
    assert again is not None
    spool.done(name, other)
    os.close(again)
    assert spool.claim(name) is None
    assert spool.waiting() == []


def test_what_cannot_be_read_is_not_taken_on_in_silence(spool, tmp_path):
    name = spool.put(arrival())
    os.rename(str(tmp_path / name), str(tmp_path / "elsewhere"))
    os.symlink("elsewhere", str(tmp_path / name))
    with pytest.raises(SpoolError, match="spool-file-unreadable"):
        spool.claim(name)


def test_a_time_of_another_zone_is_the_same_time(spool):
    east = datetime.timezone(datetime.timedelta(hours=5))
    assert spool.read(spool.put(arrival(received=NOON.astimezone(east)))).received == NOON


def test_the_group_may_read_and_nobody_else(spool, tmp_path):
    mode = (tmp_path / spool.put(arrival())).stat().st_mode
    assert stat.S_IMODE(mode) == 0o640


def test_so_many_files_and_no_more(spool):
    names = [spool.put(arrival()) for _ in range(5)]
    with pytest.raises(SpoolFull, match="spool-full"):
        spool.put(arrival())
    assert sorted(names) == spool.waiting()
    spool.done(names[0])
    spool.put(arrival())


def test_so_many_bytes_and_no_more(spool):
    spool.put(arrival(b"x" * 1500))
    with pytest.raises(SpoolFull, match="no room for"):
        spool.put(arrival(b"x" * 500))
    assert len(spool.waiting()) == 1


def test_many_at_once_fill_the_same_room_only_once(spool):
    refused = []

    def put():
        try:
            spool.put(arrival())
        except SpoolFull:
            refused.append(1)

    threads = [threading.Thread(target=put) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(spool.waiting()), len(refused)) == (5, 7)


def test_what_a_killed_process_left_half_written_is_removed(spool, tmp_path):
    (tmp_path / ".half").write_bytes(b"x" * 1990)
    assert spool.waiting() == []
    name = spool.put(arrival())
    assert os.listdir(str(tmp_path)) == [name]


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_cannot_be_used(tmp_path, folder):
    (tmp_path / "file").write_bytes(b"")
    spool = Spool(str(tmp_path / folder))
    for ask in (spool.waiting, lambda: spool.put(arrival())):
        with pytest.raises(SpoolError, match="spool-unusable"):
            ask()


NAME = "20261125T120000.123456Z-" + "0" * 32


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json\n{}",
        b"[1]\n{}",
        b'{"source": "https"}\n{}',
        b'{"source": 1, "domain": null}\n{}',
        b'{"source": "https", "domain": "../etc"}\n{}',
        b'{"source": "https", "domain": 5}\n{}',
        b"[" * 100000,
        "{\u00e4}\n{}".encode(),
    ],
)
def test_what_put_has_not_written_is_refused(spool, tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(SpoolError, match="spool-file-unreadable"):
        spool.read(NAME)


def test_no_link_is_followed_and_no_pipe_waited_for(spool, tmp_path):
    header = json.dumps({"source": "https", "domain": None}) + "\n"
    (tmp_path / "secret").write_text(header + "secret")
    (tmp_path / NAME).symlink_to(tmp_path / "secret")
    pipe = NAME[:-1] + "1"
    os.mkfifo(str(tmp_path / pipe))
    for name in (NAME, pipe, "secret", "../" + tmp_path.name + "/secret"):
        with pytest.raises(SpoolError, match="spool-file-unreadable"):
            spool.read(name)


def test_names_that_are_not_ours_do_not_wait(spool, tmp_path):
    for name in ("README", "." + NAME, NAME + "0", NAME + "\n"):
        (tmp_path / name).write_bytes(b"")
    assert spool.waiting() == []


_WRITER = """
import datetime, sys
from mtasts.spool import Arrival, Spool
spool = Spool(sys.argv[1])
now = datetime.datetime.now(datetime.timezone.utc)
while True:
    print(spool.put(Arrival(b"x" * 100000, now, "https")), flush=True)
"""


def test_a_writer_that_is_killed_leaves_all_that_it_acknowledged(tmp_path):
    acknowledged = []
    for count in (1, 2, 5, 9):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=TOP
        )
        acknowledged += [writer.stdout.readline().decode().strip() for _ in range(count)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.communicate()[0].decode().split()
    spool = Spool(str(tmp_path))
    waiting = spool.waiting()
    assert set(acknowledged) <= set(waiting)
    assert {spool.read(name).data for name in waiting} == {b"x" * 100000}
