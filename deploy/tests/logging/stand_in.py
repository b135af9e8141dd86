"""A stand-in for Elasticsearch and Kibana that keeps the requests."""

import base64
import contextlib
import gzip
import http.server
import json
import ssl
import subprocess
import threading
import urllib.parse


class Server:
    """Answers the requests of setup/load and Filebeat as the two products do.

    `unready` answers of each kind come first; `fail` maps a path's beginning to a status; `reject(action, document)` says
    whether a document of `_bulk` is refused.
    """

    def __init__(self, user=None, unready=0, fail=None, refuse_import=False, reject=lambda action, document: False):
        self.user, self.fail, self.refuse_import, self.reject = user, fail or {}, refuse_import, reject
        self.unready = {"health": unready, "status": unready}
        self.templates, self.imported, self.documents, self.repeated = {}, [], [], []
        self.lock = threading.Lock()

    def answer(self, request):
        parts = urllib.parse.urlsplit(request.path)
        path, query = parts.path, urllib.parse.parse_qs(parts.query)
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with self.lock:
            if self.user and request.headers.get("authorization") != self.expected():
                return 401, {"error": "no such user"}
            for beginning, status in self.fail.items():
                if path.startswith(beginning):
                    return status, {"error": "failure of this test"}
            if path == "/":
                # Filebeat requires an Elasticsearch of its own version or newer.
                version = {"number": "9.5.3", "build_flavor": "default"}
                return 200, {"version": version, "tagline": "You Know, for Search"}
            if path == "/_license":
                return 200, {"license": {"status": "active", "uid": "stand-in", "type": "basic"}}
            if path == "/_cluster/health":
                return (408, {"timed_out": True}) if self.is_unready("health") else (200, {"status": "yellow"})
            if path == "/api/status":
                return (503, {}) if self.is_unready("status") else (200, {"status": {"overall": {"level": "available"}}})
            if path.startswith(("/_component_template/", "/_index_template/")) and request.command == "PUT":
                return self.put_template(path, request.headers, body)
            if path == "/api/saved_objects/_import":
                return self.take_import(query, request.headers, body)
            if path == "/_bulk":
                return self.bulk(body)
            return 404, {"error": path}

    def expected(self):
        return "Basic " + base64.b64encode(":".join(self.user).encode()).decode()

    def is_unready(self, what):
        self.unready[what] -= 1
        return self.unready[what] >= 0

    def put_template(self, path, headers, body):
        if headers.get("content-type") != "application/json":
            return 406, {"error": "content type"}
        document = json.loads(body)
        for component in document.get("composed_of", []):
            if f"/_component_template/{component}" not in self.templates:
                return 400, {"error": f"no component {component}"}
        self.templates[urllib.parse.unquote(path)] = document
        return 200, {"acknowledged": True}

    def take_import(self, query, headers, body):
        if headers.get("kbn-xsrf") is None or headers.get("osd-xsrf") is None:
            return 400, {"message": "Request must contain a kbn-xsrf header."}
        if query.get("overwrite") != ["true"] or b'.ndjson"' not in body:
            return 400, {"message": "overwrite, and a file .ndjson"}
        if self.refuse_import:
            return 200, {"success": False, "successCount": 0, "errors": [{"id": "x"}]}
        self.imported.append(body)
        return 200, {"success": True, "successCount": 2}

    def bulk(self, body):
        items, lines = [], iter(body.splitlines())
        for line in lines:
            ((operation, action),) = json.loads(line).items()
            document = json.loads(next(lines))
            item = {"_index": action["_index"], "status": 201}
            same = [d for _, a, d in self.documents if a.get("_id") == action.get("_id") is not None]
            if same:
                self.repeated.append((same[0], document))
                item |= {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "is there"}}
            elif self.reject(action, document):
                item |= {"status": 400, "error": {"type": "document_parsing_exception", "reason": "refused by this test"}}
            else:
                self.documents.append((operation, action, document))
            items.append({operation: item})
        return 200, {"took": 1, "errors": any(i[o]["status"] > 299 for i in items for o in i), "items": items}

    @contextlib.contextmanager
    def running(self, certificate=None):
        """Serves on a free port and yields the URL."""

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(handler):
                status, document = self.answer(handler)
                body = json.dumps(document, separators=(",", ":")).encode()
                handler.send_response(status)
                handler.send_header("content-type", "application/json")
                handler.send_header("x-elastic-product", "Elasticsearch")
                handler.send_header("content-length", str(len(body)))
                handler.end_headers()
                if handler.command != "HEAD":
                    handler.wfile.write(body)

            do_GET = do_PUT = do_POST = do_HEAD = handle_any

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


class Certificate:
    """Makes a self-signed certificate for 127.0.0.1."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stand-in"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate],
            check=True,
            capture_output=True,
        )
