# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# No output carries a credential.

output "kubeconfig_command" {
  description = "Command that adds the cluster to the kubeconfig. Its credentials expire, and `doctl` renews them."
  value       = "doctl kubernetes cluster kubeconfig save ${module.cluster.cluster_id}"
}

output "kubernetes_version" {
  description = "Version of Kubernetes in the cluster."
  value       = module.cluster.kubernetes_version
}

output "registry_endpoint" {
  description = "Prefix of the images' names, for `podman push` and for the overlay deploy/kubernetes/overlays/digitalocean."
  value       = module.cluster.registry_endpoint
}
