# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# The module validates the values.

variable "control_plane_allowed_addresses" {
  description = "Addresses (CIDR) that may reach the Kubernetes API, for example of the office and of the CI."
  type        = list(string)
  nullable    = false
}

variable "registry_name" {
  description = "Name of the container registry. It is unique among all customers of DigitalOcean."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the VPC, the cluster and the registry."
  type        = string
  default     = "nyc3"
  nullable    = false
}

variable "kubernetes_version_prefix" {
  description = "Minor version of Kubernetes with a dot at its end. `doctl kubernetes options versions` lists the available ones."
  type        = string
  default     = "1.36."
  nullable    = false
}

variable "high_availability" {
  description = "Whether the control plane runs in several replicas. DigitalOcean charges for it and cannot switch it off again."
  type        = bool
  default     = false
  nullable    = false
}
