"""An anchor that is a bucket with Object Lock: each note is an object that nobody can remove before its time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.anchors.interface import AnchorFailed, Mark

TIMEOUT_S = 3


@dataclass(frozen=True)
class BucketAnchor:
    """Credentials, region and endpoint are boto3's own (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_S3 and so on)."""

    bucket: str
    prefix: str
    retain: timedelta

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def beside_data(self) -> bool:
        return False

    def put(self, mark: Mark) -> str:
        """Put the note under a name of its own, locked in compliance mode; raises when the lock did not hold."""
        from botocore.exceptions import BotoCoreError, ClientError

        key = f"{self.prefix.rstrip('/')}/{mark.size:015d}-{mark.root.hex()[:16]}.note".lstrip("/")
        until = timezone.now() + self.retain
        try:
            client = s3()
            client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=mark.note.encode(),
                ContentType="text/plain; charset=utf-8",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
            )
            found = client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            raise AnchorFailed(f"The store refused: {error.response['Error'].get('Code', '?')}.") from None
        except BotoCoreError as error:
            raise AnchorFailed(f"The store could not be reached: {type(error).__name__}.") from None
        if found.get("ObjectLockMode") != "COMPLIANCE" or "ObjectLockRetainUntilDate" not in found:
            raise AnchorFailed("The object is not locked: the bucket needs Object Lock.")
        return f"{key}, locked until {found['ObjectLockRetainUntilDate']:%Y-%m-%d}"


def s3() -> Any:
    # Loading boto3 takes a second and 30 MB, which only those pay who anchor to a bucket.
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 1})
    return boto3.client("s3", config=patience)
