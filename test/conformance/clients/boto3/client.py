"""boto3 as a client of the conformance table: answers each line of input with who it is."""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

sts = None


def call(line):
    global sts
    try:
        if sts is None or line.strip() == "new":
            # boto3 before 1.28 does not read this variable itself.
            sts = boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL_STS"])
        return {"arn": sts.get_caller_identity()["Arn"]}
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": str(error)}
    except Exception as error:
        return {"code": type(error).__name__, "message": str(error)}


print(json.dumps({"sdk": f"boto3 {boto3.__version__}"}), flush=True)
for line in sys.stdin:
    print(json.dumps(call(line)), flush=True)
