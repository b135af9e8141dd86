# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# Not applied to an account. Only DigitalOcean checks droplet sizes and regions, when a plan is applied.

variable "name" {
  description = "Name of the cluster. The project, the VPC and the node pools derive their names from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}[a-z0-9]$", var.name))
    error_message = "The name takes 3 to 42 lower-case letters, digits and dashes, with a letter first and no dash last."
  }
}

variable "environment" {
  description = "Environment that the project is labelled with: development, staging or production."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["development", "staging", "production"], var.environment)
    error_message = "The environment is one of development, staging and production."
  }
}

variable "region" {
  description = "Region of the VPC, the cluster and the registry, for example nyc3. It must offer all three."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{3}[0-9]$", var.region))
    error_message = "A region is three lower-case letters and a digit, for example nyc3."
  }
}

variable "kubernetes_version_prefix" {
  description = "Minor version of Kubernetes with a dot at its end, for example \"1.36.\". Patches of it are installed automatically."
  type        = string
  nullable    = false

  # Without the last dot, "1.3" would also match 1.30 and later.
  validation {
    condition     = can(regex("^1\\.[1-9][0-9]\\.$", var.kubernetes_version_prefix))
    error_message = "The version prefix is a minor version with a dot at its end, for example \"1.36.\"."
  }
}

variable "control_plane_allowed_addresses" {
  description = "Addresses (CIDR) that may reach the Kubernetes API. It has no default, so that no cluster is open by omission."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.control_plane_allowed_addresses) > 0
    error_message = "Name at least one address; otherwise the firewall blocks every client."
  }

  validation {
    condition     = alltrue([for address in var.control_plane_allowed_addresses : can(cidrhost(address, 0))])
    error_message = "Each address is in CIDR notation, for example 203.0.113.7/32."
  }

  # Two halves of the Internet are as public as the whole.
  validation {
    condition = alltrue([
      for address in var.control_plane_allowed_addresses : try(tonumber(split("/", address)[1]) >= 8, true)
    ])
    error_message = "A range wider than /8 would open the control plane to the public."
  }
}

variable "high_availability" {
  description = "Whether the control plane runs in several replicas. DigitalOcean charges for it and cannot switch it off again."
  type        = bool
  default     = false
  nullable    = false
}

variable "registry_name" {
  description = "Name of the container registry. It is unique among all customers of DigitalOcean."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.registry_name))
    error_message = "The registry's name takes 3 to 63 lower-case letters, digits and dashes, with no dash first or last."
  }
}

variable "services_pool" {
  description = "Default node pool, for the model services. Another size replaces the whole cluster."
  type = object({
    size      = optional(string, "s-2vcpu-4gb")
    min_nodes = optional(number, 2)
    max_nodes = optional(number, 5)
  })
  default  = {}
  nullable = false

  # With one node, each upgrade and each failure of that node stops the service.
  validation {
    condition     = var.services_pool.min_nodes >= 2 && var.services_pool.max_nodes >= var.services_pool.min_nodes
    error_message = "The pool for services has at least 2 nodes, and max_nodes is not below min_nodes."
  }
}

variable "logging_pool" {
  description = "Additional node pool, for the log store and its page. Only pods that tolerate its taint run there."
  type = object({
    size      = optional(string, "s-4vcpu-8gb")
    min_nodes = optional(number, 3)
    max_nodes = optional(number, 4)
  })
  default  = {}
  nullable = false

  # Fewer than three nodes of the log store have no majority after one is lost.
  validation {
    condition     = var.logging_pool.min_nodes >= 3 && var.logging_pool.max_nodes >= var.logging_pool.min_nodes
    error_message = "The pool for logging has at least 3 nodes, and max_nodes is not below min_nodes."
  }
}
