"""A real S3 server for the tests, with a door in front that checks signatures and can make trouble.

The server behind it is moto's, which believes everybody; the door computes each signature (version 4, in a header or
in the address) by the public description and refuses others, as vendors do.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

KEY, SECRET = "the-key", "the-secret"
_numbers = itertools.count(1)
# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
_HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


def signature(scope: str, at: str, canonical: str) -> str:
    day, region, service, end = scope.split("/")
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, service, end, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def refusal(environ: WSGIEnvironment) -> str:
    """Why a request's signature is not accepted; empty where it is."""
    query = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    asked = dict(query)
    if "X-Amz-Algorithm" in asked:
        credential, names = asked["X-Amz-Credential"], asked["X-Amz-SignedHeaders"]
        at, given, payload = asked["X-Amz-Date"], asked["X-Amz-Signature"], "UNSIGNED-PAYLOAD"
        age = (datetime.now(UTC) - datetime.strptime(at + "+0000", "%Y%m%dT%H%M%SZ%z")).total_seconds()
        if not -900 < age < int(asked["X-Amz-Expires"]) <= 604_800:
            return "Request has expired"
    else:
        match = _HEADER.match(environ.get("HTTP_AUTHORIZATION", ""))
        if not match:
            return "Only signatures of version 4 are accepted"
        credential, names, given = match.groups()
        at, payload = environ["HTTP_X_AMZ_DATE"], environ["HTTP_X_AMZ_CONTENT_SHA256"]
    key, _, scope = credential.partition("/")
    special = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
    headers = "".join(
        f"{name}:{environ.get(special.get(name) or 'HTTP_' + name.upper().replace('-', '_'), '').strip()}\n"
        for name in names.split(";")
    )
    pairs = sorted(
        (quote(name, safe="~"), quote(value, safe="~")) for name, value in query if name != "X-Amz-Signature"
    )
    path = quote(unquote(environ["RAW_URI"].partition("?")[0]), safe="/~")
    canonical = "\n".join(
        [environ["REQUEST_METHOD"], path, "&".join(f"{a}={b}" for a, b in pairs), headers, names, payload]
    )
    if key != KEY or not hmac.compare_digest(signature(scope, at, canonical), given):
        return "SignatureDoesNotMatch"
    return ""


class _Quiet(WSGIRequestHandler):
    def log(self, *words: object) -> None:
        pass


class Bucket:
    """One server for the session; `new` gives a test a bucket of its own, and `trouble` is what the door does.

    "": nothing; "down": 503; "denied": 403; "cut": half of each body; "hang": no answer until `trouble` changes.
    """

    def __init__(self) -> None:
        self.trouble = ""
        self.requests: list[tuple[str, str]] = []  # method and path, of all that came
        self._behind = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._door, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._changed = threading.Condition()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def new(self) -> str:
        name = f"dreams-{next(_numbers)}"
        self.set("")
        self.client().create_bucket(Bucket=name)
        self.requests.clear()
        return name

    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )

    def environment(self, bucket: str) -> dict[str, str]:
        """For processes."""
        return {"S3_BUCKET": bucket, "S3_ENDPOINT_URL": self.url, "S3_ACCESS_KEY": KEY, "S3_SECRET_KEY": SECRET}

    def set(self, trouble: str) -> None:
        with self._changed:
            self.trouble = trouble
            self._changed.notify_all()

    def stop(self) -> None:
        self.set("down")
        self._server.shutdown()

    def _door(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], urlsplit(environ["RAW_URI"]).path))
        with self._changed:
            self._changed.wait_for(lambda: self.trouble != "hang")
            trouble = self.trouble
        if trouble == "down":
            return _said(start, "503 Service Unavailable", "ServiceUnavailable", environ)
        if trouble == "denied":
            return _said(start, "403 Forbidden", "AccessDenied", environ)
        if why := refusal(environ):
            return _said(start, "403 Forbidden", why, environ)
        if trouble == "cut" and environ["REQUEST_METHOD"] == "GET":
            return _half(self._behind, environ, start)
        return self._behind(environ, start)


def _said(start: StartResponse, status: str, code: str, environ: WSGIEnvironment) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _half(
    app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]], environ: WSGIEnvironment, start: StartResponse
) -> Iterator[bytes]:
    """With a Content-Length that matches, and without the sums that would tell: the worst case."""
    seen: list[Any] = []
    body = b"".join(app(environ, lambda *answer: seen.extend(answer) or (lambda data: None)))
    body = body[: len(body) // 2]
    names = ("content-length", "etag")
    headers = [(n, v) for n, v in seen[1] if n.lower() not in names and not n.lower().startswith("x-amz-checksum")]
    start(seen[0], [*headers, ("Content-Length", str(len(body)))])
    yield body
