"""The rendered stack follows the rules."""

import re

import filebeat_settings
import flows
import pipeline
import pytest
import rules
import stack


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(objects, rule):
    assert list(rule(objects)) == []


def test_one_version(objects):
    assert list(rules.versions_agree(objects, stack.versions()["ELASTIC_STACK_VERSION"])) == []


def test_eck_supports_the_version(eck):
    """The version is in ECK's table of versions, and the sample of its release."""
    wanted = stack.versions()["ELASTIC_STACK_VERSION"]
    major = wanted.split(".")[0]
    source = (eck / "pkg/controller/common/version/version.go").read_text()
    for product in ("Kibana", "Beat", "Logstash"):
        assert re.search(rf"Supported{product}Versions\s*=.*Max: From\({major}, 99, 99\)", source), product


@pytest.mark.parametrize("name", ["overlays/digitalocean", "overlays/digitalocean-logstash"])
def test_production_is_on_its_pool(rendered, name):
    assert list(rules.on_their_pool(rendered[name])) == []


def test_network_policies(objects):
    assert list(flows.problems(objects)) == []


def test_filebeat_knows_its_settings(objects):
    assert list(filebeat_settings.problems(objects)) == []


def test_pipeline(rendered):
    text = (stack.LOGGING / "components/logstash/pipeline.conf").read_text()
    assert list(pipeline.problems(rendered["overlays/digitalocean-logstash"], text)) == []


def test_eck_has_the_roles_that_are_replaced(eck):
    """A role with another name would have no effect, and ECK's own would stay."""
    roles = (eck / "pkg/controller/elasticsearch/user/roles.go").read_text()
    assert 'LogstashUserRole = "eck_logstash_user_role"' in roles
    association = (eck / "pkg/controller/association/controller/logstash_es.go").read_text()
    assert "return user.LogstashUserRole, nil" in association


def test_eck_lets_filebeat_name_its_user(eck):
    """The object's settings override ECK's own, so that its administrator is not used."""
    config = (eck / "pkg/controller/beat/common/config.go").read_text()
    assert config.index("cfg.MergeWith(outputCfg, managedConfig)") < config.index("cfg.MergeWith(userConfig)")
    assert '"kibana_admin"' in (eck / "pkg/controller/association/controller/beat_es.go").read_text()


def test_eck_has_the_names_that_are_used(eck):
    """ECK merges containers and volumes by these names, and its own hooks use the curl of the Job's image."""
    names = {
        "pkg/controller/logstash/initcontainer.go": '"logstash-internal-init-config"',
        "pkg/controller/logstash/volume/names.go": '"logstash-data"',
        "pkg/controller/beat/common/pod.go": '"beat-data"',
        "pkg/controller/elasticsearch/nodespec/lifecycle_hook.go": "curl -k",
    }
    for file, name in names.items():
        assert name in (eck / file).read_text(), file
