"""Uses the documentation page as a reader does: opens it, sends a prediction, reads the answer.

Arguments: address of the service, file for a screenshot of the page, log of the service.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openapi_spec_validator import OpenAPIV31SpecValidator
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

BODY = '{"age":65,"sex":"male","bmi":50,"children":5,"smoker":true,"region":"southwest"}'
OPERATION = "#operations-Predictions-predict_insurance_charges_model"


def check(holds, message):
    if not holds:
        sys.exit(f"failed: {message}")


def browser():
    options = webdriver.ChromeOptions()
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")  # root has none
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--window-size=1200,2400")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Explicit paths, so that selenium downloads nothing.
    options.binary_location = "/usr/bin/chromium"
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


def requests(driver):
    """Yields the address of every request of the page."""
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


def try_prediction(driver):
    """Sends the example prediction through the page and returns the body of the answer."""

    def wait(css):
        return WebDriverWait(driver, 30).until(
            lambda driver: next(
                (found for found in driver.find_elements(By.CSS_SELECTOR, css) if found.is_displayed()), None
            ),
            f"no {css}",
        )

    wait(f"{OPERATION} .opblock-summary-control").click()
    wait(f"{OPERATION} .try-out__btn").click()
    field = wait(f"{OPERATION} textarea.body-param__text")
    example = json.loads(field.get_property("value"))
    check(set(example) == set(json.loads(BODY)), f"the example is {example}")
    field.clear()
    field.send_keys(BODY)
    wait(f"{OPERATION} button.execute").click()
    answer = f"{OPERATION} .live-responses-table tr.response"
    status = wait(f"{answer} .response-col_status").text
    check(status.startswith("200"), f"the answer has status {status}")
    return json.loads(wait(f"{answer} .highlight-code code").text)


def open_everything(driver):
    """Unfolds the other operations, the schemas and their contents."""
    for css in (".opblock:not(.is-open) .opblock-summary-control", ".tablinks", ".json-schema-2020-12-accordion"):
        press_all = "const all = document.querySelectorAll(arguments[0]); all.forEach(one => one.click()); return all.length"
        check(driver.execute_script(press_all, css), f"no {css}")


@contextmanager
def published_under(prefix, address):
    """Runs a proxy that publishes the service under a path, and yields the address of this path."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self):
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404, f"{self.path} is not below {prefix}")
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: self.headers[name] for name in ("content-type", "accept-encoding") if name in self.headers}
            request = urllib.request.Request(
                address + self.path.removeprefix(prefix), body or None, headers, method=self.command
            )
            request.add_header("x-forwarded-prefix", prefix)
            try:
                answer = urllib.request.build_opener(NoRedirect).open(request)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "connection", "date"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = forward

        def log_message(self, *_):
            pass

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


def main(address, picture, log):
    with urllib.request.urlopen(f"{address}/openapi.json") as response:
        document = json.load(response)
    errors = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    check(not errors, f"the document is not OpenAPI 3.1: {errors}")

    driver = browser()
    try:
        driver.get(f"{address}/")
        check(driver.current_url == f"{address}/docs", f"/ redirects to {driver.current_url}")
        answer = try_prediction(driver)
        driver.save_screenshot(picture)
        open_everything(driver)
        check(driver.title == document["info"]["title"], f"the title is {driver.title}")
        check(answer["charges"] > 10_000, f"the answer is {answer}")
        with open(log, encoding="utf-8") as lines:
            records = [line for line in lines if f'"prediction_id":"{answer["prediction_id"]}"' in line]
        check(len(records) == 2, f"{len(records)} records, not 2, have the id of {answer}")

        asked = list(requests(driver))
        check(f"{address}/docs/swagger-ui-bundle.js" in asked, f"the browser requested {asked}")
        elsewhere = [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))]
        check(not elsewhere, f"the page requested other hosts: {elsewhere}")
        with published_under("/insurance", address) as published:
            driver.get(f"{published}/")
            check(driver.current_url == f"{published}/docs", f"/ redirects to {driver.current_url}")
            answer = try_prediction(driver)
            check(answer["charges"] > 10_000, f"the answer behind a proxy is {answer}")
        console = driver.get_log("browser")
        check(not console, f"the page wrote to the console: {console}")
    finally:
        driver.quit()
    print(f"the documentation page works: {len(asked)} requests, screenshot in {picture}")


main(*sys.argv[1:])
