"""Print the environments that the CDK deploys to, for `make bootstrap`: aws://ACCOUNT/REGION."""

import sys

from botocore.exceptions import BotoCoreError, ClientError

from vitrina import aws

# The firewall's stack is there, as CloudFront requires.
FIREWALL_REGION = "us-east-1"


def main() -> None:
    try:
        account, region = aws.account_id(), aws.region()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS: {error}")
    print("\n".join(f"aws://{account}/{name}" for name in sorted({region, FIREWALL_REGION})))


if __name__ == "__main__":
    main()
