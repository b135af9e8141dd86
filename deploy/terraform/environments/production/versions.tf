# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# Not applied to an account.

terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    digitalocean = {
      source = "digitalocean/digitalocean"
      # The same number as in deploy/versions.env.
      version = "2.99.1"
    }
  }
}

# The token comes from the environment variable DIGITALOCEAN_TOKEN, never from a file.
provider "digitalocean" {}
