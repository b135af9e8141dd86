"""Renders everything once and parametrises the tests with it."""

import os

import pytest

import overlays
import rendering
import schemas
from facts import NAMESPACE, SERVICE

NAMES = [rendering.name_of(directory) for directory, _ in rendering.kustomizations()]
VERSIONS = os.environ["KUBERNETES_SCHEMAS"].split()


@pytest.fixture(scope="session")
def rendering_result():
    return rendering.render_all()


@pytest.fixture(scope="session")
def everything(rendering_result):
    return rendering_result[0]


@pytest.fixture(scope="session", params=VERSIONS)
def kubernetes(request):
    return schemas.KubernetesSchemas(request.param)


@pytest.fixture(scope="session")
def custom():
    return schemas.custom_resource_definitions()


@pytest.fixture(params=NAMES)
def rendered(request, everything):
    if request.param not in everything:
        pytest.fail(f"{request.param} is not rendered")
    return everything[request.param]


# Those of logging/ do not contain the service.
@pytest.fixture(params=[n for n in NAMES if not n.startswith("logging")])
def with_service(request, everything):
    manifests = everything[request.param]
    assert manifests.find("Deployment", SERVICE, NAMESPACE)
    return manifests


@pytest.fixture(params=sorted(overlays.NODE_SELECTORS))
def overlay(request):
    return request.param
