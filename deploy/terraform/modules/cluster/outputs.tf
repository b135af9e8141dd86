# Checked with Terraform 1.11.4 and 1.15.5, provider 2.99.1, not with OpenTofu: see deploy/terraform/README.md.
# No output carries a credential: `doctl` fetches the kubeconfig.

output "cluster_id" {
  description = "Id of the cluster, for `doctl`."
  value       = digitalocean_kubernetes_cluster.this.id
}

output "kubernetes_version" {
  description = "Version of Kubernetes in the cluster."
  value       = digitalocean_kubernetes_cluster.this.version
}

output "registry_endpoint" {
  description = "Prefix of the images' names in the registry."
  value       = digitalocean_container_registry.this.endpoint
}
