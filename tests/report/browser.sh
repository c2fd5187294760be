#!/bin/bash
# A page of four runs in headless Chromium: no message on the console, every figure there, every surface drawn by the
# script and there without it. Skipped (77) where there is no Chromium, or one that cannot show an empty page.
# Usage: browser.sh BASIN
set -eu
basin=$1
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$chromium" ] || { echo "no Chromium here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work  # what a browser keeps of its own
browse() {  # PAGE: what is left of it when it has been loaded, in dom; what the browser writes, in console
  "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr --v=0 \
    --dump-dom "file://$work/$1" > dom 2> console
}
fail() { echo "$1"; tail -n 20 console; exit 1; } >&2
echo '<!doctype html><p>here' > empty.html
if ! browse empty.html || ! grep -q '<p>here' dom; then
  echo "$chromium shows no page here:"
  tail -n 5 console
  exit 77
fi
for run in a b c d; do
  "$basin" train --data synthetic --limit 128 --model resnet8 --epochs 2 --batch-size 64 --lr 0.05 --workers 0 --quiet \
    --seed $((1 + $(printf %d "'$run") % 2)) --run $run > out
  mkdir -p $run/lab/landscape
  cat > $run/lab/landscape/answer.json <<JSON
{"command": "landscape", "question": {}, "result": {}, "figures": [
  {"kind": "surface", "title": "loss of $run", "x_label": "a", "y_label": "b", "z_label": "loss", "log_z": true,
   "x": [-1, 0, 1], "y": [-1, 0, 1], "z": [3, 2, 3, 1, 0.5, "nan", 3, 2, 4], "marks": [], "paths": [],
   "group": "landscape", "name": "landscape"},
  {"kind": "plot", "title": "line", "x_label": "t", "y_label": "loss", "whole_x": false, "log_x": false, "log_y": false,
   "curves": [{"label": "train", "dashed": false, "x": [0, 1], "y": [1, 2]}], "name": "line"}]}
JSON
done
figures=$("$basin" report a b c d -o page.html --json | sed -n 's/.*"figures": \([0-9]*\).*/\1/p')
browse page.html || fail "the browser ended with $?"
! grep -q CONSOLE console || fail "the page writes on the console"
[ "$(grep -c '<figure id' dom)" = "$figures" ] || fail "there are not $figures figures"
[ "$(grep -o 'data-drawn="1"' dom | wc -l)" = 4 ] || fail "the script did not draw four surfaces"
[ "$(grep -o '<canvas' dom | wc -l)" = 4 ] || fail "there are not four canvases"
for name in landscape line line-together confusion reliability; do
  grep -q "data-figure=\"$name\"" dom || fail "no figure $name"
done
# A surface turns under the arrow keys. Frames are drawn when they are asked for: a page that is written out as soon as
# it is loaded may have no other.
{
  echo '<script>requestAnimationFrame = (draw) => draw();</script>'
  cat page.html
  cat <<'HTML'
<script>
const canvas = document.querySelector("canvas"), before = canvas.toDataURL();
for (const key of ["Enter", "ArrowLeft"]) {
  canvas.dispatchEvent(new KeyboardEvent("keydown", {key}));
  document.body.dataset[key.toLowerCase()] = canvas.toDataURL() === before ? "still" : "turned";
}
</script>
HTML
} > keys.html
browse keys.html || fail "the browser ended with $?"
grep -q 'data-enter="still"' dom || fail "the surface turned under another key"
grep -q 'data-arrowleft="turned"' dom || fail "the surface did not turn"
# A script that breaks is seen: the check can fail.
sed 's|^document.querySelectorAll(".relief")|brokenOnPurpose();|' page.html > broken.html
browse broken.html || fail "the browser ended with $?"
grep -q CONSOLE console || fail "a broken script went unnoticed"
[ "$(grep -o 'data-drawn="1"' dom | wc -l)" = 0 ] || fail "surfaces are drawn without the script"
[ "$(grep -c 'aria-label="loss of ., from the side"' dom)" = 4 ] || fail "without its script the page has no surfaces"
echo "$figures figures, 4 surfaces, nothing on the console"
