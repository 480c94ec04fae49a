"""A bucket for pictures and films: any server that speaks S3's language.

Only a site that has one imports this (`settings.STORAGES`): boto3 is a fifth of what a process costs to start.
"""

from __future__ import annotations

import threading
import time
import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from dreamsite.core.storage import available

MEMORY = 16 * 2**20  # bytes of a stored file that are held in memory; what is larger goes through a file
FAILURES = (BotoCoreError, Boto3Error, ClientError)


class BucketStorage(S3Storage):
    """A bucket, asked through one client for the whole process.

    The signed addresses are the same for everybody for a while, so that browsers and caches keep what is behind them:
    they are signed as of the beginning of a period, half as long as they are valid.
    """

    # Web processes do not wait for a slow bucket, while somebody waits for their page; others do.
    hurried = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # A small file by one request in the thread that asks, a film in pieces.
        self.transfer_config = TransferConfig(multipart_threshold=MEMORY, max_concurrency=4)
        self.max_memory_size = MEMORY
        self._making = threading.Lock()
        self._resource: Any = None
        self._session: Any = None
        self._prefix = ""

    @property
    def connection(self) -> Any:
        # Clients may be shared by threads, and making one takes a third of a second; django-storages makes one for
        # each thread, and under ASGI each request has a thread of its own.
        if self._resource is None:
            with self._making:
                if self._resource is None:
                    self._resource = self._make()
        return self._resource

    def _make(self) -> Any:
        seconds, attempts = (3, 2) if self.hurried else (30, 5)
        config = Config(
            s3={"addressing_style": self.addressing_style},
            signature_version="s3v4",
            connect_timeout=3 if self.hurried else 10,
            read_timeout=seconds,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=32,
            tcp_keepalive=True,
            # Other vendors' servers do not know the newest checksums; what is read is compared with its row anyway.
            request_checksum_calculation="when_required",
        )
        self._session = self._create_session()
        return self._session.resource(
            "s3",
            region_name=self.region_name,
            use_ssl=self.use_ssl,
            endpoint_url=self.endpoint_url,
            config=config,
            verify=self.verify,
        )

    @available(*FAILURES)
    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        opened: File[Any] = super()._open(name, mode)
        if "r" in mode:
            _ = opened.file  # read here, so that trouble is met here
        return opened

    _save = available(*FAILURES)(S3Storage._save)
    delete = available(*FAILURES)(S3Storage.delete)
    exists = available(*FAILURES)(S3Storage.exists)
    size = available(*FAILURES)(S3Storage.size)
    listdir = available(*FAILURES)(S3Storage.listdir)
    get_modified_time = available(*FAILURES)(S3Storage.get_modified_time)

    @available(*FAILURES)
    def url(self, name: str, parameters: Any = None, expire: int | None = None, http_method: Any = None) -> str:
        if self.custom_domain or parameters or http_method:
            plain: str = super().url(name, parameters, expire, http_method)
            return plain
        lasts = int(expire or self.querystring_expire)
        return self._signed(self._normalize_name(name), lasts, self.signed_at(name, lasts))

    @staticmethod
    def signed_at(name: str, lasts: int) -> int:
        """The second as of which an address is signed that is valid for `lasts` seconds: it has at least half left.

        Each name has periods of its own, so that not all addresses of a page change at once.
        """
        period = max(lasts // 2, 1)
        return (int(time.time()) + zlib.crc32(name.encode())) // period * period - zlib.crc32(name.encode())

    def _signed(self, key: str, lasts: int, since: int) -> str:
        client = self.connection.meta.client
        if not self._prefix:
            named = {"Bucket": self.bucket_name, "Key": "key"}
            probe = client.generate_presigned_url("get_object", Params=named).partition("?")[0]
            self._prefix = probe.removesuffix("key")
        keys = self._session.get_credentials()
        if keys is None:
            raise NoCredentialsError
        region = client.meta.region_name
        region = "us-east-1" if region in (None, "aws-global") else region
        signer = _SinceSigner(keys.get_frozen_credentials(), "s3", region, lasts)
        return signer.sign(self._prefix + quote(key, safe="/~"), since)


class _SinceSigner(S3SigV4QueryAuth):
    """Signature version 4 in an address, as botocore makes it, but as of another moment than now."""

    def sign(self, address: str, since: int) -> str:
        request = AWSRequest("GET", address)
        request.context["timestamp"] = datetime.fromtimestamp(since, UTC).strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))
        return str(request.url)
