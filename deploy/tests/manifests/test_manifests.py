"""Every rendered kustomization against schemas, pod security, the rules, and the running service."""

import against_service
import overlays
import placement
import pod_security
import rules
import schemas


def test_everything_is_rendered(everything, rendering_result):
    """Fails as well if the search finds nothing."""
    assert rendering_result[1] == []
    expected = {
        "base",
        "components/high-availability",
        "components/ingress",
        "components/monitoring",
        "components/opentelemetry",
        "overlays/digitalocean",
        "overlays/local",
    }
    assert expected <= set(everything)
    assert all(m.objects for m in everything.values())


def test_schemas(rendered, kubernetes, custom):
    assert list(schemas.problems(rendered, kubernetes, custom)) == []


def test_pod_security(rendered, everything):
    assert list(pod_security.problems(rendered, pod_security.enforced(everything.values()))) == []


def test_placement(rendered, everything):
    assert list(placement.problems(rendered, placement.made(everything.values()))) == []


def test_rules(with_service):
    assert list(rules.problems(with_service)) == []


def test_overlay(everything, overlay):
    assert list(overlays.problems(everything[overlay])) == []


def test_service(with_service):
    assert list(against_service.problems(with_service)) == []


def test_shutdown(everything):
    assert list(against_service.shutdown_problems(everything["overlays/local"])) == []
