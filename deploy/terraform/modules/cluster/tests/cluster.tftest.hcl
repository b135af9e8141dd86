# Run by deploy/tests/terraform/run with a mocked provider, which sends nothing to DigitalOcean.
# Passes with Terraform 1.11.4 and 1.15.5. Not run with OpenTofu.

mock_provider "digitalocean" {
  mock_data "digitalocean_kubernetes_versions" {
    defaults = {
      valid_versions = ["1.36.4-do.1", "1.36.4-do.0"]
      latest_version = "1.36.4-do.1"
    }
  }
}

variables {
  name                            = "model-services"
  environment                     = "production"
  region                          = "nyc3"
  kubernetes_version_prefix       = "1.36."
  control_plane_allowed_addresses = ["203.0.113.7/32", "198.51.100.0/24"]
  registry_name                   = "example-model-services"
}

run "services_pool" {
  assert {
    condition     = digitalocean_kubernetes_cluster.this.node_pool[0].labels["workload"] == "model-services"
    error_message = "The default pool lacks the label that deploy/kubernetes/overlays/digitalocean selects."
  }

  assert {
    condition     = length(digitalocean_kubernetes_cluster.this.node_pool[0].taint) == 0
    error_message = "A taint on the default pool keeps the cluster's own pods out."
  }

  assert {
    condition = (
      digitalocean_kubernetes_cluster.this.node_pool[0].auto_scale &&
      digitalocean_kubernetes_cluster.this.node_pool[0].min_nodes == 2 &&
      digitalocean_kubernetes_cluster.this.node_pool[0].max_nodes == 5
    )
    error_message = "The default pool does not scale between 2 and 5 nodes."
  }

  assert {
    condition     = digitalocean_kubernetes_cluster.this.node_pool[0].node_count == null
    error_message = "A fixed number of nodes works against the autoscaler."
  }
}

run "logging_pool" {
  assert {
    condition     = digitalocean_kubernetes_node_pool.logging.cluster_id == digitalocean_kubernetes_cluster.this.id
    error_message = "The additional pool belongs to another cluster."
  }

  assert {
    condition     = digitalocean_kubernetes_node_pool.logging.labels["workload"] == "logging-system"
    error_message = "The additional pool lacks the label that deploy/kubernetes/logging selects."
  }

  assert {
    condition = (
      length(digitalocean_kubernetes_node_pool.logging.taint) == 1 &&
      one(digitalocean_kubernetes_node_pool.logging.taint[*].key) == "workload" &&
      one(digitalocean_kubernetes_node_pool.logging.taint[*].value) == "logging-system" &&
      one(digitalocean_kubernetes_node_pool.logging.taint[*].effect) == "NoSchedule"
    )
    error_message = "The additional pool is not tainted with workload=logging-system:NoSchedule."
  }

  assert {
    condition = (
      digitalocean_kubernetes_node_pool.logging.auto_scale &&
      digitalocean_kubernetes_node_pool.logging.min_nodes == 3 &&
      digitalocean_kubernetes_node_pool.logging.max_nodes == 4 &&
      digitalocean_kubernetes_node_pool.logging.node_count == null
    )
    error_message = "The additional pool does not scale between 3 and 4 nodes."
  }
}

run "control_plane" {
  assert {
    condition = (
      digitalocean_kubernetes_cluster.this.control_plane_firewall[0].enabled &&
      digitalocean_kubernetes_cluster.this.control_plane_firewall[0].allowed_addresses == tolist(["203.0.113.7/32", "198.51.100.0/24"])
    )
    error_message = "The control plane is reachable from other addresses than the configured ones."
  }

  assert {
    condition     = digitalocean_kubernetes_cluster.this.version == "1.36.4-do.1"
    error_message = "The cluster does not start with the newest patch."
  }

  assert {
    condition     = data.digitalocean_kubernetes_versions.this.version_prefix == "1.36."
    error_message = "The versions are not limited to the requested minor version."
  }

  assert {
    condition = (
      digitalocean_kubernetes_cluster.this.auto_upgrade &&
      digitalocean_kubernetes_cluster.this.surge_upgrade &&
      digitalocean_kubernetes_cluster.this.maintenance_policy[0].day == "sunday" &&
      digitalocean_kubernetes_cluster.this.maintenance_policy[0].start_time == "04:00"
    )
    error_message = "Patches are not installed by surge on Sundays at 04:00 UTC."
  }

  assert {
    condition     = !digitalocean_kubernetes_cluster.this.ha
    error_message = "High availability costs money and must be requested."
  }
}

