"""Prometheus and node_exporter of the machine's packages, on loopback."""

import json
import os
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
        self._daemon.wait_until_listening(PORT)

        def all_read() -> bool:
            found = self._ask("targets")["activeTargets"]
            assert [one["lastError"] for one in found if one["lastError"]] == []
            return {one["labels"]["job"] for one in found if one["health"] == "up"} == self._jobs

        wait_for(all_read, "Prometheus has read all targets", 30)

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
            with urllib.request.urlopen(url, timeout=15) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error
