#!/bin/bash
# A page of four runs in headless Chromium: no message on the console, every figure there, every surface drawn by the
# script and there without it. Skipped (77) where there is no Chromium. Usage: browser.sh BASIN
set -eu
basin=$1
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$chromium" ] || { echo "no Chromium here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
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
browse() {
  "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr --v=0 "$@" \
    "file://$work/page.html" 2> console
}
fail() { echo "$1"; grep CONSOLE console; exit 1; } >&2
browse --dump-dom > dom
! grep -q CONSOLE console || fail "the page writes on the console"
[ "$(grep -c '<figure id' dom)" = "$figures" ] || fail "there are not $figures figures"
[ "$(grep -o 'data-drawn="1"' dom | wc -l)" = 4 ] || fail "the script did not draw four surfaces"
[ "$(grep -o '<canvas' dom | wc -l)" = 4 ] || fail "there are not four canvases"
for name in landscape line line-together confusion reliability; do
  grep -q "data-figure=\"$name\"" dom || fail "no figure $name"
done
# A surface turns under the arrow keys.
cp page.html whole.html
cat >> page.html <<'HTML'
<script>
const canvas = document.querySelector("canvas"), before = canvas.toDataURL();
canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}));
setTimeout(() => { document.body.dataset.turned = canvas.toDataURL() === before ? "no" : "yes"; }, 300);
</script>
HTML
browse --virtual-time-budget=2000 --dump-dom > dom
grep -q 'data-turned="yes"' dom || fail "the surface did not turn"
cp whole.html page.html
# A script that breaks is seen: the check can fail.
sed -i 's|^document.querySelectorAll(".relief")|brokenOnPurpose();|' page.html
browse --dump-dom > dom
grep -q CONSOLE console || fail "a broken script went unnoticed"
[ "$(grep -o 'data-drawn="1"' dom | wc -l)" = 0 ] || fail "surfaces are drawn without the script"
[ "$(grep -c 'aria-label="loss of ., from the side"' dom)" = 4 ] || fail "without its script the page has no surfaces"
echo "$figures figures, 4 surfaces, nothing on the console"
