#!/usr/bin/env python3
"""Requests predictions from a running service until it accepts no more, and writes the id of every answer to a file.

Prints one line, `loaded`, once enough predictions were answered to send a signal, and at the end a summary as JSON. Exits
with 1 if an accepted request was not answered, or if the service has not stopped in time.
"""

import argparse
import http.client
import json
import threading
import time

PATH = "/api/models/insurance_charges_model/prediction"
BODY = json.dumps(
    {"age": 65, "sex": "male", "bmi": 50, "children": 5, "smoker": True, "region": "southwest"}
)


class Load:
    """State that all clients share."""

    def __init__(self, options):
        self.address = options.address
        self.headers = {"content-type": "application/json"}
        if options.key:
            self.headers["x-api-key"] = options.key
        self.enough = options.enough
        self.deadline = time.monotonic() + options.limit
        self.lock = threading.Lock()
        self.ids = []
        self.closed = 0
        self.failures = []

    def answered(self, prediction_id, closing):
        with self.lock:
            self.ids.append(prediction_id)
            self.closed += closing
            if len(self.ids) == self.enough:
                print("loaded", flush=True)

    def failed(self, what):
        with self.lock:
            self.failures.append(what)

    def client(self, keep_alive):
        """Runs one client. It respects `connection: close`, and ends when the service accepts no connection."""
        connection = None
        while time.monotonic() < self.deadline:
            if connection is None:
                connection = http.client.HTTPConnection(self.address, timeout=30)
                try:
                    connection.connect()
                except ConnectionError:
                    return
                fresh = True
            try:
                connection.request("POST", PATH, BODY, self.headers)
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                # A connection that was reset before its first request was read: the log shows whether it was read.
                if fresh and isinstance(error, ConnectionError):
                    return
                self.failed(f"no answer: {error!r}")
                return
            if response.status != 200:
                self.failed(f"{response.status}: {body!r}")
                return
            fresh = False
            closing = response.getheader("connection", "").lower() == "close"
            self.answered(json.loads(body)["prediction_id"], closing)
            if closing or not keep_alive:
                connection.close()
                connection = None
        self.failed("the service still accepts requests")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="HOST:PORT")
    parser.add_argument("ids", help="file for the ids of the answered predictions")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--enough", type=int, default=2000, help="predictions until `loaded` is printed")
    parser.add_argument("--limit", type=float, default=120, help="seconds until the service must have stopped")
    parser.add_argument("--key", help="API key")
    options = parser.parse_args()
    load = Load(options)
    # Every fourth client opens a connection for each request.
    clients = [
        threading.Thread(target=load.client, args=(number % 4 != 3,)) for number in range(options.clients)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    with open(options.ids, "w", encoding="utf-8") as file:
        file.writelines(f"{prediction_id}\n" for prediction_id in load.ids)
    print(json.dumps({"answered": len(load.ids), "closing": load.closed, "failures": load.failures[:10]}))
    raise SystemExit(1 if load.failures else 0)


if __name__ == "__main__":
    main()
