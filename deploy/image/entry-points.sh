#!/bin/sh
# entry-points.sh ROOT: the commands that manifests call. kiam's call /kiam, in `command` and in probes.
set -eu
root=${1%/}
chmod -R a+rX "$root/opt/podpass"
ln -s opt/podpass/podpass.mjs "$root/podpass"
ln -s opt/podpass/podpass.mjs "$root/kiam"
