"""How sure is it that a report comes from whom it names?"""

from mtasts.tlsrpt.authenticity import Grade


def test_the_stronger_proof_is_the_greater_grade():
    assert [grade.value for grade in sorted(Grade, reverse=True)] == [
        "dkim",
        "authentication-results",
        "https",
        "file",
    ]
    assert Grade("https") >= Grade.HTTPS > Grade.FILE
