# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# Not applied to an account.
#
# Arguments: https://registry.terraform.io/providers/digitalocean/digitalocean/2.99.1/docs

data "digitalocean_kubernetes_versions" "this" {
  version_prefix = var.kubernetes_version_prefix

  lifecycle {
    postcondition {
      condition     = length(self.valid_versions) > 0
      error_message = "DigitalOcean offers no Kubernetes ${var.kubernetes_version_prefix}x. See `doctl kubernetes options versions`."
    }
  }
}

resource "digitalocean_vpc" "this" {
  name   = var.name
  region = var.region

  # The cluster's droplets and load balancers leave the VPC some minutes after the cluster's deletion was accepted.
  timeouts {
    delete = "15m"
  }
}

resource "digitalocean_container_registry" "this" {
  name                   = var.registry_name
  region                 = var.region
  subscription_tier_slug = "basic"
}

resource "digitalocean_kubernetes_cluster" "this" {
  name     = var.name
  region   = var.region
  version  = data.digitalocean_kubernetes_versions.this.latest_version
  vpc_uuid = digitalocean_vpc.this.id
  ha       = var.high_availability

  auto_upgrade  = true
  surge_upgrade = true

  # Pods pull from the account's registry without a pull secret of their own.
  registry_integration = true

  # The state does not contain load balancers and volumes that Kubernetes created. Without this they outlive the
  # cluster.
  destroy_all_associated_resources = true

  maintenance_policy {
    day        = "sunday"
    start_time = "04:00"
  }

  control_plane_firewall {
    enabled           = true
    allowed_addresses = var.control_plane_allowed_addresses
  }

  node_pool {
    name       = "${var.name}-services"
    size       = var.services_pool.size
    auto_scale = true
    min_nodes  = var.services_pool.min_nodes
    max_nodes  = var.services_pool.max_nodes

    labels = {
      workload = "model-services"
    }
  }

  # registry_integration needs the account's registry to exist.
  depends_on = [digitalocean_container_registry.this]
}

resource "digitalocean_kubernetes_node_pool" "logging" {
  cluster_id = digitalocean_kubernetes_cluster.this.id
  name       = "${var.name}-logging"
  size       = var.logging_pool.size
  auto_scale = true
  min_nodes  = var.logging_pool.min_nodes
  max_nodes  = var.logging_pool.max_nodes

  labels = {
    workload = "logging-system"
  }

  taint {
    key    = "workload"
    value  = "logging-system"
    effect = "NoSchedule"
  }
}

resource "digitalocean_project" "this" {
  name        = var.name
  description = "Model services and their logs."
  purpose     = "Service or API"
  environment = title(var.environment)
  resources   = [digitalocean_kubernetes_cluster.this.urn]
}
