"""The policy directory: whole files, one writer at a time, a history that misses nothing."""

import datetime
import fcntl
import json
import multiprocessing
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest

from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName
from mtasts.policy import InvalidPolicy, Mode, Policy
from mtasts.policy_file import (
    NoPolicy,
    PolicyUnreadable,
    StoreError,
    policy_path,
    read_bytes,
)
from mtasts.store import Store

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
LATER = NOW + datetime.timedelta(days=1)
ORG, NET = Domain("example.org"), Domain("example.net")
TESTING = Policy(Mode.TESTING, 86401, ("mx.example.org",)).to_bytes()
ENFORCE = Policy(Mode.ENFORCE, 604800, ("mx.example.org",)).to_bytes()


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path))


def test_a_new_policy_is_served_as_it_was_given_and_entered(store):
    entry = store.write(ORG, TESTING, NOW)
    assert read_bytes(store.root, ORG) == TESTING
    assert store.history(ORG) == [entry]
    assert entry.first == NOW
    assert entry.id.startswith("20260102030405")
    assert (entry.mode, entry.max_age, entry.mx) == ("testing", 86401, ("mx.example.org",))
    assert list(store.domains()) == [ORG]


def test_lf_stays_lf(store):
    data = TESTING.replace(b"\r\n", b"\n")
    store.write(ORG, data, NOW)
    assert read_bytes(store.root, ORG) == data


def test_the_world_may_read_what_is_written(store):
    store.write(ORG, TESTING, NOW)
    assert os.stat(os.path.join(store.root, ORG)).st_mode & 0o777 == 0o755
    assert os.stat(policy_path(store.root, ORG)).st_mode & 0o777 == 0o644


def test_a_change_has_a_new_id_and_the_same_again_has_not(store):
    first = store.write(ORG, TESTING, NOW)
    second = store.write(ORG, ENFORCE, LATER)
    assert first.id != second.id
    assert store.write(ORG, ENFORCE, LATER + datetime.timedelta(days=1)) == second
    assert store.history(ORG) == [first, second]
    assert store.current(ORG) == second


def test_going_back_to_an_earlier_policy_is_a_change(store):
    first = store.write(ORG, TESTING, NOW)
    store.write(ORG, ENFORCE, LATER)
    third = store.write(ORG, TESTING, LATER + datetime.timedelta(days=1))
    assert third.id != first.id
    assert len(store.history(ORG)) == 3


def test_an_id_that_dns_names_already_is_adopted(store):
    assert store.write(ORG, TESTING, NOW, "20200101T").id == "20200101T"
    assert store.current(ORG).id == "20200101T"


def test_a_change_by_an_editor_is_entered_with_the_time_of_the_file(store):
    store.write(ORG, TESTING, NOW)
    path = policy_path(store.root, ORG)
    with open(path, "wb") as file:
        file.write(ENFORCE)
    os.utime(path, (LATER.timestamp(), LATER.timestamp()))
    entry = store.current(ORG)
    assert (entry.first, entry.mode) == (LATER, "enforce")
    assert [one.mode for one in store.history(ORG)] == ["testing", "enforce"]


def test_a_change_by_an_editor_is_entered_before_the_next_one(store):
    store.write(ORG, TESTING, NOW)
    with open(policy_path(store.root, ORG), "wb") as file:
        file.write(ENFORCE)
    store.write(ORG, Policy(Mode.NONE, 86400, ("mx.example.org",)).to_bytes(), LATER)
    assert [one.mode for one in store.history(ORG)] == ["testing", "enforce", "none"]


@pytest.mark.parametrize("bad", [b"", b"version: STSv1\n", TESTING + b"\n", b"x" * 70000])
def test_what_no_sender_takes_is_not_written(store, bad):
    with pytest.raises(InvalidPolicy):
        store.write(ORG, bad, NOW)
    assert list(store.domains()) == []
    store.write(ORG, TESTING, NOW)
    with pytest.raises(InvalidPolicy):
        store.write(ORG, bad, LATER)
    assert read_bytes(store.root, ORG) == TESTING
    assert len(store.history(ORG)) == 1


def test_an_invalid_file_is_named_with_its_line(store):
    store.write(ORG, TESTING, NOW)
    with open(policy_path(store.root, ORG), "ab") as file:
        file.write(b"mode enforce\n")
    with pytest.raises(InvalidPolicy, match=r"example\.org/mta-sts\.txt: line 5: ") as caught:
        store.read(ORG)
    assert caught.value.code == "policy-line-malformed"


