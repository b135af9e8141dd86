# Run by deploy/tests/terraform/run with a mocked provider, which sends nothing to DigitalOcean.
# Passes with Terraform 1.11.4 and 1.15.5. Not run with OpenTofu.

mock_provider "digitalocean" {
  mock_data "digitalocean_kubernetes_versions" {
    defaults = {
      valid_versions = ["1.36.4-do.1"]
      latest_version = "1.36.4-do.1"
    }
  }

  mock_resource "digitalocean_kubernetes_cluster" {
    defaults = {
      id = "bd5f5959-5e1e-4205-a714-a914373942af"
    }
  }

  mock_resource "digitalocean_container_registry" {
    defaults = {
      endpoint = "registry.digitalocean.com/example-model-services"
    }
  }
}

variables {
  control_plane_allowed_addresses = ["203.0.113.7/32"]
  registry_name                   = "example-model-services"
}

run "outputs" {
  assert {
    condition     = output.kubeconfig_command == "doctl kubernetes cluster kubeconfig save bd5f5959-5e1e-4205-a714-a914373942af"
    error_message = "The command does not fetch this cluster's kubeconfig."
  }

  assert {
    condition     = output.registry_endpoint == "registry.digitalocean.com/example-model-services"
    error_message = "The images' prefix is not the registry's."
  }

  assert {
    condition     = output.kubernetes_version == "1.36.4-do.1"
    error_message = "The version is not the cluster's."
  }
}
