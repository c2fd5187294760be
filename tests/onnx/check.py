# Basin's ONNX files under ONNX's checker and in another runtime: the logits must be Basin's own.
# usage: check.py ONNX_SAMPLES DIRECTORY [MODEL SIDE]...    77: nothing here to check them with.
import glob
import os
import subprocess
import sys

try:
    import numpy
    import onnx
    import onnx.checker
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def open_runtime():
    """path -> (image -> logits), by onnxruntime or by OpenCV."""
    try:
        import onnxruntime

        def by_onnxruntime(path):
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            return lambda image: session.run(["logits"], {"image": image})[0]

        return "onnxruntime " + onnxruntime.__version__, by_onnxruntime
    except ImportError:
        pass
    try:
        import cv2

        def by_opencv(path):
            def run(image):
                net = cv2.dnn.readNetFromONNX(path)
                net.setInput(image)
                return net.forward()

            return run

        return "OpenCV " + cv2.__version__, by_opencv
    except ImportError:
        print("skipped: neither onnxruntime nor cv2 to run the graphs with")
        sys.exit(77)


program, directory = sys.argv[1:3]
name, load = open_runtime()
print(f"onnx {onnx.__version__}, {name}")
for path in glob.glob(os.path.join(directory, "*.onnx")):
    os.remove(path)
subprocess.run([program, directory] + sys.argv[3:], check=True)
paths = sorted(glob.glob(os.path.join(directory, "*.onnx")))
assert paths, "no graphs were written"

failed = 0
for path in paths:
    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path).graph
    run = load(path)
    worst = 0.0
    with numpy.load(path[: -len("onnx")] + "npz") as numbers:
        for batch in ("1", "3"):
            expected, found = numbers["logits." + batch], run(numbers["image." + batch])
            assert expected.shape == found.shape, (path, expected.shape, found.shape)
            worst = max(worst, float(abs(found - expected).max() / abs(expected).max()))
    wrong = not worst <= 1e-4
    failed += wrong
    print(f"{'WRONG ' if wrong else ''}{os.path.basename(path)}: {len(graph.node)} nodes, off by {worst:.1e}")
sys.exit(failed > 0)