def test_an_invalid_file_can_be_replaced(store):
    store.write(ORG, TESTING, NOW)
    with open(policy_path(store.root, ORG), "wb"):
        pass
    store.write(ORG, ENFORCE, LATER)
    assert read_bytes(store.root, ORG) == ENFORCE


def test_an_unknown_domain_says_which_command_makes_its_policy(store):
    with pytest.raises(NoPolicy) as caught:
        read_bytes(store.root, ORG)
    assert caught.value.code == "policy-unknown"
    assert "mtasts new example.org" in caught.value.remedy


def test_an_alias_has_the_policy_of_its_target(store):
    store.write(ORG, TESTING, NOW)
    store.alias(NET, ORG)
    assert read_bytes(store.root, NET) == TESTING
    assert store.target(NET) == ORG
    store.write(ORG, ENFORCE, LATER)
    assert read_bytes(store.root, NET) == ENFORCE
    assert list(store.domains()) == [NET, ORG]


def test_an_alias_of_an_alias_points_to_the_folder(store):
    store.write(ORG, TESTING, NOW)
    store.alias(NET, ORG)
    store.alias(Domain("example.com"), NET)
    assert os.readlink(os.path.join(store.root, "example.com")) == "example.org"


def test_an_alias_is_not_written_through(store):
    store.write(ORG, TESTING, NOW)
    store.alias(NET, ORG)
    with pytest.raises(StoreError) as caught:
        store.write(NET, ENFORCE, LATER)
    assert caught.value.code == "alias-not-writable"
    assert read_bytes(store.root, ORG) == TESTING


def test_an_alias_replaces_nothing(store):
    store.write(ORG, TESTING, NOW)
    store.write(NET, ENFORCE, NOW)
    with pytest.raises(StoreError) as caught:
        store.alias(NET, ORG)
    assert caught.value.code == "policy-exists"
    with pytest.raises(NoPolicy):
        store.alias(Domain("example.com"), Domain("unknown.example"))


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_out_of_the_root_is_not_followed(tmp_path, what):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mta-sts.txt").write_bytes(TESTING)
    root = tmp_path / "root"
    root.mkdir()
    if what == "folder":
        (root / "example.org").symlink_to(outside)
    else:
        (root / "example.org").mkdir()
        (root / "example.org" / "mta-sts.txt").symlink_to(outside / "mta-sts.txt")
    with pytest.raises(PolicyUnreadable) as caught:
        read_bytes(str(root), ORG)
    assert caught.value.code == "policy-outside-root"


def test_a_root_beside_with_the_same_beginning_is_outside(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root-2" / "example.org").mkdir(parents=True)
    (tmp_path / "root-2" / "example.org" / "mta-sts.txt").write_bytes(TESTING)
    (tmp_path / "root" / "example.org").symlink_to("../root-2/example.org")
    with pytest.raises(PolicyUnreadable):
        read_bytes(str(tmp_path / "root"), ORG)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda _: None, "policy-unreadable"),
        (os.mkfifo, "policy-not-a-file"),
        (os.mkdir, "policy-unreadable"),
        (lambda path: pathlib.Path(path).write_bytes(b"x" * 65537), "policy-too-large"),
    ],
    ids=["missing", "fifo", "folder", "too large"],
)
def test_what_is_no_policy_file_is_named(store, make, code):
    os.mkdir(os.path.join(store.root, ORG))
    make(policy_path(store.root, ORG))
    with pytest.raises(PolicyUnreadable) as caught:
        read_bytes(store.root, ORG)
    assert caught.value.code == code
    assert policy_path(store.root, ORG) in caught.value.message


def test_folders_that_are_no_domains_are_none(store):
    for name in (".new-1", "Example.ORG", "a_b", "192.0.2.1"):
        os.mkdir(os.path.join(store.root, name))
    assert list(store.domains()) == []


def test_a_root_that_is_not_there_is_named(tmp_path):
    missing = Store(str(tmp_path / "missing"))
    with pytest.raises(StoreError, match="missing") as caught:
        list(missing.domains())
    assert caught.value.code == "policy-directory-unreadable"
    with pytest.raises(StoreError):
        missing.write(ORG, TESTING, NOW)


def test_a_damaged_history_is_named_with_its_line_and_kept(store):
    store.write(ORG, TESTING, NOW)
    path = os.path.join(store.root, ORG, "history.jsonl")
    with open(path, "a") as file:
        file.write('{"half": \n')
    with pytest.raises(StoreError, match=r"history\.jsonl, line 2") as caught:
        store.write(ORG, ENFORCE, LATER)
    assert caught.value.code == "history-damaged"
    assert read_bytes(store.root, ORG) == TESTING


