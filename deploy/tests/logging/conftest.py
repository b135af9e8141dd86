"""Renders the logging stack once; the tests read it."""

import copy
import os

import pytest

import stack

NAMES = ("base", "overlays/local", "overlays/digitalocean", "overlays/digitalocean-logstash")


@pytest.fixture(scope="session")
def rendered_once():
    return {name: stack.render(name) for name in NAMES}


@pytest.fixture(params=NAMES)
def objects(request, rendered_once):
    """Returns a copy of the objects of one kustomization, which a test may change."""
    return copy.deepcopy(rendered_once[request.param])


class Copies:
    """The objects of all kustomizations by name. Each access returns a copy, which a test may change."""

    def __init__(self, originals):
        self.originals = originals

    def __getitem__(self, name):
        return copy.deepcopy(self.originals[name])


@pytest.fixture
def rendered(rendered_once):
    return Copies(rendered_once)


@pytest.fixture(scope="session")
def eck():
    """Returns the folder of ECK's Go module."""
    return stack.Path(os.environ["ECK_MODULE"])
