"""Imports go down only: doors use edges, edges use values, and no door uses another."""

import ast
import pathlib

TOP = pathlib.Path(__file__).resolve().parent.parent
DOORS = ("wsgi_policy", "certbot_mtasts", "mtasts.cli")
# Each stands on those before it at most.
EDGES = (
    "mtasts.policy_file",
    "mtasts.folder",
    "mtasts.publications",
    "mtasts.plan_store",
    "mtasts.testing_until",
    "mtasts.store",
    "mtasts.probe",
    "mtasts.connection",
    "mtasts.tls",
    "mtasts.https",
    "mtasts.smtp",
    "mtasts.authority",
    "mtasts.dns_view",
    "mtasts.dns_settings",
    "mtasts.dns_provider",
    "mtasts.dns_update",
    "mtasts.dkim_check",
    "mtasts.mail_grade",
    "mtasts.drop_address",
    "mtasts.inbox",
    "mtasts.check_results",
    "mtasts.spool",
    "mtasts.report_files",
    "mtasts.ledger",
    "mtasts.told",
    "mtasts.watch_state",
    "mtasts.alert_state",
    "mtasts.notify",
    "mtasts.access_log",
    "mtasts.reverse_dns",
)
# What carries a change through all edges, for whichever door asks.
PROCEDURES = (
    "mtasts.publish",
    "mtasts.publish_record",
    "mtasts.plan_apply",
    "mtasts.advance_gather",
    "mtasts.advance_apply",
    "mtasts.survey",
    "mtasts.report_fetch",
    "mtasts.edges",
    "mtasts.look_servers",
    "mtasts.look",
    "mtasts.check_run",
    "mtasts.telling",
    "mtasts.watch",
    "mtasts.ingest",
    "mtasts.report_numbers",
    "mtasts.page_facts",
    "mtasts.dashboard",
    "mtasts.report_watch",
)
# What changes policies or DNS, and what knows what strangers have reported.
WRITERS = (
    "mtasts.advance_apply",
    "mtasts.change",
    "mtasts.dns_provider",
    "mtasts.dns_update",
    "mtasts.plan_apply",
    "mtasts.policy_file",
    "mtasts.publish",
    "mtasts.publish_record",
    "mtasts.store",
)
REPORTS = ("mtasts.tlsrpt", "mtasts.ledger", "mtasts.ingest", "mtasts.inbox", "mtasts.spool")
REPORTS += ("mtasts.report_fetch", "mtasts.report_files", "mtasts.report_numbers")
# They judge what probe saw, so they know the shape of its facts.
KNOWS_FACTS = {
    ("mtasts.checks.own", "mtasts.probe"),
    ("mtasts.status", "mtasts.probe"),
    ("mtasts.facts", "mtasts.probe"),
}


def modules():
    for package in ("mtasts", "wsgi_policy", "certbot_mtasts"):
        for path in sorted((TOP / package).rglob("*.py")):
            name = ".".join(path.relative_to(TOP).with_suffix("").parts)
            yield name.replace(".__init__", ""), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name, rooms):
    return next((one for one in rooms if name == one or name.startswith(one + ".")), None)


def test_imports_go_down_only():
    wrong = []
    for module, tree in modules():
        door, edge = room(module, DOORS), room(module, EDGES)
        for name in imported(tree):
            to_door, to_edge = room(name, DOORS), room(name, EDGES)
            is_sideways = to_door is not None and to_door != door and module != "mtasts.__main__"
            is_up = (
                to_edge
                and not door
                and module not in PROCEDURES
                and to_edge not in (EDGES[: EDGES.index(edge) + 1] if edge else ())
                and (module, to_edge) not in KNOWS_FACTS
            )
            if is_sideways or is_up:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_report_reaches_a_policy_or_a_record():
    """Strangers write reports. Nothing that writes policies or into DNS knows of any."""
    needs = {module: set(imported(tree)) for module, tree in modules()}
    known, waiting = set(), {module for module in needs if module in WRITERS}
    assert len(waiting) == len(WRITERS)
    while waiting:
        known |= waiting
        names = {name for module in waiting for name in needs[module]}
        names |= {name.rpartition(".")[0] for name in names}  # of a module, or of what it has
        waiting = (names & set(needs)) - known
    assert not {module for module in known if room(module, REPORTS)}


def test_the_plugin_needs_nothing_that_certbot_does_not_bring():
    """certbot stops, with all renewals of the machine, for a plugin that cannot be imported."""
    foreign = {"flask", "click", "werkzeug", "jinja2"}
    for module, tree in modules():
        if not room(module, ("mtasts.cli", "mtasts.page", "wsgi_policy")):
            assert not foreign & {name.split(".")[0] for name in imported(tree)}, module
