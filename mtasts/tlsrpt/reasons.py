"""Why something that came is no report that could be read: a sentence for each code."""

REASONS = {
    "no-report": "it came where reports come, and is none",
    "report-compression-broken": "it is compressed, and cannot be expanded",
    "report-compression-unknown": "its archive is compressed in a way that no report is",
    "report-empty": "there is nothing in it",
    "report-encrypted": "its archive is encrypted",
    "report-missing": "its mail or archive says that it brings a report, and has none",
    "report-no-object": "it is JSON, but no object",
    "report-not-json": "it begins like JSON, and is none",
    "report-too-deep": "it is nested deeper than any report",
    "report-too-large": "it expands to more than the limit, or has too many lines for a mail",
    "report-too-many-members": "its archive has more members than any with a report",
    "report-too-many-parts": "its mail has more parts than any with a report",
    "report-too-many-values": "it has more values than any report",
    "report-unknown-format": "it is no object of JSON, and neither gzip, zip nor a mail",
    "report-unknown-json": "it is JSON, but no TLS report",
}
