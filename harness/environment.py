"""The environment of a process without the user's AWS configuration."""

import os

ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "example", "eu-central-1"
"""Credentials that open nothing."""


def isolated(region: str = REGION) -> dict[str, str]:
    """Return this process's environment, with other credentials and no profiles."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def replace(environment: dict[str, str]) -> None:
    """Make this the environment of this process."""
    os.environ.clear()
    os.environ.update(environment)
