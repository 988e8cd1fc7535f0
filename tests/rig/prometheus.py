"""Prometheus and node_exporter of the machine's packages, on loopback."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List

from rig.process import Daemon, run, wait_for

TEXTFILES = "/var/lib/prometheus/node-exporter"
NODE_EXPORTER_PORT = 9100
PORT = 9090
_SETTINGS = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [{rules}]
scrape_configs:
"""
_TARGET = """\
  - job_name: {name}
    metrics_path: {path}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def node_exporter(directory: str) -> Daemon:
    """One that reads text files and nothing else, from where Debian has them; started."""
    argv = ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile"]
    argv += [f"--collector.textfile.directory={TEXTFILES}"]
    argv += [f"--web.listen-address=127.0.0.1:{NODE_EXPORTER_PORT}"]
    daemon = Daemon(argv, os.path.join(directory, "node-exporter.log"))
    daemon.wait_until_listening(NODE_EXPORTER_PORT)
    return daemon


class Prometheus:
    """One that asks `targets` (a port and a path for each job) every second, with our rules."""

    def __init__(self, directory: str, rules: str, targets: Dict[str, tuple]) -> None:
        settings = os.path.join(directory, "prometheus.yml")
        with open(settings, "w") as file:
            file.write(_SETTINGS.format(rules=rules))
            for name, (port, path) in targets.items():
                file.write(_TARGET.format(name=name, port=port, path=path))
        run("promtool", "check", "config", settings)
        argv = ["prometheus", f"--config.file={settings}"]
        argv += [f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{PORT}"]
        self._daemon = Daemon(argv, os.path.join(directory, "prometheus.log"))
        self._jobs = set(targets)

    def wait(self) -> None:
        """Return when each target was read once; AssertionError with why it was not."""
        self._daemon.wait_until(_is_ready, "is ready")
        try:
            wait_for(self._has_read_all, "Prometheus has read all targets")
        except AssertionError as error:
            raise AssertionError(self._health()) from error

    def _has_read_all(self) -> bool:
        return self._health() == dict.fromkeys(self._jobs, "up")

    def _health(self) -> Dict[str, str]:
        """Of each target that it knows "up", or what is the matter; a second may not suffice."""
        found = self._ask("targets")["activeTargets"]
        return {one["labels"]["job"]: one["lastError"] or one["health"] for one in found}

    def query(self, expression: str) -> List[Dict[str, Any]]:
        """The result of an expression now: samples with `metric` and `value`."""
        return self._ask("query", query=expression)["result"]

    def firing(self) -> Dict[str, Dict[str, str]]:
        """The annotations of each alert that is firing."""
        found = [one for one in self._ask("alerts")["alerts"] if one["state"] == "firing"]
        return {one["labels"]["alertname"]: one["annotations"] for one in found}

    def stop(self) -> None:
        """End it; its data stay in the directory."""
        self._daemon.stop()

    def _ask(self, what: str, **parameters: str) -> Any:
        url = f"http://127.0.0.1:{PORT}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error


def _is_ready() -> bool:
    """Whether it answers queries: it listens before that, and says 503."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/-/ready", timeout=60).close()
    except OSError:
        return False
    return True
