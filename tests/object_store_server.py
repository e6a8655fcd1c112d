"""A server that speaks the Cloud Storage API, and fails as the real one does: seldom, at any moment, in any way.

`gcp-storage-emulator` keeps the objects. What stands in front of it here adds what the emulator leaves out (conditions
on the generation of an object, the generation of what is read, and the repeated answer to an upload that is complete),
and failures: of a request that is not carried out, and of the answer to one that was.
"""

import contextlib
import hashlib
import http.client
import json
import logging
import random
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.server import create_server

BUCKET = "bucket"
FAILURES = (500, 502, 503, 429, "disconnected")
KEPT_HEADERS = ("Content-Type", "Content-Range", "Range", "Location", "X-Goog-Hash", "x-goog-generation")


class ObjectStore:
    """The server, on a port of its own while a ``with`` block lasts.

    Attributes:
        share: of the requests that fail.
        planned: what becomes of the next requests, each as (failure, whether it is carried out); None is no failure.
        silence: seconds for which the next request is not answered; then it is disconnected.
        failed: what has failed, as (failure, whether the request was carried out).
        written: names of objects and a digest of their contents, in the order in which they were written.
    """

    def __init__(self):
        logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)  # what is not found is no error here
        self._emulator = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
        self._server = _Server(("127.0.0.1", 0), lambda *arguments: _Handler(self, *arguments))
        self._serving = threading.Lock()  # the emulator does one thing at a time
        self._dice = random.Random()
        self._uploaded = {}
        self.share, self.silence = 0.0, 0.0
        self.planned, self.failed, self.written = [], [], []

    def __enter__(self):
        self._emulator.start()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._emulator.stop()

    @property
    def environment(self):
        """Environment variables that lead all clients here: gcsfs, tensorstore, and ArrayRecord's reader."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {
            "STORAGE_EMULATOR_HOST": url,
            "TENSORSTORE_GCS_HTTP_URL": url,
            "CLOUD_STORAGE_EMULATOR_ENDPOINT": url,
            "GOOGLE_AUTH_TOKEN_FOR_TESTING": "token",
            "NO_GCE_CHECK": "true",  # nobody logs in here
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",  # asks by gRPC, which is not spoken here
        }

    @contextlib.contextmanager
    def failing(self, share, seed):
        """Let a share of all requests fail."""
        self._dice.seed(seed)
        self.share, self.failed = share, []
        try:
            yield
        finally:
            self.share = 0.0

    def clear(self):
        """Forget all that happened here, but for the bucket."""
        self._emulator.wipe(keep_buckets=True)
        self._uploaded.clear()
        self.planned, self.failed, self.written = [], [], []

    def names(self, prefix=""):
        """Names of the objects that are there now."""
        files, _ = self._emulator._storage.get_file_list(BUCKET, prefix, None)
        return sorted(file["name"] for file in files)

    def content(self, name):
        """The content of an object."""
        return self._emulator._storage.get_file(BUCKET, name)

    def put(self, name, content):
        """Write an object as another client does, of which those here are not told."""
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={urllib.parse.quote(name, safe='')}"
        status, *_ = self.carry_out("POST", path, {"Content-Type": "application/octet-stream"}, content)
        assert status == 200

    def fate(self):
        """Whether and how a request fails, and whether it is carried out nevertheless."""
        with self._serving:
            if self.planned:
                return self.planned.pop(0)
            if self._dice.random() >= self.share:
                return None, True
            self.failed.append((self._dice.choice(FAILURES), self._dice.random() < 0.5))
            return self.failed[-1]

    def carry_out(self, method, path, headers, body):
        """The emulator's answer: status, headers, content."""
        with self._serving:
            query = urllib.parse.parse_qs(path.partition("?")[2])
            generation = self._generation(_name_in(path, query, body))
            if query.get("ifGenerationMatch", [generation]) != [generation]:
                return 412, {}, b'{"error": {"code": 412, "message": "conditionNotMet"}}'
            if query.get("ifGenerationNotMatch") == [generation]:
                return 304, {}, b""
            upload = query.get("upload_id", [""])[0]
            if upload in self._uploaded:
                return self._uploaded[upload]
            connection = http.client.HTTPConnection(*self._emulator._api._httpd.server_address)
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if method in ("POST", "PUT") and content.startswith(b'{"kind": "storage#object"'):
                name = json.loads(content)["name"]
                self.written.append((name, hashlib.sha256(self.content(name)).hexdigest()))
            answer = response.status, {"x-goog-generation": generation} | dict(response.getheaders()), content
            if upload and response.status == 200:
                self._uploaded[upload] = answer
            return answer

    def _generation(self, name):
        """What the store calls the present content of an object; 0 where there is none."""
        try:
            return self._emulator._storage.get_file_obj(BUCKET, name)["generation"]
        except NotFound:
            return "0"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Nothing: a client may go when it has what it wanted."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, store, *arguments):
        self._store = store
        super().__init__(*arguments)

    def _handle(self):
        body = self._body()
        store = self._store
        if store.silence:
            silence, store.silence = store.silence, 0.0
            threading.Event().wait(silence)
            self.close_connection = True
            return
        failure, carried_out = store.fate()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
        answer = store.carry_out(self.command, self.path, headers, body) if carried_out else None
        if failure == "disconnected":
            self.close_connection = True
            return
        self._answer(*(answer if failure is None else (failure, {}, b"failing as asked for")))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle  # noqa: N815

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status, headers, content):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() in map(str.lower, KEPT_HEADERS):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing: pytest has the failures."""


def _name_in(path, query, body):
    """The object that a request is about; an upload names it in its query or, where it is in parts, in the first."""
    *_, name = urllib.parse.unquote(path.partition("?")[0]).partition(f"/b/{BUCKET}/o/")
    if query.get("uploadType") == ["multipart"]:
        return json.loads(body.split(b"\n\n", 1)[1].split(b"\n--", 1)[0])["name"]
    return query.get("name", [name])[0]
