"""Reading and judging texts of 1, 10, 100 KiB and 1 MiB: is the time linear, and how long is it?

A policy beyond 64 KiB is refused before it is looked at, so the limit is lifted here to show what
the reader itself does; the last table is with the limit, as everywhere else. The shapes are those
in which a stranger can make a policy long. The parser of postfix-mta-sts-resolver reads the same
bytes in the same round: it splits lines and checks nothing, so it is a floor, not a rival. Only the
ratios within a round count on a machine whose speed drifts; all figures are medians of the rounds.
"""

import argparse
import pathlib
import statistics
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP)]

from postfix_mta_sts_resolver.utils import parse_mta_sts_policy  # noqa: E402

from mtasts import lint, policy, record  # noqa: E402

KIB = 1024
SIZES = (1 * KIB, 10 * KIB, 100 * KIB, 1024 * KIB)
HEAD = b"version: STSv1\r\nmode: enforce\r\nmax_age: 2592000\r\n"
SHAPES = {
    "mx lines": b"mx: mx%07d.mail.example.org\r\n",
    "extensions": b"note%07d: some words\r\n",
    "repeated": b"mode: %07d\r\n",
    "broken lines": b"mx = mx%07d.example.org\r\n",
}
LONG_LINE = "one long line"


def text(shape, size):
    """A text of `size` bytes: the usual fields, then lines of the shape, the last one cut off."""
    if shape == LONG_LINE:
        return (HEAD + b"mx: mx1.example.org\r\nnote: " + b"a" * size)[:size]
    line = SHAPES[shape]
    wanted = size // len(line % 0) + 1
    return (HEAD + b"".join(line % number for number in range(wanted)))[:size]


def milliseconds(function, *arguments):
    """How long one call takes: the mean of as many as fit into a few milliseconds."""
    calls = 0
    start = time.perf_counter()
    while True:
        function(*arguments)
        calls += 1
        taken = time.perf_counter() - start
        if taken > 0.005:
            return taken / calls * 1000


def row(shape, size, rounds):
    """Medians of our reader, of lint, of the other parser, and of the ratios within a round."""
    data = text(shape, size)
    figures = []
    for _ in range(rounds):
        read = milliseconds(policy.read, data, size)
        judged = milliseconds(lint.policy, data, size)
        other = milliseconds(lambda: parse_mta_sts_policy(data.decode("utf-8")))
        figures.append((read, judged, other, read / other, judged / other))
    return [statistics.median(column) for column in zip(*figures)]


def linearity(rounds):
    """Print a line for each shape and size; the last column says how much dearer a KiB became."""
    print(
        f"{'policy of':14}{'KiB':>6}{'read ms':>10}{'lint ms':>10}{'other ms':>10}"
        f"{'read/other':>12}{'lint/other':>12}{'lint a KiB, 10 KiB = 1':>24}"
    )
    for shape in [*SHAPES, LONG_LINE]:
        rows = {size: row(shape, size, rounds) for size in SIZES}
        base = rows[10 * KIB][1] / 10
        for size, (read, judged, other, read_ratio, lint_ratio) in rows.items():
            print(
                f"{shape:14}{size // KIB:6}{read:10.3f}{judged:10.3f}{other:10.3f}"
                f"{read_ratio:12.2f}{lint_ratio:12.2f}{judged / (size / KIB) / base:24.2f}"
            )


def limits(rounds):
    """Print how long the limits take to refuse, and what the largest texts within them take."""
    most = policy.MAX_POLICY_BYTES
    uris = "v=TLSRPTv1; rua=" + ",".join(["mailto:tls@example.org"] * 3000)
    fields = "v=STSv1; id=1;" + " a=b;" * 210000
    cases = (
        ("policy of 64 KiB, mx lines", lint.policy, text("mx lines", most)),
        ("policy of 64 KiB, broken lines", lint.policy, text("broken lines", most)),
        ("policy of 1 MiB: refused", lint.policy, text("mx lines", 1024 * KIB)),
        ("TXT record of 64 KiB, fields", lint.record, fields[: record.MAX_RECORD]),
        (
            "TXT record of 64 KiB, URIs",
            lint.record,
            uris[: record.MAX_RECORD],
        ),
        ("TXT record of 1 MiB: refused", lint.record, fields),
    )
    print(f"\n{'with the limits':34}{'lint ms':>10}")
    for name, function, data in cases:
        taken = statistics.median(milliseconds(function, data) for _ in range(rounds))
        print(f"{name:34}{taken:10.3f}")


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Time the readers at 1, 10, 100 KiB and 1 MiB.")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each figure")
    rounds = parser.parse_args().rounds
    linearity(rounds)
    limits(rounds)


if __name__ == "__main__":
    main()
