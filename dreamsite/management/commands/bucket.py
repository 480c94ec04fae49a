"""`manage.py bucket`: makes the bucket ready for the site."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from dreamsite.core.buckets import FAILURES
from dreamsite.core.storage import in_words


class Command(BaseCommand):
    help = "Makes the bucket where it is not there yet, and lets browsers of this site read pictures from it (CORS)."

    def handle(self, **options: Any) -> None:
        if not settings.S3_BUCKET:
            raise CommandError("S3_BUCKET is not set: the pictures are kept in a folder, which needs nothing.")
        storage: Any = default_storage
        client, name = storage.connection.meta.client, settings.S3_BUCKET
        rule = {"AllowedOrigins": settings.SITE_ORIGINS, "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}
        with in_words(*FAILURES):
            try:
                client.head_bucket(Bucket=name)
                self.stdout.write(f"The bucket {name} is there.")
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                region = storage.region_name
                where = {"LocationConstraint": region} if region not in (None, "us-east-1", "auto") else {}
                client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
                self.stdout.write(f"The bucket {name} is made.")
            client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
        self.stdout.write(f"Browsers of {', '.join(settings.SITE_ORIGINS)} may read from it.")
