# Checked with Terraform 1.11.4 and 1.15.5 and OpenTofu 1.12.6, provider 2.99.1: see deploy/terraform/README.md.
# Not applied to an account.

terraform {
  # 1.9 is the first version whose variable validations may refer to other values.
  required_version = ">= 1.9, < 2.0"

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.99"
    }
  }
}