run "high_availability" {
  variables {
    high_availability = true
  }

  assert {
    condition     = digitalocean_kubernetes_cluster.this.ha
    error_message = "The variable does not reach the cluster."
  }
}

run "network_registry_project" {
  assert {
    condition = (
      digitalocean_kubernetes_cluster.this.vpc_uuid == digitalocean_vpc.this.id &&
      digitalocean_vpc.this.region == digitalocean_kubernetes_cluster.this.region
    )
    error_message = "The cluster is outside the VPC."
  }

  assert {
    condition = (
      digitalocean_kubernetes_cluster.this.registry_integration &&
      digitalocean_container_registry.this.subscription_tier_slug == "basic" &&
      output.registry_endpoint == digitalocean_container_registry.this.endpoint
    )
    error_message = "The cluster cannot pull from the registry."
  }

  assert {
    condition = (
      one(digitalocean_project.this.resources) == digitalocean_kubernetes_cluster.this.urn &&
      digitalocean_project.this.environment == "Production" &&
      digitalocean_project.this.is_default != true
    )
    error_message = "The project does not hold the cluster, or it has become the account's default project."
  }

  assert {
    condition     = digitalocean_kubernetes_cluster.this.destroy_all_associated_resources
    error_message = "Load balancers and volumes would outlive the cluster."
  }
}

run "version_no_longer_offered" {
  command = plan

  override_data {
    target = data.digitalocean_kubernetes_versions.this
    values = {
      valid_versions = []
      latest_version = null
    }
  }

  expect_failures = [data.digitalocean_kubernetes_versions.this]
}

run "version_prefix_without_last_dot" {
  command = plan

  variables {
    kubernetes_version_prefix = "1.36"
  }

  expect_failures = [var.kubernetes_version_prefix]
}

run "version_prefix_of_any_minor" {
  command = plan

  variables {
    kubernetes_version_prefix = "1.3"
  }

  expect_failures = [var.kubernetes_version_prefix]
}

run "no_address" {
  command = plan

  variables {
    control_plane_allowed_addresses = []
  }

  expect_failures = [var.control_plane_allowed_addresses]
}

run "whole_internet" {
  command = plan

  variables {
    control_plane_allowed_addresses = ["203.0.113.7/32", "0.0.0.0/0"]
  }

  expect_failures = [var.control_plane_allowed_addresses]
}

run "half_of_the_internet" {
  command = plan

  variables {
    control_plane_allowed_addresses = ["128.0.0.0/1"]
  }

  expect_failures = [var.control_plane_allowed_addresses]
}

run "no_cidr" {
  command = plan

  variables {
    control_plane_allowed_addresses = ["203.0.113.7"]
  }

  expect_failures = [var.control_plane_allowed_addresses]
}

run "single_node" {
  command = plan

  variables {
    services_pool = { min_nodes = 1 }
  }

  expect_failures = [var.services_pool]
}

run "no_majority" {
  command = plan

  variables {
    logging_pool = { min_nodes = 2 }
  }

  expect_failures = [var.logging_pool]
}

run "maximum_below_minimum" {
  command = plan

  variables {
    services_pool = { min_nodes = 4, max_nodes = 3 }
    logging_pool  = { min_nodes = 4, max_nodes = 3 }
  }

  expect_failures = [var.services_pool, var.logging_pool]
}

run "names" {
  command = plan

  variables {
    name          = "Model Services"
    environment   = "test"
    region        = "new york"
    registry_name = "Example_Services"
  }

  expect_failures = [var.name, var.environment, var.region, var.registry_name]
}
