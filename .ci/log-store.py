"""Uses the page of ml-logs in a browser, as a reader does.

    log-store.py log FILE                      writes a log of a day
    log-store.py browse ADDRESS FILE FOLDER    uses the page; FILE is the log, FOLDER is for screenshots
"""

import csv
import datetime
import json
import random
import sys
import time
import urllib.request
import uuid
from pathlib import Path

PREDICTIONS = 20_000
ERRORS = ["the model cannot predict for age {}: tree {} is missing", "the connection to the feature store timed out after {} ms, attempt {}"]


def check(holds, message):
    if not holds:
        sys.exit(f"failed: {message}")


def records(at, chance, number):
    """Returns the records of one prediction, as the demo logs them. Every hundredth fails."""
    identifier = uuid.UUID(int=chance.getrandbits(128), version=4)
    instance = f"insurance-{number % 3}"

    def record(message, level="INFO", **fields):
        return json.dumps({
            "asctime": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z", "hostname": instance, "process": 7 + number % 3,
            "thread": 3, "name": "insurance_charges_model_logger", "pathname": "src/model.rs", "lineno": 20,
            "levelname": level, "message": message, "action": "predict",
            "model_qualified_name": "insurance_charges_model", "model_version": "0.2.0" if number > PREDICTIONS / 2 else "0.1.0",
            "prediction_id": str(identifier), **fields,
        })

    age = min(65, max(18, int(chance.gauss(36 + 8 * number / PREDICTIONS, 12))))
    region = chance.choice(["northeast", "northwest", "southeast", "southwest"])
    duration = round(chance.lognormvariate(1 + number / PREDICTIONS, 0.6), 3)
    yield record("Prediction requested.", age=age, bmi=round(chance.gauss(30, 6), 1), region=region)
    if number % 100 == 99:
        error = chance.choice(ERRORS).format(age, number % 7)
        yield record("Prediction exception.", "ERROR", status="error", duration_ms=duration, error_info=error)
    else:
        charges = round(chance.lognormvariate(9, 0.8), 2)
        yield record("Prediction created.", status="success", duration_ms=duration, charges=charges)


def write_log(path):
    chance = random.Random(1)
    now = datetime.datetime.now(datetime.timezone.utc)
    with open(path, "w", encoding="utf-8") as log:
        for number in range(PREDICTIONS):
            # Two hours in the middle are empty.
            hours = 23.5 * (1 - number / PREDICTIONS)
            if 10 < hours < 12:
                continue
            for line in records(now - datetime.timedelta(hours=hours), chance, number):
                log.write(line + "\n")
        log.write("INFO:     Uvicorn running on http://127.0.0.1:8000\n")
        log.write(json.dumps({"asctime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "levelname": "WARNING", "name": "trees",
                              "message": "<b>A tree is unbalanced.</b>", "depth": 17}) + "\n")


def browser():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")  # root has none
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--window-size=1280,1500")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Explicit paths, so that selenium downloads nothing.
    options.binary_location = "/usr/bin/chromium"
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


class Page:
    def __init__(self, driver, address, folder):
        self.driver, self.address, self.folder = driver, address, Path(folder)

    def get(self, path):
        with urllib.request.urlopen(self.address + path) as response:
            return json.load(response)

    def until(self, condition, what):
        from selenium.common.exceptions import StaleElementReferenceException

        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                found = condition()
            except StaleElementReferenceException:
                # The page has replaced the element between two commands.
                found = None
            if found:
                return found
            time.sleep(0.05)
        self.driver.save_screenshot(str(self.folder / "failed.png"))
        sys.exit(f"failed: no {what} at {self.driver.current_url}")

    def all(self, css):
        from selenium.webdriver.common.by import By

        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def shown(self, css):
        """Waits for an element that is shown."""
        return self.until(lambda: next((one for one in self.all(css) if one.is_displayed()), None), css)

    def ready(self):
        self.until(lambda: self.all('#main[aria-busy="false"]'), "finished view")

    def open(self, path):
        self.driver.get(self.address + path)
        self.ready()

    def press(self, key):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(key).perform()

    def text(self):
        return self.shown("#main").text

    def audit(self, name):
        """Fails for serious violations of the rules of axe."""
        from axe_core_python.selenium import Axe

        found = Axe().run(self.driver)
        serious = [f"{one['id']}: {[node['html'] for node in one['nodes'][:3]]}" for one in found["violations"]
                   if one["impact"] in ("serious", "critical")]
        check(not serious, f"axe on {name}: {serious}")

    def picture(self, name):
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))


