# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# Not applied to an account.

module "cluster" {
  source = "../../modules/cluster"

  name                            = "model-services"
  environment                     = "production"
  region                          = var.region
  kubernetes_version_prefix       = var.kubernetes_version_prefix
  control_plane_allowed_addresses = var.control_plane_allowed_addresses
  high_availability               = var.high_availability
  registry_name                   = var.registry_name
}
