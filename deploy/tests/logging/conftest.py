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
    """The objects of one kustomization; a test may change them."""
    return copy.deepcopy(rendered_once[request.param])


@pytest.fixture
def rendered(rendered_once):
    return copy.deepcopy(rendered_once)


@pytest.fixture(scope="session")
def eck():
    """The folder of ECK's Go module."""
    return stack.Path(os.environ["ECK_MODULE"])
