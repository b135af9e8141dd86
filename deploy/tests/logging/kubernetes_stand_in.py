"""A stand-in for the Kubernetes API server that lists one node, one namespace and constant pods."""

import contextlib
import http.server
import json
import threading
import urllib.parse

NODE = "node-1"


def pod(log, name, namespace, annotations, labels):
    """Returns the object of the pod whose log files `log` writes."""
    container = log.folder.name
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": log.uid,
            "annotations": annotations,
            "labels": labels,
            "resourceVersion": "1",
        },
        "spec": {"nodeName": NODE, "containers": [{"name": container, "image": "insurance-charges"}]},
        "status": {
            "phase": "Running",
            "podIP": "192.0.2.20",
            "containerStatuses": [
                {
                    "name": container,
                    "image": "insurance-charges",
                    "containerID": f"containerd://{log.uid.replace('-', '')}",
                    "state": {"running": {}},
                }
            ],
        },
    }


@contextlib.contextmanager
def running(pods, folder):
    """Serves requests and yields the path of a kubeconfig."""
    context = {"metadata": {"resourceVersion": "1"}}
    objects = {
        "/api/v1/pods": ("PodList", pods),
        "/api/v1/nodes": ("NodeList", [{"metadata": {"name": NODE, "uid": "n", "resourceVersion": "1"}}]),
        "/api/v1/namespaces": (
            "NamespaceList",
            [
                {"metadata": {"name": name, "uid": name, "resourceVersion": "1"}}
                for name in sorted({p["metadata"]["namespace"] for p in pods})
            ],
        ),
    }
    closing = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urllib.parse.urlsplit(self.path)
            query = urllib.parse.parse_qs(parts.query)
            if parts.path not in objects:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("content-type", "application/json")
            if query.get("watch"):
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.wfile.flush()
                closing.wait()
                return
            kind, items = objects[parts.path]
            if f"spec.nodeName={NODE}" not in query.get("fieldSelector", [""])[0] and kind == "PodList":
                items = []
            body = json.dumps({"kind": kind, "apiVersion": "v1", **context, "items": items}).encode()
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = folder / "kubeconfig"
    url = f"http://127.0.0.1:{server.server_address[1]}"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    try:
        yield config
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
