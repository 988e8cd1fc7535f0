"""The page and the dashboard in Chromium: nothing is loaded, everybody can use it, keys do."""

import os
import re
import signal
import subprocess
import urllib.request

import pytest
from axe_selenium_python import Axe
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import page_samples
from page_samples import ago
from rig.process import wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
WAYS = {"light": ("light", 1200), "dark": ("dark", 1200), "phone": ("light", 360)}
FOCUSABLE = "a[href], summary, input, select, button, [tabindex='0']"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A ledger and a policy directory, and the page about them."""
    folder = tmp_path_factory.mktemp("page")
    options = page_samples.fill(folder)
    path = folder / "page.html"
    run = [*page_samples.COMMAND, "report", "page", "-o", str(path)]
    subprocess.run([*run, *options], check=True, cwd=TOP)
    return options, path.as_uri()


@pytest.fixture(scope="module")
def dashboard(made):
    argv = [*page_samples.COMMAND, "dashboard", "--port", "0", *made[0]]
    process = subprocess.Popen(argv, cwd=TOP, stdout=subprocess.PIPE, universal_newlines=True)
    url = re.match(r"http://[0-9.:]+/", process.stdout.readline()).group()

    def is_counted():
        return b"The numbers were counted" in urllib.request.urlopen(url, timeout=60).read()

    wait_for(is_counted, "the numbers are counted")
    yield url
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture
def browse(chromium):
    """Open a page in one of `WAYS`; logs begin anew."""

    def open_page(url, way="light"):
        scheme, width = WAYS[way]
        feature = {"name": "prefers-color-scheme", "value": scheme}
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chromium.get("about:blank")
        for kind in ("browser", "performance"):
            chromium.get_log(kind)
        chromium.get(url)
        return chromium

    return open_page


def requested(driver):
    """What the browser asked for, as its log of the network has it."""
    pattern = r'"method":"Network\.requestWillBeSent".*?"documentURL".*?"url":"([^"]+)"'
    return re.findall(pattern, " ".join(one["message"] for one in driver.get_log("performance")))


def text(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector).text


def test_the_first_two_lines(browse, made):
    driver = browse(made[1])
    first, second = text(driver, ".headline").splitlines()
    assert first.startswith(
        "Yes, something is broken: 2 of 4 domains have failing sessions; worst:"
    )
    assert second.startswith(f"Since {ago(5):%Y-%m-%d}, at the receiving end, yours (sure):")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_loaded_and_nothing_is_complained_of(browse, made, way):
    driver = browse(made[1], way)
    assert requested(driver) == [made[1]]
    assert driver.get_log("browser") == []
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.execute_script("return document.scripts.length") == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["file", "overview", "domain"])
def test_everybody_can_use_it(browse, made, dashboard, way, place):
    driver = browse(_url(made, dashboard, place), way)
    for details in driver.find_elements(By.TAG_NAME, "details"):
        driver.execute_script("arguments[0].open = true", details)
    axe = Axe(driver)
    axe.inject()
    found = axe.run()
    assert found["passes"]
    assert axe.report(found["violations"]) == axe.report([])


def _url(made, dashboard, place):
    queries = {"overview": "", "domain": "?domain=example.org&days=90"}
    return made[1] if place == "file" else dashboard + queries[place]


@pytest.mark.parametrize("place", ["file", "overview", "domain"])
def test_a_phone_does_not_scroll_sideways(browse, made, dashboard, place):
    driver = browse(_url(made, dashboard, place), "phone")
    assert driver.execute_script("return document.documentElement.scrollWidth") == 360


def test_keys_reach_all_that_can_be_used(browse, made):
    driver = browse(made[1])
    found = driver.find_elements(By.CSS_SELECTOR, FOCUSABLE)
    seen = "return arguments[0].checkVisibility()"  # not what is folded away
    wanted = [one.id for one in found if driver.execute_script(seen, one)]
    reached = []
    for _ in wanted:
        driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(driver.switch_to.active_element.id)
    assert reached == wanted
    assert len(wanted) > 10


def test_keys_open_the_numbers_of_a_chart(browse, made):
    driver = browse(made[1])
    details = driver.find_element(By.TAG_NAME, "details")
    table = details.find_element(By.TAG_NAME, "table")
    assert not table.is_displayed()
    details.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert table.is_displayed()


def test_the_first_key_leads_past_the_header(browse, made):
    driver = browse(made[1])
    driver.switch_to.active_element.send_keys(Keys.TAB)
    skip = driver.switch_to.active_element
    assert skip.text == "To the content"
    skip.send_keys(Keys.ENTER)
    wait_for(lambda: driver.current_url.endswith("#main"), "the content is reached")


def test_charts_have_names_and_colours_of_both_schemes(browse, made):
    colours = set()
    for way in ("light", "dark"):
        driver = browse(made[1], way)
        charts = driver.find_elements(By.CSS_SELECTOR, "figure svg[role=img]")
        assert all(one.accessible_name for one in charts)
        bars = driver.find_elements(By.CSS_SELECTOR, ".stackedbar-graph .color-0 rect")
        colours.add(bars[0].value_of_css_property("fill"))
        assert max(bar.rect["height"] for bar in bars) > 50
    assert len(colours) == 2


def test_the_filters_are_a_plain_form(browse, dashboard):
    driver = browse(dashboard)
    field = driver.find_element(By.ID, "domain")
    field.send_keys("example.net")
    driver.find_element(By.CSS_SELECTOR, "#days option:nth-child(3)").click()
    driver.find_element(By.CSS_SELECTOR, "form button").send_keys(Keys.ENTER)
    wait_for(lambda: "domain=example.net" in driver.current_url, "the filters are in the URL")
    assert text(driver, "h2[id='d-example.net']") == "example.net ◐ over"
    assert "in 90 days" in text(driver, "section[aria-labelledby='d-example.net']")
    assert not [one for one in driver.get_log("browser") if "favicon" not in one["message"]]


def test_the_page_can_be_photographed(browse, made, tmp_path):
    """Kept where MTASTS_SCREENSHOTS says, to be compared by eye."""
    folder = os.environ.get("MTASTS_SCREENSHOTS", str(tmp_path))
    for way in WAYS:
        path = os.path.join(folder, f"report-page-{way}.png")
        browse(made[1], way).save_screenshot(path)
        assert os.path.getsize(path) > 1000
