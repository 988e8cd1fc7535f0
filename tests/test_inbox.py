"""What an IMAP server may answer; tests/real/test_report_fetch.py has a real one."""

import pytest

from mtasts.inbox import Inbox, InboxError


class Server:
    """The client of a server that gives one answer to whatever is asked."""

    def __init__(self, *answers, status="OK"):
        self._said = status, list(answers)

    def uid(self, *_command):
        return self._said


def inbox(*answers, **status):
    return Inbox(Server(*answers, **status), 1, ["IMAP4REV1"])


def test_the_uids_of_very_many_mails():
    """imaplib takes no line of a megabyte, which SEARCH gives from some 140,000 mails on."""
    answers = [b"%d (UID %d)" % (number, 2 * number) for number in range(1, 200001)]
    assert inbox(*answers).after(10) == tuple(range(12, 400001, 2))


@pytest.mark.parametrize(
    "answers",
    [[None], [], [b""], [b"1 (UID 7)"], [b"nonsense"], [b"1 (UID x)"], [(b"1 (UID 9 X {1}", b"x")]],
)
def test_what_names_no_new_mail_is_none(answers):
    assert inbox(*answers).after(7) == ()
    assert inbox(*answers).read(8, 100) is None


def test_a_server_that_refuses_is_an_error():
    for answers in ([b"no"], [None], []):
        with pytest.raises(InboxError, match="imap-"):
            inbox(*answers, status="NO").after(7)
