"""The console's files in a private bucket, which the deployment itself fills."""

import hashlib
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import console
from infra.cdk import behaviors, grants, log_groups
from infra.cdk.lambdas import ARCHITECTURES, RUNTIME
from infra.cdk.stages import Stage
from infra.upload import PREFIX

ARCHIVE = "console.zip"

UPLOAD_SECONDS = 60


class Console(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        archive: Path,
        in_cloud: bool,
    ) -> None:
        """`archive` has the files and the function that uploads them; see `infra/upload.py`."""
        super().__init__(scope, construct_id)
        self.bucket = self._bucket(in_cloud=in_cloud)
        cdk.CustomResource(
            self,
            "Files",
            resource_type="Custom::ConsoleFiles",
            service_token=self._uploader(stage, archive).function_arn,
            service_timeout=cdk.Duration.seconds(2 * UPLOAD_SECONDS),
            properties={
                "Bucket": self.bucket.bucket_name,
                # CloudFormation asks for an upload when this changes.
                "Archive": hashlib.sha256(archive.read_bytes()).hexdigest(),
            },
        )

    def behaviors(self) -> dict[str, cloudfront.BehaviorOptions]:
        """Return what CloudFront does with the console's paths: read the bucket, for GET only."""
        behavior = cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            # Files are kept whatever the query is.
            cache_policy=behaviors.cache_policy(self, "Cache", cdk.Duration.days(365)),
            response_headers_policy=behaviors.security_headers(
                self,
                "Headers",
                console.POLICY,
                override=True,
                name="console",
                others=console.ISOLATION,
            ),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            function_associations=[behaviors.on_request(self, "Paths", "edge_console")],
        )
        return {console.PATH.rstrip("/"): behavior, f"{console.PATH}*": behavior}

    def _bucket(self, *, in_cloud: bool) -> s3.Bucket:
        """Return a bucket that only the edge may read. A deployment makes what is in it again."""
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            # The local cloud has no TLS.
            enforce_ssl=in_cloud,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        reason = "Only the edge reads it, and its files are public."
        grants.acknowledge(bucket, {"S1": reason})
        return bucket

    def _uploader(self, stage: Stage, archive: Path) -> lambda_.Function:
        role = iam.Role(
            self, "UploaderRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        log_group = log_groups.log_group(self, "UploaderLogs", stage)
        log_group.grant_write(role)
        files = self.bucket.arn_for_objects(f"{PREFIX}*")
        reason = "The names of the files contain hashes."
        grants.allow(role, files, "s3:PutObject", "s3:DeleteObject", wildcard_because=reason)
        grants.allow(role, self.bucket.bucket_arn, "s3:ListBucket")
        uploader = lambda_.Function(
            self,
            "Uploader",
            code=lambda_.Code.from_asset(str(archive)),
            handler="upload.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURES[stage.architecture],
            memory_size=512,
            timeout=cdk.Duration.seconds(UPLOAD_SECONDS),
            log_group=log_group,
            role=role,
        )
        grants.acknowledge(uploader, {"L1": "It runs where all functions run."})
        return uploader
