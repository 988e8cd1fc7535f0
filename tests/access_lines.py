"""Lines as Apache writes them with the LogFormat `mtasts` (apache/mtasts.conf), for tests."""

import datetime
import hashlib

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PATH = "/.well-known/mta-sts.txt"
NOON = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.timezone.utc)


def escaped(text):
    """As ap_escape_logitem writes what a client sent."""
    shown = ""
    for byte in text.encode("utf-8"):
        if byte in b'"\\':
            shown += "\\" + chr(byte)
        elif byte in b"\b\n\r\t\v":
            shown += {8: "\\b", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v"}[byte]
        else:
            shown += chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
    return shown


def line(
    policy=b"",
    when=NOON,
    address="192.0.2.1",
    agent="Postfix",
    host="mta-sts.example.org",
    status=200,
    request=f"GET {PATH} HTTP/1.1",
    tls="TLSv1.3",
    offset=0,
):
    """One line, without its ending; `policy` are the bytes that were sent, `offset` is in hours."""
    local = when + datetime.timedelta(hours=offset)
    time = f"{local:%d}/{MONTHS[local.month - 1]}/{local:%Y:%H:%M:%S} {offset:+03d}00"
    tag = f'\\"{hashlib.sha256(policy).hexdigest()[:32]}\\"' if policy else "-"
    shown = [escaped(text) or "-" for text in (request, agent, host)]
    return (
        f'{address} - - [{time}] "{shown[0]}" {status} 512 "-" "{shown[1]}" {shown[2]} {tls} {tag}'
    ).encode("ascii")
