#!/bin/sh
# entry-points.sh ROOT: the commands that manifests call. kiam's call /kiam, in `command` and in probes. kube2iam's name no
# command, and give arguments to what its image runs: /kube2iam.
set -eu
root=${1%/}
chmod -R a+rX "$root/opt/podpass"
ln -s opt/podpass/podpass.mjs "$root/podpass"
ln -s opt/podpass/podpass.mjs "$root/kiam"
printf '#!/bin/sh\nexec /podpass standalone "$@"\n' > "$root/kube2iam"
chmod 755 "$root/kube2iam"
