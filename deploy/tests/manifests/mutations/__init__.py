"""Mistakes that could be made in the manifests."""

# Importing them registers the mutations.
from mutations import cluster, service  # noqa: F401
from mutations.registry import MUTATIONS

__all__ = ["MUTATIONS"]
