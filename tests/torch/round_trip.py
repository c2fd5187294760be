#!/usr/bin/env python3
"""Weights travel from torchvision to Basin and back: round_trip.py BASIN BASIN_LOGITS

For each network of travel.py, with random weights and statistics: a file of torchvision's state dict, read by
`basin export` and written again, has the same bits, loads into torchvision with strict=True, and both programs
give the same logits, to 1e-4 of the largest. Then a run of Basin's own, there and back. Exit code 77 (skipped)
without torchvision.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision  # noqa: F401

    import travel
except ImportError as error:
    print("SKIPPED:", error)
    sys.exit(77)

basin, basin_logits = sys.argv[1:3]


def basin_says(model, weights):
    words = [basin_logits, model, weights, travel.PICTURE, str(travel.SIDE)]
    return np.array([float(x) for x in subprocess.check_output(words, text=True).split()])


def torch_says(model):
    with torch.no_grad():
        return model.eval()(travel.picture(travel.SIDE, travel.SIDE).float())[0].numpy()


def export(weights, out, name):
    shape = ["--data", "folder", "--image-size", str(travel.SIDE)]
    subprocess.check_call([basin, "export", "--weights", weights, "--model", name, "-o", out] + shape)


def expect_close(what, ours, theirs):
    worst = np.abs(ours - theirs).max() / np.abs(theirs).max()
    print("%s: %d logits, largest difference %.2g of the largest" % (what, len(ours), worst))
    if len(ours) != len(theirs) or not worst <= 1e-4:
        sys.exit("%s: logits differ" % what)


def both_ways(directory, name, make):
    torch.manual_seed(1)
    model = make()
    state = model.state_dict()
    for key, tensor in state.items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif key.endswith("num_batches_tracked"):
            tensor.fill_(3)
    if name.startswith("vit"):
        state["heads.head.weight"].normal_(0, 0.05)  # torchvision starts it at zero
    theirs, back = os.path.join(directory, "theirs.safetensors"), os.path.join(directory, "back.safetensors")
    travel.save(theirs, {key: tensor.numpy() for key, tensor in state.items()})
    export(theirs, back, name)
    arrays = travel.load(back)
    for key, tensor in state.items():
        if arrays[key].tobytes() != tensor.numpy().tobytes() or arrays[key].shape != tuple(tensor.shape):
            sys.exit("%s: '%s' came back changed" % (name, key))
    again = make()
    again.load_state_dict({key: torch.from_numpy(array.copy()) for key, array in arrays.items()}, strict=True)
    ours = basin_says(name, theirs)
    expect_close(name + ", torchvision's weights in Basin", ours, torch_says(model))
    expect_close(name + ", Basin's file in torchvision", ours, torch_says(again))


def own_run(directory):
    """A network that Basin trained, in torchvision: ResNet-18 with a 3x3 stem, on synthetic images."""
    run, out = os.path.join(directory, "run"), os.path.join(directory, "run.safetensors")
    subprocess.check_call([basin, "train", "--data", "synthetic", "--limit", "64", "--batch-size", "32", "--epochs",
                           "1", "--model", "resnet18", "--run", run, "--quiet"], stdout=subprocess.DEVNULL)
    subprocess.check_call([basin, "export", "--run", run, "-o", out])
    model = torchvision.models.resnet18(num_classes=10)
    model.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = torch.nn.Identity()
    model.load_state_dict({k: torch.from_numpy(a.copy()) for k, a in travel.load(out).items()}, strict=True)
    expect_close("resnet18, trained by Basin", basin_says("resnet18", out), torch_says(model))


with tempfile.TemporaryDirectory() as scratch:
    for model_name, maker in travel.MODELS.items():
        both_ways(scratch, model_name, maker)
    own_run(scratch)
