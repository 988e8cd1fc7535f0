"""mtasts report page: what is on it, what is not, and that no report can do harm there."""

import html.parser
import json
import os
import re
import stat

import pytest

import page_samples
from mtasts.domain import Domain
from mtasts.ledger import writing
from mtasts.ledger.database import Database
from mtasts.ledger.place import parse
from mtasts.policy import Mode
from mtasts.store import Store
from mtasts.testing_until import Until
from page_samples import HOSTILE, SECRET, ago, result
from reports import entry, report

LOADS = ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background")


class Page(html.parser.HTMLParser):
    """A page as a program sees it: elements, tables as rows of cells, the text of headings."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.rows = []
        self.headings = []
        self.text = ""
        self._cell = self._heading = None
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = ""
        if re.match(r"h\d\Z", tag):
            self._heading = tag, ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(" ".join(self._cell.split()))
            self._cell = None
        if self._heading and tag == self._heading[0]:
            self.headings.append((tag, " ".join(self._heading[1].split())))
            self._heading = None

    def handle_data(self, data):
        self.text += data
        if self._cell is not None:
            self._cell += data
        if self._heading:
            self._heading = self._heading[0], self._heading[1] + data

    def row(self, first, cells):
        """The row of so many cells that begins so."""
        return next(row for row in self.rows if len(row) == cells and row[0] == first)


def words(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return page_samples.fill(tmp_path_factory.mktemp("page"))


@pytest.fixture
def own_options(tmp_path):
    """The same, to be changed by one test."""
    return page_samples.fill(tmp_path)


@pytest.fixture
def made(mtasts):
    """Make a page; return what it is."""

    def make(*arguments):
        code, out, err = mtasts("report", "page", *arguments, "-o", "-")
        assert (code, err) == (0, "")
        return Page(out), out

    return make


@pytest.fixture(scope="module")
def known():
    """The pages that tests share, by their arguments."""
    return {}


@pytest.fixture
def page(made, options, known):
    """The same about what all tests share, made once."""

    def make(*arguments):
        if arguments not in known:
            known[arguments] = made(*arguments, *options)
        return known[arguments]

    return make


def test_the_first_lines_say_what_is_broken_since_when_and_at_whose_end(page):
    text = words(page()[0].text)
    assert "2 of 4 domains have failing sessions; worst: 22 of 9,044 sessions failed with" in text
    since = f"Since {ago(5):%Y-%m-%d}, at the receiving end, yours (sure): certificate-expired"
    assert f"{since} at mx2.example.org, reported by Example Mail, Sample Post" in text


def test_every_domain_has_its_row_and_the_gravest_comes_first(page):
    found, _ = page()
    rows = [row[:2] for row in found.rows if len(row) == 9]
    assert rows[1:] == [
        ["example.org", "✖ failing"],
        ["example.com", "✖ failing"],
        ["example.net", "◐ over"],
        ["quiet.example", "○ no report"],
    ]


def test_numbers_are_those_of_the_summary(page, mtasts, options):
    found, _ = page()
    for domain in ("example.org", "example.net", "example.com"):
        facts = json.loads(mtasts("report", "summary", domain, "--json", *options)[1])
        known = facts["known"]
        row = found.row(domain, 9)
        assert row[2] == f"{known['failed']:,}"
        assert row[3] == f"{known['failed'] + known['successful']:,}"
        assert row[4].split()[0] == str(facts["reports"])
        assert row[5] == facts["days"][-1]["day"]
    for day in json.loads(mtasts("report", "summary", "example.org", "--json", *options)[1])[
        "days"
    ]:
        numbers = [
            day["reports"],
            day["known"]["successful"],
            day["known"]["failed"],
            day["unknown"],
        ]
        assert [day["day"], day["day"], *map(str, numbers)] in found.rows


def test_days_without_a_report_are_gaps_and_not_zeros(page):
    found, source = page("example.org")
    assert [f"{ago(21):%Y-%m-%d}"] * 2 + ["no report"] in found.rows
    assert f"{ago(21):%Y-%m-%d}: no report" in source
    gaps = [attributes for _, attributes in found.elements if attributes.get("class") == "gap"]
    assert len(gaps) == 2 * 3 + 1  # three runs of days in both charts, and the legend


def test_a_number_that_is_unknown_is_not_zero(page):
    found, source = page("example.org")
    assert found.row("Example Mail", 8)[2] == "unknown"
    assert "1 report with unknown numbers" in source
    assert "report-counts-unknown" in found.text


def test_a_failure_comes_with_meaning_end_and_remedy(page):
    text = words(page("example.org")[0].text)
    assert "22 × certificate-expired at mx2.example.org" in text
    assert "the certificate of the MX host had expired" in text
    assert "reload the mail server after every renewal" in text
    assert "report-at-one-mx" in text


def test_reporters_have_their_rhythm_silence_and_policy(page):
    found, _ = page("example.org")
    daily, silent = found.row("Example Mail", 8), found.row("Specimen Inc.", 8)
    assert daily[5] == "daily"
    assert silent[5] == f"daily; silent since {ago(14):%Y-%m-%d}"
    assert daily[6].startswith("the policy served now (id ")
    assert f"since {ago(12):%A, %Y-%m-%d}" in daily[6]
    assert found.row("Sample Post", 8)[6].startswith("an earlier policy (id ")
    assert daily[7] == "dkim"


def test_a_change_of_the_policy_is_marked_in_the_charts_and_told(page):
    found, source = page("example.org")
    assert len(re.findall('<path [^>]*class="mark"', source)) == 3  # two charts and the legend
    assert f"{ago(12):%Y-%m-%d} 00:00 UTC: mode enforce, max_age 604,800 s" in words(found.text)


def test_mx_hosts_are_those_of_the_policy_and_those_that_fail(page):
    found, _ = page("example.org")
    assert found.row("mx2.example.org", 3) == ["mx2.example.org", "named", "certificate-expired"]
    assert found.row("mx1.example.org", 3) == ["mx1.example.org", "named", "none"]


@pytest.mark.parametrize("arguments", [(), ("example.org",), ("example.net", "example.com")])
def test_nothing_of_other_domains_is_on_it(page, arguments):
    _, source = page(*arguments)
    for own in set(page_samples.DOMAINS) - set(arguments if arguments else page_samples.DOMAINS):
        assert own not in source
    assert SECRET not in source
    assert page_samples.FOREIGN not in source
    assert "313131" not in source.replace(",", "")


def test_whose_policy_a_domain_shares_is_not_on_its_page(made, own_options):
    root = own_options[3]
    store, holder = Store(root), Domain("holder.example")
    store.write(holder, page_samples.policy(holder, Mode.TESTING).to_bytes(), ago(60))
    store.set_testing_until(holder, Until(ago(1).date()))
    os.symlink("holder.example", os.path.join(root, "tenant.example"))
    found, source = made("tenant.example", *own_options)
    assert "'mtasts status tenant.example' says more status-testing-overdue" in words(found.text)
    assert "holder.example" not in source.replace("mx1.holder.example", "").replace(
        "mx2.holder.example", ""
    )


def test_what_reports_say_is_text(page):
    found, source = page("example.com")
    assert HOSTILE[:60] in found.text
    assert "<script" not in source
    assert "<img" not in source
    assert "{{" in found.text
    assert "49" not in [one for row in found.rows for one in row]
    assert not set("\x00\x1b\u202e\u2028") & set(source)
    assert "safe\\u202egpj.exe" in found.text
    assert max(map(len, found.text.split("\n"))) < 1000


def test_it_loads_runs_and_leads_to_nothing(page):
    found, source = page()
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {
        tag for tag, _ in found.elements
    }
    for tag, attributes in found.elements:
        targets = [attributes[name] for name in LOADS if name in attributes]
        assert all(re.match(r"#[a-z0-9.-]+\Z", target) for target in targets), (tag, targets)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert "<!--" not in source
    assert "url(http" not in source
    (policy,) = [a for _, a in found.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"].startswith("default-src 'none'; style-src 'sha256-")


def test_ids_are_unique_and_headings_in_order(page):
    found, _ = page()
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in found.headings]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in zip(levels, levels[1:]))


def test_the_same_facts_make_the_same_page(page, made, options):
    time = re.compile(r"Made .* by mtasts")
    assert time.sub("", page()[1]) == time.sub("", made(*options)[1])


def test_ten_thousand_kinds_of_failures_are_counted_and_not_all_shown(made, own_options):
    page_samples.more_failures(own_options[1], "example.org", 10000)
    found, source = made("example.org", *own_options)
    assert "and 9,981 other kinds of failures" in words(found.text)
    assert len(source) < 200000


def test_a_domain_without_reports_is_told_what_that_means(page):
    text = words(page("quiet.example")[0].text)
    assert "Not known: no report yet about quiet.example." in text
    assert "mtasts check quiet.example" in text


def test_a_domain_that_is_not_served_here_is_no_error(page):
    text = words(page("elsewhere.example")[0].text)
    assert "no report yet" in text
    assert "none that is valid" in text


def test_dns_and_policy_hosts_are_asked_on_request(made, own_options):
    text = words(made("quiet.example", "--online", *own_options)[0].text)
    assert "status-record-missing" in text
    assert "is not in step" in text
    assert "DNS and policy hosts were not asked" not in text


def test_a_longer_period_has_bars_of_weeks(page):
    found, _ = page("example.org", "--days", "365")
    spans = [row for row in found.rows if len(row) == 6 and row[0] < row[1] and row[0][0] == "2"]
    assert spans
    assert "in 365 days" in words(found.text)


def test_less_proven_reports_do_not_count(made, own_options):
    weak = entry(b"weak", report("weak", [result("quiet.example", 77)], start=ago(1)))
    database = Database(parse(own_options[1]))
    writing.add(database, [weak])
    database.close()
    assert made(*own_options)[0].row("quiet.example", 9)[3] == "77"
    found, source = made("--grade", "dkim", *own_options)
    assert found.row("quiet.example", 9)[3] == "-"
    assert "of which at least <code>dkim</code> proves the origin" in source


def test_a_file_is_replaced_whole_and_keeps_its_permissions(mtasts, options, tmp_path):
    path = tmp_path / "page.html"
    run = ["report", "page", "-o", str(path), *options]
    assert mtasts(*run) == (0, "", "")
    assert stat.S_IMODE(os.stat(str(path)).st_mode) == 0o640
    os.chmod(str(path), 0o604)
    assert mtasts(*run) == (0, "", "")
    assert stat.S_IMODE(os.stat(str(path)).st_mode) == 0o604
    assert path.read_text("utf-8").endswith("</html>")
    assert [one.name for one in tmp_path.glob(".*")] == []


def test_what_is_no_file_stays_as_it_is(mtasts, options, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("elsewhere")
    for path in (str(link), "/dev/null", str(tmp_path)):
        code, _, err = mtasts("report", "page", "-o", path, *options)
        assert (code, "[page-no-file]" in err) == (3, True)
    code, _, err = mtasts("report", "page", "-o", str(tmp_path / "none" / "page"), *options)
    assert (code, "[page-unwritable]" in err) == (3, True)


def test_without_a_ledger_it_says_so(mtasts, tmp_path):
    code, _, err = mtasts("report", "page", "-o", "-", "--ledger", str(tmp_path / "none"))
    assert code == 3
    assert "[ledger-missing]" in err


def test_without_pygal_it_says_what_to_install(mtasts, options, tmp_path):
    (tmp_path / "pygal.py").write_text("raise ImportError('no pygal')")
    path = os.pathsep.join([str(tmp_path), mtasts.environment["PYTHONPATH"]])
    for command in (["report", "page", "-o", "-"], ["dashboard"]):
        code, _, err = mtasts(*command, *options, PYTHONPATH=path)
        assert (code, "[page-library-missing]" in err) == (3, True)


def test_without_domains_there_is_a_page_too(mtasts, options, tmp_path):
    (tmp_path / "empty").mkdir()
    arguments = ["-o", "-", *options[:2], "--policy-dir", str(tmp_path / "empty")]
    code, out, _ = mtasts("report", "page", *arguments)
    assert code == 0
    assert "There are no domains yet." in out