def test_a_full_disk_changes_nothing(store):
    """A limit on the size of files stands for the full disk: both fail in the write."""
    store.write(ORG, TESTING, NOW)
    large = Policy(Mode.TESTING, 86401, tuple(f"mx{n}.example.org" for n in range(200))).to_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        for domain in (ORG, NET):
            with pytest.raises(StoreError) as caught:
                store.write(domain, large, LATER)
            assert caught.value.code == "store-write-failed"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert read_bytes(store.root, ORG) == TESTING
    assert list(store.domains()) == [ORG]
    assert sorted(os.listdir(store.root)) == ["example.org"]
    assert sorted(os.listdir(os.path.join(store.root, ORG))) == ["history.jsonl", "mta-sts.txt"]


def _add_mx(root, number):
    def change(old):
        names = Policy.parse(old).mx if old else ()
        return Policy(Mode.TESTING, 86401, names + (f"mx{number}.example.org",)).to_bytes()

    Store(root).update(ORG, change, NOW)


def test_writers_at_once_lose_nothing(store):
    writers = [
        multiprocessing.Process(target=_add_mx, args=(store.root, number)) for number in range(20)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {writer.exitcode for writer in writers} == {0}
    names = {f"mx{number}.example.org" for number in range(20)}
    assert set(store.read(ORG).mx) == names
    assert len(store.history(ORG)) == 20
    assert set(store.history(ORG)[-1].mx) == names


def test_a_writer_that_is_killed_leaves_a_whole_policy_and_history(store):
    script = (
        "import sys, tests.test_store as t\n"
        "from mtasts.store import Store\n"
        "store = Store(sys.argv[1])\n"
        "for number in range(100000):\n"
        "    store.write(t.ORG, (t.TESTING, t.ENFORCE)[number % 2], t.NOW)\n"
    )
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = dict(os.environ, PYTHONPATH=top)
    for round_number in range(8):
        known = len(store.history(ORG))
        writer = subprocess.Popen([sys.executable, "-c", script, store.root], env=environment)
        deadline = time.monotonic() + 30
        while len(store.history(ORG)) <= known + round_number:
            assert time.monotonic() < deadline, "the writer does not write"
        writer.kill()
        writer.wait()
        assert read_bytes(store.root, ORG) in (TESTING, ENFORCE)
        entry = store.current(ORG)
        assert entry.mode == store.read(ORG).mode.value
        modes = [one.mode for one in store.history(ORG)]
        assert all(one != two for one, two in zip(modes, modes[1:]))


def test_a_store_that_stays_taken_is_an_error_not_a_hang(store):
    other = os.open(store.root, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(StoreError) as caught:
        Store(store.root, patience=0.1).write(ORG, TESTING, NOW)
    os.close(other)
    assert caught.value.code == "store-busy"
    store.write(ORG, TESTING, NOW)


def test_the_history_is_json_that_others_can_read(store):
    store.write(ORG, TESTING, NOW)
    with open(os.path.join(store.root, ORG, "history.jsonl")) as file:
        (line,) = file.read().splitlines()
    facts = json.loads(line)
    assert facts["first"] == "2026-01-02T03:04:05Z"
    assert facts["mx"] == ["mx.example.org"]


CLASS = ClassName("@cluster-a")
ENTRY = json.loads(HistoryEntry.of(TESTING, NOW).to_json())


def test_a_member_is_served_the_policy_of_its_class(store):
    store.write(CLASS, TESTING, NOW)
    store.assign(ORG, CLASS, LATER)
    assert read_bytes(store.root, ORG) == TESTING
    assert store.target(ORG) == CLASS
    assert (list(store.domains()), list(store.classes())) == ([ORG], [CLASS])
    assert list(store.sharers(CLASS)) == [ORG]
    assert [entry.first for entry in store.history(ORG)] == [LATER]
    assert store.current(ORG) == store.current(CLASS)


def test_a_domain_is_never_without_a_policy_on_its_way_into_a_class_and_out(store):
    """The policy host looks all the time, and must find one of the two each time."""
    store.write(CLASS, TESTING, NOW)
    store.write(ORG, ENFORCE, NOW)
    seen, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            try:
                seen.add(read_bytes(store.root, ORG))
            except StoreError as error:
                seen.add(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(50):
        store.assign(ORG, CLASS, LATER)
        store.detach(ORG)
        store.write(ORG, ENFORCE, LATER)
    stop.set()
    watcher.join()
    assert seen <= {TESTING, ENFORCE}
    assert len(store.history(ORG)) == 101


def test_a_join_that_was_interrupted_is_put_right_by_doing_it_again(store):
    """The history is written and the link is not: as after a power cut between the two."""
    store.write(CLASS, TESTING, NOW)
    store.write(ORG, ENFORCE, NOW)
    policy = read_bytes(store.root, ORG)
    store.assign(ORG, CLASS, LATER)
    os.unlink(policy_path(store.root, ORG))
    with open(policy_path(store.root, ORG), "wb") as file:
        file.write(policy)
    store.assign(ORG, CLASS, LATER)
    assert read_bytes(store.root, ORG) == TESTING
    assert [entry.mode for entry in store.history(ORG)][-2:] == ["enforce", "testing"]


def test_what_a_person_has_not_seen_is_not_replaced(store):
    store.write(ORG, TESTING, NOW)
    with pytest.raises(StoreError) as caught:
        store.replace(ORG, ENFORCE, TESTING + b"x: y\r\n", LATER)
    assert caught.value.code == "policy-changed-meanwhile"
    assert read_bytes(store.root, ORG) == TESTING


def test_a_look_enters_nothing(store):
    store.write(ORG, TESTING, NOW)
    with open(policy_path(store.root, ORG), "wb") as file:
        file.write(ENFORCE)
    assert store.last(ORG).mode == "enforce"
    assert [entry.mode for entry in store.history(ORG)] == ["testing"]


@pytest.mark.parametrize(
    "line",
    [
        '{"first": 1}',
        "[]",
        json.dumps(dict(ENTRY, mode="on")),
        json.dumps(dict(ENTRY, max_age="1")),
        json.dumps(dict(ENTRY, mx=["192.0.2.1"])),
        "null",
    ],
)
def test_lines_that_are_no_entries_are_named(store, line):
    store.write(ORG, TESTING, NOW)
    with open(os.path.join(store.root, ORG, "history.jsonl"), "a") as file:
        file.write(line + "\n")
    with pytest.raises(StoreError, match="line 2") as caught:
        store.history(ORG)
    assert caught.value.code == "history-damaged"


def test_a_link_within_the_root_that_leads_to_no_domain_is_named(store):
    os.mkdir(os.path.join(store.root, ".hidden"))
    with open(os.path.join(store.root, ".hidden", "mta-sts.txt"), "wb") as file:
        file.write(TESTING)
    os.symlink(".hidden", os.path.join(store.root, ORG))
    with pytest.raises(PolicyUnreadable) as caught:
        store.target(ORG)
    assert caught.value.code == "policy-link-astray"


def test_what_is_retired_is_served_no_more_and_kept(store):
    store.write(ORG, TESTING, NOW)
    store.alias(NET, ORG)
    kept = store.retire(ORG, LATER)
    assert kept == os.path.join(store.root, ".retired", "example.org-20260103T030405Z")
    assert sorted(os.listdir(kept)) == ["history.jsonl", "mta-sts.txt"]
    assert list(store.domains()) == []
    with pytest.raises(NoPolicy):
        store.retire(ORG, LATER)
    store.write(ORG, ENFORCE, LATER)
    assert len(store.history(ORG)) == 1


def test_an_alias_is_not_retired_with_its_target(store):
    store.write(ORG, TESTING, NOW)
    store.alias(NET, ORG)
    with pytest.raises(StoreError) as caught:
        store.retire(NET, LATER)
    assert caught.value.code == "alias-not-writable"
    assert list(store.domains()) == [NET, ORG]


def test_a_policy_that_another_folder_leads_to_is_not_retired(store):
    store.write(ORG, TESTING, NOW)
    os.mkdir(os.path.join(store.root, NET))
    os.symlink("../example.org/mta-sts.txt", policy_path(store.root, NET))
    with pytest.raises(StoreError) as caught:
        store.retire(ORG, LATER)
    assert caught.value.code == "policy-shared"
    assert list(store.domains()) == [NET, ORG]


def test_what_others_wrote_into_the_history_stays(store):
    """A later release may know more members of a line; people leave the last line open."""
    store.write(ORG, TESTING, NOW)
    path = os.path.join(store.root, ORG, "history.jsonl")
    line = json.dumps(dict(ENTRY, note="kept"))
    with open(path, "w") as file:
        file.write(line)
    store.write(ORG, ENFORCE, LATER)
    with open(path) as file:
        assert file.readline() == line + "\n"
    assert len(store.history(ORG)) == 2
