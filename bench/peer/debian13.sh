#!/bin/sh
# Makes a Debian 13 in a folder, with its PyTorch (2.6), and prints the interpreter to hand to
# bench/versus_pytorch.py --python. For machines where PyPI's wheel cannot be had. Needs root and debootstrap.
#
# Usage: bench/peer/debian13.sh FOLDER
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
folder=$(mkdir -p "$1" && cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v debootstrap > /dev/null || { echo "$0: no debootstrap; apt-get install debootstrap" >&2; exit 1; }

[ -x "$folder/usr/bin/apt-get" ] ||
  debootstrap --variant=minbase --include=ca-certificates trixie "$folder" http://deb.debian.org/debian >&2
[ -e "$folder/usr/lib/python3/dist-packages/torch" ] ||
  chroot "$folder" apt-get install -y --no-install-recommends python3-torch libopenblas0-pthread >&2
# The peer's scripts lie at the same path inside.
mkdir -p "$folder$root"
mountpoint -q "$folder$root" || mount --bind "$root" "$folder$root"
mountpoint -q "$folder/proc" || mount --bind /proc "$folder/proc"

cat > "$folder/python" <<EOF
#!/bin/sh
exec chroot "$folder" /usr/bin/python3 "\$@"
EOF
chmod +x "$folder/python"
echo "$folder/python"
