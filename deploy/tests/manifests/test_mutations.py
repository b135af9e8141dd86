"""Each mutation must make its check fail, with its reason."""

import copy
import os
import re

import pytest

import against_service
import container
import overlays
import placement
import pod_security
import rendering
import rules
import schemas
from mutations import MUTATIONS


@pytest.fixture(scope="session")
def complete():
    """Returns the largest overlay with the components that no overlay has."""
    overlay = "overlays/digitalocean"
    components = [rendering.KUBERNETES / "components" / name for name in ("ingress", "opentelemetry")]
    return rendering.parse(overlay, rendering.build_with("complete", rendering.KUBERNETES / overlay, components))


@pytest.fixture(scope="session")
def newest(custom):
    version = schemas.KubernetesSchemas(os.environ["KUBERNETES_SCHEMAS"].split()[-1])
    return lambda manifests: schemas.problems(manifests, version, custom)


@pytest.fixture(scope="session")
def checks(newest):
    return {
        "schema": newest,
        "pod-security": lambda m: pod_security.problems(m, pod_security.enforced([m])),
        "placement": lambda m: placement.problems(m, placement.made([m])),
        "rules": rules.problems,
        "overlay": overlays.problems,
        "service": against_service.problems,
        # File modes have no effect unless the service has its own user.
        "service-as-root": against_service.problems,
    }


def test_without_a_mutation(complete, checks):
    assert {name: list(check(complete)) for name, check in checks.items()} == {name: [] for name in checks}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_mutation(mutation, complete, checks):
    if mutation.check == "service-as-root" and not container.IS_ROOT:
        pytest.skip("only root can start the service as another user")
    manifests = rendering.Manifests(complete.name, copy.deepcopy(complete.objects))
    mutation.change(manifests)
    assert manifests.objects != complete.objects, "the mutation changes nothing"
    found = list(checks[mutation.check](manifests))
    assert any(re.search(mutation.reason, problem, re.DOTALL) for problem in found), found
