"""Makes the pictures of README.md from a Halfyear that is up and has run a night of the demo exports.

    make run && make test-packages && .venv/bin/python docs/pictures/make.py

``table.png`` is the beginning of what ``halfyear indicators 2022-S1`` prints, ``graph.png`` a DAG on the Airflow page;
both are taken by Debian's Chromium. Reads HALFYEAR_HOME as every command does; nothing is changed.
"""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI as THEME
from rich.text import Text
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

from halfyear import settings as settings_module
from halfyear.scheduling import airflow_service

HERE = Path(__file__).resolve().parent
PERIOD = "2022-S1"
DAG = "ingest__cloud_migration"
#: What of the table is shown.
LINES = 40
#: Fonts whose Latin letters are half as wide as their Hanzi, as on a terminal.
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0 }}
pre {{ display: inline-block; margin: 0; padding: 14px 18px; background: {background}; color: {foreground};
      font: 14px/1.45 "Noto Sans Mono CJK SC", "WenQuanYi Zen Hei Mono", monospace }}
</style><pre>{code}</pre>"""


def main() -> None:
    state = airflow_service.airflow_state(settings_module.load())
    if not state.running or state.url is None or state.password is None:
        sys.exit("Airflow is not running; run: make run")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--lang=en", "--window-size=1280,1200"):
        options.add_argument(argument)
    options.add_argument("--force-device-scale-factor=1.5")
    options.binary_location = "/usr/bin/chromium"
    with webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver")) as browser:
        table(browser)
        airflow(browser, state.url, state.user, state.password)


def table(browser: webdriver.Chrome) -> None:
    """The beginning of the printed table with its colours, as a page of monospaced text."""
    command = ["halfyear", "indicators", PERIOD]
    printed = Text.from_ansi(_printed([str(Path(sys.executable).with_name("halfyear")), *command[1:]]))
    text = Text("\n").join([*printed.split("\n")[:LINES], Text("…", style="dim")])
    console = Console(record=True, width=400, force_terminal=True, color_system="truecolor", file=io.StringIO())
    console.print(Text(f"$ {' '.join(command)}\n", style="dim"), text, sep="", soft_wrap=True, highlight=False)
    page = HERE / "table.html"
    page.write_text(console.export_html(inline_styles=True, code_format=PAGE, theme=THEME), "utf-8")
    try:
        browser.get(page.as_uri())
        _save("table.png", browser.find_element(By.TAG_NAME, "pre").screenshot_as_png)
    finally:
        page.unlink()


def _printed(command: list[str]) -> str:
    """What a command writes to a terminal; a terminal, because the command colours only there."""
    primary, secondary = pty.openpty()
    wide = os.environ | {"COLUMNS": "160"}
    process = subprocess.Popen(command, stdout=secondary, stderr=subprocess.DEVNULL, close_fds=True, env=wide)
    os.close(secondary)
    parts = []
    while True:
        try:
            part = os.read(primary, 65_536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(primary)
    if process.wait():
        sys.exit(f"{' '.join(command)} failed")
    return b"".join(parts).decode().replace("\r\n", "\n").rstrip("\n")


def airflow(browser: webdriver.Chrome, url: str, user: str, password: str) -> None:
    """A night of one source's DAG as a graph, with the assets that it feeds."""
    token = _ask(f"{url}/auth/token", {"username": user, "password": password})["access_token"]
    browser.get(url)
    browser.add_cookie({"name": "_token", "value": token, "path": "/"})
    kept = {"default_dag_view": "graph", f"dependencies-{DAG}": "immediate", "timezone": "Asia/Shanghai"}
    for key, value in kept.items():
        browser.execute_script("localStorage.setItem(arguments[0], JSON.stringify(arguments[1]))", key, value)
    # A night with nothing new is short, and shows skipped tasks only.
    runs = _ask(f"{url}/api/v2/dags/{DAG}/dagRuns?order_by=-run_after&limit=50", token=token)["dag_runs"]
    longest = max(runs, key=lambda run: run["duration"] or 0)
    browser.set_window_size(1280, 640)
    _open(browser, f"{url}/dags/{DAG}/runs/{longest['dag_run_id']}", "all_loaded")
    _save("graph.png", browser.get_screenshot_as_png())


def _open(browser: webdriver.Chrome, page: str, expected: str) -> None:
    """Open a page and wait until it shows ``expected`` and has come to rest."""
    for _ in range(4):
        browser.get(page)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if expected in _text(browser):
                # The graph is laid out after its nodes are there.
                time.sleep(5)
                return
            time.sleep(0.5)
    sys.exit(f"{page} does not show {expected}")


def _text(browser: webdriver.Chrome) -> str:
    try:
        return browser.find_element(By.TAG_NAME, "body").text
    except WebDriverException:  # the page is being replaced
        return ""


def _ask(url: str, body: dict[str, str] | None = None, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    # Never through a proxy: the page is on this machine.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def _save(name: str, content: bytes) -> None:
    path = HERE / name
    path.write_bytes(content)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
