"""The page in a real browser: what a person sees, and that the browser refuses nothing of it."""

import html.parser
import os
import subprocess

import pytest

HOST = "mta-sts.example.test"
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]
CHROMIUM += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
CHROMIUM += ["--disable-sync", "--hide-scrollbars", "--ignore-certificate-errors"]
CHROMIUM += [f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]


class Page(html.parser.HTMLParser):
    """The elements of a document in order, and all text that a person sees."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.text = {}
        self._open = []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "br", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in self._open:
            self.text[tag] = self.text.get(tag, "") + data

    def attributes(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture
def browse(policy_hosts, tmp_path):
    """Open the page; return the document that the browser made of it, and what it complained of."""

    def open_page(language, *options):
        argv = CHROMIUM + [f"--user-data-dir={tmp_path}/profile", "--accept-lang=" + language]
        argv += ["--enable-logging=stderr", *options, "--dump-dom", f"https://{HOST}/"]
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=True
        )
        lines = done.stderr.decode().splitlines()  # the browser talks of its own pages, too
        complaints = [line for line in lines if "CONSOLE" in line and "https://" + HOST in line]
        return Page(done.stdout.decode("utf-8")), complaints

    return open_page


@pytest.mark.parametrize(
    ("language", "heading", "sentence"),
    [
        ("en", "403 Forbidden", "If you were not expecting to see this, please use"),
        ("vi", "403 Truy cập bị từ chối", "Nếu bạn không chủ ý mở trang này"),
    ],
)
def test_the_page_in_a_browser(browse, language, heading, sentence):
    page, complaints = browse(language)
    assert page.attributes("html")[0]["lang"] == language
    assert page.text["h1"].strip() == heading
    assert page.text["title"].strip() == heading
    assert sentence in page.text["main"]
    assert page.attributes("a") == [{"href": "https://example.test", "rel": "noopener"}]
    assert page.attributes("meta")[0] == {"charset": "utf-8"}
    assert not {"script", "img", "link", "iframe", "form"} & {tag for tag, _ in page.elements}
    # The status itself is the one thing that a browser may remark on.
    assert not [line for line in complaints if "status of 403" not in line]


def test_the_page_can_be_photographed(browse, tmp_path):
    """Kept where MTASTS_SCREENSHOTS says, to be compared by eye: light, dark, and as on a phone."""
    folder = os.environ.get("MTASTS_SCREENSHOTS", str(tmp_path))
    for name, options in (
        ("light", ["--window-size=1200,700"]),
        ("dark", ["--window-size=1200,700", "--blink-settings=preferredColorScheme=0"]),
        ("phone", ["--window-size=500,800"]),
    ):
        path = os.path.join(folder, name + ".png")
        browse("vi" if name == "phone" else "en", f"--screenshot={path}", *options)
        assert os.path.getsize(path) > 1000
