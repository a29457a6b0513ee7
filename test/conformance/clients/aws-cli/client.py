"""The AWS CLI as a client of the conformance table: answers each line of input with who a new `aws` process is."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

aws = [sys.executable, str(Path(sys.executable).with_name("aws"))]
print(json.dumps({"sdk": f"aws-cli {version('awscli')}"}), flush=True)

for _ in sys.stdin:
    ended = subprocess.run([*aws, "sts", "get-caller-identity", "--output=json"], capture_output=True, text=True)
    if ended.returncode == 0:
        answer = {"arn": json.loads(ended.stdout)["Arn"]}
    else:
        message = ended.stderr.strip()
        code = re.search(r"\((\w+)\)", message)
        answer = {"code": code.group(1) if code else "NoAnswer", "message": message}
    print(json.dumps(answer), flush=True)
