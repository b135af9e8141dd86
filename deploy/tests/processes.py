"""Child processes, free ports and polling with a deadline."""

import signal
import socket
import subprocess
import time


class Failure(Exception):
    """A check that did not hold."""


def wait_until(condition, what, seconds=120):
    """Polls until `condition` returns a true value, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def free_port():
    """Returns a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child process whose output goes to a file."""

    def __init__(self, name, command, output, environment=None):
        self.name = name
        self.output = output
        with open(output, "ab") as file:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
            )

    def is_running(self):
        return self.child.poll() is None

    def wait_ready(self, is_ready, seconds=120):
        def ready_or_dead():
            if not self.is_running():
                raise Failure(f"{self.name} exited with {self.child.returncode}, see {self.output}")
            return is_ready()

        wait_until(ready_or_dead, f"{self.name} is ready", seconds)

    def kill(self):
        """Sends SIGKILL and returns whether this signal ended the process."""
        self.child.kill()
        return self.child.wait() == -signal.SIGKILL

    def stop(self, seconds=120):
        """Sends SIGTERM and returns the exit status."""
        self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} did not stop within {seconds} s") from None

    def end(self):
        """Ends the process in any state, for cleaning up."""
        if self.is_running():
            self.kill()