def use_overview(page):
    from selenium.webdriver.common.action_chains import ActionChains

    page.open("/")
    page.shown(".uplot canvas")
    page.picture("overview")
    page.audit("overview")
    chart = page.shown(".u-over")
    width = chart.size["width"]
    ActionChains(page.driver).move_to_element_with_offset(chart, -width // 4, 0).click_and_hold() \
        .move_by_offset(width // 4, 0).release().perform()
    page.until(lambda: "from=20" in page.driver.current_url, "zoomed address")
    page.ready()
    page.picture("zoomed")
    page.driver.back()
    # The browser knows the address before the page does.
    page.until(lambda: "from=20" not in page.driver.execute_script("return location.search"), "address before the zoom")
    page.ready()


def use_local_times(page):
    """Times are written in the zone in which they are shown."""
    page.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    page.open("/?view=failures")
    for name, text in (("from", "2026-07-01 14:00"), ("to", "2026-07-02")):
        field = page.shown(f"#scope input[name={name}]")
        field.clear()
        field.send_keys(text)
    field.submit()
    page.until(lambda: "from=2026-07-01T05%3A00%3A00Z&to=2026-07-02T15%3A00%3A00Z" in page.driver.current_url, "instants in the address")
    page.ready()
    page.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    page.open("/")


def use_search(page):
    page.press("/")
    field = page.until(lambda: page.driver.switch_to.active_element if page.driver.switch_to.active_element.get_attribute("name") == "filter" else None, "focused filter")
    field.send_keys("age>60 status=error\n")
    page.until(lambda: "filter=age" in page.driver.current_url, "filter in the address")
    page.ready()
    page.until(lambda: page.all("tbody tr"), "rows")
    rows = page.all("tbody tr")
    check(rows and all("error" in row.text for row in rows), "the rows are not failures")
    page.picture("search")
    page.audit("search")
    download(page)
    # Unchanged for a colleague who opens the address.
    address, count = page.driver.current_url, len(rows)
    page.driver.get(address)
    page.until(lambda: len(page.all("tbody tr")) == count, "same rows")
    page.open("/?view=search&filter=agee%3E60")
    check("did you mean `age`?" in page.text() and "^^^^" in page.text(), f"no mistake: {page.text()}")
    newest = page.get("/api/predictions?limit=1&filter=status%3Dsuccess")
    identifier = newest["predictions"][0]["prediction_id"]
    page.open(f"/?view=search&filter={identifier}")
    page.until(lambda: len(page.all("tbody tr")) == 1, "one row")
    page.shown("tbody td.id a").click()
    page.until(lambda: "view=prediction" in page.driver.current_url, "prediction")


def download(page):
    """Clicks on both downloads, and compares the files with the answer of the API."""
    from selenium.webdriver.common.by import By

    expected = page.get("/api/predictions?limit=10000&filter=age%3E60+status%3Derror")["predictions"]
    ids = [prediction["prediction_id"] for prediction in expected]
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(page.folder.resolve())})
    files = {name: page.folder / f"predictions.{name}" for name in ("csv", "json")}
    for name, file in files.items():
        file.unlink(missing_ok=True)
        page.driver.find_element(By.LINK_TEXT, name.upper()).click()
        # The browser renames the file when it is complete.
        page.until(file.exists, f"downloaded {file.name}")
    with files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    check([row["prediction_id"] for row in rows] == ids, f"the CSV file has {len(rows)} predictions, the API {len(ids)}")
    check(all(row["status"] == "error" and int(row["age"]) > 60 for row in rows), "the CSV file has other predictions")
    found = json.loads(files["json"].read_text(encoding="utf-8"))["predictions"]
    check(found == expected, "the JSON file differs from the answer of the API")


def use_prediction(page):
    from selenium.webdriver.common.keys import Keys

    page.ready()
    check("Prediction requested." in page.text() and "Prediction created." in page.text(), page.text())
    page.picture("prediction")
    page.audit("prediction")
    before = page.driver.current_url
    page.press(Keys.ARROW_LEFT)
    page.until(lambda: page.driver.current_url != before, "neighbour")


def use_failures(page):
    page.open("/?view=failures")
    rows = page.all("tbody tr")
    check(len(rows) == 2, f"{len(rows)} causes")
    check("the model cannot predict for age #: tree # is missing" in page.text(), page.text())
    page.picture("failures")
    page.audit("failures")


def use_fields(page):
    page.open("/?view=fields&from=8h")
    page.until(lambda: len(page.all(".uplot")) == 4, "four charts")
    check("PSI" in page.text(), page.text())
    page.picture("fields")
    page.audit("fields")


def use_live(page, log):
    page.open("/?view=live")
    before = page.shown("tbody td.id").text
    now = datetime.datetime.now(datetime.timezone.utc)
    with open(log, "a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in records(now, random.Random(2), 1)))
    page.until(lambda: page.all("tbody td.id") and page.all("tbody td.id")[0].text != before, "new prediction")
    page.audit("live")


def use_log(page):
    page.open("/?view=log")
    check("<b>A tree is unbalanced.</b>" in page.text(), "a value is markup")
    check("Uvicorn running" in page.text(), "the rejected line is missing")
    page.audit("log")


def use_dark_and_small(page):
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    page.open("/")
    page.shown(".uplot canvas")
    page.picture("dark")
    page.audit("dark")
    page.shown("#theme").click()
    page.until(lambda: page.all('html[data-theme="light"]'), "light theme")
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    for view in ("overview", "search", "failures", "fields"):
        page.open(f"/?view={view}")
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        check(wide <= 390, f"{view} is {wide} pixels wide on a phone")
        page.picture(f"phone-{view}")


def browse(address, log, folder):
    driver = browser()
    try:
        page = Page(driver, address, folder)
        page.until(lambda: page.get("/api/health")["rejected"] == 1, "end of the log")
        use_overview(page)
        use_local_times(page)
        use_search(page)
        use_prediction(page)
        use_failures(page)
        use_fields(page)
        use_live(page, log)
        use_log(page)
        use_dark_and_small(page)
        asked = []
        for entry in driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        elsewhere = [url for url in asked if not url.startswith((f"{address}/", "data:"))]
        check(not elsewhere, f"the page requested other hosts: {elsewhere}")
        expected = ("400 (Bad Request)",)  # the mistaken filter
        console = [entry for entry in driver.get_log("browser") if not any(text in entry["message"] for text in expected)]
        check(not console, f"the page wrote to the console: {console}")
    finally:
        driver.quit()
    print(f"the page works: {len(asked)} requests, screenshots in {folder}")


if __name__ == "__main__":
    {"log": write_log, "browse": browse}[sys.argv[1]](*sys.argv[2:])
