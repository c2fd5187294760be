#!/bin/sh
# round_trip.py with a Python that has torchvision (Debian's is /usr/bin/python3); 77, skipped, if there is none.
for python in python3 /usr/bin/python3; do
  if "$python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("torchvision"))' 2> /dev/null; then
    PYTHONDONTWRITEBYTECODE=1 exec "$python" "$(dirname "$0")/round_trip.py" "$@"
  fi
done
echo "SKIPPED: no Python with torchvision (Debian: python3-torchvision)"
exit 77
